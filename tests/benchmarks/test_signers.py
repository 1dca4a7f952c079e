"""The benchmark of the signers still runs; each costs a request some microseconds, and none of them a round trip."""

from __future__ import annotations

from statistics import median

import pytest

from .signers import BEGIN, END, PAGE, SIGNERS, able, measure, table

MOST = 400.0
"""Microseconds that a signature without a private key, made here, may add on a busy machine; on a quiet one it is a tenth."""


def test_every_way_of_signing_and_every_algorithm_has_a_row() -> None:
    wanted = [
        'MD5',
        'SHA-256',
        'SHA-512-256',
        'Hawk',
        'HMAC-SHA1',
        'HMAC-SHA256',
        'RSA-SHA1',
        'PLAINTEXT',
        'version 2',
        'version 4',
        'in the query',
    ]
    wanted += [
        'hmac-sha256',
        'rsa-sha256',
        'ecdsa-sha256',
        'HTTP signature, ed25519',
        'message signature, ed25519',
        'ecdsa-p256',
        'rsa-pss',
    ]
    assert [name for name in wanted if not any(name in row for row in SIGNERS)] == []


@pytest.mark.timing
@pytest.mark.parametrize('name', SIGNERS)
def test_a_signature_costs_little_and_no_round_trip(name: str) -> None:
    if not able(name):
        pytest.skip('this version does not sign so')
    cost = measure(name, 3, 50)
    assert median(cost.added) < (MOST * 10 if 'RSA' in name.upper() or 'message' in name else MOST)
    assert name in table([cost])


def test_there_is_a_place_for_the_table() -> None:
    page = PAGE.read_text(encoding='utf-8')
    assert 0 < page.find(BEGIN) < page.find(END)
