"""Fixtures for every test: servers on loopback, a throw-away authority, and an environment without proxies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Authority, Handler, HttpServer, RawServer


def pytest_report_header() -> list[str]:
    """Which requite is tested: the installed wheel or the source tree."""
    import requite

    return [f'requite: {getattr(requite, "__version__", "?")} from {Path(requite.__file__ or "?").parent}']


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that measure time share one worker."""
    for item in items:
        if item.get_closest_marker('timing'):
            item.add_marker(pytest.mark.xdist_group('timing'))


@pytest.fixture(autouse=True)
def no_proxies_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxy variables stay out of the tests."""
    for name in list(os.environ):
        if name.lower() in ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'):
            monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """An HTTP server that answers each request with itself as JSON, until its `answers` or `routes` say otherwise."""
    with HttpServer() as started:
        yield started


@pytest.fixture
def raw_server() -> Iterator[Callable[..., RawServer]]:
    """A factory: `raw_server(handler, tls=None, host='127.0.0.1')` starts a `RawServer`, closed when the test ends."""
    with ExitStack() as stack:

        def start(handler: Handler, **options: Any) -> RawServer:
            return stack.enter_context(RawServer(handler, **options))

        yield start


@pytest.fixture
def http_server() -> Iterator[Callable[..., HttpServer]]:
    """A factory for tests that need several: `http_server(answers=echo, tls=None, host='127.0.0.1')`."""
    with ExitStack() as stack:

        def start(*args: Any, **options: Any) -> HttpServer:
            return stack.enter_context(HttpServer(*args, **options))

        yield start


@pytest.fixture(scope='session')
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that nobody trusts unless told: give `authority.path` or `authority.pem` as `ca`."""
    pytest.importorskip('trustme', reason='trustme makes the certificates')
    return Authority(tmp_path_factory.mktemp('authority'))


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[HttpServer]:
    """`server` over TLS, with a certificate for localhost and 127.0.0.1 from `authority`."""
    with HttpServer(tls=authority.context()) as started:
        yield started
