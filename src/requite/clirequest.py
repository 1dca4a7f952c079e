"""From the arguments of a command line to the request it means: an address, a method and options. Nothing is sent here."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from requite import cliitems
from requite.cliaddress import Wanted, divide, divide_items, with_query, with_scheme
from requite.errors import OptionsError
from requite.wire.uriparse import redact

if TYPE_CHECKING:
    from argparse import Namespace
    from contextlib import ExitStack

ACCEPT = 'application/json, */*;q=0.5'


def wanted(arguments: Namespace, opened: ExitStack) -> Wanted:
    """What the arguments ask for; files that are sent stay open in ``opened``. Raises ``OptionsError``."""
    given = _written(arguments, opened) if arguments.from_curl is None else _from_curl(arguments, opened)
    if any(name.lower() == 'host' and value is None for name, value in given.options.get('headers', {}).items()):
        raise OptionsError(
            'every request of HTTP/1.1 has a Host: write Host:NAME for another one, Host; for an empty one'
        )
    given.options.update(settings(arguments))
    auth = _auth(arguments)
    if auth is not None:
        given.options['auth'] = auth
    if 'auth' in given.options:
        given.options['auth'] = complete(given.options['auth'])
    if arguments.aws:
        given.options['aws'] = _aws(arguments, given.options.pop('auth', None), given.url or '')
    return given._replace(method='HEAD') if arguments.head else given


def _written(arguments: Namespace, opened: ExitStack) -> Wanted:
    har = None if arguments.har is None else _har(arguments.har)
    method, url, words = divide(arguments.words) if har is None else divide_items(arguments.words)
    items = cliitems.parse(words)
    if url is None and har is None:
        raise OptionsError('there is no address; write for example: requite https://example.com/')
    options = content(arguments, items, opened)
    sends = bool(options)
    headers = dict(items.headers)
    if (sends and 'json' in options) or arguments.json:
        headers = {'accept': ACCEPT, **headers} if not any(name.lower() == 'accept' for name in headers) else headers
    if items.headers or headers:
        options['headers'] = _repeated(items.headers, headers)
    if har is not None:
        options['har'] = har
    address = None if url is None else with_query(with_scheme(url), items.query)
    if address is None and items.query:
        address = with_query(_address_of(har), items.query)
    return Wanted(method or ('POST' if sends else None if har is not None else 'GET'), address, options)


def _address_of(har: Any) -> str:
    from requite.har import options_of

    address = options_of(har, False).get('url')
    if address is None:
        raise OptionsError('the request of --har has no address to add a query to: write the address too')
    return str(address)


def _from_curl(arguments: Namespace, opened: ExitStack) -> Wanted:
    """The request of a curl command line, with the items that stand beside it."""
    from requite import fromcurl

    if arguments.har is not None:
        raise OptionsError('--from-curl and --har are two requests: keep one of them')
    method, url, words = divide_items(arguments.words)
    if url is not None:
        raise OptionsError(f'--from-curl tells the address itself, beside {redact(url)!r}: leave the other one out')
    items = cliitems.parse(words)
    given = fromcurl.read(arguments.from_curl, opened)
    beside = content(arguments, items, opened)
    if beside and ('body' in given.options or 'form_data' in given.options):
        raise OptionsError('the line of --from-curl has content of its own: leave the other one out')
    own = {name.lower() for name, _ in items.headers}
    kept = {name: value for name, value in given.options['headers'].items() if name.lower() not in own}
    given.options['headers'] = {**kept, **_repeated(items.headers, dict(items.headers))}
    given.options.update(beside)
    meant = 'POST' if beside and given.method == 'GET' else given.method
    return given._replace(method=method or meant, url=with_query(given.url or '', items.query))


def _repeated(given: list[tuple[str, str | None]], headers: dict[str, Any]) -> dict[str, Any]:
    """The headers; one that comes several times is a list."""
    for name in headers:
        values = [value for key, value in given if key == name and value is not None]
        if len(values) > 1:
            headers[name] = values
    return headers


# -- content


def content(arguments: Namespace, items: cliitems.Items, opened: ExitStack) -> dict[str, Any]:
    """The options that hold the content, empty where there is none."""
    if arguments.raw is not None:
        if items.sends:
            raise OptionsError('--raw is the whole content; leave the other items out')
        return {'body': cliitems.readable('--raw', arguments.raw)}
    if items.body is not None:
        return {'body': _whole(items.body, opened)}
    if not items.parts:
        return {}
    if arguments.multipart or any(part.kind == 'file' for part in items.parts):
        return {'form_data': form_data(items.parts, opened)}
    if arguments.form:
        return {'form': urlencode([(part.name, _text(part, '--form')) for part in items.parts], quote_via=quote)}
    value: dict[str, Any] = {}
    for part in items.parts:
        if part.name in value:
            raise OptionsError(f"{part.name!r} comes twice in one JSON object; for a list write {part.name}:='[1, 2]'")
        value[part.name] = part.value
    return {'json': value}


def _whole(path: str, opened: ExitStack) -> Any:
    return sys.stdin.buffer if path == '-' else opened.enter_context(open(path, 'rb'))


def form_data(parts: list[cliitems.Part], opened: ExitStack) -> Any:
    """The parts as a ``FormData``, in their order."""
    from requite.body.formdata import FormData

    form = FormData()
    for part in parts:
        if part.kind == 'file':
            form.append(
                part.name,
                opened.enter_context(Path(part.value).open('rb')),  # noqa: SIM115
                {'contentType': part.type} if part.type else None,
            )
        else:
            form.append(part.name, _text(part, 'multipart'))
    return form


def _text(part: cliitems.Part, where: str) -> str:
    if part.kind != 'text':
        raise OptionsError(f'{part.name}:= is JSON, which has no place in {where}; write {part.name}=value')
    return str(part.value)


def _har(path: str) -> Any:
    text = cliitems.text_of(f'--har {path}', path)
    try:
        return json.loads(text.removeprefix('\ufeff'))
    except (ValueError, RecursionError) as error:
        raise OptionsError(
            f'--har {path}: it is not JSON ({error}); save it from a browser, or with --har-log'
        ) from None


# -- settings


def settings(arguments: Namespace) -> dict[str, Any]:
    """The options that are said by flags of their own."""
    made: dict[str, Any] = {}
    for name in ('timeout', 'deadline', 'retry', 'proxy', 'har_log', 'max_redirects'):
        value = getattr(arguments, name)
        if value is not None:
            made[name] = value
    if arguments.follow is not None:
        made['follow_redirect'] = arguments.follow
        made['follow_all_redirects'] = arguments.follow
    if arguments.verify in ('no', 'false'):
        made['strict_ssl'] = False
    elif arguments.verify not in (None, 'yes', 'true'):
        made['ca'] = cliitems.there('--verify', arguments.verify)
    for name in ('cert', 'key'):
        if getattr(arguments, name) is not None:
            made[name] = cliitems.there(f'--{name}', getattr(arguments, name))
    if arguments.jar is not None:
        made['jar'] = jar(arguments.jar)
    if arguments.netrc:
        made['netrc'] = True
    if arguments.timings:
        made['time'] = True
    return made


def jar(path: str) -> Any:
    """A jar in a file: of the format that it has, or else of the one that its name says."""
    from requite.cookies import CookieJar, JSONFileStore, NetscapeFileStore, SQLiteStore

    place = Path(path).expanduser()
    try:
        with place.open('rb') as file:
            begin = file.read(512).lstrip()
    except FileNotFoundError:
        begin = b''
    except OSError as error:
        raise OptionsError(f'--jar: cannot read {path!r}: {error.strerror}') from None
    if not place.parent.is_dir():
        raise OptionsError(f'--jar: there is no folder {str(place.parent)!r} to put {place.name!r} into')
    suffix = place.suffix.lower()
    if begin.startswith(b'SQLite format 3\0') or (not begin and suffix in ('.db', '.sqlite', '.sqlite3')):
        return CookieJar(SQLiteStore(place))
    if begin[:1] in (b'{', b'[') or (not begin and suffix == '.json'):
        return CookieJar(JSONFileStore(place))
    return CookieJar(NetscapeFileStore(place))


def _auth(arguments: Namespace) -> dict[str, Any] | None:
    """The ``auth`` option that the flags say."""
    if arguments.bearer is not None:
        if arguments.auth is not None:
            raise OptionsError('--bearer and --auth are two ways of saying who you are: keep one of them')
        return {'bearer': arguments.bearer}
    if arguments.auth is None:
        if arguments.digest and arguments.from_curl is None:
            raise OptionsError('--digest wants a name and a password: --auth USER:PASSWORD')
        return None
    user, colon, password = arguments.auth.partition(':')
    made: dict[str, Any] = {'user': user, 'pass': password if colon else None}
    return {**made, 'digest': True} if arguments.digest else made


def complete(auth: dict[str, Any]) -> dict[str, Any]:
    """The credentials with a password, for which a person is asked where there is one."""
    if 'user' not in auth or auth.get('pass') is not None:
        return auth
    if sys.stdin is None or not sys.stdin.isatty():
        raise OptionsError(
            f'there is no password for {auth["user"]!r}: write --auth {auth["user"]}:PASSWORD (nothing after the colon for an empty one)'
        )
    from getpass import getpass

    try:
        return {**auth, 'pass': getpass(f'password for {auth["user"]!r}: ')}
    except EOFError:
        raise OptionsError('no password was given') from None


def _aws(arguments: Namespace, auth: dict[str, Any] | None, url: str) -> dict[str, Any]:
    """The ``aws`` option: keys of ``--auth``, or of the environment as AWS names them; the region of the environment where no host of AWS's says one."""
    env = os.environ
    made: dict[str, Any] = {'sign_version': 4}
    if auth is not None and 'user' in auth:
        made.update(key=auth['user'], secret=auth['pass'])
    else:
        made.update(key=env.get('AWS_ACCESS_KEY_ID'), secret=env.get('AWS_SECRET_ACCESS_KEY'))
        if env.get('AWS_SESSION_TOKEN'):
            made['session'] = env['AWS_SESSION_TOKEN']
    if not made['key'] or not made['secret']:
        raise OptionsError(
            '--aws needs keys: --auth KEY:SECRET, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment'
        )
    if arguments.aws_service:
        made['service'] = arguments.aws_service
    elsewhere = '.amazonaws.com' not in url
    region = arguments.aws_region or (elsewhere and (env.get('AWS_REGION') or env.get('AWS_DEFAULT_REGION')))
    if region:
        made['region'] = region
    return made
