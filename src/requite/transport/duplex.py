"""Sending a body while listening: an early answer is taken at once, and whoever reads it sends the rest of the body meanwhile (``meanwhile``).

One thread, and a socket that does not block: one poll waits for either direction, for as long as ``limits.read`` allows the connection to stand still. So
neither side can wait for the other for ever (SECURITY D4), whatever a server does: answer before it has read, echo while it reads, or not read at all.
"""

from __future__ import annotations

import select
import ssl
import time
from threading import get_ident
from typing import TYPE_CHECKING

from requite import errors
from requite.transport import alarm, faults, head
from requite.transport.faults import CallersError
from requite.transport.outgoing import framed

if TYPE_CHECKING:
    from typing import Any

    from requite.message import Hop
    from requite.protocols import Body
    from requite.transport.link import Link

IN = 1
OUT = 2
WAITS: tuple[type[OSError], ...] = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Upload:
    """One request with a body on its way out.

    ``done`` is true once all of it was sent; ``refused`` once the server answered with a status of 300 or more, or left, before it had everything: the rest is
    not sent. ``over`` is either. ``answered`` is true when the whole head of a 2xx answer is here and the body goes on.
    """

    __slots__ = (
        '_alarm',
        '_early',
        '_framed',
        '_head_at',
        '_hop',
        '_last',
        '_link',
        '_poll',
        '_searched',
        '_view',
        '_waits_for',
        'answered',
        'done',
        'refused',
    )

    def __init__(self, hop: Hop, link: Link, body: Body) -> None:
        self._hop = hop
        self._link = link
        self._framed = framed(body)
        self._alarm = alarm.of(body)
        self._view = memoryview(b'')
        self._last = body.length == 0
        self._waits_for = IN | OUT
        self._poll: Any = None
        self._early = bytearray()
        self._head_at = 0
        self._searched = 0
        self.answered = False
        self.done = False
        self.refused = False

    @property
    def over(self) -> bool:
        """Whether nothing more will be sent."""
        return self.done or self.refused

    def run(self, start: bytes) -> bytes:
        """Sends ``start`` (the head) and the body, up to its end or an early answer; gives what the server has said so far.

        Unless the upload is ``over`` then, the socket does not block, and a ``Meanwhile`` is what reads on. Raises ``InvalidBody`` for a body of another
        length than it declared, an error of the transport, or ``CallersError`` with what the body's iterator raised; the connection is then reset, so that
        no server can take the part for the whole (SECURITY Q3, Q4).
        """
        link, limits = self._link, self._hop.limits
        link.blocking(False)
        self._hop.signal.bound = get_ident()
        try:
            if self._last:
                # the head alone is all of it: first see that nothing comes
                start = b''.join((start, *(piece for piece, _ in self._framed)))
            self._view = memoryview(start)
            unasked = 2  # the head and the first piece go out before we listen: a small body is never left behind
            while not self.over and not self.answered:
                if unasked <= 0 and link.poll(0):
                    self._listen()
                elif self.advance():
                    unasked -= 1
                else:
                    unasked = 0
                    self.wait(limits.read, limits.deadline)
        except BaseException:
            link.reset()
            raise
        finally:
            self._hop.signal.bound = None
        if self.over:
            link.blocking(True)
        return bytes(self._early)

    def advance(self) -> bool:
        """Sends once; False when the connection takes nothing now."""
        if not self._view:
            if self._resting():
                self._waits_for = IN
                return False
            self._view = memoryview(self._next())
        try:
            count = self._link.send(self._view)
        except WAITS as error:
            self._waits_for = IN if isinstance(error, ssl.SSLWantReadError) else IN | OUT
            return False
        except OSError as error:
            self._stopped(error)
            return True
        self._view = self._view[count:]
        if self._last and not self._view:
            self.done = True
        return True

    def wait(self, read: float | None, deadline: float | None, writing: bool = False) -> None:
        """Waits until something can be sent (where that is what sending waits for, or with ``writing``) or received: ``read`` seconds at most, not beyond ``deadline``."""
        hop = self._hop
        resting = self._alarm is not None and not self._view
        if resting:
            # whoever writes the body may take his time: it is not the connection that stands still
            read = self._alarm.patience  # type: ignore[union-attr]
        if deadline is not None:
            left = max(0.0, deadline - time.monotonic())
            read = left if read is None else min(read, left)
        check_abort(hop)
        if not self._ready(self._waits_for | OUT if writing else self._waits_for, read):
            if resting and (deadline is None or time.monotonic() < deadline):
                late = TimeoutError('timed out: nothing more of the body came from where it is read')
                raise CallersError(late) from late
            raise faults.timed_out(hop, faults.SEND)
        check_abort(hop)

    def _resting(self) -> bool:
        """Whether the body is one whose pieces come when they come, and there is nothing of it now."""
        return self._alarm is not None and not self._last and not self._alarm.ready()

    def _next(self) -> bytes | memoryview:
        piece, self._last = next(self._framed)
        deadline = self._hop.limits.deadline
        if deadline is not None and time.monotonic() > deadline:
            raise faults.timed_out(self._hop, faults.SEND)
        return piece

    def _ready(self, direction: int, seconds: float | None) -> bool:
        sock = self._link.sock
        bell = None if self._alarm is None or self._view else self._alarm.sock
        if not hasattr(select, 'poll'):
            heard = [sock] if bell is None else [sock, bell]
            reads, writes, _ = select.select(heard, [sock] if direction & OUT else [], [], seconds)
            return bool(reads or writes)
        if self._poll is None or self._alarm is not None:
            self._poll = select.poll()
        if bell is not None:
            self._poll.register(bell, select.POLLIN)
        self._poll.register(sock, select.POLLIN | (select.POLLOUT if direction & OUT else 0))
        return bool(self._poll.poll(None if seconds is None else seconds * 1000))

    def _listen(self) -> None:
        """Something came in while the body is being sent: takes all of it up to the end of the head, for what lies within TLS wakes no poll."""
        while not self.answered and not self.refused:
            try:
                data = self._link.recv(head.MAX_LINE)
            except WAITS:
                return
            except OSError as error:
                self._stopped(error)
                return
            self._early += data
            digit = self._first_digit()
            # with a 2xx the server answers while it reads, so it wants the rest
            self.answered = digit == b'2' and self._head_end() >= 0
            wanted = bool(data) and digit in (b'', b'2') and len(self._early) <= head.MAX_HEAD
            self.refused = not self.answered and not wanted

    def _first_digit(self) -> bytes:
        """The first digit of the final status, empty while there is none; interim heads are passed over."""
        early = self._early
        while (digit := bytes(early[self._head_at + 9 : self._head_at + 10])) == b'1':
            end = self._head_end()
            if end < 0:
                return b''
            self._head_at = end + 4
        return digit

    def _head_end(self) -> int:
        """Where the blank line behind the current head begins, or -1; each byte is looked at once."""
        end = self._early.find(head.END, max(self._head_at, self._searched))
        if end < 0:
            self._searched = max(0, len(self._early) - 3)
        return end

    def _stopped(self, error: OSError) -> None:
        """The connection takes nothing any more."""
        if self._hop.signal.aborted:
            raise faults.explain(error, self._hop, faults.SEND) from None
        if not self.answered:
            # a server that answers and closes resets what we still send; its answer may have arrived before that
            try:
                self._early += self._link.recv(head.MAX_LINE)
            except OSError:
                pass
            if not self._early:
                raise faults.explain(error, self._hop, faults.SEND) from None
        self.refused = True


def check_abort(hop: Hop) -> None:
    """Raises ``AbortError`` once the exchange was aborted."""
    if hop.signal.aborted:
        raise errors.AbortError(f'aborted: {faults.place(hop)}')
