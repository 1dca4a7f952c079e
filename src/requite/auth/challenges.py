"""What WWW-Authenticate says (RFC 9110 11.6.1), and Authentication-Info, whose syntax is the same without a scheme.

One pass from left to right; each step either moves on or ends the reading, so that time grows with the length of the field only (SECURITY P1). A field may
hold several challenges, and a message several fields: both are the same list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

BLANKS = re.compile(r'[ \t]*')
SEPARATORS = re.compile(r'[ \t,]*')
SCHEME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110 11.1: auth-scheme = token."""

TOKEN68 = re.compile(r'([A-Za-z0-9\-._~+/]+=*)[ \t]*(?=,|\Z)')
"""RFC 9110 11.2."""

PARAMETER = re.compile(
    r"""([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*(?:"([^"\\\x00-\x08\x0a-\x1f\x7f\u0100-\U0010ffff]*(?:\\[\t\x20-\x7e\x80-\xff]"""
    r"""[^"\\\x00-\x08\x0a-\x1f\x7f\u0100-\U0010ffff]*)*)"|([!#-+\--\[\]-~\x80-\xff]+))"""
)
"""RFC 9110 11.2: auth-param, with blanks around ``=``. A value without quotes may hold more than a token does: servers write paths and nonces so."""

MOST = 100
"""Challenges of one field; of more than anybody means none is sound."""

ESCAPED = re.compile(r'\\(.)', re.DOTALL)


class Challenge(NamedTuple):
    """One challenge: its scheme and the names of its parameters in lower case, the values as they are meant (without quotes and escapes).

    ``sound`` is False where its field cannot be read to the end, or a parameter comes twice: such a challenge is never answered, since what is missing
    may be what protects the caller (``qop`` is).
    """

    scheme: str
    parameters: dict[str, str]
    sound: bool = True


def challenges(fields: Iterable[tuple[str, str]]) -> list[Challenge]:
    """Every challenge of a reply's ``(name, value)`` fields, in order; none of a field that cannot be read to its end is sound."""
    return [challenge for name, value in fields if name.lower() == 'www-authenticate' for challenge in parse(value)]


def parse(text: str) -> list[Challenge]:
    """The challenges of one WWW-Authenticate field."""
    found: list[Challenge] = []
    position = _after(SEPARATORS, text, 0)
    while position < len(text):
        scheme = SCHEME.match(text, position)
        if scheme is None or len(found) == MOST:
            return _unsound(found)
        parameters, position, sound = _content(text, scheme.end())
        found.append(Challenge(scheme[0].lower(), parameters))
        if not sound:
            return _unsound(found)
    return found


def _unsound(found: list[Challenge]) -> list[Challenge]:
    return [challenge._replace(sound=False) for challenge in found]


def information(text: str) -> dict[str, str] | None:
    """The parameters of Authentication-Info (RFC 7615 3); None where they cannot be read."""
    parameters, position, sound = _parameters(text, _after(SEPARATORS, text, 0))
    return parameters if sound and position == len(text) else None


def quoted(value: str) -> str:
    """A value as a quoted-string from which nothing can break out (RFC 9110 5.6.4, SECURITY A2)."""
    return '"' + value.replace('\\', '\\\\').replace('"', '\\"') + '"'


def _content(text: str, position: int) -> tuple[dict[str, str], int, bool]:
    """What follows a scheme: its parameters, where the next challenge begins, and whether all could be read. A token68 is passed over."""
    start = _after(BLANKS, text, position)
    if start == len(text) or text[start] == ',':
        return {}, _after(SEPARATORS, text, start), True
    if start == position:
        return {}, position, False
    single = TOKEN68.match(text, start)
    if single is not None:
        return {}, _after(SEPARATORS, text, single.end()), True
    parameters, end, sound = _parameters(text, start)
    return parameters, end, sound and end > start


def _parameters(text: str, position: int) -> tuple[dict[str, str], int, bool]:
    found: dict[str, str] = {}
    while (pair := PARAMETER.match(text, position)) is not None:
        name, inner, bare = pair.groups()
        name = name.lower()
        if name in found:
            return found, position, False
        found[name] = bare if inner is None else ESCAPED.sub(r'\1', inner)
        end = _after(BLANKS, text, pair.end())
        position = _after(SEPARATORS, text, end)
        if position < len(text) and text[end] != ',':
            return found, position, False
    return found, position, True


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return position if found is None else found.end()
