"""The ``multipart`` option: parts that belong together, ``multipart/related`` (RFC 2387) unless the caller's content-type names another kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.body import parts as pieces
from requite.errors import InvalidBody, InvalidOptionType, OptionsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requite.body.parts import Part

_BOUNDARY = re.compile(r';\s*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE)
_KEYS = {'data': 'data', 'chunked': 'chunked'}


class RelatedBody:
    """The parts, laid out byte for byte as Node's ``request`` does: nothing after the last boundary unless ``postamble`` asks for a line break.

    As in Node its length is unknown, and so it goes out chunked, as soon as one part is a stream: even a file whose size could be told.
    """

    __slots__ = ('_after', '_before', '_parts', 'headers', 'length')

    def __init__(self, parts: list[Part], boundary: str, kind: str, chunked: bool, breaks: tuple[bool, bool]) -> None:
        self._parts = parts
        self._before = pieces.CRLF if breaks[0] else b''
        self._after = b'--%s--' % boundary.encode() + (pieces.CRLF if breaks[1] else b'')
        self.headers = (('content-type', kind),)
        streamed = chunked or any(pieces.is_stream(part.content) for part in parts)
        self.length = None if streamed else pieces.total(parts, len(self._before) + len(self._after))

    @property
    def replayable(self) -> bool:
        """Whether it can be sent again: as every part says."""
        return all(part.content.replayable for part in self._parts)

    def check(self) -> None:
        """Raises ``InvalidBody`` where a part cannot be sent any more."""
        pieces.check(self._parts)

    def bind(self, thread: int | None) -> None:
        """Tells the responses among the parts which thread alone can read them, None where any may."""
        pieces.bind(self._parts, thread)

    def chunks(self) -> Iterator[bytes]:
        return pieces.laid(self._parts, self._before, self._after)


def encode(given: Any, content_type: str | None, preamble: bool = False, postamble: bool = False) -> RelatedBody:
    """The body that ``multipart`` becomes: a list of parts, or a mapping with ``data`` (the list) and ``chunked``.

    Each part is a mapping whose ``body`` is its content and whose other keys are its header fields. ``content_type`` is the caller's header:
    its boundary is used where it has one (quoted or not), a ``multipart/`` kind without one gets one, anything else is replaced. Raises
    ``OptionsError`` for what is no part; for a part without ``body``, or with None; and where a boundary of the caller's stands in a part.
    """
    chunked = False
    if isinstance(given, Mapping):
        given, chunked = _settings(given)
    kind, boundary = _kind(content_type)
    streams: list[Any] = []
    parts = [_part(index, entry, boundary, streams) for index, entry in enumerate(given)]
    return RelatedBody(parts, boundary, kind, chunked, (preamble, postamble))


def _settings(given: Mapping[str, Any]) -> tuple[Any, bool]:
    settings = checks.nested('multipart', given, _KEYS)
    data = settings.get('data')
    if not isinstance(data, (list, tuple)):
        raise InvalidOptionType(
            f"option 'multipart': Argument error, options.multipart. Its 'data' must be a list of parts, not {checks.kind(data)}"
        )
    return data, bool(checks.boolean("multipart['chunked']", settings.get('chunked')))


def _kind(content_type: str | None) -> tuple[str, str]:
    """The content-type to send, and the boundary in it."""
    if content_type is None or not content_type.lower().startswith('multipart/'):
        boundary = pieces.new_boundary()
        return f'multipart/related; boundary={boundary}', boundary
    found = _BOUNDARY.search(content_type)
    if found is None:
        boundary = pieces.new_boundary()
        return f'{content_type}; boundary={boundary}', boundary
    # Node takes the quotes of a quoted boundary into it: mended.
    boundary = found[2] if found[1] is None else re.sub(r'\\(.)', r'\1', found[1])
    if not boundary or boundary.endswith(' ') or not boundary.isascii() or not boundary.isprintable():
        raise OptionsError(
            "option 'headers': the boundary in content-type must be visible ASCII and may not end in a space (RFC 2046 5.1.1); leave it out to have one made"
        )
    return content_type, boundary


def _part(index: int, given: Any, boundary: str, streams: list[Any]) -> Part:
    place = f"option 'multipart': part {index}"
    if not isinstance(given, Mapping):
        raise InvalidBody(f"{place} must be a mapping with 'body' and header fields, not {checks.kind(given)}")
    value = given.get('body')
    if value is None:
        raise InvalidBody(f"Body attribute missing in multipart. {place} needs 'body'; give '' for an empty one")
    lines = ''.join(pieces.line(place, key, item) for key, item in given.items() if key != 'body' and item is not None)
    if isinstance(value, Mapping):
        raise InvalidBody(f'the body of {place} is {checks.kind(value)}; give it as text, such as json.dumps() of it')
    head = pieces.text(place, f'--{boundary}\r\n{lines}\r\n')
    part = pieces.Part(head, pieces.content(f'the body of {place}', value))
    pieces.once(place, value, part.content, streams)
    pieces.clear(place, boundary, part)
    return part
