"""Hawk's hash over content, and a reply whose content is held to the hash that the server signed."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from requite.auth.proved import Proved
from requite.errors import MalformedResponse

if TYPE_CHECKING:
    from requite.message import Reply


class PayloadHash:
    """Hawk's hash over content and its type, piece by piece."""

    __slots__ = ('_digest',)

    def __init__(self, algorithm: str, content_type: str) -> None:
        kind = content_type.partition(';')[0].strip().lower()
        self._digest = hashlib.new(algorithm, f'hawk.1.payload\n{kind}\n'.encode())

    def update(self, piece: bytes) -> None:
        """Takes the next piece."""
        self._digest.update(piece)

    def value(self) -> str:
        """The hash of all pieces so far, in base64."""
        whole = self._digest.copy()
        whole.update(b'\n')
        return b64encode(whole.digest()).decode('ascii')

    def copy(self) -> PayloadHash:
        """Another one that has seen the same pieces."""
        other = object.__new__(PayloadHash)
        other._digest = self._digest.copy()
        return other

    def over(self, pieces: Any) -> str:
        """The hash of these pieces."""
        for piece in pieces:
            self._digest.update(piece)
        return self.value()


def held_to(reply: Reply, hashed: PayloadHash, expected: str) -> Reply:
    """The reply, held to the hash that the server signed."""

    def fault(whole: PayloadHash) -> MalformedResponse | None:
        if hmac.compare_digest(whole.value().encode(), expected.encode('latin-1', 'replace')):
            return None
        return unproved('the content is not what its Server-Authorization says')

    return Proved(reply, hashed, fault)  # type: ignore[return-value]


def unproved(why: str) -> MalformedResponse:
    return MalformedResponse(
        f'the server did not prove that it knows the key: {why} (Hawk 1.1, verify=True); make sure that it is the server you mean, and that it signs its answers'
    )
