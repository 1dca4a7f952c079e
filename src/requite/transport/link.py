"""A connected socket, ready for one exchange after the other."""

from __future__ import annotations

import select
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from requite.message import AbortSignal
    from requite.transport.lanes import Lane

# On 64-bit Linux the kernel keeps the clock of a blocking socket (SO_RCVTIMEO, SO_SNDTIMEO): Python's settimeout would poll before every call. Not
# under TLS, where Python's own loop would begin a new wait each time the kernel's is over.
KERNEL_CLOCK = sys.platform == 'linux' and struct.calcsize('l') == 8
_TIMEVAL = struct.Struct('ll')
SHORTEST = 0.000001
"""Seconds; nothing at all would mean not to block, which is something else."""
_LINGER_RST = struct.pack('ii', 1, 0)


class Link:
    """A connected socket with its methods at hand and the poll object that tells whether it is still quiet."""

    __slots__ = (
        '__weakref__',
        'lane',
        'poll',
        'recv',
        'recv_into',
        'rested',
        'secure',
        'send',
        'sock',
        'timeout',
        'used',
        'user',
    )

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.secure = hasattr(sock, 'pending')  # TLS, whichever way it was made
        self.send = sock.send
        self.recv = sock.recv
        self.recv_into = sock.recv_into
        self.used = False
        self.rested = False  # whether it was unused when the pool last looked
        self.user: AbortSignal | None = None
        self.lane: Lane | None = None
        self.poll = _poll_of(sock)
        self.timeout: float | None = -1.0
        if KERNEL_CLOCK and not self.secure:
            sock.settimeout(None)

    def tune(self, seconds: float | None) -> None:
        """Sets how long a call may block; costs a system call only when that changes."""
        if seconds == self.timeout:
            return
        self.timeout = seconds
        if not KERNEL_CLOCK or self.secure:
            self.sock.settimeout(None if seconds is None else max(seconds, SHORTEST))
            return
        micros = 0 if seconds is None else max(1, int(seconds * 1000000))
        value = _TIMEVAL.pack(*divmod(micros, 1000000))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)

    def clock(self, read: float | None, deadline: float | None) -> None:
        """Sets how long the next call may block: ``read`` seconds, not beyond ``deadline``. Raises TimeoutError when that has passed."""
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            read = left if read is None else min(read, left)
        self.tune(read)

    def blocking(self, flag: bool) -> None:
        """Whether calls wait at all; ``tune`` holds on either way."""
        if not flag:
            self.sock.settimeout(0.0)
        elif KERNEL_CLOCK and not self.secure:
            self.sock.settimeout(None)
        else:
            self.sock.settimeout(None if self.timeout is None else max(self.timeout, SHORTEST))

    def quiet(self) -> bool:
        """True when nothing has come in since the last exchange: no end, no error, no surplus byte (SECURITY S4)."""
        return not self.poll(0) and not (self.secure and self.sock.pending())  # type: ignore[attr-defined]

    def free(self, reusable: bool) -> None:
        """Ends its use: back into its lane when it can serve again, else closed and its slot freed. Only the first call counts."""
        lane, self.lane = self.lane, None
        if lane is None:
            self.close()
        elif reusable and lane.keep_alive:
            self.used = True
            lane.put(self)
        else:
            self.close()
            lane.put(None)

    def close(self) -> None:
        """Closes the socket; never waits, never raises."""
        try:
            self.sock.close()
        except OSError:
            pass

    def reset(self) -> None:
        """Closes with RST, so that the peer cannot take what was sent so far for a whole message (SECURITY Q4)."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RST)
        except OSError:
            pass
        self.close()

    def __del__(self) -> None:
        # a pool that is dropped with its connections, the interpreter's end included
        self.close()


def _poll_of(sock: socket.socket) -> Any:
    if hasattr(select, 'poll'):
        poller = select.poll()
        poller.register(sock, select.POLLIN | select.POLLPRI)
        return poller.poll

    def poll(timeout: float) -> list[Any]:
        return select.select([sock], [], [], timeout / 1000)[0]

    return poll
