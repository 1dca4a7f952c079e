from __future__ import annotations

from pathlib import Path

import pytest

from requite import cliitems
from requite.cliitems import Part, parse, split
from requite.errors import OptionsError


@pytest.mark.parametrize(
    ('word', 'parts'),
    [
        ('name=Ada', ('name', '=', 'Ada')),
        ('name=', ('name', '=', '')),
        ('age:=36', ('age', ':=', '36')),
        ('X-Token:abc=', ('X-Token', ':', 'abc=')),
        ('Accept:', ('Accept', ':', '')),
        ('X-Empty;', ('X-Empty', ';', '')),
        ('q==a=b', ('q', '==', 'a=b')),
        ('url=http://h/?a==b', ('url', '=', 'http://h/?a==b')),
        ('file@a:b', ('file', '@', 'a:b')),
        ('text=@a', ('text', '=@', 'a')),
        ('value:=@a', ('value', ':=@', 'a')),
        ('@a', ('', '@', 'a')),
        (r'a\:b=c', ('a:b', '=', 'c')),
        (r'a\=b=c', ('a=b', '=', 'c')),
        (r'me\@home=c', ('me@home', '=', 'c')),
        (r'a\\=b', ('a\\', '=', 'b')),
        (r'a\b=c', (r'a\b', '=', 'c')),
        (r'path=C:\=x', ('path', '=', r'C:\=x')),
        (r'text=\@a', ('text', '=', '@a')),
        (r'text=\=a', ('text', '=', '=a')),
    ],
)
def test_an_item_is_split_at_its_first_separator(word: str, parts: tuple[str, str, str]) -> None:
    assert split(word) == parts


def test_items_say_headers_query_and_content() -> None:
    items = parse(['A:1', 'B:', 'C;', 'q==1', 'q==2', 'x=1', 'y:={"a": [1.5, null]}'])
    assert items.headers == [('A', '1'), ('B', None), ('C', '')]
    assert items.query == [('q', '1'), ('q', '2')]
    assert items.parts == [Part('x', '1', 'text'), Part('y', {'a': [1.5, None]}, 'json')]
    assert items.sends
    assert not parse(['A:1', 'q==1']).sends


def test_items_read_files(tmp_path: Path) -> None:
    (tmp_path / 'text').write_text('d\xe9j\xe0', encoding='utf-8')
    (tmp_path / 'json').write_text('[1]')
    items = parse([f'a=@{tmp_path}/text', f'b:=@{tmp_path}/json', f'c@{tmp_path}/text;type=text/x-y'])
    assert items.parts == [
        Part('a', 'd\xe9j\xe0', 'text'),
        Part('b', [1], 'json'),
        Part('c', f'{tmp_path}/text', 'file', 'text/x-y'),
    ]
    assert parse([f'@{tmp_path}/text']).body == f'{tmp_path}/text'
    assert parse(['@-']).body == '-'


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['nothing'], "'nothing' is no item; write Header:value"),
        ([''], "'' is no item"),
        (['=value'], "'=value' has no name before '='"),
        ([':value'], "':value' has no name before ':'"),
        (['a:=Ada'], 'what follows := is not JSON; for text write a=Ada'),
        (['a:=NaN'], 'is not JSON'),
        (['a:=' + '[' * 100_000], 'is not JSON'),
        (['a@missing'], "'a@missing': cannot read 'missing': No such file or directory"),
        (['a=@missing'], "cannot read 'missing'"),
        (['a:=@missing'], "cannot read 'missing'"),
        (['a@.'], "cannot read '.': it is a folder"),
        (['a@x\0y'], 'cannot read'),
        (['@-', '@-'], 'only one file that is the whole content'),
        (['@-', 'a=b'], 'do not go together'),
        (['http://two.example/'], 'is a second address'),
    ],
)
def test_a_wrong_item_is_named(words: list[str], said: str) -> None:
    with pytest.raises(OptionsError) as caught:
        parse(words)
    assert said in str(caught.value)


def test_a_file_that_is_no_text_is_not_taken_for_text(tmp_path: Path) -> None:
    (tmp_path / 'binary').write_bytes(b'\xff\xfe')
    with pytest.raises(OptionsError, match='is not text in UTF-8; send it as a file'):
        cliitems.text_of('a=@binary', str(tmp_path / 'binary'))
