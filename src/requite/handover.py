"""The hand-over of a body that is written while it is sent: one side writes, the other takes, and little lies between them.

A finalizer may end it at any moment, also in the middle of what it does here, in the same thread. So what wakes the other side is only ever put into a
``SimpleQueue``, which allows that; no lock is taken for it.
"""

from __future__ import annotations

from collections import deque
from queue import Empty, SimpleQueue
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING, Any

from requite.errors import AbortError, DeadlineExceeded, RequestStateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requite.protocols import Body

HIGH_WATER = 65536
"""From so many waiting bytes on ``put`` tells to pause, as Node's ``write`` does."""
BOUND = 1048576
"""While more waits than this, ``put`` waits as well."""
PIECE = 131072
"""Larger pieces are sent in parts."""
JOINED = 65536
"""Pieces that wait are sent as one, up to this size."""

_END: Any = object()
_STOP: Any = object()


class WrittenBody:
    """A body whose pieces are ``put`` by one side and sent by the other; it can be sent once.

    ``before`` is content that goes first. ``until`` is the moment of ``time.monotonic()`` that the next piece is awaited for at most: how long
    the writer may think is not bounded otherwise. ``drained`` is called by the side that sends, when all is sent after a ``put`` had told to pause.

    Who sends may just ask for the next piece, which waits for it; or ask first whether it is ``ready()``, to wait for other things as well where it is not.
    """

    __slots__ = (
        '_before',
        '_drained',
        '_given',
        '_more',
        '_next',
        '_order',
        '_out',
        '_owed',
        '_queue',
        '_raised',
        '_signal',
        '_taken',
        '_until',
        '_used',
        '_waiters',
        'ended',
        'headers',
        'live',
        'over',
    )

    length = None
    replayable = False

    def __init__(self, before: Body | None, until: float | None, drained: Callable[[], None]) -> None:
        self._before = before
        self._until = until
        self._drained = drained
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._next: deque[Any] = deque()
        self._waiters: deque[SimpleQueue[None]] = deque()
        self._order = RLock()
        self._given = self._taken = self._out = 0
        self._owed = self._used = self._more = False
        self._signal: Callable[[], object] | None = None
        self._raised: BaseException | None = None
        self.live = self
        self.headers: tuple[tuple[str, str], ...] = ()
        self.ended = False
        """True once the writer has said that this is all."""
        self.over = False
        """True once nothing more will be sent, because all is sent or the exchange has ended without the rest."""

    # -- the side that writes

    def put(self, piece: bytes, patient: bool = True) -> bool:
        """Gives a piece; False tells to pause until ``drained``, or that it will not be sent any more. Waits while too much waits, unless not ``patient``."""
        with self._order:
            if self.over:
                return False
            if not piece:
                return self._given - self._taken < HIGH_WATER
            self._given += len(piece)
            full = self._given - self._taken >= HIGH_WATER
            self._owed = self._owed or full
            self._queue.put(piece)
        self._wake()
        while patient and self._given - self._taken > BOUND and not self.over:
            bell: SimpleQueue[None] = SimpleQueue()
            self._waiters.append(bell)
            # looked at again after the bell hangs: whoever made room before did not see it
            if self._given - self._taken > BOUND and not self.over:
                bell.get()
        return not full and not self.over

    def end(self) -> None:
        """That is all."""
        self.ended = True
        self._queue.put(_END)
        self._wake()

    def stop(self) -> None:
        """Ends it without the rest, from either side: a writer who waits is woken, the sender is told with an ``AbortError``."""
        self.over = True
        self._queue.put(_STOP)
        self._wake()
        self._ring()

    def fail(self, error: BaseException) -> None:
        """The rest cannot be had: the side that sends raises ``error``."""
        self._raised = error
        self._queue.put(_STOP)
        self._wake()

    def _wake(self) -> None:
        signal, self._signal = self._signal, None
        if signal is not None:
            signal()

    def _ring(self) -> None:
        waiters = self._waiters
        while waiters:
            try:
                waiters.popleft().put(None)
            except IndexError:  # two of us rang
                return

    # -- the side that sends

    def ready(self, signal: Callable[[], object]) -> bool:
        """Whether the next piece, or the end, can be had without waiting; only asked when the one before was sent.

        If not, ``signal`` is called once, in any thread and in finalizers, as soon as it is worth asking again.
        """
        try:
            self._sent()
        except BaseException as error:  # noqa: BLE001 - what a listener raised comes out of the pieces, as everything of the caller's does
            self._raised = self._raised or error
            return True
        if self._more or self._next or self._before is not None or not self._queue.empty():
            return True
        self._signal = signal
        # looked at again: who gave something before did not know that he has to call
        return not self._queue.empty()

    def chunks(self) -> Iterator[bytes]:
        if self._used:
            raise RequestStateError('the body was written piece by piece and is gone; it cannot be sent again')
        self._used = True
        try:
            if self._before is not None:
                yield from self._before.chunks()
                self._before = None
            while (piece := self._take()) is not None:
                yield from self._parts(piece)
        finally:
            self.over = True
            self._ring()
            self._signal = None

    def _parts(self, piece: bytes) -> Iterator[bytes]:
        """A piece in parts of bounded size, each counted when it was sent."""
        for start in range(0, len(piece), PIECE):
            part = piece if len(piece) <= PIECE else piece[start : start + PIECE]
            self._out = len(part)
            self._more = start + PIECE < len(piece)
            yield part
            if self._raised is not None:
                raise self._raised
            self._sent()

    def _take(self) -> bytes | None:
        """What waits, up to a bound; waits for the first piece. None at the end."""
        if self._raised is not None:
            raise self._raised
        item = self._next.popleft() if self._next else self._await()
        if item is _END:
            return None
        if item is _STOP:
            if self._raised is not None:
                raise self._raised
            raise AbortError('the request was aborted while its body was being written')
        pieces, size = [item], len(item)
        while size < JOINED:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is _END or item is _STOP:
                self._next.append(item)
                break
            pieces.append(item)
            size += len(item)
        return b''.join(pieces) if len(pieces) > 1 else pieces[0]

    def _await(self) -> Any:
        try:
            return self._queue.get(timeout=None if self._until is None else max(0.0, self._until - monotonic()))
        except Empty:
            raise DeadlineExceeded(
                'ETIMEDOUT: the deadline passed while the rest of the body was still to be written'
            ) from None

    def _sent(self) -> None:
        """The piece that was given out last was sent."""
        size, self._out = self._out, 0
        with self._order:
            self._taken += size
            drained = self._owed and self._taken == self._given
            if drained:
                self._owed = False
        if self._waiters and self._given - self._taken <= BOUND:
            self._ring()
        if drained:
            self._drained()
