"""The ``form`` option: what becomes of a mapping, a text and bytes."""

from __future__ import annotations

from typing import Any

import pytest

from requite.body.urlencoded import CONTENT_TYPE, encode
from requite.errors import InvalidOptionType, OptionsError, UnknownOption


def test_a_mapping_is_written_by_the_nested_codec() -> None:
    assert encode({'a': ['1', {'b': '2'}], 'c': {'d': 'e'}}) == b'a%5B0%5D=1&a%5B1%5D%5Bb%5D=2&c%5Bd%5D=e'
    assert encode({'a': None, 'c': True, 'd': 0, 'ä': '€'}) == b'a=&c=true&d=0&%C3%A4=%E2%82%AC'
    assert encode({'a': "it's (a) *test*! ~-_."}) == b'a=it%27s%20%28a%29%20%2Atest%2A%21%20~-_.'


def test_the_stringify_options_apply_to_a_form() -> None:
    assert encode({'a': ['1', '2']}, {'arrayFormat': 'repeat'}) == b'a=1&a=2'
    assert encode({'a': 'x y'}, {'format': 'RFC1738'}) == b'a=x+y'
    assert encode({'a': 'é'}, {'encode': False}) == b'a=\xc3\xa9'
    with pytest.raises(UnknownOption, match='arrayFormt'):
        encode({'a': 1}, {'arrayFormt': 'repeat'})


def test_use_querystring_writes_a_flat_form() -> None:
    assert encode({'a': ['1', '2'], 'b': "it's"}, use_querystring=True) == b'a=1&a=2&b=it%27s'
    assert encode({'a': 1, 'b': 2}, {'sep': ';', 'eq': ':'}, True) == b'a:1;b:2'


def test_an_empty_mapping_is_an_empty_body() -> None:
    assert encode({}) == b''


def test_a_text_goes_out_as_it_is_but_for_the_five_marks() -> None:
    assert encode('a=1&b=x%20y+z') == b'a=1&b=x%20y+z'
    assert encode("a=it's (a) *test*! ~-_.") == b'a=it%27s %28a%29 %2Atest%2A%21 ~-_.'
    assert encode('a=é') == b'a=\xc3\xa9'


def test_bytes_go_out_as_they_are() -> None:
    """Node enumerates a Buffer byte by byte, ``0=97&1=61&2=49``."""
    assert encode(b"a=1'\xff") == b"a=1'\xff"
    assert encode(bytearray(b'a=1')) == b'a=1'  # type: ignore[arg-type]


def test_a_lone_surrogate_is_an_error_and_not_a_broken_body() -> None:
    for form in ('a=\ud800', {'a': '\ud800'}):
        with pytest.raises(OptionsError, match='surrogate'):
            encode(form)


@pytest.mark.parametrize('form', [[('a', '1')], (), 5, True, None, object()])
def test_anything_else_is_a_type_error_that_says_what_to_give(form: Any) -> None:
    with pytest.raises(TypeError, match=f'form must be a mapping or a str, not {type(form).__name__}; ') as caught:
        encode(form)
    assert isinstance(caught.value, InvalidOptionType)


def test_the_content_type_has_no_charset() -> None:
    assert CONTENT_TYPE == 'application/x-www-form-urlencoded'
