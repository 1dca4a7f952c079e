"""AWS signature version 4: HMAC-SHA256 over a canonical form of the request (AWS's "Create a signed AWS API request"), in Authorization or in the query.

What is sent has the spelling that is signed: the query always, the path where it is the key of an object. So servers that sign what they received as
it is, and servers that unescape and escape it first, both come to the same signature.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from time import gmtime, strftime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from requite.auth import awshosts
from requite.errors import InvalidBody, OptionsError
from requite.message import BytesBody
from requite.wire.urivalue import moved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requite.auth.aws import Identity
    from requite.message import Draft
    from requite.options import Options
    from requite.protocols import Body, Clock
    from requite.wire.uri import Uri

    Fields = Mapping[str, tuple[str, Any]]

ALGORITHM = 'AWS4-HMAC-SHA256'
UNSIGNED = 'UNSIGNED-PAYLOAD'
EMPTY = hashlib.sha256().hexdigest()
END = 'aws4_request'
MAX_KEYS = 16
"""How many keys derived from the secret a signer remembers: one a day, region and service."""

NOT_SIGNED = frozenset(
    (
        'authorization connection expect keep-alive presigned-expires proxy-authorization proxy-connection range te trailer transfer-encoding upgrade '
        'user-agent x-amzn-trace-id'
    ).split()
)
"""Fields that proxies change, and those that Node leaves out. Every other one is signed."""

PROOF = frozenset(
    'X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-Security-Token X-Amz-SignedHeaders X-Amz-Signature'.split()
)
"""What a signature in the query consists of."""

_STAMP = re.compile(r'\d{8}T\d{6}Z')
_PLAIN_PATH = re.compile(r'[A-Za-z0-9_.~/-]*')
_PLAIN_QUERY = re.compile(r'(?:[A-Za-z0-9_.~-]+(?:=[A-Za-z0-9_.~-]*)?(?:&|\Z))*')
_BLANKS = re.compile(r'\s+')


class Version4:
    """Signs with version 4. ``service`` and ``region`` None are read from the Host that is sent; ``lifetime`` is how many seconds a signature in the query is good for, None where Authorization holds it."""

    field = 'authorization'

    def __init__(self, who: Identity, service: str | None, region: str | None, lifetime: int | None = None) -> None:
        self._who = who
        self._service = service
        self._region = region
        self._lifetime = lifetime
        self._keys: dict[tuple[str, str, str], bytes] = {}

    def __repr__(self) -> str:
        return '<aws version 4>'

    def sign(self, draft: Draft, clock: Clock) -> None:
        """Sets Authorization, ``x-amz-date``, with a session ``x-amz-security-token``, and for S3 ``x-amz-content-sha256``, which Node signs but does not send: mended.

        Those that the caller wrote are kept and signed. Raises ``InvalidBody`` where the hash of a stream would be needed, and ``OptionsError`` for an
        ``x-amz-date`` that is none.
        """
        service, region = self._place(draft.get('host') or '')
        keyed = service in awshosts.S3
        draft.uri = respelled(draft.uri, keyed)
        stamp = _stamp(draft.get('x-amz-date'), clock)
        pinned = draft.get('x-amz-content-sha256')
        if self._lifetime is not None:
            payload = pinned or (UNSIGNED if keyed else hashed(draft.body, draft.uri, keyed))
            draft.fields.pop('authorization', None)  # of a user in the address; AWS refuses two proofs
            draft.uri = self._in_query(draft.method, draft.uri, draft.fields, payload, (stamp, region, service))
            return
        payload = pinned or hashed(draft.body, draft.uri, keyed)
        draft.default('x-amz-date', stamp)
        if self._who.session is not None:
            draft.default('x-amz-security-token', self._who.session)
        if keyed:
            draft.default('x-amz-content-sha256', payload)
        names, canonical = canonical_request(draft.method, draft.target, draft.fields, payload, keyed)
        proof = self._signature(stamp, region, service, canonical)
        credential = f'{self._who.key}/{scope(stamp, region, service)}'
        draft.set('authorization', f'{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={proof}')

    def settle(self, options: Options, body: Body | None) -> None:
        """Raises ``InvalidBody`` at the call, where it is known already that the hash of a stream would be needed."""
        if body is None or body.replayable or getattr(body, 'pending', False):
            return
        keyed = self._service in awshosts.S3
        needed = self._service is not None and not keyed
        if self._lifetime is None:
            address = options.base_url or options.uri or options.url
            needed = needed or (isinstance(address, str) and address[:5].lower() == 'http:')
        if needed and options.headers.get('x-amz-content-sha256', ('', None))[1] is None:
            raise _unhashable(keyed)

    def presigned(self, method: str, uri: Uri, fields: Mapping[str, Any], clock: Clock) -> Uri:
        """The address with a signature in its query, for a request with these fields and Host; its payload is not signed for S3, and empty elsewhere."""
        service, region = self._place(uri.host_field)
        keyed = service in awshosts.S3
        sent = {'host': ('host', uri.host_field), **{name: (name, value) for name, value in fields.items()}}
        payload = fields.get('x-amz-content-sha256') or (UNSIGNED if keyed else EMPTY)
        place = (_stamp(None, clock), region, service)
        return self._in_query(method, respelled(uri, keyed), sent, payload, place)

    def _in_query(self, method: str, uri: Uri, fields: Fields, payload: str, place: tuple[str, str, str]) -> Uri:
        stamp, region, service = place
        uri = _unproved(uri)
        names, _ = canonical_fields(fields)
        added = [
            ('X-Amz-Algorithm', ALGORITHM),
            ('X-Amz-Credential', f'{self._who.key}/{scope(stamp, region, service)}'),
            ('X-Amz-Date', stamp),
            ('X-Amz-Expires', str(self._lifetime)),
            *([('X-Amz-Security-Token', self._who.session)] if self._who.session is not None else []),
            ('X-Amz-SignedHeaders', names),
        ]
        query = '&'.join(f'{name}={quote(value, safe="")}' for name, value in added)
        unsigned = f'{uri.target}{"&" if uri.query else "?"}{query}'
        _, canonical = canonical_request(method, unsigned, fields, payload, service in awshosts.S3)
        proof = self._signature(stamp, region, service, canonical)
        return moved(uri, f'{unsigned}&X-Amz-Signature={proof}', uri.hash)

    def _place(self, host: str) -> tuple[str, str]:
        if self._service is not None and self._region is not None:
            return self._service, self._region
        service, region = awshosts.place(host.rpartition(':')[0] if host[-1:].isdigit() and ':' in host else host)
        return self._service or service, self._region or region

    def _signature(self, stamp: str, region: str, service: str, canonical: str) -> str:
        date = stamp[:8]
        key = self._keys.get((date, region, service))
        if key is None:
            key = signing_key(self._who.secret, date, region, service)
            if len(self._keys) >= MAX_KEYS:
                self._keys.clear()
            self._keys[date, region, service] = key
        return signature(key, string_to_sign(stamp, scope(stamp, region, service), canonical))


def scope(stamp: str, region: str, service: str) -> str:
    """What a key is good for: a day, a region, a service."""
    return f'{stamp[:8]}/{region}/{service}/{END}'


def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key for one scope, which does not give the secret away."""
    key = b'AWS4' + secret.encode()
    for part in (date, region, service, END):
        key = hmac.digest(key, part.encode(), 'sha256')
    return key


