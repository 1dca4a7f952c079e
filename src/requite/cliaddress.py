"""Where the request of a command line goes: its method and address as they were meant."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

METHODS = frozenset('get head post put patch delete options trace'.split())
"""What is taken for a method in lower case too; others are written in capitals."""


class Wanted(NamedTuple):
    """A request as it was asked for: ``options`` are those of ``request()``; ``output`` and ``head`` say what becomes of the answer."""

    method: str | None
    url: str | None
    options: dict[str, Any]
    output: str | None = None
    head: bool = False


def divide(words: list[str]) -> tuple[str | None, str | None, list[str]]:
    """Method, address and items: a word in capitals, or the name of a common method, is a method if anything follows."""
    if not words:
        return None, None, []
    first = words[0]
    if len(words) > 1 and re.fullmatch('[A-Z][A-Z-]*', first if first.lower() not in METHODS else first.upper()):
        return (first.upper() if first.lower() in METHODS else first), words[1], words[2:]
    return None, first, words[1:]


def divide_items(words: list[str]) -> tuple[str | None, str | None, list[str]]:
    """The same where something else tells the address already: a first word that can be read as an item is one."""
    method = None
    if words and re.fullmatch('[A-Z][A-Z-]*', words[0] if words[0].lower() not in METHODS else words[0].upper()):
        method = words[0].upper() if words[0].lower() in METHODS else words[0]
        words = words[1:]
    if words and _is_address(words[0]):
        return method, words[0], words[1:]
    return method, None, words


def _is_address(word: str) -> bool:
    r"""Whether the word is an address rather than an item: ``h.example:80`` and ``localhost:80``, but not ``X-Token:80``."""
    found = re.match(r'(?:[^:=@;\\]|\\.)*', word)
    name, rest = found[0], word[found.end() :]  # type: ignore[index,union-attr] # it matches anything
    if not rest or re.search(r'[/?\[]', name) or rest.startswith('://'):
        return True
    if rest[0] != ':':
        return False
    port = re.match(r':\d*(?=[/?#]|\Z)', rest) is not None
    return port and (not name or '.' in name or name.lower() == 'localhost')


def with_scheme(url: str) -> str:
    """The address as it was meant: ``example.com/x`` and ``localhost:8080`` are ``http://...``, ``:8080/x`` is on this machine."""
    if not url or re.match('[A-Za-z][A-Za-z0-9+.-]*://', url):
        return url
    if re.match(r':(\d*)(?=[/?#]|\Z)', url):
        port, rest = re.match(r':(\d*)(.*)', url, re.DOTALL).groups()  # type: ignore[union-attr]
        return f'http://localhost{":" + port if port else ""}{rest}'
    return f'http:{url}' if url.startswith('//') else f'http://{url}'


def with_query(url: str, query: list[tuple[str, str]]) -> str:
    """The address with more in its query."""
    if not query:
        return url
    before, mark, fragment = url.partition('#')
    joint = '' if before.endswith(('?', '&')) else '&' if '?' in before else '?'
    return f'{before}{joint}{urlencode(query, quote_via=quote)}{mark}{fragment}'
