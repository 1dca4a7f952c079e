"""The answer to a request that is still being sent: whoever reads it sends the rest of the body meanwhile."""

from __future__ import annotations

import ssl
import time
from threading import get_ident
from typing import TYPE_CHECKING

from requite.transport import framing
from requite.transport.duplex import WAITS, check_abort
from requite.transport.replies import SECURE_RECORDS, Feed

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from requite.message import Hop
    from requite.transport.duplex import Upload
    from requite.transport.link import Link

    Given = TypeVar('Given', int, bytes)

TURN = 1048576
"""Bytes of an answer that may come in a row before the body has its turn: an endless answer must not stop an upload."""


class Meanwhile(Feed):
    """The receiving end of a connection whose request is still being sent: reading the answer sends the rest of the body.

    The connection can serve again only if all of the body went out before the answer ended. Memory holds one piece of each direction, never more.
    """

    __slots__ = ('_taken', '_task', '_upload', '_whole')

    def __init__(self, hop: Hop, link: Link, upload: Upload) -> None:
        self._upload: Upload | None = upload
        self._task: Callable[[], object] | None = None
        self._taken = 0
        self._whole = False
        super().__init__(hop, link)

    def recv(self, size: int, line: int = 0) -> bytes:
        link, upload = self._link, self._upload
        if link is None or upload is None:
            return super().recv(size, line)
        if line:
            self._hurry(line)
        data = self._both(link, upload, link.recv, min(size, SECURE_RECORDS if link.secure else framing.SCRATCH))
        if data is None:
            return super().recv(size, line)
        self._taken += len(data)
        return data

    def recv_into(self, view: memoryview) -> int:
        link, upload = self._link, self._upload
        if link is None or upload is None:
            return super().recv_into(view)
        count = self._both(link, upload, link.recv_into, view)
        if count is None:
            return super().recv_into(view)
        self._taken += count
        return count

    def when_sent(self, task: Callable[[], object]) -> None:
        if self._upload is None:
            task()
        else:
            self._task = task

    def release(self, reusable: bool) -> None:
        self._end(self._upload)
        super().release(reusable and self._whole)

    def _both(self, link: Link, upload: Upload, receive: Callable[[Any], Given], room: Any) -> Given | None:
        """What ``receive`` gives as soon as it gives anything; sends whenever there is nothing, and once in a while although there is. None: the body is over."""
        try:
            if self._deadline is not None and time.monotonic() > self._deadline:
                raise TimeoutError
            if self._taken >= TURN:
                self._taken = 0
                upload.advance()
            self._hop.signal.bound = get_ident()
            while not upload.over:
                writing = False
                try:
                    given = receive(room)
                except ssl.SSLWantWriteError:
                    writing = True
                except WAITS:
                    pass
                else:
                    if not given:
                        check_abort(self._hop)
                    return given
                if not upload.advance():
                    upload.wait(self._read, self._deadline, writing)
        except BaseException:
            link.reset()
            raise
        finally:
            self._hop.signal.bound = None
        link.blocking(True)
        self._end(upload)
        return None

    def _end(self, upload: Upload | None) -> None:
        """Nothing more is sent; lets go of the body and tells whoever waits for that."""
        if self._upload is None or upload is None:
            return
        self._whole = upload.done
        self._upload = None
        task, self._task = self._task, None
        if task is not None:
            task()
