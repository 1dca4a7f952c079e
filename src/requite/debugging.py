"""What ``request.debug``, ``REQUITE_DEBUG`` and ``NODE_DEBUG=request`` switch: the ``requite`` logger tells on standard error what is sent and answered."""

from __future__ import annotations

import logging
import os
import re
import sys

LOG = logging.getLogger('requite')
FORMAT = '%(asctime)s REQUEST %(message)s'


class Teller(logging.Handler):
    """Writes to whatever standard error is at the moment, unless the root logger writes there already."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line."""
        stream = sys.stderr
        if stream is None or _told_by_root(record):
            return
        try:
            stream.write(self.format(record) + '\n')
            stream.flush()
        except Exception:  # noqa: BLE001 - as every handler does: what cannot be told stops nobody
            self.handleError(record)


def _told_by_root(record: logging.LogRecord) -> bool:
    return LOG.propagate and any(
        getattr(handler, 'stream', None) is sys.stderr and handler.level <= record.levelno
        for handler in logging.getLogger().handlers
    )


_handler: logging.Handler | None = None
_level = logging.NOTSET


def switch(on: bool) -> None:
    """Has the logger tell on standard error, or no more."""
    global _handler, _level
    if on and _handler is None:
        _handler = Teller()
        _handler.setFormatter(logging.Formatter(FORMAT))
        _level = LOG.level
        LOG.addHandler(_handler)
        LOG.setLevel(logging.DEBUG)
    elif not on and _handler is not None:
        LOG.removeHandler(_handler)
        LOG.setLevel(_level)
        _handler = None


def switched() -> bool:
    """Whether it does."""
    return _handler is not None


def by_environment() -> None:
    """Looks whether the environment asks for it, as Node's ``request`` does once when it is loaded."""
    wanted = os.environ.get('REQUITE_DEBUG', '').strip().lower() not in ('', '0', 'false', 'no', 'off')
    if wanted or re.search(r'\brequest\b', os.environ.get('NODE_DEBUG', '')):
        switch(True)
