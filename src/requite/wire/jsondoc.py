"""JSON documents as JavaScript reads and writes them: ``json=``, ``json_replacer``, ``json_reviver``.

``dumps`` gives the bytes that ``JSON.stringify`` gives for the same value: no spaces, characters unescaped, 1.0 as ``1``, NaN and
infinities as ``null``. ``loads`` takes what ``JSON.parse`` takes, no more.

Differs from Node: integers keep all their digits both ways (JavaScript's numbers are doubles); keys keep their order also when they
look like numbers; what JSON cannot hold (bytes, files, sets, objects without ``to_json``) is an error instead of an object made of its
attributes; nesting without end is an error of the call.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from requite.wire import jsonwriter
from requite.wire import text as wiretext
from requite.wire.jsonwriter import DROP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn

__all__ = ['DROP', 'dumps', 'loads']


def dumps(value: Any, replacer: Callable[[str, Any], Any] | Iterable[str | int] | None = None) -> bytes:
    """The JSON text of a value, in UTF-8.

    Dicts and mappings, lists and tuples, str, numbers, booleans and None are written as such; a datetime as ``toISOString`` writes it
    (a naive one is local time, as in Python), a date as ``2020-01-02``; any other object is asked for ``to_json()`` or ``toJSON()``,
    without arguments. A reference back to a container around it is written as ``[Circular ~]`` or ``[Circular ~.path]``.

    ``replacer`` is called for every value, outermost first, with its key (``''`` for the whole, ``'0'``, ``'1'`` in lists) and what it
    returns is written instead; DROP leaves a member out and writes ``null`` in a list, as JavaScript's undefined does, whereas None
    is ``null``. Or it is a list of the keys to keep, at any depth and in that order.

    Raises InvalidBody, a TypeError, that names the place inside the value.
    """
    if replacer is not None:
        return jsonwriter.write(value, replacer)
    try:
        text = _encode(value)
    except (ValueError, TypeError, RecursionError):
        # A cycle, a NaN, a key or an object that needs a closer look: the writer below also finds the place of what is wrong.
        return jsonwriter.write(value)
    if '.0' in text or 'e-' in text or 'e+' in text:
        written = jsonwriter.javascript_numbers(text)
        if written is None:
            return jsonwriter.write(value)
        text = written
    return text.encode('utf-8', 'backslashreplace')  # a lone surrogate becomes \udXXX, as in JavaScript


def loads(source: str | bytes, reviver: Callable[[str, Any], Any] | None = None) -> Any:
    """The value of a JSON text; bytes are UTF-8, a byte order mark at their beginning is dropped.

    ``reviver`` is called for every value, innermost first, with its key (the whole: ``''``; in lists ``'0'``, ``'1'``), and what it
    returns is kept instead; DROP removes a member, and leaves None in a list where JavaScript leaves a hole.

    Raises ValueError, and nothing else, for what is no JSON: also for NaN and Infinity, which ``json.loads`` takes, and for nesting
    too deep for the interpreter. What a reviver raises passes through.
    """
    text = source if isinstance(source, str) else wiretext.decode(source, 'utf-8')
    try:
        value = _decode(text)
    except RecursionError:
        raise ValueError('the JSON text is nested too deeply') from None
    return value if reviver is None else _revived(value, reviver)


def _revived(value: Any, reviver: Callable[[str, Any], Any]) -> Any:
    try:
        value = _revive('', value, reviver)
    except RecursionError:
        raise ValueError('the JSON text is nested too deeply for a reviver') from None
    return None if value is DROP else value


def _revive(key: str, value: Any, reviver: Callable[[str, Any], Any]) -> Any:
    if type(value) is dict:
        for name in list(value):
            member = _revive(name, value[name], reviver)
            if member is DROP:
                del value[name]
            else:
                value[name] = member
    elif type(value) is list:
        for index, item in enumerate(value):
            member = _revive(str(index), item, reviver)
            value[index] = None if member is DROP else member
    return reviver(key, value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f'{name} is not JSON')


_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(',', ':'), default=jsonwriter.plain_or_refuse
).encode
_decode = json.JSONDecoder(parse_constant=_no_constant).decode
