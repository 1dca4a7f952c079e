"""The address of a proxy as a value: where it is, how it is spoken to, and who we are to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite.errors import InvalidOptionType, InvalidProtocol, InvalidURI, OptionsError
from requite.routes import Proxy
from requite.wire import uri as uris

if TYPE_CHECKING:
    from requite.wire.uri import Uri

PORTS = {'http': 80, 'https': 443, 'socks4': 1080, 'socks4a': 1080, 'socks5': 1080, 'socks5h': 1080}
"""The schemes that a proxy may have, and the port where none is written."""
MAX_SOCKS_TEXT = 255
"""RFC 1928 and 1929: lengths of names are one byte (SECURITY X4)."""


def parse(name: str, value: Any) -> Proxy | None:
    """The proxy that a text or a parsed URI names; None for none (``None``, ``False`` and ``''``, as in Node).

    ``host:port`` without a scheme means http, as everywhere else (Node refuses it: mended). ``name`` is the option or variable that errors name.
    """
    if value is None or value is False or value == '':
        return None
    if isinstance(value, Proxy):
        return value
    if isinstance(value, str):
        scheme, rest = _split(name, value.strip())
        uri = _uri(name, f'http://{rest}')
    elif isinstance(value, (bool, int, float, bytes, list, tuple)) and not hasattr(value, 'scheme'):
        raise InvalidOptionType(f'option {name!r} must be a str or a parsed URI, not a {type(value).__name__}')
    else:
        uri = _uri(name, value)
        scheme = uri.scheme
    return _of(name, scheme, uri)


def _split(name: str, text: str) -> tuple[str, str]:
    scheme, colon, rest = text.partition('://')
    if not colon:
        return 'http', text
    scheme = scheme.lower()
    if scheme == 'socks':
        scheme = 'socks5h'
    if scheme not in PORTS:
        raise InvalidProtocol(
            f'Invalid protocol: {scheme[:20]!r}: option {name!r} knows {", ".join(PORTS)}; give the proxy as http://host:port'
        )
    return scheme, rest


def _uri(name: str, value: Any) -> Uri:
    try:
        return uris.parse(value) if isinstance(value, str) else uris.coerce(value)
    except (InvalidURI, InvalidProtocol):
        # the text may hold a password in a place where no parser finds it
        raise InvalidURI(
            f'option {name!r} is no address of a proxy; give it as http://host:port or http://user:password@host:port'
        ) from None


def _of(name: str, scheme: str, uri: Uri) -> Proxy:
    if uri.socket_path is not None:
        raise OptionsError(f'option {name!r} names a unix socket, where no proxy can be; give http://host:port')
    user, password = uri.username, uri.password
    for part, what in ((user, 'user'), (password, 'password')):
        if part is not None and any(ord(char) < 32 or ord(char) == 127 for char in part):
            raise OptionsError(
                f'option {name!r}: its {what} may not hold control characters (RFC 7617 2); take them out'
            )
    if scheme.startswith('socks'):
        if max(len((part or '').encode()) for part in (user, password)) > MAX_SOCKS_TEXT:
            raise OptionsError(
                f'option {name!r}: user and password of a SOCKS proxy have at most {MAX_SOCKS_TEXT} bytes'
            )
    elif user is not None and ':' in user:
        raise OptionsError(f'option {name!r}: user may not hold a colon, which ends it (RFC 7617 2); take it out')
    port = PORTS[scheme] if uri.port is None else uri.effective_port
    return Proxy(scheme, uri.hostname, port, user, password)
