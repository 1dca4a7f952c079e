"""Query strings into values, as npm qs 6.5 (nested) and Node's querystring (flat) read them.

Splitting and decoding is here, for both; what the nested codec makes of its keys is ``requite.wire.qstree``'s. Every step is linear in the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from requite.errors import InvalidOptionType
from requite.wire.qsoptions import PARSE, read_options
from requite.wire.qstree import build_tree, in_node_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BAD_ESCAPE = re.compile(r'%(?![0-9A-Fa-f]{2})')
_ESCAPES = re.compile(r'(?:%[0-9A-Fa-f]{2})+')
_ESCAPED_BYTE = re.compile(rb'%([0-9A-Fa-f]{2})')


def parse(text: str, options: Mapping[str, Any] | None = None, flat: bool = False) -> dict[str, Any]:
    """Read a query string into a dict.

    ``text`` is what stands after the ``?``. Nested (the default): ``a[b]=1`` is ``{'a': {'b': '1'}}``, ``a[]=1``, ``a[0]=1`` and a repeated
    ``a`` are lists, ``+`` is a space, a part whose escapes cannot be decoded stays as it is. At most 1000 parameters, 5 levels below the
    first (the rest of the path is kept as one key) and list positions up to 20 are understood; ``options`` (``depth``, ``array_limit``,
    ``parameter_limit``, ``delimiter``, ``allow_dots``, ``parse_arrays``, ``decoder``, ``strict_null_handling``, ``ignore_query_prefix``, ...) may
    say otherwise. ``flat``: one level, repeated keys are lists; options ``sep``, ``eq``, ``max_keys``, ``decode_uri_component``.

    As in Node, keys that look like numbers come first in ascending order, and the nested codec leaves out keys that are names of JavaScript's
    object prototype (``toString``, ``__proto__``) unless ``allow_prototypes`` or ``plain_objects`` is given; then, unlike in Node, ``__proto__`` is
    a key like any other. ``plain_objects`` means nothing else here. Raises OptionsError for options that cannot be meant.
    """
    if not isinstance(text, str):
        raise InvalidOptionType(f'a query to parse must be a str, not {type(text).__name__}')
    given = read_options(options, PARSE, 'qs_parse_options')
    return _flat(text, given) if flat else build_tree(_values(text, given), given)


def _flat(text: str, given: dict[str, Any]) -> dict[str, Any]:
    sep, eq = given.get('sep') or '&', given.get('eq') or '='
    name = 'decode_uri_component'
    decode, space = (_checked(given[name], name), '%20') if name in given else (_unescape, ' ')
    limit = _cut(given.get('max_keys') or float('inf') if 'max_keys' in given else 1000)
    read: dict[str, Any] = {}
    for part in _parts(text, sep, limit):
        if part:
            key, _, value = part.partition(eq)
            _add(read, decode(key.replace('+', space)), decode(value.replace('+', space)))
    return {key: read[key] for key in in_node_order(read)}


def _unescape(text: str) -> str:
    decoded = _decoded(text)
    if decoded is not None:
        return decoded
    raw = _ESCAPED_BYTE.sub(
        lambda match: bytes.fromhex(match[1].decode('ascii')), text.encode('utf-8', 'surrogatepass')
    )
    return raw.decode('utf-8', 'replace')  # as Node, but characters beyond ASCII survive


def _values(text: str, given: dict[str, Any]) -> dict[str, Any]:
    """Split into parameters and decode them; the keys are still paths, a repeated one has a list."""
    if given.get('ignore_query_prefix') and text.startswith('?'):
        text = text[1:]
    decode = _checked(given['decoder'], 'decoder') if 'decoder' in given else _decode_plus
    missing = None if given.get('strict_null_handling') else ''
    values: dict[str, Any] = {}
    for part in _parts(text, given.get('delimiter', '&'), _cut(given.get('parameter_limit', 1000))):
        bracket = part.find(']=')
        at = part.find('=') if bracket < 0 else bracket + 1
        if at < 0:
            _add(values, decode(part), missing)
        else:
            _add(values, decode(part[:at]), decode(part[at + 1 :]))
    return values


def _checked(decoder: Callable[[str], Any], name: str) -> Callable[[str], str]:
    def decode(text: str) -> str:
        decoded = decoder(text)
        if isinstance(decoded, str):
            return decoded
        raise InvalidOptionType(f'qs_parse_options: {name} must return a str, it returned {type(decoded).__name__}')

    return decode


def _cut(limit: float) -> int:
    return -1 if limit == float('inf') else int(limit)


def _parts(text: str, delimiter: str | re.Pattern[str], limit: int) -> list[str]:
    """The first ``limit`` parts of a text (all when negative); the rest is dropped, as in Node."""
    if not text or limit == 0:
        return []
    if isinstance(delimiter, str):
        parts = text.split(delimiter, limit)
    else:
        parts = [part or '' for part in delimiter.split(text, max(limit, 0))]
    return parts if limit < 0 else parts[:limit]


def _add(values: dict[str, Any], key: str, value: Any) -> None:
    if key not in values:
        values[key] = value
    elif isinstance(values[key], list):
        values[key].append(value)
    else:
        values[key] = [values[key], value]


def _decode_plus(text: str) -> str:
    decoded = _decoded(text.replace('+', ' '))
    return text if decoded is None else decoded  # as qs: one bad escape, and the part stays raw, its plus signs too


def _decoded(text: str) -> str | None:
    """``decodeURIComponent``; None when an escape is malformed or the bytes are no UTF-8."""
    if '%' not in text:
        return text
    if _BAD_ESCAPE.search(text):
        return None
    try:
        return _ESCAPES.sub(lambda match: bytes.fromhex(match[0].replace('%', '')).decode('utf-8'), text)
    except UnicodeDecodeError:
        return None
