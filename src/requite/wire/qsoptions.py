"""The options of the query codecs: their names in both spellings, and what each may be.

One table serves the nested codec (npm qs 6.5) and the flat one (Node's querystring), so that one set of defaults may be used with either:
an option that belongs to the other codec is accepted and has no effect, as in Node. A name that belongs to neither is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from requite.errors import InvalidOptionType, OptionsError, UnknownOption

MAX_DEPTH = 512
"""Levels of nesting that are written or read at most; a deeper value is a mistake or an attack."""


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return value == float('inf') or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def _is_depth(value: Any) -> bool:
    return _is_count(value) and value <= MAX_DEPTH


def _is_filter(value: Any) -> bool:
    return callable(value) or (isinstance(value, Sequence) and not isinstance(value, (str, bytes)))


def _is_delimiter(value: Any) -> bool:
    return isinstance(value, re.Pattern) or (isinstance(value, str) and value != '')


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_array_format(value: Any) -> bool:
    return value in ('indices', 'brackets', 'repeat')


def _is_format(value: Any) -> bool:
    return value in ('RFC3986', 'RFC1738')


_Rule = tuple[Callable[[Any], bool], str]
_BOOL: _Rule = (_is_bool, 'True or False')
_TEXT: _Rule = (_is_text, 'a str')
_CALL: _Rule = (callable, 'a callable')
_COUNT: _Rule = (_is_count, 'an int from 0 up, or float("inf") for no limit')
_MAPPING: _Rule = (_is_mapping, 'a mapping')

STRINGIFY: dict[str, _Rule] = {
    'array_format': (_is_array_format, "one of 'indices', 'brackets', 'repeat'"),
    'indices': _BOOL,
    'delimiter': _TEXT,
    'encode': _BOOL,
    'encode_values_only': _BOOL,
    'encoder': _CALL,
    'skip_nulls': _BOOL,
    'strict_null_handling': _BOOL,
    'sort': _CALL,
    'filter': (_is_filter, 'a callable(prefix, value) or a list of keys'),
    'allow_dots': _BOOL,
    'format': (_is_format, "'RFC3986' or 'RFC1738'"),
    'serialize_date': _CALL,
    'add_query_prefix': _BOOL,
    'sep': _TEXT,
    'eq': _TEXT,
    'encode_uri_component': _CALL,
    'options': _MAPPING,
}
"""``qs_stringify_options``: the nested codec's, then the flat codec's from ``sep`` on."""

PARSE: dict[str, _Rule] = {
    'delimiter': (_is_delimiter, 'a str that is not empty, or a compiled pattern'),
    'depth': (_is_depth, f'an int from 0 to {MAX_DEPTH}'),
    'array_limit': _COUNT,
    'parse_arrays': _BOOL,
    'parameter_limit': _COUNT,
    'decoder': _CALL,
    'allow_dots': _BOOL,
    'plain_objects': _BOOL,
    'allow_prototypes': _BOOL,
    'strict_null_handling': _BOOL,
    'ignore_query_prefix': _BOOL,
    'sep': _TEXT,
    'eq': _TEXT,
    'max_keys': _COUNT,
    'decode_uri_component': _CALL,
    'options': _MAPPING,
}
"""``qs_parse_options``: the nested codec's, then the flat codec's from ``sep`` on."""


def _camel(name: str) -> str:
    first, *rest = name.split('_')
    return first + ''.join('URI' if word == 'uri' else word.capitalize() for word in rest)


_SNAKE = {_camel(name): name for name in (*STRINGIFY, *PARSE)}


def read_options(options: Mapping[str, Any] | None, table: dict[str, _Rule], where: str) -> dict[str, Any]:
    """Give the options under their snake_case names, checked.

    ``options`` may use either spelling; a value of None counts as not given. ``table`` is ``STRINGIFY`` or ``PARSE``, ``where`` the
    name of the option that holds them, for the error text. Raises UnknownOption for a name that does not exist or comes in both
    spellings, InvalidOptionType or OptionsError for a value that cannot be meant.
    """
    if not options:
        return {}
    if not isinstance(options, Mapping):
        raise InvalidOptionType(f'{where} must be a mapping, not {type(options).__name__}')
    given: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for spelling, value in options.items():
        name = _SNAKE.get(spelling, spelling)
        if name not in table:
            raise UnknownOption(f'{where} has no option {spelling!r}{_suggestion(spelling, table)}')
        if name in seen:
            raise UnknownOption(
                f'{where} has {seen[name]!r} and {spelling!r}, which are one option: give only one of them'
            )
        seen[name] = spelling
        if value is not None:
            _check(spelling, value, table[name], where)
            given[name] = value
    inner = given.pop('options', None)
    return {**read_options(inner, table, f'{where}.options'), **given} if inner else given


def _check(spelling: str, value: Any, rule: _Rule, where: str) -> None:
    fits, meaning = rule
    if fits(value):
        return
    error = OptionsError if isinstance(value, (str, int)) and rule not in (_BOOL, _CALL, _TEXT) else InvalidOptionType
    raise error(f'{where}: {spelling} must be {meaning}, not {_shown(value)}')


def _shown(value: Any) -> str:
    return repr(value)[:60] if isinstance(value, (str, int, float)) else type(value).__name__


def _suggestion(spelling: Any, table: dict[str, _Rule]) -> str:
    from difflib import get_close_matches  # only ever needed on the way to an error

    names = [*table, *(camel for camel, name in _SNAKE.items() if name in table)]
    close = get_close_matches(str(spelling), names, 1, 0.6)
    return f'; did you mean {close[0]!r}?' if close else f'; it may be one of: {", ".join(table)}'
