"""Transfers of big bodies: each job of `bulk` by each of its clients, in turns, and what came of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from .bulk import JOBS, MIB
from .children import run_module
from .origin import origin
from .report import Row, ratio_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .report import Figures
    from .server import Target

LIMIT = 60
"""Seconds that one transfer may take."""
ECHO_LIMIT = 10
"""Seconds after which a client that is to send and receive at once counts as stuck."""
ECHO_SIZE = 100_000_000
ROUNDS = 5

TITLES = {
    'download': 'download to a sink',
    'upload': 'upload of a file',
    'encode': 'multipart, encoded',
    'form': 'multipart, sent',
    'through': 'from one server to another',
    'echo': 'to a server that echoes',
}
BASE = {'download': 'raw', 'upload': 'curl'}
"""The client that requite is compared with; elsewhere the others are compared with requite."""


class Transfer(NamedTuple):
    """Seconds of CPU and wall time, one figure a round, and the growth of the peak in MiB; or why there are none."""

    job: str
    client: str
    size: int
    cpu: tuple[float, ...] = ()
    wall: tuple[float, ...] = ()
    growth: float = 0.0
    trouble: str | None = None


def measure_transfers(
    job: str, target: Target, size: int, rounds: int = ROUNDS, clients: Iterable[str] | None = None
) -> list[Transfer]:
    """What the clients of a job spend on a body of `size` bytes; an echo never has more than 100 MB."""
    chosen = tuple(JOBS[job] if clients is None else clients)
    if job == 'echo':
        size, rounds = min(size, ECHO_SIZE) // 65_536 * 65_536, 1
    found: dict[str, list[dict[str, float]]] = {client: [] for client in chosen}
    troubles: dict[str, str] = {}
    with _file(target, size) as file, origin(str(Path(target.ca).with_name('server.pem'))) as (plain, secure):
        for _ in range(rounds):
            for client in chosen:
                if client not in troubles:
                    said = _one(job, client, [plain, secure, target.ca, file, str(size)])
                    if isinstance(said, str):
                        troubles[client] = said
                    else:
                        found[client].append(said)
    return [_transfer(job, client, size, found[client], troubles.get(client)) for client in chosen]


@contextlib.contextmanager
def _file(target: Target, size: int) -> Iterator[str]:
    """A file of that size which takes no room on disk."""
    file = Path(target.ca).with_name('bulk')
    with file.open('wb') as sparse:
        sparse.truncate(size)
    yield str(file)


def _one(job: str, client: str, where: Sequence[str]) -> dict[str, float] | str:
    limit = ECHO_LIMIT if job == 'echo' else LIMIT
    process = run_module('bulk', [job, client, *where])
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f'stuck: not done within {limit} s'
    if not said:
        return f'the child ended with exit code {process.returncode}'
    words = json.loads(said)
    return str(words.get('missing') or words['failed']) if 'cpu' not in words else words


def _transfer(job: str, client: str, size: int, found: list[dict[str, float]], trouble: str | None) -> Transfer:
    if trouble is not None or not found:
        return Transfer(job, client, size, trouble=trouble or 'not run')
    cpu = tuple(each['cpu'] for each in found)
    wall = tuple(each['wall'] for each in found)
    return Transfer(job, client, size, cpu, wall, max(each['growth'] for each in found))


def transfer_figures(transfers: Sequence[Transfer]) -> Figures:
    """The ratios of one job's medians, the growth of requite's peak, and the wall time where that is the question."""
    middles = {each.client: median(each.cpu) for each in transfers if each.cpu}
    figures: Figures = {}
    for each in transfers:
        if not each.cpu:
            continue
        if each.client.startswith('requite'):
            figures[each.job, f'{each.client} growth'] = each.growth
            figures[each.job, f'{each.client} wall'] = median(each.wall)
        if 'requite' in middles and not each.client.startswith('requite'):
            figures[each.job, f'{each.client}/requite'] = middles[each.client] / middles['requite']
    base = BASE.get(transfers[0].job)
    if base in middles and 'requite' in middles:
        figures[transfers[0].job, f'requite/{base}'] = middles['requite'] / middles[base]
    return figures


def transfer_rows(transfers: Sequence[Transfer], figures: Figures) -> list[Row]:
    """A row for each client, and for requite one more with the growth of its peak."""
    rows = []
    for each in transfers:
        title = f'{TITLES[each.job]}, {_size(each.size)}'
        if not each.cpu:
            shown = 'stuck' if 'stuck' in str(each.trouble) else 'not measured'
            rows.append(Row(title, each.client, shown, gate=ratio_of({}, each.job, _figure(each))[1]))
            continue
        ours = each.client.startswith('requite')
        ratio, gate = ratio_of(figures, each.job, _figure(each))
        spread = f'{min(each.cpu):.2f} to {max(each.cpu):.2f}' if len(each.cpu) > 1 else ''
        rows.append(
            Row(title, each.client, f'{median(each.cpu):.2f} s', spread, f'{median(each.wall):.2f} s', ratio, gate)
        )
        if ours:
            _, gate = ratio_of(figures, each.job, f'{each.client} growth')
            rows.append(Row(f'{title}: memory', each.client, f'+{each.growth:.1f} MiB', gate=gate))
    return rows


def _figure(each: Transfer) -> str:
    if not each.client.startswith('requite'):
        return '' if BASE.get(each.job) == each.client else f'{each.client}/requite'
    return f'requite/{BASE[each.job]}' if each.job in BASE else f'{each.client} wall' if each.job == 'echo' else ''


def _size(size: int) -> str:
    return f'{size // MIB} MiB' if size % MIB == 0 else f'{size / 1e6:.0f} MB'
