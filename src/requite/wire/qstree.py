"""The tree that a nested query builds: each parameter's path is hung into what the parameters before it made.

A key becomes a path (``a[b][]`` is ``a``, ``b``, an array); where two paths meet, JavaScript's merge rules as qs 6.5 applies them decide. Nothing
recurses and arrays are sparse, so that a hostile query costs no more than its length.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

# Each pattern stops at the next bracket or dot, so that none can go back over more than it has read.
_CHILD = re.compile(r'\[[^\[\]]*\]')
_DOTTED = re.compile(r'\.([^.\[]+)')
_INDEX = re.compile(r'(?:0|[1-9][0-9]{0,15})\Z')

_PROTOTYPE = frozenset((
    'constructor', 'hasOwnProperty', 'isPrototypeOf', 'propertyIsEnumerable', 'toLocaleString', 'toString', 'valueOf',
    '__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__', '__proto__',
))  # fmt: skip

_MAX_INDEX = 4294967294
"""The highest key that JavaScript orders as a number."""


class _Array:
    """A JavaScript array: positions may be missing, and a high one costs nothing."""

    __slots__ = ('items', 'length')

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.items: dict[Any, Any] = dict(enumerate(values))
        self.length = len(self.items)

    def put(self, index: int, value: Any) -> None:
        self.items[index] = value
        self.length = max(self.length, index + 1)

    def push(self, value: Any) -> None:
        self.put(self.length, value)


class _Rules:
    """How paths are read, and which keys are refused."""

    __slots__ = ('array_limit', 'arrays', 'depth', 'dots', 'prototypes')

    def __init__(self, given: dict[str, Any]) -> None:
        self.dots = given.get('allow_dots', False)
        self.depth = given.get('depth', 5)
        self.arrays = given.get('parse_arrays', True)
        self.array_limit = given.get('array_limit', 20)
        self.prototypes = given.get('allow_prototypes', False) or given.get('plain_objects', False)

    def refuses(self, name: str) -> bool:
        return name in _PROTOTYPE and not self.prototypes


def build_tree(values: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Give the dicts and lists that parameters make whose keys are still paths; ``given`` are the parse options."""
    rules = _Rules(given)
    tree: dict[str, Any] = {}
    for key in in_node_order(values):
        path = _path(key, rules)
        if path:
            value = values[key]
            _hang(tree, path, _Array(value) if isinstance(value, list) else value, rules)
    return _plain(tree)


def _path(key: str, rules: _Rules) -> list[str]:
    """``a[b][0]`` as ``['a', '[b]', '[0]']``; empty when the parameter is to be left out.

    As in qs, text between two brackets is dropped, and what lies deeper than ``depth`` is one last segment.
    """
    if '[' not in key and not rules.dots:
        return [] if not key or rules.refuses(key) else [key]
    if rules.dots:
        key = _DOTTED.sub(r'[\1]', key)
    first = _CHILD.search(key)
    parent = key[: first.start()] if first else key
    path = [parent] if parent else []
    names = [parent]
    for level, match in enumerate(_CHILD.finditer(key)):
        if level >= rules.depth:
            path.append(f'[{key[match.start() :]}]')
            break
        path.append(match[0])
        names.append(match[0][1:-1])
    return [] if any(map(rules.refuses, names)) else path


def _hang(tree: dict[str, Any], path: list[str], value: Any, rules: _Rules) -> None:
    """Put a value at its path, meeting what is there already."""
    branch = value
    for segment in reversed(path):
        branch = _wrap(segment, branch, rules)
    pending: list[tuple[dict[Any, Any], Any, Any]] = []
    _meet_container(tree, branch, pending)
    while pending:
        parent, key, source = pending.pop()
        parent[key] = _meet(parent[key], source, pending, rules)


def _wrap(segment: str, inner: Any, rules: _Rules) -> Any:
    if segment == '[]' and rules.arrays:
        return inner if isinstance(inner, _Array) else _Array([inner])
    bracketed = segment.startswith('[') and segment.endswith(']')
    name = segment[1:-1] if bracketed else segment
    if name == '' and not rules.arrays:
        return {'0': inner}
    if bracketed and rules.arrays and _INDEX.match(name) and int(name) <= rules.array_limit:
        array = _Array()
        array.put(int(name), inner)
        return array
    return {name: inner}


def _meet(target: Any, source: Any, pending: list[tuple[dict[Any, Any], Any, Any]], rules: _Rules) -> Any:
    """One level of qs's merge; children that meet are left in ``pending``."""
    if isinstance(source, (dict, _Array)):
        if not isinstance(target, (dict, _Array)):
            return _Array([target, *_listed(source)])
        return _meet_container(target, source, pending)
    if not source:
        return target  # as qs: 'a[b]=1&a=' keeps only a[b]
    if isinstance(target, _Array):
        target.push(source)
    elif isinstance(target, dict):
        if not rules.refuses(source):
            target[source] = True  # as qs: 'a[b]=1&a=c' is {'a': {'b': '1', 'c': True}}
    else:
        return _Array([target, source])
    return target


def _meet_container(target: Any, source: Any, pending: list[tuple[dict[Any, Any], Any, Any]]) -> Any:
    if isinstance(target, _Array) and isinstance(source, _Array):
        for index, item in source.items.items():
            if index not in target.items:
                target.put(index, item)
            elif isinstance(item, (dict, _Array)) and isinstance(target.items[index], (dict, _Array)):
                pending.append((target.items, index, item))
            else:
                target.push(item)
        return target
    keyed = _keyed(target)
    for key, item in _keyed(source).items():
        if key in keyed:
            pending.append((keyed, key, item))
        else:
            keyed[key] = item
    return keyed


def _keyed(value: Any) -> dict[str, Any]:
    return {str(index): value.items[index] for index in value.items} if isinstance(value, _Array) else value


def _listed(value: Any) -> list[Any]:
    return [value.items[index] for index in sorted(value.items)] if isinstance(value, _Array) else [value]


def _plain(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree as dicts and lists, holes closed, keys in Node's order."""
    plain: dict[str, Any] = {}
    pending: list[tuple[Any, Any]] = [(tree, plain)]
    while pending:
        source, made = pending.pop()
        is_list = isinstance(made, list)
        pairs = enumerate(_listed(source)) if is_list else ((key, source[key]) for key in in_node_order(source))
        for key, value in pairs:
            if isinstance(value, (dict, _Array)):
                child: Any = [] if isinstance(value, _Array) else {}
                pending.append((value, child))
                value = child
            if is_list:
                made.append(value)
            else:
                made[key] = value
    return plain


def in_node_order(keys: Iterable[str]) -> list[str]:
    """The keys as a JavaScript object gives them: those that are array indices first, ascending."""
    indices = [key for key in keys if key[:1].isdigit() and _INDEX.match(key) and int(key) <= _MAX_INDEX]
    if not indices:
        return list(keys)
    numeric = set(indices)
    return sorted(indices, key=int) + [key for key in keys if key not in numeric]
