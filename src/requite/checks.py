"""What an option's value must be: one small function a kind of value.

Each takes the option's name and the value, returns the value as the rest of the library uses it, and raises an error that names the
option, the value and the fix. None passes through: it always means "as if it had not been given".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from requite.errors import InvalidOptionType, OptionsError
from requite.headers import FIELD_VALUE, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable

METHODS = frozenset('CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE'.split())

Field = 'tuple[str, str | tuple[str, ...]]'


class Method(str):
    """A standard method, upper case as it is sent, that remembers how the caller spelt it: Node shows that spelling."""

    __slots__ = ('spelling',)

    def __new__(cls, sent: str, spelling: str) -> Method:
        method = super().__new__(cls, sent)
        method.spelling = spelling
        return method

    spelling: str


def shown(value: object) -> str:
    """A short text for a value in an error: its type, and the value itself where it is short and cannot be a secret."""
    if isinstance(value, (bool, int, float)) or value is None:
        return repr(value)
    if isinstance(value, str):
        return repr(value) if len(value) <= 60 else repr(value[:57]) + '...'
    return f'a {type(value).__name__}'


def wrong_type(name: str, value: object, wanted: str) -> InvalidOptionType:
    """The error for a value of the wrong type."""
    return InvalidOptionType(f'option {name!r} must be {wanted}, not {shown(value)}')


def boolean(name: str, value: Any) -> bool:
    """True or False."""
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    raise wrong_type(name, value, 'True or False')


def text(name: str, value: Any) -> str | None:
    """A str."""
    if value is None or isinstance(value, str):
        return value
    raise wrong_type(name, value, 'a str')


def function(name: str, value: Any) -> Any:
    """A callable."""
    if value is None or callable(value):
        return value
    raise wrong_type(name, value, 'a callable')


def mapping(name: str, value: Any) -> Mapping[Any, Any] | None:
    """A mapping, copied so that later changes of the caller's have no effect."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return dict(value)
    raise wrong_type(name, value, 'a mapping')


def count(name: str, value: Any) -> int | None:
    """A whole number from 0 up."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(name, value, 'an int')
    if value < 0:
        raise OptionsError(f'option {name!r} must be 0 or more, not {value}')
    return value


def milliseconds(name: str, value: Any) -> float | None:
    """An int of milliseconds or a timedelta, as seconds; None is no limit."""
    if value is None:
        return None
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, float):
        raise InvalidOptionType(
            f'option {name!r} counts milliseconds and must be an int or a timedelta, not {value!r}: '
            f'write {max(1, round(value * 1000))} if you meant {value:g} seconds'
        )
    elif isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(name, value, 'an int of milliseconds or a timedelta')
    else:
        seconds = value / 1000
    if seconds <= 0:
        raise OptionsError(f'option {name!r} must be more than 0 milliseconds, not {value}; pass None for no limit')
    return seconds


def http_method(name: str, value: Any) -> str:
    """A method token (RFC 9110 9.1). The standard ones are put in upper case, as Node does on the wire; others are kept as given."""
    if value is None:
        return 'GET'
    if not isinstance(value, str):
        raise wrong_type(name, value, 'a str')
    upper = value.upper()
    if upper in METHODS:
        return upper if upper == value else Method(upper, value)
    if TOKEN.fullmatch(value) is None:
        raise OptionsError(f"option {name!r} must be a token of letters, digits and !#$%&'*+-.^_`|~, not {shown(value)}")
    return value


def header_name(name: str, key: Any) -> str:
    """A field name (RFC 9110 5.1)."""
    if not isinstance(key, str):
        raise InvalidOptionType(f'option {name!r}: the name of a header must be a str, not {shown(key)}')
    if TOKEN.fullmatch(key) is None:
        raise OptionsError(f'option {name!r}: {shown(key)} is not a header name; use letters, digits and - only')
    return key


def header_value(name: str, key: str, value: Any) -> str | tuple[str, ...]:
    """A field value: str, bytes, a number, True or False; or a list of them, sent as one line each."""
    kind = type(value)
    if kind is not str:
        if isinstance(value, (list, tuple)):
            return tuple(_line(name, key, item) for item in value)
        return _line(name, key, value)
    if FIELD_VALUE.fullmatch(value) is None:
        raise _bad_value(name, key, value)
    return value.strip(' \t')


def _line(name: str, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, (int, float)):
        return repr(int(value)) if isinstance(value, float) and value.is_integer() else repr(value)
    if isinstance(value, (bytes, bytearray)):
        value = value.decode('latin-1')
    if not isinstance(value, str):
        raise InvalidOptionType(f'option {name!r}: header {key!r} must be a str, bytes, number or a list of them, not {shown(value)}')
    if FIELD_VALUE.fullmatch(value) is None:
        raise _bad_value(name, key, value)
    return value.strip(' \t')


def _bad_value(name: str, key: str, value: str) -> OptionsError:
    offender = next(char for char in value if FIELD_VALUE.fullmatch(char) is None)
    fix = 'take the line break out' if offender in '\r\n' else 'encode it, or send it as bytes' if offender > '\xff' else 'take it out'
    return OptionsError(f'option {name!r}: the value of header {key!r} may not hold {offender!r}; {fix}')


def header_fields(name: str, value: Any) -> dict[str, tuple[str, Any]]:
    """Headers as ``{lower-cased name: (name, value)}`` in the caller's order and case; the value None takes a default header away."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        pairs: Iterable[Any] = value.items()
    elif isinstance(value, (list, tuple)):
        pairs = value
    else:
        raise wrong_type(name, value, 'a mapping or a list of (name, value) pairs')
    fields: dict[str, tuple[str, Any]] = {}
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise InvalidOptionType(f'option {name!r} must hold (name, value) pairs, not {shown(pair)}')
        key = header_name(name, pair[0])
        item = None if pair[1] is None else header_value(name, key, pair[1])
        lowered = key.lower()
        before = fields.get(lowered)
        if before is not None and before[1] is not None and item is not None:
            item = _lines(before[1]) + _lines(item)
            key = before[0]
        fields[lowered] = (key, item)
    return fields


def _lines(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value
