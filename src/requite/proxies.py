"""Which proxy a hop goes through, and what the proxy gets to see. Pure but for a look at the environment; decided anew on every hop (Node decides once: mended).

An explicit ``proxy`` is always used, None or '' means none; otherwise ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY`` decide, in either case of letters.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from requite.auth import basic
from requite.credentials import Credentials
from requite.errors import OptionsError
from requite.routes import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from requite.message import Carry, Draft, Hop
    from requite.options import Options
    from requite.routes import TLS, Proxy
    from requite.wire.uri import Uri

VARIABLES = ('HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy')
WHITE_LIST = frozenset(
    'accept accept-charset accept-encoding accept-language accept-ranges cache-control content-encoding content-language content-location content-md5 '
    'content-range content-type connection date expect max-forwards pragma referer te user-agent via'.split()
)
"""Fields that CONNECT repeats for the proxy, as in Node."""
EXCLUSIVE = frozenset(('proxy-authorization',))
"""Fields that only the proxy sees, as in Node."""
NEVER_TOLD = frozenset('host content-length transfer-encoding'.split())
"""Fields that no list brings into CONNECT: it has a Host of its own, and no content (Node repeats the lengths: mended)."""
MOST_DECISIONS = 512

# The variables as the process holds them: `os.environ` encodes a name each time it is asked, which every request would pay for.
_held: Any = getattr(os.environ, '_data', os.environ)
_keys: Any = [os.environ.encodekey(name) if hasattr(os.environ, 'encodekey') else name for name in VARIABLES]
_cgi: Any = os.environ.encodekey('REQUEST_METHOD') if hasattr(os.environ, 'encodekey') else 'REQUEST_METHOD'
NAMES: Any = _keys[:4]
HELD = _held.keys()
"""The names that the environment has at this moment; with ``NAMES`` for those that ask on every request."""
_decided: dict[Any, Proxy | None] = {}


def silent() -> bool:
    """Whether the environment names no proxy at all."""
    return bool(HELD.isdisjoint(NAMES))


def choose(options: Options, uri: Uri) -> Proxy | None:
    """The proxy for ``uri``, None for a direct connection. Raises ``OptionsError`` for a variable that names none that can be used."""
    if options.given('proxy'):
        return options.proxy
    if uri.socket_path is not None or silent():
        return None
    held = tuple(map(_held.get, _keys))
    key = held, _cgi in _held, uri.scheme, uri.hostname, uri.effective_port
    try:
        return _decided[key]
    except KeyError:
        pass
    found = from_variables(
        uri, {name: os.environ[name] for name in (*VARIABLES, 'REQUEST_METHOD') if name in os.environ}
    )
    if len(_decided) >= MOST_DECISIONS:
        _decided.clear()
    _decided[key] = found
    return found


def from_variables(uri: Uri, variables: Mapping[str, str]) -> Proxy | None:
    """What the variables say for ``uri``: Node's rules, except that ``HTTP_PROXY`` is not believed under CGI, where a client may set it (SECURITY X2)."""
    if bypassed(uri, variables.get('NO_PROXY') or variables.get('no_proxy') or ''):
        return None
    names = ['HTTP_PROXY', 'http_proxy']
    if 'REQUEST_METHOD' in variables:
        # where the system knows no case, the one is the other
        names = [] if os.name == 'nt' else ['http_proxy']
    if uri.scheme == 'https':
        names[:0] = ['HTTPS_PROXY', 'https_proxy']
    name = next((name for name in names if variables.get(name, '').strip()), None)
    if name is None:
        return None
    from requite.proxyaddress import parse

    return parse(name, variables[name], 'environment variable')


def bypassed(uri: Uri, listed: str) -> bool:
    """Whether a ``NO_PROXY`` list exempts ``uri``: items are names (with all below them), ``*.name``, addresses, networks (10.0.0.0/8) or ``*``,
    each with a port if it is meant for that only.
    """
    return any(_matches(uri, item) for item in listed.replace(',', ' ').split())


def _matches(uri: Uri, item: str) -> bool:
    if item == '*':
        return True
    from ipaddress import ip_address, ip_network

    name, port = _item(item)
    if port is not None and port != str(uri.effective_port):
        return False
    if name == '*':
        return True
    host = uri.hostname.rstrip('.')
    try:
        address = _plain(ip_address(host))
    except ValueError:
        name = name.removeprefix('*').strip('.').lower()
        return bool(name) and (host == _ascii(name) or host.endswith('.' + _ascii(name)))
    try:
        network = ip_network(name, strict=False)
    except ValueError:
        return False
    if network.version == 6 and network.prefixlen >= MAPPED and _plain(network[0]).version == 4:
        network = ip_network(f'{_plain(network[0])}/{network.prefixlen - MAPPED}')
    return bool(address.version == network.version and address in network)


MAPPED = 96
"""RFC 4291 2.5.5.2: how many bits stand before the IPv4 address within an IPv6 one."""


def _item(item: str) -> tuple[str, str | None]:
    """Host and port of one item; an IPv6 address needs brackets only where a port follows."""
    if item.startswith('['):
        name, _, rest = item[1:].partition(']')
        if rest.startswith('/'):
            return name + rest, None
        return name, rest.removeprefix(':') or None
    if item.count(':') == 1:
        name, _, port = item.partition(':')
        return name, port or None
    return item, None


def _plain(address: Any) -> Any:
    """An IPv4 address that is written as an IPv6 one is the IPv4 address."""
    return getattr(address, 'ipv4_mapped', None) or address


def _ascii(name: str) -> str:
    if name.isascii():
        return name
    from requite.wire.host import normalise

    try:
        return normalise(name)
    except ValueError:
        return name


