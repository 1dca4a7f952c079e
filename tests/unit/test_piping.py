"""Pipes without a network: what travels along, what is refused, and what is closed."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from requite import InvalidBody, InvalidOptionType, OptionsError, RequestError, RequestStateError, pipe, wsgi
from requite.api import Requests
from requite.errors import ResponseAborted
from requite.hopbyhop import content_length, end_to_end
from requite.transport.memory import MemoryReply, MemoryTransport

URL = 'http://mysite.com/'
OK = (200, [('content-type', 'text/plain'), ('content-length', '2')], b'ok')


class Sink:
    """A destination of the plainest kind."""

    def __init__(self) -> None:
        self.data = b''
        self.closes = 0

    def write(self, piece: bytes) -> None:
        self.data += piece

    def close(self) -> None:
        self.closes += 1


class Broken(Sink):
    """A destination that takes three bytes and no more."""

    def write(self, piece: bytes) -> None:
        super().write(piece)
        if len(self.data) > 3:
            raise ZeroDivisionError('no room')


class Canned(MemoryTransport):
    """Replies from memory for whole requests."""

    pool = None


def site(*replies: Any) -> tuple[Requests, MemoryTransport]:
    transport = Canned(replies or [OK])
    return Requests(transport=transport), transport


def sent(transport: MemoryTransport, index: int = -1) -> dict[str, str]:
    return {name.lower(): value for name, value in transport.hops[index].fields}


def environ(content: bytes = b'', **more: Any) -> dict[str, Any]:
    made = {
        'REQUEST_METHOD': 'PUT',
        'PATH_INFO': '/',
        'wsgi.input': io.BytesIO(content),
        'wsgi.url_scheme': 'http',
        **more,
    }
    if content and 'CONTENT_LENGTH' not in made and 'HTTP_TRANSFER_ENCODING' not in made:
        made['CONTENT_LENGTH'] = str(len(content))
    return made


class Started:
    """A WSGI server's start_response that remembers."""

    def __init__(self) -> None:
        self.status = ''
        self.headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        self.status, self.headers = status, headers


# ---------------------------------------------------------------- into sinks


def test_a_request_is_copied_now_and_the_sink_returned_and_closed() -> None:
    request, _ = site()
    sink = Sink()
    assert request(URL).pipe(sink) is sink
    assert (sink.data, sink.closes) == (b'ok', 1)


@pytest.mark.parametrize('end', [False, {'end': False}])
def test_end_false_leaves_the_sink_open(end: Any) -> None:
    request, _ = site()
    sink = Sink()
    request(URL).pipe(sink, end)
    assert (sink.data, sink.closes) == (b'ok', 0)


def test_what_lies_in_memory_stays_open_because_closing_would_forget_it() -> None:
    request, _ = site()
    assert request(URL).pipe(io.BytesIO()).getvalue() == b'ok'


def test_a_response_pipes_too() -> None:
    request, _ = site()
    assert request(URL).response.pipe(Sink()).data == b'ok'


def test_the_body_is_decoded_on_its_way() -> None:
    request, _ = site((200, [('content-encoding', 'gzip')], gzip.compress(b'unpacked')))
    assert request(URL, gzip=True).pipe(Sink()).data == b'unpacked'


@pytest.mark.parametrize(
    ('source', 'content'),
    [(b'abc', b'abc'), (bytearray(b'abc'), b'abc'), ([b'a', b'bc'], b'abc'), (iter([b'a', 'é']), b'a\xc3\xa9')],
)
def test_bytes_and_iterables_are_sources(source: Any, content: bytes) -> None:
    assert pipe(source, Sink()).data == content


def test_a_file_is_copied_from_where_it_stands_and_closed(tmp_path: Path) -> None:
    path = tmp_path / 'a.txt'
    path.write_bytes(b'0123')
    file = path.open('rb')
    file.seek(1)
    assert pipe(file, Sink()).data == b'123'
    assert file.closed


