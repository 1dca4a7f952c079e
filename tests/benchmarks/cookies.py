"""`python -m tests.benchmarks.cookies`: what a Cookie header costs, by how many cookies of other sites lie in the jar.

There is no network in it. Each library is asked for the header of one URL as its own client asks for it; `--write` puts the table into the documentation,
`--gate` exits with 1 where requite needs more than it may.
"""

from __future__ import annotations

import argparse
import asyncio
import http.cookiejar
import platform
import sys
import timeit
import urllib.request
from collections.abc import Callable, Sequence
from importlib.metadata import version
from statistics import median
from typing import NamedTuple

from .children import ROOT, one_core

PAGE = ROOT / 'docs' / 'explanation' / 'performance.md'
BEGIN, END = '<!-- cookies: begin -->', '<!-- cookies: end -->'
URL = 'https://www.example.com/a/b?c'
SIZES = ((10, 3), (1_000, 3), (10_000, 3), (10, 200), (10_000, 200))
"""Cookies of other sites, twenty a site, and cookies that are sent."""

MOST = 10.0
"""Microseconds that a header with three cookies may cost requite, however many others there are."""

Ask = Callable[[], str]


def texts(foreign: int, own: int) -> list[tuple[str, str]]:
    """What servers set: URL and Set-Cookie."""
    others = [
        (f'https://www.site{number // 20}.org/', f'c{number % 20}=v{number}; Path=/') for number in range(foreign)
    ]
    return others + [('https://www.example.com/', f'own{number}=value{number}; Path=/') for number in range(own)]


def requite(foreign: int, own: int) -> Ask:
    from requite.cookies import CookieJar
    from requite.wire.uri import parse

    jar = CookieJar(most=20_000, most_of_a_domain=200)
    for url, text in texts(foreign, own):
        jar.set_cookie(text, url)
    uri = parse(URL)
    return lambda: jar.header(uri)


def filled(foreign: int, own: int) -> http.cookiejar.CookieJar:
    """The standard library's jar, which requests and httpx use too."""
    jar = http.cookiejar.CookieJar()
    for url, text in texts(foreign, own):
        name, _, value = text.partition(';')[0].partition('=')
        host = url.split('/')[2]
        jar.set_cookie(
            http.cookiejar.Cookie(
                0, name, value, None, False, host, False, False, '/', True, False, None, True, None, None, {}
            )
        )
    return jar


def cookiejar(foreign: int, own: int) -> Ask:
    jar = filled(foreign, own)

    def ask() -> str:
        request = urllib.request.Request(URL)
        jar.add_cookie_header(request)
        return str(request.get_header('Cookie'))

    return ask


def httpx(foreign: int, own: int) -> Ask:
    import httpx

    cookies = httpx.Cookies()
    cookies.jar = filled(foreign, own)
    request = httpx.Request('GET', URL)

    def ask() -> str:
        cookies.set_cookie_header(request)
        return request.headers['cookie']

    return ask


def aiohttp(foreign: int, own: int) -> Ask:
    import yarl
    from aiohttp import CookieJar

    async def fill() -> CookieJar:
        jar = CookieJar()
        for url, text in texts(foreign, own):
            name, _, value = text.partition(';')[0].partition('=')
            jar.update_cookies({name: value}, yarl.URL(url))
        return jar

    jar, url = asyncio.run(fill()), yarl.URL(URL)
    return lambda: jar.filter_cookies(url).output(header='', sep=';').strip()


CLIENTS: dict[str, Callable[[int, int], Ask]] = {
    'requite': requite,
    'http.cookiejar': cookiejar,
    'httpx': httpx,
    'aiohttp': aiohttp,
}


class Cost(NamedTuple):
    """Microseconds of one header, the median of the rounds."""

    foreign: int
    own: int
    client: str
    middle: float


def measure(foreign: int, own: int, clients: Sequence[str] = tuple(CLIENTS), rounds: int = 9) -> list[Cost]:
    """Every client in turn, each round; a round asks for as many headers as take some milliseconds."""
    asks = {client: CLIENTS[client](foreign, own) for client in clients}
    turns = {
        client: max(1, int(0.02 / max(1e-6, min(timeit.repeat(ask, number=1, repeat=3)))))
        for client, ask in asks.items()
    }
    spent: dict[str, list[float]] = {client: [] for client in clients}
    for _ in range(rounds):
        for client, ask in asks.items():
            spent[client].append(timeit.timeit(ask, number=turns[client]) / turns[client] * 1e6)
    return [Cost(foreign, own, client, median(spent[client])) for client in clients]


def table(costs: Sequence[Cost]) -> str:
    """One line a size, one column a client."""
    clients = list(dict.fromkeys(cost.client for cost in costs))
    lines = [
        '| cookies of other sites | cookies sent | ' + ' | '.join(clients) + ' |',
        '|---:|---:|' + '---:|' * len(clients),
    ]
    for size in dict.fromkeys((cost.foreign, cost.own) for cost in costs):
        cells = [f'{cost.middle:,.1f} us' for cost in costs if (cost.foreign, cost.own) == size]
        lines.append(f'| {size[0]:,} | {size[1]} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def too_dear(costs: Sequence[Cost]) -> list[str]:
    """What requite needs more for than it may."""
    ours = [cost for cost in costs if cost.client == 'requite' and cost.own <= 3 and cost.middle > MOST]
    return [f'{cost.middle:.1f} us with {cost.foreign:,} cookies of other sites, at most {MOST:g}' for cost in ours]


def written(page: str, text: str) -> str:
    """The page with another text between its markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f'there is no {BEGIN} ... {END} in {PAGE.name}')
    return f'{before}{BEGIN}\n\n{text}\n\n{END}{after}'


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.benchmarks.cookies', description=__doc__)
    parser.add_argument('--write', action='store_true', help='write the table into the documentation')
    parser.add_argument('--gate', action='store_true', help='exit with 1 where requite needs more than it may')
    chosen = parser.parse_args(words)
    with one_core():
        costs = [cost for size in SIZES for cost in measure(*size)]
    names = f'CPython {platform.python_version()}, requite {version("requite")}, httpx {version("httpx")}, aiohttp {version("aiohttp")}'
    text = f'{names}; medians of 9 rounds.\n\n{table(costs)}'
    print(text)
    if chosen.write:
        PAGE.write_text(written(PAGE.read_text(encoding='utf-8'), text), encoding='utf-8')
    lines = too_dear(costs)
    for line in lines:
        print(f'gate missed: {line}')
    return 1 if lines and chosen.gate else 0


if __name__ == '__main__':
    sys.exit(main())
