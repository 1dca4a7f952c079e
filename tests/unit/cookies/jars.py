"""A jar with a clock of its own, for the tests of this folder."""

from __future__ import annotations

from typing import Any

from requite.cookies import CookieJar
from requite.wire.uri import parse

NOW = 1_700_000_000.0


class Clock:
    """Seconds since 1970 that pass when a test says so."""

    def __init__(self, seconds: float = NOW) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def jar_with(*texts: str, url: str = 'https://www.example.com/', **options: Any) -> CookieJar:
    """A jar that was given these Set-Cookie headers by one response."""
    jar = CookieJar(now=options.pop('now', Clock()), **options)
    jar.remember(parse(url), texts)
    return jar


def sent(jar: CookieJar, url: str = 'https://www.example.com/') -> str:
    """The Cookie header for a URL."""
    return jar.header(parse(url))
