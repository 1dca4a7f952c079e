"""The options of curl that are known here, and a curl command line taken apart into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requite import shellwords
from requite.errors import OptionsError

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = {
    'X': 'request', 'H': 'header', 'd': 'data', 'F': 'form', 'G': 'get', 'I': 'head', 'u': 'user', 'b': 'cookie', 'c': 'cookie-jar',
    'k': 'insecure', 'x': 'proxy', 'U': 'proxy-user', 'L': 'location', 'A': 'user-agent', 'e': 'referer', 'o': 'output', 'O': 'remote-name',
    'm': 'max-time', 'E': 'cert', 'n': 'netrc', '4': 'ipv4', '6': 'ipv6', 'T': 'upload-file', 'i': 'include', 'r': 'range', 'g': 'globoff',
    's': 'silent', 'S': 'show-error', 'f': 'fail', 'v': 'verbose', 'N': 'no-buffer', '#': 'progress-bar', 'q': 'disable', 'j': 'junk-session-cookies',
}  # fmt: skip
FLAGS = frozenset(
    'get head insecure location remote-name netrc ipv4 ipv6 include compressed digest basic anyauth tlsv1.2 tlsv1.3 proxytunnel globoff path-as-is'.split()
)
"""Flags without a value that mean something."""
MUTE = frozenset(
    'silent show-error fail fail-with-body verbose no-buffer progress-bar no-progress-meter disable http1.1 http2 tcp-nodelay no-keepalive no-alpn no-sessionid tr-encoding'.split()
)
"""Flags that only say how curl itself talks, or ask for what is so anyhow."""
VALUES = frozenset(
    'request header data data-ascii data-raw data-binary data-urlencode form form-string json user cookie cookie-jar proxy proxy-user '
    'max-redirs user-agent referer output unix-socket max-time connect-timeout cacert cert key pass oauth2-bearer netrc-file retry '
    'interface ciphers noproxy url upload-file range aws-sigv4'.split()
)


def arguments(line: str) -> Iterator[tuple[str, str]]:
    """Options by their long names with their values, and addresses as ``url``; the word ``curl`` may stand before them. Raises ``OptionsError``."""
    words = shellwords.split(line)
    if words and words[0].rpartition('/')[2] in ('curl', 'curl.exe'):
        words = words[1:]
    rest = iter(words)
    for word in rest:
        if word.startswith('--') and len(word) > 2:
            name = word[2:]
            if name in VALUES:
                yield name, _value(word, rest)
            elif name in FLAGS or name in MUTE:
                yield name, ''
            else:
                raise _unknown(word)
        elif word.startswith('-') and len(word) > 1:
            yield from _cluster(word, rest)
        else:
            yield 'url', word


def _cluster(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Short options that stand together: the first that takes a value takes what is left of the word."""
    for at, letter in enumerate(word[1:], 1):
        name = SHORT.get(letter)
        if name in VALUES:
            yield name, word[at + 1 :] or _value(f'-{letter}', rest)
            return
        if name not in FLAGS and name not in MUTE:
            raise _unknown(f'-{letter}')
        yield str(name), ''


def _value(word: str, rest: Iterator[str]) -> str:
    try:
        return next(rest)
    except StopIteration:
        raise OptionsError(f'curl: {word} has no value behind it') from None


def _unknown(word: str) -> OptionsError:
    return OptionsError(
        f'curl: {word} has no meaning here; leave it out of the line, or say it in another way (requite --help)'
    )
