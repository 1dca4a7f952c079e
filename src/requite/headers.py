"""Header fields: what a field may be made of, and how received ones are looked up.

Sources: RFC 9110 5.1 and 5.5 (names, values), RFC 9110 5.3 (joining), and Node's ``IncomingMessage.headers`` for which fields
are joined, kept single or kept as a list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Iterable

    Fields = Iterable[tuple[str, str]]

FieldValue = Union[str, 'list[str]']

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110 5.6.2: the characters of a method and of a field name."""

FIELD_VALUE = re.compile(r'[\t\x20-\x7e\x80-\xff]*')
"""What a field value may hold on the wire: visible ASCII, space, tab and obs-text (latin-1), never another control character."""

SINGLE = frozenset(
    (
        'age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since '
        'last-modified location max-forwards proxy-authorization referer retry-after server user-agent'
    ).split()
)
"""Fields of which Node keeps the first one when a message repeats them."""


class Headers(dict[str, FieldValue]):
    """Received header fields by lower-cased name; looking one up ignores case.

    Repeated fields are joined with ``', '`` (``cookie`` with ``'; '``), fields that may stand only once keep the first, and
    ``set-cookie`` is always a list, all as in Node.
    """

    __slots__ = ()

    def __missing__(self, name: str) -> FieldValue:
        lowered = name.lower()
        if lowered == name:
            raise KeyError(name)
        return self[lowered]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and dict.__contains__(self, name.lower())

    def get(self, name: str, default: FieldValue | None = None) -> FieldValue | None:  # type: ignore[override]
        """The value of ``name`` in any letter case, or ``default``."""
        return dict.get(self, name.lower(), default)

    def has(self, name: str) -> str | bool:
        """The stored (lower-cased) name if the field is there, else False: Node's ``caseless.has``."""
        lowered = name.lower()
        return lowered if dict.__contains__(self, lowered) else False


def join(fields: Fields) -> Headers:
    """Received ``(name, value)`` pairs as ``Headers``, by Node's rules for repeated fields."""
    headers = Headers()
    for name, value in fields:
        lowered = name.lower()
        if lowered == 'set-cookie':
            headers.setdefault(lowered, []).append(value)  # type: ignore[union-attr]
        elif not dict.__contains__(headers, lowered):
            dict.__setitem__(headers, lowered, value)
        elif lowered not in SINGLE:
            glue = '; ' if lowered == 'cookie' else ', '
            dict.__setitem__(headers, lowered, f'{dict.__getitem__(headers, lowered)}{glue}{value}')
    return headers
