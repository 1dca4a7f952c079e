"""What is wrong with a request, in the words of the command line: its flags in place of options, and what can be written there in place of Python."""

from __future__ import annotations

import re

FLAGS = frozenset('timeout deadline retry proxy max_redirects cert key jar har har_log netrc auth aws'.split())
"""Options that are flags of the same name."""
_OPTION = re.compile(r"option '(\w+)'")
_WORDS = (
    (re.compile('; pass None for no limit'), '; write milliseconds, or leave it out for what is usual'),
    (re.compile("; give option 'uri' as .*", re.DOTALL), '; write it like https://example.com/path'),
    (
        re.compile('a HAR request as a mapping, (.*); read a file of it with json.load', re.DOTALL),
        r'a JSON object with a HAR request or a log, \1; save one from a browser, or with --har-log',
    ),
    (re.compile('give PEM, DER or the path of a file'), 'name a file of PEM or DER'),
    (re.compile("without 'cert': give the certificate too"), 'without --cert: name the certificate too'),
)


def said(error: Exception) -> str:
    """The text of an error of the library, as somebody needs it who wrote a command line."""
    text = str(error)
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return _OPTION.sub(_flag, text)


def _flag(found: re.Match[str]) -> str:
    return f'--{found[1].replace("_", "-")}' if found[1] in FLAGS else found[0]
