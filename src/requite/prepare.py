"""From options to one hop: what is sent, decided by a table of stages. Pure; no I/O.

``build`` makes each hop anew from the options and a ``Carry``; the first carry comes from ``requite.carries``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite._version import __version__
from requite.auth import basic
from requite.body import pick
from requite.body.source import DeclaredBody
from requite.errors import OptionsError
from requite.message import Carry, Hop, Limits, Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.cookies.foreign import Jar
    from requite.message import AbortSignal, Reply
    from requite.options import Options
    from requite.protocols import Body
    from requite.wire.uri import Uri

MAX_PLANS = 128
"""How many origins and methods one set of defaults remembers the fields for."""
USER_AGENT = f'requite/{__version__}'
DESCRIBES_CONTENT = frozenset(
    'content-type content-length content-encoding content-language content-location transfer-encoding digest content-digest'.split()
)
"""Fields that go with the content when a redirect takes it away (RFC 9110 15.4, SECURITY R13)."""
PERSONAL = frozenset('authorization cookie proxy-authorization'.split())
"""Fields of the caller's that no other origin may see (SECURITY R1)."""


class Draft:
    """One hop under construction; local to ``build``. ``fields`` maps lower-cased names to (name, value)."""

    __slots__ = ('body', 'carry', 'fields', 'options')

    def __init__(self, options: Options, carry: Carry) -> None:
        self.options = options
        self.carry = carry
        self.body = carry.body
        self.fields: dict[str, tuple[str, Any]] = {}

    def default(self, name: str, value: str) -> None:
        """Sets a field that neither the caller nor an earlier stage has set."""
        if name not in self.fields:
            self.fields[name] = (name, value)


def _headers(draft: Draft) -> None:
    fields = {key: field for key, field in draft.options.headers.items() if field[1] is not None}
    carry = draft.carry
    if not carry.trusted:
        for name in PERSONAL:
            fields.pop(name, None)
    if carry.rerouted:
        fields.pop('host', None)
    if carry.bodiless:
        for name in DESCRIBES_CONTENT:
            fields.pop(name, None)
    draft.fields = fields


def _referer(draft: Draft) -> None:
    if draft.carry.referer is not None:
        name = draft.fields.get('referer', ('referer',))[0]
        draft.fields['referer'] = (name, draft.carry.referer)


def _host(draft: Draft) -> None:
    if 'host' not in draft.fields:
        name = draft.options.headers.get('host', ('host',))[0]
        draft.fields['host'] = (name, draft.carry.uri.host_field)


def _cookie(draft: Draft) -> None:
    if draft.options.jar is None:
        return
    kept = jar_of(draft.options).header(draft.carry.uri)
    if kept:
        name, own = draft.fields.get('cookie', ('cookie', None))
        draft.fields['cookie'] = (name, f'{own}; {kept}' if isinstance(own, str) else kept)


def jar_of(options: Options) -> Jar:
    """The jar of options that have one; raises ``InvalidOptionType`` for what is none."""
    from requite.cookies import foreign

    jar = foreign.jar_of(options.jar)
    assert jar is not None
    return jar


def remember(options: Options, uri: Uri, reply: Reply) -> None:
    """Has the jar keep what ``reply`` sets; does nothing without a jar."""
    values = reply.headers.get('set-cookie')
    if values:
        jar_of(options).remember(uri, values)


def _user_agent(draft: Draft) -> None:
    if 'user-agent' not in draft.options.headers:
        draft.fields['user-agent'] = ('user-agent', USER_AGENT)


def _connection(draft: Draft) -> None:
    if draft.options.connections is False:
        draft.default('connection', 'close')


def _accept_encoding(draft: Draft) -> None:
    if draft.options.gzip:
        from requite.wire import decode

        draft.default('accept-encoding', decode.accept_encoding())


def _accept(draft: Draft) -> None:
    if draft.options.json is not None and draft.options.json is not False:
        draft.default('accept', 'application/json')


def _content_type(draft: Draft) -> None:
    if draft.body is None:
        return
    for name, value in draft.body.headers:
        if value == pick.FORM and not _is_form(draft.fields.get(name)):
            draft.fields[name] = (name, value)
        elif value[:10].lower() == 'multipart/':
            # always this one: the caller's cannot know the boundary, or is in it already
            draft.fields[name] = (draft.fields.get(name, (name,))[0], value)
        draft.default(name, value)


def _is_form(field: tuple[str, Any] | None) -> bool:
    return field is not None and str(field[1]).lower().startswith(pick.FORM)


def _content_length(draft: Draft) -> None:
    body, fields = draft.body, draft.fields
    if body is None and 'transfer-encoding' in fields:
        raise OptionsError("option 'headers': transfer-encoding announces a body that is not there; leave it out")
    _refuse_own_framing(fields)
    if body is None:
        if draft.carry.method != 'GET' and 'content-length' not in fields:
            fields['content-length'] = ('content-length', '0')
        elif 'content-length' in fields and fields['content-length'][1] != '0':
            raise OptionsError("option 'headers': content-length announces a body that is not there; leave it out")
        return
    stated = fields.get('content-length')
    if stated is not None:
        draft.body = declared(body, stated[1])
    elif body.length is None:
        fields['transfer-encoding'] = ('transfer-encoding', 'chunked')
    elif 'transfer-encoding' in fields:
        draft.body = DeclaredBody(body, None)
    else:
        fields['content-length'] = ('content-length', str(body.length))


