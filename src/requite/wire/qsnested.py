"""The nested codec, writing: ``{'a': {'b': [1]}}`` as ``a[b][0]=1``, as npm qs 6.5 does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cmp_to_key
from typing import Any

from requite.errors import OptionsError
from requite.wire.jstext import date_text
from requite.wire.qsoptions import MAX_DEPTH
from requite.wire.qsvalues import (
    encoded,
    is_container,
    key_text,
    returned_text,
    shown,
    surrogate,
    unencoded,
    value_text,
)


class _Style:
    """How the nested codec writes: its options, and the small decisions that hang on one of them each."""

    __slots__ = (
        '_array',
        '_dots',
        '_encode_key',
        '_encoder',
        '_filter',
        '_given',
        '_keys',
        '_order',
        '_plus',
        '_raw',
        '_skip_nulls',
    )

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given
        self._array = given.get('array_format') or ('indices' if given.get('indices', True) else 'repeat')
        self._dots = given.get('allow_dots', False)
        self._raw = not given.get('encode', True)
        self._encode_key = not self._raw and not given.get('encode_values_only', False)
        self._encoder = given.get('encoder')
        self._plus = given.get('format') == 'RFC1738'
        self._skip_nulls = given.get('skip_nulls', False)
        chosen = given.get('filter')
        self._filter = chosen if callable(chosen) else None
        self._keys = chosen if not callable(chosen) else None
        self._order = cmp_to_key(given['sort']) if 'sort' in given else None

    def prepared(self, prefix: str | None, value: Any) -> Any:
        """The value after ``filter`` and ``serialize_date``."""
        if self._filter is not None:
            value = self._filter(prefix or '', value)
        if isinstance(value, date) and 'serialize_date' in self._given:
            return returned_text(self._given['serialize_date'](value), 'serialize_date')
        return value

    def children(self, prefix: str | None, value: Any) -> Iterator[tuple[str, Any]]:
        """What a mapping or list holds, each under its full name."""
        items = _items(value)
        chosen = list(items) if self._keys is None else [name for name in map(key_text, self._keys) if name in items]
        for name in sorted(chosen, key=self._order) if self._order else chosen:
            if not (self._skip_nulls and items[name] is None):
                yield self._joined(prefix, name, isinstance(value, Mapping)), items[name]

    def _joined(self, prefix: str | None, name: str, named: bool) -> str:
        if prefix is None:
            return name
        if named:
            return f'{prefix}.{name}' if self._dots else f'{prefix}[{name}]'
        if self._array == 'indices':
            return f'{prefix}[{name}]'
        return f'{prefix}[]' if self._array == 'brackets' else prefix

    def pair(self, prefix: str, value: Any) -> str:
        """One ``key=value``; the key alone for None with ``strict_null_handling``."""
        try:
            key = self._text(prefix, prefix, self._encode_key)
            if value is None and self._given.get('strict_null_handling', False):
                return key  # without the '+' of RFC1738, as in qs
            pair = f'{key}={self._text(value, prefix, not self._raw)}'
        except UnicodeEncodeError:
            raise surrogate(shown(prefix)) from None
        return pair.replace('%20', '+') if self._plus else pair

    def _text(self, value: Any, prefix: str, encode: bool) -> str:
        if encode and self._encoder is not None:
            if isinstance(value, date):
                value = date_text(value)
            return returned_text(self._encoder('' if value is None else value), 'encoder')
        text = value_text(value, prefix)
        return encoded(text) if encode else unencoded(text, prefix)


def stringify_nested(data: Mapping[Any, Any], given: dict[str, Any]) -> str:
    """Depth first with a stack of our own, so that no depth of data can exhaust Python's."""
    style = _Style(given)
    pairs: list[str] = []
    above: set[int] = set()
    pending: list[tuple[str | None, Any, bool]] = [(None, data, False)]
    while pending:
        prefix, value, leaving = pending.pop()
        if leaving:
            above.discard(id(value))
            continue
        value = style.prepared(prefix, value)
        if is_container(value):
            _enter(above, prefix, value)
            pending.append((prefix, value, True))
            pending.extend((name, child, False) for name, child in reversed(list(style.children(prefix, value))))
        elif prefix is not None:
            pairs.append(style.pair(prefix, value))
    text = given.get('delimiter', '&').join(pairs)
    return f'?{text}' if text and given.get('add_query_prefix') else text


def _enter(above: set[int], prefix: str | None, value: Any) -> None:
    if id(value) in above:
        raise OptionsError(f'{shown(prefix)} holds itself: a cycle cannot be written as a query or form')
    if len(above) > MAX_DEPTH:
        raise OptionsError(f'{shown(prefix)} is nested more than {MAX_DEPTH} levels deep')
    above.add(id(value))


def _items(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {key_text(key): item for key, item in value.items()}
    return {str(index): item for index, item in enumerate(value)}
