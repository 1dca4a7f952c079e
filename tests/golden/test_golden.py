"""Every recorded case, by area: requite does what Node's request did, or what was decided instead."""

from __future__ import annotations

import gc
import warnings

import pytest

from requite import RequestNotSentWarning

from . import corpus as corpora
from .decided import DECIDED
from .replay import run

try:
    CORPUS = corpora.load()
    ABSENT = ''
except corpora.Absent as absent:
    CORPUS = None
    ABSENT = f'no recordings: {absent}'


@pytest.mark.skipif(CORPUS is None, reason=ABSENT or 'recordings are here')
@pytest.mark.parametrize('area', corpora.areas(CORPUS.cases) if CORPUS else ['none'])
def test_requite_does_what_the_recordings_and_the_decisions_say(area: str) -> None:
    """Cases that need what is not available yet are left out; that none of the others differs is what counts."""
    assert CORPUS is not None
    with warnings.catch_warnings():
        # A case that stops half-way is aborted and let go, with its connections: the library says so, rightly, and it is not the subject here.
        warnings.simplefilter('ignore', ResourceWarning)
        warnings.simplefilter('ignore', RequestNotSentWarning)
        verdicts = [run(case, CORPUS) for case in CORPUS.cases if case['area'] == area]
        gc.collect()
    failed = [f'{verdict.id}: {verdict.lines[0]}' for verdict in verdicts if verdict.kind == 'failed']
    assert not failed, '\n'.join(failed)


def test_every_decision_has_a_reason_and_no_quirk_of_the_recordings_is_without_one() -> None:
    assert all(decision.reason for decision in DECIDED.values())
    if CORPUS is None:
        pytest.skip(ABSENT)
    flagged = {case['id'] for case in CORPUS.cases if case.get('quirk')}
    assert sorted(flagged - DECIDED.keys()) == []
