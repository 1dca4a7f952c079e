"""The dates of ``Expires``, read by the algorithm of RFC 6265bis 5.1.1 (the same in RFC 6265) and written as RFC 9110 5.6.7 asks.

Every pattern is anchored and every token is looked at once: the time taken grows with the length of the text and not faster (SECURITY C5, P1).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split()
_DAYS = 'Mon Tue Wed Thu Fri Sat Sun'.split()

_token = re.compile('[^\t -/;-@\\[-`{-~]+').findall  # non-delimiter
_time = re.compile('([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])').match
_day = re.compile('([0-9]{1,2})(?![0-9])').match
_year = re.compile('([0-9]{2,4})(?![0-9])').match


def parse(text: str) -> float | None:
    """The moment that a cookie date names, in seconds since 1970, or None where it names none.

    Names of weekdays and of zones say nothing: every date is UTC. Years of two digits are 1970 to 2069.
    """
    time = day = month = year = None
    for token in _token(text):
        if time is None and (found := _time(token)):
            time = found.groups()
        elif day is None and (found := _day(token)):
            day = int(found[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (found := _year(token)):
            year = int(found[1])
    if time is None or day is None or month is None or year is None:
        return None
    return _moment(_full_year(year), month, day, time)


def _full_year(year: int) -> int:
    if 70 <= year <= 99:
        return year + 1900
    return year + 2000 if year <= 69 else year


def _moment(year: int, month: int, day: int, time: tuple[str, ...]) -> float | None:
    hour, minute, second = map(int, time)
    if year < 1601:
        return None
    try:
        return seconds(datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc))
    except ValueError:
        return None


def seconds(moment: datetime) -> float:
    """A moment in seconds since 1970; one without a zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - EPOCH).total_seconds()


def moment(when: float) -> datetime:
    """Seconds since 1970 as a moment in UTC; what a datetime cannot hold becomes the nearest that it can."""
    try:
        return EPOCH + timedelta(seconds=when)
    except (OverflowError, ValueError):
        return datetime.max.replace(tzinfo=timezone.utc) if when > 0 else datetime.min.replace(tzinfo=timezone.utc)


def write(when: float) -> str:
    """Seconds since 1970 as an HTTP date, ``Wed, 21 Oct 2015 07:28:00 GMT``."""
    date = moment(when)
    month = _MONTHS[date.month - 1].capitalize()
    return f'{_DAYS[date.weekday()]}, {date.day:02} {month} {date.year:04} {date.hour:02}:{date.minute:02}:{date.second:02} GMT'


def write_iso(when: float) -> str:
    """Seconds since 1970 as JavaScript's JSON writes a Date, with microseconds where there are any."""
    date = moment(when)
    fraction = f'{date.microsecond:06}'
    if fraction.endswith('000'):
        fraction = fraction[:3]
    return f'{date.year:04}-{date.month:02}-{date.day:02}T{date.hour:02}:{date.minute:02}:{date.second:02}.{fraction}Z'


_iso = re.compile(r'([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?Z').fullmatch


def parse_iso(text: str) -> float | None:
    """What ``write_iso`` and JavaScript write, in seconds since 1970; None for anything else."""
    found = _iso(text)
    if found is None:
        return None
    *parts, fraction = found.groups()
    try:
        whole = seconds(datetime(*map(int, parts), tzinfo=timezone.utc))  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return whole + (int(fraction) / 10 ** len(fraction) if fraction else 0)
