"""Where requite sends or takes something else than Node's request does: the rows of docs/reference/deviations.md that need a server."""

from __future__ import annotations

import gzip
import io
import json
import socket
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from requite import (
    DeadlineExceeded,
    InvalidURI,
    MalformedResponse,
    RedirectRefused,
    RequestError,
    RequestStateError,
    ResponseAborted,
    TooManyRedirects,
    request,
)
from tests.servers import Answer, HttpServer, RawServer, Seen, json_reply, redirect, reply

Starts = Callable[..., HttpServer]
StartsRaw = Callable[..., RawServer]


def seen(server: HttpServer, path: str = '/', **options: Any) -> Seen:
    """The last request that arrives when `path` is asked for with these options."""
    request(server.url + path, options).end()
    return server.requests[-1]


def answering(raw_server: StartsRaw, wire: bytes) -> RawServer:
    """A server that says this to everybody, and closes."""
    return raw_server(lambda sock, head: sock.sendall(wire))


# ---------------------------------------------------------------- calls


def test_a_callback_is_called_before_the_call_returns(server: HttpServer) -> None:
    told: list[Any] = []
    request(server.url, lambda error, response, body: told.append((error, response.status_code)))
    assert told == [(None, 200)]


def test_what_a_callback_raises_comes_out_of_the_call(server: HttpServer) -> None:
    def fail(error: Any, response: Any, body: Any) -> None:
        raise KeyError('mine')

    with pytest.raises(KeyError, match='mine'):
        request(server.url, fail)


def test_an_aborted_request_calls_no_callback(server: HttpServer) -> None:
    told: list[Any] = []
    call = request.get(server.url)
    call.on('response', lambda response: call.abort())
    call.end(lambda *outcome: told.append(outcome))
    assert told == []


def test_an_error_in_the_body_is_the_last_event(raw_server: StartsRaw) -> None:
    """Node goes on with end, complete and close."""
    server = answering(raw_server, b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort')
    events: list[str] = []
    call = request.get(server.url)
    for name in ('response', 'end', 'complete', 'close', 'error'):
        call.on(name, lambda *_, name=name: events.append(name))
    with pytest.raises(ResponseAborted):
        call.end()
    assert events == ['response', 'error']


def test_configuring_too_late_is_an_error(server: HttpServer) -> None:
    call = request.get(server.url)
    call.end()
    with pytest.raises(RequestStateError):
        call.set_header('x-late', '1')


def test_set_header_returns_the_request(server: HttpServer) -> None:
    request.get(server.url).set_header('x-a', '1').set_header('x-b', '2').end()
    assert (server.requests[0].header('x-a'), server.requests[0].header('x-b')) == ('1', '2')


# ---------------------------------------------------------------- header fields


def test_a_request_names_its_agent_and_no_connection(server: HttpServer) -> None:
    assert seen(server).names == ['host', 'user-agent']
    assert (seen(server).header('user-agent') or '').startswith('requite/')
    assert seen(server, headers={'User-Agent': None}).names == ['host']


def test_none_removes_a_header(server: HttpServer) -> None:
    api = request.defaults(headers={'x-a': '1', 'x-b': '2'})
    api.get(server.url, headers={'X-A': None}).end()
    assert (server.requests[0].header('x-a'), server.requests[0].header('x-b')) == (None, '2')


def test_a_header_given_in_two_spellings_is_sent_twice(server: HttpServer) -> None:
    assert [
        value for name, value in seen(server, headers={'X-Dup': '1', 'x-dup': '2'}).headers if name.lower() == 'x-dup'
    ] == ['1', '2']


def test_a_get_in_lower_case_is_a_get(server: HttpServer) -> None:
    got = seen(server, method='get')
    assert (got.method, got.header('content-length')) == ('GET', None)


def test_a_post_in_lower_case_follows_no_redirect(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    assert request(server.url + '/old', method='post', body='x').end().status_code == 302


def test_the_host_of_a_unix_socket_is_localhost(tmp_path: Path) -> None:
    heads: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        sock, _ = listener.accept()
        with sock:
            heads.append(sock.recv(65536))
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / 's'))
        listener.listen(1)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        assert request.get(f'http://unix:{tmp_path}/s:/p', pool=False).end().body == 'ok'
        thread.join(10)
    assert b'host: localhost\r\n' in heads[0]


