"""A few seconds of the load: no wrong answer, nothing late, nothing left."""

from __future__ import annotations

import sys

import pytest

from tests.load.__main__ import run


@pytest.mark.timing
@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='what stays behind is counted in /proc')
def test_under_chaos_every_request_ends_in_its_own_answer_or_a_clean_error() -> None:
    """SECURITY D2, P2, S4."""
    try:
        figures = run(30, 5.0, 16)
    except LookupError as missing:
        pytest.skip(str(missing))
    assert figures.problems(16, grace=10.0) == []
    assert figures.outcomes['answered'] > 100
