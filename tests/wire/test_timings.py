"""Where the time went: Node's timings with ``time=True``, drawn, and in errors; nothing of it without."""

from __future__ import annotations

import pickle
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from requite import (
    AbortError,
    ConnectTimeout,
    Pool,
    ReadTimeout,
    RequestError,
    ResponseAborted,
    request,
)
from tests.servers import Authority, HttpServer, RawServer, closed_port, redirect, reply

Start = Callable[..., RawServer]
STEPS = ['socket', 'lookup', 'connect', 'response', 'end']
PHASES = ['wait', 'dns', 'tcp', 'firstByte', 'download', 'total']


def slowly(sock: socket.socket, head: bytes) -> bool:
    time.sleep(0.1)
    sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no')
    time.sleep(0.1)
    sock.sendall(b'k')
    return True


def test_the_steps_add_up(raw_server: Start) -> None:
    server = raw_server(slowly)
    pool = Pool()
    for turn in range(2):
        began = time.time() * 1000
        response = request.get(server.url, time=True, pool=pool).end()
        timings, phases = response.timings, response.timing_phases
        assert timings is not None
        assert phases is not None
        assert list(timings) == STEPS
        assert list(timings.values()) == sorted(timings.values())
        assert timings['response'] >= 100
        assert timings['end'] >= 200
        assert list(phases) == PHASES
        parts = [phases[name] for name in PHASES[:-1]]
        assert sum(parts) == pytest.approx(phases['total'])
        assert phases['firstByte'] >= 95
        assert phases['download'] >= 40  # less, where the head was late
        assert response.elapsed_time is not None
        assert response.elapsed_time == pytest.approx(timings['end'], abs=200)
        assert response.timing_start == pytest.approx(began, abs=1000)
        assert response.response_start_time == pytest.approx(began + timings['response'], abs=1000)
        if turn:
            assert timings['socket'] == timings['connect'] == timings['lookup']


def test_https_has_a_step_more(tls_server: HttpServer, authority: Authority) -> None:
    pool = Pool()
    first, again = (request.get(tls_server.url, ca=authority.pem, time=True, pool=pool).end() for _ in range(2))
    assert first.timings is not None
    assert first.timing_phases is not None
    assert list(first.timings) == [*STEPS[:3], 'tls', *STEPS[3:]]
    assert first.timings['connect'] < first.timings['tls'] <= first.timings['response']
    assert first.timing_phases['tls'] > 0
    assert again.timings is not None
    assert 'tls' not in again.timings


def test_timings_are_those_of_the_last_hop_and_elapsed_time_that_of_all(server: HttpServer) -> None:
    def later(seen: Any) -> Any:
        time.sleep(0.15)
        return redirect('/end')

    server.routes['/start'] = later
    response = request.get(f'{server.url}/start', time=True).end()
    assert response.timings is not None
    assert response.elapsed_time is not None
    assert response.elapsed_time >= 150
    assert response.timings['end'] < response.elapsed_time - 140


def test_without_time_there_is_nothing(server: HttpServer) -> None:
    response = request.get(server.url).end()
    assert (response.timings, response.timing_phases, response.elapsed_time) == (None, None, None)
    assert (response.timing_start, response.response_start_time) == (None, None)
    with pytest.raises(RequestError) as caught:
        request.get(f'http://127.0.0.1:{closed_port()}/').end()
    assert caught.value.timings is None


def test_an_error_tells_how_far_it_came(server: HttpServer, raw_server: Start) -> None:
    mute = raw_server(lambda sock, head: sock.recv(1))
    with pytest.raises(ReadTimeout) as caught:
        request.get(mute.url, time=True, timeout=100).end()
    timings = caught.value.timings
    assert timings is not None
    assert list(timings) == ['socket', 'lookup', 'connect', 'end']
    assert timings['end'] >= 90
    assert timings['connect'] < timings['end']
    assert pickle.loads(pickle.dumps(caught.value)).timings == timings

    with pytest.raises(RequestError) as caught:
        request.get(f'http://127.0.0.1:{closed_port()}/', time=True).end()
    assert caught.value.timings is not None
    assert list(caught.value.timings) == ['socket', 'lookup', 'end']

    told: list[Any] = []
    request.get(mute.url, lambda error, response, body: told.append(error), time=True, timeout=timedelta(seconds=0.1))
    assert told[0].timings['end'] >= 90


def test_an_error_within_the_body_tells_when_the_answer_began(raw_server: Start) -> None:
    def cut(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx')
        time.sleep(0.1)

    server = raw_server(cut)
    for ask in (lambda made: made.end(), lambda made: made.response.body, lambda made: list(made)):
        with pytest.raises(ResponseAborted) as caught:
            ask(request.get(server.url, time=True))
        assert caught.value.timings is not None
        assert list(caught.value.timings) == STEPS
        assert caught.value.timings['end'] - caught.value.timings['response'] > 30


def test_an_abort_tells_too(raw_server: Start) -> None:
    made = request.get(raw_server(lambda sock, head: sock.recv(1)).url, time=True)
    threading.Timer(0.1, made.abort).start()
    with pytest.raises(AbortError) as caught:
        made.end()
    assert caught.value.timings is not None
    assert caught.value.timings['end'] > 80


def test_timings_draw_themselves(raw_server: Start) -> None:
    response = request.get(raw_server(slowly).url, time=True).end()
    timings: Any = response.timings
    lines = str(timings).splitlines()
    assert [line.split()[0] for line in lines][-3:] == ['first', 'download', 'total']
    assert lines[-1].endswith(f'{timings["end"]:.1f} ms')
    assert all(line.endswith(' ms') for line in lines)
    assert len({len(line) for line in lines}) == 1
    assert lines[-2].index('█') > lines[-3].index('█')
    assert {len(line) for line in timings.waterfall(20).splitlines()} == {len(lines[0]) - 28}
    picture = ET.fromstring(timings._repr_svg_())
    assert picture.tag == '{http://www.w3.org/2000/svg}svg'
    assert len(picture.findall('{http://www.w3.org/2000/svg}rect')) == len(lines) - 1


def test_timings_of_nothing_draw_nothing() -> None:
    from requite.waterfall import Moments

    assert str(Moments()).split() == ['total', '0.0', 'ms']
    assert 'rect' not in Moments()._repr_svg_()
    assert 'rect' in Moments({'end': 0.0})._repr_svg_()


def test_a_connect_timeout_covers_all_of_connecting_and_has_timings() -> None:
    """SECURITY D1: the mapping's `connect` too."""
    with socket.create_server(('127.0.0.1', 0)) as mute:
        began = time.monotonic()
        with pytest.raises(ConnectTimeout) as caught:
            url = f'https://127.0.0.1:{mute.getsockname()[1]}/'
            request.get(url, timeout={'connect': timedelta(milliseconds=200)}, time=True).end()
        assert time.monotonic() - began < 1
    assert caught.value.timings is not None
    assert list(caught.value.timings) == ['socket', 'lookup', 'connect', 'end']


def test_small_answers_have_all_steps(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'ok')
    assert list(request.get(server.url, time=True).end().timings or ()) == STEPS
