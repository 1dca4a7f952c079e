"""The checks of single values: what passes, as what, and that errors show no secret."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from requite import InvalidOptionType, OptionsError, UnknownOption, checks, fields


def test_none_passes_every_check() -> None:
    for check in (checks.boolean, checks.text, checks.function, checks.mapping, checks.count, checks.milliseconds):
        assert check('x', None) is None


def test_milliseconds_become_seconds() -> None:
    assert checks.milliseconds('timeout', 1500) == 1.5
    assert checks.milliseconds('timeout', timedelta(seconds=2)) == 2.0
    assert checks.milliseconds('timeout', timedelta(microseconds=500)) == 0.0005
    assert checks.milliseconds('timeout', 2**31 - 1) == 2147483.647


def test_the_longest_timeout_is_one_that_a_socket_takes() -> None:
    import socket

    with socket.socket() as sock:
        sock.settimeout(checks.LONGEST / 1000)


def test_standard_methods_go_out_in_upper_case_and_remember_their_spelling() -> None:
    method = checks.http_method('method', 'post')
    assert method == 'POST'
    assert getattr(method, 'spelling') == 'post'  # noqa: B009
    assert checks.http_method('method', 'PropFind') == 'PropFind'
    assert type(checks.http_method('method', 'GET')) is str


def test_a_mapping_is_copied() -> None:
    given = {'a': 1}
    copy = checks.mapping('qs', given)
    given['b'] = 2
    assert copy == {'a': 1}
    assert checks.mapping('qs', MappingProxyType({'a': 1})) == {'a': 1}


@pytest.mark.parametrize(
    'name', ['headers', 'auth', 'body', 'qs', 'form', 'proxy', 'base_url', 'key', 'passphrase', 'oauth']
)
def test_a_text_that_may_be_a_secret_is_not_shown(name: str) -> None:
    assert str(checks.wrong_type(name, 'sekrit', 'a mapping')) == f'option {name!r} must be a mapping, not a str'


def test_a_long_text_is_shown_shortened() -> None:
    assert len(str(checks.wrong_type('encoding', 'x' * 500, 'y'))) < 120


def test_a_value_of_a_foreign_type_is_named_by_its_type_and_never_by_its_repr() -> None:
    class Loud:
        def __repr__(self) -> str:
            raise AssertionError('nobody asks')

    assert checks.shown(Loud()) == 'a Loud'
    assert checks.shown({'a': 'sekrit'}) == 'a dict'
    assert checks.shown(object()) == 'an object'


@pytest.mark.parametrize(
    ('key', 'near'),
    [
        ('max_socket', 'max_sockets'),
        ('maxSocket', 'maxSockets'),
        ('MaxSockets', 'maxSockets'),
        ('max-sockets', 'max_sockets'),
        ('klingon', None),
    ],
)
def test_the_nearest_name_is_given_in_the_style_of_the_key(key: str, near: str | None) -> None:
    assert checks.nearest(key, ['maxSockets', 'max_sockets', 'other']) == near


def test_nested_keys_take_both_spellings_but_not_at_once() -> None:
    spellings = {'maxSockets': 'max_sockets', 'max_sockets': 'max_sockets'}
    assert checks.nested('pool', {'maxSockets': 1}, spellings) == checks.nested('pool', {'max_sockets': 1}, spellings)
    with pytest.raises(UnknownOption, match='which are one'):
        checks.nested('pool', {'maxSockets': 1, 'max_sockets': 1}, spellings)
    with pytest.raises(UnknownOption, match='no key 5; it takes max_sockets'):
        checks.nested('pool', {5: 1}, spellings)


# -- header fields


def lines(value: Any) -> Any:
    return fields.header_fields('headers', {'a': value})['a'][1]


@pytest.mark.parametrize(
    ('value', 'line'),
    [
        ('b', 'b'),
        (' b\t', ' b\t'),
        ('b\tc', 'b\tc'),
        ('', ''),
        ('é', 'é'),
        (b'\xe9', 'é'),
        (bytearray(b'b'), 'b'),
        (5, '5'),
        (5.0, '5'),
        (1.5, '1.5'),
        (True, 'true'),
        (False, 'false'),
        (['b', 1], ('b', '1')),
        (('b',), ('b',)),
        (None, None),
    ],
)
def test_a_header_value_becomes_its_lines(value: Any, line: Any) -> None:
    assert lines(value) == line


def test_pairs_may_repeat_a_header_in_any_case() -> None:
    assert fields.header_fields('headers', [('X', 'a'), ('x', ['b', 'c'])]) == {'x': ('X', ('a', 'b', 'c'))}


def test_the_order_and_case_of_headers_stay() -> None:
    assert [name for name, _ in fields.header_fields('headers', {'B-b': '1', 'a-A': '2'}).values()] == ['B-b', 'a-A']


def test_a_name_with_a_value_in_it_is_shown_up_to_the_colon_only() -> None:
    with pytest.raises(OptionsError) as caught:
        fields.header_name('headers', 'Authorization: sekrit')
    assert 'sekrit' not in str(caught.value)
    assert 'Authorization' in str(caught.value)


@pytest.mark.parametrize('value', ['1' * 19, '²', '1.0', '+1', '', ' ', '0x5'])
def test_a_content_length_that_is_no_plain_number_is_refused(value: str) -> None:
    with pytest.raises(OptionsError, match='content-length must be one number of bytes'):
        fields.header_fields('headers', {'content-length': value})


def test_framing_that_can_be_meant_passes() -> None:
    for headers in (
        {'content-length': 5},
        {'transfer-encoding': 'Chunked'},
        {'host': 'h'},
        {'content-length': None, 'host': None},
    ):
        assert fields.header_fields('headers', headers)


def test_a_header_of_bytes_is_checked_like_a_text() -> None:
    with pytest.raises(OptionsError, match='take the line break out'):
        fields.header_fields('headers', {'a': b'b\r\nc: d'})
    with pytest.raises(InvalidOptionType, match='must be a str, not a bytes'):
        fields.header_fields('headers', {b'a': 'b'})