# ---------------------------------------------------------------- content


def test_a_list_is_as_long_as_its_bytes(server: HttpServer) -> None:
    got = seen(server, method='POST', body=['h\u00e9', 'x'])
    assert (got.body, got.header('content-length')) == (b'h\xc3\xa9x', '4')


def test_empty_bytes_are_a_body(server: HttpServer) -> None:
    got = seen(server, method='POST', body=b'')
    assert (got.body, got.header('content-length')) == (b'', '0')


def test_a_body_sent_in_chunks_announces_no_length(server: HttpServer) -> None:
    got = seen(server, method='POST', body='data', headers={'transfer-encoding': 'chunked'})
    assert (got.body, got.header('content-length'), got.header('transfer-encoding')) == (b'data', None, 'chunked')


def test_a_length_that_is_not_the_bodys_is_an_error_before_anything_is_sent(server: HttpServer) -> None:
    with pytest.raises(ValueError, match='content-length'):
        request.post(server.url, body='data', headers={'content-length': '9'}).end()
    assert server.connections == 0


def test_a_form_given_late_replaces_body_and_length(server: HttpServer) -> None:
    request.post(server.url, body='a long body').form({'a': 1}).end()
    assert (server.requests[0].text, server.requests[0].header('content-length')) == ('a=1', '3')


def test_a_json_value_brings_its_own_content_type(server: HttpServer) -> None:
    got = seen(server, method='POST', json={'a': 1}, form={'b': 2})
    assert (got.text, got.header('content-type')) == ('{"a":1}', 'application/json')


@pytest.mark.parametrize('text', ['12345678901234567890', '-12345678901234567890'])
def test_integers_of_an_answer_keep_all_their_digits(server: HttpServer, text: str) -> None:
    server.routes['/'] = reply(text)
    assert request.get(server.url, json=True).end().body == int(text)


def test_a_byte_order_mark_is_no_part_of_json(server: HttpServer) -> None:
    server.routes['/'] = reply(b'\xef\xbb\xbf{"a": 1}')
    assert request.get(server.url, json=True).end().body == {'a': 1}


def test_a_reviver_that_refuses_leaves_the_text_and_other_exceptions_come_out(server: HttpServer) -> None:
    server.routes['/'] = json_reply({'a': 1})

    def refuse(key: str, value: Any) -> Any:
        raise ValueError('no')

    def stumble(key: str, value: Any) -> Any:
        raise KeyError('mine')

    assert request.get(server.url, json=True, json_reviver=refuse).end().body == '{"a": 1}'
    with pytest.raises(KeyError, match='mine'):
        _ = request.get(server.url, json=True, json_reviver=stumble).end().body


# ---------------------------------------------------------------- credentials


def test_credentials_in_the_address_are_decoded_once(server: HttpServer) -> None:
    request.get(f'http://user:a%2541b@{server.authority}/').end()
    assert server.requests[0].header('authorization') == 'Basic dXNlcjphJTQxYg=='


def test_a_password_of_none_is_an_empty_one(server: HttpServer) -> None:
    assert seen(server, auth={'user': 'u', 'pass': None}).header('authorization') == 'Basic dTo='


def test_a_token_answers_no_challenge_for_a_password(server: HttpServer) -> None:
    server.routes['/'] = Answer(401, {'www-authenticate': 'Basic realm="x"'})
    assert request.get(server.url, auth={'bearer': 'token', 'sendImmediately': False}).end().status_code == 401
    assert [one.header('authorization') for one in server.requests] == [None]


def test_a_user_takes_the_token_of_the_defaults_back(server: HttpServer) -> None:
    api = request.defaults(auth={'bearer': 'token'})
    api.get(server.url, auth={'user': 'u', 'pass': 'p'}).end()
    assert server.requests[0].header('authorization') == 'Basic dTpw'


