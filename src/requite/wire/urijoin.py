"""URIs made of more than one text: a reference and its base, ``base_url`` and a path, fields given by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import ParseResult, SplitResult

from requite.errors import InvalidOptionType, InvalidProtocol, InvalidURI
from requite.wire import uriparse
from requite.wire.uriparse import PORTS, foreign, invalid
from requite.wire.urivalue import Uri, build, moved, parse, read

_CRAPPY = 'This can be caused by a crappy redirection.'

_NO_HOST = r'[/?#@\\]'


def resolve(base: Uri, reference: str) -> Uri:
    """Resolve a Location header against the URI that answered (RFC 3986 5.2, RFC 9110 10.2.2).

    Takes the header's value as latin-1 text. The result is always http or https and never names a UNIX socket (SECURITY R6, R7); a reference without
    authority stays where the base is, its socket and userinfo included. The fragment of the base is kept where the reference has none (Node drops
    it: mended). Dot segments are removed, escapes stay, all else is escaped as in :func:`parse`.
    Raises InvalidURI for control characters and whatever :func:`parse` refuses, InvalidProtocol for another scheme; both with Node's words.
    """
    try:
        text = uriparse.clean_reference(reference)
        uriparse.refuse_ambiguous(text)
        scheme, rest = uriparse.split_scheme(text)
        uri = None if scheme is not None and scheme not in PORTS else _resolved(base, scheme, rest)
    except ValueError as reason:
        raise _crappy(reference, str(reason)) from None
    if uri is not None:
        return uri
    error = foreign(scheme, rest, text)
    raise error if isinstance(error, InvalidProtocol) else _crappy(text, '')


def _resolved(base: Uri, scheme: str | None, rest: str) -> Uri:
    if scheme is None and not rest.startswith('//'):
        return _relative(base, rest)
    uri = read(scheme or base.scheme, rest)
    if uri.socket_path is not None:
        raise ValueError('a redirect may not lead to a UNIX socket')
    path, mark, query = uri.target.partition('?')
    return moved(uri, uriparse.remove_dots(path) + mark + query, base.hash if uri.hash is None else uri.hash)


def _relative(base: Uri, text: str) -> Uri:
    """Resolve a reference without scheme and authority (RFC 3986 5.2.2, the inner branches)."""
    front, hash_mark, fragment = text.partition('#')
    path, mark, query = front.partition('?')
    if not front:
        target = base.target
    elif not path:
        target = base.pathname + uriparse.escape(mark + query)
    else:
        if not path.startswith('/'):
            path = base.pathname.rpartition('/')[0] + '/' + path
        target = uriparse.remove_dots(uriparse.escape(path)) + uriparse.escape(mark + query)
    return moved(base, target, uriparse.escape(hash_mark + fragment) if hash_mark else base.hash)


def _crappy(text: str, reason: str) -> InvalidURI:
    return InvalidURI(f'Invalid URI "{uriparse.redact(text)}". {_CRAPPY}{f" ({reason})" if reason else ""}')


def join_base(base: str, uri: str) -> str:
    """Join ``base_url`` and a relative ``uri`` with exactly one slash; '' gives the base as it is.

    A query of the base stays, before that of ``uri``, and ``uri`` may start with ``?`` or ``#`` (Node puts a slash before the one and the path behind
    the other: mended); dot segments stay. Raises InvalidURI, in Node's words, where ``uri`` could name another host (SECURITY R15), that is when it
    starts with ``//`` or has ``://`` before its query (Node: anywhere; mended), or when the base is no URI; InvalidOptionType where one is no text.
    """
    if not isinstance(base, str):
        raise InvalidOptionType('options.baseUrl must be a string')
    if not isinstance(uri, str):
        raise InvalidOptionType('options.uri must be a string when using options.baseUrl')
    path = re.split('[?#]', uri, maxsplit=1)[0]
    if uri.replace('\\', '/').startswith('//') or '://' in path.replace('\\', '/'):
        raise InvalidURI('options.uri must be a path when using options.baseUrl')
    if not uri:
        return base
    try:
        known = parse(base)
    except InvalidURI:
        raise invalid(_slashed(base, path) + uri[len(path) :]) from None
    # A socket's path must end before anything is added to it, and href writes the colon that ends it.
    site, mark, query = (
        (base if known.socket_path is None else known.href).strip(uriparse.BLANKS).partition('#')[0].partition('?')
    )
    tail = uri[len(path) :]
    if mark:
        tail = f'?{query}&{tail[1:]}' if tail.startswith('?') else f'?{query}{tail}'
    return (_slashed(site, path) if path else site) + tail


def _slashed(site: str, path: str) -> str:
    return site.removesuffix('/') + '/' + path.removeprefix('/')


def coerce(value: Any) -> Uri:
    """Make a :class:`Uri` of whatever the ``uri`` option may hold: one, text, ``urllib.parse`` results, or a mapping for :func:`from_parts`.

    Raises InvalidOptionType for anything else, and what :func:`parse` raises.
    """
    if isinstance(value, Uri):
        return value
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, (SplitResult, ParseResult)):
        return parse(value.geturl())
    if isinstance(value, Mapping):
        return from_parts(value)
    raise InvalidOptionType(f'options.uri must be a str, a parsed URI or its parts, not {type(value).__name__}')


def from_parts(parts: Mapping[str, Any]) -> Uri:
    """Make a :class:`Uri` of the fields of Node's ``url.parse``, or of a hand-made ``{'protocol', 'hostname', 'port', 'pathname'}``.

    Taken are ``protocol``; ``hostname`` and ``port`` (text or int), or ``host``; ``path``, or ``pathname`` and ``search`` or ``query``; ``auth`` (decoded)
    and ``hash``. As in Node ``path`` wins over its pieces, and ``href`` says nothing. Raises InvalidProtocol, InvalidURI (also where ``host``
    and ``hostname`` name different hosts: SECURITY R11) and InvalidOptionType.
    """
    protocol = _text(parts, 'protocol')
    scheme = protocol.removesuffix(':').lower()
    if not scheme:
        raise InvalidURI('Invalid URI: its parts lack "protocol" ("http:" or "https:")')
    if scheme not in PORTS:
        raise InvalidProtocol(f'Invalid protocol: {uriparse.redact(scheme)}:')
    try:
        hostname, port = _host(parts, scheme)
        username, colon, password = _text(parts, 'auth').partition(':')
        target, fragment = _target(parts), _text(parts, 'hash')
        for text in (username, password, target, fragment):
            uriparse.refuse_controls(text)
        userinfo = (username, password if colon else None) if username or colon else None
        hashed = uriparse.escape('#' + fragment.removeprefix('#')) if fragment else None
        return build(scheme, userinfo, (hostname, port, None), uriparse.escape(target), hashed)
    except InvalidOptionType:
        raise
    except ValueError as reason:
        raise InvalidURI(f'Invalid URI: {reason} (its parts are protocol, hostname, port, pathname, search)') from None


def _host(parts: Mapping[str, Any], scheme: str) -> tuple[str, str | None]:
    hostname, host = _text(parts, 'hostname'), _text(parts, 'host')
    if re.search(_NO_HOST, hostname + host) or not (hostname or host):
        raise ValueError('hostname is missing or holds what no host may')
    if not hostname:
        return uriparse.split_port(host)
    bracketed = f'[{hostname}]' if ':' in hostname and not hostname.startswith('[') else hostname
    name, port = uriparse.split_port(bracketed)[0], uriparse.normal_port(_text(parts, 'port'))
    if not host:
        return name, port
    written = uriparse.split_port(host)
    # Node's toJSON fills the default port in without writing it into host; both ways name the same origin.
    if written[0] != name or int(written[1] or PORTS[scheme]) != int(port or PORTS[scheme]):
        raise ValueError('host differs from hostname and port')
    return written


def _target(parts: Mapping[str, Any]) -> str:
    target = _text(parts, 'path')
    if not target:
        search = _text(parts, 'search') or _text(parts, 'query')
        target = _text(parts, 'pathname').replace('?', '%3F') + (search and '?' + search.removeprefix('?'))
    target = target.replace('#', '%23')
    return target if target.startswith('/') else '/' + target


def _text(parts: Mapping[str, Any], name: str) -> str:
    value = parts.get(name)
    if name == 'port' and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise InvalidOptionType(f'options.uri.{name} must be a str, not {type(value).__name__}')
    return value or ''
