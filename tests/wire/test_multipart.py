"""form_data, form() and multipart over real sockets: what arrives, how it is framed, and when it is sent."""

from __future__ import annotations

import gc
import socket
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from requite import InvalidBody, OptionsError, RedirectRefused, RequestNotSentWarning, RequestStateError, request
from tests.servers import Answer, HttpServer, RawServer, Seen, redirect, reply

CLOSED = b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'


def parts_of(seen: Seen) -> list[tuple[str, str | None, str, bytes]]:
    """(name, filename, type, content) of each part that arrived, as Python's email package reads them."""
    head = f'Content-Type: {seen.header("content-type")}\r\n\r\n'
    message: Any = BytesParser(policy=policy.HTTP).parsebytes(head.encode() + seen.body)
    assert not message.defects
    return [
        (part.get_param('name', header='content-disposition'), part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
        for part in message.iter_parts()
    ]  # fmt: skip


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / 'photo.jpg'
    path.write_bytes(b'\xff\xd8' + b'x' * 300_000)
    return path


# -- what arrives


def test_fields_and_a_file_arrive_with_their_length(server: HttpServer, photo: Path) -> None:
    with photo.open('rb') as file:
        request.post(server.url, form_data={'a': '1', 'f': file, 'n': [1, 2]}).end()
    seen = server.requests[0]
    assert parts_of(seen) == [
        ('a', None, 'text/plain', b'1'),
        ('f', 'photo.jpg', 'image/jpeg', photo.read_bytes()),
        ('n', None, 'text/plain', b'1'),
        ('n', None, 'text/plain', b'2'),
    ]
    assert seen.header('content-length') == str(len(seen.body))
    assert seen.header('transfer-encoding') is None


def test_a_field_of_unknown_length_makes_the_form_chunked(server: HttpServer) -> None:
    request.post(server.url, form_data={'f': (piece for piece in (b'a', 'b')), 'z': b'c'}).end()
    seen = server.requests[0]
    assert seen.header('transfer-encoding') == 'chunked'
    assert seen.header('content-length') is None
    assert [part[3] for part in parts_of(seen)] == [b'ab', b'c']


def test_a_content_type_of_the_callers_is_replaced_in_its_place(server: HttpServer) -> None:
    request.post(server.url, headers={'Content-Type': 'text/plain', 'x-a': '1'}, form_data={'a': '1'}).end()
    seen = server.requests[0]
    assert (seen.header('content-type') or '').startswith('multipart/form-data; boundary=')
    assert seen.names[:2] == ['Content-Type', 'x-a']


def test_a_content_length_of_the_callers_has_to_be_right(server: HttpServer) -> None:
    """SECURITY Q3."""
    with pytest.raises(OptionsError, match='content-length is 157'):
        request.post(server.url, headers={'content-length': '157'}, form_data={'a': '1'})
    request.post(server.url, headers={'content-length': '0'}, form_data={}).end()
    assert [seen.header('content-length') for seen in server.requests] == ['0']


def test_a_stream_in_multipart_is_sent_chunked(server: HttpServer, photo: Path) -> None:
    with photo.open('rb') as file:
        request.put(server.url, multipart=[{'content-type': 'text/plain', 'body': 'a'}, {'body': file}]).end()
    seen = server.requests[0]
    assert seen.header('transfer-encoding') == 'chunked'
    assert (seen.header('content-type') or '').startswith('multipart/related; boundary=')
    assert seen.body.endswith(b'--')
    assert seen.body.count(photo.read_bytes()) == 1


def test_memory_stays_constant_whatever_the_size(raw_server: Callable[..., RawServer], tmp_path: Path) -> None:
    path = tmp_path / 'large.bin'
    with path.open('wb') as hole:
        hole.truncate(32 * 1024 * 1024)
    taken: list[int] = []

    def swallow(sock: socket.socket, head: bytes) -> None:
        left = int(head.lower().partition(b'content-length: ')[2].partition(b'\r')[0]) - len(
            head.partition(b'\r\n\r\n')[2]
        )
        buffer = bytearray(65536)
        while left > 0 and (count := sock.recv_into(buffer)):
            left -= count
        taken.append(left)
        sock.sendall(CLOSED)

    with path.open('rb') as file:
        made = request.post(raw_server(swallow).url, form_data={'f': file})
        tracemalloc.start()
        try:
            made.end()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert taken == [0]
    assert peak < 4 * 1024 * 1024


# -- requests and responses as fields


@pytest.fixture
def origin(http_server: Callable[..., HttpServer]) -> HttpServer:
    return http_server(lambda seen: Answer(200, {'content-type': 'image/png'}, b'image' * 1000))


def test_a_request_as_a_field_is_asked_and_streamed_with_its_length(server: HttpServer, origin: HttpServer) -> None:
    request.post(server.url, form_data={'f': request.get(origin.url + '/dir/pic.png?x=1')}).end()
    seen = server.requests[0]
    assert parts_of(seen) == [('f', 'pic.png', 'image/png', b'image' * 1000)]
    assert seen.header('content-length') == str(len(seen.body))


@pytest.mark.parametrize('read', [False, True])
def test_a_response_as_a_field_brings_its_type(server: HttpServer, origin: HttpServer, read: bool) -> None:
    answer = request.get(origin.url + '/dir/pic').response
    if read:
        assert answer.content
    request.post(server.url, form_data={'f': answer}).end()
    seen = server.requests[0]
    assert parts_of(seen) == [('f', 'pic', 'image/png', b'image' * 1000)]
    assert seen.header('content-length') == str(len(seen.body))


def test_a_response_without_a_length_makes_the_form_chunked(
    server: HttpServer, raw_server: Callable[..., RawServer]
) -> None:
    def until_close(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\n\r\nall of it')

    request.post(server.url, form_data={'f': request.get(raw_server(until_close).url)}).end()
    seen = server.requests[0]
    assert seen.header('transfer-encoding') == 'chunked'
    assert parts_of(seen)[0][3] == b'all of it'


def test_a_response_that_was_read_in_part_is_an_error_of_the_call(server: HttpServer, origin: HttpServer) -> None:
    answer = request.get(origin.url).response
    assert answer.read(10)
    with pytest.raises(RequestStateError, match='was read, or sent, before'):
        request.post(server.url, form_data={'f': answer})
    answer.close()


def test_a_response_can_be_sent_in_one_form_only_unless_it_was_collected(
    server: HttpServer, origin: HttpServer
) -> None:
    asked = request.get(origin.url + '/a')
    request.post(server.url, form_data={'f': asked}).end()
    with pytest.raises(RequestStateError, match='was read, or sent, before'):
        request.post(server.url, form_data={'f': asked}).end()
    done = request.get(origin.url + '/a')
    collected = done.end()
    for one in (collected, done):
        request.post(server.url, form_data={'f': [one, one]}).end()
    assert [len(parts_of(seen)) for seen in server.requests] == [1, 2, 2]


def test_looking_at_a_request_does_not_send_the_one_in_its_form(server: HttpServer, origin: HttpServer) -> None:
    made = request.post(server.url, form_data={'f': request.get(origin.url)})
    assert 'content-type' in made.headers
    assert made.to_json()['method'] == 'POST'
    assert repr(made).endswith('(not sent)>')
    assert origin.requests == []
    made.end()
    assert len(origin.requests) == 1


def test_a_request_in_a_form_that_fails_fails_the_form(
    server: HttpServer, raw_server: Callable[..., RawServer]
) -> None:
    broken = raw_server(lambda sock, head: sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'))
    with pytest.raises(ConnectionResetError):
        request.post(server.url, form_data={'f': request.get(broken.url)}).end()
    assert server.requests == []


def test_a_request_as_a_part_of_multipart_is_streamed(server: HttpServer, origin: HttpServer) -> None:
    request.put(server.url, multipart=[{'body': request.get(origin.url)}]).end()
    assert b'image' * 1000 in server.requests[0].body


# -- bodies that break their promise


class Collector:
    """Reads to the end of the connection and keeps how that ended."""

    def __init__(self) -> None:
        self.got = b''
        self.ended = ''

    def __call__(self, sock: socket.socket, head: bytes) -> None:
        self.got = head
        try:
            while data := sock.recv(65536):
                self.got += data
            self.ended = 'closed'
        except ConnectionResetError:
            self.ended = 'reset'

    def wait(self) -> str:
        end = time.monotonic() + 5
        while not self.ended and time.monotonic() < end:
            time.sleep(0.005)
        return self.ended


def test_a_file_that_shrinks_resets_the_connection(raw_server: Callable[..., RawServer], photo: Path) -> None:
    """SECURITY Q3, Q4."""
    collector = Collector()
    with photo.open('rb') as file:
        made = request.post(raw_server(collector).url, form_data={'f': file})
        with photo.open('r+b') as other:
            other.truncate(1000)
        with pytest.raises(InvalidBody, match=r"field 'f' is shorter than promised"):
            made.end()
    assert collector.wait() == 'reset'
    assert not collector.got.endswith(b'--\r\n')


def test_a_file_that_grows_sends_what_was_promised(server: HttpServer, photo: Path) -> None:
    size = photo.stat().st_size
    with photo.open('rb') as file:
        made = request.post(server.url, form_data={'f': file})
        with photo.open('ab') as other:
            other.write(b'more')
        made.end()
    assert len(parts_of(server.requests[0])[0][3]) == size


def test_a_generator_that_raises_resets_the_connection(raw_server: Callable[..., RawServer]) -> None:
    """SECURITY Q4."""

    def broken() -> Iterator[bytes]:
        yield b'a'
        raise KeyError('mine')

    collector = Collector()
    with pytest.raises(KeyError, match='mine'):
        request.post(raw_server(collector).url, form_data={'f': broken()}).end()
    assert collector.wait() == 'reset'
    assert b'0\r\n\r\n' not in collector.got


# -- once more


@pytest.mark.parametrize('options', [{'form_data': {'a': '1'}}, {'multipart': [{'body': 'x'}]}])
def test_a_form_of_values_is_sent_again_after_a_307(server: HttpServer, options: Any) -> None:
    server.answers = lambda seen: redirect('/b', 307) if seen.target == '/a' else reply('ok')
    assert request.post(server.url + '/a', follow_all_redirects=True, **options).end().body == 'ok'
    first, second = server.requests
    assert first.body == second.body
    assert first.header('content-type') == second.header('content-type')


def test_files_are_read_again_after_a_307_and_after_a_401(server: HttpServer, photo: Path) -> None:
    def answer(seen: Seen) -> Answer:
        if seen.target == '/a':
            return redirect('/b', 307)
        if seen.header('authorization') is None:
            return Answer(401, {'www-authenticate': 'Basic realm="r"'})
        return reply('ok')

    server.answers = answer
    options: Any = {'auth': {'user': 'u', 'pass': 'p', 'sendImmediately': False}, 'followAllRedirects': True}
    with photo.open('rb') as file:
        form = {'f': file, 'a': b'1'}
        assert request.post(server.url + '/a', form_data=form, **options).end().body == 'ok'
    assert [parts_of(seen)[0][3] == photo.read_bytes() for seen in server.requests] == [True] * 3
    assert len({seen.body for seen in server.requests}) == 1


@pytest.mark.parametrize(
    'options',
    [{'form_data': {'f': iter([b'a'])}}, {'multipart': [{'body': iter([b'a'])}]}],
    ids=['form_data', 'multipart'],
)
def test_a_stream_that_was_used_up_is_never_sent_again(server: HttpServer, options: Any) -> None:
    """SECURITY R14."""
    server.answers = lambda seen: redirect('/b', 307)
    with pytest.raises(RedirectRefused, match='used up'):
        request.post(server.url + '/a', follow_all_redirects=True, **options).end()
    assert len(server.requests) == 1


def test_a_redirect_that_becomes_a_get_leaves_the_form_behind(server: HttpServer) -> None:
    server.answers = lambda seen: redirect('/b', 303) if seen.target == '/a' else reply('ok')
    request.post(server.url + '/a', follow_all_redirects=True, form_data={'a': '1'}).end()
    assert (server.requests[1].method, server.requests[1].body) == ('GET', b'')
    assert server.requests[1].header('content-type') is None


# -- form()


def test_a_form_is_written_and_then_asked(server: HttpServer, photo: Path) -> None:
    made = request.post(server.url)
    form = made.form()
    form.append('a', '1').append('b', b'xyz', {'filename': 'b.txt'})
    with photo.open('rb') as file:
        form.append('f', file)
        length = form.get_length()
        assert made.form() is form
        assert made.end().status_code == 200
    seen = server.requests[0]
    assert [part[:3] for part in parts_of(seen)] == [
        ('a', None, 'text/plain'), ('b', 'b.txt', 'text/plain'), ('f', 'photo.jpg', 'image/jpeg'),
    ]  # fmt: skip
    assert seen.header('content-length') == str(length) == str(len(seen.body))
    assert seen.header('content-type') == form.get_headers()['content-type']


@pytest.mark.parametrize(
    'ask',
    [
        lambda made: made.end(),
        lambda made: made.response.content,
        lambda made: list(made),
        lambda made: made.end(lambda error, response, body: None),
        lambda made: made.start().end(),
    ],
    ids=['end', 'response', 'iteration', 'callback', 'start'],
)
def test_whoever_asks_sends_the_form_and_closes_it(server: HttpServer, ask: Callable[[Any], Any]) -> None:
    made = request.post(server.url)
    form = made.form()
    form.append('a', '1')
    ask(made)
    assert parts_of(server.requests[0]) == [('a', None, 'text/plain', b'1')]
    with pytest.raises(RequestStateError, match=r'form_data=.*another request'):
        form.append('b', '2')
    with pytest.raises(RequestStateError):
        made.form()
    del made, form
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        gc.collect()


def test_an_open_form_is_not_sent_by_being_let_go(server: HttpServer) -> None:
    made = request.post(server.url)
    made.form().append('a', '1')
    with pytest.warns(RequestNotSentWarning, match=r'still open: call end\(\) after .*append\(\)') as warned:
        del made
    assert warned[0].filename == __file__
    assert request.flush(2000)
    assert server.requests == []


def test_a_form_given_as_an_option_is_sent_by_being_let_go(server: HttpServer) -> None:
    request.post(server.url, form_data={'a': '1'})
    assert request.flush(5000)
    assert len(server.requests) == 1


def test_form_goes_on_from_the_fields_of_the_call(server: HttpServer) -> None:
    made = request.post(server.url, form_data={'a': '1'})
    made.form().append('b', '2')
    made.set_header('x-a', '1').qs({'q': '1'}).end()
    seen = server.requests[0]
    assert [part[0] for part in parts_of(seen)] == ['a', 'b']
    assert (seen.header('x-a'), seen.target) == ('1', '/?q=1')


def test_other_content_beside_an_open_form_is_refused(server: HttpServer) -> None:
    made = request.post(server.url)
    made.form().append('a', '1')
    for change in (
        lambda: made.json({'a': 1}),
        lambda: made.form({'a': 1}),
        lambda: made.multipart([]),
    ):
        with pytest.raises(OptionsError, match='would each be the content'):
            change()
    with pytest.raises(RequestStateError, match=r'\.form\(\)\.append'):
        made.write(b'x')
    made.end()
    assert parts_of(server.requests[0]) == [('a', None, 'text/plain', b'1')]


def test_form_after_write_or_a_body_is_refused(server: HttpServer) -> None:
    made = request.post(server.url)
    made.write(b'x')
    for change in (made.form, lambda: made.multipart([])):
        with pytest.raises(RequestStateError, match='begun with write'):
            change()
    made.end()
    assert server.requests[0].body == b'x'
    with pytest.raises(OptionsError, match='would each be the content'):
        request.post(server.url, body=b'x').form()


def test_a_field_that_is_refused_leaves_the_others(server: HttpServer) -> None:
    made = request.post(server.url)
    form = made.form().append('a', '1')
    with pytest.raises(InvalidBody):
        form.append('b', None)
    made.end()
    assert [part[0] for part in parts_of(server.requests[0])] == ['a']


def test_defaults_with_a_form_send_it_with_every_request(server: HttpServer) -> None:
    api = request.defaults(form_data={'a': '1'})
    api.post(server.url).end()
    api.post(server.url, form_data={'b': '2'}).end()
    assert [[part[0] for part in parts_of(seen)] for seen in server.requests] == [['a'], ['a', 'b']]


def test_defaults_with_multipart_send_it_with_every_request(server: HttpServer) -> None:
    api = request.defaults(multipart=[{'body': 'x'}], postamble_crlf=True)
    api.put(server.url).end()
    api.put(server.url, postamble_crlf=False, multipart=[]).end()
    with_part, without = (seen.body for seen in server.requests)
    assert (b'\r\n\r\nx\r\n--' in with_part, with_part.endswith(b'--\r\n')) == (True, True)
    assert without.endswith(b'--')
