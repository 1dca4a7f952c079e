"""At exit everything that was started, let go or is still held unsent is finished first, whatever way the interpreter ends."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.faces.children import line_of, run
from tests.servers import HttpServer, closed_port


def targets(server: HttpServer) -> list[str]:
    return [seen.target for seen in server.requests]


HELD = {
    'a module global': "held = request.get(URL + '/held')",
    'a list': "held = [request.get(URL + '/held')]",
    'a dict of a class': "class Holder:\n    made = {'a': request.get(URL + '/held')}",
    'a cycle': "import gc\ngc.disable()\nheld = [request.get(URL + '/held')]\nheld.append(held)\ndel held",
    'a closure': "def outer():\n    made = request.get(URL + '/held')\n    return lambda: made\nkeep = outer()",
    'its own listener': "made = request.get(URL + '/held')\nmade.on('response', lambda r: made.uri)",
}


@pytest.mark.parametrize('script', HELD.values(), ids=HELD.keys())
def test_a_request_that_is_still_held_is_sent_at_exit(server: HttpServer, tmp_path: Path, script: str) -> None:
    ended = run(tmp_path, server.url, script)
    assert (ended.returncode, ended.stderr) == (0, '')
    assert targets(server) == ['/held']


ENDS = {
    'falling off the end': ('', 0),
    'sys.exit': ('sys.exit(3)', 3),
    'an unhandled exception': ("raise LookupError('mine')", 1),
    'an interrupt': ('raise KeyboardInterrupt', -2),
}


@pytest.mark.parametrize(('end', 'code'), ENDS.values(), ids=ENDS.keys())
def test_everything_is_finished_however_the_script_ends(
    server: HttpServer, tmp_path: Path, end: str, code: int
) -> None:
    script = f"""
        request.get(URL + '/let-go')
        held = request.get(URL + '/held')
        started = request.get(URL + '/started').start()
        def work():
            local = request.get(URL + '/local')
            {end or 'pass'}
        work()
    """
    ended = run(tmp_path, server.url, script)
    assert ended.returncode == code
    assert sorted(targets(server)) == ['/held', '/let-go', '/local', '/started']


def test_requests_let_go_at_the_end_arrive_in_order_and_once(server: HttpServer, tmp_path: Path) -> None:
    ended = run(tmp_path, server.url, "for n in range(200):\n    request.get(f'{URL}/{n}')")
    assert (ended.returncode, ended.stderr) == (0, '')
    assert targets(server) == [f'/{n}' for n in range(200)]


def test_held_requests_are_sent_in_the_order_they_were_made(server: HttpServer, tmp_path: Path) -> None:
    run(tmp_path, server.url, "held = [request.get(f'{URL}/{n}') for n in range(20)]\nheld.reverse()")
    assert targets(server) == [f'/{n}' for n in range(20)]


def test_what_daemon_threads_let_go_or_hold_is_sent(server: HttpServer, tmp_path: Path) -> None:
    script = """
        import threading
        ready = threading.Barrier(4)
        def work(n):
            request.get(f'{URL}/let-go/{n}')
            held = request.get(f'{URL}/held/{n}')
            ready.wait()
            threading.Event().wait()
        for n in range(3):
            threading.Thread(target=work, args=(n,), daemon=True).start()
        ready.wait()
    """
    ended = run(tmp_path, server.url, script)
    assert (ended.returncode, ended.stderr) == (0, '')
    assert sorted(targets(server)) == [f'/{kind}/{n}' for kind in ('held', 'let-go') for n in range(3)]


def test_a_daemon_thread_that_goes_on_asking_does_not_keep_the_interpreter(server: HttpServer, tmp_path: Path) -> None:
    script = """
        import threading, time
        def work():
            while True:
                request.get(URL + '/again').end()
                request.get(URL + '/let-go')
        threading.Thread(target=work, daemon=True).start()
        time.sleep(0.2)
        held = request.get(URL + '/held')
    """
    ended = run(tmp_path, server.url, script)
    assert ended.returncode == 0
    assert targets(server).count('/held') == 1


def test_what_a_listener_makes_at_exit_is_sent_too(server: HttpServer, tmp_path: Path) -> None:
    script = """
        more = []
        held = request.get(URL + '/1').on('complete', lambda r: more.append(
            request.get(URL + '/2').on('complete', lambda r: request.get(URL + '/3'))))
    """
    ended = run(tmp_path, server.url, script)
    assert (ended.returncode, ended.stderr) == (0, '')
    assert targets(server) == ['/1', '/2', '/3']


def test_a_request_made_by_an_exit_handler_that_runs_last_is_sent(server: HttpServer, tmp_path: Path) -> None:
    begin = 'import atexit, sys\natexit.register(lambda: request.get(URL + "/last"))\nfrom requite import request\nURL = sys.argv[1]\n'
    ended = run(tmp_path, server.url, '', begin=begin)
    assert (ended.returncode, ended.stderr) == (0, '')
    assert targets(server) == ['/last']


def test_a_request_with_an_open_body_is_not_sent_at_exit_and_its_line_is_named_once(
    server: HttpServer, tmp_path: Path
) -> None:
    script = "made = request.post(URL + '/open')  # here\nmade.write('half')\n"
    ended = run(tmp_path, server.url, script, '-Walways')
    assert ended.returncode == 0
    assert ended.stderr.count('RequestNotSentWarning') == 1
    assert f'script.py:{line_of(script, "# here")}:' in ended.stderr
    assert server.requests == []


def test_an_aborted_request_that_is_still_held_is_named_once(server: HttpServer, tmp_path: Path) -> None:
    script = "made = request.post(URL + '/aborted')  # here\nmade.abort()\n"
    ended = run(tmp_path, server.url, script, '-Walways')
    assert ended.stderr.count('RequestNotSentWarning') == 1
    assert f'script.py:{line_of(script, "# here")}:' in ended.stderr
    assert server.requests == []


def test_a_warning_that_is_an_error_keeps_nothing_else_from_being_sent(server: HttpServer, tmp_path: Path) -> None:
    script = "made = request.post(URL + '/open')\nmade.write('half')\nheld = request.get(URL + '/held')\n"
    ended = run(tmp_path, server.url, script, '-Werror')
    assert 'RequestNotSentWarning' in ended.stderr
    assert targets(server) == ['/held']


FAILING = {
    'let go': 'request.get(URL)  # here',
    'held': 'held = request.get(URL)  # here',
    'started and held': 'held = request.get(URL).start()  # here',
    'started and dropped': 'request.get(URL).start()  # here',
    'in a wrapper': "def get(url):\n    return request.defaults(method='GET')(url)  # here\nget(URL)",
}


@pytest.mark.parametrize('script', FAILING.values(), ids=FAILING.keys())
def test_a_failure_that_nobody_hears_of_is_reported_once_with_its_line(tmp_path: Path, script: str) -> None:
    ended = run(tmp_path, f'http://127.0.0.1:{closed_port()}/', script)
    assert ended.returncode == 0
    (message,) = ended.stderr.splitlines()
    assert f'script.py:{line_of(script, "# here")},' in message
    assert 'ECONNREFUSED' in message


def test_a_process_that_only_asked_has_no_thread_of_ours(server: HttpServer, tmp_path: Path) -> None:
    script = """
        import threading, os
        for n in range(5):
            request.get(URL).end()
        print(threading.active_count(), len(os.listdir('/proc/self/task')) if os.path.isdir('/proc/self/task') else 1)
    """
    assert run(tmp_path, server.url, script).stdout == '1 1\n'


def test_a_stalled_server_keeps_the_exit_only_until_the_timeout(raw_server: Any, tmp_path: Path) -> None:
    release = threading.Event()
    server = raw_server(lambda sock, head: release.wait(30))
    ended = run(tmp_path, server.url, 'request.get(URL, timeout=300)\nheld = request.get(URL, timeout=300)')
    release.set()
    assert ended.returncode == 0
    assert ended.stderr.count('ESOCKETTIMEDOUT') == 2


def test_an_interrupt_ends_the_waiting_at_exit(raw_server: Any, tmp_path: Path) -> None:
    release = threading.Event()
    server = raw_server(lambda sock, head: release.wait(30))
    script = """
        import os, signal, threading, time
        def interrupt():
            time.sleep(1)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt, daemon=True).start()
        held = request.get(URL)
    """
    ended = run(tmp_path, server.url, script)
    release.set()
    assert 'KeyboardInterrupt' in ended.stderr
