"""The command: plays the picked cases one after another and says what was missed."""

from __future__ import annotations

import argparse
import collections
import json
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import hostile, watch

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSED = ('ok', 'error', 'raw', 'status')
# Everything else is a miss. SERVER-BUG and UNMAPPED say that the case was not played as it is meant.
ORDER = (*PASSED, 'later', 'OVERSTRICT', 'LAX', 'WRONG', 'HANG', 'MEM', 'CRASH', 'SERVER-BUG', 'UNMAPPED')


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m tests.faults', description='Run requite against the hostile server.'
    )
    parser.add_argument('--server', type=Path, default=hostile.DEFAULT_SERVER, help='the file of the server')
    parser.add_argument('--category', default='', help='only these categories, with commas between')
    parser.add_argument('--name', default='', help='only these cases, with commas between')
    parser.add_argument('--json', type=Path, help='write every verdict and every step to this file')
    parser.add_argument('--client', default='requite', help='requite, or one of the peers that check this harness')
    parser.add_argument('-v', '--verbose', action='store_true', help='a line for every case')
    return parser.parse_args(argv)


def play_one(module: Any, server: Any, child: watch.Child, fault: Any) -> dict[str, Any]:
    """One case from reset to verdict, as a row of the report."""
    server.reset()
    token = uuid.uuid4().hex[:12]
    case = module.case(fault, server, token)
    row: dict[str, Any] = {'name': fault.name, 'category': fault.cat}
    unknown = hostile.unmapped(case)
    if unknown:
        return row | {'verdict': 'UNMAPPED', 'note': 'the harness has no word for ' + ', '.join(unknown)}
    run = child.run(case)
    verdict, note = (run.verdict, run.note) if run.verdict else verdict_of(module, server, fault, run.result, token)
    return row | {
        'verdict': verdict,
        'note': note,
        'seconds': round(run.seconds, 3),
        'growth_mb': None if run.growth is None else round(run.growth, 1),
        'steps': run.result['steps'],
    }


def verdict_of(module: Any, server: Any, fault: Any, result: dict[str, Any], token: str) -> tuple[str, str]:
    """The server's own judgement, unless the client said that it cannot do this yet."""
    if 'later' in result:
        # Only what a case declares to need may be missing: a plain exchange must work.
        if fault.needs:
            return 'later', result['later']
        return 'CRASH', f'NotImplementedError: {result["later"]}'
    verdict, note = module.judge(fault, result, server, token)
    return ('OVERSTRICT' if verdict == 'overstrict' else verdict), note


def play_all(module: Any, faults: list[Any], client: str) -> Iterator[dict[str, Any]]:
    child = watch.Child(client)
    try:
        with hostile.serving(module) as server:
            for fault in faults:
                yield play_one(module, server, child, fault)
    finally:
        child.close()


def is_miss(row: dict[str, Any]) -> bool:
    return row['verdict'] not in PASSED and row['verdict'] != 'later'


def line_of(row: dict[str, Any]) -> str:
    note = f': {row["note"]}' if row['note'] else ''
    return f'{row["verdict"]} {row["name"]}{note}'.replace('\n', ' ')


def summary(rows: list[dict[str, Any]]) -> list[str]:
    counts = collections.Counter(row['verdict'] for row in rows)
    totals = '  '.join(f'{verdict} {counts[verdict]}' for verdict in ORDER if counts[verdict])
    passed = sum(counts[verdict] for verdict in PASSED)
    return [totals, f'{passed} passed, {sum(map(is_miss, rows))} failed']


def report(rows: list[dict[str, Any]]) -> str:
    return json.dumps({'totals': dict(collections.Counter(row['verdict'] for row in rows)), 'cases': rows}, indent=1)


def main(argv: list[str]) -> int:
    wanted = arguments(argv)
    rows: list[dict[str, Any]] = []
    try:
        module = hostile.load(wanted.server)
        faults = hostile.pick(module, _split(wanted.category), _split(wanted.name))
        for row in play_all(module, faults, wanted.client):
            rows.append(row)
            if wanted.verbose or is_miss(row):
                print(line_of(row), flush=True)
    except (hostile.Unusable, watch.ChildDied) as error:
        print(f'cannot run: {error}', file=sys.stderr)
        return 2
    if wanted.json:
        wanted.json.write_text(report(rows), encoding='utf-8')
    later = [row['name'] for row in rows if row['verdict'] == 'later']
    if later and wanted.verbose:
        print('later:', ', '.join(later))
    print('\n'.join(summary(rows)))
    return 1 if any(map(is_miss, rows)) else 0


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(',') if part.strip()]


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
