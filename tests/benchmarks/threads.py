"""Small requests a second of many threads that share one pool, and how many connections that pool has. Run as a module, it is the measured child."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from .children import run_module
from .report import Row, ratio_of
from .scenarios import IDLE_TIMEOUT, OK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .report import Figures
    from .server import Target

COUNTS = (8, 32)
CROWD = (32, 8)
"""Threads and connections of the run in which threads have to wait for each other."""
ROUNDS = 3
WARM_UP = 20
"""Requests of each thread before they are counted."""
LIMIT = 60
"""Seconds that a child may take."""
SAMPLE = 0.005
"""Seconds from one count of connections to the next."""
ABOVE = 'connections above the limit'


class Rate(NamedTuple):
    """Requests a second, one figure a round, and the most connections that were seen at a time; or why there are none."""

    client: str
    threads: int
    limit: int
    rates: tuple[float, ...] = ()
    connections: int = 0
    trouble: str | None = None


def _requite(url: str, limit: int) -> Callable[[], Any]:
    request = importlib.import_module('requite').request
    get = request.defaults(pool={'max_sockets': limit}, timeout=IDLE_TIMEOUT * 1000, encoding=None).get
    return lambda: get(url).response.body


def _urllib3(url: str, limit: int) -> Callable[[], Any]:
    pool = importlib.import_module('urllib3').PoolManager(maxsize=limit, block=True, timeout=IDLE_TIMEOUT)
    return lambda: pool.request('GET', url).data


def _requests(url: str, limit: int) -> Callable[[], Any]:
    requests = importlib.import_module('requests')
    session = requests.Session()
    session.mount('http://', requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=limit, pool_block=True))
    return lambda: session.get(url, timeout=IDLE_TIMEOUT).content


CLIENTS: dict[str, Callable[[str, int], Callable[[], Any]]] = {
    'requite': _requite,
    'urllib3': _urllib3,
    'requests': _requests,
}


def measure_threads(target: Target, seconds: float, rounds: int = ROUNDS, counts: Iterable[int] = COUNTS) -> list[Rate]:
    """What each client does in so many seconds with each number of threads, and as many connections; and requite with fewer of them."""
    found = []
    for count in counts:
        taken: dict[str, list[Rate]] = {client: [] for client in CLIENTS}
        for _ in range(rounds):
            for client, rates in taken.items():
                rates.append(_one(client, target, (count, count), seconds))
        found += [_together(rates) for rates in taken.values()]
    return [*found, _one('requite', target, CROWD, seconds)]


def _together(rates: Sequence[Rate]) -> Rate:
    trouble = next((rate.trouble for rate in rates if rate.trouble), None)
    most = max(rate.connections for rate in rates)
    return rates[0]._replace(
        rates=tuple(one for rate in rates for one in rate.rates), connections=most, trouble=trouble
    )


def _one(client: str, target: Target, crowd: tuple[int, int], seconds: float) -> Rate:
    process = run_module('threads', [client, target.plain + '/small', *map(str, crowd), str(seconds)])
    try:
        said, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Rate(client, *crowd, trouble=f'not done within {LIMIT} s')
    words: dict[str, Any] = (
        json.loads(said) if said else {'trouble': f'the child ended with exit code {process.returncode}'}
    )
    if 'trouble' in words:
        return Rate(client, *crowd, trouble=words['trouble'])
    return Rate(client, *crowd, (words['rate'],), words['connections'])


def thread_figures(rates: Iterable[Rate]) -> Figures:
    """How many requests requite makes to one of another client's, and by how many connections it went above its limit."""
    able = [rate for rate in rates if rate.rates and not rate.trouble]
    ours = {
        rate.threads: median(rate.rates) for rate in able if rate.client == 'requite' and rate.limit == rate.threads
    }
    figures = {
        ('threads', _figure(rate)): ours[rate.threads] / median(rate.rates)
        for rate in able
        if rate.client != 'requite' and rate.threads in ours
    }
    above = [rate.connections - rate.limit for rate in able if rate.client == 'requite']
    return figures | ({('threads', ABOVE): float(max(0, *above))} if above else {})


def thread_rows(rates: Iterable[Rate], figures: Figures) -> list[Row]:
    """A row for each client and number of threads."""
    return [_row(rate, figures) for rate in rates]


def _figure(rate: Rate) -> str:
    return f'requite/{rate.client}, {rate.threads} threads'


def _row(rate: Rate, figures: Figures) -> Row:
    crowded = rate.limit != rate.threads
    what = f'{rate.threads} threads, {rate.limit} connections'
    figure = ABOVE if crowded else _figure(rate)
    ratio, gate = ('', '') if rate.client == 'requite' and not crowded else ratio_of(figures, 'threads', figure)
    if not rate.rates:
        return Row(what, rate.client, 'not measured', gate=gate)
    spread = f'{min(rate.rates):,.0f} to {max(rate.rates):,.0f}'
    ratio = ratio.replace(f', {rate.threads} threads', '')
    return Row(what, rate.client, '', spread, f'{median(rate.rates):,.0f}/s', ratio, gate)


# -- the child


def _connections(port: int) -> int:
    """How many connections there are to that port of loopback, from this side."""
    lines = Path('/proc/net/tcp').read_text().splitlines()[1:]
    return sum(line.split()[2].endswith(f':{port:04X}') and line.split()[3] == '01' for line in lines)


def _run(call: Callable[[], Any], count: int, seconds: float, port: int, watching: bool) -> dict[str, Any]:
    ready, done = threading.Barrier(count + 1), threading.Event()
    made, troubles = [0] * count, []

    def work(number: int) -> None:
        try:
            for _ in range(WARM_UP):
                if call() != OK:
                    raise ValueError('the answer is not the one of the scenario')
            ready.wait(LIMIT)
            while not done.is_set():
                call()
                made[number] += 1
        except Exception as error:
            troubles.append(f'{type(error).__name__}: {error}')
            ready.abort()

    workers = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(count)]
    for worker in workers:
        worker.start()
    try:
        ready.wait(LIMIT)
    except threading.BrokenBarrierError:
        return {'trouble': (troubles or ['the threads did not begin'])[0]}
    start, most = time.perf_counter(), 0
    while (left := start + seconds - time.perf_counter()) > 0:
        time.sleep(min(left, SAMPLE) if watching else left)
        most = max(most, _connections(port))
    done.set()
    rate = sum(made) / (time.perf_counter() - start)
    for worker in workers:
        worker.join(IDLE_TIMEOUT)
    return {'trouble': troubles[0]} if troubles else {'rate': rate, 'connections': most}


def main() -> None:
    """Let the threads run and print what they did."""
    client, url, count, limit, seconds = sys.argv[1:]
    # bound to one core it would wait for that one while another is idle: the threads take turns anyhow
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        call = CLIENTS[client](url, int(limit))
        said = _run(call, int(count), float(seconds), urlsplit(url).port or 0, watching=count != limit)
    except Exception as error:
        said = {'trouble': f'{type(error).__name__}: {error}'}
    print(json.dumps(said))


if __name__ == '__main__':
    main()
