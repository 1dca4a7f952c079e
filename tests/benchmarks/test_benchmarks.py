"""The benchmarks still run, and a small GET is not far from what it has to cost."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from requite import request

from . import report, server
from .__main__ import PARTS
from .bulk import JOBS
from .children import Worker, one_core
from .gates import GATES, GROWTH, Gate, missed
from .imports import measure_imports
from .memory import measure_memory
from .rounds import QUICK, Cost, measure
from .scenarios import SCENARIOS
from .threads import ABOVE, Rate, measure_threads, thread_figures, thread_rows
from .timings import TimingCost, measure_timings, timing_figures, timing_rows
from .transfers import TITLES, measure_transfers, transfer_figures, transfer_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import HttpServer

PEERS = ('urllib3', 'httpx', 'requests')
LOOSE = 0.5
"""Half of what is demanded must be there even on a busy machine; `--gate` asks for all of it."""


@pytest.fixture(scope='module')
def target() -> Iterator[server.Target]:
    try:
        with one_core(), server.serving(QUICK.big) as running:
            yield running
    except server.Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.timing
def test_a_small_get_costs_a_fraction_of_what_the_peers_take(target: server.Target) -> None:
    absent = [peer for peer in PEERS if find_spec(peer) is None]
    if absent:
        pytest.skip(f'not installed: {", ".join(absent)}')
    costs = measure('small', target, QUICK, ('raw', 'requite', *PEERS))
    assert [cost.trouble for cost in costs if cost.trouble] == []
    assert missed(report.scenario_figures(costs), ('small',), slack=LOOSE) == []


@pytest.mark.parametrize('client', ['raw', 'requite', 'requite plain'])
@pytest.mark.parametrize('scenario', SCENARIOS)
def test_a_scenario_is_answered_in_full(target: server.Target, scenario: str, client: str) -> None:
    worker = Worker(client, scenario, target)
    try:
        assert worker.trouble is None
    finally:
        worker.close()


def test_a_big_body_is_held_in_memory_once(target: server.Target) -> None:
    (cost,) = measure_memory(target, QUICK.big, ['requite'])
    assert cost.trouble is None
    assert cost.ratio is not None
    # Less than once would mean that the measurement does not see the body.
    assert 0.9 < cost.ratio < 1.2


@pytest.mark.parametrize('job', TITLES)
def test_a_body_that_passes_through_leaves_memory_where_it_is(target: server.Target, job: str) -> None:
    transfers = measure_transfers(job, target, QUICK.big, 1, [name for name in JOBS[job] if name.startswith('requite')])
    assert [each.trouble for each in transfers if each.trouble] == []
    assert all(each.growth <= GROWTH for each in transfers), transfers
    assert 'requite' in report.table(transfer_rows(transfers, transfer_figures(transfers)))


@pytest.mark.timing
@pytest.mark.parametrize(('job', 'peer'), [('download', 'raw'), ('encode', 'toolbelt')])
def test_a_big_body_costs_little_more_than_its_copying(target: server.Target, job: str, peer: str) -> None:
    transfers = measure_transfers(job, target, 4 * QUICK.big, 3, ['requite', peer])
    assert [each.trouble for each in transfers if each.trouble] == []
    figures = transfer_figures(transfers)
    asked = {figure for part, figure in figures if part == job}
    short = [line for line in missed(figures, (job,), slack=LOOSE) if any(figure in line for figure in asked)]
    assert short == []


@pytest.mark.timing
def test_timings_cost_a_small_get_little(target: server.Target) -> None:
    cost = measure_timings(target, QUICK.turn, QUICK.rounds)
    assert cost.trouble is None
    figures = timing_figures(cost)
    assert missed(figures, ('timings',), slack=LOOSE) == []
    assert 'time=True' in report.table(timing_rows(cost, figures))


def test_without_timings_no_clock_is_read_for_them(server: HttpServer) -> None:
    api = request.defaults(pool={'max_sockets': 1}, timeout=10_000)
    read: list[bool] = []

    def watch(frame: Any, event: str, called: Any) -> None:
        if event == 'c_call' and called is time.perf_counter:
            read.append(True)

    counts = []
    for timed in (False, True):
        api.get(server.url, time=timed).end()
        read.clear()
        sys.setprofile(watch)
        try:
            api.get(server.url, time=timed).end()
        finally:
            sys.setprofile(None)
        counts.append(len(read))
    assert counts[0] == 0
    assert counts[1] > 0


@pytest.mark.timing
def test_many_threads_get_more_done_than_with_the_peers(target: server.Target) -> None:
    absent = [peer for peer in ('urllib3', 'requests') if find_spec(peer) is None]
    if absent:
        pytest.skip(f'not installed: {", ".join(absent)}')
    rates = measure_threads(target, 8 * QUICK.turn, 1, (8,))
    assert [rate.trouble for rate in rates if rate.trouble] == []
    figures = thread_figures(rates)
    assert set(figures) == {('threads', f'requite/{peer}, 8 threads') for peer in ('urllib3', 'requests')} | {
        ('threads', ABOVE)
    }
    short = [line for line in missed(figures, ('threads',), slack=LOOSE) if 'not measured' not in line]
    assert short == []
    # None at all would mean that the measurement does not see them.
    assert rates[-1].connections == rates[-1].limit


def test_importing_requite_loads_no_forbidden_module() -> None:
    cost = measure_imports(1)
    assert cost.missing == ()
    assert cost.forbidden == ()


def test_the_server_refuses_a_rich_request_that_lacks_something(target: server.Target) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError, match='400') as refused:
        opener.open(target.plain + '/rich?page=2&sort=name', timeout=10)
    refused.value.close()


def test_a_client_that_cannot_be_opened_is_reported_and_the_others_are_measured(target: server.Target) -> None:
    nowhere = target._replace(ca='/nonexistent/ca.pem')
    tls = measure('tls', nowhere, QUICK._replace(rounds=1, turn=0.001), ['raw'])
    plain = measure('small', nowhere, QUICK._replace(rounds=1, turn=0.001), ['raw'])
    assert 'FileNotFoundError' in str(tls[0].trouble)
    assert plain[0].trouble is None
    assert plain[0].middle > 0


def test_without_nginx_the_reason_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(server.Unavailable, match='apt-get install nginx-light'):
        server.find_nginx(path=str(tmp_path))


@pytest.mark.parametrize(
    ('gate', 'enough', 'short', 'half'),
    [
        (Gate('small', 'requests/requite', 13, at_least=True), 13.0, 12.99, 6.5),
        (Gate('small', 'requite/raw', 3.5, at_least=False), 3.5, 3.51, 7.0),
    ],
)
def test_a_gate_has_no_tolerance_unless_slack_is_given(gate: Gate, enough: float, short: float, half: float) -> None:
    assert gate.holds(enough)
    assert not gate.holds(short)
    assert gate.holds(half, slack=LOOSE)
    assert not gate.holds(half * 0.99 if gate.at_least else half * 1.01, slack=LOOSE)


def test_a_gate_without_a_figure_is_missed_when_its_part_was_chosen() -> None:
    assert missed({}, ('import',)) == [
        'import requite/urllib3: at most 1.2, not measured',
        'import forbidden modules: at most 0, not measured',
    ]
    assert missed({}, ()) == []


def test_a_gate_on_what_need_not_be_installed_is_missed_only_by_a_figure() -> None:
    optional = next(gate for gate in GATES if gate.optional)
    assert not any(optional.figure in line for line in missed({}, (optional.part,)))
    figures = {(optional.part, optional.figure): 0.0}
    assert any(optional.figure in line for line in missed(figures, (optional.part,)))


def test_ratios_are_those_of_the_medians() -> None:
    costs = [
        Cost('small', 'raw', (10.0, 90.0, 9.0), (1.0, 1.0, 1.0)),
        Cost('small', 'requite', (20.0, 30.0, 10.0), (1.0, 1.0, 1.0)),
        Cost('small', 'requests', (400.0, 401.0, 9.0), (1.0, 1.0, 1.0)),
    ]
    figures = report.scenario_figures(costs)
    assert figures['small', 'requite/raw'] == 2
    assert figures['small', 'requests/requite'] == 20
    shown = report.table(report.scenario_rows(costs, figures))
    assert 'requite/raw 2.00' in shown
    assert 'at least 13: reached' in shown


def test_a_connection_above_the_limit_is_a_miss_and_so_is_a_dear_timing() -> None:
    rates = [
        Rate('requite', 8, 8, (700.0, 800.0, 900.0), 8),
        Rate('urllib3', 8, 8, (400.0,), 8),
        Rate('requests', 8, 8, trouble='not installed'),
        Rate('requite', 32, 8, (500.0,), 9),
    ]
    figures = thread_figures(rates)
    assert figures == {('threads', 'requite/urllib3, 8 threads'): 2.0, ('threads', ABOVE): 1.0}
    shown = report.table(thread_rows(rates, figures))
    assert 'at most 0: MISSED' in shown
    assert 'at least 2.5: MISSED' in shown
    cost = TimingCost((10.0, 20.0, 10.0), (14.0, 24.0, 11.0))
    assert missed(timing_figures(cost), ('timings',)) == ['timings microseconds added: at most 3, measured 4.00']


def test_every_gate_names_a_part_that_can_be_measured() -> None:
    assert {gate.part for gate in GATES} <= set(PARTS)


def test_the_table_replaces_only_what_stands_between_the_markers() -> None:
    page = f'before\n{report.BEGIN}\nold\n{report.END}\nafter\n'
    assert report.between_markers(page, 'new') == f'before\n{report.BEGIN}\nnew\n{report.END}\nafter\n'
    with pytest.raises(ValueError, match='needs the lines'):
        report.between_markers(f'{report.END}\n{report.BEGIN}', 'new')
