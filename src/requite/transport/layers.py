"""Transports around the transport, as the options of a request ask for them."""

from __future__ import annotations

from logging import DEBUG
from typing import TYPE_CHECKING

from requite.debugging import LOG

if TYPE_CHECKING:
    from requite.options import Options
    from requite.protocols import Transport, Watch


def around(options: Options, transport: Transport, watch: Watch) -> Transport:
    """The transport of one exchange: the logs see each attempt, retries are around them."""
    if LOG.isEnabledFor(DEBUG):
        from requite.transport.telling import Telling

        transport = Telling(transport, options.hidden)
    if options.har_log is not None:
        from requite.transport.recording import Recording, log_of

        transport = Recording(transport, log_of(options.har_log), options.hidden)
    if options.retry is not None:
        from requite.transport.retrying import Retrying

        transport = Retrying(transport, options.retry, watch)
    return transport