def test_a_path_has_the_content_when_it_is_whole_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / 'out.bin'
    path.write_bytes(b'old')
    path.chmod(0o640)
    seen = []

    def pieces() -> Any:
        yield b'a'
        seen.append(path.read_bytes())
        yield b'b'

    assert pipe(pieces(), path) is path
    assert (seen, path.read_bytes(), path.stat().st_mode & 0o777) == ([b'old'], b'ab', 0o640)
    assert pipe(b'text', str(path)) == str(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ['out.bin']


def test_a_source_that_breaks_off_leaves_the_path_as_it_was(tmp_path: Path) -> None:
    request, _ = site(MemoryReply(200, [], [b'half', ResponseAborted('aborted')]))
    path = tmp_path / 'out.bin'
    path.write_bytes(b'old')
    with pytest.raises(ResponseAborted):
        request(URL).pipe(path)
    assert path.read_bytes() == b'old'
    assert [entry.name for entry in tmp_path.iterdir()] == ['out.bin']


def test_a_device_is_written_to_and_stays_one() -> None:
    null = Path('/dev/null')
    if not null.exists():
        pytest.skip('there is no /dev/null here')
    assert pipe(b'abc', null) is null
    assert null.is_char_device()


def test_a_source_that_breaks_off_closes_the_sink() -> None:
    request, _ = site(MemoryReply(200, [], [b'half', ResponseAborted('aborted')]))
    sink = Sink()
    with pytest.raises(ResponseAborted):
        request(URL).pipe(sink)
    assert (sink.data, sink.closes) == (b'half', 1)


def test_the_exception_of_a_sink_is_raised_and_the_connection_given_up() -> None:
    reply = MemoryReply(200, [], [b'12', b'34', b'56'])
    request, _ = site(reply)
    sink = Broken()
    with pytest.raises(ZeroDivisionError):
        request(URL).pipe(sink)
    assert (reply.aborted, sink.data, sink.closes) == (True, b'1234', 1)


def test_a_file_without_buffer_that_says_nothing_is_believed(tmp_path: Path) -> None:
    class Silent(io.FileIO):
        def write(self, piece: Any) -> Any:
            super().write(piece)

    pipe(b'12345', Silent(tmp_path / 'file', 'wb'))
    assert (tmp_path / 'file').read_bytes() == b'12345'


def test_a_file_without_buffer_gets_everything(tmp_path: Path) -> None:
    class Slow(io.RawIOBase):
        data = b''

        def writable(self) -> bool:
            return True

        def write(self, piece: Any) -> int:
            self.data += bytes(piece[:2])
            return min(2, len(piece))

    sink = Slow()
    pipe(b'12345', sink)
    assert sink.data == b'12345'


@pytest.mark.parametrize(('status', 'written'), [(399, b'no'), (400, b''), (500, b'')])
def test_ok_only_raises_before_the_first_byte_is_written(status: int, written: bytes, tmp_path: Path) -> None:
    request, _ = site((status, [], b'no'))
    path = tmp_path / 'out'
    if written:
        pipe(request(URL), path, ok_only=True)
    else:
        with pytest.raises(RequestError, match=str(status)):
            pipe(request(URL), path, ok_only=True)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == ([written] if written else [])


def test_ok_only_keeps_the_second_request_at_home() -> None:
    request, transport = site((404, [], b'no'))
    with pytest.raises(RequestError):
        pipe(request(URL), request.put(URL), ok_only=True)
    request.flush()
    assert len(transport.hops) == 1


def test_listeners_see_the_body_pass() -> None:
    request, _ = site()
    seen: list[Any] = []
    handle = request(URL).on('data', seen.append).on('complete', lambda *_: seen.append('complete'))
    assert handle.pipe(Sink()).data == b'ok'
    assert seen == [b'ok', 'complete']


def test_pipefilter_gets_response_and_sink_before_the_first_byte() -> None:
    request, _ = site()
    seen: list[Any] = []
    handle, sink = request(URL), Sink()
    handle.pipefilter = lambda response, dest: seen.append((response.status_code, dest, sink.data))
    handle.pipe(sink)
    assert seen == [(200, sink, b'')]


# ---------------------------------------------------------------- into requests


def test_a_file_brings_its_type_and_its_length(tmp_path: Path) -> None:
    path = tmp_path / 'file.json'
    path.write_bytes(b'{}')
    request, transport = site()
    file = path.open('rb')
    put = request.put(URL)
    assert pipe(file, put) is put
    assert put.response.body == 'ok'
    assert (transport.bodies, file.closed) == ([b'{}'], True)
    assert (sent(transport)['content-type'], sent(transport)['content-length']) == ('application/json', '2')


def test_a_file_of_unknown_kind_says_nothing_about_it(tmp_path: Path) -> None:
    """Node sends ``content-type: false``: mended."""
    (tmp_path / 'a.unknown').write_bytes(b'x')
    request, transport = site()
    pipe((tmp_path / 'a.unknown').open('rb'), request.put(URL))
    assert 'content-type' not in sent(transport)


def test_a_file_that_unpacks_another_goes_out_whole_and_unnamed(tmp_path: Path) -> None:
    path = tmp_path / 'a.gz'
    path.write_bytes(gzip.compress(b'x' * 100_000))
    for source in (gzip.open(path), io.BufferedReader(gzip.open(path))):  # type: ignore[type-var] # noqa: SIM115 - the pipe closes them
        request, transport = site()
        pipe(source, request.put(URL))
        assert transport.bodies == [b'x' * 100_000]
        assert 'content-type' not in sent(transport)
        assert sent(transport)['transfer-encoding'] == 'chunked'


def test_what_the_caller_gave_stays(tmp_path: Path) -> None:
    (tmp_path / 'a.json').write_bytes(b'{}')
    request, transport = site()
    pipe((tmp_path / 'a.json').open('rb'), request.put(URL, headers={'Content-Type': 'x/y'}))
    assert ('Content-Type', 'x/y') in transport.hops[0].fields


def test_the_method_of_an_incoming_request_is_taken_unless_one_was_given() -> None:
    request, transport = site(OK, OK, OK, OK, OK)
    pipe(wsgi.Incoming(environ(b'1')), request(URL))
    pipe(wsgi.Incoming(environ(b'1')), request.post(URL))
    pipe(wsgi.Incoming(environ(b'1')), request.get(URL))
    pipe(wsgi.Incoming(environ(b'1')), request(URL, method='PATCH'))
    pipe(wsgi.Incoming(environ(b'1')), request(URL).set_header('x', '1'))
    assert [hop.method for hop in transport.hops] == ['PUT', 'POST', 'GET', 'PATCH', 'PUT']
    assert transport.bodies == [b'1'] * 5


def test_the_fields_of_an_incoming_request_travel_but_not_those_of_its_connection() -> None:
    """SECURITY X5: hop-by-hop fields and those that Connection names stay, Host is the target's, the content is framed anew."""
    request, transport = site()
    given = {
        'HTTP_HOST': 'proxy.test', 'HTTP_X_A': '1', 'HTTP_COOKIE': 'a=1', 'HTTP_AUTHORIZATION': 'Basic eA==', 'HTTP_CONNECTION': 'close, X-Own',
        'HTTP_X_OWN': 'x', 'HTTP_KEEP_ALIVE': '5', 'HTTP_TE': 'trailers', 'HTTP_UPGRADE': 'h2c', 'HTTP_PROXY_AUTHORIZATION': 'x',
        'HTTP_TRAILER': 'x', 'HTTP_EXPECT': '100-continue', 'HTTP_PROXY_CONNECTION': 'keep-alive', 'CONTENT_TYPE': 'text/x',
    }  # fmt: skip
    pipe(wsgi.Incoming(environ(b'body', **given)), request(URL))
    assert sent(transport) == {
        'host': 'mysite.com', 'x-a': '1', 'cookie': 'a=1', 'authorization': 'Basic eA==', 'content-type': 'text/x', 'content-length': '4',
        'user-agent': sent(transport)['user-agent'],
    }  # fmt: skip


def test_a_chunked_incoming_request_goes_out_chunked_and_never_with_both() -> None:
    """SECURITY X5."""
    request, transport = site()
    pipe(
        wsgi.Incoming(environ(b'abc', HTTP_TRANSFER_ENCODING='chunked', **{'wsgi.input_terminated': True})),
        request(URL),
    )
    assert transport.bodies == [b'abc']
    assert sent(transport)['transfer-encoding'] == 'chunked'
    assert 'content-length' not in sent(transport)


@pytest.mark.parametrize(
    ('given', 'error'),
    [
        ({'HTTP_TRANSFER_ENCODING': 'chunked', 'CONTENT_LENGTH': '3', 'wsgi.input_terminated': True}, InvalidBody),
        ({'HTTP_TRANSFER_ENCODING': 'gzip, chunked', 'wsgi.input_terminated': True}, InvalidBody),
        ({'HTTP_TRANSFER_ENCODING': 'chunked'}, InvalidBody),
        ({'CONTENT_LENGTH': '-3'}, InvalidBody),
        ({'CONTENT_LENGTH': '3, 4'}, InvalidBody),
        ({'CONTENT_LENGTH': '+3'}, InvalidBody),
        ({'HTTP_X_A': 'a\r\nb: c'}, OptionsError),
        ({'HTTP_X_A': 'a\nb'}, OptionsError),
        ({'REQUEST_METHOD': 'G T'}, OptionsError),
        ({'HTTP_HOST': 'x', 'HTTP_X_A': '\x00'}, OptionsError),
    ],
)
def test_an_incoming_request_that_could_be_read_in_two_ways_is_refused_before_anything_is_sent(
    given: Any, error: Any
) -> None:
    """SECURITY X5."""
    request, transport = site()
    with pytest.raises(error):
        pipe(wsgi.Incoming(environ(b'abc', **given)), request(URL))
    request.flush()
    assert transport.hops == []


def test_an_incoming_request_that_breaks_off_is_an_error() -> None:
    request, _ = site()
    with pytest.raises(ConnectionResetError, match='7 of 10 bytes'):
        pipe(wsgi.Incoming(environ(b'abc', CONTENT_LENGTH='10')), request(URL))


def test_an_incoming_request_without_content_is_sent_without() -> None:
    request, transport = site()
    pipe(wsgi.Incoming(environ(b'', REQUEST_METHOD='GET', CONTENT_LENGTH='', CONTENT_TYPE='text/plain')), request(URL))
    assert (transport.hops[0].body, transport.hops[0].method) == (None, 'GET')
    assert not {'content-type', 'content-length'} & sent(transport).keys()


SECRETS = [
    ('set-cookie', 's=1'),
    ('www-authenticate', 'Basic realm="x"'),
    ('etag', '"1"'),
    ('date', 'x'),
    ('server', 'x'),
    ('x-src', '1'),
]


def test_of_an_answer_only_what_describes_the_content_travels_into_a_request() -> None:
    """Node drags along every field, and Authorization and Cookie of the source's own request: mended."""
    answer = (
        200,
        [('content-type', 'text/csv'), ('content-length', '3'), ('content-encoding', 'x-own'), *SECRETS],
        b'a,b',
    )
    request, transport = site(answer, OK)
    source = request.get('http://elsewhere.test/', auth=('user', 'pass'), headers={'cookie': 'c=1', 'x-own': '1'})
    source.pipe(request.put(URL))
    assert transport.bodies[1] == b'a,b'
    assert sent(transport) == {
        'host': 'mysite.com', 'content-type': 'text/csv', 'content-length': '3', 'content-encoding': 'x-own',
        'user-agent': sent(transport)['user-agent'],
    }  # fmt: skip


def test_within_one_origin_extension_fields_travel_as_well() -> None:
    request, transport = site((200, SECRETS, b''), OK)
    request.get(URL + 'src').pipe(request.put(URL + 'dst'))
    assert sent(transport)['x-src'] == '1'
    assert not {'set-cookie', 'www-authenticate', 'etag', 'date', 'server'} & sent(transport).keys()


def test_an_explicit_content_type_is_not_overridden_by_the_answer_that_is_piped_in() -> None:
    """Node overrides it: mended."""
    request, transport = site((200, [('content-type', 'a/b')], b'x'), OK)
    request.get(URL).pipe(request.put(URL, headers={'content-type': 'c/d'}))
    assert sent(transport)['content-type'] == 'c/d'


def test_decoded_content_goes_on_without_the_length_and_the_coding_of_the_packed() -> None:
    """Node sends the packed length (#2887): mended; SECURITY X5."""
    packed = gzip.compress(b'unpacked')
    answer = (200, [('content-encoding', 'gzip'), ('content-length', str(len(packed)))], packed)
    request, transport = site(answer, OK, answer)
    request.get(URL, gzip=True).pipe(request.put(URL))
    assert transport.bodies[1] == b'unpacked'
    assert 'content-encoding' not in sent(transport)
    assert sent(transport)['transfer-encoding'] == 'chunked'
    started = Started()
    assert b''.join(request.get(URL, gzip=True).pipe(wsgi.Outgoing(started))) == b'unpacked'
    assert (started.status, started.headers) == ('200 OK', [])


def test_content_that_is_piped_into_json_is_sent_as_it_is() -> None:
    request, transport = site((200, [], b'{"b": 2}'))
    put = pipe(iter([b'{"a":1}']), request.put(URL, json=True))
    assert (transport.bodies, put.response.body) == ([b'{"a":1}'], {'b': 2})
    assert sent(transport)['content-type'] == 'application/json'


def test_pipefilter_may_still_change_the_request_that_is_piped_into() -> None:
    request, transport = site(OK, OK)
    source = request.get(URL)
    source.pipefilter = lambda response, dest: dest.set_header('x-from', str(response.status_code))
    source.pipe(request.put(URL))
    assert sent(transport)['x-from'] == '200'
    assert transport.bodies[1] == b'ok'


def test_the_pipe_event_names_the_source() -> None:
    request, _ = site()
    seen: list[Any] = []
    source = iter([b'x'])
    pipe(source, request.put(URL).on('pipe', seen.append))
    assert seen == [source]


def test_a_stream_cannot_be_sent_again_and_a_file_can(tmp_path: Path) -> None:
    (tmp_path / 'a.txt').write_bytes(b'text')
    again = (307, [('location', '/b')], b'')
    request, transport = site(again, OK, again)
    pipe((tmp_path / 'a.txt').open('rb'), request.put(URL, follow_all_redirects=True))
    assert transport.bodies == [b'text', b'text']
    with pytest.raises(RequestError, match='used up'):
        pipe(iter([b'x']), request.put(URL, follow_all_redirects=True))


# ---------------------------------------------------------------- wrong pipes, and those that stay open


@pytest.mark.parametrize('source', [None, 5, 'text', {'a': 1}, object(), io.StringIO('text')])
@pytest.mark.parametrize('into_request', [True, False])
def test_what_is_no_source_is_refused_before_anything_is_sent(source: Any, into_request: bool) -> None:
    request, transport = site()
    sink: Any = request.put(URL) if into_request else Sink()
    with pytest.raises(TypeError) as caught:
        pipe(source, sink)
    assert isinstance(caught.value, InvalidBody)
    del sink, caught
    request.flush()
    assert transport.hops == []


@pytest.mark.parametrize('sink', [None, 5, object(), [], io.StringIO()])
def test_what_is_no_sink_is_refused_before_anything_is_sent(sink: Any) -> None:
    request, transport = site()
    with pytest.raises(InvalidOptionType):
        request(URL).pipe(sink)
    request.flush()
    assert transport.hops == []


@pytest.mark.parametrize(
    ('source', 'fix'),
    [(Path('a'), r"open\(path, 'rb'\)$"), (None, 'not None$'), (5, 'not an int$'), (io.BytesIO, 'not its class$')],
)
@pytest.mark.parametrize('into_request', [True, False])
def test_the_error_of_a_wrong_source_speaks_of_the_pipe(source: Any, fix: str, into_request: bool) -> None:
    request, _ = site()
    with pytest.raises(InvalidBody, match=f'^the source of the pipe: .*{fix}'):
        pipe(source, request.put(URL) if into_request else Sink())


def test_a_class_is_no_sink() -> None:
    request, transport = site()
    with pytest.raises(InvalidOptionType, match='the class BytesIO; give an object'):
        request(URL).pipe(io.BytesIO)
    assert transport.hops == []


def test_a_sink_whose_write_is_awaited_is_refused_and_apipe_named() -> None:
    class Later(Sink):
        async def write(self, piece: bytes) -> None:  # type: ignore[override]
            raise AssertionError

    class Promising(Sink):
        def write(self, piece: bytes) -> Any:
            return Later.write(self, piece)  # type: ignore[arg-type]

    request, transport = site()
    with pytest.raises(InvalidOptionType, match='apipe'):
        request(URL).pipe(Later())
    assert transport.hops == []
    with pytest.raises(InvalidOptionType, match='apipe'):
        request(URL).pipe(Promising())


def test_a_path_that_leads_in_a_circle_or_holds_nul_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'loop').symlink_to('loop')
    request, transport = site()
    with pytest.raises(OptionsError, match='in a circle'):
        request(URL).pipe(tmp_path / 'loop')
    with pytest.raises(OptionsError, match='NUL'):
        request(URL).pipe(str(tmp_path / 'a\0b'))
    assert transport.hops == []


