"""What cookies may raise, beside what a wrong option raises everywhere."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from requite import checks
from requite.errors import InvalidOptionType, RequestError, UnknownOption

_log = logging.getLogger('requite')


class CookieError(RequestError, ValueError):
    """A cookie that may not be kept: unreadable, too large, for another site, or against the rules of its own prefix.

    Raised where the caller sets a cookie; what a server sends is dropped instead, with a line at DEBUG. The text never holds the cookie's value.
    """


class CookieStoreError(RequestError, OSError):
    """A store that cannot be read or written: a damaged file, a database that is locked or gone. The file is left as it was found."""


def ignored(given: tuple[bool | Mapping[str, Any] | None, ...], more: Mapping[str, Any]) -> bool:
    """Whether the errors of a cookie are to be ignored: by a flag, by Node's mapping in its place, or by a keyword in either spelling, which wins."""
    if len(given) > 1:
        raise InvalidOptionType(
            f'set_cookie takes a cookie, a URL and one mapping of options, not {len(given) - 1} more; leave out what follows the options'
        )
    options: dict[str, Any] = {}
    for one in given:
        options = dict(one) if isinstance(one, Mapping) else {'ignore_error': one}
    options |= more
    ignore = False
    for name, value in options.items():
        if name not in ('ignore_error', 'ignoreError'):
            raise UnknownOption(
                f"set_cookie has no option {str(name)[:60]!r}; it knows 'ignore_error', in Node 'ignoreError'"
            )
        if value is not None and not isinstance(value, bool):
            raise InvalidOptionType(f'option {name!r} of set_cookie must be True or False, not {checks.kind(value)}')
        ignore = bool(value)
    return ignore


def tell(reason: CookieError, host: str) -> None:
    """Says at DEBUG why a cookie that a host set was dropped."""
    _log.debug('a cookie from %s was dropped: %s', host, reason)


def tell_of_waiting(count: int) -> None:
    """Says at DEBUG that cookies without a domain go with their jar: its store never saw them."""
    if count:
        _log.debug('cookies that were added and still wait for their first host are not in the store: %d', count)
