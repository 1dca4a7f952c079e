"""WWW-Authenticate as it may come: several challenges, quotes, blanks, and what nobody can read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite.auth.challenges import MOST, Challenge, challenges, information, parse, quoted

SIZE = 65536


def test_one_challenge_is_its_scheme_and_its_parameters() -> None:
    assert parse('Digest realm="a b", nonce=n1, stale=TRUE') == [
        Challenge('digest', {'realm': 'a b', 'nonce': 'n1', 'stale': 'TRUE'})
    ]


def test_several_challenges_in_one_field_are_told_apart() -> None:
    text = 'Basic realm="b", Negotiate, NTLM TlRMTVNTUAAB==, Digest realm="r", qop="auth,auth-int", nonce="n"'
    assert parse(text) == [
        Challenge('basic', {'realm': 'b'}),
        Challenge('negotiate', {}),
        Challenge('ntlm', {}),
        Challenge('digest', {'realm': 'r', 'qop': 'auth,auth-int', 'nonce': 'n'}),
    ]


def test_several_fields_are_one_list() -> None:
    fields = [('WWW-Authenticate', 'Basic realm="b"'), ('x', 'Digest'), ('www-authenticate', 'Digest realm="d"')]
    assert [each.scheme for each in challenges(fields)] == ['basic', 'digest']


@pytest.mark.parametrize(
    'text',
    [
        'digest REALM="r",NONCE="n"',
        'Digest realm = "r" , nonce\t=\t"n"',
        ',, Digest realm="r",,,nonce="n",',
        'DIGEST  realm="\\r",nonce="n"',
    ],
)
def test_case_blanks_and_empty_elements_do_not_matter(text: str) -> None:
    assert parse(text) == [Challenge('digest', {'realm': 'r', 'nonce': 'n'})]


def test_escapes_are_undone_and_a_comma_within_quotes_separates_nothing() -> None:
    assert parse(r'Digest realm="a\"b\\c, Basic realm=x"')[0].parameters == {'realm': r'a"b\c, Basic realm=x'}


def test_an_empty_quoted_value_is_there() -> None:
    """Node loses it: mended."""
    assert parse('Digest realm="", nonce="n"')[0].parameters == {'realm': '', 'nonce': 'n'}


def test_octets_beyond_ascii_stay_as_they_came() -> None:
    assert parse('Digest realm="\xc3\xbc"')[0].parameters == {'realm': '\xc3\xbc'}


@pytest.mark.parametrize(
    'text',
    [
        'Digest realm="r, nonce=\x80, qop=",,,=,"auth',
        'Digest realm="r", nonce="n", qop="auth',
        'Digest realm="r" nonce="n"',
        'Digest realm="r", realm="s", nonce="n"',
        'Digest realm="r"x, nonce="n"',
        'Digest realm="a\x00b"',
        'Digest realm="a\u0100b"',
        'Digest realm="r", ="x"',
        'Digest "r"',
        'Digest/realm="r"',
    ],
)
def test_no_challenge_of_a_field_that_cannot_be_read_is_sound(text: str) -> None:
    """SECURITY A1."""
    assert not any(challenge.sound for challenge in parse('Basic realm="b", ' + text))


@pytest.mark.parametrize('text', ['', ',', ' \t, '])
def test_nothing_asks_for_nothing(text: str) -> None:
    assert parse(text) == []


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    for challenge in parse(text):
        assert challenge.scheme == challenge.scheme.lower()
    information(text)


@given(
    st.dictionaries(
        st.sampled_from(['realm', 'nonce', 'opaque']), st.text(st.characters(min_codepoint=32, max_codepoint=126))
    )
)
def test_what_is_quoted_is_read_back_the_same(parameters: dict[str, str]) -> None:
    """SECURITY A2: both ways of quoting agree, so nothing can break out of a value."""
    text = 'Digest ' + ', '.join(f'{name}={quoted(value)}' for name, value in parameters.items())
    assert parse(text) == [Challenge('digest', parameters)]


def test_authentication_info_has_parameters_without_a_scheme() -> None:
    assert information('rspauth="6629", cnonce="0a4f", nc=00000001, qop=auth') == {
        'rspauth': '6629',
        'cnonce': '0a4f',
        'nc': '00000001',
        'qop': 'auth',
    }
    assert information('rspauth="6629') is None
    assert information('nextnonce="n", rspauth') is None


@pytest.mark.timing
@pytest.mark.parametrize(
    'pattern',
    [
        'a="',
        '"',
        '\\',
        'a=',
        'a ',
        'a, ',
        'a b, ',
        ' ',
        ',',
        'a="\\"',
        '=',
        'Digest ',
        'a="b",',
        'a=b c ',
        '\t',
        '\\"',
        '~',
    ],
)
@pytest.mark.parametrize('start', ['Digest ', 'Digest realm="', 'Digest a', ''])
def test_reading_takes_time_in_proportion_to_the_length(start: str, pattern: str) -> None:
    """SECURITY P1, at 64 KiB; a quadratic step would take minutes."""
    text = start + pattern * (SIZE // len(pattern))
    before = time.process_time()
    parse(text)
    information(text)
    assert time.process_time() - before < 0.5


def test_more_challenges_than_anybody_means_are_not_sound() -> None:
    assert [challenge.sound for challenge in parse('Basic, ' * MOST)] == [True] * MOST
    assert not any(challenge.sound for challenge in parse('Basic, ' * (MOST + 1)))
