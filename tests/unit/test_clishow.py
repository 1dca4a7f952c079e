from __future__ import annotations

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite import clishow, request
from requite.redaction import Shown
from requite.transport.memory import MemoryReply

from requite.response import Response  # isort: skip


def text_of(spans: clishow.Spans) -> str:
    """What is read of it."""
    return ''.join(text for text, _ in spans)


def test_json_is_laid_out_and_nothing_in_it_is_changed() -> None:
    source = '{"a":1.10,"b":[],"c":{ },"d":[1,{"x":null}],"d":1e400,"e":-0.0, "f":[[true],[false]]}'
    assert text_of(clishow.document(source)).splitlines() == [
        '{', '  "a": 1.10,', '  "b": [],', '  "c": {},', '  "d": [', '    1,', '    {', '      "x": null', '    }', '  ],',
        '  "d": 1e400,', '  "e": -0.0,', '  "f": [', '    [', '      true', '    ],', '    [', '      false', '    ]', '  ]', '}',
    ]  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON, st.booleans(), st.sampled_from([None, 1]))
def test_a_document_laid_out_is_the_same_document(value: object, ascii: bool, indent: int | None) -> None:
    source = json.dumps(value, ensure_ascii=ascii, indent=indent)
    assert json.loads(text_of(clishow.document(source))) == value


@given(JSON)
def test_a_document_is_laid_out_as_the_standard_library_does(value: object) -> None:
    source = json.dumps(value, ensure_ascii=False)
    if '\\u' not in source:
        assert text_of(clishow.document(source)) == json.dumps(value, ensure_ascii=False, indent=2)


def test_letters_are_shown_as_letters_and_what_steers_a_terminal_stays_escaped() -> None:
    shown = text_of(
        clishow.document(r'["\u00e9", "\ud83d\ude00", "\u001b[31m", "\u202e", "\ud800", "\\u00e9", "\u0022"]')
    )
    assert [line.strip(' ,') for line in shown.splitlines()[1:-1]] == [
        '"\xe9"', '"\U0001f600"', r'"\u001b[31m"', r'"\u202e"', r'"\ud800"', r'"\\u00e9"', r'"\u0022"',
    ]  # fmt: skip


@pytest.mark.parametrize('source', ['{"a":', '[' * 100_000, 'plain', '\x1b[31m'])
def test_what_is_no_json_stays_as_it_is(source: str) -> None:
    assert text_of(clishow.document(source)) == source
    assert clishow.document('') == []


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('plain \xe9 text\n\tmore\n', 'plain \xe9 text\n\tmore\n'),
        ('a\r\nb', 'a\nb'),
        ('over\rwritten', 'over\ufffdwritten'),
        ('\x1b]0;title\x07', '\ufffd]0;title\ufffd'),
        ('\x9b31m', '\ufffd31m'),
        ('\u202eevil', '\ufffdevil'),
        ('\b\0\x7f', '\ufffd\ufffd\ufffd'),
    ],
)
def test_nothing_that_is_shown_can_steer_a_terminal(text: str, shown: str) -> None:
    assert clishow.harmless(text) == shown


class Terminal(io.StringIO):
    """A stream that people look at."""

    encoding = 'utf-8'

    def isatty(self) -> bool:
        return True


def response(*chunks: bytes, kind: str | None = 'text/plain') -> Response:
    """An answer with this body."""
    made = request('http://h.example/')
    made.refused = True
    fields = [] if kind is None else [('Content-Type', kind)]
    return Response(MemoryReply(200, fields, chunks), made._draft(), made._options)


