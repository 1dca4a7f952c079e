"""multipart as bytes: laid out as Node's request does, with the caller's boundary where there is one."""

from __future__ import annotations

import io
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite import InvalidBody, OptionsError, request
from requite.carries import first
from requite.message import AbortSignal
from requite.options import EMPTY, compose, normalise
from requite.prepare import build
from requite.protocols import Body

HOME = 'http://host.test'
PARTS = [{'content-type': 'application/json', 'body': '{"a":1}'}, {'body': 'I am an attachment'}]
LAYOUT = b'--B\r\ncontent-type: application/json\r\n\r\n{"a":1}\r\n--B\r\n\r\nI am an attachment\r\n--B--'


def made(parts: Any, **options: Any) -> Body:
    """The content of a call with these parts."""
    body = first(compose(EMPTY, normalise({'uri': HOME, 'method': 'PUT', 'multipart': parts, **options}))).body
    assert body is not None
    return body


def written(parts: Any, content_type: str = 'multipart/related; boundary=B', **options: Any) -> bytes:
    """The bytes of these parts with the boundary B; the length that was told is theirs."""
    body = made(parts, headers={'content-type': content_type}, **options)
    data = b''.join(body.chunks())
    assert body.length in (None, len(data))
    return data


def fields(**options: Any) -> dict[str, str]:
    """The header fields that go out."""
    chosen = compose(EMPTY, normalise({'uri': HOME, 'method': 'PUT', **options}))
    return dict(build(chosen, first(chosen), None, chosen.limits, AbortSignal()).fields)


@pytest.mark.parametrize(
    ('options', 'before', 'after'),
    [
        ({}, b'', b''),
        ({'preamble_crlf': True}, b'\r\n', b''),
        ({'postambleCRLF': True}, b'', b'\r\n'),
        ({'preambleCRLF': True, 'postamble_crlf': True}, b'\r\n', b'\r\n'),
        ({'preamble_crlf': False, 'postamble_crlf': None}, b'', b''),
    ],
)
def test_parts_are_laid_out_as_node_does(options: Any, before: bytes, after: bytes) -> None:
    assert written(PARTS, **options) == before + LAYOUT + after


@pytest.mark.parametrize(
    ('part', 'text'),
    [
        ({'body': ''}, b'\r\n\r\n'),
        ({'body': 5}, b'\r\n5\r\n'),
        ({'body': 1.5}, b'\r\n1.5\r\n'),
        ({'body': b'\x00\xff'}, b'\r\n\x00\xff\r\n'),
        ({'body': bytearray(b'a')}, b'\r\na\r\n'),
        ({'X-N': 5, 'body': 'a', 'x-none': None}, b'X-N: 5\r\n\r\na\r\n'),
        ({'body': io.BytesIO(b'file')}, b'\r\nfile\r\n'),
        ({'body': iter([b'a', 'b'])}, b'\r\nab\r\n'),
        ({'content-type': 'tëxt', 'body': 'ö'}, 'content-type: tëxt\r\n\r\nö\r\n'.encode()),
    ],
)
def test_a_part_is_its_fields_and_its_body(part: Any, text: bytes) -> None:
    assert written([part]) == b'--B\r\n' + text + b'--B--'


def test_no_parts_are_a_closing_boundary() -> None:
    assert written([]) == b'--B--'


@pytest.mark.parametrize(
    ('given', 'length'),
    [
        (PARTS, len(LAYOUT)),
        ({'data': PARTS}, len(LAYOUT)),
        ({'chunked': False, 'data': PARTS}, len(LAYOUT)),
        ({'chunked': True, 'data': PARTS}, None),
        ([{'body': io.BytesIO(b'x')}], None),
        ({'chunked': False, 'data': [{'body': io.BytesIO(b'x')}]}, None),
    ],
)
def test_streams_and_chunked_leave_the_length_open(given: Any, length: int | None) -> None:
    headers = {'content-type': 'multipart/related; boundary=B'}
    assert made(given, headers=headers).length == length
    sent = fields(multipart=given, headers=headers)
    assert sent.get('content-length') == (None if length is None else str(length))
    assert sent.get('transfer-encoding') == ('chunked' if length is None else None)


def test_a_header_of_the_callers_makes_it_chunked() -> None:
    sent = fields(multipart=PARTS, headers={'transfer-encoding': 'chunked'})
    assert 'content-length' not in sent
    assert sent['transfer-encoding'] == 'chunked'


@pytest.mark.parametrize(
    ('content_type', 'kept'),
    [
        ('multipart/related; boundary=B; type=text/xml; start="<root>"', True),
        ('Multipart/Mixed; Boundary="B"', True),
        ('multipart/mixed;boundary="B";x=y', True),
        ('multipart/mixed;  boundary=B', True),
        ('text/plain; boundary=B', False),
        ('text/plain', False),
    ],
)
def test_a_boundary_of_the_callers_is_used_quoted_or_not(content_type: str, kept: bool) -> None:
    sent = fields(multipart=PARTS, headers={'Content-Type': content_type})
    if kept:
        assert sent['Content-Type'] == content_type
        assert written(PARTS, content_type) == LAYOUT
    else:
        assert sent['Content-Type'].startswith('multipart/related; boundary=--------------------------')


