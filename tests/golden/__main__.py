"""``python -m tests.golden [CORPUS EXPECTED] [--area A,B] [--id ID,..] [--level semantic|wire] [--recorder FILE] [--json OUT]``

Replays the recorded cases and prints a line a failing id, a table by area, and last ``N passed, M failed``; exit status 1 when any failed.

decided: the case is meant to differ from Node's, and what requite does instead was checked (it is among passed or failed too).
later: it needs a capability that is not available yet in this version; neither passed nor failed. no Python: it gives a value that Python has
not; neither passed nor failed. quirk: flagged as a quirk of Node's without a decision here; passed when there is any defined outcome.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import corpus as corpora
from .decided import DECIDED
from .replay import Verdict, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS = ('passed', 'failed', 'decided', 'later', 'no Python', 'quirk')
WIDTH = 240


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the arguments ask for; returns the exit status."""
    given = parser().parse_args(arguments)
    if given.expected is None and given.corpus is not None:
        sys.exit('CORPUS and EXPECTED go together')
    try:
        corpus = corpora.load(given.corpus, given.expected, given.recorder)
    except corpora.Absent as absent:
        sys.exit(f'no recordings: {absent}')
    try:
        import requite.api  # noqa: F401  one clear line instead of one for every case
    except ImportError as missing:
        sys.exit(f'requite cannot be imported ({missing}); install it first: pip install -e .')
    cases = chosen(corpus.cases, given.area, given.id)
    verdicts = []
    for case in cases:
        begun = time.monotonic()
        verdict = run(case, corpus, given.level)
        verdicts.append(verdict)
        for line in told(verdict, verbose=given.verbose):
            print(line, flush=True)
        if given.verbose:
            print(f'     {verdict.kind} {verdict.id} {time.monotonic() - begun:.2f} s', flush=True)
    summarise(verdicts, complete=len(cases) == len(corpus.cases))
    if given.json:
        given.json.write_text(
            json.dumps([as_json(verdict) for verdict in verdicts], indent=1, ensure_ascii=False), 'utf-8'
        )
    failed = sum(verdict.kind == 'failed' for verdict in verdicts)
    print(f'{sum(verdict.kind == "passed" for verdict in verdicts)} passed, {failed} failed', flush=True)
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(
        prog='python -m tests.golden', description="Replays recordings of what Node's request did through requite."
    )
    made.add_argument(
        'corpus', nargs='?', type=Path, metavar='CORPUS', help='the cases (default: ../shared/golden/corpus-open.json)'
    )
    made.add_argument(
        'expected', nargs='?', type=Path, metavar='EXPECTED', help='what Node did (default: beside the cases)'
    )
    made.add_argument('--area', type=_list, default=[], help='only these areas, separated by commas')
    made.add_argument('--id', type=_list, default=[], help='only these cases')
    made.add_argument(
        '--level',
        choices=('semantic', 'wire'),
        default='semantic',
        help='wire compares header order, case and framing as well',
    )
    made.add_argument('--recorder', type=Path, help='recorder.py, when it is not beside the cases')
    made.add_argument('--json', type=Path, metavar='OUT', help='write verdicts and results there')
    made.add_argument('-v', '--verbose', action='store_true', help='every difference, and a line for every case')
    return made


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(',') if part.strip()]


def chosen(cases: list[dict[str, Any]], areas: list[str], ids: list[str]) -> list[dict[str, Any]]:
    """The cases that are asked for; a name that fits nothing is an error."""
    unknown = sorted(set(areas) - {case['area'] for case in cases}) + sorted(set(ids) - {case['id'] for case in cases})
    if unknown:
        sys.exit(f'not in this corpus: {", ".join(unknown)}')
    return [case for case in cases if (not areas or case['area'] in areas) and (not ids or case['id'] in ids)]


def told(verdict: Verdict, *, verbose: bool = False) -> list[str]:
    """What is printed for a case: the first difference when it failed, and what a quirk without a decision did."""
    mark = {'failed': 'FAIL', 'inexpressible': 'SKIP'}.get(
        verdict.kind, 'LATER' if verdict.kind == 'later' and verbose else ''
    )
    note = ' (quirk, not listed)' if verdict.unlisted else ' (decided)' if verdict.decided else ''
    if not mark:
        return [f'QUIRK {verdict.id}: quirk (not listed)'] if verdict.unlisted else []
    shown = verdict.lines if verbose else verdict.lines[:1]
    reason = 'not expressible in Python: ' if verdict.kind == 'inexpressible' else ''
    return [f'{mark} {verdict.id}{note}: {reason}' + ' '.join(line.split())[:WIDTH] for line in shown]


def summarise(verdicts: list[Verdict], *, complete: bool) -> None:
    """Prints what is missing most, and the table by area."""
    missing = Counter(line for verdict in verdicts if verdict.kind == 'later' for line in verdict.lines)
    for line, times in missing.most_common():
        print(f'later ({times}): {line[:WIDTH]}')
    rows = {
        area: count(verdict for verdict in verdicts if verdict.area == area)
        for area in dict.fromkeys(v.area for v in verdicts)
    }
    rows['all'] = count(verdicts)
    print('\n' + 'area'.ljust(12) + ''.join(column.rjust(11) for column in COLUMNS))
    for area, counts in rows.items():
        print(area.ljust(12) + ''.join(str(counts[column]).rjust(11) for column in COLUMNS))
    if complete:
        idle = sorted(set(DECIDED) - {verdict.id for verdict in verdicts})
        if idle:
            print(f'decisions on cases that are not in this corpus: {len(idle)}')
    print()


def count(verdicts: Iterable[Verdict]) -> Counter[str]:
    """How many of each column."""
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        counts[{'inexpressible': 'no Python'}.get(verdict.kind, verdict.kind)] += 1
        counts['decided'] += verdict.decided and verdict.kind in ('passed', 'failed')
        counts['quirk'] += verdict.unlisted
    return counts


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for --json."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in verdict._asdict().items()}


if __name__ == '__main__':
    sys.exit(main())
