"""Content codings of responses: gzip, deflate, br and zstd undone, a bounded piece at a time (RFC 9110 section 8.4).

A decoder never gives more than it was asked for, whatever the ratio of the coding, so whoever reads N bytes pays for about N bytes.
How much a *collected* body may grow to is not decided here: the collector counts decoded bytes against ``max_body`` and stops asking.

Differs from Node, which decodes only ``gzip`` and zlib's ``deflate``, passes every other name and every list on as it is, and takes a
cut stream for a whole one: here the names of RFC 9110 are understood in any letter case, lists are undone in reverse order, raw deflate
is accepted, and a stream without its end is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from requite.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_CODINGS = 5
"""How many codings of one body are undone; a longer list is an error (every coding multiplies what a small body can cost)."""

_STEP = 64 * 1024  # what one link of a chain hands to the next at once


class Decoder(Protocol):
    """Undoes the coding of one body."""

    def decode(self, data: bytes | memoryview, limit: int) -> bytes:
        """Take ``data`` and give at most ``limit`` bytes of what is decoded so far.

        What does not fit stays inside (copied: the buffer behind ``data`` may be used again): ask on with ``b''`` while ``pending``.
        An empty answer is not the end, only ``pending`` being false is. Raises DecodeError when the data are corrupt.
        """

    @property
    def pending(self) -> bool:
        """Whether more may come without new input."""

    def finish(self) -> None:
        """Tell that the body is over; raises ResponseAborted with code Z_BUF_ERROR when the coded stream is not.

        To be called once nothing is pending. A body without a single byte counts as whole, whatever its coding.
        """


def accept_encoding(installed: bool = True) -> str:
    """The value of Accept-Encoding for ``gzip=True``: the codings that can be undone here, in Node's order and form.

    With ``installed`` false it is exactly what Node sends, ``gzip, deflate``; otherwise ``br`` and ``zstd`` follow where a package for
    them is installed (brotli or brotlicffi, 1.2 or newer; Python 3.14's own zstd, backports.zstd or zstandard).
    """
    names = ['gzip', 'deflate']
    if installed:
        names += [name for name in ('br', 'zstd') if _optional(name) is not None]
    return ', '.join(names)


def decoder_for(content_encoding: str) -> Decoder | None:
    """A decoder for a Content-Encoding value, or None when the body is to be left as it is.

    That is so for an empty value and ``identity``, and, as in Node, when any coding of the list is unknown or its package is not
    installed: a body is decoded wholly or not at all. Raises DecodeError for more than five codings.
    """
    names = [name.strip(' \t').lower() for name in content_encoding.split(',')]
    names = [name for name in names if name and name != 'identity']
    if not names:
        return None
    if len(names) > MAX_CODINGS:
        raise DecodeError(f'the body has {len(names)} content codings; at most {MAX_CODINGS} are undone')
    makers = [_maker(name) for name in names]
    if None in makers:
        return None
    decoder: Decoder | None = None
    for make in makers:  # the last coding named is the outermost
        stage = make()
        decoder = stage if decoder is None else _Chain(stage, decoder)
    return decoder


def _maker(name: str) -> Any:
    """What makes a stage for the coding of that name, or None."""
    if name in ('br', 'zstd'):
        opener = _optional(name)
        return opener and (lambda: _stage(name)(opener))
    return _stage(name)


_STAGES: dict[str, Any] = {}


def _stage(name: str) -> Any:
    if not _STAGES:
        from requite.wire import codings

        _STAGES.update({'gzip': codings.Gzip, 'x-gzip': codings.Gzip, 'deflate': codings.Deflate})
        _STAGES.update({'br': codings.Brotli, 'zstd': codings.Zstd})
    return _STAGES.get(name)


_OPENERS: dict[str, Any] = {}


def _optional(name: str) -> Any:
    """What opens the codec of an installed package, or None; looked for once in a process."""
    if name not in _OPENERS:
        from requite.wire import codings

        _OPENERS[name] = codings.brotli_opener() if name == 'br' else codings.zstd_opener()
    return _OPENERS[name]


class _Chain:
    """Two decoders, one behind the other. A call does one round at most, so that a bomb within a bomb cannot keep its caller waiting."""

    def __init__(self, outer: Decoder, inner: Decoder) -> None:
        self._outer = outer
        self._inner = inner

    def decode(self, data: bytes | memoryview, limit: int) -> bytes:
        """See Decoder."""
        if self._inner.pending:
            self._outer.decode(data, 0)
            return self._inner.decode(b'', limit)
        return self._inner.decode(self._outer.decode(data, _STEP), limit)

    @property
    def pending(self) -> bool:
        """See Decoder."""
        return self._inner.pending or self._outer.pending

    def finish(self) -> None:
        """See Decoder."""
        self._outer.finish()
        self._inner.finish()


def pieces(read: Callable[[int], bytes], decoder: Decoder, size: int) -> Iterator[bytes]:
    """What ``read(n)`` gives until its end, decoded, in pieces of at most ``size`` bytes; a body of no bytes at all needs no coding's end."""
    received = False
    while piece := read(_STEP):
        received = True
        data = decoder.decode(piece, size)
        while data or decoder.pending:
            if data:
                yield data
            data = decoder.decode(b'', size)
    if received:
        decoder.finish()
