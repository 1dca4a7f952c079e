"""The ``form_data`` option and what ``request.form()`` gives: fields and files as ``multipart/form-data`` (RFC 7578)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.body import parts as pieces
from requite.body import remote
from requite.body.source import tells_its_kind
from requite.errors import InvalidBody, InvalidOptionType, OptionsError
from requite.message import BytesBody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from requite.body.parts import Part
    from requite.protocols import Body

DEFAULT_TYPE = 'application/octet-stream'
JOINED = 65536
"""Forms up to this size that lie in memory are sent in one piece, in bytes."""

_FIELD = {'value': 'value', 'options': 'options'}
_OPTIONS = {
    'filename': 'filename',
    'filepath': 'filepath',
    'content_type': 'content_type',
    'contentType': 'content_type',
    'known_length': 'known_length',
    'knownLength': 'known_length',
    'header': 'header',
}


class FormData:
    """Fields and files on their way to ``multipart/form-data``; a request body, whose parts are read as they are sent.

    ``request.form()`` gives one that belongs to its request: ``append`` to it until that is sent. One made by itself is given as ``form_data``.
    Files keep the size that they have when they are appended: one that grows later is cut there, one that shrinks is an error.
    """

    def __init__(self, before_append: Callable[[], object] | None = None) -> None:
        self._boundary = pieces.new_boundary()
        self._before_append = before_append
        self._parts: list[Part] = []
        self._streams: list[Any] = []

    def append(self, name: str, value: Any, options: Any = None) -> Self:
        """Adds one field; returns the form.

        ``value`` is a str, bytes, a number, a binary file, a request or response, or an iterable of bytes. ``options`` is a mapping, or a file name:
        ``filename``; ``filepath``, which keeps its folders; ``content_type``; ``known_length``, in bytes, of a stream that cannot tell its own;
        ``header``, further header fields of the part. Raises ``InvalidBody`` for a value that cannot be sent, a list among them (append each
        of its values), and ``RequestStateError`` once the request was sent. Node: ``form.append``, which takes any value and fails later.
        """
        if self._before_append is not None:
            self._before_append()
        if isinstance(value, (list, tuple)):
            raise InvalidBody(
                f'{_place(name)} is {checks.kind(value)}: Arrays are not supported. Append each value under the same name'
            )
        self._parts.append(self._part(name, value, options))
        return self

    def extend(self, fields: Mapping[str, Any]) -> Self:
        """Adds every field of a mapping, as the option ``form_data`` takes it: a list is several fields of one name."""
        for name, given in fields.items():
            for value in given if isinstance(given, (list, tuple)) else (given,):
                if isinstance(value, Mapping) and 'value' in value:
                    entry = checks.nested(_place(name), value, _FIELD)
                    self.append(name, entry['value'], entry.get('options'))
                else:
                    self.append(name, value)
        return self

    def get_boundary(self) -> str:
        """The boundary between the parts."""
        return self._boundary

    def get_headers(self) -> dict[str, str]:
        """The header fields that go with the form."""
        return dict(self.headers)

    def get_length(self) -> int | None:
        """How many bytes the whole form has; None where a part does not know. A request among the fields is sent to know it."""
        return self.length

    getBoundary = get_boundary  # noqa: N815 - Node's spelling
    getHeaders = get_headers  # noqa: N815
    getLength = get_length  # noqa: N815

    # -- as a body

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (('content-type', f'multipart/form-data; boundary={self._boundary}'),)

    @property
    def length(self) -> int | None:
        # As in Node a form without fields is nothing at all, not even a last boundary.
        return pieces.total(self._parts, len(self._boundary) + 6) if self._parts else 0

    @property
    def replayable(self) -> bool:
        return all(part.content.replayable for part in self._parts)

    @property
    def pending(self) -> bool:
        """Whether asking for the length would send a request."""
        return any(getattr(part.content, 'pending', False) for part in self._parts)

    def check(self) -> None:
        """Raises ``InvalidBody`` where a field cannot be sent any more, as a file that was closed."""
        pieces.check(self._parts)

    def bind(self, thread: int | None) -> None:
        """Tells the responses among the parts which thread alone can read them, None where any may."""
        pieces.bind(self._parts, thread)

    def chunks(self) -> Iterator[bytes]:
        if not self._parts:
            return iter(())
        return pieces.laid(self._parts, b'', b'--%s--\r\n' % self._boundary.encode())

    def joined(self) -> Body:
        """The form as one piece where it is small and lies in memory, else the form itself."""
        if any(pieces.is_stream(part.content) for part in self._parts) or (self.length or 0) > JOINED:
            return self
        return BytesBody(b''.join(self.chunks()), self.headers)

    def __repr__(self) -> str:
        return f'<FormData {len(self._parts)} parts>'

    def _part(self, name: Any, value: Any, options: Any) -> Part:
        place = _place(name)
        settings = _settings(place, options)
        body = pieces.content(place, value)
        pieces.once(place, value, body, self._streams)
        known = checks.count(f'{place}, known_length', settings.get('known_length'))
        if known is not None:
            body = _known(place, body, known)
        header = settings.get('header')
        head = self._whole_head(place, header) if isinstance(header, str) else self._head(place, name, value, settings)
        part = pieces.Part(pieces.text(place, head), body)
        pieces.clear(place, self._boundary, part)
        return part

    def _head(self, place: str, name: str, value: Any, settings: dict[str, Any]) -> str:
        shown = _filename(value, settings)
        named = '' if shown is None else f'; filename={pieces.quoted(f"{place}, filename", shown)}'
        head = f'--{self._boundary}\r\nContent-Disposition: form-data; name={pieces.quoted(f"the name of {place}", name)}{named}\r\n'
        kind = _content_type(value, settings)
        if kind:
            head += pieces.line(place, 'Content-Type', kind)
        extra = settings.get('header') or {}
        if not isinstance(extra, Mapping):
            raise InvalidOptionType(f'{place}, header must be a mapping, not {checks.kind(extra)}')
        for key, item in extra.items():
            if isinstance(key, str) and key.lower() in ('content-disposition', 'content-type'):
                # Node leaves these out without a word
                raise OptionsError(f'{place}, header: {key!r} is made by the library; use filename and content_type')
            if item is not None:
                head += pieces.line(place, key, item)
        return head + '\r\n'

    def _whole_head(self, place: str, header: str) -> str:
        """A head that the caller wrote: as in Node it stands for the whole of it, so it has to begin with the boundary and end with a blank line."""
        if not header.removeprefix('\r\n').startswith(f'--{self._boundary}\r\n') or not header.endswith('\r\n\r\n'):
            raise OptionsError(
                f'{place}, header as text is the whole head of the part: it begins with -- and form.get_boundary(), and ends with a blank line; give a mapping to add fields'
            )
        return header.removeprefix('\r\n')


def encode(given: Any) -> Body:
    """The body that ``form_data`` becomes; raises ``InvalidBody`` and other ``OptionsError`` with the field in question."""
    return given if isinstance(given, FormData) else FormData().extend(given).joined()


def _place(name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidOptionType(f"option 'form_data': the name of a field must be a str, not {checks.kind(name)}")
    return f"option 'form_data': field {checks.shown(name)}"


def _settings(place: str, options: Any) -> dict[str, Any]:
    if options is None:
        return {}
    if isinstance(options, str):
        return {'filename': options}
    if not isinstance(options, Mapping):
        raise InvalidOptionType(f'{place}: its options must be a mapping or a file name, not {checks.kind(options)}')
    settings = checks.nested(f'{place}, options', options, _OPTIONS)
    for key in ('filename', 'filepath', 'content_type'):
        item = settings.get(key)
        if item is not None and not isinstance(item, str):
            raise InvalidOptionType(f'{place}, {key} must be a str, not {checks.kind(item)}')
    return settings


def _known(place: str, body: Body, known: int) -> Body:
    if type(body) is BytesBody:
        if body.length != known:
            raise InvalidBody(f'{place} has {body.length} bytes, not the {known} of known_length; leave that out')
        return body
    return pieces.MeasuredBody(body, known, place, cut=type(body) is pieces.MeasuredBody)


def _name(value: Any) -> str | None:
    """The name of a file as it was opened; None for what has none (``<stdin>``, a descriptor)."""
    name = getattr(value, 'name', None) if hasattr(value, 'read') and not remote.is_one(value) else None
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    return name if isinstance(name, str) and not name.startswith('<') else None


def _filename(value: Any, settings: dict[str, Any]) -> str | None:
    filepath: str | None = settings.get('filepath')
    if filepath:
        return os.path.normpath(filepath).replace('\\', '/')
    name = settings.get('filename') or _name(value) or (remote.path_of(value) if remote.is_one(value) else '')
    return name.replace(os.sep, '/').rpartition('/')[2] or None


def _content_type(value: Any, settings: dict[str, Any]) -> str | None:
    """Node's order: what is stated; by the name of the file; what a response says; by the name that is sent."""
    stated = settings.get('content_type')
    if stated:
        return str(stated)
    from requite.wire.mime import guess

    name = _name(value)
    if name is None and remote.is_request(value):
        name = remote.path_of(value)
    kind = guess(name) if name and tells_its_kind(value) else None
    if kind is None and remote.is_one(value) and not remote.is_request(value):
        kind = value.headers.get('content-type')
    given: str | None = settings.get('filepath') or settings.get('filename')
    if not kind and given:
        kind = guess(given)
    if kind or isinstance(value, (str, int, float)):
        return kind
    return DEFAULT_TYPE
