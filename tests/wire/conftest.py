"""Every pool that a test made is closed behind it, so that no socket is left to the garbage collector."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from requite.transport import pools


@pytest.fixture(autouse=True)
def no_pool_is_left_open() -> Iterator[None]:
    yield
    for pool in list(pools._every_pool):
        pool.close()
