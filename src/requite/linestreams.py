"""A body as lines of text, and as the events that a server sends (WHATWG HTML, 9.2 "Server-sent events"): each as soon as it is complete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from requite.wire.text import Incremental

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from typing_extensions import Self

    Check = Callable[[int], object] | None
    """Told how many characters something has come to; raises where that is too many."""

Item = TypeVar('Item')
_BREAK = re.compile('\r\n|\r|\n')


class ServerEvent(NamedTuple):
    """One server-sent event: its type (``message`` unless it names one), its data (lines joined with LF), the last id that was sent, and the
    milliseconds to wait before connecting again where this event said so.
    """

    event: str
    data: str
    id: str = ''
    retry: int | None = None

    def json(self) -> Any:
        """The data parsed as JSON; raises ``ValueError`` when it is none."""
        from requite.wire.jsondoc import loads

        return loads(self.data)


class Stream(Generic[Item]):
    """Lines or events of one body, for ``for`` and, each read in a worker, for ``async for``. Whoever leaves the loop may go on later."""

    def __init__(
        self, items: Iterator[Item], awaited: Callable[[Iterator[Item]], AsyncIterator[Item]], parser: Any = None
    ) -> None:
        self._items = items
        self._awaited = awaited
        self._parser = parser

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        return next(self._items)

    def __aiter__(self) -> AsyncIterator[Item]:
        return self._awaited(self._items)


class Events(Stream[ServerEvent]):
    """The events of one body. ``last_id`` and ``retry`` are for whoever connects again: what to send as ``last-event-id``, and after how many milliseconds."""

    @property
    def last_id(self) -> str:
        """The last id that was sent; ``''`` where there was none."""
        return self._parser.id  # type: ignore[no-any-return]

    @property
    def retry(self) -> int | None:
        """Milliseconds to wait before connecting again; None where the server said nothing."""
        return self._parser.retry  # type: ignore[no-any-return]


def lines(pieces: Iterable[bytes], encoding: str, check: Check = None) -> Iterator[str]:
    """Text without its line breaks (LF or CRLF); the last line even without a break. ``check`` is told how many characters a line has come to."""
    decoder = Incremental(encoding)
    open_ = Open(check)
    for piece in pieces:
        for line in open_.complete(decoder.feed(piece).split('\n')):
            if check is not None:
                check(len(line))
            yield line[:-1] if line[-1:] == '\r' else line
    if rest := open_.end() + decoder.end():
        if check is not None:
            check(len(rest))
        yield rest


def event_lines(pieces: Iterable[bytes], check: Check = None) -> Iterator[str]:
    """UTF-8 without its byte order mark, as lines that end with CR, LF or CRLF; what has no end by the end of the body is dropped, as the standard says."""
    decoder = Incremental('utf-8')
    open_ = Open(check)
    returned = False  # the text so far ended with CR: an LF that follows belongs to it
    for piece in pieces:
        text = decoder.feed(piece)
        if not text:
            continue
        if returned:
            text = text.removeprefix('\n')
        returned = text.endswith('\r')
        for line in open_.complete(_BREAK.split(text) if '\r' in text else text.split('\n')):
            if check is not None:
                check(len(line))
            yield line


class Open:
    """The line that is not complete yet, however many pieces it has come in."""

    def __init__(self, check: Check) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._check = check

    def complete(self, split: list[str]) -> list[str]:
        """The lines that are complete with one more piece of text, split at its line breaks."""
        self._parts.append(split[0])
        if len(split) > 1:
            split[0] = self.end()
            self._parts.append(split.pop())
            self._size = len(self._parts[0])
            return split
        self._size += len(split[0])
        if self._check is not None:
            self._check(self._size)
        return []

    def end(self) -> str:
        """What there is of it; begins another one."""
        text = ''.join(self._parts)
        self._parts = []
        return text


class Parser:
    """Makes events of lines. ``id`` and ``retry`` are what was said last."""

    def __init__(self, check: Check = None) -> None:
        self.id = ''
        self.retry: int | None = None
        self._check = check
        self._clear()

    def _clear(self) -> None:
        self._type = ''
        self._data: list[str] = []
        self._size = 0
        self._pause: int | None = None

    def events(self, pieces: Iterable[bytes]) -> Iterator[ServerEvent]:
        """The events of a body; one that no blank line ends is dropped."""
        for line in event_lines(pieces, self._check):
            if line:
                self._field(line)
            elif (event := self._dispatch()) is not None:
                yield event

    def _field(self, line: str) -> None:
        name, _, value = line.partition(':')
        value = value.removeprefix(' ')
        if name == 'data':
            self._data.append(value)
            self._size += len(value) + 1
            if self._check is not None:
                self._check(self._size)
        elif name == 'event':
            self._type = value
        elif name == 'id' and '\0' not in value:
            self.id = value
        elif name == 'retry' and value.isascii() and value.isdigit() and len(value) < 16:
            self.retry = self._pause = int(value)
        # anything else, comments too (their name is ''), is passed over

    def _dispatch(self) -> ServerEvent | None:
        event = (
            ServerEvent(self._type or 'message', '\n'.join(self._data), self.id, self._pause) if self._data else None
        )
        self._clear()
        return event
