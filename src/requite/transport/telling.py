"""A transport around the transport that tells the ``requite`` logger what is sent and answered, at DEBUG and without credentials."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from requite import redaction
from requite.debugging import LOG

if TYPE_CHECKING:
    from requite.message import Hop, Reply
    from requite.protocols import Transport


class Telling:
    """Sends hops by another transport and tells of each."""

    def __init__(self, inner: Transport) -> None:
        self.pool = inner.pool
        self._inner = inner

    def send(self, hop: Hop) -> Reply:
        """The answer of the other transport."""
        LOG.debug('%s %s %s', hop.method, hop.uri.redacted(), _shown(hop.fields))
        if hop.route.proxy is not None:
            LOG.debug('... through %r', hop.route.proxy)
        start = time.perf_counter()
        try:
            reply: Reply = self._inner.send(hop)
        except Exception as error:
            LOG.debug('%s %s failed after %.1f ms: %r', hop.method, hop.uri.redacted(), _since(start), error)
            raise
        LOG.debug(
            '%s %s answered %d %s after %.1f ms %s',
            hop.method,
            hop.uri.redacted(),
            reply.status,
            reply.reason,
            _since(start),
            _shown(reply.fields),
        )
        return reply


def _shown(fields: object) -> dict[str, str]:
    return dict(redaction.fields(fields))  # type: ignore[arg-type]


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
