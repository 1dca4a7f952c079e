"""Files on sockets and pipes: what is there is given at once, and whether something is there can be asked without waiting for it.

So whoever sends what comes from there can listen for an answer meanwhile, and is woken by either side (see ``alarm``).
"""

from __future__ import annotations

import io
import os
import select
import socket
import ssl
import stat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 131072
"""How much is read at a time, in bytes."""
WAITS = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class OnSocket:
    """A buffered file on a socket. Unless ``patient``, reading raises ``BlockingIOError`` where it would have to wait.

    ``watched`` is what a poll wakes up for; ``patience`` is how many seconds the socket may be silent, None for as long as it likes.
    """

    __slots__ = ('_file', 'patience', 'patient', 'watched')

    def __init__(self, file: io.BufferedReader, sock: socket.socket) -> None:
        self._file = file
        self.watched = sock
        self.patience = sock.gettimeout()
        self.patient = True

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, as soon as there are any; none at the end."""
        return self._ask(self._file.read1, size)  # type: ignore[no-any-return]

    def read_into(self, view: memoryview) -> int:
        """The same into the front of ``view``; gives how many bytes came."""
        return self._ask(self._file.readinto1, view)  # type: ignore[no-any-return]

    def _ask(self, take: Callable[[Any], Any], room: Any) -> Any:
        if self.patient:
            return take(room)
        sock = self.watched
        sock.settimeout(0.0)
        try:
            given = take(room)
            # nothing may be the end, or nothing yet: a plain socket says which by raising; TLS has raised already
            if not given and not hasattr(sock, 'pending') and sock.recv(1, socket.MSG_PEEK):
                raise BlockingIOError
        except WAITS:
            raise BlockingIOError from None
        finally:
            sock.settimeout(self.patience)
        return given


class OnPipe:
    """A file on a pipe, or on another descriptor that a poll wakes up for; the same as ``OnSocket`` otherwise."""

    __slots__ = ('_file', '_looked', '_poll', '_take', 'patient', 'watched')

    patience = None

    def __init__(self, file: Any, mode: int) -> None:
        self._file = file
        self._take: Callable[[int], bytes] = getattr(file, 'read1', file.read)
        self._looked = not hasattr(file, 'peek') or stat.S_ISCHR(mode)
        self.watched: int = file.fileno()
        self.patient = True
        self._poll = select.poll()
        self._poll.register(self.watched, select.POLLIN)

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, as soon as there are any; none at the end."""
        if not self.patient and not self._poll.poll(0) and not self._holds():
            raise BlockingIOError
        return self._take(size)

    def _holds(self) -> bool:
        """Whether somebody read ahead into the buffer of the file. Looked at once: nothing is read ahead from here on."""
        if self._looked:
            return False
        self._looked = True
        os.set_blocking(self.watched, False)  # no other way asks a buffer without filling it
        try:
            return bool(self._file.peek())
        finally:
            os.set_blocking(self.watched, True)


def of(file: Any) -> OnSocket | OnPipe | None:
    """How to read a file without waiting; None where that cannot be told of it: regular files, and files of a class that we do not know."""
    try:
        raw = file.raw if type(file) is io.BufferedReader else file
        if type(raw) is socket.SocketIO:
            return _on_socket(file, raw)
        if type(raw) is not io.FileIO or not hasattr(select, 'poll') or not os.get_blocking(raw.fileno()):
            return None
        mode = os.fstat(raw.fileno()).st_mode
    except (OSError, ValueError):
        return None
    return OnPipe(file, mode) if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode) else None


def _on_socket(file: Any, raw: Any) -> OnSocket | None:
    sock = getattr(raw, '_sock', None)
    usable = raw is not file and isinstance(sock, socket.socket) and sock.fileno() >= 0 and sock.gettimeout() != 0.0
    return OnSocket(file, sock) if usable else None  # type: ignore[arg-type]


class Pieces:
    """Content that comes through ``read`` piece by piece, ``left`` bytes of it or, with None, to the end.

    With a ``flow`` below ``read`` it can be asked whether the next piece is ``ready``.
    """

    __slots__ = ('_failed', '_flow', '_held', '_read', 'left')

    def __init__(self, flow: OnSocket | OnPipe | None, read: Callable[[int], bytes], left: int | None = None) -> None:
        self._flow = flow
        self._read = read
        self._held: bytes | None = None
        self._failed: BaseException | None = None
        self.left = left

    @property
    def live(self) -> Pieces | None:
        """What to ask whether something is there, None where that cannot be told."""
        return None if self._flow is None else self

    @property
    def watched(self) -> Any:
        """What a poll wakes up for when it is worth asking again."""
        return None if self._flow is None else self._flow.watched

    @property
    def patience(self) -> float | None:
        """How many seconds nothing may come."""
        return None if self._flow is None else self._flow.patience

    def ready(self, signal: Callable[[], object]) -> bool:
        """Whether the next piece, or the end, can be had without waiting: takes it, if so. ``watched`` wakes, so ``signal`` is not called."""
        flow = self._flow
        if flow is not None and self._held is None and self._failed is None:
            flow.patient = False
            try:
                self._held = self._ask()
            except BlockingIOError:
                return False
            except BaseException as error:  # noqa: BLE001 - raised when its turn comes
                self._failed = error
            finally:
                flow.patient = True
        return True

    def take(self) -> bytes:
        """The next piece; none at the end. Waits for it."""
        if self._failed is not None:
            raise self._failed
        held, self._held = self._held, None
        return self._ask() if held is None else held

    def _ask(self) -> bytes:
        left = self.left
        if left == 0:
            return b''
        piece = self._read(PIECE if left is None else min(left, PIECE))
        if left is not None:
            self.left = left - len(piece)
        return piece

    def over(self) -> None:
        """Nothing more is wanted."""


def opened(live: Any) -> Any:
    """What to ask whether something is there: ``live`` itself, or where that is a ``file``, its pieces, which are put there as ``pieces`` to be sent. None where that cannot be told."""
    file = getattr(live, 'file', None)
    if file is None or live.pieces is not None:
        return live if file is None else live.pieces
    flow = of(file)
    if flow is not None:
        live.pieces = Pieces(flow, flow.read)
    return live.pieces
