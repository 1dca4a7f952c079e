"""The answer of a pooled connection: the head is here, the body is read on demand, and the connection goes back as soon as it is whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from requite import errors
from requite.message import Reply
from requite.transport import faults, framing
from requite.transport.faults import CallersError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from requite.message import Hop
    from requite.transport.head import Head
    from requite.transport.link import Link

    Asked = TypeVar('Asked', int, int | None)

SECURE_RECORDS = 65536
DRAIN_PATIENCE = 1.0


class Feed:
    """The receiving end of a connection while a body is read from it, and the only holder of the connection meanwhile.

    When it is dropped unread, its finalizer closes the connection and gives the slot back (closing and a deque's append: nothing that could deadlock).
    """

    __slots__ = ('_deadline', '_hop', '_line', '_link', '_read', '_since', 'error')

    def __init__(self, hop: Hop, link: Link) -> None:
        self._hop = hop
        self._link: Link | None = link
        self._read = hop.limits.read
        self._deadline = hop.limits.deadline
        self._line = 0
        self._since = 0.0
        self.error: BaseException | None = None

    def recv(self, size: int, line: int = 0) -> bytes:
        """At most ``size`` bytes; ``line`` is the number of a line that has begun and has to be whole within ``limits.read`` of its first byte."""
        link = self._prepare()
        if line:
            self._hurry(line)
        data = link.recv(min(size, SECURE_RECORDS) if link.secure else min(size, framing.SCRATCH))
        if not data:
            self._check_abort()
        return data

    def recv_into(self, view: memoryview) -> int:
        """Fills the front of ``view``; gives how many bytes came."""
        count = self._prepare().recv_into(view)
        if not count:
            self._check_abort()
        return count

    def _prepare(self) -> Link:
        link = self._link
        if link is None:
            raise self.error or errors.AbortError(f'aborted: {faults.place(self._hop)}')
        link.clock(self._read, self._deadline)
        return link

    def _hurry(self, line: int) -> None:
        if line != self._line:
            self._line = line
            self._since = time.monotonic()
        elif self._read is not None and time.monotonic() - self._since > self._read:
            raise TimeoutError

    def _check_abort(self) -> None:
        if self._hop.signal.aborted:
            raise errors.AbortError(f'aborted: {faults.place(self._hop)}')

    def limit(self, seconds: float) -> None:
        """Waits no longer than ``seconds`` for all that is still to come, however it drips."""
        self._read = seconds if self._read is None else min(seconds, self._read)
        ends = time.monotonic() + seconds
        self._deadline = ends if self._deadline is None else min(ends, self._deadline)

    def when_sent(self, task: Callable[[], object]) -> None:
        """Calls ``task`` when nothing more of the request's body will be asked for: now."""
        task()

    def release(self, reusable: bool) -> None:
        """The body is whole: the connection serves again, or is closed."""
        link, self._link = self._link, None
        if link is not None:
            signal = self._hop.signal
            signal.watch(None)
            link.free(reusable and not signal.aborted)

    def __del__(self) -> None:
        self.release(False)


class PooledReply(Reply):
    """A reply whose body lies in memory already, or is still coming through a ``Feed``."""

    __slots__ = ('__weakref__', '_body', '_data', '_feed', '_hop', '_kept', '_reusable')

    _body: framing.Body | None

    def __init__(self, head: Head, data: bytes) -> None:
        self.version, self.status, self.reason, self.fields, self.headers = head
        self._data = data
        self._kept = b''
        self._body = None
        self.complete = True

    def attach(self, hop: Hop, feed: Feed, body: framing.Body, reusable: bool) -> None:
        """Says where the rest of the body comes from."""
        self._hop = hop
        self._feed = feed
        self._body = body
        self._reusable = reusable
        self.complete = False

    def read(self, size: int = framing.SCRATCH) -> bytes:
        if size <= 0:
            return b''
        body = self._body
        if body is None:
            data = self._data
            self._data = data[size:]
            return data[:size]
        data = self._guarded(body.read, size)
        if body.done:
            self._finish(body)
        return data

    def collect(self, limit: int | None = None) -> bytes:
        body = self._body
        if body is None:
            data = self._data
            if data:
                self._kept, self._data = data, b''
            else:
                data = self._kept  # two threads that ask at once both get it
            if limit is not None and len(data) > limit:
                raise faults.too_large(limit)
            return data
        data = self._guarded(body.collect, limit)
        self._finish(body)
        return data

    def drain(self, limit: int = 65536) -> None:
        body = self._body
        if body is None:
            self._data = b''
            return
        if body.surplus or (body.left or 0) > limit:
            self.abort()
            return
        self._feed.limit(DRAIN_PATIENCE)
        try:
            while not self.complete and limit > 0:
                limit -= len(self.read(limit))
        except errors.RequestError:
            pass
        self.abort()

    def abort(self) -> None:
        if self._body is not None and not self.complete:
            self._feed.release(False)

    def _finish(self, body: framing.Body) -> None:
        self.complete = True
        self._feed.release(self._reusable and not body.surplus)

    def when_sent(self, task: Callable[[], object]) -> None:
        if self._body is None:
            task()
        else:
            self._feed.when_sent(task)

    def _guarded(self, take: Callable[[Asked], bytes], asked: Asked) -> bytes:
        try:
            return take(asked)
        except CallersError as wrapped:
            theirs = wrapped.error
        except BaseException as error:  # noqa: BLE001 - raised again, explained
            raise self._failed(error) from None
        self._feed.error = errors.ResponseAborted(
            f'aborted: the body of the request broke off ({faults.place(self._hop)})'
        )
        self._feed.release(False)
        try:
            raise theirs  # as the iterator of the request's body raised it
        finally:
            del theirs  # its traceback knows this frame

    def _failed(self, error: BaseException) -> BaseException:
        explained = faults.explain(error, self._hop, faults.BODY)
        if isinstance(explained, errors.RequestError):
            # a twin for whoever reads on: the error itself knows this frame through its traceback
            self._feed.error = type(explained)(explained.message, explained.code)
        self._feed.release(False)
        return explained
