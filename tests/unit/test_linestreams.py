"""Bodies as lines and as server-sent events, whatever pieces they come in."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite import BodyTooLarge, request
from requite.linestreams import Parser, ServerEvent, lines
from tests.servers import HttpServer, reply


def unbounded(size: int) -> None:
    pass


def split(text: bytes, *cuts: int) -> list[bytes]:
    places = [0, *sorted(cuts), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(places)]


def lines_of(pieces: list[bytes], encoding: str = 'utf-8') -> list[str]:
    return list(lines(pieces, encoding, unbounded))


def events_of(*pieces: bytes) -> list[ServerEvent]:
    return list(Parser(unbounded).events(pieces))


@pytest.mark.parametrize(
    ('text', 'wanted'),
    [
        (b'', []),
        (b'a', ['a']),
        (b'a\n', ['a']),
        (b'a\r\nb', ['a', 'b']),
        (b'a\n\nb\n', ['a', '', 'b']),
        (b'\r\n\r\n', ['', '']),
        (b'a\rb\n', ['a\rb']),
        (b'a\x0bb\x0cc\xc2\x85d\xe2\x80\xa8e\n', ['a\x0bb\x0cc\x85d\u2028e']),
        ('\ufeffäöü\n€\n'.encode(), ['äöü', '€']),
        (b'a\r', ['a\r']),
    ],
)
def test_lines_are_the_same_wherever_the_chunks_are_cut(text: bytes, wanted: list[str]) -> None:
    assert lines_of([text]) == wanted
    assert lines_of([text[n : n + 1] for n in range(len(text))]) == wanted
    for cut in range(len(text)):
        assert lines_of(split(text, cut)) == wanted


@given(st.text(alphabet='ab\r\nä€😀', max_size=30), st.lists(st.integers(0, 40), max_size=4))
def test_lines_of_any_text_are_what_splitting_it_gives(text: str, cuts: list[int]) -> None:
    wanted = [line.removesuffix('\r') for line in text.split('\n')]
    last = text.rpartition('\n')[2]
    wanted[-1:] = [last] if last else []
    data = text.encode()
    assert lines_of(split(data, *(min(cut, len(data)) for cut in cuts))) == wanted


def test_a_line_is_given_before_the_next_one_is_sent(raw_server: Any) -> None:
    go = threading.Event()

    def answer(sock: Any, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\none\r\ntw')
        assert go.wait(10)
        sock.sendall(b'o\nlast')

    found = request.get(raw_server(answer).url).response.lines()
    assert next(found) == 'one'
    go.set()
    assert list(found) == ['two', 'last']


def test_a_compressed_line_is_given_before_the_next_one_is_sent(raw_server: Any) -> None:
    import zlib

    go = threading.Event()
    packer = zlib.compressobj(wbits=31)
    first = packer.compress(b'one\n') + packer.flush(zlib.Z_SYNC_FLUSH)
    rest = packer.compress(b'two') + packer.flush()

    def answer(sock: Any, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n' + first)
        assert go.wait(10)
        sock.sendall(rest)

    found = request.get(raw_server(answer).url, gzip=True).response.lines()
    assert next(found) == 'one'
    go.set()
    assert list(found) == ['two']


def test_who_leaves_the_loop_loses_no_line(server: HttpServer) -> None:
    server.routes['/'] = reply('a\nb\nc\n')
    response = request.get(server.url).response
    for line in response.lines():
        assert line == 'a'
        break
    assert list(response.lines()) == ['b', 'c']


def test_lines_of_a_body_that_was_collected(server: HttpServer) -> None:
    server.routes['/'] = reply('a\r\nb')
    assert list(request.get(server.url).end().lines()) == ['a', 'b']


def test_lines_follow_the_encoding_of_the_options(server: HttpServer) -> None:
    server.routes['/'] = reply('grün\n'.encode('latin-1'))
    assert list(request.get(server.url, encoding='latin1').response.lines()) == ['grün']
    assert list(request.get(server.url, encoding=None).response.lines()) == ['gr\ufffdn']


@pytest.mark.parametrize('method', ['lines', 'events'])
@pytest.mark.parametrize('body', ['data: ' + 'x' * 5000, 'data: ' + 'x' * 5000 + '\n\n'])
def test_a_line_or_event_over_max_body_is_an_error(server: HttpServer, method: str, body: str) -> None:
    server.routes['/'] = reply(body)
    response = request.get(server.url, max_body=4096).response
    with pytest.raises(BodyTooLarge, match='max_body=4096'):
        list(getattr(response, method)())


def test_a_last_line_over_max_body_is_an_error_too(server: HttpServer) -> None:
    server.routes['/'] = reply('short\n' + 'x' * 5000)
    found = request.get(server.url, max_body=4096).response.lines()
    assert next(found) == 'short'
    with pytest.raises(BodyTooLarge, match='max_body=4096'):
        next(found)


def test_an_event_of_many_lines_is_bounded_as_a_whole(server: HttpServer) -> None:
    server.routes['/'] = reply(('data: ' + 'x' * 50 + '\n') * 1000)
    with pytest.raises(BodyTooLarge, match='max_body=4096'):
        list(request.get(server.url, max_body=4096).response.events())


def test_lines_may_go_on_beyond_max_body_in_sum(server: HttpServer) -> None:
    server.routes['/'] = reply('line\n' * 5000)
    assert len(list(request.get(server.url, max_body=100).response.lines())) == 5000


def test_the_data_of_an_event_is_joined_and_its_type_and_id_kept() -> None:
    text = b': hello\nevent: add\nid: 7\ndata: first\ndata: second\n\ndata:third\n\n'
    assert events_of(text) == [ServerEvent('add', 'first\nsecond', '7'), ServerEvent('message', 'third', '7')]


@pytest.mark.parametrize(
    ('text', 'wanted'),
    [
        # the examples of the WHATWG standard, 9.2.6
        ('data: YHOO\ndata: +2\ndata: 10\n\n', [('message', 'YHOO\n+2\n10', '')]),
        (
            ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event',
            [('message', 'first event', '1'), ('message', 'second event', '')],
        ),
        ('data\n\ndata\ndata\n\ndata:', [('message', '', ''), ('message', '\n', '')]),
        ('data:test\n\ndata: test\n\n', [('message', 'test', ''), ('message', 'test', '')]),
        # what it says elsewhere
        ('event: gone\n\ndata: x\n\n', [('message', 'x', '')]),
        ('id: 5\n\ndata: x\n\n', [('message', 'x', '5')]),
        ('id: 5\0\ndata: x\n\n', [('message', 'x', '')]),
        ('data: never finished\n', []),
        ('unknown: y\ndata: x\n\n', [('message', 'x', '')]),
        (' data: x\n\n', []),
        ('data: x\u2028y\x85z\n\n', [('message', 'x\u2028y\x85z', '')]),
        ('\ufeffdata: x\n\n', [('message', 'x', '')]),
        ('\ufeff\ufeffdata: x\n\n', []),
        ('', []),
    ],
)
@pytest.mark.parametrize('end', ['\n', '\r', '\r\n'])
def test_events_are_read_as_the_standard_says_whatever_ends_a_line(text: str, wanted: list[Any], end: str) -> None:
    data = text.replace('\n', end).encode()
    expected = [ServerEvent(*event) for event in wanted]
    assert events_of(data) == expected
    assert events_of(*(data[n : n + 1] for n in range(len(data)))) == expected
    for cut in range(len(data)):
        assert events_of(*split(data, cut)) == expected


@pytest.mark.parametrize(
    ('value', 'wanted'),
    [('2500', 2500), ('0', 0), ('-1', None), ('1.5', None), ('', None), ('٣', None), ('9' * 400, None)],
)
def test_retry_is_a_number_of_milliseconds_or_nothing(value: str, wanted: int | None) -> None:
    assert events_of(f'retry: {value}\ndata: x\n\n'.encode()) == [ServerEvent('message', 'x', '', wanted)]


def test_the_stream_tells_how_to_connect_again(server: HttpServer) -> None:
    server.routes['/'] = reply('retry: 10\n\nid: a\ndata: {"n": 1}\n\nid: b\n\n', content_type='text/event-stream')
    events = request.get(server.url).response.events()
    assert (events.last_id, events.retry) == ('', None)
    [event] = list(events)
    assert event.json() == {'n': 1}
    assert (events.last_id, events.retry) == ('b', 10)


def test_an_event_is_given_as_soon_as_its_blank_line_is_there(raw_server: Any) -> None:
    go = threading.Event()

    def answer(sock: Any, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\r\r')
        assert go.wait(10)
        sock.sendall(b'data: 2\n\n')

    events = request.get(raw_server(answer).url).response.events()
    assert next(events).data == '1'
    go.set()
    assert [event.data for event in events] == ['2']


def test_lines_and_events_are_read_under_asyncio(server: HttpServer) -> None:
    server.routes['/lines'] = reply('a\nb\nc')
    server.routes['/events'] = reply('data: 1\n\ndata: 2\n\n')

    async def main() -> None:
        async with request.get(server.url + '/lines') as response:
            async for line in response.lines():
                assert line == 'a'
                break
            assert [line async for line in response.lines()] == ['b', 'c']
        async with request.get(server.url + '/events') as response:
            assert [event.data async for event in response.events()] == ['1', '2']

    asyncio.run(main())


def test_waiting_for_a_line_leaves_the_loop_free(raw_server: Any) -> None:
    go = threading.Event()

    def answer(sock: Any, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n')
        assert go.wait(10)
        sock.sendall(b'late\n')

    async def main() -> list[str]:
        asyncio.get_running_loop().call_later(0.05, go.set)
        async with request.get(raw_server(answer).url) as response:
            return [line async for line in response.lines()]

    assert asyncio.run(main()) == ['late']


def test_gzip_lines_of_a_whole_body(server: HttpServer) -> None:
    server.routes['/'] = reply(gzip.compress('grün\nblau'.encode()), content_encoding='gzip')
    assert list(request.get(server.url, gzip=True).response.lines()) == ['grün', 'blau']
