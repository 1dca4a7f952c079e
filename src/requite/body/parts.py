"""What a part of a multipart body is made of: a head, a content that is read as it is sent, and the boundary between the parts.

Sources: RFC 2046 5.1.1 (boundaries), RFC 7578 and the WHATWG HTML standard (names in form-data), npm's form-data 2.3 (Node's ``request``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from threading import get_ident
from typing import TYPE_CHECKING, Any, NamedTuple

from requite import checks
from requite.body import source
from requite.body.source import FileBody, IterableBody, as_bytes
from requite.errors import InvalidBody, InvalidOptionType, OptionsError
from requite.headers import TOKEN
from requite.message import BytesBody

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from requite.protocols import Body

CRLF = b'\r\n'
SMALL = 16384
"""Pieces in memory up to this size are joined before they are sent, in bytes."""

_CONTROL = re.compile(r'[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]')
_LINE = re.compile('[^\t\x20-\x7e\x80-\U0010ffff]')
_ESCAPES = {ord('\r'): '%0D', ord('\n'): '%0A', ord('"'): '%22'}


class Part(NamedTuple):
    """One part: its head (the boundary line and the blank line included) and its content."""

    head: bytes
    content: Body


def new_boundary() -> str:
    """A boundary nobody can foresee: 128 bits of the system's own randomness, in Node's looks (26 dashes and digits; SECURITY Q6)."""
    from secrets import randbits

    return f'{"-" * 26}{randbits(128):039d}'


def text(place: str, value: str) -> bytes:
    """Text as UTF-8; ``place`` says in errors where it stands."""
    try:
        return value.encode('utf-8')
    except UnicodeEncodeError:
        raise InvalidBody(
            f'{place} holds a lone surrogate (U+D800 to U+DFFF), which UTF-8 cannot carry: replace it'
        ) from None


def quoted(place: str, value: str) -> str:
    """A name between quotes, escaped as browsers do it: ``%22``, ``%0D``, ``%0A`` (WHATWG); other control characters are an error (SECURITY Q1)."""
    found = _CONTROL.search(value)
    if found is not None:
        raise OptionsError(f'{place} may not hold the control character {found[0]!r}; take it out')
    return f'"{value.translate(_ESCAPES)}"'


def line(place: str, key: Any, value: Any) -> str:
    """One header line of a part. Its value is a str, sent as UTF-8, or a number; a line break in either would begin another line and is an error."""
    if not isinstance(key, str) or TOKEN.fullmatch(key) is None:
        raise OptionsError(
            f'{place}: the name of a header must be a str of letters, digits and -, not {checks.kind(key) if not isinstance(key, str) else "what is there"}'
        )
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        from requite.wire.jstext import number_text

        value = number_text(value)
    if not isinstance(value, str):
        raise InvalidOptionType(f'{place}: header {key!r} must be a str or a number, not {checks.kind(value)}')
    found = _LINE.search(value)
    if found is not None:
        raise OptionsError(f'{place}: the value of header {key!r} may not hold {found[0]!r}; take it out')
    return f'{key}: {value}\r\n'


def content(place: str, value: Any) -> Body:
    """The content of a part: str, bytes, a number, a binary file, a request or response, or an iterable of bytes.

    Numbers are written as JavaScript writes them. Anything else raises ``InvalidBody`` with its ``place`` and what to give instead.
    """
    if isinstance(value, str):
        return BytesBody(text(place, value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return BytesBody(bytes(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return BytesBody(_number(place, value))
    from requite.body import remote

    if remote.is_one(value):
        return remote.RemoteBody(value, place)
    if hasattr(value, 'read') and not isinstance(value, type):
        return _file(place, value)
    if isinstance(value, (list, tuple)):
        _check_pieces(place, value)
    if hasattr(value, '__iter__') and not isinstance(value, (Mapping, AbstractSet, type)):
        return BytesBody(value.tobytes()) if hasattr(value, 'tobytes') else IterableBody(value, place=place)
    raise InvalidBody(f'{place} is {checks.kind(value)}; {_fix(value)}')


def once(place: str, value: Any, body: Body, before: list[Any]) -> None:
    """Raises ``InvalidBody`` for a stream that another part has already: it can be read only once. Remembers it in ``before`` otherwise."""
    if is_stream(body) and not body.replayable:
        if any(value is other for other in before):
            raise InvalidBody(
                f'{place} is the very stream that another part is, and can be read only once; give bytes, or two streams'
            )
        before.append(value)


def is_stream(value: Body) -> bool:
    """Whether the content is read as it is sent, rather than lying in memory."""
    return type(value) is not BytesBody


def _check_pieces(place: str, pieces: Any) -> None:
    """Raises ``InvalidBody`` for a list that holds what cannot be sent: an iterator is only known when it is read, a list now."""
    for piece in pieces:
        as_bytes(piece, place)


def _number(place: str, value: float) -> bytes:
    from requite.wire.jstext import number_text

    if value - value != 0:  # NaN and the infinities
        raise InvalidBody(
            f'{place} is {value!r}, which is no number that a server can read; leave it out, or give it as text'
        )
    return number_text(value).encode('ascii')


def _fix(value: Any) -> str:
    if value is None:
        return "leave the field out, or give '' for an empty one"
    if isinstance(value, type):
        return 'give an object, not its class'
    if isinstance(value, bool):
        return "give it as text, 'true' or 'false'"
    if isinstance(value, Mapping):
        return "give {'value': ..., 'options': {...}}, or json.dumps() of it as text"
    if hasattr(value, '__fspath__'):
        return "open it: open(path, 'rb')"
    return 'give str, bytes, a number, a file opened with mode "rb", a request or response, or an iterable of bytes'


def _file(place: str, file: Any) -> Body:
    body = FileBody(file, place)
    return body if body.length is None else MeasuredBody(body, body.length, place, False)


class MeasuredBody:
    """Another body, held to a length that was promised: with ``cut`` what is longer is not read on, else that is an error; what is shorter always is.

    The error comes while the request is being sent, so the connection is reset and no server takes the part for the whole (SECURITY Q3).
    """

    __slots__ = ('_body', '_cut', '_place', 'bind', 'headers', 'length')

    def __init__(self, body: Body, length: int, place: str, cut: bool) -> None:
        self._body = body
        self.bind = getattr(body, 'bind', None)
        self._cut = cut
        self._place = place
        self.length = length
        self.headers: tuple[tuple[str, str], ...] = ()

    @property
    def replayable(self) -> bool:
        """Whether it can be sent again: as the other body says."""
        return self._body.replayable

    def check(self) -> None:
        """Raises ``InvalidBody`` where the other body cannot be sent any more."""
        source.check(self._body)

    def chunks(self) -> Iterator[bytes]:
        left = self.length
        if not left and self._cut:
            return
        for piece in self._body.chunks():
            if len(piece) > left:
                if not self._cut:
                    raise InvalidBody(
                        f'{self._place} is longer than the {self.length} bytes that were stated as its length'
                    )
                piece = piece[:left]
            left -= len(piece)
            yield piece
            if not left and self._cut:
                return
        if left:
            raise InvalidBody(
                f'{self._place} is shorter than promised: {self.length} bytes were announced, {self.length - left} came'
            )


def total(parts: Iterable[Part], around: int) -> int | None:
    """The length of parts and their line breaks, plus ``around`` bytes; None as soon as one of them does not know its own."""
    size, asked = around, []
    try:
        for part in parts:
            length = part.content.length
            if length is None:
                return None
            size += len(part.head) + length + 2
            if is_stream(
                part.content
            ):  # the next part may be a request, and want the very connection that this one holds
                asked.append(part)
                bind((part,), get_ident())
        return size
    finally:
        bind(asked, None)


def bind(parts: Iterable[Part], thread: int | None) -> None:
    """Tells the responses among the parts which thread alone can read them, None where any may."""
    for part in parts:
        asked = getattr(part.content, 'bind', None)
        if asked is not None:
            asked(thread)


def check(parts: Iterable[Part]) -> None:
    """Raises ``InvalidBody`` where one of them cannot be sent any more, as a file that was closed."""
    for part in parts:
        source.check(part.content)


def laid(parts: Iterable[Part], before: bytes, closing: bytes) -> Iterator[bytes]:
    """The bytes of a multipart body in pieces: what is small and in memory is joined, the rest passes through as it is read."""
    waiting = [before] if before else []
    size = len(before)
    for head, body in parts:
        waiting.append(head)
        size += len(head)
        if type(body) is BytesBody and len(body.data) <= SMALL:
            waiting.append(body.data)
            size += len(body.data)
        else:
            yield b''.join(waiting)
            yield from body.chunks()
            waiting, size = [], 0
        waiting.append(CRLF)
        if size > 4 * SMALL:
            yield b''.join(waiting)
            waiting, size = [], 0
    waiting.append(closing)
    yield b''.join(waiting)


def clear(place: str, boundary: str, part: Part) -> None:
    """Raises ``InvalidBody`` where a part that lies in memory has the boundary at the start of a line: the server would cut it there (SECURITY Q6)."""
    if type(part.content) is not BytesBody:
        return
    data, delimiter = part.content.data, b'--' + boundary.encode()
    if data.startswith(delimiter) or b'\n' + delimiter in data:
        raise InvalidBody(f'{place} holds the boundary between the parts; choose another boundary')
