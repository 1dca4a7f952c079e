"""AWS signature version 2 of S3: HMAC-SHA1 over method, date, type, ``x-amz-*`` fields and resource (AWS's "Signing and authenticating REST requests")."""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from time import gmtime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from requite.auth import awshosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requite.auth.aws import Identity
    from requite.message import Draft
    from requite.protocols import Clock

SUBRESOURCES = frozenset(
    (
        'accelerate acl analytics cors defaultObjectAcl delete encryption inventory legal-hold lifecycle location logging metrics notification object-lock '
        'ownershipControls partNumber policy policyStatus publicAccessBlock replication requestPayment restore retention select select-type storageClass '
        'tagging torrent uploadId uploads versionId versioning versions website'
    ).split()
)
"""Names in the query that are part of the resource. (Node knows the first thirteen that there were: mended.)"""

OVERRIDES = frozenset(
    'response-content-type response-content-language response-expires response-cache-control response-content-disposition response-content-encoding'.split()
)
"""Names in the query that change fields of the answer; AWS wants them signed, Node leaves them out and is refused: mended."""

DAYS = 'Mon Tue Wed Thu Fri Sat Sun'.split()
MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()


class Version2:
    """Signs with version 2; ``bucket`` is the one that the host stands for, where the path does not begin with it."""

    field = 'authorization'

    def __init__(self, who: Identity, bucket: str | None = None) -> None:
        self._who = who
        self._bucket = bucket

    def __repr__(self) -> str:
        return '<aws version 2>'

    def sign(self, draft: Draft, clock: Clock) -> None:
        """Sets Authorization, and Date where the caller gave neither that nor ``x-amz-date`` (Node writes over the caller's Date: mended).

        The token of a session is sent and signed as ``x-amz-security-token`` (Node leaves it out: mended).
        """
        if self._who.session is not None:
            draft.default('x-amz-security-token', self._who.session)
        date = ''  # what x-amz-date says stands among the fields
        if 'x-amz-date' not in draft.fields:
            if 'date' not in draft.fields:
                draft.set('date', http_date(clock.now()))
            date = draft.get('date') or ''
        bucket = self._bucket
        if bucket is None:
            bucket = awshosts.bucket((draft.get('host') or '').partition(':')[0])
        text = string_to_sign(
            draft.method,
            draft.get('content-md5') or '',
            draft.get('content-type') or '',
            date,
            amazon_fields(draft.fields),
            resource(draft.target, bucket),
        )
        draft.set('authorization', f'AWS {self._who.key}:{signature(self._who.secret, text)}')


def string_to_sign(method: str, md5: str, type: str, date: str, fields: str, resource: str) -> str:
    """The text that is signed; ``fields`` has a line end after each field."""
    return f'{method}\n{md5}\n{type}\n{date}\n{fields}{resource}'


def signature(secret: str, text: str) -> str:
    """HMAC-SHA1 in base64."""
    digest = hmac.digest(secret.encode(), text.encode('utf-8', 'surrogateescape'), 'sha1')
    return b2a_base64(digest, newline=False).decode('ascii')


def amazon_fields(fields: Mapping[str, tuple[str, Any]]) -> str:
    """The ``x-amz-*`` fields, one a line, by name (Node sorts whole lines, so that a longer name may come first: mended); lines of one name joined with a comma."""
    lines = []
    for name in sorted(name for name in fields if name.startswith('x-amz-')):
        value = fields[name][1]
        values = (value,) if isinstance(value, str) else value
        lines.append(f'{name}:{",".join(line.strip() for line in values)}\n')
    return ''.join(lines)


def resource(target: str, bucket: str | None = None) -> str:
    """The resource of a request target: bucket, path as it is sent, and what of the query names a part of it, sorted, its values unescaped.

    (Node escapes the values anew: mended.)
    """
    path, _, query = target.partition('?')
    kept = []
    for piece in query.split('&'):
        name, mark, value = piece.partition('=')
        if name in SUBRESOURCES or name in OVERRIDES:
            kept.append((name, mark + unquote_to_bytes(value).decode('utf-8', 'surrogateescape') if value else ''))
    kept.sort(key=lambda pair: pair[0])
    prefix = f'/{bucket}' if bucket is not None else ''
    return f'{prefix}{path}{"?" if kept else ""}{"&".join(name + value for name, value in kept)}'


def http_date(now: float) -> str:
    """The moment as HTTP writes it (RFC 9110 5.6.7)."""
    t = gmtime(now)
    return f'{DAYS[t.tm_wday]}, {t.tm_mday:02d} {MONTHS[t.tm_mon - 1]} {t.tm_year} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} GMT'
