"""A command line as a POSIX shell splits it into words, with the ``$'...'`` of bash and zsh that browsers write. Nothing is expanded and nothing is run."""

from __future__ import annotations

import re

from requite.errors import OptionsError

OPERATORS = frozenset(('|', '||', '&', '&&', ';', '>', '>>', '<', '2>', '2>&1', '>&2'))
"""Words that are the shell's own business."""
ESCAPES = {'n': '\n', 't': '\t', 'r': '\r', 'a': '\a', 'b': '\b', 'e': '\x1b', 'f': '\f', 'v': '\v', '0': '\0'}
_BREAK = re.compile(r'\\\r?\n')
_PLAIN = re.compile(r"[^\s'\"\\$]+|\$(?!')")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ANSI = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_CODE = re.compile(r'\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|[0-7]{1,3}|.)', re.DOTALL)


def split(text: str) -> list[str]:
    """The words; raises ``OptionsError`` for a quote without its end, and for what only a shell could do."""
    words: list[str] = []
    word: list[str] | None = None
    bare = True
    at = 0
    while at < len(text):
        if text[at].isspace():
            _close(words, word, bare)
            word, bare, at = None, True, at + 1
            continue
        piece, end, quoted = _piece(text, at)
        if piece is not None:
            word = [*(word or ()), piece]
            bare = bare and not quoted
        at = end
    _close(words, word, bare)
    return words


def _close(words: list[str], word: list[str] | None, bare: bool) -> None:
    if word is None:
        return
    whole = ''.join(word)
    if bare and whole in OPERATORS:
        raise OptionsError(f'{whole!r} in the curl line is for a shell: give the part that curl itself gets')
    if '\0' in whole:
        raise OptionsError('a word of a command line cannot hold a NUL: put the data into a file, and send that')
    words.append(whole)


def _piece(text: str, at: int) -> tuple[str | None, int, bool]:
    """What stands at a place, unquoted; where it ends; and whether it was quoted. None is a line that goes on."""
    for pattern, read in ((_PLAIN, str), (_SINGLE, str), (_ANSI, _ansi), (_DOUBLE, _double)):
        found = pattern.match(text, at)
        if found is not None:
            if pattern is _PLAIN:
                return found[0], found.end(), False
            return read(found[1]), found.end(), True
    if text[at] == '\\':
        broken = _BREAK.match(text, at)
        if broken is not None:
            return None, broken.end(), False
        if at + 1 == len(text):
            return None, at + 1, False
        return text[at + 1], at + 2, True
    raise OptionsError('a quotation mark in the curl line has no end: quote the whole line once more for your shell')


def _double(inside: str) -> str:
    return re.sub(r'\\(\r?\n|[$`"\\])', lambda found: '' if found[1][-1] == '\n' else found[1], inside)


def _ansi(inside: str) -> str:
    text = _CODE.sub(_code, inside)
    if text.isascii():
        return text
    # browsers write a letter beyond U+FFFF as two halves, shells write bytes
    whole = text.encode('utf-16-le', 'surrogatepass').decode('utf-16-le', 'surrogatepass')
    halved = re.sub('[\ud800-\udbff]', '\ufffd', whole)
    return halved.encode('utf-8', 'surrogateescape').decode('utf-8', 'surrogateescape')


def _code(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in 'uU' and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else '\ufffd'
    if code[0] == 'x' and len(code) > 1:
        return _byte(int(code[1:], 16))
    if code[0] in '01234567':
        return _byte(int(code, 8) & 255)
    return ESCAPES.get(code, code)


def _byte(number: int) -> str:
    """A byte of UTF-8, for the moment as ``surrogateescape`` has it."""
    return chr(number) if number < 128 else chr(0xDC00 + number)
