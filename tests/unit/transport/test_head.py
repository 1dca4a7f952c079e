"""Request heads are checked as a whole before a byte is sent; response heads are parsed strictly (SECURITY Q1 Q2 S8 S9 S12 S14)."""

from __future__ import annotations

import time

import pytest

from requite.errors import InvalidURI, MalformedResponse, OptionsError
from requite.transport import head


def parse(data: bytes) -> head.Head:
    return head.parse(data, data.find(head.END))


def test_a_request_head_goes_out_as_it_was_given() -> None:
    fields = [('Host', 'example.com'), ('X-A', 'caf\xe9'), ('x-b', '')]
    expected = b'GET /p?q HTTP/1.1\r\nHost: example.com\r\nX-A: caf\xe9\r\nx-b: \r\n\r\n'
    assert head.encode('GET', '/p?q', fields) == expected
    assert head.encode('GET', '/p?q', fields) == expected


def test_a_head_without_fields_is_a_request_line() -> None:
    assert head.encode('M-SEARCH', '*', []) == b'M-SEARCH * HTTP/1.1\r\n\r\n'


@pytest.mark.parametrize(
    'method', ['', 'GE T', 'GET\r\n', 'GET /x HTTP/1.1\r\nA: b\r\n\r\nGET', 'G\x00T', 'GÉT', 'GET:']
)
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    """Q2."""
    with pytest.raises(OptionsError, match='method'):
        head.encode(method, '/', [('host', 'a')])


@pytest.mark.parametrize('target', ['', '/a b', '/a\r\nX: y', '/\x00', '/é', '/\x7f', '/ HTTP/1.1\r\nX: y\r\n\r\n'])
def test_a_target_with_more_than_visible_ascii_is_refused(target: str) -> None:
    """Q1, Q2."""
    with pytest.raises(InvalidURI, match='visible ASCII'):
        head.encode('GET', target, [('host', 'a')])


@pytest.mark.parametrize('name', ['', 'a b', 'a:', 'a\r\nb', 'a\n', 'é', 'a\x00', ' a', 'a '])
def test_a_field_name_that_is_no_token_is_refused(name: str) -> None:
    """Q2."""
    with pytest.raises(OptionsError, match='header name'):
        head.encode('GET', '/', [('host', 'a'), (name, 'b')])


@pytest.mark.parametrize('value', ['a\r\nx: y', 'a\n', '\r', 'a\x00b', '\x7f', '\x1b', '€', 'a\r\n b', '\ud800'])
def test_a_field_value_with_a_control_character_is_refused(value: str) -> None:
    """Q1."""
    with pytest.raises(OptionsError, match="value of header 'x-a'"):
        head.encode('GET', '/', [('x-a', value)])


@pytest.mark.parametrize('value', ['a\tb', ' a ', 'caf\xe9', '\xff', '"q"', ''])
def test_a_field_value_may_hold_blanks_and_latin1(value: str) -> None:
    assert head.encode('GET', '/', [('a', value)]).endswith(b'\r\na: ' + value.encode('latin-1') + b'\r\n\r\n')


def test_secrets_are_not_remembered_with_the_known_lines() -> None:
    for name in ('Authorization', 'cookie', 'Proxy-Authorization'):
        head.encode('GET', '/', [(name, 'secret-of-mine')])
    parse(b'HTTP/1.1 200 OK\r\nSet-Cookie: id=secret-of-mine\r\n\r\n')
    kept = [*head._sent.values(), *(str(value).encode() for value in head._lines.values())]
    assert not any(b'secret-of-mine' in line for line in kept)


def test_known_lines_are_bounded_in_number() -> None:
    for number in range(3 * head.KNOWN):
        head.encode('GET', '/', [('x', str(number))])
        parse(b'HTTP/1.1 200 OK\r\nx: %d\r\n\r\n' % number)
    assert len(head._sent) <= head.KNOWN
    assert len(head._lines) <= head.KNOWN
    assert len(head._names) <= head.KNOWN


def test_a_response_head_is_taken_apart() -> None:
    version, status, reason, fields, headers = parse(
        b'HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nX-A:1\r\nX-B: \t two  words\t \r\nx-a: 2\r\nX-C:\r\n\r\nrest'
    )
    assert (version, status, reason) == ('1.1', 404, 'Not Found')
    assert fields == [('Content-Type', 'text/plain'), ('X-A', '1'), ('X-B', 'two  words'), ('x-a', '2'), ('X-C', '')]
    assert headers == {'content-type': 'text/plain', 'x-a': '1, 2', 'x-b': 'two  words', 'x-c': ''}


def test_a_single_set_cookie_is_a_list_too() -> None:
    assert parse(b'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\n\r\n')[4] == {'set-cookie': ['a=1']}


def test_the_headers_of_two_replies_are_not_the_same_object() -> None:
    data = b'HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n'
    first, second = parse(data), parse(data)
    first[4]['x-a'] = 'changed'
    first[3].clear()
    assert second[4]['x-a'] == '1'
    assert parse(data)[3] == [('X-A', '1')]


def test_obs_text_survives_as_latin1() -> None:
    """S14."""
    *_, reason, fields, _ = parse(b'HTTP/1.1 200 \xe9t\xe9\r\nX-A: caf\xe9\r\n\r\n')
    assert reason == '\xe9t\xe9'
    assert fields[0][1].encode('latin-1') == b'caf\xe9'


