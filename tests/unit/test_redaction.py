"""What is left out of logs, commands and files: SECURITY Q9."""

from __future__ import annotations

import time

import pytest

from requite.redaction import SECRET, Shown, is_hidden
from requite.wire import uri

HIDE = Shown()
SHOW = Shown(secrets=True)


@pytest.mark.parametrize('name', sorted(SECRET))
def test_credentials_are_hidden_whatever_the_case_of_their_names(name: str) -> None:
    """SECURITY Q9."""
    for spelling in (name, name.upper(), name.title()):
        for value in ('sekrit', 'Basic c2Vrcml0', 'a=sekrit; Path=/', 'Digest username="sekrit"'):
            shown = HIDE.field(spelling, value)
            assert 'sekrit' not in shown
            assert 'c2Vrcml0' not in shown
            assert is_hidden(spelling, shown)
            assert SHOW.field(spelling, value) == value


def test_of_authorization_the_scheme_stays() -> None:
    assert HIDE.field('Authorization', 'Bearer sekrit') == 'Bearer ***'
    assert HIDE.field('authorization', 'sekrit') == '***'
    assert HIDE.field('authorization', 'se:krit more') == '***'


def test_fields_that_the_caller_calls_sensitive_are_hidden_too() -> None:
    shown = Shown(more=frozenset(('x-mine', 'location')))
    assert shown.fields([('X-Mine', 'sekrit'), ('x-other', 'seen'), ('Location', '/a')]) == [
        ('X-Mine', '***'),
        ('x-other', 'seen'),
        ('Location', '***'),
    ]


@pytest.mark.parametrize(
    ('given', 'shown'),
    [
        ('http://me:sekrit@h/a', 'http://***@h/a'),
        ('//me@h', '//***@h'),
        ('https://a@b@h/x@y', 'https://***@h/x@y'),
        ('/a//b@c', '/a//b@c'),
        ('x//b@c', 'x//b@c'),
        ('/p?access_token=sekrit&x=1', '/p?access_token=***&x=1'),
        ('/p?X-Amz-Signature=sekrit#access_token=sekrit', '/p?X-Amz-Signature=***#access_token=***'),
        ('/p?user[password]=sekrit', '/p?user[password]=***'),
        ('/p?user%5Bpassword%5D=sekrit', '/p?user%5Bpassword%5D=***'),
        ('/p?ApiKey=sekrit&api-key=sekrit&api_key=sekrit', '/p?ApiKey=***&api-key=***&api_key=***'),
        ('/p?token=&token&tokens=1&keyboard=qwerty', '/p?token=&token&tokens=1&keyboard=qwerty'),
        ('/plain', '/plain'),
        ('', ''),
    ],
)
def test_of_addresses_neither_userinfo_nor_tokens_stay(given: str, shown: str) -> None:
    """SECURITY Q9."""
    assert HIDE.link(given) == shown
    assert HIDE.field('Location', given) == shown
    assert SHOW.link(given) == given


def test_an_address_is_shown_without_userinfo_and_fragment_even_with_secrets() -> None:
    whole = uri.parse('http://me:sekrit@h/a?token=t#b')
    assert HIDE.address(whole) == 'http://h/a?token=***'
    assert SHOW.address(whole) == 'http://h/a?token=t'


def test_hostile_text_costs_nothing() -> None:
    """SECURITY P1."""
    begun = time.perf_counter()
    for text in (
        'a' * 65536,
        '//' * 32768,
        '@' * 65536,
        '?' + '[' * 65536 + '=1',
        '?' + ']' * 65536 + '=1',
        '&=' * 32768,
    ):
        HIDE.link(text)
    assert time.perf_counter() - begun < 0.5
