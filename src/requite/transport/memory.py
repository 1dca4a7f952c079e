"""A transport without a network: canned replies for the tests of everything above."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requite import errors
from requite.headers import join
from requite.message import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from requite.message import Hop


class MemoryReply(Reply):
    """A reply whose body is given in chunks; an exception among them is raised when its turn comes."""

    __slots__ = ('_chunks', 'aborted')

    def __init__(
        self,
        status: int = 200,
        fields: Iterable[tuple[str, str]] = (),
        chunks: Iterable[bytes | BaseException] = (),
        reason: str = 'OK',
        version: str = '1.1',
    ) -> None:
        self.status = status
        self.reason = reason
        self.version = version
        self.fields = list(fields)
        self.headers = join(self.fields)
        self._chunks = list(chunks)
        self.complete = not self._chunks
        self.aborted = False

    def read(self, size: int = 262144) -> bytes:
        while self._chunks:
            chunk = self._chunks.pop(0)
            if isinstance(chunk, BaseException):
                raise chunk
            if chunk[size:]:
                self._chunks.insert(0, chunk[size:])
            self.complete = not self._chunks
            if chunk:
                return chunk[:size]
        return b''

    def collect(self, limit: int | None = None) -> bytes:
        data = b''.join(iter(self.read, b''))
        if limit is not None and len(data) > limit:
            raise errors.BodyTooLarge(f'the body is larger than max_body, {limit} bytes')
        return data

    def drain(self, limit: int = 65536) -> None:
        self._chunks.clear()
        self.complete = True

    def abort(self) -> None:
        self._chunks.clear()
        self.aborted = True


class MemoryTransport:
    """Answers hops from a list of replies, in order, or by a callable; ``hops`` keeps what was sent and ``bodies`` its content.

    A canned reply is a ``Reply``, an exception to raise, or ``(status, fields, body)``.
    """

    pool: Any = None
    """There are no connections here."""

    def __init__(self, responses: Iterable[Any] | Callable[[Hop], Any]) -> None:
        self.hops: list[Hop] = []
        self.bodies: list[bytes] = []
        self._answer: Callable[[Hop], Any]
        if callable(responses):
            self._answer = responses
        else:
            queue = iter(responses)
            self._answer = lambda _: next(queue)

    def send(self, hop: Hop) -> Reply:
        """Keeps ``hop`` and gives the next canned reply."""
        if hop.signal.aborted:
            raise errors.AbortError('aborted')
        self.hops.append(hop)
        self.bodies.append(b'' if hop.body is None else b''.join(hop.body.chunks()))
        canned = self._answer(hop)
        if isinstance(canned, BaseException):
            raise canned
        if isinstance(canned, Reply):
            return canned
        status, fields, body = canned
        return MemoryReply(status, fields, [body] if body else [])
