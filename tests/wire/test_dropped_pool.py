"""A pool that nobody holds any more: its kept connections are closed without a word."""

from __future__ import annotations

import gc
import warnings
from typing import Any

import pytest

from requite import request
from tests.servers import Authority, HttpServer


@pytest.mark.parametrize('circle', [False, True])
def test_a_dropped_pool_closes_what_it_kept_without_a_warning(
    circle: bool, server: HttpServer, tls_server: HttpServer, authority: Authority
) -> None:
    held: list[Any] = [{}]
    if circle:
        held.append(held)
    request.get(server.url, pool=held[0]).end()
    request.get(tls_server.url, ca=authority.path, pool=held[0]).end()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        del held
        gc.collect()
    assert [str(warning.message) for warning in said] == []