@pytest.mark.skipif(not hasattr(os, 'seteuid'), reason='there are no users here')
def test_a_folder_that_may_not_be_written_to_is_known_before_anything_is_sent() -> None:
    request, transport = site()
    me = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        if me == 0:
            os.seteuid(65534)  # nothing is forbidden to root
        try:
            with pytest.raises(PermissionError):
                request(URL).pipe(Path(folder) / 'file')
        finally:
            os.seteuid(me)
            Path(folder).chmod(0o755)
        assert transport.hops == []
        assert list(Path(folder).iterdir()) == []


@pytest.mark.parametrize('way', ['path', 'wsgi', 'handler'])
def test_what_is_only_whole_at_its_end_cannot_stay_open(way: str, tmp_path: Path) -> None:
    class Handler:
        wfile = io.BytesIO()

        def send_response(self, status: int) -> None:
            raise AssertionError

    request, transport = site()
    sink = {'path': tmp_path / 'file', 'wsgi': wsgi.Outgoing(Started()), 'handler': Handler()}[way]
    with pytest.raises(OptionsError, match='end=False'):
        request(URL).pipe(sink, end=False)
    assert transport.hops == []
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_closed_or_opened_the_wrong_way_are_refused(tmp_path: Path) -> None:
    request, transport = site()
    path = tmp_path / 'a'
    path.write_bytes(b'')
    closed = path.open('rb')
    closed.close()
    with (
        path.open('wb') as writing,
        path.open('rb') as reading,
        path.open(encoding='utf-8') as text,
        codecs.open(str(path), 'r+', 'utf-8') as coded,
        tempfile.SpooledTemporaryFile(mode='w+', encoding='utf-8') as spooled,
    ):
        for source in (closed, writing, text, coded, spooled):
            with pytest.raises(InvalidBody):
                pipe(source, request.put(URL))
        for sink in (closed, reading, text, coded, spooled):
            with pytest.raises(OptionsError):
                request(URL).pipe(sink)
    for place in (tmp_path, '', str(tmp_path / 'no' / 'file')):
        with pytest.raises(OptionsError):
            request(URL).pipe(place)
    request.flush()
    assert transport.hops == []


