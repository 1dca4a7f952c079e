"""From options to one hop: what is sent, decided by a table of stages. Pure; no I/O.

``build`` makes each hop anew from the options and a ``Carry``; the first carry comes from ``requite.carries``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import contentfields, proxies
from requite._version import __version__
from requite.auth import basic
from requite.message import Draft, Hop
from requite.proxies import HELD
from requite.proxies import NAMES as PROXIES
from requite.routes import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.cookies.foreign import Jar
    from requite.credentials import Credentials
    from requite.message import AbortSignal, Carry, Reply
    from requite.options import Options
    from requite.routes import TLS, Limits, Proxy
    from requite.wire.uri import Uri

MAX_PLANS = 128
"""How many origins and methods one set of defaults remembers the fields for."""
USER_AGENT = f'requite/{__version__}'
DESCRIBES_CONTENT = frozenset(
    'content-type content-length content-encoding content-language content-location transfer-encoding digest content-digest'.split()
)
"""Fields that go with the content when a redirect takes it away (RFC 9110 15.4, SECURITY R13)."""
PERSONAL = frozenset('authorization cookie proxy-authorization'.split())
"""Fields of the caller's that no other origin may see, beside those that ``sensitive_headers`` names (SECURITY R1)."""


def _headers(draft: Draft) -> None:
    fields = {key: field for key, field in draft.options.headers.items() if field[1] is not None}
    carry = draft.carry
    if not carry.trusted:
        for name in PERSONAL | draft.options.sensitive_headers:
            fields.pop(name, None)
    if carry.rerouted:
        fields.pop('host', None)
    if carry.bodiless:
        for name in DESCRIBES_CONTENT:
            fields.pop(name, None)
    draft.fields = fields


def _referer(draft: Draft) -> None:
    if draft.carry.referer == '':
        draft.fields.pop('referer', None)
    elif draft.carry.referer is not None:
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
        name, own = draft.fields.get('cookie', ('cookie', ''))
        values = [own] if isinstance(own, str) else own  # one field of all that the caller wrote (RFC 6265 5.4)
        draft.fields['cookie'] = (name, '; '.join([*filter(None, values), kept]))


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


def _idempotency_key(draft: Draft) -> None:
    # a redirect that took the content away asks for something else
    if draft.options.idempotency_key is not None and not draft.carry.bodiless:
        draft.default('idempotency-key', draft.options.idempotency_key)


def _connection(draft: Draft) -> None:
    if draft.options.connections is False:
        draft.default('connection', 'close')


def _accept_encoding(draft: Draft) -> None:
    if draft.options.gzip and 'accept-encoding' not in draft.options.headers:
        from requite.wire import decode

        draft.default('accept-encoding', decode.accept_encoding())


def _accept(draft: Draft) -> None:
    if draft.options.json is not None and draft.options.json is not False and 'accept' not in draft.options.headers:
        draft.default('accept', 'application/json')


def _authorization(draft: Draft) -> None:
    """Basic, Bearer, or the answer to a challenge. An Authorization that the caller wrote by hand wins over each of them (in Node ``auth`` does: mended)."""
    carry, options = draft.carry, draft.options
    if 'authorization' in draft.fields:
        return
    answered, credentials = carry.answered, options.auth
    if answered is not None and credentials is not None:
        value = (
            answered
            if isinstance(answered, str)
            else answered.authorization(credentials, carry.method, carry.uri.target, draft.body)
        )
        draft.fields['authorization'] = ('authorization', value)
        return
    if not carry.trusted:
        return
    if credentials is not None:
        if credentials.send_immediately:
            draft.fields['authorization'] = ('authorization', basic.authorization(credentials))
    elif carry.uri.username is not None:
        draft.fields['authorization'] = ('authorization', basic.basic(carry.uri.username, carry.uri.password))
    elif options.netrc is not None:
        found = from_netrc(options, carry.uri)
        if found is not None:
            draft.fields['authorization'] = ('authorization', basic.authorization(found))


def from_netrc(options: Options, uri: Uri) -> Credentials | None:
    """What the caller's netrc file has for this host; nothing where anything else says who asks. Raises ``OptionsError`` for a file that cannot be used."""
    if (
        options.auth is not None
        or uri.username is not None
        or options.headers.get('authorization', ('', None))[1] is not None
    ):
        return None
    from requite.auth import netrc, signing

    if options.signed and signing.sets(options, 'authorization'):
        return None
    return netrc.find(options.netrc, uri)


