"""The clock of the signers."""

from __future__ import annotations

import time

from requite.auth.clock import SYSTEM


def test_the_time_is_the_systems() -> None:
    assert abs(SYSTEM.now() - time.time()) < 5


def test_a_nonce_has_the_digits_that_were_asked_for_and_is_another_each_time() -> None:
    assert {len(SYSTEM.nonce(size)) for size in (5, 32)} == {5, 32}
    assert SYSTEM.nonce(32) != SYSTEM.nonce(32)
    assert int(SYSTEM.nonce(32), 16) >= 0
