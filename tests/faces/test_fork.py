"""After a fork the child leaves the parent's requests alone, and can send its own; the parent still sends its own exactly once."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faces.children import run
from tests.servers import HttpServer, reply

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork here')

FORKED = """
import os, warnings
def fork(work):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that a process with threads forks is the subject
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            print('child:', type(error).__name__, error, flush=True)
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
"""


def targets(server: HttpServer) -> list[str]:
    return [seen.target for seen in server.requests]


def child(folder: Path, server: HttpServer, script: str) -> Any:
    begin = 'import sys\nfrom requite import request\nURL = sys.argv[1]\n' + FORKED
    ended = run(folder, server.url, script, begin=begin)
    assert (ended.returncode, ended.stderr, ended.stdout) == (0, '', '')
    return ended


def test_what_the_parent_holds_is_sent_by_the_parent_only(server: HttpServer, tmp_path: Path) -> None:
    script = """
        held = request.get(URL + '/held')
        def work():
            global held
            del held
            request.flush()
        fork(work)
    """
    child(tmp_path, server, script)
    assert targets(server) == ['/held']


def test_a_child_that_ends_like_a_script_does_not_send_what_the_parent_holds(
    server: HttpServer, tmp_path: Path
) -> None:
    script = """
        held = request.get(URL + '/held')
        def work():
            own = request.get(URL + '/own')
            sys.exit(0)
        pid = os.fork()
        if pid == 0:
            work()
        os.waitpid(pid, 0)
        request.get(URL + '/parent').end()
    """
    child(tmp_path, server, script)
    assert targets(server) == ['/own', '/parent', '/held']


def test_a_child_may_ask_for_what_the_parent_had_not_sent(server: HttpServer, tmp_path: Path) -> None:
    script = """
        held = request.get(URL + '/held')
        fork(lambda: held.end())
        held.end()
    """
    child(tmp_path, server, script)
    assert targets(server) == ['/held', '/held']


def test_letting_go_works_in_the_child_after_the_parent_has_let_go(server: HttpServer, tmp_path: Path) -> None:
    script = """
        request.get(URL + '/before')
        request.flush()
        def work():
            for n in range(5):
                request.get(f'{URL}/child/{n}')
            started = request.get(URL + '/child/started').start()
            assert request.flush(10000)
        fork(work)
        request.get(URL + '/after')
    """
    child(tmp_path, server, script)
    assert targets(server)[0] == '/before'
    assert targets(server)[-1] == '/after'
    assert [target for target in targets(server) if target.startswith('/child/') and target[-1].isdigit()] == [
        f'/child/{n}' for n in range(5)
    ]
    assert len(server.requests) == 8


def test_what_the_parent_has_let_go_is_not_sent_again_by_the_child(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/0'] = lambda seen: (time.sleep(0.3), reply('slow'))[1]
    script = """
        for n in range(5):
            request.get(f'{URL}/{n}')
        fork(lambda: request.get(URL + '/child').end())
    """
    child(tmp_path, server, script)
    assert sorted(targets(server)) == ['/0', '/1', '/2', '/3', '/4', '/child']


def test_a_fork_while_a_request_runs_in_the_background_neither_hangs_nor_sends_twice(
    server: HttpServer, tmp_path: Path
) -> None:
    server.routes['/slow'] = lambda seen: (time.sleep(0.3), reply('slow'))[1]
    script = """
        from requite import RequestStateError
        running = request.get(URL + '/slow').start()
        def work():
            try:
                running.end()
            except RequestStateError as error:
                assert 'forked' in str(error)
            else:
                raise AssertionError('the child got a response of the parent')
            assert request.get(URL + '/child').end().status_code == 200
        fork(work)
        assert running.end().body == 'slow'
    """
    child(tmp_path, server, script)
    assert sorted(targets(server)) == ['/child', '/slow']


def test_a_child_of_multiprocessing_finishes_what_it_let_go_holds_and_started(
    server: HttpServer, tmp_path: Path
) -> None:
    script = """
        import multiprocessing
        held = request.get(URL + '/parent')
        def work():
            global mine
            request.get(URL + '/let-go')
            mine = request.get(URL + '/held')
            request.get(URL + '/started').start()
        process = multiprocessing.get_context('fork').Process(target=work)
        process.start()
        process.join()
        assert process.exitcode == 0
    """
    child(tmp_path, server, script)
    assert sorted(targets(server)) == ['/held', '/let-go', '/parent', '/started']
    assert targets(server)[-1] == '/parent'


@pytest.mark.parametrize('method', ['spawn', 'forkserver'])
def test_other_children_of_multiprocessing_do_so_too(server: HttpServer, tmp_path: Path, method: str) -> None:
    script = f"""
        import multiprocessing
        def work(url):
            global mine
            request.get(url + '/let-go')
            mine = request.get(url + '/held')
        if __name__ == '__main__':
            process = multiprocessing.get_context('{method}').Process(target=work, args=(URL,))
            process.start()
            process.join()
            assert process.exitcode == 0
    """
    child(tmp_path, server, script)
    assert sorted(targets(server)) == ['/held', '/let-go']


def test_a_process_pool_sends_what_its_tasks_let_go(server: HttpServer, tmp_path: Path) -> None:
    script = """
        import concurrent.futures, multiprocessing
        def work(n):
            request.get(f'{URL}/let-go/{n}')
            return request.get(f'{URL}/asked/{n}').end().status_code
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('fork')) as pool:
            assert list(pool.map(work, range(6))) == [200] * 6
    """
    child(tmp_path, server, script)
    assert sorted(targets(server)) == sorted(f'/{kind}/{n}' for kind in ('asked', 'let-go') for n in range(6))


def test_a_process_that_only_ever_asked_forks_without_a_warning(server: HttpServer, tmp_path: Path) -> None:
    script = """
        import os
        for n in range(20):
            request.get(URL).end()
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
    """
    ended = run(tmp_path, server.url, script, '-Werror')
    assert (ended.returncode, ended.stderr) == (0, '')


def test_many_forks_amid_busy_threads_never_hang_a_child(server: HttpServer, tmp_path: Path) -> None:
    script = """
        import threading
        stop = threading.Event()
        def busy():
            while not stop.is_set():
                request.get(URL + '/busy').end()
                request.get(URL + '/let-go')
                request.get(URL + '/started').start()
        threads = [threading.Thread(target=busy) for _ in range(3)]
        for thread in threads:
            thread.start()
        def work():
            request.get(URL + '/child')
            assert request.get(URL + '/child').end().status_code == 200
            assert request.flush(10000)
        for _ in range(20):
            fork(work)
        stop.set()
    """
    child(tmp_path, server, script)
    assert targets(server).count('/child') == 40
