"""The benchmark of the signers still runs; each costs a request some microseconds, and none of them a round trip."""

from __future__ import annotations

from statistics import median

import pytest

from .signers import BEGIN, END, PAGE, SIGNERS, able, measure, table

MOST = 400.0
"""Microseconds that a signature without a private key may add on a busy machine; on a quiet one it is a tenth."""


@pytest.mark.timing
@pytest.mark.parametrize('name', SIGNERS)
def test_a_signature_costs_little_and_no_round_trip(name: str) -> None:
    if not able(name):
        pytest.skip('this version does not sign so')
    cost = measure(name, 3, 50)
    assert median(cost.added) < (MOST * 10 if 'RSA' in name.upper() else MOST)
    assert name in table([cost])


def test_there_is_a_place_for_the_table() -> None:
    page = PAGE.read_text(encoding='utf-8')
    assert 0 < page.find(BEGIN) < page.find(END)
