"""Retries with real sockets: what is sent again, when, how often, and what never is."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from requite import (
    AbortError,
    ConnectionRefused,
    ConnectionReset,
    DeadlineExceeded,
    HarLog,
    MalformedResponse,
    Pool,
    ProxyRefused,
    ReadTimeout,
    RedirectRefused,
    pipe,
    request,
)
from tests.servers import Answer, HttpServer, Seen, closed_port, redirect, reply

BUSY = Answer(503, {}, b'busy', 'Service Unavailable')
SOON = {'limit': 3, 'backoff': 0}


def after(*answers: Any) -> Callable[[Seen], Any]:
    """What a server answers: each of these once, and `fine` from then on."""
    left = list(answers)
    return lambda seen: left.pop(0) if left else reply('fine')


def pauses(made: Any) -> list[int]:
    """Sends a request; the pauses that it made, in milliseconds."""
    seen: list[Any] = []
    made.on('retry', seen.append).end()
    return [attempt.pause for attempt in seen]


# -- what is sent again


def test_nothing_is_sent_again_unless_it_is_asked_for(server: HttpServer) -> None:
    server.answers = after(BUSY)
    response = request.get(server.url).end()
    assert (response.status_code, response.attempts, len(server.requests)) == (503, 1, 1)


@pytest.mark.parametrize('status', [429, 502, 503, 504])
def test_an_answer_for_the_moment_is_asked_for_again(server: HttpServer, status: int) -> None:
    server.answers = after(reply('x', status), reply('x', status))
    response = request.get(server.url + '/a?b=1', retry=SOON).end()
    assert (response.body, response.attempts) == ('fine', 3)
    assert [(seen.method, seen.target) for seen in server.requests] == [('GET', '/a?b=1')] * 3


@pytest.mark.parametrize('status', [200, 204, 304, 400, 404, 408, 500, 501])
def test_any_other_answer_is_the_answer(server: HttpServer, status: int) -> None:
    server.answers = after(reply('', status))
    response = request.get(server.url, retry=SOON).end()
    assert (response.status_code, response.attempts) == (status, 1)


def test_the_statuses_can_be_named(server: HttpServer) -> None:
    server.answers = after(reply('x', 500), BUSY)
    response = request.get(server.url, retry={**SOON, 'statuses': [500]}).end()
    assert (response.status_code, response.attempts) == (503, 2)


def test_the_answer_of_the_last_attempt_is_the_response(server: HttpServer) -> None:
    count = iter(range(9))
    server.answers = lambda seen: reply(f'busy {next(count)}', 503)
    response = request.get(server.url, retry={'limit': 2, 'backoff': 0}).end()
    assert (response.status_code, response.body, response.attempts) == (503, 'busy 2', 3)
    assert len(server.requests) == 3


def test_a_connection_that_is_closed_before_the_head_is_tried_again(server: HttpServer) -> None:
    server.answers = after(None, None)
    response = request.get(server.url, retry=SOON, forever=True).end()
    assert (response.body, response.attempts) == ('fine', 3)


def test_the_error_of_the_last_attempt_is_raised(server: HttpServer) -> None:
    server.answers = lambda seen: None
    seen: list[Any] = []
    with pytest.raises(ConnectionReset, match='socket hang up'):
        request.get(server.url, retry={'limit': 2, 'backoff': 0}).on('retry', seen.append).end()
    assert len(server.requests) == 3
    assert [(attempt.number, attempt.status, attempt.error.code) for attempt in seen] == [
        (1, None, 'ECONNRESET'),
        (2, None, 'ECONNRESET'),
    ]


def test_a_server_that_comes_back_is_found() -> None:
    port = closed_port()

    def come_back(attempt: Any) -> None:
        assert isinstance(attempt.error, ConnectionRefused)
        listener = socket.create_server(('127.0.0.1', port))

        def answer() -> None:
            sock, _ = listener.accept()
            sock.recv(65536)
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nback')
            sock.close()
            listener.close()

        threading.Thread(target=answer, daemon=True).start()

    response = request.get(f'http://127.0.0.1:{port}/', retry=SOON).once('retry', come_back).end()
    assert (response.body, response.attempts) == ('back', 2)


def test_silence_is_tried_again(raw_server: Any) -> None:
    answers = iter([None, b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'])

    def handler(sock: socket.socket, head: bytes) -> None:
        answer = next(answers)
        if answer is None:
            sock.recv(1)  # until the client gives up
        else:
            sock.sendall(answer)

    response = request.get(raw_server(handler).url, retry=SOON, timeout=200).end()
    assert (response.body, response.attempts) == ('ok', 2)


@pytest.mark.parametrize(
    ('wire', 'error'), [(b'nonsense\r\n\r\n', MalformedResponse), (b'HTTP/1.1 999 x\r\n\r\n', MalformedResponse)]
)
def test_what_is_there_to_stay_is_not_tried_again(raw_server: Any, wire: bytes, error: type[Exception]) -> None:
    server = raw_server(lambda sock, head: sock.sendall(wire))
    with pytest.raises(error):
        request.get(server.url, retry=SOON).end()
    assert len(server.heads) == 1


def test_a_body_that_breaks_off_is_an_error_and_not_tried_again(raw_server: Any) -> None:
    server = raw_server(lambda sock, head: sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'))
    with pytest.raises(ConnectionReset):
        request.get(server.url, retry=SOON).end()
    assert len(server.heads) == 1


def test_a_proxy_that_is_busy_is_asked_again(raw_server: Any) -> None:
    answers = iter([b'HTTP/1.1 503 Busy\r\n\r\n', b'HTTP/1.1 403 No\r\n\r\n'])
    proxy = raw_server(lambda sock, head: sock.sendall(next(answers)))
    with pytest.raises(ProxyRefused, match='403'):
        request.get('https://h.invalid/', proxy=proxy.url, retry=SOON).end()
    assert len(proxy.heads) == 2


# -- methods, and the key that allows any


@pytest.mark.parametrize('method', ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])
def test_methods_that_are_idempotent_are_sent_again(server: HttpServer, method: str) -> None:
    server.answers = after(BUSY)
    response = request(server.url, method=method, retry=SOON).end()
    assert (response.status_code, response.attempts) == (200, 2)


@pytest.mark.parametrize('method', ['POST', 'PATCH', 'LOCK'])
def test_any_other_method_is_never_sent_again_without_a_key(server: HttpServer, method: str) -> None:
    """SECURITY Q8."""
    server.answers = after(BUSY, None)
    response = request(server.url, method=method, body='x', retry=SOON).end()
    assert (response.status_code, response.attempts) == (503, 1)
    with pytest.raises(ConnectionReset):
        request(server.url, method=method, body='x', retry={**SOON, 'methods': [method]}).end()
    assert len(server.requests) == 2


def keys(server: HttpServer) -> list[str | None]:
    return [seen.header('idempotency-key') for seen in server.requests]


def test_a_key_of_ones_own_allows_a_post_and_stays_the_same(server: HttpServer) -> None:
    server.answers = after(BUSY, None, BUSY)
    response = request.post(server.url, body='order', retry=SOON, idempotency_key='k-1').end()
    assert (response.body, response.attempts) == ('fine', 4)
    assert keys(server) == ['k-1'] * 4
    assert [seen.body for seen in server.requests] == [b'order'] * 4


def test_true_makes_a_key_for_each_request(server: HttpServer) -> None:
    server.answers = after(BUSY, reply('fine'), BUSY)
    api = request.defaults(retry=SOON, idempotencyKey=True)
    for _ in range(2):
        assert api.post(server.url, body='x').end().attempts == 2
    first, again, second, once_more = keys(server)
    assert first == again
    assert second == once_more
    assert first != second
    assert len(first or '') >= 32


def test_a_key_for_each_request_is_made_on_the_shortest_way_too(server: HttpServer) -> None:
    api = request.defaults(idempotency_key=True)
    for _ in range(3):
        api.get(server.url).end()
    assert len(set(keys(server))) == 3


def test_a_key_that_was_written_as_a_header_counts(server: HttpServer) -> None:
    server.answers = after(BUSY)
    response = request.post(server.url, body='x', retry=SOON, headers={'Idempotency-Key': 'mine'}).end()
    assert response.attempts == 2
    server.answers = after(BUSY)
    assert request.post(server.url, body='x', retry=SOON, headers={'Idempotency-Key': ''}).end().attempts == 1


def test_the_key_stays_the_same_over_a_redirect_that_keeps_the_content(server: HttpServer) -> None:
    server.answers = after(redirect('/there', 307), BUSY)
    made = request.post(server.url, body='x', retry=SOON, idempotency_key=True, follow_all_redirects=True)
    assert made.end().attempts == 2
    assert [seen.path for seen in server.requests] == ['/', '/there', '/there']
    assert len(set(keys(server))) == 1


def test_the_key_stays_behind_with_the_content(server: HttpServer) -> None:
    server.answers = after(redirect('/there', 303))
    request.post(server.url, body='x', idempotency_key='k', follow_all_redirects=True).end()
    assert keys(server) == ['k', None]


def test_methods_can_be_left_out(server: HttpServer) -> None:
    server.answers = after(BUSY, BUSY)
    assert request.put(server.url, body='x', retry={**SOON, 'methods': ['GET']}).end().attempts == 1
    assert request.get(server.url, retry={**SOON, 'methods': ['get']}).end().attempts == 2


# -- content


def test_bytes_forms_json_and_files_are_sent_again_whole(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'file'
    path.write_bytes(b'f' * 300_000)
    bodies: list[dict[str, Any]] = [
        {'body': b'bytes'},
        {'form': {'a': '1'}},
        {'json': {'a': 1}},
        {'form_data': {'a': '1'}},
        {'body': b'b' * 300_000},
    ]
    with path.open('rb') as file:
        for given in [*bodies, {'body': file}]:
            server.requests.clear()
            server.answers = after(BUSY)
            assert request.put(server.url, retry=SOON, **given).end().attempts == 2
            first, second = server.requests
            assert first.body == second.body != b''


@pytest.mark.parametrize('failure', [BUSY, None])
def test_a_stream_is_never_sent_again(server: HttpServer, failure: Any) -> None:
    server.answers = after(failure)
    made = request.put(server.url, body=iter([b'a', b'b']), retry=SOON)
    if failure is None:
        with pytest.raises(ConnectionReset):
            made.end()
    else:
        assert (made.end().status_code, made.end().attempts) == (503, 1)
    assert [seen.body for seen in server.requests] == [b'ab']


def test_what_was_written_piece_by_piece_is_not_sent_again(server: HttpServer) -> None:
    server.answers = after(BUSY)
    made = request.put(server.url, retry=SOON)
    made.write(b'a')
    made.write(b'b')
    assert (made.end().status_code, made.end().attempts) == (503, 1)
    assert [seen.body for seen in server.requests] == [b'ab']


def test_a_file_that_is_piped_in_is_sent_again_and_a_generator_is_not(server: HttpServer) -> None:
    for source, attempts in ((io.BytesIO(b'ab'), 2), (iter([b'a', b'b']), 1)):
        server.answers = after(BUSY)
        server.requests.clear()
        assert pipe(source, request.put(server.url, retry=SOON)).end().attempts == attempts
        assert [seen.body for seen in server.requests] == [b'ab'] * attempts


def test_a_stream_is_not_sent_again_with_a_key_either(server: HttpServer) -> None:
    server.answers = after(BUSY)
    response = request.post(server.url, body=iter([b'a']), retry=SOON, idempotency_key=True).end()
    assert (response.status_code, response.attempts) == (503, 1)


def test_a_stream_that_a_redirect_wants_again_is_refused_all_the_same(server: HttpServer) -> None:
    server.answers = after(redirect('/there', 307))
    with pytest.raises(RedirectRefused):
        request.put(server.url, body=iter([b'a']), retry=SOON, follow_all_redirects=True).end()


# -- pauses


def test_pauses_double_up_to_the_longest(server: HttpServer) -> None:
    """SECURITY D3."""
    server.answers = lambda seen: BUSY
    policy = {'limit': 5, 'backoff': 5, 'max_backoff': 30, 'jitter': False}
    begun = time.monotonic()
    assert pauses(request.get(server.url, retry=policy)) == [5, 10, 20, 30, 30]
    assert 0.095 <= time.monotonic() - begun < 2


def test_chance_shortens_each_pause_by_at_most_a_half(server: HttpServer) -> None:
    server.answers = lambda seen: BUSY
    made = [pauses(request.get(server.url, retry={'limit': 2, 'backoff': 20})) for _ in range(5)]
    assert all(10 <= first <= 20 <= second <= 40 for first, second in made)
    assert len({tuple(each) for each in made}) > 1


def test_a_limit_of_a_hundred_overflows_nothing(server: HttpServer) -> None:
    server.answers = lambda seen: BUSY
    policy = {'limit': 100, 'backoff': 1, 'max_backoff': 1, 'jitter': False}
    assert pauses(request.get(server.url, retry=policy)) == [1] * 100


def test_retry_after_is_waited_for(server: HttpServer) -> None:
    server.answers = after(reply('busy', 429, retry_after='1'))
    begun = time.monotonic()
    assert pauses(request.get(server.url, retry=SOON)) == [1000]
    assert 1 <= time.monotonic() - begun < 3


def test_retry_after_as_a_date_is_waited_for(server: HttpServer) -> None:
    server.answers = after(reply('busy', 503, retry_after=formatdate(time.time() + 2, usegmt=True)))
    (pause,) = pauses(request.get(server.url, retry=SOON))
    assert 500 <= pause <= 2000


@pytest.mark.parametrize(
    'value', ['31', '3600', '9' * 400, 'Fri, 31 Dec 9999 23:59:59 GMT', 'Friday, 31-Dec-66 23:59:59 GMT']
)
def test_a_server_that_wants_to_wait_too_long_is_not_waited_for(server: HttpServer, value: str) -> None:
    """SECURITY D3."""
    server.answers = after(reply('busy', 503, retry_after=value))
    begun = time.monotonic()
    response = request.get(server.url, retry=SOON).end()
    assert (response.status_code, response.attempts) == (503, 1)
    assert time.monotonic() - begun < 1


def test_how_long_a_server_is_waited_for_can_be_said(server: HttpServer) -> None:
    server.answers = after(reply('busy', 503, retry_after='1'))
    assert request.get(server.url, retry={**SOON, 'max_retry_after': 999}).end().attempts == 1


@pytest.mark.parametrize(
    'value',
    [
        '-1',
        '+1',
        '1.5',
        '1e9',
        '0x10',
        '',
        'soon',
        '1 2',
        '٣',
        'Sun, 06 Nov 1994 08:49:37 GMT',
        '0',
        '00',
        ' ',
        'Infinity',
    ],
)
def test_nonsense_a_date_that_is_over_and_zero_leave_the_pause_as_it_is(server: HttpServer, value: str) -> None:
    """SECURITY D3."""
    head = f'HTTP/1.1 503 Busy\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n'.encode()
    server.answers = after(head)
    assert pauses(request.get(server.url, retry={'limit': 1, 'backoff': 7, 'jitter': False})) == [7]


def test_retry_after_that_comes_twice_cannot_be_added_up(server: HttpServer) -> None:
    server.answers = after(Answer(503, [('retry-after', '1'), ('retry-after', '3600')], b''))
    policy = {'limit': 1, 'backoff': 0, 'max_retry_after': 1000}
    assert pauses(request.get(server.url, retry=policy)) == [1000]


# -- the budget


def test_a_wrapper_stops_when_its_budget_is_used_up(server: HttpServer) -> None:
    server.answers = lambda seen: BUSY
    api = request.defaults(retry={'limit': 1, 'backoff': 0, 'budget': 2})
    assert [api.get(server.url).end().attempts for _ in range(5)] == [2, 2, 1, 1, 1]
    server.answers = lambda seen: reply('fine')
    for _ in range(10):
        api.get(server.url).end()
    server.answers = lambda seen: BUSY
    assert [api.get(server.url).end().attempts for _ in range(2)] == [2, 1]


# -- deadlines and aborts


def test_the_deadline_ends_the_trying(server: HttpServer) -> None:
    """SECURITY D2."""
    server.answers = lambda seen: BUSY
    begun = time.monotonic()
    policy = {'limit': 100, 'backoff': 50, 'max_backoff': 50, 'jitter': False}
    response = request.get(server.url, retry=policy, deadline=400).end()
    assert response.status_code == 503
    assert 3 <= response.attempts <= 8
    assert time.monotonic() - begun < 0.6


def test_a_pause_that_the_deadline_would_not_outlive_is_not_begun(server: HttpServer) -> None:
    """SECURITY D2."""
    server.answers = after(reply('busy', 503, retry_after='5'))
    begun = time.monotonic()
    assert request.get(server.url, retry=SOON, deadline=2000).end().status_code == 503
    assert time.monotonic() - begun < 1


def test_a_deadline_in_an_attempt_is_the_error(raw_server: Any) -> None:
    server = raw_server(lambda sock, head: sock.recv(1))
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        request.get(server.url, retry={**SOON, 'limit': 50}, timeout=100, deadline=350).end()
    assert time.monotonic() - begun < 1


def test_without_a_deadline_silence_ends_after_the_last_attempt(raw_server: Any) -> None:
    server = raw_server(lambda sock, head: sock.recv(1))
    with pytest.raises(ReadTimeout):
        request.get(server.url, retry={**SOON, 'limit': 2}, timeout=100).end()
    assert len(server.heads) == 3


LONG = {'limit': 1, 'backoff': 30_000, 'max_backoff': 30_000}


def test_an_abort_during_a_pause_is_heard_at_once(server: HttpServer) -> None:
    server.answers = lambda seen: BUSY
    pausing = threading.Event()
    made = request.get(server.url, retry=LONG).on('retry', lambda attempt: pausing.set()).start()
    assert pausing.wait(5)
    time.sleep(0.05)
    begun = time.monotonic()
    made.abort()
    with pytest.raises(AbortError):
        made.end()
    assert time.monotonic() - begun < 1


def test_an_abort_by_the_listener_of_the_pause_is_heard_at_once(server: HttpServer) -> None:
    server.answers = lambda seen: BUSY
    made = request.get(server.url, retry=LONG)
    made.on('retry', lambda attempt: made.abort())
    begun = time.monotonic()
    with pytest.raises(AbortError):
        made.end()
    assert time.monotonic() - begun < 1


def test_what_a_listener_of_the_pause_raises_comes_out_of_the_call(server: HttpServer) -> None:
    server.answers = lambda seen: BUSY

    def stop(attempt: Any) -> None:
        raise LookupError(attempt.status)

    with pytest.raises(LookupError, match='503'):
        request.get(server.url, retry=LONG).on('retry', stop).end()
    assert len(server.requests) == 1


# -- connections


def test_an_answer_that_is_not_wanted_gives_its_connection_back(server: HttpServer) -> None:
    server.answers = after(*[reply(b'x' * 30_000, 503)] * 3)
    pool = Pool(max_sockets=1)
    assert request.get(server.url, retry=SOON, pool=pool, timeout={'pool': 500}).end().attempts == 4
    assert server.connections == 1
    pool.close()


def test_an_answer_too_long_to_be_drained_costs_its_connection_only(server: HttpServer) -> None:
    """SECURITY R12."""
    server.answers = after(*[reply(b'x' * 5_000_000, 503)] * 2)
    pool = Pool(max_sockets=1)
    begun = time.monotonic()
    response = request.get(server.url, retry=SOON, pool=pool, timeout={'pool': 500}).end()
    assert (response.body, response.attempts, server.connections) == ('fine', 3, 3)
    assert time.monotonic() - begun < 2
    pool.close()


def test_no_connection_is_left_busy_by_failures(server: HttpServer) -> None:
    server.answers = after(None, BUSY, None, reply(b'x' * 5_000_000, 503))
    pool = Pool(max_sockets=1)
    for _ in range(3):
        request.get(server.url, retry={'limit': 5, 'backoff': 0}, pool=pool, timeout={'pool': 500}).end()
    assert [lane.busy() for lane in pool._lanes.values()] == [0]
    pool.close()


# -- together with the rest


def test_attempts_are_those_of_the_last_hop(server: HttpServer) -> None:
    server.answers = after(BUSY, redirect('/there'), BUSY, BUSY)
    response = request.get(server.url, retry=SOON).end()
    assert (response.body, response.attempts) == ('fine', 3)
    assert [seen.path for seen in server.requests] == ['/', '/', '/there', '/there', '/there']


def test_a_digest_nonce_is_counted_on(server: HttpServer) -> None:
    challenge = Answer(401, {'www-authenticate': 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'}, b'', 'Who')
    server.answers = after(challenge, BUSY, BUSY)
    made = request.get(server.url, auth={'user': 'me', 'pass': 'pw', 'sendImmediately': False}, retry=SOON)
    assert made.end().attempts == 3
    counts = [(seen.header('authorization') or '').partition('nc=')[2][:8] for seen in server.requests[1:]]
    assert counts == ['00000001', '00000002', '00000003']


def test_each_attempt_is_signed_anew_and_the_last_one_is_what_the_response_tells_of(server: HttpServer) -> None:
    class Counting:
        made = 0
        answered: list[str]

        def sign(self, draft: Any, clock: Any) -> None:
            self.made += 1
            draft.set('x-signature', str(self.made))

        def answer(self, hop: Any, reply: Any) -> None:
            self.answered = [value for name, value in hop.fields if name == 'x-signature']

    signer = Counting()
    server.answers = after(BUSY, BUSY)
    made = request.get(server.url, signers=[signer], retry=SOON)
    response = made.end()
    assert [seen.header('x-signature') for seen in server.requests] == ['1', '2', '3']
    assert dict(response.request.headers)['x-signature'] == '3'
    assert made.get_header('x-signature') == '3'
    assert signer.answered == ['3']


def test_cookies_are_sent_with_each_attempt(server: HttpServer) -> None:
    server.answers = after(reply('', set_cookie='a=1'), BUSY, BUSY)
    api = request.defaults(jar=request.jar(), retry=SOON)
    api.get(server.url).end()
    assert api.get(server.url).end().attempts == 3
    assert [seen.header('cookie') for seen in server.requests] == [None, 'a=1', 'a=1', 'a=1']


def test_a_log_has_every_attempt(server: HttpServer) -> None:
    server.answers = after(None, BUSY)
    log = HarLog()
    assert request.get(server.url, retry=SOON, har_log=log).end().attempts == 3
    assert [entry['response']['status'] for entry in log.entries] == [0, 503, 200]
    assert 'socket hang up' in log.entries[0]['_error']
    assert log.entries[1]['response']['content']['text'] == 'busy'


def test_events_come_for_each_attempt(server: HttpServer) -> None:
    server.answers = after(BUSY)
    told: list[str] = []
    made = request.get(server.url, retry=SOON)
    for name in ('hop', 'request', 'socket', 'retry', 'response', 'complete', 'error'):
        made.on(name, lambda *_, name=name: told.append(name))
    made.end()
    hop = ['hop', 'request', 'socket']
    assert told == [*hop, 'retry', *hop, 'response', 'complete']


def test_progress_begins_again_with_each_attempt(server: HttpServer) -> None:
    server.answers = after(BUSY)
    told: list[tuple[int, Any, str]] = []
    request.put(server.url, body=b'x' * 100, retry=SOON).on('progress', lambda *step: told.append(step)).end()
    uploads = [step[0] for step in told if step[2] == 'upload']
    assert uploads.count(0) == 2
    assert uploads.count(100) == 2


def test_timings_are_those_of_the_last_attempt(server: HttpServer) -> None:
    server.answers = after(BUSY)
    response = request.get(server.url, retry={'limit': 1, 'backoff': 100, 'jitter': False}, time=True).end()
    moments = list(response.timings.values())
    assert moments == sorted(moments)
    assert response.timings['socket'] >= 100  # the pause is a part of the waiting
    assert response.elapsed_time >= 100


def test_a_callback_gets_the_last_answer(server: HttpServer) -> None:
    server.answers = after(BUSY)
    told: list[Any] = []
    request.get(
        server.url, {'retry': SOON}, lambda error, response, body: told.append((error, response.attempts, body))
    )
    assert told == [(None, 2, 'fine')]


def test_awaiting_tries_again_too(server: HttpServer) -> None:
    server.answers = after(None, BUSY)
    numbers: list[int] = []

    async def main() -> Any:
        return await request.get(server.url, retry=SOON).on('retry', lambda attempt: numbers.append(attempt.number))

    response = asyncio.run(main())
    assert (response.body, response.attempts) == ('fine', 3)
    assert numbers == [1, 2]


def test_a_task_that_is_cancelled_in_a_pause_ends_it(server: HttpServer) -> None:
    server.answers = lambda seen: BUSY

    async def main() -> float:
        made = request.get(server.url, retry=LONG)
        pausing = asyncio.Event()
        made.on('retry', lambda attempt: pausing.set())
        task = asyncio.ensure_future(made)
        await asyncio.wait_for(pausing.wait(), 5)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert request.flush(5000)
        return time.monotonic() - begun

    assert asyncio.run(main()) < 1


def test_options_that_read_as_iterables_are_not_used_up(server: HttpServer) -> None:
    statuses: Iterable[int] = iter([503])
    api = request.defaults(retry={**SOON, 'statuses': statuses})
    for _ in range(2):
        server.answers = after(BUSY)
        assert api.get(server.url).end().attempts == 2


def test_a_proof_of_the_server_is_checked_against_the_last_attempt(server: HttpServer) -> None:
    """rspauth covers the count, which is another one in each attempt."""
    seen_counts: list[str] = []

    def answers(seen: Seen) -> Answer:
        given = seen.header('authorization')
        if given is None:
            return Answer(
                401, {'www-authenticate': 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'}, b'', 'Who'
            )
        parts = dict(part.strip().split('=', 1) for part in given.removeprefix('Digest ').split(','))
        seen_counts.append(parts['nc'])
        if len(seen_counts) == 1:
            return BUSY

        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        cnonce = parts['cnonce'].strip('"')
        proof = md5(f'{md5("me:r:pw")}:n:{parts["nc"]}:{cnonce}:auth:{md5(":/")}')
        info = f'rspauth="{proof}", qop=auth, nc={parts["nc"]}, cnonce="{cnonce}"'
        return reply('in', authentication_info=info)

    server.answers = answers
    made = request.get(server.url, auth={'user': 'me', 'pass': 'pw', 'sendImmediately': False}, retry=SOON)
    assert (made.end().body, seen_counts) == ('in', ['00000001', '00000002'])


def test_an_answer_that_nobody_reads_gives_its_connection_back_at_once(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'x' * 1_000_000)
    pool = Pool(max_sockets=1)
    gc.disable()
    try:
        for _ in range(3):
            assert request.get(server.url, retry=SOON, pool=pool, timeout={'pool': 500}).response.status_code == 200
    finally:
        gc.enable()
    pool.close()


def test_an_answer_that_drips_is_not_drained_for_long(raw_server: Any) -> None:
    """SECURITY R12: a busy server cannot hold the next attempt up."""
    dripping = [True]

    def handler(sock: socket.socket, head: bytes) -> None:
        if not dripping:
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
            return
        dripping.clear()
        sock.sendall(b'HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n')
        for _ in range(50):
            sock.sendall(b'1\r\nx\r\n')
            time.sleep(0.1)

    begun = time.monotonic()
    assert request.get(raw_server(handler).url, retry=SOON).end().body == 'ok'
    assert time.monotonic() - begun < 2
