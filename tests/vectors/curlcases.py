"""Reads curl's own cookie tests: what the server answered, what curl sent, and the files that it read and wrote.

A case is played to a jar without any network: each request that curl sent is asked of the jar, each answer is given to it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

HTTP, HTTPS = '8990', '8991'
_MACROS = {
    '%HOSTIP': '127.0.0.1',
    '%HOST6IP': '[::1]',
    '%HTTPPORT': HTTP,
    '%HTTPSPORT': HTTPS,
    '%HTTP6PORT': '8994',
    '%TAB': '\t',
    '%CR': '',
    '%AMP': '&',
    '%VERSION': '0',
    '%LOGDIR': 'log',
    'domain..tld': 'domain.tld',  # test 46: a host with an empty label is none (SECURITY R11); all else of it is played
}


class Exchange(NamedTuple):
    """One request that curl sent: its URL, the cookies in it, and what the answer set."""

    url: str
    sent: list[str]
    received: list[str]


class Case(NamedTuple):
    """One of curl's tests, as a jar sees it."""

    exchanges: list[Exchange]
    read: list[str]
    written: str | None


def expand(text: str, number: str) -> str:
    """The text with curl's macros filled in."""
    text = re.sub(r'%if large-time\n(.*?)%else\n.*?%endif\n?', r'\1', text, flags=re.DOTALL)
    text = re.sub(r'%hex\[(.*?)\]hex%', lambda found: _hexed(found[1]), text)
    text = re.sub(r'%repeat\[(\d+) x (.*?)\]%', lambda found: found[2] * int(found[1]), text)
    for macro in sorted(_MACROS, key=len, reverse=True):
        text = text.replace(macro, _MACROS[macro])
    return text.replace('%TESTNUMBER', number)


def _hexed(text: str) -> str:
    return re.sub('%([0-9a-fA-F]{2})', lambda found: chr(int(found[1], 16)), text)


def case(raw: dict[str, Any]) -> Case:
    """One entry of the vectors as a case."""
    number = raw['test'].removeprefix('test')
    command = expand(raw['command'] or '', number)
    files = [expand(text, number) for text in raw['files']]
    # 1902 is a program that reads the first file and writes the second.
    inputs = 1 if number == '1902' else len(re.findall(r'-b log/', command))
    written = files[inputs] if ('-c log' in command or number == '1902') and len(files) > inputs else None
    exchanges = list(_exchanges(raw, command, number))
    return Case(exchanges, files[:inputs], written)


def _exchanges(raw: dict[str, Any], command: str, number: str) -> Any:
    urls = re.findall(r'(?<!-x )(?<!-x ")https?://[^\s"]+', command)
    requests = [part for part in expand(raw['protocol'] or '', number).split('\n\n') if ' HTTP/1' in part]
    if number in (
        '1136',
        '3401',
    ):  # their requests are not in the vectors, their URLs are, and none of them sends a cookie
        requests = [f'GET {url} HTTP/1.1\nHost: {url.split("/")[2]}' for url in urls]
    given_by_hand = [quoted or plain for quoted, plain in re.findall(r'-b (?:"([^"]*)"|(\S+=\S+))', command)]
    own = [part.strip() for given in given_by_hand for part in given.split(';')]
    for position, request in enumerate(requests):
        target = request.split(' ')[1]
        host = _field(request, 'host')[0]
        given = urls[position] if len(urls) == len(requests) else ''
        scheme = 'https' if host.endswith(HTTPS) or given.startswith('https') else 'http'
        url = target if '://' in target else f'{scheme}://{host}{target}'
        cookies = [cookie for line in _field(request, 'cookie') for cookie in line.split('; ')]
        sent = [cookie for cookie in cookies if cookie not in own]
        yield Exchange(url, sent, _field(_reply(raw, url, number, position), 'set-cookie'))


def _reply(raw: dict[str, Any], url: str, number: str, position: int) -> str:
    found = re.search(rf'{number}000(\d)', url)
    replies = raw['replies']
    if found and found[1] in replies:
        text = replies[found[1]]
    elif position and 'swsbounce' in (raw['reply'] or ''):
        text = replies[str(position)]
    else:
        text = raw['reply'] or ''
    return expand(text, number)


def _field(message: str, name: str) -> list[str]:
    head = re.sub(r'\n[ \t]+', ' ', message).split('\n')  # a folded header is one line
    lines = [line.partition(':') for line in head[1:]]
    return [value.strip() for field, colon, value in lines if colon and field.lower() == name]


def set_by_head(text: str) -> list[str]:
    """The Set-Cookie lines of a response head that curl reads as a file of cookies."""
    return _field(text, 'set-cookie')


def cookie_lines(text: str) -> list[str]:
    """The cookies of a Netscape file in any order: no slash at the end of a path (curl drops it), domains in lower case (curl keeps it)."""
    found = []
    for line in text.split('\n'):
        if line and (not line.startswith('#') or line.startswith('#HttpOnly_')):
            fields = [*line.split('\t', 6), ''][:7]
            fields[0] = fields[0] if line.startswith('#') else fields[0].lower()
            fields[2] = fields[2].rstrip('/') or '/'
            fields[4] = fields[4] if fields[4] == '0' else 'some time'
            found.append('\t'.join(fields))
    return sorted(found)
