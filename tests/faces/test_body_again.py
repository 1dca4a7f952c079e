"""Reading a body that was collected already: one cursor, an end, and what a listener sees meanwhile."""

from __future__ import annotations

import io
import shutil
import threading
from typing import Any

import pytest

from requite import AbortError, RequestNotSentWarning, RequestStateError, request
from tests.servers import HttpServer, reply


def test_reading_in_pieces_after_the_body_was_collected_comes_to_an_end(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'0123456789')
    response = request(server.url).end()
    assert [response.read(4) for _ in range(4)] == [b'0123', b'4567', b'89', b'']
    response = request(server.url).end()
    assert (response.read(3), response.read(), response.read()) == (b'012', b'3456789', b'')


def test_a_collected_response_can_be_copied_and_sent_on(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'0123456789')
    copy = io.BytesIO()
    shutil.copyfileobj(request(server.url).end(), copy)
    assert copy.getvalue() == b'0123456789'
    request.post(server.url, body=request(server.url).end()).end()
    assert server.requests[-1].body == b'0123456789'


def test_after_an_abort_in_a_data_listener_nothing_else_is_told(raw_server: Any) -> None:
    def two_pieces(sock: Any, received: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc')
        going.wait(5)
        sock.sendall(b'def')

    going = threading.Event()
    told: list[str] = []
    made = request(raw_server(two_pieces).url)
    for event in ('data', 'end', 'complete', 'close', 'abort', 'error'):
        made.on(event, lambda *arguments, event=event: told.append(event))
    made.on('data', lambda piece: (made.abort(), going.set()))
    with pytest.raises(AbortError):
        made.end()
    assert told == ['data', 'abort']


def test_the_body_can_be_looked_at_from_a_data_listener_with_an_encoding(server: HttpServer) -> None:
    server.answers = lambda seen: reply('h\u00e9'.encode())
    made = request(server.url, encoding='utf-8')
    pieces: list[str] = []
    made.on('data', pieces.append)
    assert made.end().body == 'h\u00e9'
    assert ''.join(pieces) == 'h\u00e9'


@pytest.mark.parametrize('spelling', ['close', 'Close', 'CLOSE', 'keep-alive, close'])
def test_a_connection_that_the_request_ends_is_not_used_again(server: HttpServer, spelling: str) -> None:
    pool = request.Pool()
    request(server.url, headers={'Connection': spelling}, pool=pool).end()
    assert all(idle == 0 for _, idle in pool.status().values())
    pool.close()


def test_an_error_that_is_an_oserror_has_its_number() -> None:
    import errno
    import pickle

    from requite import ConnectionRefused
    from tests.servers import closed_port

    with pytest.raises(ConnectionRefusedError) as caught:
        request(f'http://127.0.0.1:{closed_port()}/').end()
    assert caught.value.errno == errno.ECONNREFUSED
    again = pickle.loads(pickle.dumps(ConnectionRefused('x')))
    assert again.errno == errno.ECONNREFUSED


def test_a_request_as_the_body_of_another_is_sent_only_with_it(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'0123456789')
    inner = request(server.url + '/inner')
    outer = request.post(server.url + '/outer', body=inner)
    assert 'not sent' in repr(inner)
    outer.end()
    assert [(seen.target, seen.body) for seen in server.requests] == [('/inner', b''), ('/outer', b'0123456789')]


def test_pieces_and_reads_of_a_collected_body_share_one_cursor(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'0123456789')
    response = request(server.url).end()
    assert list(response) == [b'0123456789']
    assert [response.read(3) for _ in range(3)] == [b'', b'', b'']
    response = request(server.url).end()
    assert (response.read(4), list(response), response.body) == (b'0123', [b'456789'], '0123456789')


def test_a_collected_response_is_a_body_as_often_as_needed(server: HttpServer) -> None:
    server.answers = lambda seen: reply(seen.body or b'0123456789')
    response = request(server.url).end()
    assert [request.post(server.url, body=response).end().body for _ in range(2)] == ['0123456789'] * 2


def test_reading_while_another_thread_collects_waits_for_it(raw_server: Any) -> None:
    def slow(sock: Any, received: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc')
        going.wait(5)
        sock.sendall(b'def')

    going = threading.Event()
    response = request(raw_server(slow).url).response
    collecting = threading.Thread(target=lambda: response.body)
    collecting.start()
    threading.Timer(0.2, going.set).start()
    assert response.read() == b'abcdef'
    collecting.join()
    assert response.body == 'abcdef'


def test_a_request_that_was_to_be_a_body_is_not_sent_alone(server: HttpServer) -> None:
    outer = request.post(server.url, body=request(server.url + '/inner'))
    outer.abort()
    with pytest.warns(RequestNotSentWarning):
        del outer
    request.flush(2000)
    assert server.requests == []


def test_who_leaves_a_loop_over_the_body_can_read_on_where_it_was_left(server: HttpServer) -> None:
    whole = bytes(range(256)) * 8000
    server.answers = lambda seen: reply(whole)
    response = request(server.url, encoding=None).response
    got = b''
    for piece in response:
        got += piece
        break
    assert 0 < len(got) < len(whole)
    got += response.read(100)
    for piece in response:
        got += piece
        break
    assert got + response.read() == whole
    assert response.read() == b''


def test_a_body_whose_reading_a_listener_broke_off_has_no_end_but_an_error(server: HttpServer) -> None:
    server.answers = lambda seen: reply(bytes(2_000_000))

    def refuse(piece: bytes) -> None:
        raise ZeroDivisionError

    response = request(server.url, encoding=None).on('data', refuse).response
    with pytest.raises(ZeroDivisionError):
        response.read(10)
    with pytest.raises(RequestStateError, match='broken off'):
        response.read(10)
