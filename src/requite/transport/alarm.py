"""Wakes who waits on sockets when a body whose pieces come when they come has something again."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from requite.transport import flowing

if TYPE_CHECKING:
    from collections.abc import Callable


class Alarm:
    """A socket that can be read once a ``live`` body is worth asking again whether it is ``ready``.

    Where what the body comes from can be ``watched`` itself, it is that; else a pair of sockets is made when it is first needed, since a poll wakes up for
    nothing else on every platform, and the body calls (see ``requite.handover``). ``patience`` is how many seconds may pass without anything, None for any.
    """

    __slots__ = ('_ends', '_ready', '_watched', 'patience')

    def __init__(self, live: Any) -> None:
        self._ready: Callable[[Callable[[], object]], bool] = live.ready
        self._watched = getattr(live, 'watched', None)
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self.patience: float | None = getattr(live, 'patience', None)

    def ready(self) -> bool:
        """Whether the next piece can be had without waiting."""
        if self._watched is None:
            self._listen()
        return self._ready(self._ring)

    @property
    def sock(self) -> Any:
        """What to wait for: a socket, or a descriptor."""
        if self._watched is not None:
            return self._watched
        assert self._ends is not None
        return self._ends[0]

    def _listen(self) -> None:
        if self._ends is not None:
            self._hear(self._ends[0])
        else:
            self._ends = socket.socketpair()
            for end in self._ends:
                end.setblocking(False)

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
    """The alarm of a body whose pieces come when they come, None for any other."""
    live = flowing.opened(getattr(body, 'live', None))
    return None if live is None else Alarm(live)
