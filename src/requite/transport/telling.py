"""A transport around the transport that tells the ``requite`` logger what is sent and answered, at DEBUG and without credentials."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from requite.debugging import LOG
from requite.redaction import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requite.message import Hop, Reply
    from requite.protocols import Transport


class Telling:
    """Sends hops by another transport and tells of each. ``sensitive`` names further fields to hide."""

    def __init__(self, inner: Transport, sensitive: frozenset[str] = frozenset()) -> None:
        self.pool = inner.pool
        self._inner = inner
        self._shown = Shown(False, sensitive)

    def send(self, hop: Hop) -> Reply:
        """The answer of the other transport."""
        line = f'{hop.method} {self._shown.address(hop.uri)}'
        LOG.debug('%s %s', line, self._fields(hop.fields))
        if hop.route.proxy is not None:
            LOG.debug('%s goes through %r', line, hop.route.proxy)
        start = time.perf_counter()
        try:
            reply: Reply = self._inner.send(hop)
        except Exception as error:
            LOG.debug('%s failed after %.1f ms: %r', line, _since(start), error)
            raise
        told = f'{reply.status} {reply.reason}'.rstrip()
        LOG.debug('%s answered %s after %.1f ms %s', line, told, _since(start), self._fields(reply.fields))
        return reply

    def _fields(self, fields: Iterable[tuple[str, str]]) -> str:
        # as Python writes texts, so that what a server sends moves no cursor of a terminal
        return '{' + ', '.join(f'{name}: {value!r}' for name, value in self._shown.fields(fields)) + '}'


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
