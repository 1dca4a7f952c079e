"""The clock of the signers."""

from __future__ import annotations

import random
import time

from requite.auth.clock import SYSTEM


def test_the_time_is_the_systems() -> None:
    assert abs(SYSTEM.now() - time.time()) < 5


def test_a_nonce_has_the_digits_that_were_asked_for_and_is_another_each_time() -> None:
    assert {len(SYSTEM.nonce(size)) for size in (5, 32)} == {5, 32}
    assert SYSTEM.nonce(32) != SYSTEM.nonce(32)
    assert int(SYSTEM.nonce(32), 16) >= 0


def test_q7_a_nonce_does_not_come_from_a_generator_that_can_be_foreseen() -> None:
    made = []
    for _ in range(2):
        random.seed(1)
        made.append(SYSTEM.nonce(32))
    assert made[0] != made[1]