@pytest.mark.parametrize('line', [b'HTTP/1.1 200', b'HTTP/1.1 200 '])
def test_a_reason_may_be_missing(line: bytes) -> None:
    assert parse(line + b'\r\n\r\n')[:3] == ('1.1', 200, '')


BROKEN = [
    (b'GARBAGE\r\n\r\n', 'HPE_INVALID_CONSTANT'),
    (b'HTTX/1.1 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'),
    (b' HTTP/1.1 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'),
    (b'HTTP/2.0 200 OK\r\n\r\n', 'HPE_INVALID_VERSION'),
    (b'HTTP/1.x 200 OK\r\n\r\n', 'HPE_INVALID_VERSION'),
    (b'HTTP/1.10 200 OK\r\n\r\n', 'HPE_INVALID_VERSION'),
    (b'HTTP/1.1 abc OK\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1 99 Low\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1 600 High\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1 999 High\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1 +20 OK\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1 2000 OK\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1 200OK\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1  200 OK\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1 200 O\x00K\r\n\r\n', 'HPE_INVALID_STATUS'),
    (b'HTTP/1.1 200 OK\nX: y\r\n\r\n', 'HPE_CR_EXPECTED'),
    (b'HTTP/1.1 200 OK\r\nX: y\nZ: z\r\n\r\n', 'HPE_CR_EXPECTED'),
    (b'HTTP/1.1 200 OK\r\nno colon here\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\nX-A : x\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\n: x\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\nX\x01A: x\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\nX-\xe9: x\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\nX-A: a\x00b\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\nX-A: a\rX-B: b\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\n X-A: one\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'),
    (b'HTTP/1.1 200 OK\r\n' + b'X-A: 1\r\n' * (head.MAX_FIELDS + 1) + b'\r\n', 'HPE_HEADER_OVERFLOW'),
    (b'HTTP/1.1 200 OK\r\nX-A: ' + b'v' * head.MAX_LINE + b'\r\n\r\n', 'HPE_HEADER_OVERFLOW'),
    (b'HTTP/1.1 200 ' + b'r' * head.MAX_LINE + b'\r\n\r\n', 'HPE_HEADER_OVERFLOW'),
    (b'HTTP/1.1 200 OK\r\n' + (b'X-A: ' + b'v' * 60000 + b'\r\n') * 5 + b'\r\n', 'HPE_HEADER_OVERFLOW'),
]


@pytest.mark.parametrize(('data', 'code'), BROKEN, ids=[f'{code}-{number}' for number, (_, code) in enumerate(BROKEN)])
def test_what_is_no_response_head_is_an_error_with_nodes_code(data: bytes, code: str) -> None:
    """S8, S9, S12."""
    for _ in range(2):  # a bad line is not remembered as a good one
        with pytest.raises(MalformedResponse) as caught:
            parse(data)
        assert caught.value.code == code


def test_a_thousand_fields_and_long_values_are_fine() -> None:
    fields = parse(b'HTTP/1.1 200 OK\r\n' + b'X-A: 1\r\n' * head.MAX_FIELDS + b'\r\n')[3]
    assert len(fields) == head.MAX_FIELDS
    long = parse(b'HTTP/1.1 200 OK\r\nX-A: ' + b'v' * 60000 + b'\r\nX-B: ' + b'v' * 60000 + b'\r\n\r\n')[3]
    assert [len(value) for _, value in long] == [60000, 60000]


@pytest.mark.parametrize(
    'line',
    [
        b'X-A:' + b' ' * 65000 + b'\x00',
        b'X-A: ' + b' x' * 32000 + b'\x00',
        b'x' * 65000,
        b'X-A' + b' ' * 65000 + b': b',
    ],
    ids=['blanks', 'words', 'name', 'blank-name'],
)
def test_a_hostile_line_costs_linear_time(line: bytes) -> None:
    """P1: no pattern goes back over what it has read."""
    began = time.process_time()
    with pytest.raises(MalformedResponse):
        parse(b'HTTP/1.1 200 OK\r\n' + line + b'\r\n\r\n')
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize('size', range(1, 6))
def test_an_unfinished_head_may_begin_like_http(size: int) -> None:
    head.check_partial(bytearray(b'HTTP/1.1'[:size]), 0)


@pytest.mark.parametrize(
    ('data', 'code'),
    [
        (b'<html>', 'HPE_INVALID_CONSTANT'),
        (b'h', 'HPE_INVALID_CONSTANT'),
        (b'HTTP/1.1 200 OK\nContent', 'HPE_CR_EXPECTED'),
        (b'HTTP/1.1 200 ' + b'r' * 70000, 'HPE_HEADER_OVERFLOW'),
        (b'HTTP/1.1 200 OK\r\n' + b'X-A: 1\r\n' * 40000, 'HPE_HEADER_OVERFLOW'),
    ],
    ids=['html', 'letter', 'bare-lf', 'line', 'head'],
)
def test_an_unfinished_head_that_cannot_become_one_is_an_error_at_once(data: bytes, code: str) -> None:
    with pytest.raises(MalformedResponse) as caught:
        head.check_partial(bytearray(data), 0)
    assert caught.value.code == code
