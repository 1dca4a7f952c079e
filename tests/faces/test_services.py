"""What docs/explanation/services.md promises: threads, forks, spawned processes, process pools, gunicorn's and Celery's workers."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import requite
from requite import Pool, request
from tests.faces.children import run
from tests.servers import HttpServer, closed_port, reply

SOURCE = str(Path(requite.__file__).parent.parent)
needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork here')


def needs(module: str) -> Any:
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f'{module} is not installed')


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Waits for something to be true, and gives it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def program(folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a session of its own, which is gone with all its children when the block ends; its output is in `log`."""
    environment = {
        **os.environ,
        'PYTHONPATH': os.pathsep.join([SOURCE, str(folder)]),
        'PYTHONUNBUFFERED': '1',
        'C_FORCE_ROOT': '1',
    }
    with (folder / 'log').open('wb') as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ended(process: subprocess.Popen[bytes], folder: Path) -> str:
    """Ends a program as its supervisor does; gives what it wrote."""
    process.send_signal(signal.SIGTERM)
    process.wait(40)
    return (folder / 'log').read_text(errors='replace')


# -- threads


def test_threads_share_a_wrapper_its_jar_and_its_connections(server: HttpServer) -> None:
    server.routes['/set'] = lambda seen: reply('', set_cookie=f'{seen.header("x-n")}=1')
    pool, jar = Pool(4), request.jar()
    api = request.defaults(base_url=server.url, pool=pool, jar=jar, json=True)

    def work(n: int) -> int:
        api.get('/set', headers={'x-n': f'n{n}'}).end()
        return int(api.get('/').end().status_code)

    with ThreadPoolExecutor(16) as executor:
        assert list(executor.map(work, range(48))) == [200] * 48
    assert len(jar) == 48
    [(busy, idle)] = pool.status().values()
    assert busy == 0
    assert 1 <= idle <= 4


def test_several_threads_may_ask_for_one_request(server: HttpServer) -> None:
    server.routes['/'] = lambda seen: (time.sleep(0.05), reply('once'))[1]
    made = request.get(server.url)
    with ThreadPoolExecutor(8) as executor:
        assert [response.body for response in executor.map(lambda _: made.end(), range(8))] == ['once'] * 8
    assert len(server.requests) == 1


# -- processes


@needs_fork
def test_a_fork_inherits_no_connection(server: HttpServer, tmp_path: Path) -> None:
    script = """
        import os
        api = request.defaults(base_url=URL, pool={'max_sockets': 2})
        ports = []
        def ask():
            api.get('/').on('socket', lambda sock: ports.append(sock.getsockname()[1])).end()
        ask(), ask()
        assert ports[0] == ports[1]
        pid = os.fork()
        if pid == 0:
            ask(), ask()
            os._exit(0 if ports[1] != ports[2] == ports[3] else 1)
        assert os.waitpid(pid, 0)[1] == 0
        ask()
        assert ports[-1] == ports[0], ports
    """
    ended = run(tmp_path, server.url, script)
    assert (ended.returncode, ended.stderr) == (0, '')


JAR = request.jar()
API = request.defaults(jar=JAR, json=True)


def task(url: str, n: int) -> tuple[int, int, Any]:
    """Runs in another process: with a wrapper that the module makes there, whether it was forked or imported."""
    ports: list[int] = []
    response = API.get(f'{url}/{n}').on('socket', lambda sock: ports.append(sock.getsockname()[1])).end()
    request.post(f'{url}/let-go/{n}')
    return os.getpid(), ports[0], response


@pytest.mark.parametrize('method', ['fork', 'spawn', 'forkserver'])
def test_a_process_pool_asks_with_the_wrapper_of_its_module(server: HttpServer, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f'there is no {method} here')
    API.get(server.url).end()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as executor:
        results = list(executor.map(task, [server.url] * 8, range(8), timeout=60))
    assert [response.body['target'] for _, _, response in results] == [f'/{n}' for n in range(8)]
    owners = defaultdict(set)
    for pid, port, _ in results:
        owners[port].add(pid)
    assert all(len(pids) == 1 for pids in owners.values())
    assert len(owners) == len({pid for pid, _, _ in results}), 'one connection a process'
    assert sorted(seen.target for seen in server.requests if seen.method == 'POST') == [
        f'/let-go/{n}' for n in range(8)
    ]


# -- gunicorn

WSGI = """
import json, os
from requite import request
UPSTREAM = {url!r}
api = request.defaults(base_url=UPSTREAM)
PORTS = []
def ask(path):
    ports = []
    api.get(path).on('socket', lambda sock: ports.append(sock.getsockname()[1])).end()
    return ports[0]
BEFORE = ask('/before')
def app(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/let-go':
        api.post('/let-go/' + environ['QUERY_STRING'])
        answer = {{}}
    elif path == '/await':
        import asyncio
        async def main():
            return [response.status_code for response in await asyncio.gather(*(api.get('/awaited') for _ in range(5)))]
        answer = {{'statuses': asyncio.run(main())}}
    else:
        answer = {{'pid': os.getpid(), 'port': ask('/asked'), 'before': BEFORE}}
    body = json.dumps(answer).encode()
    start_response('200 OK', [('content-type', 'application/json'), ('content-length', str(len(body)))])
    return [body]
"""


