"""`python -m tests.benchmarks`: measure, print one table, and on request write it into the documentation or judge it."""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, NamedTuple

from . import report, server
from .children import ROOT, one_core
from .gates import missed
from .imports import measure_imports
from .memory import measure_memory
from .rounds import QUICK, Effort, measure
from .scenarios import SCENARIOS
from .threads import ROUNDS as THREAD_ROUNDS
from .threads import measure_threads, thread_figures, thread_rows
from .timings import measure_timings, timing_figures, timing_rows
from .transfers import ROUNDS, TITLES, measure_transfers, transfer_figures, transfer_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = (*SCENARIOS, 'timings', 'threads', *TITLES, 'import', 'memory')
SPELL = 8
"""Turns of one client that a run of threads is as long as."""
PAGE = ROOT / 'docs' / 'explanation' / 'performance.md'
PACKAGES = ('requite', 'urllib3', 'httpx', 'requests', 'pycurl')


class Run(NamedTuple):
    """Everything that came out of a run: rows to show, ratios to judge, and why something was not measured."""

    rows: list[report.Row]
    figures: report.Figures
    troubles: list[str]


def _parts(text: str) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in text.split(','))
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f'no such part: {", ".join(unknown)}; there are {", ".join(PARTS)}')
    return chosen


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f'{text!r} is not a whole number from 1 up')
    return int(text)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='python -m tests.benchmarks', description=__doc__)
    parser.add_argument('--rounds', type=_count, help=f'turns of each client; default {Effort().rounds}')
    parser.add_argument('--quick', action='store_true', help='few and short turns: a look, not a measurement')
    parser.add_argument('--only', type=_parts, default=PARTS, metavar='PARTS', help=f'of {",".join(PARTS)}')
    parser.add_argument('--write', action='store_true', help=f'write the table into {PAGE.relative_to(ROOT)}')
    parser.add_argument('--gate', action='store_true', help='exit with 1 when a chosen part misses what it must reach')
    return parser.parse_args(words)


def _versions() -> str:
    named = []
    for package in PACKAGES:
        try:
            named.append(f'{package} {version_of(package)}')
        except PackageNotFoundError:
            named.append(f'{package} not installed')
    python = f'{platform.python_implementation()} {platform.python_version()}'
    return f'{python}, nginx {server.version()}, {", ".join(named)}'


def run(parts: Sequence[str], effort: Effort) -> Run:
    """Measure the given parts on one core."""
    outcome = Run([], {}, [])
    with one_core(), server.serving(effort.big) as target:
        for part in parts:
            print(f'measuring {part} ...', file=sys.stderr)
            if part == 'import':
                _add_imports(outcome, effort)
            elif part == 'memory':
                _add_memory(outcome, target, effort)
            elif part == 'timings':
                _add_timings(outcome, target, effort)
            elif part == 'threads':
                _add_threads(outcome, target, effort)
            elif part in TITLES:
                _add_transfers(outcome, part, target, effort)
            else:
                _add_scenario(outcome, part, target, effort)
    return outcome


def _add_scenario(outcome: Run, part: str, target: server.Target, effort: Effort) -> None:
    costs = measure(part, target, effort)
    outcome.figures.update(report.scenario_figures(costs))
    outcome.rows.extend(report.scenario_rows(costs, outcome.figures))
    outcome.troubles.extend(f'{part}, {cost.client}: {cost.trouble}' for cost in costs if cost.trouble)


def _add_imports(outcome: Run, effort: Effort) -> None:
    cost = measure_imports(effort.imports)
    outcome.figures.update(report.import_figures(cost))
    outcome.rows.extend(report.import_rows(cost, outcome.figures))
    outcome.troubles.extend(f'import, {name}: not installed' for name in cost.missing)


def _add_memory(outcome: Run, target: server.Target, effort: Effort) -> None:
    costs = measure_memory(target, effort.big)
    outcome.figures.update(report.memory_figures(costs))
    outcome.rows.extend(report.memory_rows(costs, outcome.figures, effort.big))
    outcome.troubles.extend(f'memory, {cost.client}: {cost.trouble}' for cost in costs if cost.trouble)


def _add_timings(outcome: Run, target: server.Target, effort: Effort) -> None:
    cost = measure_timings(target, effort.turn, effort.rounds)
    outcome.figures.update(timing_figures(cost))
    outcome.rows.extend(timing_rows(cost, outcome.figures))
    if cost.trouble:
        outcome.troubles.append(f'timings, requite: {cost.trouble}')


def _add_threads(outcome: Run, target: server.Target, effort: Effort) -> None:
    rates = measure_threads(target, SPELL * effort.turn, min(effort.rounds, THREAD_ROUNDS))
    outcome.figures.update(thread_figures(rates))
    outcome.rows.extend(thread_rows(rates, outcome.figures))
    outcome.troubles.extend(f'threads, {each.client}: {each.trouble}' for each in rates if each.trouble)


def _add_transfers(outcome: Run, part: str, target: server.Target, effort: Effort) -> None:
    transfers = measure_transfers(part, target, effort.big, min(effort.rounds, ROUNDS))
    outcome.figures.update(report_of := transfer_figures(transfers))
    outcome.rows.extend(transfer_rows(transfers, report_of))
    outcome.troubles.extend(f'{part}, {each.client}: {each.trouble}' for each in transfers if each.trouble)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 1 for a missed gate and 2 for a gate that could not be judged at all."""
    chosen = _arguments(words)
    effort = QUICK if chosen.quick else Effort()
    if chosen.rounds:
        effort = effort._replace(rounds=chosen.rounds)
    try:
        outcome = run(chosen.only, effort)
    except server.Unavailable as reason:
        print(f'skipped: {reason}')
        return 2 if chosen.gate else 0
    text = f'{_versions()}; medians of {effort.rounds} rounds.\n\n{report.table(outcome.rows)}'
    print(text)
    for trouble in outcome.troubles:
        print(f'not measured: {trouble}')
    if chosen.write:
        PAGE.write_text(report.between_markers(PAGE.read_text(encoding='utf-8'), f'\n{text}\n'), encoding='utf-8')
    lines = missed(outcome.figures, chosen.only) if chosen.gate else []
    for line in lines:
        print(f'gate missed: {line}')
    return 1 if lines else 0


if __name__ == '__main__':
    sys.exit(main())