def test_an_answer_to_a_challenge_is_no_redirect_to_be_counted(server: HttpServer) -> None:
    def guarded(one: Seen) -> Answer:
        if one.header('authorization') is None:
            return Answer(401, {'www-authenticate': 'Basic realm="x"'})
        return redirect('/new')

    server.routes['/old'] = guarded
    auth = {'user': 'u', 'pass': 'p', 'sendImmediately': False}
    assert request.get(server.url + '/new', auth=auth, max_redirects=0).end().status_code == 200
    response = request.get(server.url + '/old', auth=auth, max_redirects=1).end()
    assert (response.status_code, response.request.uri.path) == (200, '/new')


def test_a_stream_cannot_answer_a_challenge(server: HttpServer) -> None:
    """Node sends the request again without its content."""
    server.routes['/'] = Answer(401, {'www-authenticate': 'Basic realm="x"'})
    with pytest.raises(RedirectRefused, match='used up'):
        request.post(server.url, body=iter([b'once']), auth={'user': 'u', 'pass': 'p', 'sendImmediately': False}).end()
    assert len(server.requests) == 1


# ---------------------------------------------------------------- redirects


@pytest.mark.parametrize('status', [300, 304, 305])
def test_some_answers_with_a_location_are_no_redirects(server: HttpServer, status: int) -> None:
    server.routes['/old'] = redirect('/new', status)
    assert request.get(server.url + '/old').end().status_code == status
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    'options', [{'follow_all_redirects': True}, {'follow_all_redirects': True, 'follow_original_http_method': True}]
)
def test_308_keeps_method_and_content(server: HttpServer, options: Any) -> None:
    server.routes['/old'] = redirect('/new', 308)
    got = seen(server, '/old', method='POST', body='data', **options)
    assert (got.method, got.body, got.path) == ('POST', b'data', '/new')


@pytest.mark.parametrize('status', [301, 302])
def test_a_method_that_is_kept_keeps_its_content(server: HttpServer, status: int) -> None:
    server.routes['/old'] = redirect('/new', status)
    options: Any = {
        'follow_all_redirects': True,
        'follow_original_http_method': True,
        'headers': {'content-type': 'text/plain'},
    }
    got = seen(server, '/old', method='PUT', body='data', **options)
    assert (got.method, got.body, got.header('content-type')) == ('PUT', b'data', 'text/plain')


