"""Hawk's hash over content, and a reply whose content is held to the hash that the server signed."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import TYPE_CHECKING, Any

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


class Proved:
    """A reply like the one it wraps, whose last piece is only given when the whole content is what the server signed."""

    def __init__(self, reply: Reply, hashed: PayloadHash, expected: str) -> None:
        self._reply = reply
        self._hashed = hashed
        self._expected = expected
        self._rest: bytes | None = None

    def read(self, size: int = 262144) -> bytes:
        """As ``Reply.read``; raises ``MalformedResponse`` instead of giving the end of other content."""
        if size <= 0:
            return b''
        if self._rest is None:
            data = self._reply.read(size)
            self._hashed.update(data)
            if data and not self._reply.complete:
                return data
            # What is left lies in memory: nothing of it is given before it is known to be right.
            rest = [data, *iter(lambda: self._reply.read(262144), b'')]
            for piece in rest[1:]:
                self._hashed.update(piece)
            self._check(self._hashed)
            self._rest = b''.join(rest)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def collect(self, limit: int | None = None) -> bytes:
        """As ``Reply.collect``, which may be asked by several threads at once."""
        data = self._reply.collect(limit)
        hashed = self._hashed.copy()
        hashed.update(data)
        self._check(hashed)
        return data

    def _check(self, hashed: PayloadHash) -> None:
        if not hmac.compare_digest(hashed.value().encode(), self._expected.encode('latin-1', 'replace')):
            self._reply.abort()
            raise unproved('the content is not what its Server-Authorization says')

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reply, name)


def unproved(why: str) -> MalformedResponse:
    return MalformedResponse(
        f'the server did not prove that it knows the key: {why} (Hawk 1.1, verify=True); make sure that it is the server you mean, and that it signs its answers'
    )
