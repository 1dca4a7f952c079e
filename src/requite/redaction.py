"""What is left out of everything that is shown, logged or saved: credentials in header fields (SECURITY Q9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET = frozenset(
    'authorization proxy-authorization cookie set-cookie authentication-info proxy-authentication-info x-amz-security-token'.split()
)
HIDDEN = '***'


def field(name: str, value: str) -> str:
    """The value of a field as it may be shown: of credentials only the scheme stays (``Basic ***``), of cookies nothing."""
    lowered = name.lower()
    if lowered not in SECRET:
        return value
    scheme, blank, _ = value.partition(' ')
    return f'{scheme} {HIDDEN}' if blank and lowered.endswith('authorization') and scheme.isalnum() else HIDDEN


def fields(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields as they may be shown."""
    return [(name, field(name, value)) for name, value in pairs]