def string_to_sign(stamp: str, scope: str, canonical: str) -> str:
    """The text that is signed."""
    return f'{ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}'


def signature(key: bytes, text: str) -> str:
    """HMAC-SHA256 in hexadecimal digits."""
    return hmac.digest(key, text.encode(), 'sha256').hex()


def canonical_request(method: str, target: str, fields: Fields, payload: str, keyed: bool) -> tuple[str, str]:
    """The names of the fields that are signed, and the canonical form of a request whose target is spelled as ``respelled`` does.

    ``keyed`` says that the path is the key of an object. ``payload`` is the hash of the content or a word in its place.
    """
    path, _, query = target.partition('?')
    names, lines = canonical_fields(fields)
    path = path or '/' if keyed else canonical_path(path)
    return names, f'{method}\n{path}\n{canonical_query(query)}\n{lines}\n{names}\n{payload}'


def canonical_fields(fields: Fields) -> tuple[str, str]:
    """The names that are signed, and their lines: sorted by name, blanks as one, values of one name joined in their order."""
    names = sorted(name for name in fields if name not in NOT_SIGNED)
    lines = []
    for name in names:
        value = fields[name][1]
        if not isinstance(value, str):
            value = ','.join(_trimmed(line) for line in value)
        lines.append(f'{name}:{_trimmed(value)}\n')
    return ';'.join(names), ''.join(lines)


