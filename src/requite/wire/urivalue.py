"""The one URI value of the library: what is asked for, from whom, and how both are written on the wire.

Request line, Host header, pools, the scope of credentials, cookies, proxies and redirects all read the same :class:`Uri`; nothing else
parses a URI (SECURITY R11). Import it from :mod:`requite.wire.uri`. The grammar is in :mod:`requite.wire.uriparse`, hosts are in
:mod:`requite.wire.host`, references, bases and hand-made parts in :mod:`requite.wire.urijoin`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from requite.errors import InvalidURI
from requite.redaction import link as without_proofs
from requite.wire import uriparse
from requite.wire.host import IPV4, MAX_NAME, PLAIN_NAME
from requite.wire.uriparse import KEPT, PORTS, foreign, invalid

if TYPE_CHECKING:
    from requite.wire.uriparse import Site, Userinfo

_CACHE: dict[str, Uri] = {}
_CACHE_ENTRIES = 512
_CACHE_LONGEST = 2048  # characters; longer URIs are parsed every time, so the cache stays below a few megabytes
_plain = re.compile(
    rf'(https?)://({PLAIN_NAME}|{IPV4})(?::([0-9]{{1,5}}))?((?:/[{KEPT}]*)?(?:\?[{KEPT}?]*)?)(#[{KEPT}?#]*)?'
).fullmatch

_safe_query = re.compile(rf'[{KEPT}?]+').fullmatch
_put = object.__setattr__


class Uri:
    """An absolute http or https URI, cut into pieces once; immutable, hashable, equal where its ``href`` is equal.

    ``scheme`` 'http' or 'https'; ``hostname`` without brackets; ``host`` with brackets and the port if one is written; ``port`` that port as text or
    None; ``effective_port`` the number to connect to; ``origin`` (scheme, hostname, effective port), where a UNIX socket has ``unix:`` and its path
    for hostname, so that no two sockets share credentials; ``target`` the origin-form request target, visible ASCII, without fragment (RFC 9112 3.2.1);
    ``host_field`` the value of Host, without the default port; ``username`` and ``password`` percent-decoded once, or None; ``socket_path`` of
    ``http://unix:/path/to.sock:/target`` or None; ``hash`` the fragment with its ``#`` or None; ``href`` all of it, as :func:`parse` takes it back.

    The names ``protocol slashes auth host port hostname hash search query pathname path href`` are those of Node's legacy ``url.parse``.
    ``str()`` and ``href`` hold the password, ``repr()`` and :meth:`redacted` do not.
    """

    __slots__ = (
        'effective_port',
        'hash',
        'host',
        'host_field',
        'hostname',
        'href',
        'origin',
        'password',
        'port',
        'scheme',
        'socket_path',
        'target',
        'username',
    )

    scheme: str
    hostname: str
    host: str
    port: str | None
    effective_port: int
    origin: tuple[str, str, int]
    target: str
    host_field: str
    username: str | None
    password: str | None
    socket_path: str | None
    hash: str | None
    href: str

    def __new__(cls, text: str) -> Uri:  # noqa: PYI034 -- what is in the cache is of this class, never of a subclass
        """Parse a text: ``Uri(text)`` is :func:`parse`."""
        return parse(text)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f'a Uri does not change (set {name!r}): make another one')

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f'a Uri does not change (delete {name!r}): make another one')

    def __eq__(self, other: object) -> bool:
        return self.href == other.href if isinstance(other, Uri) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.href)

    def __reduce__(self) -> tuple[Any, ...]:
        return parse, (self.href,)

    def __str__(self) -> str:
        return self.href

    def __repr__(self) -> str:
        return f'<Uri {self.redacted()}>'

    @property
    def protocol(self) -> str:
        """The scheme with its colon, as Node has it."""
        return self.scheme + ':'

    @property
    def slashes(self) -> bool:
        """Always True: an http URI has ``//`` after its scheme."""
        return True

    @property
    def auth(self) -> str | None:
        """User and password as ``'user:password'``, decoded, or None."""
        if self.username is None or self.password is None:
            return self.username
        return f'{self.username}:{self.password}'

    @property
    def path(self) -> str:
        """Path and query: the request target."""
        return self.target

    @property
    def pathname(self) -> str:
        """The path alone."""
        return self.target.partition('?')[0]

    @property
    def search(self) -> str | None:
        """The query with its ``?``, or None."""
        _, mark, query = self.target.partition('?')
        return mark + query or None

    @property
    def query(self) -> str | None:
        """The query without its ``?``, or None."""
        _, mark, query = self.target.partition('?')
        return query if mark else None

    @property
    def referer(self) -> str:
        """What a Referer header may say: no userinfo, no fragment (RFC 9110 10.1.3; Node sends both: mended, SECURITY R5)."""
        return f'{self.scheme}://{self.host}{self.target}'

    def redacted(self) -> str:
        """Write the URI for errors, logs and reprs: ``***`` for user and password, and for parameters that prove who asks (SECURITY Q9)."""
        text = self.href if self.username is None else _href(self, '***@')
        return without_proofs(text) if '=' in text else text

    def without_userinfo(self) -> Uri:
        """Give the same URI without user and password."""
        return self if self.username is None else _derived(self, None, self.target, self.hash)

    def without_fragment(self) -> Uri:
        """Give the same URI without its fragment."""
        return self if self.hash is None else _derived(self, _userinfo(self), self.target, None)

    def with_query(self, query: str) -> Uri:
        """Give the same URI with another query ('' for none); the fragment stays behind it (Node puts the query into the fragment: mended).

        Takes the query without its ``?``; a ``#`` in it is escaped. Raises InvalidURI for control characters.
        """
        if self.username is None and self.socket_path is None and _safe_query(query):
            return _with_target(self, f'{self.target.partition("?")[0]}?{query}')
        try:
            uriparse.refuse_controls(query)
            text = uriparse.escape(query).replace('#', '%23')
        except ValueError as reason:
            raise invalid(query, str(reason)) from None
        return _derived(self, _userinfo(self), self.pathname + '?' + text if text else self.pathname, self.hash)

    def to_json(self, default_port: bool = True) -> dict[str, Any]:
        """Give the fields of Node's ``response.request.toJSON().uri``, user and password included.

        Node fills in the default port as a number while it sets a request up, and loses it where the ``qs`` option rewrites the URI: say False then.
        For UNIX sockets everything is as odd as in Node (the socket for host, the query within ``pathname``, no colon after ``unix``).
        """
        port: str | int | None = self.effective_port if self.port is None and default_port else self.port
        fields: dict[str, Any] = {'protocol': self.protocol, 'slashes': True, 'auth': self.auth, 'host': self.host}
        fields |= {'port': port, 'hostname': self.hostname, 'hash': self.hash, 'search': self.search}
        fields |= {'query': self.query, 'pathname': self.pathname, 'path': self.target, 'href': self.href}
        if self.socket_path is not None:
            fields |= {'host': self.socket_path, 'hostname': self.socket_path, 'pathname': self.target, 'isUnix': True}
            socket = uriparse.join_socket(self.socket_path)
            fields['href'] = self.href.replace(f'unix:{socket}', f'unix{socket}', 1)
        return fields


