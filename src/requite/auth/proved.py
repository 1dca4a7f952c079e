"""A reply whose content is held to what the server answered for: a hash that it signed, or a proof that covers the content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.errors import MalformedResponse
    from requite.message import Reply


class Proved:
    """A reply like the one it wraps, whose last piece is only given when the whole content is what the server answered for.

    ``hashed`` takes the pieces (``update``, ``copy``); ``fault`` gives the error for what came together in it, None where that is right.
    """

    def __init__(self, reply: Reply, hashed: Any, fault: Callable[[Any], MalformedResponse | None]) -> None:
        self._reply = reply
        self._hashed = hashed
        self._fault = fault
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

    def _check(self, hashed: Any) -> None:
        fault = self._fault(hashed)
        if fault is not None:
            self._reply.abort()
            raise fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reply, name)
