"""Cookie dates: what they name, and that reading one takes linear time."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite.cookies import dates


@pytest.mark.parametrize(
    'text',
    [
        'Wed, 21 Oct 2015 07:28:00 GMT',
        'Wednesday, 21-Oct-15 07:28:00 GMT',
        'Wed Oct 21 07:28:00 2015',
        '2015 21 october 07:28:00',
        'Wed, 21 Oct 2015 07:28:00 -0800',
        '07:28:00 21 oCTxxx 2015',
    ],
)
def test_every_spelling_of_a_moment_is_the_same_moment(text: str) -> None:
    assert dates.parse(text) == datetime(2015, 10, 21, 7, 28, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    'text',
    [
        '',
        'garbage',
        '01 Jan 2030 10:00',
        '01 Jan 1600 10:00:00',
        '30 Feb 2030 10:00:00',
        '00 Jan 2030 10:00:00',
        '32-Foo-0000 99:99:99',
        '01 Jan 2030 24:00:00',
        '01 Jan 2030 10:00:60',
        '01 Jan 12345 10:00:00',
        '٠١ Jan 2030 10:00:00',
    ],
)
def test_what_names_no_moment_is_no_date(text: str) -> None:
    assert dates.parse(text) is None


def test_two_digits_of_a_year_are_1970_to_2069() -> None:
    years = [dates.moment(dates.parse(f'1 Jan {year} 00:00:00') or 0).year for year in ('70', '99', '00', '69')]
    assert years == [1970, 1999, 2000, 2069]


def test_a_date_is_written_as_http_and_as_javascript_do() -> None:
    assert dates.write(1_445_412_480.0) == 'Wed, 21 Oct 2015 07:28:00 GMT'
    assert dates.write_iso(1_445_412_480.0) == '2015-10-21T07:28:00.000Z'
    assert dates.write_iso(1_445_412_480.25) == '2015-10-21T07:28:00.250Z'
    assert dates.parse_iso('2015-10-21T07:28:00.250Z') == 1_445_412_480.25
    assert dates.parse_iso('2015-10-21T07:28:00Z') == 1_445_412_480.0


@pytest.mark.parametrize(
    'text', ['', '2015-10-21', '2015-13-21T07:28:00.000Z', '2015-10-21T07:28:00+01:00', 'Infinity']
)
def test_only_javascripts_spelling_is_read_from_json(text: str) -> None:
    assert dates.parse_iso(text) is None


def test_a_moment_beyond_the_calendar_is_its_end() -> None:
    assert dates.moment(float('inf')).year == 9999
    assert dates.moment(-1e30).year == 1


def test_a_datetime_without_a_zone_is_utc() -> None:
    assert dates.seconds(datetime(1970, 1, 2)) == 86400.0  # noqa: DTZ001


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    when = dates.parse(text)
    assert when is None or dates.parse(dates.write(when)) == when


@pytest.mark.timing
@pytest.mark.parametrize('text', ['1-c-1' + ' ' * 65536 + '!', '1:' * 32768, 'jan' * 21845, '9' * 65536, '-1' * 32768])
def test_c5_p1_reading_a_date_takes_linear_time(text: str) -> None:
    """SECURITY C5, P1: 64 KB of the worst texts; the quadratic readers of bpo-38804 needed minutes."""
    began = time.perf_counter()
    dates.parse(text)
    assert time.perf_counter() - began < 0.5
