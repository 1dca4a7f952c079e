"""JSON written value by value, as ECMA-262's SerializeJSONProperty does: for replacers, cycles, odd numbers and odd keys.

``jsondoc.dumps`` comes here only when the standard library's fast encoder cannot write a value as JavaScript would. It writes text with
a mark on what is rare, so that plain data never pay for it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from requite.errors import InvalidBody, InvalidOptionType

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final


class _Drop:
    """The type of DROP."""

    __slots__ = ()

    def __repr__(self) -> str:
        return 'DROP'


DROP: Final = _Drop()
"""What a replacer or a reviver returns to leave a member out: JavaScript's undefined."""

_quoted = json.JSONEncoder(ensure_ascii=False).encode

# Where the fast encoder's text may have a float that JavaScript writes in another way. Compiled, and kept, by `re` at the first use.
_ODD_NUMBER = r'\d(?:\.0(?=[,\]}":]|\Z)|e[-+]\d)'
_ODD_KEY = r'"-?\d+(?:\.\d+)?(?:\.0|e[-+]\d+)":'
_STRING_OR_FLOAT = r'"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+(?:e[-+]\d+)?|e[-+]\d+)'


def number(value: float) -> str:
    """A number as JavaScript writes it: 1, 1e+21, 1e-7, null for what is none (ECMA-262 Number::toString)."""
    if not math.isfinite(value):
        return 'null'
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    mantissa, _, exponent = float.__repr__(abs(value)).partition('e')
    whole, _, fraction = mantissa.partition('.')
    point = len(whole) + int(exponent or 0)  # digits before the decimal point
    digits = (whole + fraction).rstrip('0') if fraction.strip('0') or exponent else whole.rstrip('0')
    stripped = digits.lstrip('0')
    point -= len(digits) - len(stripped)
    return ('-' if value < 0 else '') + _placed(stripped, point)


def _placed(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= 21:
        return digits + '0' * (point - count)
    if 0 < point <= 21:
        return f'{digits[:point]}.{digits[point:]}'
    if -6 < point <= 0:
        return '0.' + '0' * -point + digits
    fraction = f'.{digits[1:]}' if count > 1 else ''
    return f'{digits[0]}{fraction}e{point - 1:+d}'


def javascript_numbers(text: str) -> str | None:
    """The fast encoder's text with its floats as JavaScript writes them; None when a key may have been one: strings look like that too."""
    if re.search(_ODD_NUMBER, text) is None:
        return text
    if re.search(_ODD_KEY, text) is not None:
        return None
    return re.sub(_STRING_OR_FLOAT, _renumbered, text)


def _renumbered(match: re.Match[str]) -> str:
    token = match[0]
    return token if token[0] == '"' else number(float(token))


def plain(value: Any) -> Any:
    """What JSON can hold in place of an object: the text of a date, what ``to_json`` or ``toJSON`` gives, a mapping as dict.

    Anything else is returned as it is. Classes are not asked, only their instances.
    """
    from datetime import date, datetime

    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, type):
        for name in ('to_json', 'toJSON'):
            method = getattr(value, name, None)
            if callable(method):
                return method()
    return dict(value) if isinstance(value, Mapping) else value


def plain_or_refuse(value: Any) -> Any:
    """``plain`` for the fast encoder; raises TypeError for what stays unknown."""
    made = plain(value)
    if made is value:
        raise TypeError('not JSON')
    return made


def _instant(value: Any) -> str:
    """``toISOString``: UTC, to the millisecond."""
    from datetime import timezone

    try:
        text: str = value.astimezone(timezone.utc).isoformat(timespec='milliseconds')
    except (OverflowError, ValueError, OSError):  # the first and the last day that Python knows, in another zone
        raise InvalidBody(
            f'json: the datetime {value!r} cannot be told in UTC; give it with tzinfo, or as text'
        ) from None
    return text.replace('+00:00', 'Z')


class _Cycle(Exception):
    """A container holds itself."""


def write(value: Any, replacer: Any = None) -> bytes:
    """The JSON text of a value, see ``jsondoc.dumps``."""
    function, names = _replacer(replacer)
    try:
        try:
            text = _Writer(function, names, name_cycles=False).document(value)
        except _Cycle:
            text = _Writer(function, names, name_cycles=True).document(value)
    except RecursionError:
        raise InvalidBody(
            'json: the value is nested too deeply to be written; give a flatter one, or its text as body'
        ) from None
    return text.encode('utf-8', 'backslashreplace')


