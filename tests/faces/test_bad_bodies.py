"""Content that cannot be sent, and sinks that cannot be written to: a clear error before anything is sent, and nothing half done left behind."""

from __future__ import annotations

import codecs
import io
import os
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite import InvalidBody, OptionsError, RequestError, RequestStateError, ResponseAborted, pipe, request
from requite.body.formdata import FormData
from tests.servers import HttpServer, RawServer, reply


@pytest.fixture
def unvisited() -> Iterator[str]:
    """The address of a socket that listens; when the test ends nobody may have come."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        listener.setblocking(False)
        yield f'http://127.0.0.1:{listener.getsockname()[1]}/'
        request.flush()
        with pytest.raises(BlockingIOError):
            listener.accept()


WAYS: dict[str, Callable[[str, Any], Any]] = {
    'body': lambda url, value: request.post(url, body=value),
    'form_data': lambda url, value: request.post(url, form_data={'field': value}),
    'append': lambda url, value: FormData().append('field', value),
    'multipart': lambda url, value: request.post(url, multipart=[{'body': value}]),
    'pipe': lambda url, value: pipe(value, request.post(url)),
    'write': lambda url, value: request.post(url).write(value),
    'end': lambda url, value: request.post(url).end(value),
}

NOWHERE: dict[str, Callable[[Path], Any]] = {
    'an object': lambda folder: object(),
    'a bool': lambda folder: True,
    'a mapping': lambda folder: {'a': 1},
    'a set': lambda folder: {b'a'},
    'a list with a number': lambda folder: [b'a', [5]],
    'a list with None': lambda folder: [b'a', None],
    'a path': lambda folder: folder / 'missing',
    'a file opened as text': lambda folder: (folder / 'file').open(encoding='ascii'),
    'a file of codecs': lambda folder: codecs.open(str(folder / 'file'), encoding='ascii'),  # noqa: SIM115 - the test closes it
    'a spooled file of text': lambda folder: tempfile.SpooledTemporaryFile(mode='w+', encoding='ascii'),  # noqa: SIM115
    'text in memory': lambda folder: io.StringIO('abc'),
    'a closed file': lambda folder: _closed(folder / 'file'),
    'a file open for writing': lambda folder: (folder / 'other').open('wb'),
}


def _closed(path: Path) -> Any:
    with open(path, 'rb') as file:
        return file


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('what', NOWHERE)
def test_what_cannot_be_sent_is_an_error_of_the_call(unvisited: str, tmp_path: Path, way: str, what: str) -> None:
    (tmp_path / 'file').write_text('abc', encoding='ascii')
    value = NOWHERE[what](tmp_path)
    try:
        with pytest.raises(InvalidBody, match=r'.{40}'):  # what it is, and what to give instead
            WAYS[way](unvisited, value)
    finally:
        if hasattr(value, 'close'):
            value.close()


CONFIGURED: dict[str, Callable[[str, Any], Any]] = {
    'body': lambda url, file: request.post(url, body=file),
    'a declared body': lambda url, file: request.post(url, body=file, headers={'content-length': '3'}),
    'a chunked body': lambda url, file: request.post(url, body=file, headers={'transfer-encoding': 'chunked'}),
    'form_data': lambda url, file: request.post(url, form_data={'field': file}),
    'known_length': lambda url, file: request.post(
        url, form_data={'field': {'value': file, 'options': {'known_length': 3}}}
    ),
    'multipart': lambda url, file: request.post(url, multipart=[{'body': file}]),
    'listened to': lambda url, file: request.post(url, body=file).on('progress', print),
    'retried': lambda url, file: request.post(url, body=file, retry=2),
}


@pytest.mark.parametrize('way', CONFIGURED)
@pytest.mark.parametrize('asked', ['end', 'response', 'callback', 'start'])
def test_a_file_that_was_closed_before_the_request_was_sent_is_an_error_and_nothing_is_sent(
    unvisited: str, tmp_path: Path, way: str, asked: str
) -> None:
    (tmp_path / 'file').write_bytes(b'abc')
    with (tmp_path / 'file').open('rb') as file:
        made = CONFIGURED[way](unvisited, file)
    errors: list[Any] = []
    if asked == 'callback':
        made.end(lambda error, *_: errors.append(error))
    else:
        with pytest.raises(InvalidBody) as caught:
            made.start().end() if asked == 'start' else getattr(made, asked)() if asked == 'end' else made.response
        errors.append(caught.value)
    assert type(errors[0]) is InvalidBody
    assert 'closed before the request was sent' in str(errors[0])


@pytest.mark.parametrize('way', [way for way in WAYS if way not in ('write', 'end')])
def test_a_class_is_no_body(unvisited: str, way: str) -> None:
    with pytest.raises(InvalidBody, match='give an object, not its class'):
        WAYS[way](unvisited, io.BytesIO)


@pytest.mark.parametrize('way', [way for way in WAYS if way not in ('form_data', 'append', 'multipart')])
def test_a_number_is_no_body(unvisited: str, way: str) -> None:
    for number in (5, 1.5, 0):
        with pytest.raises(InvalidBody):
            WAYS[way](unvisited, number)


@pytest.mark.parametrize('way', ['form_data', 'append', 'multipart', 'pipe', 'write'])
def test_none_is_no_content(unvisited: str, way: str) -> None:
    with pytest.raises(InvalidBody):
        WAYS[way](unvisited, None)


def test_a_missing_file_is_the_callers_own_error_and_nothing_is_sent(unvisited: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        request.post(unvisited, body=(tmp_path / 'missing').open('rb'))
    with pytest.raises(OptionsError, match='there is no folder'):
        request.get(unvisited).pipe(tmp_path / 'missing' / 'file')


def test_a_sink_without_write_is_refused_before_anything_is_sent(unvisited: str, tmp_path: Path) -> None:
    closed = _closed(tmp_path / 'file') if (tmp_path / 'file').write_bytes(b'') else None
    for sink in (object(), 5, None, [], io.StringIO(), closed or _closed(tmp_path / 'file'), tmp_path):
        with pytest.raises(OptionsError):
            request.get(unvisited).pipe(sink)


def test_a_pipe_into_a_request_that_was_sent_or_has_a_body_is_refused_before_anything_is_read(
    server: HttpServer, unvisited: str
) -> None:
    sent = request.post(server.url)
    sent.end()
    written = request.post(server.url)
    written.write('x')
    for destination in (sent, written, request.post(server.url, body='x'), request.post(server.url, json={})):
        with pytest.raises(RequestStateError):
            pipe(request.get(unvisited), destination)
    written.end()
    assert [seen.body for seen in server.requests] == [b'', b'x']


def trickling(number: int, pieces: int) -> threading.Thread:
    """Writes pieces slowly into a pipe, and closes it."""

    def write() -> None:
        for _ in range(pieces):
            os.write(number, b'piece')
            time.sleep(0.05)
        os.close(number)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


@pytest.mark.parametrize('buffering', [0, -1])
@pytest.mark.parametrize('way', ['body', 'form_data', 'multipart', 'pipe'])
def test_a_source_that_does_not_block_is_waited_for(server: HttpServer, way: str, buffering: int) -> None:
    end, beginning = os.pipe()
    os.set_blocking(end, False)
    writing = trickling(beginning, 3)
    with open(end, 'rb', buffering=buffering) as file:
        made = WAYS[way](server.url, file)
        made.end()
    writing.join()
    assert server.requests[0].body.count(b'piecepiecepiece') == 1


def test_a_read_that_gives_none_without_a_descriptor_is_an_error(server: HttpServer) -> None:
    class Undecided:
        def read(self, size: int) -> None:
            return None

    with pytest.raises(InvalidBody, match='gave None'):
        request.post(server.url, body=Undecided()).end()


@pytest.mark.parametrize('buffering', [0, -1])
def test_a_sink_that_does_not_block_gets_everything(server: HttpServer, buffering: int) -> None:
    server.answers = lambda seen: reply(bytes(range(256)) * 4096)
    end, beginning = os.pipe()
    os.set_blocking(beginning, False)
    got = bytearray()

    def read() -> None:
        while data := os.read(end, 50_000):
            got.extend(data)
            time.sleep(0.002)
        os.close(end)

    thread = threading.Thread(target=read)
    thread.start()
    sink = open(beginning, 'wb', buffering=buffering)  # noqa: SIM115 - the pipe closes it
    request.get(server.url).pipe(sink)
    assert sink.closed
    thread.join(10)
    assert bytes(got) == bytes(range(256)) * 4096


def endless(gone: threading.Event) -> Callable[[socket.socket, bytes], None]:
    def flow(sock: socket.socket, head: bytes) -> None:
        try:
            sock.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
            while True:
                sock.sendall(bytes(65536))
        except OSError:
            gone.set()

    return flow


def test_what_a_sink_raises_comes_through_and_both_ends_are_closed(raw_server: Callable[..., RawServer]) -> None:
    gone = threading.Event()

    class Full(io.RawIOBase):
        left = 3

        def writable(self) -> bool:
            return True

        def write(self, piece: Any) -> int:
            self.left -= 1
            if not self.left:
                raise OSError(28, 'No space left on device')
            return len(piece)

    sink = Full()
    with pytest.raises(OSError, match='No space left') as caught:
        request(raw_server(endless(gone)).url).pipe(sink)
    assert not isinstance(caught.value, RequestError)
    assert gone.wait(10)
    assert sink.closed


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='there is no device that is always full here')
def test_a_device_that_is_full_is_its_own_error(raw_server: Callable[..., RawServer]) -> None:
    gone = threading.Event()
    with pytest.raises(OSError, match='No space left'):
        request(raw_server(endless(gone)).url).pipe('/dev/full')
    assert gone.wait(10)


@pytest.mark.parametrize('before', [None, b'as it was'])
def test_a_path_keeps_no_part_of_what_broke_off(
    raw_server: Callable[..., RawServer], tmp_path: Path, before: bytes | None
) -> None:
    def cut(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n' + bytes(200_000))

    target = tmp_path / 'target'
    if before is not None:
        target.write_bytes(before)
    with pytest.raises(ResponseAborted):
        request(raw_server(cut).url).pipe(target)
    assert [file.name for file in tmp_path.iterdir()] == ([] if before is None else ['target'])
    assert before is None or target.read_bytes() == before


def test_a_path_keeps_no_part_when_a_listener_raises(server: HttpServer, tmp_path: Path) -> None:
    def fail(_: Any) -> None:
        raise LookupError('of the listener')

    server.answers = lambda seen: reply(b'x' * 300_000)
    with pytest.raises(LookupError):
        request(server.url).on('data', fail).pipe(tmp_path / 'target')
    assert list(tmp_path.iterdir()) == []


# -- files as they change


def test_a_file_that_grows_is_sent_as_long_as_it_was(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'log'
    path.write_bytes(b'x' * 300_000)
    with open(path, 'rb') as file:
        made = request.post(server.url, body=file)
        with open(path, 'ab') as more:
            more.write(b'y' * 300_000)
        made.end()
    assert server.requests[0].body == b'x' * 300_000


def test_a_file_that_shrinks_is_an_error_and_never_looks_whole(server: HttpServer, tmp_path: Path) -> None:
    """SECURITY Q3."""
    path = tmp_path / 'log'
    path.write_bytes(b'x' * 300_000)
    with open(path, 'rb') as file:
        made = request.post(server.url, body=file)
        with open(path, 'r+b') as other:
            other.truncate(100_000)
        with pytest.raises(InvalidBody, match='shorter than declared'):
            made.end()
    assert server.requests == []


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='there are no files here whose size says nothing')
def test_a_file_whose_size_says_nothing_is_sent_chunked(server: HttpServer) -> None:
    with open('/proc/self/status', 'rb') as file:
        request.post(server.url, body=file).end()
    (seen,) = server.requests
    assert seen.header('transfer-encoding') == 'chunked'
    assert b'Pid:' in seen.body


def test_an_asynchronous_body_names_what_sends_it() -> None:
    async def rows() -> AsyncIterator[bytes]:
        yield b'a'

    with pytest.raises(InvalidBody, match='await apipe'):
        request.post('http://127.0.0.1:1/', body=rows())
