"""Whose cookies are whose: matching of domains and paths (RFC 6265bis 5.1.3, 5.1.4) and public suffixes (SECURITY C1, C2).

Hosts are given as :mod:`requite.wire.uri` writes them: lower case, ASCII, an IPv6 address without brackets, ``unix:/path`` for a socket.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from requite.wire import host as hosts

if TYPE_CHECKING:
    from requite.wire.uri import Uri

_ipv4 = re.compile(hosts.IPV4).fullmatch
_escape = re.compile('%([0-9A-Fa-f]{2})')
_UNRESERVED = frozenset('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~')


def host_of(uri: Uri) -> str:
    """The host that the cookies of a URI belong to; every UNIX socket is a host of its own (Node: all of them are ``unix``)."""
    return uri.origin[1]


def is_address(host: str) -> bool:
    """Whether a host is no name: an IPv4 or IPv6 address, or a UNIX socket. It has no parents then, and no Domain but itself."""
    return ':' in host or _ipv4(host) is not None


def canonical(domain: str) -> str | None:
    """A Domain attribute as hosts are written; None where it can be no host.

    One leading dot is dropped, as RFC 6265bis 5.6.3 asks. An address may stand in brackets.
    """
    domain = domain.removeprefix('.').lower()
    if domain.isascii():
        return domain.removeprefix('[').removesuffix(']') or None
    try:
        return hosts.normalise(domain)
    except ValueError:
        return None


def domain_match(host: str, domain: str) -> bool:
    """Whether a host is a domain, or a name below it (RFC 6265bis 5.1.3)."""
    return host == domain or (host.endswith('.' + domain) and not is_address(host))


@lru_cache(maxsize=1024)
def above(host: str) -> tuple[str, ...]:
    """A host and every domain above it that can have cookies for it, the host first: where to look for its cookies.

    Single labels are left out but for ``localhost``: they are public suffixes, for which no cookie is kept.
    """
    if is_address(host):
        return (host,)
    labels = host.split('.')
    parents = ['.'.join(labels[start:]) for start in range(1, len(labels))]
    return (host, *(name for name in parents if '.' in name.rstrip('.') or name.rstrip('.') == 'localhost'))


def default_path(path: str) -> str:
    """The path of a cookie that names none: the request's, up to its last slash (RFC 6265bis 5.1.4)."""
    cut = path.rfind('/')
    return '/' if cut <= 0 else path[:cut]


def path_match(path: str, cookie_path: str) -> bool:
    """Whether a request's path is the cookie's, or lies below it (RFC 6265bis 5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return len(path) == len(cookie_path) or cookie_path[-1:] == '/' or path[len(cookie_path)] == '/'


def spellings(path: str) -> tuple[str, ...]:
    """The path of a request, and the same with ``%6F`` written ``o``: RFC 3986 6.2.2.2 calls the two equal, so they get the same cookies.

    Escapes of anything but letters, digits and ``-._~`` stay: ``%2F`` is no slash. (tough-cookie knows the first spelling only.)
    """
    if '%' not in path:
        return (path,)
    plain = _escape.sub(_unescape, path)
    return (path,) if plain == path else (path, plain)


def _unescape(found: re.Match[str]) -> str:
    char = chr(int(found[1], 16))
    return char if char in _UNRESERVED else found[0]


def is_public_suffix(domain: str) -> bool:
    """Whether names directly below a domain belong to different people: ``com``, ``co.uk``, ``github.io``, and any single label nobody has listed.

    Addresses and ``localhost`` are not. A trailing dot does not count (curl CVE-2022-27779).
    """
    name = domain.rstrip('.')
    if name == 'localhost' or is_address(name):
        return False
    return not name or _registrable(name) is None


def registrable(domain: str | None) -> str | None:
    """The domain that somebody registered: a public suffix and one label; None for a public suffix itself or for what is no name."""
    if not domain or domain.startswith('.') or is_address(domain):
        return None
    try:
        name = hosts.normalise(domain)
    except ValueError:
        return None
    return _registrable(name.rstrip('.'))


@lru_cache(maxsize=1024)
def _registrable(name: str) -> str | None:
    found: str | None = _suffixes().privatesuffix(name)
    return found


@lru_cache(maxsize=1)
def _suffixes() -> Any:
    # 30 ms to load: only a cookie with a Domain attribute needs it.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=False)
