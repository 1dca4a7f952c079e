"""The fixture of ``requite.testing`` for pytest, which finds it by the entry point. Apart from the package, so that no test run pays for requite that does not use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requite.testing import Mock


@pytest.fixture
def requite_mock() -> Iterator[Mock]:
    """Answers every request of requite for the time of the test, instead of the network."""
    from requite.testing import Mock

    with Mock() as mock:
        yield mock
