"""The address of a proxy as a value: where it is, how it is spoken to, and who we are to it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from requite.errors import InvalidOptionType, InvalidProtocol, InvalidURI, OptionsError, RequestError
from requite.routes import Proxy
from requite.wire import uri as uris

if TYPE_CHECKING:
    from requite.wire.uri import Uri

PORTS = {'http': 80, 'https': 443, 'socks4': 1080, 'socks4a': 1080, 'socks5': 1080, 'socks5h': 1080}
"""The schemes that a proxy may have, and the port where none is written."""
MAX_SOCKS_TEXT = 255
"""RFC 1929 2: the lengths of user and password are one byte each."""
VARIABLES = ('HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy')
HOW = 'give it as http://host:port or http://user:password@host:port'

_CONTROL = re.compile(r'[\x00-\x1f\x7f]|%[01][0-9a-f]|%7f', re.IGNORECASE)


def parse(name: str, value: Any, kind: str = 'option') -> Proxy | None:
    """The proxy that a text or a parsed URI names; None for none (``None``, ``False`` and ``''``, as in Node).

    ``host:port`` without a scheme means http, as everywhere else (Node refuses it: mended). ``name`` is the option that errors name, or the variable if
    that is the ``kind``. Raises ``InvalidOptionType``, ``InvalidProtocol``, ``InvalidURI`` and ``OptionsError``, none of which shows userinfo.
    """
    if value is None or value is False or value == '':
        return None
    if isinstance(value, Proxy):
        return value
    what = f'{kind} {name!r}'
    if isinstance(value, str):
        scheme, rest = _split(what, value.strip())
        uri = _read(what, rest)
    else:
        uri = _coerce(what, value)
        scheme = uri.scheme
    return _of(what, scheme, uri)


def _split(what: str, text: str) -> tuple[str, str]:
    """Scheme and the rest; ``socks`` alone is the version that needs no look-up here."""
    scheme, colon, rest = text.partition('://')
    if not colon:
        # http:/host:port would otherwise be the path of a host named http
        if re.match(r'[a-z0-9]+:/', text, re.IGNORECASE):
            raise _unreadable(what)
        return 'http', text
    scheme = scheme.lower()
    if scheme == 'socks':
        scheme = 'socks5h'
    if scheme not in PORTS:
        raise InvalidProtocol(
            f'Invalid protocol: {scheme[:20]!r}: {what} knows {", ".join(PORTS)}; give the proxy as http://host:port'
        )
    return scheme, rest


def _read(what: str, rest: str) -> Uri:
    try:
        uri = uris.parse(f'http://{rest}')
    except (InvalidURI, InvalidProtocol):
        if _CONTROL.search(rest):
            raise OptionsError(
                f'{what} may not hold control characters, percent-encoded ones included (RFC 7617 2); take them out'
            ) from None
        # the text may hold a password in a place where no parser finds it
        raise _unreadable(what) from None
    if uri.socket_path is None and (uri.target != '/' or uri.hash):
        raise InvalidURI(
            f"{what} may end with its port, but goes on; if that is part of a password, write its '/' as %2F, '?' as %3F and '#' as %23"
        )
    return uri


def _coerce(what: str, value: Any) -> Uri:
    try:
        return uris.coerce(value)
    except InvalidOptionType:
        raise InvalidOptionType(f'{what} must be a str or a parsed URI, not a {type(value).__name__}') from None
    except (InvalidURI, InvalidProtocol):
        if hasattr(value, 'keys') and not {'http', 'https', 'all'}.isdisjoint(value):
            raise InvalidOptionType(
                f'{what} is one proxy, not a mapping of them; give the one for this request, or set HTTP_PROXY and HTTPS_PROXY'
            ) from None
        raise _unreadable(what) from None


def _unreadable(what: str) -> InvalidURI:
    return InvalidURI(f'{what} is no address of a proxy; {HOW}')


def _of(what: str, scheme: str, uri: Uri) -> Proxy:
    if uri.socket_path is not None:
        raise OptionsError(f'{what} names a unix socket, where no proxy can be; give http://host:port')
    user, password = uri.username, uri.password
    if scheme.startswith('socks'):
        if max(len((part or '').encode()) for part in (user, password)) > MAX_SOCKS_TEXT:
            raise OptionsError(f'{what}: user and password of a SOCKS proxy have at most {MAX_SOCKS_TEXT} bytes')
        if password is not None and scheme.startswith('socks4'):
            raise OptionsError(
                f'{what}: SOCKS 4 knows a user but no password; take the password out, or use socks5h://user:password@host:port'
            )
    elif user is not None and ':' in user:
        raise OptionsError(f'{what}: the user may not hold a colon, which ends it (RFC 7617 2); take it out')
    port = PORTS[scheme] if uri.port is None else uri.effective_port
    if port == 0:
        raise InvalidURI(f'{what} has port 0, which nobody listens at; {HOW}')
    return Proxy(scheme, uri.hostname, port, user, password)


def variable(proxy: Proxy) -> str | None:
    """The environment variable that names this proxy, None where none does."""
    for name in VARIABLES:
        try:
            if parse(name, os.environ.get(name, '').strip(), 'environment variable') == proxy:
                return name
        except RequestError:
            continue
    return None
