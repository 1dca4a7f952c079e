"""What cookies may raise, beside what a wrong option raises everywhere."""

from __future__ import annotations

import logging

from requite.errors import RequestError

_log = logging.getLogger('requite')


class CookieError(RequestError, ValueError):
    """A cookie that may not be kept: unreadable, too large, for another site, or against the rules of its own prefix.

    Raised where the caller sets a cookie; what a server sends is dropped instead, with a line at DEBUG. The text never holds the cookie's value.
    """


class CookieStoreError(RequestError, OSError):
    """A store that cannot be read or written: a damaged file, a database that is locked or gone. The file is left as it was found."""


def tell(reason: CookieError, host: str) -> None:
    """Says at DEBUG why a cookie that a host set was dropped."""
    _log.debug('a cookie from %s was dropped: %s', host, reason)
