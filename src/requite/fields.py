"""What header fields a caller may give: names, values, and those that decide where a message ends.

Sources: RFC 9110 5.1 and 5.5, RFC 9112 3.2, 6.1 and 6.2. A value never stands in an error: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.errors import InvalidOptionType, OptionsError
from requite.headers import FIELD_VALUE, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable


def header_name(name: str, key: Any) -> str:
    """A field name (RFC 9110 5.1)."""
    if not isinstance(key, str):
        raise InvalidOptionType(f'option {name!r}: the name of a header must be a str, not {checks.kind(key)}')
    if TOKEN.fullmatch(key) is None:
        # What follows the first wrong character is not shown: it may be the value, written into the name.
        start = TOKEN.match(key)
        good = start[0] if start else ''
        wrong = f'hold {key[len(good)]!r} after {good[:40]!r}' if key else 'be empty'
        raise OptionsError(f'option {name!r}: the name of a header may not {wrong}; use letters, digits and - only')
    return key


def header_value(name: str, key: str, value: Any) -> str | tuple[str, ...]:
    """A field value: str, bytes, a number, True or False; or a list of them, sent as one line each. Blanks around it are sent, as in Node."""
    if type(value) is not str:
        if isinstance(value, (list, tuple)):
            return tuple(_line(name, key, item) for item in value)
        return _line(name, key, value)
    if FIELD_VALUE.fullmatch(value) is None:
        raise _bad_value(name, key, value)
    text: str = value
    return text.strip(' \t') if key.lower() in _FRAMING else text


def _line(name: str, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, (int, float)):
        return _number(name, key, value)
    if isinstance(value, (bytes, bytearray)):
        value = value.decode('latin-1')
    if not isinstance(value, str):
        raise InvalidOptionType(
            f'option {name!r}: header {key!r} must be a str, bytes, number or a list of them, not {checks.kind(value)}'
        )
    if FIELD_VALUE.fullmatch(value) is None:
        raise _bad_value(name, key, value)
    return value.strip(' \t') if key.lower() in _FRAMING else value


def _number(name: str, key: str, value: float) -> str:
    if isinstance(value, int):
        return int.__repr__(value)
    if value - value != 0:  # NaN and the infinities
        raise OptionsError(
            f'option {name!r}: header {key!r} is {value!r}, which is no number that a header can hold; leave it out'
        )
    return repr(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)


def _bad_value(name: str, key: str, value: str) -> OptionsError:
    offender = next(char for char in value if FIELD_VALUE.fullmatch(char) is None)
    fix = (
        'take the line break out'
        if offender in '\r\n'
        else 'encode it, or send it as bytes'
        if offender > '\xff'
        else 'take it out'
    )
    return OptionsError(f'option {name!r}: the value of header {key!r} may not hold {offender!r}; {fix}')


def header_fields(name: str, value: Any) -> dict[str, tuple[str, Any]]:
    """Headers as ``{lower-cased name: (name, value)}`` in the caller's order and case; the value None takes a default header away."""
    if value is None:
        return {}
    if type(value) is dict or isinstance(value, Mapping):
        pairs: Iterable[Any] = value.items()
    elif isinstance(value, (list, tuple)):
        pairs = value
    else:
        raise checks.wrong_type(name, value, 'a mapping or a list of (name, value) pairs')
    fields: dict[str, tuple[str, Any]] = {}
    for pair in pairs:
        if type(pair) is not tuple or len(pair) != 2:
            pair = _pair(name, pair)
        key, item = pair
        lowered = _names.get(key) if type(key) is str else None
        if lowered is None:
            lowered = _remembered(header_name(name, key))
        if type(item) is str and _is_value(item) is not None:
            if lowered in _FRAMING:
                item = item.strip(' \t')
        elif item is not None:
            item = header_value(name, key, item)
        before = fields.get(lowered)
        if before is not None and before[1] is not None and item is not None:
            item = _lines(before[1]) + _lines(item)
            key = before[0]
        fields[lowered] = (key, item)
    if not _FRAMING.isdisjoint(fields):
        framing(name, fields)
    return fields


_names: dict[str, str] = {}
_is_value = FIELD_VALUE.fullmatch


def _remembered(key: str) -> str:
    """A checked name in lower case, kept so that the next request need not check it again."""
    lowered = key.lower()
    if len(key) <= 64:
        if len(_names) >= 1024:
            _names.clear()
        _names[key] = lowered
    return lowered


def _pair(name: str, pair: Any) -> tuple[Any, Any]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise InvalidOptionType(f'option {name!r} must hold (name, value) pairs, not {checks.kind(pair)}')
    return pair[0], pair[1]


_FRAMING = frozenset(('content-length', 'transfer-encoding', 'host'))


def framing(name: str, fields: Mapping[str, tuple[str, Any]]) -> None:
    """Raises ``OptionsError`` where the fields that decide where a message ends, or for whom it is, cannot be meant (RFC 9112 3.2, 6.1, 6.2)."""
    host, length, coding = (fields.get(key, ('', None))[1] for key in ('host', 'content-length', 'transfer-encoding'))
    if isinstance(host, tuple):
        raise OptionsError(f'option {name!r}: host may be given only once (RFC 9112 3.2); keep one of its values')
    if length is not None and not (
        isinstance(length, str) and length.isascii() and length.isdigit() and len(length) <= 18
    ):
        raise OptionsError(
            f'option {name!r}: content-length must be one number of bytes, not {checks.shown(length)}; leave it out to have it set'
        )
    if coding is not None and str(coding).lower() != 'chunked':
        raise OptionsError(
            f"option {name!r}: transfer-encoding can only be 'chunked', not {checks.shown(coding)}; leave it out"
        )
    if length is not None and coding is not None:
        raise OptionsError(
            f'option {name!r}: content-length and transfer-encoding exclude each other (RFC 9112 6.2); leave one out'
        )


def _lines(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value
