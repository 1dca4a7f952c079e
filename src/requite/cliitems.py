"""The items of a command line: ``Header:value q==v key=value key:=json key=@file key:=@file.json field@file @file``."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any, NamedTuple

from requite.errors import OptionsError

SEPARATORS = (':=@', '=@', ':=', '==', '=', '@', ':')
"""Of those that begin at the first place where one does, the longest counts."""
FORMS = 'Header:value, q==value, key=value, key:=json, key=@file, key:=@file, field@file or @file'
_TYPE = re.compile(r';type=([^;]+)\Z')


class Part(NamedTuple):
    """One thing that is sent: text, a JSON value, or a file by its path."""

    name: str
    value: Any
    kind: str
    type: str | None = None


class Items(NamedTuple):
    """What the items say. A header of None is removed; ``body`` is the path of a file that is the whole content, ``'-'`` standard input."""

    headers: list[tuple[str, str | None]]
    query: list[tuple[str, str]]
    parts: list[Part]
    body: str | None

    @property
    def sends(self) -> bool:
        """Whether there is content."""
        return bool(self.parts) or self.body is not None


def parse(words: list[str]) -> Items:
    """Reads the items, and the files whose content they ask for; raises ``OptionsError``, which names the item."""
    items = Items([], [], [], None)
    for word in words:
        name, separator, value = split(word)
        if separator == ':':
            items.headers.append((name, value or None))
        elif separator == ';':
            items.headers.append((name, ''))
        elif separator == '==':
            items.query.append((name, value))
        elif separator == '@' and not name:
            if items.body is not None:
                raise OptionsError(
                    f'{word!r}: there can be only one file that is the whole content; name the others: field@file'
                )
            items = items._replace(body=value if value == '-' else there(word, value))
        else:
            items.parts.append(_part(word, name, separator, value))
    if items.body is not None and items.parts:
        raise OptionsError(
            f'{items.parts[0].name!r} and a file that is the whole content do not go together: name the file, field@file'
        )
    return items


def split(word: str) -> tuple[str, str, str]:
    r"""Name, separator and value. A backslash before one of ``: = @ \`` takes its meaning from it: anywhere in the name, and at the beginning of the value."""
    name: list[str] = []
    at = 0
    while at < len(word):
        if word[at] == '\\' and word[at + 1 : at + 2] in (':', '=', '@', '\\'):
            name.append(word[at + 1])
            at += 2
            continue
        separator = next((each for each in SEPARATORS if word.startswith(each, at)), None)
        if separator is not None:
            return _known(word, ''.join(name), separator, word[at + len(separator) :])
        name.append(word[at])
        at += 1
    if len(word) > 1 and word.endswith(';'):
        return word[:-1], ';', ''
    raise OptionsError(f'{word!r} is no item; write {FORMS}')


def _known(word: str, name: str, separator: str, value: str) -> tuple[str, str, str]:
    if separator == ':' and value.startswith('//'):
        raise OptionsError(
            f'{word!r} is a second address; a method of your own is written first, in capitals: PURGE {word}'
        )
    if not name and separator != '@':
        raise OptionsError(f'{word!r} has no name before {separator!r}; write {FORMS}')
    if len(value) > 1 and value[0] == '\\' and value[1] in ':=@':
        value = value[1:]
    readable(word, name if separator.endswith('@') else name + value)
    return name, separator, value


def readable(what: str, text: str) -> str:
    """The text; raises ``OptionsError`` for bytes of a command line that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise OptionsError(f'{what!r} is not text in UTF-8; put it into a file and send that: @FILE') from None
    return text


def _part(word: str, name: str, separator: str, value: str) -> Part:
    if separator == '@':
        typed = _TYPE.search(value)
        path = value[: typed.start()] if typed is not None else value
        return Part(name, there(word, path), 'file', None if typed is None else typed[1])
    if separator.endswith('@'):
        value = text_of(word, value)
    if separator.startswith(':='):
        return Part(name, _json(word, name, value, separator == ':=@'), 'json')
    return Part(name, value, 'text')


def _json(word: str, name: str, value: str, in_file: bool = False) -> Any:
    try:
        return json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        if in_file:
            file = word.partition(':=@')[2]
            raise OptionsError(
                f'{word!r}: {file!r} is not JSON ({error}); mend it, or send it as text: {name}=@{file}'
            ) from None
        hint = f'; for text write {name}={value}' if len(value) < 40 and '@' not in word else ''
        raise OptionsError(f'{word!r}: what follows := is not JSON{hint}') from None


def _no_constant(name: str) -> Any:
    raise ValueError(f'{name} is none of its values')


def there(what: str, path: str) -> str:
    """The path of a file that can be read, its ``~`` undone; raises ``OptionsError`` otherwise. It is not opened: a pipe is opened only once."""
    if not path:
        raise OptionsError(f'{what.rstrip()!r} names no file; write its name')
    place = Path(path).expanduser()
    try:
        folder = stat.S_ISDIR(place.stat().st_mode)
    except (OSError, ValueError) as error:
        raise OptionsError(
            f'{what!r}: cannot read {path!r}: {getattr(error, "strerror", error)}; name a file that is there{_as_text(what)}'
        ) from None
    if folder:
        raise OptionsError(f'{what!r}: cannot read {path!r}: it is a folder; name a file')
    if not os.access(place, os.R_OK):
        raise OptionsError(f'{what!r}: cannot read {path!r}: permission denied; name a file that you may read')
    return str(place)


def _as_text(item: str) -> str:
    """How an item is written that was meant as text."""
    name, sign, value = item.partition('@')
    if not sign or not name or item.startswith(('-', 'curl ')):
        return ''
    if name.endswith('='):
        return f', or for text write {name.rstrip(":=")}=\\@{value}'
    return f', or for text write {name}={value}'


def text_of(what: str, path: str) -> str:
    """The text in a file."""
    try:
        return Path(there(what, path)).read_text(encoding='utf-8')
    except UnicodeDecodeError:
        raise OptionsError(f'{what!r}: {path!r} is not text in UTF-8; send it as a file: field@{path}') from None