def test_a_response_can_be_piped_once_and_only_unread() -> None:
    request, _ = site(OK, OK, OK)
    piped, read, begun = request(URL), request(URL), request(URL)
    piped.pipe(Sink())
    assert read.end().body == 'ok'
    assert begun.response.read(1) == b'o'
    for handle in (piped, read, begun):
        with pytest.raises(RequestStateError, match='listen to "data"'):
            handle.pipe(Sink())


def test_a_request_that_was_sent_or_has_a_body_cannot_be_piped_into() -> None:
    request, transport = site()
    done = request(URL)
    done.end()
    with pytest.raises(RequestStateError, match='make another request'):
        pipe(b'x', done)
    written = request.post(URL + 'written')
    written.write('x')
    for handle in (
        request.post(URL, body='x'),
        request.post(URL, form={'a': 1}),
        request.post(URL, json={'a': 1}),
        written,
    ):
        with pytest.raises(RequestStateError, match='a body already'):
            pipe(b'x', handle)
    del handle, written
    request.flush()
    assert [hop.target for hop in transport.hops if hop.target != '/written'] == ['/']


def test_a_body_for_head_is_refused() -> None:
    request, transport = site()
    with pytest.raises(InvalidBody, match='MUST NOT'):
        pipe(b'x', request.head(URL))
    assert transport.hops == []


