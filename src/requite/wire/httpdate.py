"""HTTP-date (RFC 9110 5.6.7): the one form that is made, and the two old ones that are still read."""

from __future__ import annotations

import re
from calendar import timegm

MONTHS = ('jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec')
LONGEST = 64

_IMF = re.compile(r'[A-Za-z]{3}, (\d{2}) ([A-Za-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT', re.ASCII)
_RFC850 = re.compile(r'[A-Za-z]{6,9}, (\d{2})-([A-Za-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT', re.ASCII)
_ASCTIME = re.compile(r'[A-Za-z]{3} ([A-Za-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})', re.ASCII)


def parse(text: str) -> int | None:
    """Seconds since 1970, None for what is no date. Two digits of a year are of this century below 70 (as in cookies), of the last one otherwise."""
    if len(text) > LONGEST:
        return None
    found = _IMF.fullmatch(text) or _RFC850.fullmatch(text)
    if found is not None:
        day, month, year, hour, minute, second = found.groups()
    elif (found := _ASCTIME.fullmatch(text)) is not None:
        month, day, hour, minute, second, year = found.groups()
    else:
        return None
    if month.lower() not in MONTHS:
        return None
    full = int(year) if len(year) == 4 else int(year) + (2000 if int(year) < 70 else 1900)
    moment = (full, MONTHS.index(month.lower()) + 1, int(day), int(hour), int(minute), int(second))
    if not (1 <= moment[2] <= 31 and moment[3] < 24 and moment[4] < 60 and moment[5] <= 60 and full >= 1601):
        return None
    return timegm((*moment, 0, 0, 0))