def test_a_boundary_with_blanks_and_escapes_is_read_as_quoted() -> None:
    assert written([], 'multipart/mixed; boundary="a b\\"c"') == b'--a b"c--'


def test_a_multipart_kind_without_boundary_gets_one() -> None:
    sent = fields(multipart=PARTS, headers={'content-type': 'multipart/mixed; x=y'})
    assert sent['content-type'].startswith('multipart/mixed; x=y; boundary=---')


@pytest.mark.parametrize('boundary', ['""', '"a "', '"\u00e9"', '\u00e9'])
def test_a_boundary_that_cannot_be_one_is_an_error(boundary: str) -> None:
    with pytest.raises(OptionsError, match='boundary in content-type must be visible ASCII'):
        made(PARTS, headers={'content-type': f'multipart/related; boundary={boundary}'})


@pytest.mark.parametrize('body', ['--B', 'a\r\n--B', 'a\n--Bc', b'x\r\n--B--\r\n'])
def test_a_boundary_of_the_callers_may_not_stand_in_a_part(body: Any) -> None:
    """SECURITY Q6."""
    with pytest.raises(InvalidBody, match='part 0 holds the boundary between the parts; choose another boundary'):
        made([{'body': body}], headers={'content-type': 'multipart/related; boundary=B'})
    assert b'a --B' in written([{'body': 'a --B'}])


@pytest.mark.parametrize(
    ('given', 'text'),
    [
        (5, 'Argument error, options.multipart'),
        ('abc', 'Argument error, options.multipart'),
        ({'data': 'abc'}, 'Argument error, options.multipart'),
        ({'chunked': True}, 'Argument error, options.multipart'),
        ({'content-type': 'x'}, "no key 'content-type'"),
        ({'data': [], 'chunked': 1}, 'must be True or False'),
        (['abc'], "part 0 must be a mapping with 'body'"),
        ([{'body': 'a'}, {'content-type': 'text/plain'}], 'Body attribute missing in multipart.*part 1'),
        ([{'body': None}], 'Body attribute missing in multipart'),
        ([{'body': True}], 'is a bool'),
        ([{'body': {}}], 'is a dict; give it as text'),
        ([{'body': bytes}], 'give an object'),
        ([{'body': object()}], 'is an object'),
        ([{'body': io.StringIO('a')}], "mode 'rb'"),
        ([{'body': 'a', 'X-A': 'b\r\nX-Evil: 1'}], r"'X-A' may not hold '\\r'"),
        ([{'body': 'a', 'X-A\r\n': 'b'}], 'name of a header'),
        ([{'body': 'a', 5: 'b'}], 'name of a header'),
        ([{'body': 'a', 'X-A': ['b']}], 'must be a str or a number'),
        ([{'body': '\ud800'}], 'lone surrogate'),
    ],
)
def test_what_cannot_be_parts_is_an_error_of_the_call(given: Any, text: str) -> None:
    with pytest.raises(OptionsError, match=text) as caught:
        request.put(HOME, multipart=given)
    assert 'multipart' in str(caught.value)
    with pytest.raises(OptionsError):
        request.put(HOME).multipart(given)


@pytest.mark.parametrize('other', [{'body': 'x'}, {'json': {'z': 1}}, {'json': True}, {'form': {'a': 1}}])
def test_multipart_wins_over_other_content(other: Any) -> None:
    assert written(PARTS, **other) == LAYOUT


def test_multipart_on_head_is_an_error() -> None:
    with pytest.raises(InvalidBody, match="Leave 'multipart' out"):
        request.head(HOME, multipart=PARTS)


def test_it_can_be_sent_again_when_all_parts_can(tmp_path: Path) -> None:
    path = tmp_path / 'f'
    path.write_bytes(b'x')
    with path.open('rb') as file:
        body = made([{'body': 'a'}, {'body': file}])
        assert body.replayable
        assert b''.join(body.chunks()) == b''.join(body.chunks())
    assert not made([{'body': 'a'}, {'body': iter([b'x'])}]).replayable


@given(st.lists(st.tuples(st.from_regex(r'[A-Za-z0-9-]{1,10}', fullmatch=True), st.binary(max_size=200).filter(lambda data: b'\r' not in data and b'\n' not in data)), min_size=1), st.booleans(), st.booleans())  # fmt: skip
def test_the_email_package_reads_back_what_was_given(parts: list[tuple[str, bytes]], before: bool, after: bool) -> None:
    body = made([{'x-token': token, 'body': data} for token, data in parts], preamble_crlf=before, postamble_crlf=after)
    text = f'Content-Type: {dict(body.headers)["content-type"]}\r\n\r\n'.encode() + b''.join(body.chunks())
    message: Any = BytesParser(policy=policy.HTTP).parsebytes(text)
    assert not message.defects
    read = [(part['x-token'], part.get_payload(decode=True)) for part in message.iter_parts()]
    assert read == parts
