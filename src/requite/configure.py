"""Options after the call: each function takes options and returns others, as if the caller had said so at once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import checks, credentials, fields
from requite.carries import first
from requite.options import Options, compose, normalise

if TYPE_CHECKING:
    from collections.abc import Mapping


def given(options: Options, **values: Any) -> Options:
    """The options with some given anew, checked as in the call."""
    return compose(options, normalise(values))


def header(options: Options, name: Any, value: Any, clobber: bool = True) -> Options:
    """One header set: an existing one keeps its place and spelling; without ``clobber`` the value is added to it after a comma."""
    key = fields.header_name('headers', name)
    lowered = key.lower()
    before = options.headers.get(lowered)
    if before is not None:
        key = before[0]
        if not clobber and isinstance(before[1], str):
            value = f'{before[1]},{fields.header_value("headers", key, value)}'
    item = None if value is None else fields.header_value('headers', key, value)
    headers = {**options.headers, lowered: (key, item)}
    fields.framing('headers', headers)
    return replaced(options, headers=headers)


def without_header(options: Options, name: Any) -> Options:
    """One header taken out, whatever its spelling."""
    lowered = fields.header_name('headers', name).lower()
    return replaced(options, headers={key: field for key, field in options.headers.items() if key != lowered})


def query(options: Options, data: Mapping[str, Any] | None, clobber: bool = False) -> Options:
    """The query with ``data`` merged in; with ``clobber`` what was there before is dropped."""
    uri = first(replaced(options, body=None, form=None, form_data=None, multipart=None, json=None)).uri
    if clobber:
        uri = uri.with_query('')
    return replaced(compose(options, {'uri': uri, 'qs': checks.mapping('qs', data)}), base_url=None, url=None)


def auth(options: Options, user: Any, password: Any, send_immediately: Any, bearer: Any) -> Options:
    """Credentials as ``.auth()`` takes them; where ``digest=True`` was said, another user and password are for Digest too, never for Basic (SECURITY A4)."""
    if bearer is not None:
        made = credentials.make_bearer('auth', bearer, send_immediately)
    else:
        made = credentials.make('auth', user, password, send_immediately)
        if options.auth is not None and options.auth.digest:
            # who asks is said anew here, not that only Digest will do
            made = made._replace(
                digest=True, send_immediately=False, said=made.said - {'send_immediately'} | {'digest'}
            )
    return replaced(options, auth=made)


def adopted(options: Options, method: str | None, pairs: list[tuple[str, str]], body: Any) -> Options:
    """The options with what is piped in: its content, its method unless one was given, and those of its fields that were not given.

    Raises ``OptionsError`` for a method or a field that cannot be sent. With ``json=True`` content without a type is JSON, as in Node.
    """
    headers = dict(options.headers)
    for key, field in fields.header_fields('headers', pairs).items():
        headers.setdefault(key, field)
    if options.json is True and body is not None:
        headers.setdefault('content-type', ('content-type', 'application/json'))
    values = {'headers': headers, 'body': body}
    if method is not None and not options.given('method'):
        values.update(normalise({'method': method}))
    return replaced(options, **values)


def replaced(options: Options, **values: Any) -> Options:
    """The options with values put in as they are, and those that are None taken out."""
    other = Options()
    merged = other.__dict__
    merged.update(options.__dict__)
    for name, value in values.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    # What requests with the same defaults share must neither serve these options nor learn from them: they may hold credentials.
    merged['plans'] = None
    return other
