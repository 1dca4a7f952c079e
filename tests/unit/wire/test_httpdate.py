"""HTTP-date: the three forms of RFC 9110 5.6.7, and what is none of them."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from requite.wire.httpdate import parse

MOMENT = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110


@pytest.mark.parametrize(
    'text',
    [
        'Sun, 06 Nov 1994 08:49:37 GMT',
        'Sunday, 06-Nov-94 08:49:37 GMT',
        'Sun Nov  6 08:49:37 1994',
        'sun, 06 nov 1994 08:49:37 GMT',
    ],
)
def test_the_three_forms_are_one_moment(text: str) -> None:
    assert parse(text) == MOMENT


def test_what_others_write_is_read() -> None:
    now = int(time.time())
    assert parse(formatdate(now, usegmt=True)) == now


def test_two_digits_of_a_year_are_of_the_nearer_century() -> None:
    assert parse('Friday, 01-Jan-69 00:00:00 GMT') == parse('Tue, 01 Jan 2069 00:00:00 GMT')
    assert parse('Friday, 01-Jan-70 00:00:00 GMT') == 0


def test_a_leap_second_is_a_second() -> None:
    assert parse('Sat, 31 Dec 2016 23:59:60 GMT') == parse('Sun, 01 Jan 2017 00:00:00 GMT')


@pytest.mark.parametrize(
    'text',
    [
        '',
        '0',
        '-1',
        'soon',
        'Sun, 06 Nov 1994 08:49:37',
        'Sun, 06 Nov 1994 08:49:37 CET',
        'Sun, 06 Nov 1994 08:49:37 GMT ',
        'Sun, 32 Nov 1994 08:49:37 GMT',
        'Sun, 00 Nov 1994 08:49:37 GMT',
        'Sun, 06 Foo 1994 08:49:37 GMT',
        'Sun, 06 Nov 1994 24:49:37 GMT',
        'Sun, 06 Nov 1994 08:60:37 GMT',
        'Sun, 06 Nov 1994 08:49:61 GMT',
        'Sun, 06 Nov 1600 08:49:37 GMT',
        'Sun, ٠٦ Nov 1994 08:49:37 GMT',
        '1994-11-06T08:49:37Z',
        'Sun, 06 Nov 1994 08:49:37 GMT\n',
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse(text) is None


def test_hostile_text_costs_nothing() -> None:
    """SECURITY P1."""
    begun = time.perf_counter()
    for text in ('Sun, ' * 20000, 'a' * 65536, ' ' * 65536, 'Sun Nov ' + '0' * 65536):
        assert parse(text) is None
    assert time.perf_counter() - begun < 0.1
