"""Where a body ends, and that it ends there and nowhere else (SECURITY S1 S4 S5 S6 S11)."""

from __future__ import annotations

import pytest

from requite.errors import BodyTooLarge, MalformedResponse, ResponseAborted
from requite.headers import join
from requite.transport.framing import CHUNKED, EMPTY, UNTIL_CLOSE, Sized, UntilClose, expect


class Given:
    """A connection that gives these pieces and then ends."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.asked: list[int] = []

    def recv(self, size: int, line: int = 0) -> bytes:
        self.asked.append(size)
        if not self.pieces:
            return b''
        piece = self.pieces.pop(0)
        if piece[size:]:
            self.pieces.insert(0, piece[size:])
        return piece[:size]

    def recv_into(self, view: memoryview) -> int:
        piece = self.recv(len(view))
        view[: len(piece)] = piece
        return len(piece)


def expected(*fields: tuple[str, str], method: str = 'GET', status: int = 200) -> int:
    return expect(method, status, list(fields), join(fields))


@pytest.mark.parametrize(
    ('method', 'status'), [('HEAD', 200), ('GET', 204), ('GET', 304), ('GET', 100), ('GET', 199), ('HEAD', 404)]
)
@pytest.mark.parametrize('field', [('Content-Length', '5'), ('Transfer-Encoding', 'chunked'), ('X-A', 'b')])
def test_some_answers_never_have_a_body(method: str, status: int, field: tuple[str, str]) -> None:
    """RFC 9112 6.3 rule 1."""
    assert expected(field, method=method, status=status) == EMPTY


def test_the_length_is_the_declared_one() -> None:
    assert expected(('Content-Length', '10')) == 10
    assert expected(('Content-Length', '0')) == 0
    assert expected(('Content-Length', '1' + '0' * 30)) == 10**30


@pytest.mark.parametrize('values', [['10', '10'], ['10, 10'], ['10 ,10', '10']])
def test_the_same_length_twice_is_that_length(values: list[str]) -> None:
    """RFC 9110 8.6."""
    assert expected(*[('Content-Length', value) for value in values]) == 10


@pytest.mark.parametrize('values', [['10', '5'], ['5, 10'], ['10, 010'], ['10', '']])
def test_different_lengths_are_an_error(values: list[str]) -> None:
    """S5."""
    with pytest.raises(MalformedResponse) as caught:
        expected(*[('Content-Length', value) for value in values])
    assert caught.value.code == 'HPE_UNEXPECTED_CONTENT_LENGTH'


@pytest.mark.parametrize(
    'value', ['', '-10', '+10', '1_0', '0xa', '10.0', '1 0', 'abc', '\u0661\u0660', '\xb2', ',', '1' * 5000, '10;']
)
def test_what_is_no_number_is_no_length(value: str) -> None:
    """S5: int() is not a parser."""
    with pytest.raises(MalformedResponse) as caught:
        expected(('Content-Length', value))
    assert caught.value.code == 'HPE_INVALID_CONTENT_LENGTH'


@pytest.mark.parametrize('value', ['chunked', 'Chunked', 'CHUNKED'])
def test_chunked_in_any_letter_case_is_chunked(value: str) -> None:
    assert expected(('Transfer-Encoding', value)) == CHUNKED


@pytest.mark.parametrize(
    'values',
    [
        ['gzip, chunked'],
        ['chunked, gzip'],
        ['identity'],
        ['chunked', 'identity'],
        ['chunked, chunked'],
        [''],
        ['xchunked'],
    ],
)
def test_any_other_transfer_coding_is_an_error(values: list[str]) -> None:
    """S6."""
    with pytest.raises(MalformedResponse) as caught:
        expected(*[('Transfer-Encoding', value) for value in values])
    assert caught.value.code == 'HPE_INVALID_TRANSFER_ENCODING'


def test_a_length_beside_chunked_is_an_error() -> None:
    """S6."""
    with pytest.raises(MalformedResponse, match="can't be present with Content-Length"):
        expected(('Content-Length', '5'), ('Transfer-Encoding', 'chunked'))


def test_without_framing_the_body_ends_with_the_connection() -> None:
    assert expected(('X-A', 'b')) == UNTIL_CLOSE


def test_a_sized_body_is_read_as_it_comes() -> None:
    feed = Given(b'cde', b'fgh')
    body = Sized(feed, 8, b'ab')
    assert body.left == 8
    assert [body.read(100), body.read(2), body.read(100)] == [b'ab', b'cd', b'e']
    assert [body.done, body.read(100), body.done, body.read(100)] == [False, b'fgh', True, b'']


def test_never_more_is_asked_for_than_belongs_to_the_body() -> None:
    """S4: what follows stays on the connection, where the next use will see it."""
    feed = Given(b'x' * 10)
    body = Sized(feed, 8, b'ab')
    assert body.collect(None) == b'ab' + b'x' * 6
    assert feed.asked == [6]
    assert not body.surplus


def test_bytes_behind_a_sized_body_are_surplus() -> None:
    assert Sized(Given(), 3, b'abcd').surplus
    assert Sized(Given(), 3, b'abcd').collect(None) == b'abc'


@pytest.mark.parametrize('how', ['read', 'collect'])
def test_a_short_body_is_an_error(how: str) -> None:
    """S1."""
    body = Sized(Given(b'cd'), 8, b'ab')
    with pytest.raises(ResponseAborted, match='aborted'):
        if how == 'collect':
            body.collect(None)
        else:
            while body.read(100):
                pass


def test_a_body_over_the_limit_is_an_error_before_it_is_received() -> None:
    feed = Given(b'x' * 1000)
    with pytest.raises(BodyTooLarge) as caught:
        Sized(feed, 1000, b'').collect(999)
    assert caught.value.code == 'EMSGSIZE'
    assert feed.asked == []
    assert Sized(Given(b'x' * 1000), 1000, b'').collect(1000) == b'x' * 1000


def test_a_body_until_close_is_all_there_is() -> None:
    assert UntilClose(Given(b'cd', b'ef'), b'ab').collect(None) == b'abcdef'
    body = UntilClose(Given(b'cd'), b'ab')
    assert list(iter(lambda: body.read(1), b'')) == [b'a', b'b', b'c', b'd']
    assert body.done
    assert body.surplus  # nothing can be asked again on that connection


def test_a_body_until_close_respects_the_limit() -> None:
    with pytest.raises(BodyTooLarge):
        UntilClose(Given(b'cd', b'ef'), b'ab').collect(5)
    with pytest.raises(BodyTooLarge):
        UntilClose(Given(), b'abcdef').collect(5)