def parse(text: str) -> Uri:
    """Read an absolute http or https URI, or ``http://unix:/path/to.sock:/target``.

    Blanks around it are trimmed; what Node escapes, and all that is not ASCII, is escaped; escapes and dot segments stay. Raises InvalidURI for text
    that is no such URI, holds control characters, or may be read as naming another host; InvalidProtocol for another scheme. The same text
    is read once: later calls are a look-up.
    """
    try:
        return _CACHE[text]
    except (KeyError, TypeError):
        uri = _parse(text)
    if len(text) <= _CACHE_LONGEST:
        if len(_CACHE) >= _CACHE_ENTRIES:
            _CACHE.clear()
        _CACHE[text] = uri
    return uri


def _parse(text: str) -> Uri:
    if not isinstance(text, str):
        raise InvalidURI(f'Invalid URI: it must be a str, not {type(text).__name__}')
    found = _plain(text)
    if found is not None:
        scheme, hostname, port, target, fragment = found.groups()
        if (port is None or int(port) <= 65535) and len(hostname) <= MAX_NAME and 'xn--' not in hostname:
            port = None if port is None else str(int(port))
            if not target.startswith('/'):
                target = '/' + target
            return build(scheme, None, (hostname, port, None), target, fragment)
    return _parse_any(text)


