"""A transport around the transport that writes what passes into a HAR 1.2 log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from requite import harentry
from requite.redaction import Shown
from requite.transport import faults
from requite.transport.harlog import HarLog, log_of

if TYPE_CHECKING:
    from requite.message import Hop, Reply
    from requite.protocols import Transport

__all__ = ['HarLog', 'Recorded', 'Recording', 'log_of']


class Recording:
    """Sends hops by another transport; each becomes an entry when its answer was read, or given up. ``sensitive`` names further fields to hide."""

    def __init__(self, inner: Transport, log: HarLog, sensitive: frozenset[str] = frozenset()) -> None:
        self.pool = inner.pool
        self._inner = inner
        self._log = log
        self._shown = Shown(log.secrets, sensitive)

    def send(self, hop: Hop) -> Any:
        """The answer of the other transport, which tells the log when it is over."""
        if hop.marks is None:
            hop = hop._replace(marks={})
        posted, known = harentry.content_of(hop.body), hop._replace(anew=None)  # the log outlives the request
        start = time.perf_counter()
        try:
            reply = self._inner.send(hop)
        except Exception as error:
            seen = harentry.Seen(known, posted, None, error, start, time.perf_counter())
            self._log.add(harentry.entry(seen, self._shown))
            raise
        return Recorded(reply, harentry.Seen(known, posted, reply, None, start, start), self._log, self._shown)


class Recorded:
    """A reply like the one it wraps; what is read of it is kept for the log, up to a bound."""

    def __init__(self, reply: Reply, seen: harentry.Seen, log: HarLog, shown: Shown) -> None:
        self._reply: Any = reply
        self._seen = seen
        self._shown = shown
        self._log: HarLog | None = log
        self._kept: bytearray | None = bytearray()
        self._size: int | None = 0
        self._lying: bytes | None = None
        """Content that came with the head: it is in the log already."""
        if reply.complete:
            self._lying = reply.collect()
            self._keep(self._lying)
            self._over(whole=True)

    def read(self, size: int = 262144) -> bytes:
        """As ``Reply.read``."""
        if self._lying is not None:
            data, self._lying = self._lying[: max(size, 0)], self._lying[max(size, 0) :]
            return data
        return self._heard(self._reply.read, size)

    def collect(self, limit: int | None = None) -> bytes:
        """As ``Reply.collect``."""
        if self._lying is not None:
            if limit is not None and len(self._lying) > limit:
                raise faults.too_large(limit)
            return self._lying
        return self._heard(self._reply.collect, limit)

    def drain(self, *limits: Any) -> None:
        """As ``Reply.drain``: what is drained is not kept."""
        if self._lying is not None:
            self._lying = b''
        self._reply.drain(*limits)
        self._kept = self._size = None
        self._over(whole=False)

    def abort(self) -> None:
        """As ``Reply.abort``."""
        self._reply.abort()
        self._over(whole=False)

    def _heard(self, read: Any, asked: Any) -> bytes:
        try:
            data: bytes = read(asked)
        except Exception as error:
            self._over(error, whole=False)
            raise
        self._keep(data)
        if self._reply.complete or (not data and asked):
            self._over(whole=True)
        return data

    def _keep(self, data: bytes) -> None:
        if self._log is None or self._size is None:
            return
        self._size += len(data)
        if self._size > harentry.MOST_CONTENT:
            self._kept = None
        elif self._kept is not None:
            self._kept += data

    def _over(self, error: Exception | None = None, whole: bool = True, late: bool = False) -> None:
        """Writes the entry; only the first call counts."""
        log, self._log = self._log, None
        if log is None:
            return
        body = None if self._kept is None else bytes(self._kept)
        self._kept = None
        seen = self._seen._replace(error=error, end=time.perf_counter(), body=body, size=self._size, whole=whole)
        log.add(harentry.entry(seen, self._shown), late)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reply, name)

    def __del__(self) -> None:
        # an answer that nobody read to its end happened all the same
        if self.__dict__.get('_log') is not None:
            self._over(whole=False, late=True)
