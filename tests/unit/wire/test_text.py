"""The `encoding` option: Node's names, Python's codecs, nothing raised because of a body."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from requite.errors import InvalidOptionType, OptionsError
from requite.wire.text import Incremental, check, decode

# Encoding, body and text, as Node 20 gives them (lone surrogates excepted, see the test named for them).
NODE = [
    ('utf-8', 'h\u00e9llo \u65e5\u672c'.encode(), 'h\u00e9llo \u65e5\u672c'),
    ('utf-8', b'caf\xe9', 'caf\ufffd'),
    ('utf-8', b'\xf0\x9f\x98', '\ufffd'),
    ('utf-8', b'\xed\xa0\x80', '\ufffd\ufffd\ufffd'),
    ('utf-8', b'\xc0\x80a', '\ufffd\ufffda'),
    ('utf8', b'\xef\xbb\xbfbom', 'bom'),
    ('ascii', b'abc\xe9', 'abci'),
    ('latin1', b'caf\xe9\x80', 'caf\xe9\x80'),
    ('binary', b'\xff', '\xff'),
    ('hex', b'hex\xff', '686578ff'),
    ('base64', b'base64!', 'YmFzZTY0IQ=='),
    ('base64', b'\xfb\xff', '+/8='),
    ('base64url', b'\xfb\xff', '-_8'),
    ('utf16le', b'h\0\xe9\0', 'h\xe9'),
    ('ucs2', b'\x3d\xd8\x00\xde', '\U0001f600'),
    ('utf-16le', b'a\0b', 'a'),
]


def in_chunks(data: bytes, encoding: str, size: int) -> str:
    decoder = Incremental(encoding)
    return ''.join(decoder.feed(data[at : at + size]) for at in range(0, len(data), size)) + decoder.end()


@pytest.mark.parametrize(('encoding', 'data', 'text'), NODE)
def test_the_names_of_node_mean_what_they_mean_there(encoding: str, data: bytes, text: str) -> None:
    assert decode(data, encoding) == text
    assert decode(data, check(encoding)) == text
    for size in (1, 2, 3, 5):
        assert in_chunks(data, encoding, size) == text


@pytest.mark.parametrize(
    ('given_name', 'name'),
    [
        ('utf8', 'utf-8'), ('UTF-8', 'utf-8'), ('Utf_8', 'utf-8'), ('u8', 'utf-8'), ('utf-8-sig', 'utf-8'),
        ('ucs2', 'utf-16le'), ('UCS-2', 'utf-16le'), ('utf16LE', 'utf-16le'), ('utf-16-le', 'utf-16le'),
        ('binary', 'latin1'), ('iso-8859-1', 'latin1'), ('latin-1', 'latin1'), ('us-ascii', 'ascii'), ('HEX', 'hex'),
        ('Base64URL', 'base64url'), ('windows-1252', 'cp1252'), ('shift-jis', 'shift_jis'), ('koi8-r', 'koi8-r'),
    ],
)  # fmt: skip
def test_every_spelling_has_one_name(given_name: str, name: str) -> None:
    assert check(given_name) == name
    assert check(name) == name


@pytest.mark.parametrize('spelling', ['utf8', 'utf-8', 'UTF-8', 'utf_8', 'utf-8-sig'])
@pytest.mark.parametrize('size', [1, 2, 3, 100])
def test_the_byte_order_mark_is_dropped_for_every_spelling_of_utf_8(spelling: str, size: int) -> None:
    """Mended: Node drops it for 'utf8' only. One is dropped, a second one is text."""
    data = b'\xef\xbb\xbf\xef\xbb\xbf{}'
    assert decode(data, check(spelling)) == '\ufeff{}'
    assert in_chunks(data, spelling, size) == '\ufeff{}'
    assert in_chunks(b'a\xef\xbb\xbf', spelling, size) == 'a\ufeff'
    assert in_chunks(b'\xef\xbb', spelling, size) == '\ufffd' == decode(b'\xef\xbb', 'utf-8')


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    """Mended: Node keeps half a character, which no Python program could print or encode."""
    assert decode(b'\x00\xd8a\0', 'utf-16le') == '\ufffda'
    assert in_chunks(b'a\0\x00\xd8', 'ucs2', 1) == 'a\ufffd'


def test_bodies_in_the_codecs_of_python_are_decoded() -> None:
    assert decode('\u20ac'.encode('cp1252'), 'windows-1252') == '\u20ac'
    assert decode('\u65e5\u672c'.encode('shift-jis'), check('Shift-JIS')) == '\u65e5\u672c'
    assert in_chunks('\u65e5\u672c'.encode('euc-jp'), 'euc-jp', 1) == '\u65e5\u672c'
    assert decode(b'\x81', 'cp1252') == '\ufffd'


@pytest.mark.parametrize('encoding', ['utf-16', 'utf-32'])
@pytest.mark.parametrize('order', ['', '-le', '-be'])
@pytest.mark.parametrize('size', [1, 3, 100])
def test_utf_16_and_utf_32_go_by_their_mark(encoding: str, order: str, size: int) -> None:
    data = ('\ufeff' if order else '').encode(encoding + (order or '-le')) + '\u65e5x'.encode(
        encoding + (order or '-le')
    )
    assert in_chunks(data, encoding, size) == decode(data, encoding) == '\u65e5x'
    assert in_chunks(b'\xff', encoding, size) == decode(b'\xff', encoding) == '\ufffd'


ANY = [
    'utf-8',
    'utf-16le',
    'latin1',
    'ascii',
    'hex',
    'base64',
    'base64url',
    'utf-16',
    'utf-32',
    'cp1252',
    'gb18030',
    'iso2022_jp',
    'utf-7',
]


@given(data=strategies.binary(max_size=60), size=strategies.integers(1, 7), encoding=strategies.sampled_from(ANY))
def test_chunks_never_change_the_text(data: bytes, size: int, encoding: str) -> None:
    assert in_chunks(data, encoding, size) == decode(data, encoding)


@pytest.mark.parametrize('buffer', [bytearray, memoryview])
def test_any_buffer_is_decoded(buffer: type) -> None:
    for encoding, data, text in NODE:
        assert decode(buffer(data), check(encoding)) == text


@pytest.mark.parametrize(
    'name',
    ['nope', '', 'zlib', 'rot13', 'bz2', 'quopri', 'idna', 'punycode', 'unicode_escape', 'undefined', 'a\0b', '\u00e9'],
)
def test_an_unknown_encoding_is_an_error_of_the_call(name: str) -> None:
    """Mended: in Node it is an uncaught exception when the response arrives."""
    with pytest.raises(OptionsError, match='encoding'):
        check(name)
    with pytest.raises(OptionsError):
        Incremental(name)


def test_the_error_suggests_the_name_that_was_meant() -> None:
    with pytest.raises(OptionsError, match="did you mean 'utf-8'"):
        check('uft-8')
    with pytest.raises(OptionsError, match='None to get the body as bytes'):
        check('nope')


@pytest.mark.parametrize('value', [None, 8, b'utf-8', True])
def test_an_encoding_that_is_no_str_is_a_type_error(value: object) -> None:
    with pytest.raises(InvalidOptionType, match='encoding is'):
        check(value)  # type: ignore[arg-type]
