"""What the ``jar`` option may hold, as the two methods that an exchange needs: ``header(uri)`` and ``remember(uri, values)``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from requite import checks
from requite.cookies import jar as jars
from requite.cookies.rules import wire
from requite.errors import InvalidOptionType
from requite.headers import FIELD_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from requite.wire.uri import Uri

_log = logging.getLogger('requite')


class Jar(Protocol):
    """What an exchange asks of a jar: the Cookie header for a URI, and to remember what a response from there sets."""

    def header(self, uri: Uri, /) -> str: ...
    def remember(self, uri: Uri, set_cookie_values: Iterable[str], /) -> None: ...


def jar_of(value: Any) -> Jar | None:
    """The jar that the ``jar`` option means: True the one of the process, None and False none, a :class:`CookieJar` itself.

    Any other object will do that has ``get_cookie_string(url)`` and ``set_cookie(text, url)``, or Node's ``getCookieString`` and ``setCookie``, both
    plain methods that block. Raises InvalidOptionType for anything else (Node takes the global jar for whatever it does not know: mended).
    """
    if value is None or value is False:
        return None
    if value is True:
        return jars.GLOBAL
    if isinstance(value, type):
        raise InvalidOptionType(
            f"option 'jar' must be True or a jar, not the class {value.__name__}: give {value.__name__}()"
        )
    if callable(getattr(value, 'header', None)) and callable(getattr(value, 'remember', None)):
        found: Jar = value
        return found
    get = _method(value, 'get_cookie_string', 'getCookieString')
    put = _method(value, 'set_cookie', 'setCookie')
    if get is None or put is None:
        raise InvalidOptionType(
            f"option 'jar' must be True or a jar, not {checks.kind(value)}; a jar of your own needs get_cookie_string(url) and set_cookie(text, url)"
        )
    return ForeignJar(get, put)


def _method(value: Any, *names: str) -> Callable[..., Any] | None:
    for name in names:
        found: Any = getattr(value, name, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
    return None


class ForeignJar:
    """A jar that somebody else made. What it refuses is dropped, and what it gives is sent where a header may hold it (SECURITY C3)."""

    def __init__(self, get_cookie_string: Callable[..., Any], set_cookie: Callable[..., Any]) -> None:
        self._get = get_cookie_string
        self._set = set_cookie

    def header(self, uri: Uri) -> str:
        """The value of the Cookie header; '' for none."""
        text = self._get(_address(uri))
        if not text:
            return ''
        if not isinstance(text, str):
            raise InvalidOptionType(
                f"option 'jar': its get_cookie_string must give a str, not {checks.kind(text)}; it may not be a coroutine"
            )
        text = wire(text)
        if FIELD_VALUE.fullmatch(text) is None:
            _log.debug('the cookies of a jar for %s were not sent: no header may hold them', uri.host)
            return ''
        return text

    def remember(self, uri: Uri, set_cookie_values: Iterable[str]) -> None:
        """Hands the jar each Set-Cookie header of a response in order."""
        address = _address(uri)
        for text in set_cookie_values:
            try:
                self._set(text, address)
            except Exception as reason:  # noqa: BLE001 -- whatever a foreign jar raises for a cookie it refuses; Node passes ignoreError
                _log.debug('a cookie from %s was dropped: %s', uri.host, type(reason).__name__)


def _address(uri: Uri) -> str:
    return str(uri.without_userinfo().without_fragment())