def _trimmed(value: str) -> str:
    return _BLANKS.sub(' ', value.strip()) if ' ' in value or not value.isprintable() else value


def canonical_path(path: str) -> str:
    """The path of a service other than S3: dot segments and doubled slashes resolved, then escaped once more than it is sent."""
    if '//' in path or '/.' in path:
        kept: list[str] = []
        for piece in path.split('/'):
            if piece == '..':
                kept[-1:] = []
            elif piece not in ('', '.'):
                kept.append(piece)
        path = '/' + '/'.join(kept) + ('/' if kept and path.endswith('/') else '')
    return quote(path, safe='/~') or '/'


def canonical_query(query: str) -> str:
    """The pieces of a query that is spelled as ``respelled_query`` does, sorted by name and then value, each with its ``=``."""
    if '&' not in query:
        return query if '=' in query or not query else query + '='
    pairs = sorted(piece.partition('=')[::2] for piece in query.split('&'))
    return '&'.join(f'{name}={value}' for name, value in pairs)


def respelled(uri: Uri, keyed: bool) -> Uri:
    """The same resource in the one spelling that is signed: everything but letters, digits and ``-._~`` is percent-encoded in the query (a ``+`` there is a blank, as forms mean it), and in the path that is the key of an object (slashes stay; a ``+`` there is a plus; Node takes it for a blank: mended)."""
    path, mark, query = uri.target.partition('?')
    if keyed and _PLAIN_PATH.fullmatch(path) is None:
        path = quote_from_bytes(unquote_to_bytes(path), safe='/~')
    if query:
        query = respelled_query(query)
    target = f'{path}{mark if query else ""}{query}'
    return uri if target == uri.target else moved(uri, target, uri.hash)


def _unproved(uri: Uri) -> Uri:
    """The same without a proof of before: some servers redirect to an address with all of the query that they were asked with."""
    path, _, query = uri.target.partition('?')
    if 'X-Amz-' not in query:
        return uri
    query = '&'.join(piece for piece in query.split('&') if piece.partition('=')[0] not in PROOF)
    return moved(uri, f'{path}{"?" if query else ""}{query}', uri.hash)


def respelled_query(query: str) -> str:
    """The pieces of a query in their order and one spelling, empty ones left out."""
    if _PLAIN_QUERY.fullmatch(query):
        return query.removesuffix('&')
    pieces = []
    for piece in query.split('&'):
        if piece:
            name, mark, value = piece.partition('=')
            pieces.append(_escaped(name) + mark + _escaped(value))
    return '&'.join(pieces)


def _escaped(text: str) -> str:
    return quote_from_bytes(unquote_to_bytes(text.replace('+', ' ')), safe='~')


def hashed(body: Body | None, uri: Uri, keyed: bool) -> str:
    """The SHA-256 of the content. Of a stream to S3 over https it is the word that says there is none.

    A file is a stream there, and is read twice elsewhere. Raises ``InvalidBody`` for content that can be read only once and must be hashed.
    """
    if body is None:
        return EMPTY
    if isinstance(body, BytesBody):
        return hashlib.sha256(body.data).hexdigest()
    if keyed and uri.scheme == 'https':
        return UNSIGNED
    if not body.replayable:
        raise _unhashable(keyed)
    digest = hashlib.sha256()
    for piece in body.chunks():
        digest.update(piece)
    return digest.hexdigest()


def _unhashable(keyed: bool) -> InvalidBody:
    fix = 'https, where none is needed' if keyed else 'the header x-amz-content-sha256, and say it yourself'
    return InvalidBody(
        "option 'aws': version 4 signs the hash of the content, and this content is a stream that can be read only once; "
        f'give bytes, a file or a list, or use {fix}'
    )


def _stamp(given: str | None, clock: Clock) -> str:
    if given is None:
        return strftime('%Y%m%dT%H%M%SZ', gmtime(clock.now()))
    if _STAMP.fullmatch(given) is None:
        raise OptionsError(
            "option 'headers': x-amz-date must be like '20150830T123600Z' to be signed; leave it out to have it set"
        )
    return given