def _signatures(draft: Draft) -> None:
    if draft.options.signed:
        from requite.auth import signing

        signing.sign(draft)


STAGES: tuple[tuple[str, Callable[[Draft], None], str], ...] = (
    (
        'headers',
        _headers,
        "the caller's come first, in their order; what may not travel on is taken out before anything is added",
    ),
    ('referer', _referer, "before host, so that a redirected request shows it where the caller's own would stand"),
    (
        'tunnel',
        proxies.tunnel,
        "before anything else is added: the proxy is told what the caller's headers tell it, and no more",
    ),
    ('host', _host, 'after the headers, so that a Host of the caller is kept'),
    ('cookie', _cookie, "after the headers: the caller's own stand first; asked anew on every hop"),
    ('user-agent', _user_agent, 'any time after the headers; None in the headers leaves it out'),
    ('idempotency-key', _idempotency_key, 'any time after the headers'),
    ('connection', _connection, 'any time after the headers'),
    ('accept-encoding', _accept_encoding, 'any time after the headers'),
    ('accept', _accept, 'any time after the headers'),
    ('content-type', contentfields.content_type, 'before content-length only for the order that Node sends them in'),
    (
        'content-length',
        contentfields.content_length,
        'after every stage that may change the body: framing is decided once, here',
    ),
    ('proxy-authorization', proxies.authorize, 'after the content, which the answer to a 407 may cover'),
    ('authorization', _authorization, 'before the signatures, which may cover it'),
    ('signatures', _signatures, 'last: whoever signs must see the whole request (Node signs earlier: mended)'),
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
        or not HELD.isdisjoint(PROXIES)
    ):
        draft = _drafted(options, carry)
        if draft.proxy is not None:
            return _through_proxy(draft, draft.proxy, pool, limits, signal)
        fields, body, uri = _flat(draft.fields), draft.body, draft.uri
        route = _route(options, carry)
    else:
        key = (carry.method, uri.origin, uri.host_field, carry.bodiless, carry.rerouted)
        plan = plans.get(key)
        if plan is None:
            plan = _planned(options, carry, plans, key)
        fields, route = plan
        body = None
    return Hop(carry.method, uri, uri.target, fields, body, route, pool, limits, signal, {} if options.time else None)


def _through_proxy(draft: Draft, proxy: Proxy, pool: Any, limits: Limits, signal: AbortSignal) -> Hop:
    options, uri, connect = draft.options, draft.uri, draft.connect
    forwarded = connect is None and not proxy.socks
    return Hop(
        draft.method,
        uri,
        proxies.absolute(uri) if forwarded else uri.target,
        _flat(draft.fields),
        draft.body,
        proxies.route(draft, _tls(options, draft.carry)),
        pool,
        limits,
        signal,
        {} if options.time else None,
        None,
        None if connect is None else _flat(connect),
    )


def _planned(
    options: Options, carry: Carry, plans: dict[Any, Any], key: Any
) -> tuple[tuple[tuple[str, str], ...], Route]:
    """What a request without content sends to this origin, kept for the next one."""
    plan = _flat(_drafted(options, carry).fields), _route(options, carry)
    if len(plans) >= MAX_PLANS:
        plans.clear()
    plans[key] = plan
    return plan


def _drafted(options: Options, carry: Carry) -> Draft:
    draft = Draft(options, carry)
    draft.proxy = proxies.choose(options, carry.uri)
    for _, stage, _ in STAGES:
        stage(draft)
    return draft


def _tls(options: Options, carry: Carry) -> TLS | None:
    """The TLS settings for a hop: who we are, and what the server is called, only holds for origins that the caller named (SECURITY R1)."""
    if carry.uri.scheme != 'https':
        return None
    tls = options.tls
    if carry.trusted:
        return tls
    return tls._replace(cert=None, key=None, pfx=None, passphrase=None, server_hostname=None)


def _route(options: Options, carry: Carry) -> Route:
    uri = carry.uri
    scheme, host, port = uri.origin
    tls = _tls(options, carry)
    found = (options.local_address, None, None, (), options.family, options.lookup)
    return Route(scheme, host, port, tls, uri.socket_path, *found)


def _flat(fields: dict[str, tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
    flat: list[tuple[str, str]] = []
    for field in fields.values():
        if type(field[1]) is str:
            flat.append(field)
        else:
            flat.extend((field[0], line) for line in field[1])
    return tuple(flat)