def shown(answer: Response, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a terminal shows of it."""
    monkeypatch.setenv('NO_COLOR', '1')
    stream = Terminal()
    clishow.show_body(answer, clishow.Screen(stream))
    return stream.getvalue()


@pytest.mark.parametrize(
    ('chunks', 'kind', 'seen'),
    [
        ([b'here'], 'text/plain', 'here\n'),
        ([b'here\n'], 'text/plain', 'here\n'),
        ([], 'text/plain', ''),
        ([b'a\r', b'\nb\r', b'c'], 'text/plain', 'a\nb\ufffdc\n'),
        ([b'\xc3', b'\xa9'], 'text/plain', '\xe9\n'),
        ([b'\xe9'], 'text/plain; charset=latin-1', '\xe9\n'),
        ([b'\xe9'], 'text/plain; charset=nonsense', '\ufffd\n'),
        ([b'61'], 'text/plain; charset=hex', '61\n'),
        ([b'a\0'], 'text/plain; charset=utf-16-le', 'a\n'),
        ([b'{"a":', b'1}'], 'application/problem+json; charset=x', '{\n  "a": 1\n}\n'),
        ([b'\xef\xbb\xbf[]'], 'application/json', '[]\n'),
        ([], 'application/json', ''),
        ([b'\x1b[2J'], 'application/json', '\ufffd[2J\n'),
        ([b'\x89PNG\0'], 'image/png', '(image/png is not shown on a terminal; -o FILE writes it into a file)\n'),
        ([b'a\0b'], None, '(binary data is not shown on a terminal; -o FILE writes it into a file)\n'),
        ([b'<svg/>'], 'image/svg+xml', '<svg/>\n'),
        ([b'\x1b[2J'], 'x/y\x1b', '\ufffd[2J\n'),
    ],
)
def test_a_body_on_a_terminal(
    chunks: list[bytes], kind: str | None, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(response(*chunks, kind=kind), monkeypatch) == seen


def test_a_long_json_document_is_shown_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'[' + b'1,' * clishow.MOST_LAID_OUT + b'1]'
    answer = response(*(body[start : start + 65536] for start in range(0, len(body), 65536)), kind='application/json')
    assert shown(answer, monkeypatch) == body.decode() + '\n'


@pytest.mark.parametrize(
    'source',
    ['[' + ' ' * 500_000 + ']' + ' ' * 500_000, '["' + '\\\\' * 400_000 + '\\u0041"]', '[' + '1,' * 300_000 + '1]'],
)
def test_p1_a_hostile_document_is_laid_out_in_linear_time(source: str) -> None:
    """P1: every pattern that is run on foreign text is linear."""
    began = time.process_time()
    clishow.document(source)
    assert time.process_time() - began < 10


def test_heads_hide_what_proves_who_one_is() -> None:
    made = request.post('http://h.example/?token=abc', auth=('me', 'word'), form={'password': 'word', 'a': 'b'})
    made.refused = True
    hop = made._draft()
    hidden = text_of(clishow.request_head(hop, Shown())) + text_of(clishow.sent_body(hop, Shown()))
    assert hidden.startswith('POST /?token=*** HTTP/1.1\n')
    assert 'authorization: Basic ***\n' in hidden
    assert hidden.endswith('\n\npassword=***&a=b\n\n')
    assert 'Basic bWU6d29yZA==' in text_of(clishow.request_head(hop, Shown(secrets=True)))


def test_colours_are_for_terminals_and_for_those_who_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.delenv('NO_COLOR', raising=False)
    for stream, coloured in ((Terminal(), True), (io.StringIO(), False)):
        clishow.Screen(stream).write([('good\x1b', 'good'), ('\n', '')])
        assert ('\x1b[' in stream.getvalue()) == coloured
    for name, value in (('NO_COLOR', '1'), ('TERM', 'dumb')):
        monkeypatch.setenv(name, value)
        stream = Terminal()
        clishow.Screen(stream).write([('good\x1b', 'good'), ('\n', '')])
        assert stream.getvalue() == 'good\ufffd\n'
        monkeypatch.delenv(name)


def test_markup_in_an_answer_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.delenv('NO_COLOR', raising=False)
    stream = Terminal()
    clishow.Screen(stream).write([('[bold]x[/bold] [link=http://a]b[/link] :smile: ' + 'y' * 300, '')])
    assert stream.getvalue() == '[bold]x[/bold] [link=http://a]b[/link] :smile: ' + 'y' * 300
