"""Numbers and dates as JavaScript writes them: what a server that talks to Node clients has learnt to expect."""

from __future__ import annotations

from datetime import date, datetime, timezone
from math import isfinite

from requite.errors import OptionsError


def number_text(value: int | float) -> str:  # noqa: PYI041 - mypy tells the two apart
    """A number as JavaScript's ``String(value)`` (ECMA-262, Number::toString): ``1.0`` is ``1``, ``1e21`` is ``1e+21``, True is ``true``.

    An int is written exactly, however big, as a BigInt is. Raises OptionsError when it has more digits than Python will convert.
    """
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, float):
        return _float_text(value)
    try:
        return int.__repr__(value)
    except ValueError:
        raise OptionsError('an int has more digits than Python converts to text (sys.set_int_max_str_digits)') from None


def _float_text(value: float) -> str:
    if not isfinite(value):
        return {'nan': 'NaN', 'inf': 'Infinity', '-inf': '-Infinity'}[float.__repr__(value)]
    if value == 0:
        return '0'
    sign = '-' if value < 0 else ''
    digits, point = _shortest(abs(value))
    size = len(digits)
    if size <= point <= 21:
        return sign + digits + '0' * (point - size)
    if 0 < point <= 21:
        return f'{sign}{digits[:point]}.{digits[point:]}'
    if -6 < point <= 0:
        return f'{sign}0.{"0" * -point}{digits}'
    fraction = f'.{digits[1:]}' if size > 1 else ''
    return f'{sign}{digits[0]}{fraction}e{point - 1:+d}'


def _shortest(value: float) -> tuple[str, int]:
    """The shortest digits that read back as this number, and where the point stands among them."""
    mantissa, _, exponent = float.__repr__(value).partition('e')
    whole, _, fraction = mantissa.partition('.')
    digits = (whole + fraction).lstrip('0')
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return digits.rstrip('0'), point


def date_text(value: date) -> str:
    """A date or datetime as JavaScript's ``toISOString``: UTC, milliseconds, ``Z``.

    A datetime without a zone is local time, as in ``datetime.timestamp()`` and in JavaScript's own constructor; a date is its midnight in
    UTC. Raises OptionsError when the moment lies outside the years 1 to 9999 in UTC.
    """
    if not isinstance(value, datetime):
        return f'{value.isoformat()}T00:00:00.000Z'
    try:
        moment = value.astimezone(timezone.utc)
    except (OverflowError, ValueError, OSError):
        raise OptionsError(f'{value.isoformat()} has no moment in UTC that can be written') from None
    return f'{moment.replace(tzinfo=None).isoformat(timespec="milliseconds")}Z'
