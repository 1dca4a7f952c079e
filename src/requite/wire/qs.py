"""Values into query strings, as npm qs 6.5 (nested) and Node's querystring (flat) write them for Node's ``request``.

Everything but ``A-Z a-z 0-9 - . _ ~`` is percent-encoded as UTF-8 with upper-case digits, brackets and ``!'()*`` included. The reading side
is ``requite.wire.qsparse``; its ``parse`` is given on here.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from requite.wire.qsnested import stringify_nested
from requite.wire.qsoptions import STRINGIFY, read_options
from requite.wire.qsparse import parse
from requite.wire.qsvalues import (
    encoded,
    is_container,
    is_sequence,
    key_text,
    mapping,
    returned_text,
    shown,
    surrogate,
    value_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ['encode_component', 'merge', 'parse', 'rfc3986', 'stringify']

_RFC3986 = str.maketrans({mark: f'%{ord(mark):02X}' for mark in "!'()*"})


def encode_component(text: str | bytes) -> str:
    """Percent-encode everything but the unreserved characters of RFC 3986 2.3; a str as UTF-8, bytes as they are.

    Raises OptionsError for a lone surrogate, which UTF-8 cannot carry (Node: URIError).
    """
    try:
        return encoded(text)
    except UnicodeEncodeError:
        raise surrogate('a text') from None


def rfc3986(text: str) -> str:
    """Percent-encode ``!'()*`` in a text that is otherwise encoded already, as Node's ``request`` does."""
    return text.translate(_RFC3986)


def stringify(data: Mapping[Any, Any], options: Mapping[str, Any] | None = None, flat: bool = False) -> str:
    """Write a mapping as a query string, without the question mark; '' when nothing is to be said.

    Nested (the default): ``{'a': {'b': 1}, 'c': [2]}`` is ``a[b]=1&c[0]=2`` with the brackets encoded. None is ``k=``, booleans are ``true`` and
    ``false``, numbers as JavaScript prints them (ints exactly), a datetime is ISO 8601 in UTC (without a zone it is local time, as for
    Python itself; a date is its midnight in UTC), bytes are encoded as they are, empty lists and mappings are left out. ``flat`` is Node's
    querystring: a list repeats its key, and, as there, NaN, the infinities and anything nested in a value become ``k=``.

    ``options`` is ``qs_stringify_options`` in either spelling. ``sort`` is a comparison of two keys as in JavaScript, ``filter`` a list of keys or
    ``callable(prefix, value)`` returning the value to write (return ``{}`` to leave it out), ``encoder`` and ``serialize_date`` take the value
    alone. Raises InvalidOptionType for a value that has no text, OptionsError for a cycle, for nesting over 512 levels and for a lone
    surrogate, UnknownOption for an option that does not exist.
    """
    if not options and type(data) is dict:
        plain = _plain(data)
        if plain is not None:
            return plain
    return _write(data, read_options(options, STRINGIFY, 'qs_stringify_options'), flat)


def merge(
    query: str,
    data: Mapping[Any, Any],
    parse_options: Mapping[str, Any] | None = None,
    stringify_options: Mapping[str, Any] | None = None,
    flat: bool = False,
) -> str:
    """Give the query that a URL gets from its own query and the ``qs`` option; '' when nothing is left to say.

    A key of ``data`` replaces the same key of ``query`` in its place, new ones follow, and everything is encoded anew. ``query`` and the result are
    without the question mark. Where it differs from Node: empty ``data`` leaves the query as it is, byte for byte (there it is re-encoded), and
    ``add_query_prefix`` has no effect (there it doubles the question mark). Raises what ``parse`` and ``stringify`` raise.
    """
    together = data
    if query:
        if not mapping(data):
            return query
        read = parse(query, parse_options, flat)
        read.update((key_text(key), value) for key, value in data.items())
        together = read
    if not stringify_options:
        return stringify(together, None, flat)
    given = read_options(stringify_options, STRINGIFY, 'qs_stringify_options')
    given.pop('add_query_prefix', None)
    return _write(together, given, flat)


def _plain(data: dict[Any, Any]) -> str | None:
    """The common case, a few texts and numbers under plain names, in one pass; None when it is not that."""
    pairs = []
    try:
        for key, value in data.items():
            kind = type(value)
            if kind is int:
                value = str(value)
            elif kind is not str:
                return None
            elif not (value.isalnum() and value.isascii()):
                value = encoded(value)
            if type(key) is not str:
                return None
            if not (key.isalnum() and key.isascii()):
                key = encoded(key)
            pairs.append(f'{key}={value}')
    except ValueError:  # a lone surrogate, an int of too many digits: the long way finds words for it
        return None
    return '&'.join(pairs)


def _write(data: Mapping[Any, Any], given: dict[str, Any], flat: bool) -> str:
    return _flat(mapping(data), given) if flat else stringify_nested(mapping(data), given)


def _flat(data: Mapping[Any, Any], given: dict[str, Any]) -> str:
    encoder = given.get('encode_uri_component')
    equals = given.get('eq') or '='  # Node takes an empty sep or eq for none given
    pairs = []
    for key, value in data.items():
        name = key_text(key)
        start = _component(name, name, encoder) + equals
        items = value if is_sequence(value) else (value,)
        pairs += [start + _component(_flat_value(item, name), name, encoder) for item in items]
    return rfc3986((given.get('sep') or '&').join(pairs))


def _component(value: str | bytes, name: str, encoder: Callable[[str], Any] | None) -> str:
    try:
        if encoder is not None and isinstance(value, str):
            return returned_text(encoder(value), 'encode_uri_component')
        return encoded(value)
    except UnicodeEncodeError:
        raise surrogate(shown(name)) from None


def _flat_value(value: Any, name: str) -> str | bytes:
    if is_container(value):
        return ''  # Node's querystring has no nesting: 'where=' for {'where': {...}}
    if isinstance(value, float) and not isfinite(value):
        return ''  # NaN and the infinities, as in Node
    return value_text(value, name)