def test_a_pipe_has_two_ends() -> None:
    request, _ = site()
    handle = request(URL)
    with pytest.raises(OptionsError, match='two ends'):
        pipe(handle, handle)


def test_ok_only_wants_an_answer() -> None:
    with pytest.raises(OptionsError, match='ok_only'):
        pipe(b'x', Sink(), ok_only=True)


# ---------------------------------------------------------------- WSGI, without a server


def test_status_and_fields_go_out_and_the_body_is_streamed_by_the_server() -> None:
    """SECURITY X5: the same for the answer; set-cookie keeps its lines."""
    fields = [
        ('content-type', 'text/x'), ('set-cookie', 'a=1'), ('set-cookie', 'b=2'), ('connection', 'keep-alive, x-own'), ('x-own', '1'),
        ('keep-alive', '5'), ('proxy-authenticate', 'x'), ('trailer', 'x'), ('upgrade', 'x'), ('x-up', '1'), ('content-length', '7'),
    ]  # fmt: skip
    request, _ = site(MemoryReply(206, fields, [b'to ', b'dest'], 'Partial Content'))
    started = Started()
    outgoing = wsgi.Outgoing(started)
    assert request(URL).pipe(outgoing) is outgoing
    assert started.status == '206 Partial Content'
    assert started.headers == [
        ('content-type', 'text/x'),
        ('set-cookie', 'a=1'),
        ('set-cookie', 'b=2'),
        ('x-up', '1'),
        ('content-length', '7'),
    ]
    assert list(outgoing) == [b'to ', b'dest']


