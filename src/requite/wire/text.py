"""Text of bodies: the ``encoding`` option, with Node's names and Python's.

Node's names mean what they mean in Node, in any letter case: ``utf8 utf-8 ucs2 ucs-2 utf16le utf-16le latin1 binary ascii hex base64
base64url``. Every other name is looked up among Python's text codecs. What cannot be decoded becomes U+FFFD; nothing here raises
because of what a server sent.

Differs from Node: a byte order mark is dropped for every spelling of UTF-8 (Node: for ``'utf8'`` alone), a lone UTF-16 surrogate
becomes U+FFFD (Node keeps half a character in the string), and an unknown name is an error of the call (Node: an uncaught exception
when the response arrives).
"""

from __future__ import annotations

import codecs
from typing import Any, Protocol

from requite.errors import InvalidOptionType, OptionsError

_NODE = {
    'utf8': 'utf-8',
    'utf-8': 'utf-8',
    'ucs2': 'utf-16le',
    'ucs-2': 'utf-16le',
    'utf16le': 'utf-16le',
    'utf-16le': 'utf-16le',
    'latin1': 'latin1',
    'binary': 'latin1',
    'ascii': 'ascii',
    'hex': 'hex',
    'base64': 'base64',
    'base64url': 'base64url',
}

# Python's own names of the codecs that Node has too.
_SAME = {'utf-8': 'utf-8', 'utf-8-sig': 'utf-8', 'utf-16-le': 'utf-16le', 'iso8859-1': 'latin1', 'ascii': 'ascii'}

# Codecs of names or of source text: they cannot replace what is invalid, or they read backslashes.
_NOT_OF_BODIES = frozenset(('idna', 'punycode', 'undefined', 'unicode-escape', 'raw-unicode-escape'))

_SEVEN_BITS = bytes(byte & 0x7F for byte in range(256))
_BOM = '\ufeff'


def check(encoding: str) -> str:
    """The one name that this library uses for an encoding, for example ``'utf-8'`` for ``'UTF8'``.

    To be called when a request is made, so that a wrong name is an error of the call. Raises InvalidOptionType when it is no str,
    OptionsError when there is no such encoding.
    """
    if not isinstance(encoding, str):
        raise InvalidOptionType(
            f'encoding is {type(encoding).__name__}; give the name of an encoding as str, or None to get the body as bytes'
        )
    name = _NODE.get(encoding.lower()) or _codec(encoding)
    if name is None:
        raise OptionsError(f'encoding: {encoding[:40]!r} is not an encoding of text{_suggestion(encoding)}')
    return name


def decode(data: bytes, encoding: str) -> str:
    """The text of a whole body; ``encoding`` is a name as ``check`` gives it (any other is looked up)."""
    if encoding == 'utf-8':
        text = str(data, 'utf-8', 'replace')
        return text[1:] if text[:1] == _BOM else text
    special = _WHOLE.get(encoding)
    if special is not None:
        whole: str = special(data)
        return whole
    name = check(encoding)
    if name != encoding:
        return decode(data, name)
    return str(data, name, 'replace')


class Incremental:
    """Decodes a body that comes in chunks; what a chunk ends in the middle of waits for the next one.

    The texts of all chunks and of ``end()`` together are what ``decode`` gives for the whole body.
    """

    def __init__(self, encoding: str) -> None:
        self._decoder = _incremental(check(encoding))

    def feed(self, chunk: bytes) -> str:
        """The text that is certain with this chunk."""
        return self._decoder.decode(chunk)

    def end(self) -> str:
        """The text of what was left: to be called once, after the last chunk."""
        return self._decoder.decode(b'', final=True)


class _Decoder(Protocol):
    def decode(self, data: bytes, final: bool = False) -> str: ...


def _incremental(name: str) -> _Decoder:
    if name == 'utf-8':
        return _UTF8()
    if name == 'utf-16le':
        return _UTF16LE()
    if name in ('utf-16', 'utf-32'):
        return _Marked(name)
    group = _GROUPS.get(name)
    return _Grouped(_WHOLE[name], group) if group else codecs.getincrementaldecoder(name)('replace')


