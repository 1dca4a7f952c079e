"""The content codings themselves, each a stage that turns coded bytes into plain ones, never more than it is asked for.

What a stage promises is ``decode.Decoder``; which stages a response needs is decided there. This module is imported with the first
coded body.
"""

from __future__ import annotations

import zlib
from typing import Any

from requite.errors import DecodeError, RequestError, ResponseAborted

# What a codec gets at once: codecs copy the input that they could not use yet, which must not become quadratic.
_SLICE = 16 * 1024
_BROTLI_STEP = 64 * 1024  # what brotli is asked for at once; it may give half as much again
_ZSTD_BLOCK = 128 * 1024  # RFC 8878 3.1.1.2.4: no block decodes to more
_ZSTD_WINDOW_LOG = 23  # RFC 9659: a window of 8 MB is all that a response may ask for


class Stage:
    """One coding: keeps the input that could not be used yet, and hands the codec slices of it until the caller has enough."""

    name = ''

    def __init__(self) -> None:
        self._held = memoryview(b'')
        self._full = False  # the codec may have more to give without new input
        self._begun = False

    def decode(self, data: bytes | memoryview, limit: int) -> bytes:
        """See Decoder."""
        fresh = len(data) > 0
        view = memoryview(data) if fresh else self._held
        if fresh and self._held:
            view = memoryview(bytes(self._held) + bytes(data))
        self._begun = self._begun or fresh
        at, room, size = 0, limit, len(view)
        parts = []
        while room > 0 and (at < size or self._full):
            try:
                part, used = self._step(view[at : at + _SLICE], room)
            except (RequestError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001  each package has an exception of its own, and none may leave
                raise _corrupt(self.name, _reason(error)) from None
            at += used
            if part:
                parts.append(part)
                room -= len(part)
        self._held = memoryview(bytes(view[at:])) if fresh else view[at:]
        return parts[0] if len(parts) == 1 else b''.join(parts)

    @property
    def pending(self) -> bool:
        """See Decoder."""
        return self._full or len(self._held) > 0

    def finish(self) -> None:
        """See Decoder."""
        if self._begun and not self._whole():
            raise ResponseAborted(f'the {self.name} body was cut before its end', code='Z_BUF_ERROR')

    def _step(self, view: memoryview, room: int) -> tuple[bytes, int]:
        """Decode the beginning of ``view``: at most ``room`` bytes of output, and how much input they took."""
        raise NotImplementedError

    def _whole(self) -> bool:
        raise NotImplementedError


class Zlib(Stage):
    """gzip and deflate. The stream may be followed by zero bytes, which gzip(1) and Node ignore; anything else there is an error."""

    window_bits = 0

    def __init__(self) -> None:
        super().__init__()
        self._codec: Any = None
        self._padding = False

    def _step(self, view: memoryview, room: int) -> tuple[bytes, int]:
        if self._codec is None:
            self._codec = zlib.decompressobj(self.window_bits or _deflate_bits(view[0]))
        elif self._codec.eof:
            return self._after(view)
        part = self._codec.decompress(view, room)
        if self._codec.eof:
            self._full = False
            return part, len(view) - len(self._codec.unused_data)
        self._full = len(part) == room
        return part, len(view) - len(self._codec.unconsumed_tail)

    def _after(self, view: memoryview) -> tuple[bytes, int]:
        if not view[0] or self._padding:
            self._padding = True
            if bytes(view).strip(b'\0'):
                raise _corrupt(self.name, 'data after its end')
            return b'', len(view)
        self._another()
        return b'', 0

    def _another(self) -> None:
        raise _corrupt(self.name, 'data after its end')

    def _whole(self) -> bool:
        return self._codec is not None and bool(self._codec.eof)


class Gzip(Zlib):
    """gzip with all its members (RFC 1952 section 2.2)."""

    name = 'gzip'

    window_bits = 16 + zlib.MAX_WBITS

    def _another(self) -> None:
        self._codec = None  # bytes that are no member end in "incorrect header check", as in Node


class Deflate(Zlib):
    """deflate: the zlib format, or the raw one that many servers send in its place."""

    name = 'deflate'


def _deflate_bits(first: int) -> int:
    """The number by which zlib knows the format that begins with this byte.

    A zlib header says method 8 and a window of at most 32 KiB. In a raw stream the same bits would be a stored block with junk in its
    padding, which no encoder writes.
    """
    return zlib.MAX_WBITS if first & 0x0F == 8 and first >> 4 <= 7 else -zlib.MAX_WBITS


class Surplus(Stage):
    """A coding whose codec cannot be told exactly how much to give: the surplus, itself bounded, is handed out before the codec is asked again."""

    silent_end = (
        False  # True: the codec does not say when it has given all that its input is good for, until it gives nothing
    )

    def __init__(self, opener: Any) -> None:
        super().__init__()
        self._open = opener
        self._surplus = memoryview(b'')

    def _step(self, view: memoryview, room: int) -> tuple[bytes, int]:
        used = 0
        if not self._surplus:
            out, used = self._more(view)
            self._surplus = memoryview(out)
        part = bytes(self._surplus[:room])
        self._surplus = self._surplus[room:]
        self._full = len(self._surplus) > 0 or (self.silent_end and len(part) > 0)
        return part, used

    def _more(self, view: memoryview) -> tuple[bytes, int]:
        raise NotImplementedError


class Brotli(Surplus):
    """br (RFC 7932). Data after the end of the stream is an error."""

    name = 'br'
    silent_end = True

    def __init__(self, opener: Any) -> None:
        super().__init__(opener)
        self._codec = opener()

    def _more(self, view: memoryview) -> tuple[bytes, int]:
        data = bytes(view) if self._codec.can_accept_more_data() else b''
        return self._codec.process(data, output_buffer_limit=_BROTLI_STEP), len(data)

    def _whole(self) -> bool:
        return bool(self._codec.is_finished())


class Zstd(Surplus):
    """zstd (RFC 8878), all frames of it.

    The three packages differ in what they can limit. So the frame is followed here, and a codec sees one block at a time, which can
    give 128 KiB and no more; the window is held to the 8 MB of RFC 9659.
    """

    name = 'zstd'

    def __init__(self, opener: Any) -> None:
        super().__init__(opener)
        self._codec: Any = None
        self._head = b''  # of the part of a header that has come
        self._parse: Any = self._frame
        self._need = 5
        self._through = 0  # bytes that go to the codec as they are, before the next header
        self._checksum = False

    def _more(self, view: memoryview) -> tuple[bytes, int]:
        if self._through:
            data = bytes(view[: self._through])
            self._through -= len(data)
            return (self._codec.decompress(data) if self._codec else b''), len(data)
        data = bytes(view[: self._need - len(self._head)])
        self._head += data
        if len(self._head) < self._need:
            return b'', len(data)
        head, self._head = self._head, b''
        keep = self._parse(head)
        return (self._codec.decompress(head) if keep else b''), len(data)

    def _frame(self, head: bytes) -> bool:
        magic, descriptor = int.from_bytes(head[:4], 'little'), head[4]
        self._codec = None
        if magic & 0xFFFFFFF0 == 0x184D2A50:
            self._head, self._need, self._parse = head, 8, self._skippable
            return False
        if magic != 0xFD2FB528:
            raise _corrupt(self.name, 'unknown frame')
        self._codec = self._open()
        single, self._checksum = descriptor >> 5 & 1, bool(descriptor & 4)
        size = (single, 2, 4, 8)[descriptor >> 6]
        self._through = (1 - single) + (0, 1, 2, 4)[descriptor & 3] + size
        self._need, self._parse = 3, self._block
        return True

    def _skippable(self, head: bytes) -> bool:
        self._through = int.from_bytes(head[4:], 'little')
        self._need, self._parse = 5, self._frame
        return False

    def _block(self, head: bytes) -> bool:
        header = int.from_bytes(head, 'little')
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        if kind == 3 or size > _ZSTD_BLOCK:
            raise _corrupt(self.name, 'impossible block')
        self._through = 1 if kind == 1 else size
        if last:
            self._through += 4 if self._checksum else 0
            self._need, self._parse = 5, self._frame
        return True

    def _whole(self) -> bool:
        return not self._head and not self._through and self._need == 5


def brotli_opener() -> Any:
    """What opens a brotli codec, or None where no package for it is installed that can be bounded."""
    for package in ('brotli', 'brotlicffi'):
        opener = getattr(_import(package), 'Decompressor', None)
        if hasattr(opener, 'can_accept_more_data'):  # since 1.2; before, one call could give gigabytes
            return opener
    return None


def zstd_opener() -> Any:
    """What opens a zstd codec, or None where no package for it is installed."""
    for package in ('compression.zstd', 'backports.zstd'):
        module = _import(package)
        if module is not None:
            options = {module.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
            return lambda: module.ZstdDecompressor(options=options)
    module = _import('zstandard')
    if module is not None:
        return lambda: module.ZstdDecompressor(max_window_size=1 << _ZSTD_WINDOW_LOG).decompressobj()
    return None


def _import(package: str) -> Any:
    from importlib import import_module

    try:
        return import_module(package)
    except ImportError:
        return None


def _corrupt(name: str, reason: str) -> DecodeError:
    return DecodeError(f'the body is not valid {name}: {reason}', code='Z_DATA_ERROR')


def _reason(error: Exception) -> str:
    return str(error).rpartition('decompressing data: ')[2] or 'corrupt data'
