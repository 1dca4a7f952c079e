"""form_data as bytes: what a parser that knows the standards reads back is what was given, and nothing in a name can end it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite import (
    InvalidBody,
    InvalidOptionType,
    OptionsError,
    RequestError,
    RequestStateError,
    UnknownOption,
    request,
)
from requite.body.formdata import FormData
from requite.carries import first
from requite.options import EMPTY, compose, normalise
from requite.protocols import Body

HOME = 'http://host.test'


def made(fields: Any, **options: Any) -> Body:
    """The content of a call with these fields."""
    body = first(compose(EMPTY, normalise({'uri': HOME, 'method': 'POST', 'form_data': fields, **options}))).body
    assert body is not None
    return body


def written(fields: Any) -> bytes:
    """The bytes of these fields, the boundary as B; the length that was told is theirs."""
    body = made(fields)
    data = b''.join(body.chunks())
    assert body.length in (None, len(data))
    boundary = dict(body.headers)['content-type'].partition('boundary=')[2]
    return data.replace(boundary.encode(), b'B')


def parsed(body: Body) -> list[tuple[str, str | None, str, bytes]]:
    """(name, filename, type, content) of each part, as Python's email package reads them."""
    text = f'Content-Type: {dict(body.headers)["content-type"]}\r\n\r\n'.encode() + b''.join(body.chunks())
    message: Any = BytesParser(policy=policy.HTTP).parsebytes(text)
    assert not message.defects
    return [
        (
            unquote(part.get_param('name', header='content-disposition')),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


# -- layout


def test_a_field_is_laid_out_as_node_does() -> None:
    assert written({'a': '1'}) == b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B--\r\n'


def test_fields_keep_their_order_and_lists_repeat_the_name() -> None:
    assert [part[:1] + part[3:] for part in parsed(made({'z': '1', 'a': ['2', b'3'], 'm': (), 'b': 4}))] == [
        ('z', b'1'), ('a', b'2'), ('a', b'3'), ('b', b'4'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('value', 'text'),
    [(5, b'5'), (1.5, b'1.5'), (2.0, b'2'), (-0.0, b'0'), (10**30, b'1' + b'0' * 30), (1e21, b'1e+21')],
)
def test_numbers_are_text_as_javascript_writes_it(value: float, text: bytes) -> None:
    assert parsed(made({'n': value}))[0][3] == text


def test_bytes_without_a_name_are_an_octet_stream_and_text_has_no_type() -> None:
    assert b'name="b"\r\nContent-Type: application/octet-stream\r\n\r\nx' in written({'b': b'x'})
    assert b'name="b"\r\n\r\nx' in written({'b': 'x'})


@pytest.mark.parametrize('value', [bytearray(b'abc'), memoryview(b'abc')])
def test_every_kind_of_bytes_is_bytes(value: Any) -> None:
    assert parsed(made({'b': value}))[0][3] == b'abc'


def test_a_form_without_fields_has_no_bytes_but_its_type() -> None:
    body = made({})
    assert (body.length, b''.join(body.chunks())) == (0, b'')
    assert dict(body.headers)['content-type'].startswith('multipart/form-data; boundary=')


def test_a_file_brings_name_type_and_length(tmp_path: Path) -> None:
    path = tmp_path / 'a' / 'x.json'
    path.parent.mkdir()
    path.write_bytes(b'{"a":1}')
    with path.open('rb') as file:
        file.seek(1)
        body = made({'f': file})
        assert body.length is not None
        assert body.replayable
        for _ in range(2):
            assert parsed(body) == [('f', 'x.json', 'application/json', b'"a":1}')]
            assert len(b''.join(body.chunks())) == body.length


@pytest.mark.parametrize(
    ('options', 'line'),
    [
        ({'filename': 'n.txt'}, b'; filename="n.txt"\r\nContent-Type: text/plain\r\n'),
        ('n.txt', b'; filename="n.txt"\r\nContent-Type: text/plain\r\n'),
        ({'filename': '/etc/dir/n.txt'}, b'; filename="n.txt"\r\n'),
        ({'filepath': 'a/./b/n.txt', 'filename': 'x.png'}, b'; filename="a/b/n.txt"\r\nContent-Type: text/plain\r\n'),
        ({'contentType': 'image/x'}, b'name="f"\r\nContent-Type: image/x\r\n'),
        ({'content_type': 'image/x', 'filename': 'a.txt'}, b'; filename="a.txt"\r\nContent-Type: image/x\r\n'),
        ({'knownLength': 3}, b'name="f"\r\nContent-Type: application/octet-stream\r\n'),
        ({'header': {'X-A': 'b', 'X-N': 5, 'X-No': None}}, b'octet-stream\r\nX-A: b\r\nX-N: 5\r\n\r\nabc'),
        ({}, b'name="f"\r\nContent-Type: application/octet-stream\r\n'),
    ],
)  # fmt: skip
def test_the_options_of_a_field_shape_its_head(options: Any, line: bytes) -> None:
    assert line in written({'f': {'value': b'abc', 'options': options}})


def test_a_head_of_the_callers_own_has_to_keep_to_the_boundary() -> None:
    form = FormData()
    form.append('f', b'abc', {'header': f'\r\n--{form.get_boundary()}\r\nX-Custom: 1\r\n\r\n'})
    assert b''.join(form.chunks()).partition(b'\r\n')[2].startswith(b'X-Custom: 1\r\n\r\nabc\r\n')
    with pytest.raises(OptionsError, match='whole head of the part'):
        form.append('f', b'abc', {'header': 'X-Custom: 1\r\n\r\n'})


def test_an_iterable_is_streamed_and_has_no_length_unless_it_is_stated() -> None:
    body = made({'f': (piece for piece in [b'ab', 'c'])})
    assert (body.length, body.replayable) == (None, False)
    assert parsed(body)[0][3] == b'abc'
    body = made({'f': {'value': iter([b'abc']), 'options': {'known_length': 3}}})
    assert body.length == len(b''.join(body.chunks()))


def test_large_parts_pass_through_without_being_copied() -> None:
    large = b'x' * 200_000
    assert any(piece is large for piece in made({'a': '1', 'f': large, 'b': '2'}).chunks())


def test_small_forms_are_one_piece() -> None:
    assert len(list(made({'a': '1', 'b': b'2', 'c': ['3', 4]}).chunks())) == 1


# -- names (SECURITY Q6, Q1)


def test_names_escape_quotes_and_line_breaks() -> None:
    """SECURITY Q6."""
    data = written({'a"\r\nX-Evil: 1': {'value': 'v', 'options': {'filename': 'f"\r\n.txt', 'content_type': 'text/x'}}})
    assert b'name="a%22%0D%0AX-Evil: 1"; filename="f%22%0D%0A.txt"\r\nContent-Type: text/x\r\n\r\nv' in data


@pytest.mark.parametrize('sign', ['\0', '\x01', '\x0b', '\x1f', '\x7f'])
def test_other_control_characters_in_names_are_refused(sign: str) -> None:
    """SECURITY Q1."""
    for fields in ({f'a{sign}': '1'}, {'a': {'value': '1', 'options': {'filename': f'b{sign}'}}}):
        with pytest.raises(OptionsError, match='control character'):
            made(fields)


@pytest.mark.parametrize('sign', ['\r', '\n', '\0', '\x7f'])
@pytest.mark.parametrize('place', [{'contentType': 'a/b%s'}, {'header': {'X-A': 'a%sb'}}, {'header': {'X-A%s': 'a'}}])
def test_nothing_of_a_part_head_may_begin_another_line(sign: str, place: Any) -> None:
    """SECURITY Q1."""
    ((key, value),) = place.items()
    filled = (
        value % sign
        if isinstance(value, str)
        else {k.replace('%s', sign): v.replace('%s', sign) for k, v in value.items()}
    )
    with pytest.raises(OptionsError):
        made({'f': {'value': 'v', 'options': {key: filled}}})


def test_the_boundary_is_128_random_bits_and_stands_in_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY Q6."""
    asked: list[int] = []

    def randbits(bits: int) -> int:
        asked.append(bits)
        return 7

    drawn = {FormData().get_boundary() for _ in range(50)}
    assert len(drawn) == 50
    assert all(re.fullmatch(r'-{26}\d{39}', boundary) for boundary in drawn)
    monkeypatch.setattr('secrets.randbits', randbits)
    boundary = FormData().get_boundary()
    assert asked == [128]
    for value in (f'--{boundary}', f'a\r\n--{boundary}--\r\n'):
        with pytest.raises(InvalidBody, match='holds the boundary'):
            made({'f': value})


TEXT = st.text(st.characters(exclude_categories=['Cs']))
NAMES = st.text(st.characters(exclude_categories=['Cs', 'Cc'], exclude_characters='%'))


@given(st.lists(st.tuples(NAMES, st.binary(max_size=300) | TEXT)))
def test_a_parser_reads_back_what_was_given(pairs: list[tuple[str, Any]]) -> None:
    form = FormData()
    for name, value in pairs:
        form.append(name, value)
    data = b''.join(form.chunks())
    assert form.get_length() == len(data)
    assert read_back(data, form.get_boundary()) == [
        (name.replace('"', '%22'), value if isinstance(value, bytes) else value.encode()) for name, value in pairs
    ]


def read_back(data: bytes, boundary: str) -> list[tuple[str, bytes]]:
    """The parts by the letter of RFC 2046 5.1.1 and RFC 7578: names between quotes, contents untouched."""
    if not data:
        return []
    delimiter = b'\r\n--' + boundary.encode()
    first_one, *parts, last = (b'\r\n' + data).split(delimiter)
    assert (first_one, last) == (b'', b'--\r\n')
    found = []
    for part in parts:
        head, blank, content = part.partition(b'\r\n\r\n')
        assert blank
        disposition = re.match(rb'\r\nContent-Disposition: form-data; name="([^"\r\n]*)"', head)
        assert disposition
        found.append((disposition[1].decode(), content))
    return found


@given(st.lists(st.tuples(st.from_regex(r'[A-Za-z0-9_.-]{1,12}', fullmatch=True), st.binary(max_size=200).filter(lambda data: b'\r' not in data and b'\n' not in data))), st.from_regex(r'[a-z]{1,8}\.(txt|png|json)', fullmatch=True))  # fmt: skip
def test_the_email_package_reads_back_what_was_given(pairs: list[tuple[str, bytes]], filename: str) -> None:
    form = FormData()
    for name, value in pairs:
        form.append(name, value, filename)
    assert [(name, shown, content) for name, shown, _, content in (parsed(form) if pairs else [])] == [
        (name, filename, value) for name, value in pairs
    ]


# -- what cannot be sent


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (None, r"field 'f' is None; leave the field out"),
        (True, r"is a bool; give it as text, 'true' or 'false'"),
        ({'a': 1}, 'is a dict; give .*value'),
        ([['a']], 'Arrays are not supported'),
        ([None], 'is None'),
        (float('nan'), 'is nan'),
        (float('inf'), 'is inf'),
        ({1, 2}, 'is a set'),
        (object(), 'is an object; give str, bytes, a number'),
        (Path('a'), r"open it: open\(path, 'rb'\)"),
        (io.StringIO('a'), "opened as text; open it with mode 'rb'"),
        ('\ud800', 'lone surrogate'),
        ({'value': None}, 'is None'),
        ({'value': ['a']}, 'Arrays are not supported'),
        ({'value': 'a', 'option': {}}, "did you mean 'options'"),
        ({'value': 'a', 'options': {'file_name': 'x'}}, "did you mean 'filename'"),
        ({'value': 'a', 'options': {'contentType': 'a/b', 'content_type': 'a/b'}}, 'which are one'),
        ({'value': 'a', 'options': 5}, 'must be a mapping or a file name'),
        ({'value': 'a', 'options': {'filename': 5}}, 'filename must be a str'),
        ({'value': 'a', 'options': {'header': 5}}, 'header must be a mapping'),
        ({'value': 'a', 'options': {'header': {'Content-Type': 'a/b'}}}, 'use filename and content_type'),
        ({'value': 'a', 'options': {'header': {'X-A': None, 'X-B': b'1'}}}, "'X-B' must be a str or a number"),
        ({'value': 'abc', 'options': {'known_length': 4}}, 'has 3 bytes, not the 4'),
        ({'value': 'abc', 'options': {'known_length': '3'}}, "^option 'form_data': field 'f', known_length must be an int"),
        ({'value': 'a', 'option': {}}, "^option 'form_data': field 'f' has no key 'option'"),
        ([['a'], b'b'], "^option 'form_data': field 'f' is a list"),
        (bytes, 'give an object'),
    ],
)  # fmt: skip
def test_what_cannot_be_a_field_is_an_error_of_the_call(value: Any, text: str) -> None:
    with pytest.raises(OptionsError, match=text) as caught:
        request.post(HOME, form_data={'f': value})
    assert 'form_data' in str(caught.value)


@pytest.mark.parametrize('fields', [5, 'a=1', [('a', 1)], b'a'])
def test_fields_must_be_a_mapping(fields: Any) -> None:
    with pytest.raises(InvalidOptionType, match="'form_data' must be a mapping"):
        made(fields)
    with pytest.raises(InvalidOptionType, match='name of a field must be a str'):
        made({5: 'a'})


def test_a_closed_or_text_file_is_an_error_of_the_call(tmp_path: Path) -> None:
    path = tmp_path / 'f'
    path.write_bytes(b'x')
    with path.open('rb') as closed, path.open() as text, tempfile.NamedTemporaryFile('w+') as wrapped:
        closed.close()
        for file, said in ((closed, 'closed file'), (text, 'opened as text'), (wrapped, 'opened as text')):
            with pytest.raises(InvalidBody, match=said):
                made({'f': file})


def test_the_fields_of_a_form_are_never_in_an_error() -> None:
    with pytest.raises(OptionsError) as caught:
        made({'f': {'value': 'sekrit', 'options': {'header': {'X-A': 'sekrit\n'}}}})
    assert 'sekrit' not in str(caught.value)


@pytest.mark.parametrize('other', [{'body': 'x'}, {'form': {'a': 1}}, {'json': {'a': 1}}, {'multipart': []}])
def test_another_content_beside_a_form_is_an_error(other: Any) -> None:
    with pytest.raises(OptionsError, match='would each be the content'):
        made({'a': '1'}, **other)


def test_json_as_a_switch_goes_with_a_form() -> None:
    assert parsed(made({'a': '1'}, json=True))[0][3] == b'1'


def test_a_form_on_head_is_an_error() -> None:
    with pytest.raises(InvalidBody, match="Leave 'form_data' out"):
        request.head(HOME, form_data={'a': '1'})


# -- files that change


def test_a_file_that_grows_sends_what_was_promised(tmp_path: Path) -> None:
    path = tmp_path / 'f.bin'
    path.write_bytes(b'x' * 1000)
    with path.open('rb') as file:
        body = made({'f': file})
        with path.open('ab') as more:
            more.write(b'y' * 500_000)
        data = b''.join(body.chunks())
    assert len(data) == body.length
    assert b'y' not in data.partition(b'\r\n\r\n')[2]


@pytest.mark.parametrize('left', [0, 10, 999])
def test_a_file_that_shrinks_is_an_error(tmp_path: Path, left: int) -> None:
    path = tmp_path / 'f.bin'
    path.write_bytes(b'x' * 1000)
    with path.open('rb') as file:
        body = made({'f': file})
        with path.open('r+b') as other:
            other.truncate(left)
        with pytest.raises(
            InvalidBody, match=f"field 'f' is shorter than promised: 1000 bytes were announced, {left} came"
        ):
            b''.join(body.chunks())


@pytest.mark.parametrize(('pieces', 'said'), [([b'ab'], 'shorter than promised'), ([b'ab', b'cd'], 'longer than')])
def test_an_iterable_of_another_length_than_stated_is_an_error(pieces: list[bytes], said: str) -> None:
    body = made({'f': {'value': iter(pieces), 'options': {'knownLength': 3}}})
    with pytest.raises(InvalidBody, match=said):
        b''.join(body.chunks())


def test_a_piece_that_is_no_bytes_is_an_error_that_names_the_field() -> None:
    with pytest.raises(InvalidBody, match=r"^option 'form_data': field 'f': A piece must be bytes or str, not an int$"):
        b''.join(made({'f': iter([b'a', 5])}).chunks())


def test_an_iterator_can_be_read_once_only() -> None:
    body = made({'f': iter([b'a'])})
    b''.join(body.chunks())
    with pytest.raises(RequestStateError, match='used up'):
        b''.join(body.chunks())


@pytest.mark.parametrize('fields', [lambda one: {'a': one, 'b': one}, lambda one: {'a': [one, {'value': one}]}])
def test_one_stream_in_two_fields_is_an_error(fields: Any) -> None:
    with pytest.raises(InvalidBody, match='can be read only once'):
        made(fields(iter([b'a'])))
    assert [part[3] for part in parsed(made(fields(io.BytesIO(b'a'))))] == [b'a', b'a']


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='only Linux has files without a size in /proc')
def test_a_file_that_is_made_while_it_is_read_has_no_length() -> None:
    with Path('/proc/self/status').open('rb') as file:
        body = made({'f': file})
        assert body.length is None
        assert b'Pid:' in b''.join(body.chunks())


def test_a_file_that_is_open_for_writing_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / 'f').open('wb') as file, pytest.raises(InvalidBody, match='not open for reading'):
        made({'f': file})


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / 'f.bin'
    with path.open('wb') as file:
        file.truncate(64 * 1024 * 1024)
    with path.open('rb') as file:
        body = made({'f': file})
        assert max(map(len, body.chunks())) <= 262144


# -- the builder


def test_append_returns_the_form_and_takes_a_file_name() -> None:
    form = FormData()
    assert form.append('a', '1').append('f', 'data', 'name.csv') is form
    assert parsed(form) == [('a', None, 'text/plain', b'1'), ('f', 'name.csv', 'text/csv', b'data')]
    assert form.getLength() == form.get_length() == len(b''.join(form.chunks()))
    assert form.getHeaders() == {'content-type': f'multipart/form-data; boundary={form.getBoundary()}'}
    assert repr(form) == '<FormData 2 parts>'


@pytest.mark.parametrize('value', [['1'], ('1',)])
def test_append_takes_no_lists(value: Any) -> None:
    with pytest.raises(InvalidBody, match=r'Arrays are not supported\. Append each value'):
        FormData().append('a', value)


def test_unknown_keys_are_refused_by_append_too() -> None:
    with pytest.raises(UnknownOption):
        FormData().append('a', '1', {'klingon': 1})


def test_defaults_merge_with_the_fields_of_a_call() -> None:
    outer = compose(EMPTY, normalise({'form_data': {'a': '1', 'f': {'value': 'x', 'options': {'filename': 'x.txt'}}}}))
    options = compose(outer, normalise({'uri': HOME, 'formData': {'b': '2', 'f': {'value': 'y'}}}))
    body = first(options).body
    assert body is not None
    assert [(name, shown, content) for name, shown, _, content in parsed(body)] == [
        ('a', None, b'1'), ('f', 'x.txt', b'y'), ('b', None, b'2'),
    ]  # fmt: skip


def test_importing_requite_does_not_import_the_encoders() -> None:
    code = (
        'import sys, requite; print(sorted(name for name in sys.modules if name in ("requite.body.parts", "requite.body.formdata", '
        '"requite.body.related", "requests_toolbelt", "requests", "secrets", "requite.wire.mimetable")))'
    )
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout == '[]\n'


def test_every_error_of_a_field_is_of_the_family() -> None:
    assert issubclass(InvalidBody, RequestError)
    assert issubclass(InvalidBody, TypeError)
