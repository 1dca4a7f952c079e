"""`request.debug`, REQUITE_DEBUG and NODE_DEBUG: who switches it, where it writes, and that off costs nothing."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from requite import debugging, request

LOG = logging.getLogger('requite')


@pytest.fixture(autouse=True)
def off_again() -> Iterator[None]:
    yield
    request.debug = False


def bared(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Standard error, and a root logger that nobody has set up. (No fixture: pytest changes both once more before the test begins.)"""
    stream = io.StringIO()
    monkeypatch.setattr(sys, 'stderr', stream)
    monkeypatch.setattr(logging.getLogger(), 'handlers', [])
    return stream


def test_it_is_off_until_it_is_switched_on_and_off_again() -> None:
    level, handlers = LOG.level, list(LOG.handlers)
    assert request.debug is False
    request.debug = True
    assert request.debug is True
    assert LOG.isEnabledFor(logging.DEBUG)
    request.debug = False
    assert request.debug is False
    assert (LOG.level, LOG.handlers) == (level, handlers)


def test_it_is_one_switch_for_every_wrapper() -> None:
    api = request.defaults(json=True)
    api.debug = True
    assert request.debug
    request.debug = False
    assert not api.debug


def test_switching_on_twice_tells_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = bared(monkeypatch)
    for _ in range(3):
        request.debug = True
    LOG.debug('hello')
    assert bare.getvalue().count('hello') == 1
    assert bare.getvalue().endswith(' REQUEST hello\n')
    request.debug = False
    LOG.debug('again')
    assert 'again' not in bare.getvalue()


def test_a_level_of_ones_own_is_put_back() -> None:
    before = LOG.level
    try:
        LOG.setLevel(logging.ERROR)
        request.debug = True
        request.debug = False
        assert LOG.level == logging.ERROR
    finally:
        LOG.setLevel(before)


def test_standard_error_may_change_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = bared(monkeypatch)
    request.debug = True
    other = io.StringIO()
    monkeypatch.setattr(sys, 'stderr', other)
    LOG.debug('hello')
    assert (bare.getvalue(), other.getvalue().count('hello')) == ('', 1)
    monkeypatch.setattr(sys, 'stderr', None)
    LOG.debug('nobody hears')


def test_a_root_logger_that_writes_there_already_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = bared(monkeypatch)
    root = logging.StreamHandler(bare)
    logging.getLogger().addHandler(root)
    request.debug = True
    LOG.debug('hello')
    assert bare.getvalue() == 'hello\n'
    root.setLevel(logging.ERROR)
    LOG.debug('only here')
    assert bare.getvalue().count('only here') == 1


@pytest.mark.parametrize(
    ('variables', 'wanted'),
    [
        ({}, False),
        ({'REQUITE_DEBUG': '1'}, True),
        ({'REQUITE_DEBUG': 'yes'}, True),
        ({'REQUITE_DEBUG': '0'}, False),
        ({'REQUITE_DEBUG': ' False '}, False),
        ({'REQUITE_DEBUG': ''}, False),
        ({'NODE_DEBUG': 'request'}, True),
        ({'NODE_DEBUG': 'http,request,net'}, True),
        ({'NODE_DEBUG': 'requests'}, False),
        ({'NODE_DEBUG': 'http'}, False),
    ],
)
def test_the_environment_switches_it_on_when_requite_is_imported(variables: dict[str, str], wanted: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ('REQUITE_DEBUG', 'NODE_DEBUG')}
    source = str(Path(debugging.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, '-c', 'import requite; print(requite.request.debug)'],
        env={**environment, 'PYTHONPATH': source, **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.strip() == str(wanted)
