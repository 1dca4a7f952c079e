"""The content of a request as it goes out: pieces, their framing, and which of them is the last."""

from __future__ import annotations

import pytest

from requite.errors import InvalidBody
from requite.transport.faults import CallersError
from requite.transport.outgoing import PIECE, framed
from tests.wire.hops import Pieces


def pieces(*given: object, length: int | None = None) -> list[tuple[bytes, bool]]:
    return [(bytes(piece), last) for piece, last in framed(Pieces(given, length))]


def test_what_has_no_length_goes_out_in_chunks_of_which_the_empty_one_is_the_last() -> None:
    assert pieces(b'abc', b'', bytearray(b'0123456789')) == [
        (b'3\r\nabc\r\n', False),
        (b'a\r\n0123456789\r\n', False),
        (b'0\r\n\r\n', True),
    ]
    assert pieces() == [(b'0\r\n\r\n', True)]


def test_the_piece_that_completes_a_length_is_the_last_whatever_comes_behind_it() -> None:
    assert pieces(b'abc', b'de', b'', length=5) == [(b'abc', False), (b'de', True)]
    assert pieces(length=0) == []


def test_the_last_piece_is_held_back_until_the_body_has_ended_well() -> None:
    given = framed(Pieces([b'abc', b'de', ZeroDivisionError()], 5))
    assert next(given) == (b'abc', False)
    with pytest.raises(CallersError) as caught:
        next(given)
    assert isinstance(caught.value.error, ZeroDivisionError)


def test_large_pieces_are_cut() -> None:
    sizes = [len(piece) for piece, _ in pieces(bytes(2 * PIECE + 7), length=2 * PIECE + 7)]
    assert sizes == [PIECE, PIECE, 7]


@pytest.mark.parametrize(('given', 'length'), [((b'abc', b'd'), 3), ((b'ab',), 3), ((), 1), ((b'a',), 0)])
def test_another_length_than_declared_is_an_error_and_never_whole(given: tuple[bytes, ...], length: int) -> None:
    """Q3."""
    seen: list[bool] = []
    with pytest.raises(InvalidBody, match=str(length)):
        for _, last in framed(Pieces(given, length)):
            seen.append(last)
    assert True not in seen