def _parse_any(text: str) -> Uri:
    """Read any text, step by step; gives for plain text what the pattern gives."""
    trimmed = text.strip(uriparse.BLANKS)
    scheme, rest = uriparse.split_scheme(trimmed)
    if scheme not in PORTS:
        raise foreign(scheme, rest, trimmed)
    try:
        uriparse.refuse_controls(trimmed)
        uriparse.refuse_ambiguous(trimmed)
        return read(scheme, rest)
    except ValueError as reason:
        raise invalid(trimmed, str(reason)) from None


def read(scheme: str, rest: str) -> Uri:
    """Read what follows a scheme of http or https; raises ValueError with the reason, or with none for a missing host."""
    authority, tail = uriparse.split_authority(rest)
    if authority is None:
        raise ValueError
    userinfo, hostport = uriparse.split_userinfo(authority)
    if hostport.lower() == 'unix:':
        socket_path, tail = uriparse.split_socket(tail)
        target, fragment = uriparse.split_tail(tail)
        return build(scheme, userinfo, ('localhost', None, socket_path), target, fragment)
    target, fragment = uriparse.split_tail(tail)
    return build(scheme, userinfo, (*uriparse.split_port(hostport), None), target, fragment)


def build(scheme: str, userinfo: Userinfo | None, site: Site, target: str, fragment: str | None) -> Uri:
    """Make the value of pieces that are checked, escaped and in their one spelling; for the modules of this package."""
    uri = object.__new__(Uri)
    hostname, port, socket_path = site
    default = PORTS[scheme]
    name = f'[{hostname}]' if ':' in hostname else hostname
    number = default if port is None else int(port)
    _put(uri, 'scheme', scheme)  # past __setattr__, which refuses
    _put(uri, 'hostname', hostname)
    _put(uri, 'port', port)
    _put(uri, 'host', name if port is None else f'{name}:{port}')
    _put(uri, 'effective_port', number)
    _put(uri, 'origin', (scheme, hostname if socket_path is None else f'unix:{socket_path}', number))
    _put(uri, 'target', target)
    _put(uri, 'host_field', name if number == default else f'{name}:{port}')
    _put(uri, 'username', None if userinfo is None else userinfo[0])
    _put(uri, 'password', None if userinfo is None else userinfo[1])
    _put(uri, 'socket_path', socket_path)
    _put(uri, 'hash', fragment)
    _put(uri, 'href', _href(uri, '' if userinfo is None else uriparse.join_userinfo(userinfo) + '@'))
    return uri


def _with_target(uri: Uri, target: str) -> Uri:
    """The same without userinfo and socket, at a target that is escaped already: every query of every request comes by here."""
    other = object.__new__(Uri)
    for name in _OF_SITE:
        _put(other, name, getattr(uri, name))
    _put(other, 'target', target)
    _put(other, 'href', f'{uri.scheme}://{uri.host}{target}{uri.hash or ""}')
    return other


_OF_SITE = tuple(name for name in Uri.__slots__ if name not in ('target', 'href'))


def _href(uri: Uri, user: str) -> str:
    host = uri.host if uri.socket_path is None else f'unix:{uriparse.join_socket(uri.socket_path)}:'
    return f'{uri.scheme}://{user}{host}{uri.target}{uri.hash or ""}'


def _userinfo(uri: Uri) -> Userinfo | None:
    return None if uri.username is None else (uri.username, uri.password)


def _derived(uri: Uri, userinfo: Userinfo | None, target: str, fragment: str | None) -> Uri:
    return build(uri.scheme, userinfo, (uri.hostname, uri.port, uri.socket_path), target, fragment)


def moved(uri: Uri, target: str, fragment: str | None) -> Uri:
    """Give the same authority with another target and fragment, both already escaped."""
    return _derived(uri, _userinfo(uri), target, fragment)