def tunnels(options: Options, uri: Uri, proxy: Proxy) -> bool:
    """Whether the hop goes through CONNECT: as ``tunnel`` says, else where the target is https. A SOCKS proxy needs none."""
    if proxy.socks:
        return False
    return bool(options.tunnel) if options.given('tunnel') else uri.scheme == 'https'


def settle(options: Options, uri: Uri) -> None:
    """Raises ``OptionsError`` where an explicit ``proxy`` cannot serve what else was asked for."""
    proxy = options.proxy
    if proxy is None:
        return
    if uri.socket_path is not None:
        raise OptionsError("option 'proxy': a unix socket is reached without a proxy; give proxy=None with it")
    if proxy.socks and options.tunnel:
        raise OptionsError("option 'tunnel': a SOCKS proxy is a tunnel already; leave the option out")


def tunnel(draft: Draft) -> None:
    """Splits what an HTTP proxy is told from what goes through its tunnel; without such a proxy nobody gets what is meant for one (SECURITY X1)."""
    options, proxy = draft.options, draft.proxy
    through = proxy is not None and not proxy.socks
    if through and not tunnels(options, draft.uri, proxy):  # type: ignore[arg-type]
        return
    only = EXCLUSIVE.union(options.proxy_header_exclusive_list or ())
    if through:
        shown = WHITE_LIST if options.proxy_header_white_list is None else options.proxy_header_white_list
        told = only.union(shown) - NEVER_TOLD
        draft.connect = {key: field for key, field in draft.fields.items() if key in told}
    for name in only:
        draft.fields.pop(name, None)


def authorize(draft: Draft) -> None:
    """Says to the proxy who we are, where its address says so: at once as Basic (as in Node), or as the answer to its 407."""
    proxy = draft.proxy
    if proxy is None or proxy.socks or proxy.user is None:
        return
    tunnelled = draft.connect is not None
    fields = draft.connect if draft.connect is not None else draft.fields
    if 'proxy-authorization' in fields:
        return
    from requite.auth import proxied

    answered = draft.carry.proxy_answered or proxied.foresee(proxy)
    if answered is None:
        value = basic.basic(proxy.user, proxy.password)
    else:
        method, target = ('CONNECT', authority(draft.uri)) if tunnelled else (draft.method, absolute(draft.uri))
        value = answered.authorization(
            Credentials(proxy.user, proxy.password), method, target, None if tunnelled else draft.body
        )
    fields['proxy-authorization'] = ('proxy-authorization', value)


def answering(hop: Hop) -> bool:
    """Whether a 407 to ``hop`` is its proxy's to give: what comes out of a tunnel was said by the origin, and no proxy is asked for directly."""
    return hop.route.proxy is not None and hop.connect is None and not hop.route.proxy.socks


def asked(carry: Carry, hop: Hop, fields: Iterable[tuple[str, str]]) -> Carry | None:
    """The carry that answers a 407 of the proxy with these fields, None where nothing does: credentials are not guessed, and content that is used up cannot go again."""
    proxy = hop.route.proxy
    used_up = carry.body is not None and not carry.body.replayable and hop.connect is None
    if proxy is None or proxy.user is None or used_up:
        return None
    from requite.auth import proxied

    answer = proxied.answer(fields, carry.proxy_answered, carry.proxy_answers)
    if answer is None:
        proxied.forget(proxy)
        return None
    return carry._replace(proxy_answered=answer, proxy_answers=carry.proxy_answers + 1)


def heard(carry: Carry, hop: Hop, status: int) -> None:
    """Remembers what a proxy took as answer to its 407."""
    proxy, answered = hop.route.proxy, carry.proxy_answered
    if proxy is not None and answered is not None and not (status == 407 and answering(hop)):
        from requite.auth import proxied

        proxied.remember(proxy, answered)


def route(draft: Draft, tls: TLS | None) -> Route:
    """Where the connection leads: to the origin through the proxy, or to the proxy, which then is asked with the whole address."""
    options, uri, proxy = draft.options, draft.uri, draft.proxy
    scheme, host, port = uri.origin
    assert proxy is not None
    outer = _to_proxy(options.tls) if proxy.scheme == 'https' else None
    if draft.connect is None and not proxy.socks:
        return Route(
            proxy.scheme,
            proxy.host,
            proxy.port,
            outer,
            None,
            options.local_address,
            proxy,
            None,
            (),
            options.family,
            options.lookup,
        )
    only = EXCLUSIVE.union(options.proxy_header_exclusive_list or ()) if draft.connect else ()
    told = tuple(field for key, field in (draft.connect or {}).items() if key in only and key in options.headers)
    return Route(
        scheme, host, port, tls, None, options.local_address, proxy, outer, told, options.family, options.lookup
    )


def _to_proxy(tls: TLS) -> TLS:
    """The TLS settings for the proxy itself: whom to trust is the same, who we are and what the origin is called is not its business."""
    return tls._replace(**{name: value for name, value in _NOT_FOR_PROXIES.items() if name in tls._fields})


_NOT_FOR_PROXIES: dict[str, Any] = {
    'server_hostname': None,
    'cert': None,
    'key': None,
    'pfx': None,
    'passphrase': None,
    'fingerprint': None,
}


def authority(uri: Uri) -> str:
    """Host and port as CONNECT names them (RFC 9110 9.3.6)."""
    host = f'[{uri.hostname}]' if ':' in uri.hostname else uri.hostname
    return f'{host}:{uri.effective_port}'


def absolute(uri: Uri) -> str:
    """The request target in absolute form (RFC 9112 3.2.2), without userinfo and fragment; a port that is written stays, as in Node."""
    return f'{uri.scheme}://{uri.host}{uri.target}'
