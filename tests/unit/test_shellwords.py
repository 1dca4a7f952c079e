from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite.errors import OptionsError
from requite.shellwords import split


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('', []),
        ('  a   b\t c\n', ['a', 'b', 'c']),
        ("a'b c'd", ['ab cd']),
        ('\'\' ""', ['', '']),
        ('"a \\"b\\" \\$c \\n"', ['a "b" $c \\n']),
        ("'it'\\''s'", ["it's"]),
        ('a\\ b', ['a b']),
        ('a \\\n  b', ['a', 'b']),
        ('a\\\nb', ['ab']),
        ('a \\\r\n b', ['a', 'b']),
        ('"a\\\nb"', ['ab']),
        (r"$'a\nb\'c\u00e9\x41\101\\'", ["a\nb'c\xe9AA\\"]),
        (r"$'\u0021'", ['!']),
        (r"$'\ud83d\ude00 \xc3\xa9 \303\251 \ud83d.'", ['\U0001f600 \xe9 \xe9 \ufffd.']),
        ("a$b 'http://h/?a=1&b=$2'", ['a$b', 'http://h/?a=1&b=$2']),
        ('http://h/?a=1&b=2', ['http://h/?a=1&b=2']),
        ("'|' \\|", ['|', '|']),
    ],
)
def test_a_line_is_split_as_a_shell_does(line: str, words: list[str]) -> None:
    assert split(line) == words


@given(st.lists(st.text(st.characters(exclude_categories=['Cs'], exclude_characters='\0'), max_size=20), max_size=5))
def test_what_was_quoted_for_a_shell_comes_back(words: list[str]) -> None:
    assert split(shlex.join(words)) == words


@pytest.mark.parametrize(
    ('line', 'said'),
    [
        ("curl 'http://h", 'has no end'),
        ('curl "http://h', 'has no end'),
        ('curl h | jq .', "'|'"),
        ('curl h > file', "'>'"),
    ],
)
def test_what_only_a_shell_could_do_is_an_error(line: str, said: str) -> None:
    with pytest.raises(OptionsError) as caught:
        split(line)
    assert said in str(caught.value)
