"""Which header fields travel on when a message is handed from one connection to another (RFC 9110 7.6.1, SECURITY X5).

Everything that belongs to one connection stays with it: the fields listed here, those that Connection names, and the two that frame the content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from requite import fields
from requite.errors import InvalidBody

if TYPE_CHECKING:
    from collections.abc import Iterable

    Pairs = Iterable[tuple[str, str]]

HOP_BY_HOP = frozenset(
    'connection keep-alive proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection te trailer trailers '
    'transfer-encoding upgrade http2-settings'.split()
)
FRAMING = frozenset(('content-length', 'transfer-encoding'))
"""Never handed on as they came: whoever sends the content frames it anew, so that there are never both."""

NOT_OF_REQUESTS = frozenset(('host', 'expect'))
"""Host is that of the new target; 100-continue was promised by whoever received the request."""

OF_CODED_CONTENT = frozenset('content-encoding content-length content-md5 content-digest'.split())
"""What is not true any more of content whose coding was undone."""


def end_to_end(pairs: Pairs, without: frozenset[str] = FRAMING) -> list[tuple[str, str]]:
    """The fields that may travel on, in their order, none of ``without`` among them.

    Raises ``OptionsError`` for a name or a value that could end the line it stands on (CR, LF, NUL and other control characters).
    """
    given = list(pairs)
    named = {
        option.strip().lower()
        for name, value in given
        if name.lower() in ('connection', 'proxy-connection')
        for option in value.split(',')
    }
    kept = []
    for name, value in given:
        lowered = name.lower()
        if lowered in HOP_BY_HOP or lowered in named or lowered in without:
            continue
        line = fields.header_value('headers', fields.header_name('headers', name), value)
        kept.append((name, str(line)))
    return kept


def content_length(pairs: Pairs) -> int | None:
    """How much content a request announces: a number of bytes, None for chunked. Raises ``InvalidBody`` for framing that can be read in two ways
    (RFC 9112 6.1 and 6.3, SECURITY X5): both fields at once, lengths that differ, or another transfer coding.
    """
    lengths: set[str] = set()
    codings = []
    for name, value in pairs:
        lowered = name.lower()
        if lowered == 'content-length':
            lengths.update(part.strip(' \t') for part in value.split(','))
        elif lowered == 'transfer-encoding':
            codings.append(value.strip(' \t').lower())
    if codings and (lengths or codings != ['chunked']):
        raise InvalidBody(
            'the incoming request has a transfer-encoding besides content-length, or another one than chunked: it is refused, answer 400'
        )
    if codings:
        return None
    if not lengths:
        return 0
    text = lengths.pop()
    if lengths or not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidBody('the incoming request has no single number as its content-length: it is refused, answer 400')
    return int(text)
