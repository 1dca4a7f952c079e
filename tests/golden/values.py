"""The value tokens of a case, ``{"$bytes_b64": ..}`` and its kin, as the Python values that a user would pass in their place."""

from __future__ import annotations

import base64
import io
import urllib.parse
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Inexpressible(Exception):
    """The case gives a value that JavaScript has and Python has not; its text says which."""


class NamedBytes(io.BytesIO):
    """A part of a file: readable, with the name of the whole."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


LEFT_OUT = object()
"""JavaScript's undefined, until its place says what becomes of it."""


class Values:
    """Makes the values of one case.

    ``folder`` is where files are written, ``jars`` the cookie jars by name, ``keys`` PEM texts by name, ``callback`` what stands for
    ``{"$cb": true}``. Opened files are closed by ``close()``.
    """

    def __init__(self, folder: Path, jars: dict[str, Any], keys: dict[str, str], callback: Callable[..., None]) -> None:
        self.folder = folder
        self.jars = jars
        self.keys = keys
        self.callback = callback
        self._files: list[Any] = []
        self._makers: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
            '$bytes_b64': lambda given, _: base64.b64decode(given),
            '$typed_b64': lambda given, _: bytearray(base64.b64decode(given)),
            '$file': lambda given, _: self.file(given),
            '$stream': lambda given, _: stream(given),
            '$jar': lambda given, _: self.jars[given],
            '$key': lambda given, _: self.keys[given],
            '$cb': lambda given, _: self.callback,
            '$undefined': lambda given, _: LEFT_OUT,
            '$url': lambda given, _: urllib.parse.urlparse(given),
            '$URL': lambda given, _: urllib.parse.urlsplit(given),
            '$date': lambda given, _: datetime.fromisoformat(given.replace('Z', '+00:00')),
            '$number': lambda given, _: float(given.replace('Infinity', 'inf')),
            '$repeat': lambda given, _: given[0] * given[1],
            '$circular': lambda given, whole: self._circular(given, whole['key']),
            '$fn': function,
        }

    def __call__(self, given: Any) -> Any:
        """The Python value of a JSON value: an undefined member of a mapping is left out, one of a list is None (as JSON.stringify has it)."""
        if isinstance(given, list):
            return [None if (made := self(value)) is LEFT_OUT else made for value in given]
        if isinstance(given, dict):
            for token, make in self._makers.items():
                if token in given:
                    return make(given[token], given)
            return {key: made for key, value in given.items() if (made := self(value)) is not LEFT_OUT}
        return given

    def arguments(self, given: list[Any]) -> list[Any]:
        """The arguments of a call; an undefined one is None, but for the first: Python's call without it is another call."""
        made = [self(value) for value in given]
        if made and made[0] is LEFT_OUT:
            raise Inexpressible('undefined as the first argument')
        while made and made[-1] is LEFT_OUT:
            made.pop()
        return [None if value is LEFT_OUT else value for value in made]

    def file(self, given: dict[str, Any]) -> Any:
        """A file opened for reading, or a named part of it where a range (both ends included) is given."""
        if given.get('missing'):
            raise Inexpressible('a stream of a missing file: open() raises before the library is asked')
        content = content_of(given)
        path = self.folder / f'f{len(self._files)}' / given['name']
        path.parent.mkdir()
        path.write_bytes(content)
        if 'range' in given:
            first, last = given['range']
            opened: Any = NamedBytes(content[first : last + 1], str(path))
        else:
            opened = path.open('rb')
        self._files.append(opened)
        return opened

    def close(self) -> None:
        """Closes every file that was opened."""
        for opened in self._files:
            opened.close()

    def _circular(self, given: Any, key: str) -> Any:
        made = self(given)
        made[key] = made
        return made


def content_of(given: Mapping[str, Any]) -> bytes:
    """The bytes that a file, a stream or an incoming message of a case is made of."""
    if 'content_b64' in given:
        return base64.b64decode(given['content_b64'])
    if 'chunks' in given:
        return b''.join(chunk_bytes(chunk) for chunk in given['chunks'])
    return chunk_bytes(given.get('content', ''))


def chunk_bytes(given: Any) -> bytes:
    """Text, ``{"$repeat": [text, n]}`` or ``{"data": text}`` as UTF-8."""
    if isinstance(given, Mapping):
        if '$repeat' in given:
            given = given['$repeat'][0] * given['$repeat'][1]
        elif '$bytes_b64' in given:
            return base64.b64decode(given['$bytes_b64'])
        else:
            given = given.get('data', '')
    return str(given).encode()


def stream(given: Mapping[str, Any]) -> Iterator[bytes]:
    """A stream without a name and of unknown length: in Python, a generator of bytes."""
    if 'chunks' in given:
        yield from (chunk_bytes(chunk) for chunk in given['chunks'])
    else:
        yield content_of(given)


def function(kind: str, given: dict[str, Any]) -> Callable[..., Any]:
    """The function that ``{"$fn": kind, ..}`` describes."""
    makers: dict[str, Callable[[], Callable[..., Any]]] = {
        'const': lambda: lambda *_: given.get('value'),
        'status_in': lambda: lambda response: response.status_code in given['codes'],
        'location_has': lambda: lambda response: given['text'] in str(response.headers.get('location') or ''),
        'reviver_inc': lambda: lambda key, value: value + 1 if _is_number(value) else value,
        'replacer_drop': lambda: lambda key, value: undefined() if key in given['keys'] else value,
        'requester_header': lambda: requester_header(given['name'], given['value']),
    }
    if kind not in makers:
        raise Inexpressible(f'unknown function {kind}')
    return makers[kind]()


def undefined() -> Any:
    """What a replacer returns to leave a member out, as JavaScript's undefined does."""
    from requite import DROP

    return DROP


def requester_header(name: str, value: str) -> Callable[..., Any]:
    """A custom requester that adds one header and hands on to the plain ``request``."""

    def requester(options: Mapping[str, Any], callback: Any = None) -> Any:
        from requite import request

        headers = {**(options.get('headers') or {}), name: value}
        return (
            request({**options, 'headers': headers}, callback) if callback else request({**options, 'headers': headers})
        )

    return requester


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
