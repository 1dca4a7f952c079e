"""Coverage-guided fuzzing of what servers say about cookies, dates and redirects: ``python -m tests.properties.atheris_fuzz [seconds]``.

Outside CI, as it wants the package ``atheris`` and ten minutes (600 seconds unless told). The same promises as in test_fuzz.py: no exception but
ours, nothing that cannot be sent, and no input that takes longer than five seconds (SECURITY C3, C5, P1, P2, R6, R10).
"""

from __future__ import annotations

import logging
import sys
from typing import Any

NOW = 1_700_000_000.0


def check(data: bytes) -> None:
    """Hands one input to every reader; the first byte says at which URL it came."""
    from requite.cookies import dates
    from requite.cookies.stores import netscape
    from requite.wire.uri import parse

    text = data[1:].decode('latin-1')
    base = parse(('https://www.example.com/a/b?c#d', 'http://[::1]:8080/', 'http://unix:/s.sock:/a/b')[data[0] % 3])
    jar = _jar()
    jar.remember(base, text.split('\n'))
    _sendable(jar.header(base))
    again = _jar()
    again._load(type(jar).from_json(jar.to_json()).store.all())
    assert again.header(base) == jar.header(base)
    netscape.read(netscape.write(jar.store.all()).encode('latin-1'))
    _files(data[1:])
    when = dates.parse(text)
    assert when is None or dates.parse(dates.write(when)) == when
    _location(base, text)


def _jar() -> Any:
    from requite.cookies import CookieJar

    return CookieJar(now=lambda: NOW)


def _sendable(header: str) -> None:
    from requite.headers import FIELD_VALUE

    assert len(header) <= 8192
    assert FIELD_VALUE.fullmatch(header) is not None


def _files(data: bytes) -> None:
    from requite.cookies import CookieError
    from requite.cookies.stores import jsonfile, netscape

    for read in (netscape.read, jsonfile.read):
        try:
            read(data)
        except CookieError as reason:
            assert len(str(reason)) < 400


def _location(base: Any, text: str) -> None:
    from requite.errors import InvalidProtocol, InvalidURI
    from requite.wire.uri import parse, resolve

    try:
        uri = resolve(base, text)
    except (InvalidURI, InvalidProtocol):
        return
    assert uri.scheme in ('http', 'https')
    assert uri.socket_path is None or uri.origin == base.origin
    assert all('!' <= char <= '~' and char != '#' for char in uri.target)
    assert parse(uri.href).origin == uri.origin


def main(seconds: int) -> None:
    """Runs until the time is up, or until an input breaks a promise: libFuzzer then writes it into a file beside."""
    import atheris

    with atheris.instrument_imports(include=['requite']):
        check(b'\0a=1; Domain=example.com')
    logging.getLogger('requite').setLevel(logging.WARNING)

    def one(data: bytes) -> None:
        if data:
            check(data)

    atheris.Setup([sys.argv[0], f'-max_total_time={seconds}', '-timeout=5', '-max_len=4096'], one)
    atheris.Fuzz()


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