def test_a_server_whose_client_has_left_gives_the_origin_up() -> None:
    reply = MemoryReply(200, [], [b'one', b'two'])
    request, _ = site(reply)
    outgoing = request(URL).pipe(wsgi.Outgoing(Started()))
    assert next(iter(outgoing)) == b'one'
    outgoing.close()
    assert reply.aborted


def test_an_origin_that_dies_raises_within_the_server() -> None:
    request, _ = site(MemoryReply(200, [], [b'one', ResponseAborted('aborted')]))
    outgoing = request(URL).pipe(wsgi.Outgoing(Started()))
    with pytest.raises(ResponseAborted):
        list(outgoing)


def test_pipefilter_may_change_what_the_server_is_told() -> None:
    def mask(response: Any, outgoing: Any) -> None:
        outgoing.status_code, outgoing.status_message = 203, 'Transformed'
        outgoing.headers.append(('x-via', 'us'))

    request, _ = site()
    handle, started = request(URL), Started()
    handle.pipefilter = mask
    handle.pipe(wsgi.Outgoing(started))
    assert (started.status, started.headers[-1]) == ('203 Transformed', ('x-via', 'us'))


@pytest.mark.parametrize(
    ('method', 'status', 'length'), [('HEAD', 200, '2'), ('GET', 304, '2'), ('GET', 204, None)]
)  # fmt: skip
def test_an_answer_without_content_keeps_what_it_says_about_it(method: str, status: int, length: str | None) -> None:
    request, _ = site(MemoryReply(status, [('content-length', '2')], []))
    started = Started()
    assert list(request(URL, method=method).pipe(wsgi.Outgoing(started))) == []
    assert dict(started.headers).get('content-length') == length


