"""The chunked coding is read strictly, whole and in linear time (SECURITY S1 S4 S7 S9 B4)."""

from __future__ import annotations

import time

import pytest

from requite.errors import BodyTooLarge, MalformedResponse, ResponseAborted
from requite.transport import chunked
from requite.transport.chunked import Chunked, dechunk
from tests.unit.transport.test_framing import Given

WHOLE = b'6\r\nright-\r\nA;name=value;q="x;y"\r\n0123456789\r\n0;last\r\nX-T: 1\r\nX-U: 2\r\n\r\n'
CONTENT = b'right-0123456789'


def collect(*pieces: bytes, tail: bytes = b'', limit: int | None = None) -> bytes:
    return Chunked(Given(*pieces), tail).collect(limit)


@pytest.mark.parametrize('at', range(len(WHOLE) + 1))
def test_it_does_not_matter_where_the_packets_end(at: int) -> None:
    assert collect(WHOLE[at:], tail=WHOLE[:at]) == CONTENT
    body = Chunked(Given(WHOLE[at:]), WHOLE[:at])
    assert b''.join(iter(lambda: body.read(4), b'')) == CONTENT
    assert body.done
    assert not body.surplus


def test_byte_by_byte() -> None:
    assert collect(*[WHOLE[at : at + 1] for at in range(len(WHOLE))]) == CONTENT


@pytest.mark.parametrize('size', range(len(WHOLE)))
def test_every_cut_is_an_error(size: int) -> None:
    """S1."""
    with pytest.raises(ResponseAborted):
        collect(WHOLE[:size])


def test_read_gives_what_is_there_over_several_chunks() -> None:
    body = Chunked(Given(b'2\r\ncd\r\n0\r\n\r\n'), b'1\r\na\r\n1\r\nb\r\n')
    assert body.read(100) == b'ab'
    assert body.read(100) == b'cd'
    assert body.read(100) == b''


@pytest.mark.parametrize(
    'line',
    [
        b'zz',
        b'-a',
        b'+a',
        b'0xa',
        b'0_a',
        b'',
        b' a',
        b'a ',
        b'a g',
        b'12345678901234567',
        b'\xb2',
        b'a;x\x00',
        b'a;x\ny',
        b'a,b',
    ],
)
def test_a_size_is_one_to_sixteen_hexadecimal_digits(line: bytes) -> None:
    """S7."""
    with pytest.raises(MalformedResponse) as caught:
        collect(line + b'\r\n' + b'x' * 10 + b'\r\n0\r\n\r\n')
    assert caught.value.code == 'HPE_INVALID_CHUNK_SIZE'


def test_a_bad_size_is_an_error_before_its_line_is_whole() -> None:
    with pytest.raises(MalformedResponse):
        collect(b'a' * 17)


@pytest.mark.parametrize('after', [b'XX0\r\n\r\n', b'\n0\r\n\r\n', b'\rX', b'0\r\n\r\n'])
def test_the_crlf_behind_the_data_is_checked(after: bytes) -> None:
    """S7."""
    with pytest.raises(MalformedResponse):
        collect(b'2\r\nok' + after)


def test_line_feeds_alone_end_nothing() -> None:
    with pytest.raises(MalformedResponse):
        collect(b'2\nok\n0\n\n')


def test_a_size_larger_than_any_memory_allocates_nothing() -> None:
    """S11."""
    with pytest.raises(ResponseAborted):
        collect(b'FFFFFFFFFFFFFFFF\r\nabc')


def test_extensions_are_bounded_in_length() -> None:
    with pytest.raises(MalformedResponse):
        collect(b'2;' + b'x' * 20000 + b'\r\nok\r\n0\r\n\r\n')
    assert collect(b'2;' + b'x' * 10000 + b'\r\nok\r\n0\r\n\r\n') == b'ok'


def test_much_more_extension_than_data_is_an_error() -> None:
    line = b'1;' + b'x' * 1000 + b'\r\nz\r\n'
    assert collect(line * 10 + b'0\r\n\r\n') == b'z' * 10
    with pytest.raises(MalformedResponse) as caught:
        collect(line * 100 + b'0\r\n\r\n')
    assert caught.value.code == 'HPE_CHUNK_EXTENSIONS_OVERFLOW'


@pytest.mark.parametrize('trailer', [b'no colon here', b'X-A: a\x00', b' folded', b': empty', b'X-A: b\nX-C: d'])
def test_a_trailer_is_a_field_or_an_error(trailer: bytes) -> None:
    with pytest.raises(MalformedResponse):
        collect(b'2\r\nok\r\n0\r\n' + trailer + b'\r\n\r\n')


def test_trailers_are_bounded_in_number_and_size() -> None:
    """S9."""
    with pytest.raises(MalformedResponse):
        collect(b'0\r\n' + b'X: 1\r\n' * 1001 + b'\r\n')
    with pytest.raises(MalformedResponse):
        collect(b'0\r\n', *[b'X-A: ' + b'v' * 1000 + b'\r\n'] * 100)


def test_what_follows_the_last_chunk_is_surplus() -> None:
    """S4."""
    body = Chunked(Given(b'2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK'), b'')
    assert body.collect(None) == b'ok'
    assert body.surplus


def test_a_body_over_the_limit_is_an_error() -> None:
    with pytest.raises(BodyTooLarge):
        collect(WHOLE, limit=len(CONTENT) - 1)
    assert collect(WHOLE, limit=len(CONTENT)) == CONTENT


def test_a_hundred_thousand_chunks_of_one_byte_cost_linear_time() -> None:
    """B4."""
    began = time.process_time()
    assert collect(*[b'1\r\nz\r\n' * 1000] * 100, b'0\r\n\r\n') == b'z' * 100_000
    assert time.process_time() - began < 2


def test_one_megabyte_of_zeros_is_no_size() -> None:
    with pytest.raises(MalformedResponse):
        collect(*[b'0' * 65536] * 16, b'a\r\n')


def test_a_line_that_drips_is_told_from_a_line_that_has_not_begun() -> None:
    """A chunk every second is no reason to give up, half a size line for longer than `timeout` is."""
    lines: list[int] = []

    class Noted(Given):
        def recv(self, size: int, line: int = 0) -> bytes:
            lines.append(line)
            return super().recv(size, line)

    body = Chunked(Noted(b'1\r\na\r\n', b'1\r\nb\r\n1', b'\r\nc\r\n2', b'\r', b'\ndd\r\n0\r\n', b'\r\n'), b'')
    assert body.collect(None) == b'abcdd'
    # before anything came; between two chunks; within the third line, then within the fourth, twice; within the trailers behind the fifth
    assert lines == [0, 0, 3, 4, 4, 6]


def test_a_body_that_lies_there_whole_needs_no_connection() -> None:
    assert dechunk(WHOLE) == CONTENT
    assert dechunk(WHOLE[:-1]) is None
    assert dechunk(WHOLE + b'x') is None
    assert dechunk(b'zz\r\n0\r\n\r\n') is None


def test_the_bounds_are_those_of_the_page_on_security() -> None:
    assert chunked.MAX_CHUNK_LINE <= 65536
    assert chunked.MAX_TRAILERS <= 262144
