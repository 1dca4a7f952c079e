"""What a server asks with Retry-After, and a pause that an abort wakes."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate

import pytest

from requite import AbortError
from requite.message import AbortSignal
from requite.transport.memory import MemoryReply
from requite.transport.retrying import retry_after, sleep

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT


def asked(*values: str) -> float | None:
    return retry_after(MemoryReply(503, [('Retry-After', value) for value in values]), NOW)


@pytest.mark.parametrize(
    ('value', 'seconds'),
    [
        ('0', 0),
        ('120', 120),
        (' 7 ', 7),
        ('007', 7),
        ('99999999999', 99999999999),
        ('9' * 5000, float('inf')),
        (formatdate(NOW + 90, usegmt=True), 90),
        ('Sunday, 06-Nov-94 08:50:37 GMT', 60),
        ('Sun Nov  6 08:49:40 1994', 3),
        ('Sun, 06 Nov 1994 08:49:36 GMT', 0),
        ('Thu, 01 Jan 1970 00:00:00 GMT', 0),
        ('Fri, 31 Dec 9999 23:59:59 GMT', 252618189022),
    ],
)
def test_seconds_and_the_three_forms_of_a_date_are_read(value: str, seconds: float) -> None:
    """SECURITY D3."""
    assert asked(value) == seconds


@pytest.mark.parametrize('value', ['', '-5', '+5', '1.5', '1e3', '0x1', '٣', '²', 'soon', '5 s', 'inf', 'nan', '1, 2'])
def test_anything_else_says_nothing(value: str) -> None:
    """SECURITY D3."""
    assert asked(value) is None


def test_no_field_says_nothing_and_of_several_the_first_counts() -> None:
    assert asked() is None
    assert asked('1', '2') == 1


def test_hostile_text_costs_nothing() -> None:
    """SECURITY P1."""
    begun = time.perf_counter()
    for value in ('9' * 65536, ' ' * 65536, 'Sun, ' * 13000, '1' * 65535 + 'x'):
        asked(value)
    assert time.perf_counter() - begun < 0.1


def test_a_pause_ends_by_itself() -> None:
    signal = AbortSignal()
    begun = time.monotonic()
    sleep(signal, 0.05)
    assert 0.05 <= time.monotonic() - begun < 1
    assert signal._socket is None


@pytest.mark.parametrize('early', [True, False])
def test_an_abort_before_or_during_a_pause_ends_it(early: bool) -> None:
    signal = AbortSignal()
    if early:
        signal.abort()
    else:
        threading.Timer(0.05, signal.abort).start()
    begun = time.monotonic()
    with pytest.raises(AbortError):
        sleep(signal, 30)
    assert time.monotonic() - begun < 1
