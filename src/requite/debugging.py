"""What ``request.debug``, ``REQUITE_DEBUG`` and ``NODE_DEBUG=request`` switch: the ``requite`` logger tells on standard error what is sent and answered."""

from __future__ import annotations

import logging
import os
import re

LOG = logging.getLogger('requite')
FORMAT = '%(asctime)s REQUEST %(message)s'

_handler: logging.Handler | None = None
_level = logging.NOTSET


def switch(on: bool) -> None:
    """Has the logger tell on standard error, or no more."""
    global _handler, _level
    if on and _handler is None:
        _handler = logging.StreamHandler()
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