class _UTF8:
    """UTF-8 without its byte order mark. (Python's utf-8-sig would lose a body that is the beginning of one.)"""

    def __init__(self) -> None:
        self._codec = codecs.getincrementaldecoder('utf-8')('replace')
        self._begun = False

    def decode(self, data: bytes, final: bool = False) -> str:
        text = self._codec.decode(data, final)
        if self._begun or not text:
            return text
        self._begun = True
        return text[1:] if text[0] == _BOM else text


class _UTF16LE:
    """UTF-16LE in pairs of bytes: an odd one at the end is dropped, as in ``decode``."""

    def __init__(self) -> None:
        self._codec = codecs.getincrementaldecoder('utf-16-le')('replace')
        self._odd = b''

    def decode(self, data: bytes, final: bool = False) -> str:
        data = self._odd + data
        even = len(data) & ~1
        self._odd = data[even:]
        return self._codec.decode(data[:even], final)


class _Grouped:
    """Decodes in groups of so many bytes, as base64 needs it; the rest of a chunk waits."""

    def __init__(self, whole: Any, group: int) -> None:
        self._whole = whole
        self._group = group
        self._rest = b''

    def decode(self, data: bytes, final: bool = False) -> str:
        data = self._rest + data
        cut = len(data) if final else len(data) - len(data) % self._group
        self._rest = data[cut:]
        text: str = self._whole(data[:cut])
        return text


class _Marked:
    """UTF-16 and UTF-32 by their byte order mark. Python's own incremental decoders refuse a body that has none."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._size = 2 if name == 'utf-16' else 4
        self._rest = b''
        self._order: codecs.IncrementalDecoder | None = None

    def decode(self, data: bytes, final: bool = False) -> str:
        if self._order is None:
            data = self._rest = self._rest + data
            if len(data) < self._size and not final:
                return ''
            order = 'be' if data.startswith(_BOM.encode(f'{self._name}-be')) else 'le'
            self._order = codecs.getincrementaldecoder(f'{self._name}-{order}')('replace')
            if data.startswith(_BOM.encode(f'{self._name}-{order}')):
                data = data[self._size :]
        return self._order.decode(data, final)


def _ascii(data: bytes) -> str:
    # Node drops the eighth bit: 0xE9 reads 'i'.
    return bytes(data).translate(_SEVEN_BITS).decode('ascii')


def _utf16le(data: bytes) -> str:
    # Node drops an odd byte at the end.
    return str(memoryview(data)[: len(data) & ~1], 'utf-16-le', 'replace')


def _base64(data: bytes) -> str:
    import binascii

    return binascii.b2a_base64(data, newline=False).decode('ascii')


def _base64url(data: bytes) -> str:
    return _base64(data).rstrip('=').replace('+', '-').replace('/', '_')


def _hex(data: bytes) -> str:
    return data.hex()


def _latin1(data: bytes) -> str:
    return str(data, 'latin-1')


_WHOLE: dict[str, Any] = {
    'latin1': _latin1,
    'ascii': _ascii,
    'utf-16le': _utf16le,
    'hex': _hex,
    'base64': _base64,
    'base64url': _base64url,
}

# How many bytes stand for themselves, whatever follows.
_GROUPS = {'latin1': 1, 'ascii': 1, 'hex': 1, 'base64': 3, 'base64url': 3}


def _codec(encoding: str) -> str | None:
    try:
        name = codecs.lookup(encoding).name
        str(b'x', name, 'replace')  # refuses those that do not make text (hex_codec, zlib, rot13)
    except (LookupError, ValueError):
        return None
    return None if name in _NOT_OF_BODIES else _SAME.get(name, name)


def _suggestion(encoding: str) -> str:
    from difflib import get_close_matches
    from encodings.aliases import aliases

    near = get_close_matches(encoding[:40].lower(), [*_NODE, *aliases], 1, 0.7)
    hint = '; give None to get the body as bytes, or a name like utf-8, latin1, base64'
    return f'; did you mean {near[0]!r}?' if near else hint