def _refuse_own_framing(fields: dict[str, tuple[str, Any]]) -> None:
    coding = fields.get('transfer-encoding')
    if coding is None:
        return
    if str(coding[1]).lower() != 'chunked':
        raise OptionsError(f"option 'headers': transfer-encoding can only be 'chunked', not {coding[1]!r}")
    if 'content-length' in fields:
        raise OptionsError(
            "option 'headers': content-length and transfer-encoding exclude each other (RFC 9112 6.2); leave one out"
        )


def declared(body: Body, value: Any) -> Body:
    """The body with the length that a Content-Length of the caller's states; raises ``OptionsError`` where the two disagree."""
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 18:
        raise OptionsError(
            f"option 'headers': content-length must be one number of bytes, not {value!r}; leave it out to have it set"
        )
    length = int(value)
    if body.length is None:
        return DeclaredBody(body, length)
    if body.length != length:
        raise OptionsError(
            f"option 'headers': content-length is {length} but the body has {body.length} bytes; leave it out to have it set"
        )
    return body


def _authorization(draft: Draft) -> None:
    carry, options = draft.carry, draft.options
    answered = carry.answered
    if answered is not None and options.auth is not None:
        value = (
            answered
            if isinstance(answered, str)
            else answered.authorization(options.auth, carry.method, carry.uri.target, draft.body)
        )
        draft.fields['authorization'] = ('authorization', value)
        return
    if not carry.trusted:
        return
    credentials = options.auth
    if credentials is not None:
        if credentials.send_immediately:
            draft.fields['authorization'] = ('authorization', basic.authorization(credentials))
    elif carry.uri.username is not None:
        draft.default('authorization', basic.basic(carry.uri.username, carry.uri.password))


STAGES: tuple[tuple[str, Callable[[Draft], None], str], ...] = (
    (
        'headers',
        _headers,
        "the caller's come first, in their order; what may not travel on is taken out before anything is added",
    ),
    ('referer', _referer, "before host, so that a redirected request shows it where the caller's own would stand"),
    ('host', _host, 'after the headers, so that a Host of the caller is kept'),
    ('cookie', _cookie, "after the headers: the caller's own stand first; asked anew on every hop"),
    ('user-agent', _user_agent, 'any time after the headers; None in the headers leaves it out'),
    ('connection', _connection, 'any time after the headers'),
    ('accept-encoding', _accept_encoding, 'any time after the headers'),
    ('accept', _accept, 'any time after the headers'),
    ('content-type', _content_type, 'before content-length only for the order that Node sends them in'),
    ('content-length', _content_length, 'after every stage that may change the body: framing is decided once, here'),
    ('authorization', _authorization, 'last: whoever signs must see the whole request (Node signs earlier: mended)'),
)


def build(options: Options, carry: Carry, pool: Any, limits: Limits, signal: AbortSignal) -> Hop:
    """The hop for ``carry``; ``pool`` is where its connection will come from, ``limits`` the clocks that apply to it.

    What does not depend on the path is decided once for all requests that share their defaults, and found again in ``options.plans``.
    """
    uri, plans = carry.uri, options.plans
    if (
        plans is None
        or carry.body is not None
        or carry.referer is not None
        or not carry.trusted
        or uri.username is not None
        or carry.answered is not None
    ):
        draft = _drafted(options, carry)
        fields, body, route = _flat(draft.fields), draft.body, _route(options, uri)
    else:
        key = (carry.method, uri.origin, uri.host_field, carry.bodiless, carry.rerouted)
        plan = plans.get(key)
        if plan is None:
            plan = _planned(options, carry, plans, key)
        fields, route = plan
        body = None
    return Hop(carry.method, uri, uri.target, fields, body, route, pool, limits, signal, {} if options.time else None)


def _planned(
    options: Options, carry: Carry, plans: dict[Any, Any], key: Any
) -> tuple[tuple[tuple[str, str], ...], Route]:
    """What a request without content sends to this origin, kept for the next one."""
    plan = _flat(_drafted(options, carry).fields), _route(options, carry.uri)
    if len(plans) >= MAX_PLANS:
        plans.clear()
    plans[key] = plan
    return plan


def _drafted(options: Options, carry: Carry) -> Draft:
    draft = Draft(options, carry)
    for _, stage, _ in STAGES:
        stage(draft)
    return draft


def _route(options: Options, uri: Uri) -> Route:
    scheme, host, port = uri.origin
    tls = options.tls if scheme == 'https' else None
    return Route(scheme, host, port, tls, uri.socket_path, options.local_address)


def _flat(fields: dict[str, tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
    flat: list[tuple[str, str]] = []
    for field in fields.values():
        if type(field[1]) is str:
            flat.append(field)
        else:
            flat.extend((field[0], line) for line in field[1])
    return tuple(flat)
