"""What the `requite` logger tells at DEBUG of requests over real sockets, and what it never tells."""

from __future__ import annotations

import base64
import io
import logging
import sys
from typing import Any

import pytest

from requite import ConnectionRefused, request
from tests.servers import Answer, HttpServer, closed_port, redirect, reply


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger='requite')
    return caplog


def lines(told: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in told.records if record.name == 'requite']


def test_every_hop_is_told_of_when_it_goes_out_and_when_it_is_answered(
    server: HttpServer, told: pytest.LogCaptureFixture
) -> None:
    server.routes = {'/a': redirect('/b'), '/b': Answer(201, {'X-B': '1'}, 'x', 'Made')}
    request.get(server.url + '/a?x=1', headers={'X-A': 'y'}).end()
    out, back, out_again, back_again = lines(told)
    assert out.startswith(f'GET {server.url}/a?x=1 {{X-A: ')
    assert "X-A: 'y'" in out
    assert f'GET {server.url}/a?x=1 answered 302 Found after ' in back
    assert "location: '/b'" in back
    assert out_again.startswith(f'GET {server.url}/b ')
    assert ' answered 201 Made after ' in back_again


def test_a_failure_is_told_of(told: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConnectionRefused):
        request.get(f'http://127.0.0.1:{closed_port()}/').end()
    assert 'failed after' in lines(told)[1]
    assert 'ECONNREFUSED' in lines(told)[1]


def test_each_attempt_is_told_of(server: HttpServer, told: pytest.LogCaptureFixture) -> None:
    answers = iter([reply('', 503), reply('')])
    server.answers = lambda seen: next(answers)
    request.get(server.url, retry={'backoff': 0}).end()
    assert len(lines(told)) == 4


def test_repeated_fields_are_all_told(server: HttpServer, told: pytest.LogCaptureFixture) -> None:
    server.answers = lambda seen: Answer(200, [('x-a', '1'), ('x-a', '2')], '')
    request.get(server.url).end()
    assert "x-a: '1', x-a: '2'" in lines(told)[1]


def test_no_credential_is_ever_told(server: HttpServer, told: pytest.LogCaptureFixture) -> None:
    """SECURITY Q9."""
    server.answers = lambda seen: Answer(
        200, {'set-cookie': 'sid=sekrit', 'x-mine': 'sekrit', 'location': 'http://u:sekrit@h/?token=sekrit'}, ''
    )
    given: dict[str, Any] = {
        'headers': {'Cookie': 'sekrit', 'X-Mine': 'sekrit', 'x-amz-security-token': 'sekrit'},
        'sensitive_headers': ['X-Mine'],
    }
    address = server.url.replace('://', '://user:sekrit@') + '/?access_token=sekrit'
    request.get(address, **given).end()
    request.get(address.replace('user:sekrit@', ''), auth={'bearer': 'sekrit'}, **given).end()
    request.get('http://h.invalid/?password=sekrit', proxy=server.url.replace('://', '://user:sekrit@'), **given).end()
    text = '\n'.join(lines(told))
    assert 'sekrit' not in text
    assert base64.b64encode(b'user:sekrit').decode() not in text
    assert "authorization: 'Basic ***'" in text
    assert "authorization: 'Bearer ***'" in text
    assert '<Proxy http://***@' in text


def test_what_a_server_sends_moves_no_cursor(raw_server: Any, told: pytest.LogCaptureFixture) -> None:
    wire = 'HTTP/1.1 200 OK\r\nx-a: \x9b2J\r\ncontent-length: 0\r\n\r\n'.encode('latin-1')
    request.get(raw_server(lambda sock, head: sock.sendall(wire)).url).end()
    assert "x-a: '\\x9b2J'" in lines(told)[1]


def test_request_debug_tells_on_standard_error(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, 'stderr', stream)
    monkeypatch.setattr(logging.getLogger(), 'handlers', [])
    request.debug = True
    try:
        request.get(server.url).end()
    finally:
        request.debug = False
    request.get(server.url).end()
    assert stream.getvalue().count(' REQUEST GET ') == 2


def test_nothing_is_put_around_the_transport_while_it_is_off(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from requite.transport import layers

    def around(*_: Any) -> Any:
        raise AssertionError('nobody asked for it')

    monkeypatch.setattr(layers, 'around', around)
    assert request.get(server.url).end().status_code == 200
