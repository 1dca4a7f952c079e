"""What the jar option may hold: the global jar, ours, and anybody's."""

from __future__ import annotations

from typing import Any

import pytest

from requite.cookies import CookieJar
from requite.cookies import jar as jars
from requite.cookies.foreign import jar_of
from requite.errors import InvalidOptionType
from requite.wire.uri import parse

URI = parse('http://user:secret@www.example.com/x?y#z')


class Snake:
    """A jar as Python writes one."""

    def __init__(self, text: Any = 'a=1') -> None:
        self.text = text
        self.calls: list[tuple[str, ...]] = []

    def get_cookie_string(self, url: str) -> Any:
        self.calls.append(('get', url))
        return self.text

    def set_cookie(self, text: str, url: str) -> None:
        self.calls.append(('set', text, url))
        if text.startswith('bad'):
            raise KeyError(text)


class Camel:
    """A jar as Node's `request` knows one."""

    def getCookieString(self, url: str) -> str:
        return 'camel=1'

    def setCookie(self, text: str, url: str) -> None:
        self.got = (text, url)


def test_true_is_the_jar_of_the_process_and_none_and_false_are_none() -> None:
    assert jar_of(True) is jars.GLOBAL
    assert jar_of(None) is None
    assert jar_of(False) is None


def test_our_own_jar_is_used_as_it_is() -> None:
    jar = CookieJar()
    assert jar_of(jar) is jar


def test_a_foreign_jar_is_asked_by_its_two_methods_in_either_spelling() -> None:
    snake, camel = Snake(), Camel()
    ours, theirs = jar_of(snake), jar_of(camel)
    assert ours is not None
    assert theirs is not None
    assert (ours.header(URI), theirs.header(URI)) == ('a=1', 'camel=1')
    theirs.remember(URI, ['b=2'])
    assert camel.got == ('b=2', 'http://www.example.com/x?y')
    assert snake.calls == [('get', 'http://www.example.com/x?y')]


def test_what_a_foreign_jar_refuses_is_dropped_and_the_rest_is_set_in_order() -> None:
    snake = Snake()
    jar = jar_of(snake)
    assert jar is not None
    jar.remember(URI, ['a=1', 'bad=2', 'c=3'])
    assert [call[1] for call in snake.calls] == ['a=1', 'bad=2', 'c=3']


@pytest.mark.parametrize(
    ('text', 'header'),
    [('', ''), (None, ''), ('a=1\r\nX: y', ''), ('a=\0', ''), ('a=値', 'a=' + '値'.encode().decode('latin-1'))],
)
def test_c3_what_no_header_may_hold_is_not_sent(text: Any, header: str) -> None:
    """SECURITY C3."""
    jar = jar_of(Snake(text))
    assert jar is not None
    assert jar.header(URI) == header


def test_a_jar_that_gives_no_text_is_an_error() -> None:
    jar = jar_of(Snake(['a=1']))
    assert jar is not None
    with pytest.raises(InvalidOptionType, match='must give a str, not a list'):
        jar.header(URI)


@pytest.mark.parametrize('value', ['cookies.txt', 5, {}, object()])
def test_anything_else_is_an_error_that_says_what_a_jar_needs(value: Any) -> None:
    """Node takes the global jar for whatever it does not know."""
    with pytest.raises(InvalidOptionType, match=r"option 'jar' must be True or a jar, not .* get_cookie_string\(url\)"):
        jar_of(value)


def test_a_class_is_no_jar_and_the_error_says_to_call_it() -> None:
    with pytest.raises(InvalidOptionType, match=r'not the class CookieJar: give CookieJar\(\)'):
        jar_of(CookieJar)
