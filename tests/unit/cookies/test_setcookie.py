"""Set-Cookie texts and stored cookies: what is read, what is passed over, and that it takes linear time."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite.cookies.errors import CookieError
from requite.cookies.setcookie import from_json, parse
from requite.errors import InvalidOptionType


@pytest.mark.parametrize(
    ('text', 'key', 'value'),
    [
        ('a=b', 'a', 'b'),
        (' a = b ; x', 'a', 'b'),
        ('a="b=c"', 'a', '"b=c"'),
        ('a=b=c==', 'a', 'b=c=='),
        ('a=', 'a', ''),
        ('novalue', '', 'novalue'),
        ('=v', '', 'v'),
        ('=a=b', 'a', 'b'),
        (' = a = b ; x', 'a', 'b'),
        ('==a', '', '=a'),
        ('=__Host-a=b', '', '__Host-a=b'),
        ('', '', ''),
        ('a=b, c=d', 'a', 'b, c=d'),
    ],
)
def test_the_pair_is_cut_at_the_first_semicolon_and_equals_sign(text: str, key: str, value: str) -> None:
    cookie = parse(text)
    assert cookie is not None
    assert (cookie.key, cookie.value) == (key, value)


@pytest.mark.parametrize('text', ['novalue', '=v', '', ';', ' = b'])
def test_without_loose_a_cookie_needs_a_name(text: str) -> None:
    assert parse(text, loose=False) is None


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('a=b; MAX-AGE=5; max-age=x; max-age=+7', 'a=b; Max-Age=5'),
        ('a=b; max-age=-5', 'a=b; Max-Age=-5'),
        ('a=b; max-age=1' + '0' * 30, 'a=b; Max-Age=9007199254740991'),
        ('a=b; max-age=٣', 'a=b'),
        ('a=b; expires=nonsense', 'a=b'),
        ('a=b; path=/x; path=nope', 'a=b'),
        ('a=b; path=nope; path=/x', 'a=b; Path=/x'),
        ('a=b; domain=.Example.COM', 'a=b; Domain=example.com'),
        ('a=b; domain=x.com; domain=', 'a=b; Domain=x.com'),
        ('a=b; domain=.', 'a=b'),
        ('a=b; Secure=no; HttpOnly=no', 'a=b; Secure; HttpOnly'),
        ('a=b; ; ;;one;  two = 2 ;one', 'a=b; one; two = 2'),
        ('a=b; path=/' + 'x' * 1025, 'a=b'),
    ],
)
def test_the_last_attribute_that_can_be_read_wins(text: str, shown: str) -> None:
    assert str(parse(text)) == shown


@pytest.mark.parametrize('value', [None, 5, b'a=b', ['a=b']])
def test_a_cookie_is_read_from_text_alone(value: Any) -> None:
    with pytest.raises(InvalidOptionType, match='read from a str, not'):
        parse(value)


def test_c4_extensions_are_bounded() -> None:
    """SECURITY C4: a cookie's attributes are no way to fill memory."""
    cookie = parse('a=b' + ''.join(f'; extension{number}={"x" * 500}' for number in range(1000)))
    assert cookie is not None
    assert len(str(cookie)) < 5000


@given(st.text(max_size=300), st.booleans())
def test_no_text_breaks_the_reader(text: str, loose: bool) -> None:
    cookie = parse(text, loose)
    assert cookie is None or isinstance(str(cookie), str)


@pytest.mark.timing
@pytest.mark.parametrize(
    'text',
    [
        'b=1' + ';' * 65536,
        'b="' + '\\' * 65536 + '"',
        'b=1; Expires=1-c-1' + ' ' * 65536 + '!',
        'b' * 65536,
        '=' * 65536,
        'b=1; ' + 'domain=' * 10000,
        'b=1; domain=' + 'ü.' * 32768,
        'b=1; max-age=' + '9' * 65536,
        'b=1' + ' ' * 65536 + ';',
    ],
)
def test_c5_p1_reading_a_cookie_takes_linear_time(text: str) -> None:
    """SECURITY C5, P1: 64 KB of semicolons, quotes, blanks, dates."""
    began = time.perf_counter()
    parse(text)
    assert time.perf_counter() - began < 0.5


def test_c6_odd_keys_are_plain_data() -> None:
    """SECURITY C6: tough-cookie CVE-2023-26136 was a cookie for the domain __proto__."""
    cookie = from_json(
        {
            'key': '__proto__',
            'value': '__class__',
            'domain': '__proto__',
            'path': '/__dict__',
            '__class__': 'x',
            '__proto__': {'a': 1},
        }
    )
    assert (cookie.key, cookie.value, cookie.domain, cookie.path) == (
        '__proto__',
        '__class__',
        '__proto__',
        '/__dict__',
    )
    assert not hasattr(cookie, 'a')


@pytest.mark.parametrize(
    'data',
    [
        None,
        [],
        'a=b',
        {'key': 5},
        {'key': 'a', 'value': 5},
        {'key': 'a', 'expires': 'soon'},
        {'key': 'a', 'expires': 5},
        {'key': 'a', 'secure': 'yes'},
        {'key': 'a', 'maxAge': 'long'},
        {'key': 'a', 'extensions': 'x'},
        {'key': 'a', 'domain': []},
    ],
)
def test_stored_data_that_is_no_cookie_is_an_error(data: Any) -> None:
    with pytest.raises(CookieError, match='stored cookie'):
        from_json(data)


def test_what_newer_tough_cookies_write_is_read() -> None:
    cookie = from_json(
        {'key': 'a', 'value': 'b', 'sameSite': 'lax', 'maxAge': 'Infinity', 'expires': 'Infinity', 'creation': None}
    )
    assert cookie.same_site == 'lax'
    assert cookie.expires is None
    assert (cookie.max_age or 0) > 10**15
    assert from_json({'key': 'a', 'maxAge': '-Infinity'}).max_age == -1
