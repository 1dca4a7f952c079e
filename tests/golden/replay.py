"""One case, from its recording to a verdict."""

from __future__ import annotations

import tempfile
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import compare, decision, situations, world
from .decided import DECIDED, LATER
from .drive import Driver, Later
from .values import Inexpressible

if TYPE_CHECKING:
    from .corpus import Corpus

SLACK = 2.0
"""Seconds that a case may take beyond its own limit: the machine may be busy."""


class Verdict(NamedTuple):
    """``kind`` is passed, failed, later or inexpressible; ``lines`` say why. ``decided`` tells that a decision was checked, ``unlisted`` that
    the case is a quirk of Node's without one. ``result`` is what came, normalised."""

    id: str
    area: str
    kind: str
    lines: tuple[str, ...] = ()
    decided: bool = False
    unlisted: bool = False
    result: dict[str, Any] | None = None


def run(case: dict[str, Any], corpus: Corpus, level: str = 'semantic') -> Verdict:
    """Drives the case against the recorder and compares."""
    try:
        got = record(case, corpus)
    except Later as missing:
        return Verdict(case['id'], case['area'], 'later', (str(missing),), decided=case['id'] in DECIDED)
    except Inexpressible as reason:
        return Verdict(case['id'], case['area'], 'inexpressible', (str(reason),))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Verdict(
            case['id'], case['area'], 'failed', (f'cannot be driven: {error!r} at {where.name}:{where.lineno}',)
        )
    verdict = judge(case, corpus.wanted[case['id']], got, corpus, level)
    absent = [reason for reason, needed in LATER.items() if needed(case, corpus.wanted[case['id']])]
    return verdict._replace(kind='later', lines=tuple(absent)) if absent and verdict.kind == 'failed' else verdict


def record(case: dict[str, Any], corpus: Corpus) -> dict[str, Any]:
    """What came of the case, normalised; a case that hangs ends with ``no_outcome``. Raises ``Later`` and ``Inexpressible``."""
    recorder = corpus.recorder.Recorder(case)
    context = recorder.start()
    filled = corpus.recorder.subst(case, context)
    raised: list[BaseException] = []
    with tempfile.TemporaryDirectory(prefix='golden') as folder:
        driver = Driver(filled, Path(folder), corpus.keys)
        try:
            with world.names(), world.environment(filled.get('env')), world.clock(case.get('fake_now')):
                _guarded(driver, case, raised)
        finally:
            requests = recorder.stop()
    if raised:
        raise raised[0]
    entry = corpus.recorder.normalise(case, {**context, 'tmp': folder}, requests, driver.outcomes)
    return compare.normalise(case, entry)


def _guarded(driver: Driver, case: dict[str, Any], raised: list[BaseException]) -> None:
    def work() -> None:
        try:
            driver.run()
        except BaseException as error:  # to the thread that waits
            raised.append(error)

    world.fresh()
    thread = threading.Thread(target=work, name=f'golden {case["id"]}', daemon=True)
    thread.start()
    steps = len(case.get('seq', '.'))
    thread.join(max(case.get('limit_ms', 3000), 3000) * steps / 1000 + SLACK)
    if thread.is_alive():
        driver.outcomes.append({'no_outcome': True})
    driver.stop()
    thread.join(SLACK)
    world.fresh()


def judge(
    case: dict[str, Any], want: dict[str, Any], got: dict[str, Any], corpus: Corpus, level: str = 'semantic'
) -> Verdict:
    """Whether a result is what is expected: Node's, or the decision's where there is one."""
    about = {'id': case['id'], 'area': case['area'], 'result': got}
    decided = DECIDED.get(case['id']) or situations.decide(case, want)
    diff = corpus.recorder.diff_requests
    if decided is None and case.get('quirk'):
        lines = undefined_outcomes(got)
        return Verdict(kind='failed' if lines else 'passed', lines=tuple(lines), unlisted=True, **about)
    if decided is not None:
        try:
            want = decision.apply(decided, want, got)
        except decision.Unlike as unlike:
            return Verdict(kind='failed', lines=(f'decided: {unlike}',), decided=True, **about)
        case = {**case, 'node_specific': False}
    try:
        lines = compare.differences(case, want, got, diff, level)
    except Exception as error:  # an outcome of a shape that nobody thought of is a difference too
        lines = [f'cannot be compared: {error!r} at {traceback.extract_tb(error.__traceback__)[-1].line}']
    return Verdict(kind='failed' if lines else 'passed', lines=tuple(lines), decided=decided is not None, **about)


def undefined_outcomes(got: dict[str, Any]) -> list[str]:
    """What a quirk that nobody decided on must not do: hang, or raise what is no error of the library."""
    return [line for outcome in got['outcomes'] for line in compare.undefined(outcome)]