def test_303_always_means_get(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new', 303)
    got = seen(server, '/old', method='POST', body='data', follow_all_redirects=True, follow_original_http_method=True)
    assert (got.method, got.body) == ('GET', b'')


def test_two_different_locations_are_an_error(server: HttpServer) -> None:
    server.routes['/old'] = Answer(302, [('location', '/a'), ('location', '/b')])
    with pytest.raises(InvalidURI, match='two different'):
        request.get(server.url + '/old').end()
    assert len(server.requests) == 1


def test_a_stream_is_not_redirected_empty(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new', 307)
    with pytest.raises(RedirectRefused, match='used up'):
        request.post(server.url + '/old', body=iter([b'once']), follow_all_redirects=True).end()


def test_a_file_is_redirected_whole(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new', 307)
    assert seen(server, '/old', method='POST', body=io.BytesIO(b'whole'), follow_all_redirects=True).body == b'whole'


def test_too_many_redirects_are_an_error_and_no_response(server: HttpServer) -> None:
    server.routes['/round'] = redirect('/round')
    events: list[str] = []
    call = request.get(server.url + '/round', max_redirects=2)
    for name in ('response', 'data', 'complete', 'error'):
        call.on(name, lambda *_, name=name: events.append(name))
    with pytest.raises(TooManyRedirects):
        call.end()
    assert (events, len(server.requests)) == (['error'], 3)


def test_the_fragment_of_the_address_is_inherited_and_never_sent(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    response = request.get(server.url + '/old#part').end()
    assert response.request.uri.href == server.url + '/new#part'
    assert (server.requests[1].target, server.requests[1].header('referer')) == ('/new', server.url + '/old')


def test_utf_8_in_a_location_is_read_as_utf_8(server: HttpServer) -> None:
    server.routes['/old'] = 'HTTP/1.1 302 Found\r\nlocation: /café\r\ncontent-length: 0\r\n\r\n'.encode()
    assert seen(server, '/old').target == '/caf%C3%A9'


def test_no_userinfo_in_referer_and_redirects(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    response = request.get(f'http://user:secret@{server.authority}/old').end()
    assert server.requests[1].header('referer') == server.url + '/old'
    assert [(entry.status_code, entry.redirect_uri) for entry in response.redirects] == [(302, server.url + '/new')]


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_another_port_is_another_origin(http_server: Starts, status: int) -> None:
    """Node compares host names only, and with 307 nothing."""
    other = http_server()
    start = http_server(lambda one: redirect(other.url + '/', status))
    request.get(start.url, auth=('user', 'secret'), headers={'cookie': 'a=1', 'host': 'name.test'}).end()
    last = other.requests[0]
    assert start.requests[0].header('authorization') is not None
    assert (last.header('authorization'), last.header('cookie'), last.header('host')) == (None, None, other.authority)


def test_a_host_header_does_not_make_credentials_go_astray(server: HttpServer) -> None:
    """On the same origin they stay, whatever Host was given (Node loses them)."""
    server.routes['/old'] = redirect('/new')
    got = seen(server, '/old', auth=('user', 'secret'), headers={'host': 'name.test'})
    assert got.header('authorization') is not None


# ---------------------------------------------------------------- answers


def test_a_body_cut_short_is_an_error(server: HttpServer) -> None:
    server.routes['/'] = Answer(200, {'content-encoding': 'gzip'}, gzip.compress(b'text' * 1000)[:-9])
    with pytest.raises(ResponseAborted) as caught:
        request.get(server.url, gzip=True).end()
    assert caught.value.code == 'Z_BUF_ERROR'


def raw_deflate(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


@pytest.mark.parametrize(
    ('coding', 'body'),
    [
        # Without the hour of packing: these bytes name the tests, and every worker has to give the same names.
        ('x-gzip', gzip.compress(b'text', mtime=0)),
        ('GZIP', gzip.compress(b'text', mtime=0)),
        ('deflate', raw_deflate(b'text')),
        ('gzip, gzip', gzip.compress(gzip.compress(b'text', mtime=0), mtime=0)),
        ('deflate, gzip', gzip.compress(zlib.compress(b'text'), mtime=0)),
    ],
)
def test_codings_that_node_does_not_know_are_undone(server: HttpServer, coding: str, body: bytes) -> None:
    server.routes['/'] = Answer(200, {'content-encoding': coding}, body)
    assert request.get(server.url, gzip=True).end().body == 'text'


def test_brotli_and_zstd_are_asked_for_and_undone_where_they_are_installed(server: HttpServer) -> None:
    brotli, zstandard = pytest.importorskip('brotli'), pytest.importorskip('zstandard')
    for coding, body in (('br', brotli.compress(b'text')), ('zstd', zstandard.compress(b'text'))):
        server.routes['/'] = Answer(200, {'content-encoding': coding}, body)
        assert request.get(server.url, gzip=True).end().body == 'text'
    assert server.requests[0].header('accept-encoding') == 'gzip, deflate, br, zstd'


@pytest.mark.parametrize('encoding', ['utf8', 'utf-8', 'UTF-8', 'Utf8'])
def test_the_byte_order_mark_is_dropped_for_every_spelling(server: HttpServer, encoding: str) -> None:
    server.routes['/'] = reply(b'\xef\xbb\xbftext')
    assert request.get(server.url, encoding=encoding).end().body == 'text'
    assert request.get(server.url).end().body == 'text'


def test_half_a_character_becomes_a_replacement_character(server: HttpServer) -> None:
    server.routes['/'] = reply(b'a\x00\x00\xd8b\x00')
    assert request.get(server.url, encoding='utf16le').end().body == 'a\ufffdb'


@pytest.mark.parametrize(
    'wire',
    [
        b'HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n',
        b'HTTP/1.1 600 Odd\r\ncontent-length: 0\r\n\r\n',
        b'HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n',
        b'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
        b'HTTP/1.1 103 Early\r\n\r\n' * 33 + b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
    ],
)
def test_a_status_that_makes_no_answer_is_an_error(raw_server: StartsRaw, wire: bytes) -> None:
    with pytest.raises(MalformedResponse) as caught:
        request.get(answering(raw_server, wire).url).end()
    assert (caught.value.code or '').startswith('HPE_')


def test_a_header_line_may_have_64_kib(server: HttpServer) -> None:
    server.routes['/'] = reply('ok', x_huge='a' * 60_000)
    assert len(str(request.get(server.url).end().headers['x-huge'])) == 60_000


def test_surplus_bytes_cost_the_connection_and_not_the_answer(server: HttpServer) -> None:
    server.routes['/'] = (
        b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil'
    )
    pool = request.Pool()
    assert [request.get(server.url, pool=pool).end().body for _ in range(2)] == ['ok', 'ok']
    assert server.connections == 2


def test_without_content_the_json_of_an_answer_is_none(server: HttpServer) -> None:
    server.routes['/'] = reply('')
    assert request.get(server.url, json=True).end().body is None


def test_raw_headers_are_pairs(server: HttpServer) -> None:
    server.routes['/'] = Answer(200, [('X-A', '1'), ('x-a', '2')])
    assert request.get(server.url).end().raw_headers[:2] == [('X-A', '1'), ('x-a', '2')]


def test_the_request_of_a_response_is_what_was_sent_last(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new', 303)
    response = request.post(server.url + '/old', body='x', follow_all_redirects=True).end()
    assert (response.request.method, response.request.href) == ('GET', server.url + '/new')


def test_data_is_decoded_with_gzip_and_as_it_came_without_and_a_response_has_no_events(server: HttpServer) -> None:
    packed = gzip.compress(b'unpacked')
    server.answers = lambda seen: Answer(headers={'content-encoding': 'gzip'}, body=packed)
    for options, expected in (({'gzip': True}, b'unpacked'), ({'headers': {'accept-encoding': 'gzip'}}, packed)):
        received: list[bytes] = []
        response = request(server.url, options).on('data', received.append).end()
        assert b''.join(received) == expected
        assert not hasattr(response, 'on')


# ---------------------------------------------------------------- connections


def test_false_as_agent_is_a_connection_of_its_own(server: HttpServer) -> None:
    assert seen(server, agent=False).header('connection') == 'close'


def test_agent_options_that_differ_have_pools_that_differ(server: HttpServer) -> None:
    pool: dict[str, Any] = {}
    for size in (1, 2, 1):
        request.get(server.url, pool=pool, agent_options={'maxSockets': size}).end()
    assert (server.connections, len(pool['agents'])) == (2, 2)


def test_waiting_for_a_busy_pool_is_bounded_by_the_deadline(server: HttpServer) -> None:
    """As in Node the timeout does not count while a request waits for a connection; the deadline does."""
    server.routes['/big'] = reply(b'x' * 10_000_000)
    pool = request.Pool(max_sockets=1)
    with request.get(server.url + '/big', pool=pool), pytest.raises(DeadlineExceeded) as caught:
        request.get(server.url, pool=pool, timeout=10, deadline=200).end()
    assert (caught.value.code, isinstance(caught.value, TimeoutError)) == ('ETIMEDOUT', True)


def test_an_idempotent_request_on_a_connection_that_died_is_sent_once_more(raw_server: StartsRaw) -> None:
    def once(sock: Any, head: bytes) -> bool:
        if server.heads.count(head) > 1 and len(server.heads) == 2:
            return False
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
        return True

    server = raw_server(once)
    pool = request.Pool()
    assert [request.get(server.url, pool=pool).end().body for _ in range(2)] == ['ok', 'ok']
    assert (len(server.heads), server.connections) == (3, 2)


def test_every_error_is_of_one_family(raw_server: StartsRaw) -> None:
    with pytest.raises(RequestError):
        request.get(answering(raw_server, b'nonsense').url).end()


def test_json_of_the_request_shows_what_was_sent(server: HttpServer) -> None:
    call = request.get(server.url + '/a', headers={'X-A': '1'})
    call.end()
    assert json.loads(json.dumps(call.to_json()))['headers'] == {
        'X-A': '1',
        'user-agent': server.requests[0].header('user-agent'),
    }
