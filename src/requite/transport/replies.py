"""The answer of a pooled connection: the head is here, the body is read on demand, and the connection goes back as soon as it is whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from requite import errors
from requite.message import Reply
from requite.transport import faults, framing

if TYPE_CHECKING:
    from requite.message import Hop
    from requite.transport.connections import Link
    from requite.transport.head import Head
    from requite.transport.pools import Lane

SECURE_RECORDS = 65536
DRAIN_PATIENCE = 1.0


class Feed:
    """The receiving end of a connection while a body is read from it, and the only holder of the connection meanwhile.

    When it is dropped unread, its finalizer closes the connection and gives the slot back (closing and a deque's append: nothing that could deadlock).
    """

    __slots__ = ('_hop', '_lane', '_link', '_since')

    def __init__(self, hop: Hop, link: Link, lane: Lane | None) -> None:
        self._hop = hop
        self._lane = lane
        self._link: Link | None = link
        self._since: float | None = None

    def recv(self, size: int, partial: bool = False) -> bytes:
        """At most ``size`` bytes; ``partial`` says that a line has begun which has to be whole within ``limits.read`` of its first byte."""
        link = self._prepare(partial)
        data = link.recv(min(size, SECURE_RECORDS) if link.secure else min(size, framing.SCRATCH))
        if not data:
            self._check_abort()
        return data

    def recv_into(self, view: memoryview) -> int:
        """Fills the front of ``view``; gives how many bytes came."""
        count = self._prepare(False).recv_into(view)
        if not count:
            self._check_abort()
        return count

    def _prepare(self, partial: bool) -> Link:
        link, limits = self._link, self._hop.limits
        if link is None:
            raise errors.AbortError(f'aborted: {faults.place(self._hop)}')
        if limits.deadline is not None:
            clock(link, self._hop)
        if not partial:
            self._since = None
        elif self._since is None:
            self._since = time.monotonic()
        elif limits.read is not None and time.monotonic() - self._since > limits.read:
            raise TimeoutError
        return link

    def _check_abort(self) -> None:
        if self._hop.signal.aborted:
            raise errors.AbortError(f'aborted: {faults.place(self._hop)}')

    def limit(self, seconds: float) -> None:
        """Waits no longer than ``seconds`` from now on."""
        if self._link is not None:
            read = self._hop.limits.read
            self._link.tune(seconds if read is None else min(seconds, read))

    def release(self, reusable: bool) -> None:
        """The body is whole: the connection serves again, or is closed."""
        link, self._link = self._link, None
        if link is not None:
            self._hop.signal.watch(None)
            give_back(link, self._lane, reusable)

    def __del__(self) -> None:
        self.release(False)


def clock(link: Link, hop: Hop) -> None:
    """Sets how long the next call on ``link`` may block; raises TimeoutError when the deadline has passed."""
    read, deadline = hop.limits.read, hop.limits.deadline
    if deadline is None:
        link.tune(read)
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    link.tune(left if read is None else min(read, left))


def give_back(link: Link, lane: Lane | None, reusable: bool) -> None:
    """Ends the use of ``link``: into its lane when it can serve again, else closed and its slot freed."""
    if reusable and lane is not None and lane.keep_alive:
        link.used = True
        lane.put(link)
        return
    link.close()
    if lane is not None:
        lane.put(None)


class PooledReply(Reply):
    """A reply whose body lies in memory already, or is still coming through a ``Feed``."""

    __slots__ = ('__weakref__', '_body', '_data', '_feed', '_hop', '_reusable')

    _body: framing.Body | None

    def __init__(self, head: Head, data: bytes) -> None:
        self.version, self.status, self.reason, self.fields, self.headers = head
        self._data = data
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
        try:
            data = body.read(size)
        except BaseException as error:
            raise self._failed(error) from None
        if body.done:
            self._finish(body)
        return data

    def collect(self, limit: int | None = None) -> bytes:
        body = self._body
        if body is None:
            data, self._data = self._data, b''
            if limit is not None and len(data) > limit:
                raise errors.BodyTooLarge(f'the body is larger than max_body, {limit} bytes')
            return data
        try:
            data = body.collect(limit)
        except BaseException as error:
            raise self._failed(error) from None
        self._finish(body)
        return data

    def drain(self, limit: int = 65536) -> None:
        if self._body is None:
            self._data = b''
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

    def _failed(self, error: BaseException) -> BaseException:
        explained = faults.explain(error, self._hop, faults.BODY)
        self._feed.release(False)
        return explained