@needs_fork
@needs('gunicorn')
@pytest.mark.parametrize('kind', ['sync', 'gthread'])
def test_workers_of_gunicorn_that_were_forked_after_a_request_have_connections_of_their_own(
    server: HttpServer, tmp_path: Path, kind: str
) -> None:
    (tmp_path / 'service.py').write_text(WSGI.format(url=server.url))
    port = closed_port()
    url = f'http://127.0.0.1:{port}'
    options = [
        '--preload',
        '-w',
        '2',
        '-k',
        kind,
        '--threads',
        '2' if kind == 'gthread' else '1',
        '-b',
        f'127.0.0.1:{port}',
        '--graceful-timeout',
        '20',
    ]
    with program(tmp_path, '-m', 'gunicorn', *options, 'service:app') as process:
        until(lambda: _alive(url) or process.poll() is not None)
        seen: dict[int, set[int]] = defaultdict(set)

        def asked() -> bool:
            """Asks once more; which worker answers is up to the system, so it is asked until both have."""
            answer = request.get(url, json=True, pool=False).end().body
            seen[answer['port']].add(answer['pid'])
            assert answer['port'] != answer['before']
            return len(set().union(*seen.values())) == 2

        until(asked)
        for _ in range(20):
            asked()
        assert all(len(pids) == 1 for pids in seen.values())
        assert request.get(url + '/await', json=True).end().body == {'statuses': [200] * 5}
        server.routes['/let-go/3'] = lambda _: (time.sleep(0.5), reply(''))[1]
        for n in range(6):
            request.get(f'{url}/let-go?{n}', pool=False).end()
        log = ended(process, tmp_path)
    assert sorted(seen.target for seen in server.requests if seen.method == 'POST') == [
        f'/let-go/{n}' for n in range(6)
    ]
    assert 'Traceback' not in log, log


def _alive(url: str) -> bool:
    try:
        return bool(request.get(url, pool=False).end().ok)
    except requite.ConnectionRefused:
        return False


# -- Celery

TASKS = """
import os
from celery import Celery
from requite import request
app = Celery('tasks', broker='filesystem://', backend='file://' + os.path.abspath('results'))
app.conf.update(
    broker_transport_options={'data_folder_in': 'queue', 'data_folder_out': 'queue', 'control_folder': 'control', 'polling_interval': 0.05},
    task_serializer='pickle', result_serializer='pickle', accept_content=['pickle'], worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
api = request.defaults(json=True)
ports = []
def ask(made):
    response = made.on('socket', lambda sock: ports.append(sock.getsockname()[1])).end()
    return os.getpid(), ports[-1], response
@app.task
def fetch(url):
    return ask(api.get(url))
@app.task
def fetch_with(wrapper, path):
    return ask(wrapper.get(path))
@app.task
def let_go(url):
    for n in range(10):
        api.post(f'{url}/{n}')
@app.task
def fail(url):
    api.get(url).end()
"""

ASK = """
import json, sys
import tasks
from requite import ConnectionRefused, request
url, refused = sys.argv[1:]
asked = [tasks.fetch.delay(url + f'/{n}') for n in range(12)]
brought = [tasks.fetch_with.delay(request.defaults(base_url=url, json=True, headers={'x': 'y'}), f'/with/{n}') for n in range(12)]
results = [result.get(timeout=60, interval=0.02) for result in asked + brought]
try:
    tasks.fail.delay(refused).get(timeout=60, interval=0.02)
except ConnectionRefused as error:
    code = error.code
tasks.let_go.delay(url + '/let-go').get(timeout=60, interval=0.02)
print(json.dumps([code, [(pid, port, response.body['target']) for pid, port, response in results]]))
"""


@needs_fork
@needs('celery')
def test_workers_of_celery_take_wrappers_and_give_back_responses_and_errors(server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / 'tasks.py').write_text(textwrap.dedent(TASKS))
    (tmp_path / 'ask.py').write_text(textwrap.dedent(ASK))
    for name in ('queue', 'control', 'results'):
        (tmp_path / name).mkdir()
    server.routes['/let-go/0'] = lambda _: (time.sleep(3), reply(''))[1]
    with program(tmp_path, '-m', 'celery', '-A', 'tasks', 'worker', '-P', 'prefork', '-c', '2', '--without-gossip', '--without-mingle', '--without-heartbeat') as process:  # fmt: skip
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([SOURCE, str(tmp_path)])}
        asked = subprocess.run(
            [sys.executable, 'ask.py', server.url, f'http://127.0.0.1:{closed_port()}/'], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
        )  # fmt: skip
        assert asked.returncode == 0, asked.stderr + (tmp_path / 'log').read_text(errors='replace')
        ended(process, tmp_path)
    code, results = json.loads(asked.stdout)
    assert code == 'ECONNREFUSED'
    assert [target for _, _, target in results] == [f'/{n}' for n in range(12)] + [f'/with/{n}' for n in range(12)]
    owners = defaultdict(set)
    for pid, port, _ in results:
        owners[port].add(pid)
    assert all(len(pids) == 1 for pids in owners.values())
    assert len(owners) <= 2, (
        'one connection a process, whether the wrapper is that of the module or came along with the task'
    )
    assert sorted(seen.target for seen in server.requests if seen.method == 'POST') == [
        f'/let-go/{n}' for n in range(10)
    ]


# -- asyncio


def test_loops_of_several_threads_share_a_wrapper(server: HttpServer) -> None:
    import asyncio

    api = request.defaults(base_url=server.url, pool=Pool(3))

    def loop() -> list[int]:
        async def main() -> list[int]:
            return [response.status_code for response in await asyncio.gather(*(api.get('/') for _ in range(10)))]

        return asyncio.run(main())

    with ThreadPoolExecutor(3) as executor:
        assert [executor.submit(loop).result(30) for _ in range(3)] == [[200] * 10] * 3
    assert threading.active_count() < 60