def test_bytes_and_files_are_answers_too(tmp_path: Path) -> None:
    (tmp_path / 'a.css').write_bytes(b'p{}')
    started = Started()
    assert b''.join(pipe((tmp_path / 'a.css').open('rb'), wsgi.Outgoing(started))) == b'p{}'
    assert (started.status, started.headers) == ('200 OK', [('content-type', 'text/css'), ('content-length', '3')])


def test_an_answer_is_for_one_pipe() -> None:
    request, _ = site(OK, OK)
    outgoing = wsgi.Outgoing(Started())
    with pytest.raises(RequestStateError, match='nothing was piped'):
        list(outgoing)
    request(URL).pipe(outgoing)
    with pytest.raises(RequestStateError, match='make an Outgoing'):
        request(URL).pipe(outgoing)


@pytest.mark.parametrize(
    ('script', 'path', 'query', 'url'),
    [
        ('', '/a b/\xc3\xa9', 'q=1', '/a%20b/%C3%A9?q=1'),
        ('/app', '', '', '/app'),
        ('', '//evil.test/x', '', '/evil.test/x'),
        ('', '@evil.test/', '', '/@evil.test/'),
    ],
)
def test_the_url_of_an_incoming_request_is_a_path_and_can_be_nothing_else(
    script: str, path: str, query: str, url: str
) -> None:
    assert wsgi.Incoming(environ(SCRIPT_NAME=script, PATH_INFO=path, QUERY_STRING=query)).url == url


