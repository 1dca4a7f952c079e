"""Wakes who waits on sockets when a body that is being written has something again."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Alarm:
    """A socket that can be read once ``ready`` of a ``live`` body is worth asking again (see ``requite.handover``).

    Made of a pair of sockets when it is first needed, since a poll wakes up for nothing else on every platform.
    """

    __slots__ = ('_ends', '_ready')

    def __init__(self, ready: Callable[[Callable[[], object]], bool]) -> None:
        self._ready = ready
        self._ends: tuple[socket.socket, socket.socket] | None = None

    def ready(self) -> bool:
        """Whether the next piece can be had without waiting."""
        if self._ends is not None:
            self._hear(self._ends[0])
        else:
            self._ends = socket.socketpair()
            for end in self._ends:
                end.setblocking(False)
        return self._ready(self._ring)

    @property
    def sock(self) -> socket.socket:
        """What to wait for."""
        assert self._ends is not None
        return self._ends[0]

    def _hear(self, end: socket.socket) -> None:
        try:
            while end.recv(64):
                pass
        except OSError:
            pass  # nothing more

    def _ring(self) -> None:
        # called by finalizers too
        if self._ends is not None:
            try:
                self._ends[1].send(b'.')
            except OSError:
                pass  # it rings already

    def __del__(self) -> None:
        for end in self._ends or ():
            end.close()


def of(body: Any) -> Alarm | None:
    """The alarm of a body that is written while it is sent, None for any other."""
    live = getattr(body, 'live', None)
    return None if live is None else Alarm(live.ready)