def _replacer(replacer: Any) -> tuple[Callable[[str, Any], Any] | None, list[str] | None]:
    if replacer is None or callable(replacer):
        return replacer, None
    if isinstance(replacer, (list, tuple)):
        names = (name if isinstance(name, str) else _number_key(name) for name in replacer)
        return None, list(dict.fromkeys(name for name in names if name is not None))
    raise InvalidOptionType(
        f'json_replacer is {type(replacer).__name__}; give a callable (key, value), or a list of the keys to keep'
    )


def _number_key(name: Any) -> str | None:
    if isinstance(name, bool) or not isinstance(name, (int, float)):
        return None
    return _key(name)


def _key(name: Any) -> str | None:
    """A key as JavaScript writes it; None for what cannot be one."""
    if isinstance(name, str):
        return name
    if name is None:
        return 'null'
    if isinstance(name, bool):
        return 'true' if name else 'false'
    if isinstance(name, int):
        return int.__repr__(name)
    if isinstance(name, float):
        if math.isnan(name):
            return 'NaN'
        if math.isinf(name):
            return 'Infinity' if name > 0 else '-Infinity'
        return number(name)
    return None


class _Writer:
    """Writes one document. ``around`` are the containers around the value at hand, ``path`` the keys that lead to it."""

    def __init__(
        self, replacer: Callable[[str, Any], Any] | None, names: list[str] | None, *, name_cycles: bool
    ) -> None:
        self._replacer = replacer
        self._names = names
        self._name_cycles = name_cycles
        self._around: list[Any] = []
        self._path: list[str | int] = []
        self._out: list[str] = []

    def document(self, value: Any) -> str:
        if not self._value('', value):
            raise InvalidBody(
                'json: nothing is left of the value; leave `json` out to send no body, or None in it for null'
            )
        return ''.join(self._out)

    def _value(self, key: str, value: Any) -> bool:
        """Write a value; False, with nothing written, when it is to be dropped."""
        if self._name_cycles:
            value = self._named(value)
        if not isinstance(value, _PLAIN):
            value = plain(value)
        if self._replacer is not None:
            value = self._replacer(key, value)
            if not isinstance(value, _PLAIN):
                value = plain(value)
        if value is DROP:
            return False
        if isinstance(value, (dict, list, tuple)):
            self._container(value)
        else:
            self._out.append(self._scalar(value))
        return True

    def _named(self, value: Any) -> Any:
        """The place of a container that is around itself, as json-stringify-safe, which Node's request uses, writes it."""
        for depth, container in enumerate(self._around):
            if container is value:
                return '[Circular ~' + ''.join(f'.{key}' for key in self._path[:depth]) + ']'
        return value

    def _scalar(self, value: Any) -> str:
        if isinstance(value, str):
            return _quoted(value)
        if value is None or isinstance(value, bool):
            return {None: 'null', True: 'true', False: 'false'}[value]
        if isinstance(value, float):
            return number(value)
        if isinstance(value, int):
            try:
                return int.__repr__(value)
            except ValueError:  # Python's own bound on digits
                raise InvalidBody(f'json: {self._place()} is an integer of too many digits; give it as text') from None
        raise InvalidBody(
            f'json: {self._place()} is {type(value).__name__}, which JSON cannot hold; '
            'give str, numbers, lists, dicts, or an object with to_json(), or send it as body'
        )

    def _container(self, value: Any) -> None:
        if any(container is value for container in self._around):
            raise _Cycle
        self._around.append(value)
        if isinstance(value, dict):
            self._members(value)
        else:
            self._items(value)
        self._around.pop()

    def _members(self, value: dict[Any, Any]) -> None:
        out = self._out
        out.append('{')
        comma = ''
        for key, member in self._chosen(value):
            start = len(out)
            out.append(f'{comma}{_quoted(key)}:')
            self._path.append(key)
            if self._value(key, member):
                comma = ','
            else:
                del out[start:]
            self._path.pop()
        out.append('}')

    def _chosen(self, value: dict[Any, Any]) -> list[tuple[str, Any]]:
        members = {}
        for name, member in value.items():
            key = _key(name)
            if key is None:
                raise InvalidBody(
                    f'json: {self._place()} has a key of type {type(name).__name__}; keys are str or numbers'
                )
            members[key] = member
        if self._names is None:
            return list(members.items())
        return [(name, members[name]) for name in self._names if name in members]

    def _items(self, value: Any) -> None:
        out = self._out
        out.append('[')
        for index, item in enumerate(value):
            if index:
                out.append(',')
            self._path.append(index)
            if not self._value(str(index), item):
                out.append('null')
            self._path.pop()
        out.append(']')

    def _place(self) -> str:
        steps = (f'[{key}]' if isinstance(key, int) else f'.{key}' for key in self._path)
        return ''.join(steps).lstrip('.') or 'the value'


_PLAIN = (str, int, float, dict, list, tuple, type(None), _Drop)