def test_a_field_that_only_looks_like_the_length_does_not_count() -> None:
    """SECURITY X5: ``Content_Length`` arrives as HTTP_CONTENT_LENGTH where a server does not drop it."""
    request, transport = site()
    pipe(wsgi.Incoming(environ(b'abc', HTTP_CONTENT_LENGTH='1', HTTP_CONTENT_TYPE='a/b')), request(URL))
    assert (transport.bodies, sent(transport)['content-length']) == ([b'abc'], '3')
    assert 'content-type' not in sent(transport)


def test_who_pipes_nothing_loads_nothing_of_it_and_a_response_pipes_all_the_same() -> None:
    lines = (
        'import io, sys, requite',
        'from requite.transport.memory import MemoryTransport',
        'MemoryTransport.pool = None',
        'request = requite.Requests(transport=MemoryTransport([(200, [], b"ok")]))',
        'response = request("http://mysite.com/").response',
        'print([name for name in ("piping", "sources", "sinks", "wsgi", "httpserver") if "requite." + name in sys.modules], "http.server" in sys.modules)',
        'print(response.pipe(io.BytesIO()).getvalue())',
    )
    done = subprocess.run([sys.executable, '-c', '\n'.join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ['[] False', "b'ok'"]


def test_the_ends_of_wsgi_hang_on_the_package() -> None:
    import requite

    assert requite.wsgi is wsgi


# ---------------------------------------------------------------- the rules themselves


def test_fields_that_could_break_out_of_their_line_are_refused() -> None:
    """SECURITY X5."""
    for name, value in (('x', 'a\r\nb: c'), ('x', 'a\x00'), ('x y', '1'), ('x\r\n', '1'), ('', '1')):
        with pytest.raises(OptionsError):
            end_to_end([(name, value)])


def test_repeated_equal_lengths_are_one_length() -> None:
    assert content_length([('Content-Length', '5'), ('content-length', '5')]) == 5
    assert content_length([]) == 0
    assert content_length([('Transfer-Encoding', 'Chunked')]) is None
