"""The test servers do what the other tests take for granted."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable

import pytest

from tests.servers import Answer, Authority, HttpServer, RawServer, closed_port, redirect, reply


def test_the_server_answers_a_request_with_itself_and_keeps_it(server: HttpServer) -> None:
    client = http.client.HTTPConnection(server.host, server.port)
    client.request('POST', '/a?b=c', body=b'hello', headers={'X-One': '1'})
    told = json.loads(client.getresponse().read())
    client.close()
    assert (told['method'], told['target'], told['body']) == ('POST', '/a?b=c', 'hello')
    assert server.requests[0].header('x-one') == '1'
    assert 'X-One' in server.requests[0].names


def test_the_server_keeps_a_connection_and_reads_chunks(server: HttpServer) -> None:
    client = http.client.HTTPConnection(server.host, server.port)
    for body in ([b'a' * 70000, b'b'], [b'c']):
        client.request('PUT', '/', body=iter(body), encode_chunked=True, headers={'Transfer-Encoding': 'chunked'})
        client.getresponse().read()
    client.close()
    assert [len(seen.body) for seen in server.requests] == [70001, 1]
    assert server.connections == 1


def test_requests_that_come_in_one_packet_are_answered_one_after_the_other(server: HttpServer) -> None:
    server.answers = lambda seen: reply(seen.path)
    with socket.create_connection((server.host, server.port)) as sock:
        sock.sendall(b'GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nconnection: close\r\n\r\n')
        with sock.makefile('rb') as file:
            answers = file.read()
    assert [answers.count(part) for part in (b'HTTP/1.1 200', b'\n/1', b'\n/2')] == [2, 1, 1]


@pytest.mark.parametrize(
    ('path', 'status'),
    [('/there', 200), ('/gone', 410), ('/moved', 302), ('/none', 204)],
)
def test_routes_decide_before_the_default(server: HttpServer, path: str, status: int) -> None:
    server.routes = {
        '/there': reply('yes'),
        'GET /gone': lambda seen: reply(seen.path, 410),
        '/moved': redirect('/there'),
        '/none': Answer(204, body='never sent'),
    }
    client = http.client.HTTPConnection(server.host, server.port)
    client.request('GET', path)
    answer = client.getresponse()
    assert answer.status == status
    assert (answer.read() == b'') == (status == 204)
    client.close()


def test_a_raw_server_hands_over_the_socket_and_the_head(raw_server: Callable[..., RawServer]) -> None:
    server = raw_server(lambda sock, head: sock.sendall(head[:3]))
    with socket.create_connection((server.host, server.port)) as sock:
        sock.sendall(b'GET / HTTP/1.1\r\n')
        sock.sendall(b'\r\n')
        assert sock.recv(100) == b'GET'
        assert sock.recv(100) == b''
    assert server.heads == [b'GET / HTTP/1.1\r\n\r\n']


def test_what_goes_wrong_in_a_handler_is_told_when_the_server_closes() -> None:
    def handler(sock: socket.socket, head: bytes) -> None:
        raise RuntimeError('in the handler')

    with pytest.raises(RuntimeError, match='in the handler'), RawServer(handler) as server:
        with socket.create_connection((server.host, server.port)) as sock:
            sock.sendall(b'GET / HTTP/1.1\r\n\r\n')
            assert sock.recv(1) == b''


def test_the_tls_server_is_trusted_with_the_authority_only(tls_server: HttpServer, authority: Authority) -> None:
    good = http.client.HTTPSConnection(
        'localhost', tls_server.port, context=ssl.create_default_context(cafile=authority.path)
    )
    good.request('GET', '/')
    assert good.getresponse().status == 200
    good.close()
    bad = http.client.HTTPSConnection('localhost', tls_server.port, context=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        bad.request('GET', '/')
    bad.close()


def test_nobody_listens_at_a_closed_port() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', closed_port()))
