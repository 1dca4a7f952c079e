"""A transport around the everyday one: every hop goes to one local port, and what passed is remembered. The tour looks at the wire through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from requite.routes import Route
from requite.transport import pooled
from requite.transport.pools import Pool

if TYPE_CHECKING:
    from requite.message import Hop


class Heard:
    """A reply like the one it wraps, which remembers the bytes of the body that were read."""

    def __init__(self, reply: Any) -> None:
        self._reply = reply
        self.body = b''

    def read(self, size: int = 262144) -> bytes:
        """As ``Reply.read``."""
        data: bytes = self._reply.read(size)
        self.body += data
        return data

    def collect(self, limit: int | None = None) -> bytes:
        """As ``Reply.collect``."""
        data: bytes = self._reply.collect(limit)
        self.body += data
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reply, name)


class Exchange(NamedTuple):
    """One hop and what came of it: a reply or an error."""

    hop: Hop
    reply: Heard | None
    error: Exception | None


class Diversion:
    """A transport that sends every hop to one port of 127.0.0.1, whatever host it names; ``exchanges`` tells what passed."""

    def __init__(self, port: int) -> None:
        self.pool = Pool()
        self.exchanges: list[Exchange] = []
        self._route = Route('http', '127.0.0.1', port)

    def send(self, hop: Hop) -> Heard:
        """Sends ``hop`` by the everyday transport, with another route."""
        try:
            reply = Heard(pooled.DEFAULT.send(hop._replace(route=self._route)))
        except Exception as error:
            self.exchanges.append(Exchange(hop, None, error))
            raise
        self.exchanges.append(Exchange(hop, reply, None))
        return reply
