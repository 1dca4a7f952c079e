"""A real browser agrees: headless Chromium and requite visit the same pages, and then hold and send the same cookies.

Each case has hosts of its own. Its pages say which cookies they set and where they lead; after every visit the requests that arrived are compared, with their
targets and Cookie headers, and at the end the cookies that both hold. Where the two differ, `DIFFERENT` says how, and what RFC 6265bis or RFC 3986 says.
"""

from __future__ import annotations

import socket
from math import inf
from typing import Any, NamedTuple

import pytest

from requite import RequestError, request
from requite.cookies import CookieJar
from tests.peers.daemons import program
from tests.servers import Answer, Authority, HttpServer, Seen

pytestmark = [
    pytest.mark.timing,
    pytest.mark.skipif(program('chromium') is None, reason='chromium is not installed'),
]

PAGES: dict[str, dict[str, list[str]]] = {
    'a cookie goes back': {'http://www.c1.test/': ['a=1'], 'http://www.c1.test/x/y?q': []},
    'a cookie has no port': {'http://c2.test/': ['a=1; Path=/'], 'https://c2.test/': []},
    'the default path is the folder': {'http://c3.test/in/page': ['a=1'], 'http://c3.test/in/': [], 'http://c3.test/inner': [], 'http://c3.test/in': []},
    'a path is matched by whole segments': {'http://c4.test/': ['a=1; Path=/foo', 'b=1; Path=/foo/'], 'http://c4.test/foo': [], 'http://c4.test/foo/bar': [], 'http://c4.test/foobar': []},
    'longer paths come first, then older cookies': {'http://c5.test/a/b': ['new=1; Path=/', 'deep=1; Path=/a/b', 'mid=1; Path=/a', 'old=1; Path=/a'], 'http://c5.test/a/b/c': []},
    'a new value keeps its place': {'http://c6.test/': ['a=1', 'b=1'], 'http://c6.test/again': ['a=2; Path=/'], 'http://c6.test/show': []},
    'a Domain reaches siblings': {'http://www.c7.test/': ['a=1; Domain=c7.test', 'b=1; Domain=.C7.Test', 'own=1'], 'http://api.c7.test/': [], 'http://c7.test/': []},
    'a host keeps its own': {'http://c8.test/': ['a=1'], 'http://sub.c8.test/': []},
    'another site is refused': {'http://www.c9.test/': ['a=1; Domain=victim9.test', 'b=1; Domain=api.c9.test', 'c=1; Domain=9.test'], 'http://victim9.test/': [], 'http://api.c9.test/': []},
    'a public suffix is refused': {'http://shop.co.uk/': ['a=1; Domain=co.uk', 'b=1; Domain=uk', 'c=1; Domain=shop.co.uk'], 'http://other.co.uk/': [], 'http://shop.co.uk/x': []},
    'a single label is a public suffix': {'http://www.c11.test/': ['a=1; Domain=test', 'b=1; Domain=.test'], 'http://www.d11.test/': []},
    'two cookies of one name': {'http://www.c12.test/': ['a=host', 'a=all; Domain=c12.test'], 'http://www.c12.test/p/': ['a=deep'], 'http://www.c12.test/p/q': []},
    'an address has no parents': {'http://10.1.2.3/': ['a=1', 'b=1; Domain=2.3', 'c=1; Domain=10.1.2.3'], 'http://10.1.2.3/x': [], 'http://9.1.2.3/': []},
    'a deletion in the same answer': {'http://c14.test/': ['a=1', 'a=; Max-Age=0', 'b=; Max-Age=0', 'b=1', 'c=1; Max-Age=-5', 'd=1'], 'http://c14.test/x': []},
    'a deletion needs the same path and domain': {'http://www.c15.test/p/': ['a=1; Path=/', 'b=1; Path=/; Domain=c15.test'], 'http://www.c15.test/q/': ['a=; Max-Age=0', 'b=; Path=/; Max-Age=0'], 'http://www.c15.test/p/x': ['a=; Path=/; Max-Age=0'], 'http://www.c15.test/': []},
    'dates in every spelling': {'http://c16.test/': ['a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT', 'b=1; Expires=Wednesday, 21-Oct-65 07:28:00 GMT', 'c=1; Expires=Wed Oct 21 07:28:00 2065', 'd=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'e=1; Expires=21-Oct-1999 07:28:00'], 'http://c16.test/x': []},
    'a date that is none makes a cookie of the session': {'http://c17.test/': ['a=1; Expires=soon', 'b=1; Expires=32-Foo-0000 99:99:99', 'c=1; Expires=', 'd=1; Expires=30 Feb 2040 10:00:00'], 'http://c17.test/x': []},
    'Max-Age wins, and 400 days are the most': {'http://c18.test/': ['a=1; Max-Age=5000; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'b=1; Max-Age=1000000000', 'c=1; Max-Age=1x', 'd=1; Max-Age=', 'e=1; Max-Age=99999999999999999999999999'], 'http://c18.test/x': []},
    'Secure goes over https alone': {'https://c19.test/': ['a=1; Secure', 'b=1'], 'http://c19.test/': [], 'https://c19.test/x': []},
    'http does not touch a Secure cookie': {'https://www.c20.test/': ['a=1; Secure; Domain=c20.test', 'b=1; Secure'], 'http://www.c20.test/': ['a=2; Domain=c20.test', 'a=3', 'b=2', 'b=; Max-Age=0', 'c=1'], 'https://www.c20.test/x': []},
    'Secure from http': {'http://c21.test/': ['a=1; Secure', 'b=1'], 'https://c21.test/': []},
    'prefixes over https': {'https://www.c22.test/': ['__Host-a=1; Secure; Path=/', '__Host-b=1; Path=/', '__Host-c=1; Secure; Path=/; Domain=www.c22.test', '__Host-d=1; Secure; Path=/x', '__Host-e=1; Secure', '__Secure-f=1; Secure', '__Secure-g=1', '__hOsT-h=1', '__Host-=1'], 'https://www.c22.test/y/z': []},
    'prefixes over http': {'http://c23.test/': ['__Host-a=1; Secure; Path=/', '__Secure-b=1; Secure', '__host-c=1', 'd=1'], 'https://c23.test/': []},
    'a prefix may not hide in the value': {'https://c24.test/': ['=__Host-a=1; Secure; Path=/', '__Secure-b', '=c=1'], 'https://c24.test/x': []},
    'cookies without a name': {'http://c25.test/': ['bare', 'a=', '=', ' = ', '', ';a=2', 'b = 1 ; Path=/'], 'http://c25.test/x': []},
    'a nameless one replaces the other': {'http://c26.test/': ['one', '=two'], 'http://c26.test/x': []},
    'values come back as they are': {'http://c27.test/': ['a="q"', 'b="a=b"', 'c=x=y==', 'd=a,b', 'e="half', 'f=a b', 'g=%20+'], 'http://c27.test/x': []},
    'blanks around are cut': {'http://c28.test/': ['  a  =  1  ;  PATH = /x ; HTTPONLY', '\tb\t=\t2\t'], 'http://c28.test/x/y': []},
    'control characters are refused': {'http://c29.test/': ['a=\x01', 'b=x\x1fy', 'c\x7f=1', 'd=1; Path=/\x02', 'e=in\tside', 'f=1'], 'http://c29.test/x': []},
    'a tab may stand within': {'http://c46.test/': ['a=in\tside', 'b=1'], 'http://c46.test/x': []},
    'bytes beyond ASCII': {'http://c30.test/': ['a=caf\xc3\xa9', '\xc3\xa9=1'], 'http://c30.test/x': []},
    'a cookie of 4096 bytes and one of 4097': {'http://c31.test/': ['a=' + 'x' * 4095, 'b=' + 'x' * 4096, 'n' * 4000 + '=' + 'v' * 97], 'http://c31.test/x': []},
    'an attribute of 1024 bytes and one of 1025': {'http://c32.test/': ['a=1; Path=/' + 'x' * 1023, 'b=1; Path=/' + 'x' * 1024, 'c=1; Domain=' + 'x' * 1025], 'http://c32.test/x': []},
    'the last attribute wins': {'http://www.c33.test/a/b': ['a=1; Path=/nowhere; Path=/', 'b=1; Domain=other33.test; Domain=c33.test', 'c=1; Max-Age=0; Max-Age=500', 'd=1; Path=/; Path=rel', 'e=1; Unknown=1; Version=1; HttpOnly=no'], 'http://www.c33.test/x': [], 'https://www.c33.test/a/x': []},
    'an empty Domain': {'http://www.c34.test/': ['a=1; Domain=', 'b=1; Domain=.', 'c=1; Domain=c34.test; Domain='], 'http://api.c34.test/': [], 'http://www.c34.test/x': []},
    'HttpOnly, SameSite and Partitioned are kept': {'https://c35.test/': ['a=1; HttpOnly', 'b=1; SameSite=Lax', 'c=1; SameSite=Strict', 'd=1; SameSite=None; Secure', 'e=1; SameSite=Odd', 'f=1; Secure; SameSite=None; Partitioned'], 'https://c35.test/x': []},
    'SameSite=None without Secure': {'http://c36.test/': ['a=1; SameSite=None', 'b=1'], 'http://c36.test/x': []},
    'a path in another spelling': {'http://c37.test/': ['a=1; Path=/a%20b', 'b=1; Path=/a b', 'c=1; Path=/~x'], 'http://c37.test/a%20b/c': [], 'http://c37.test/~x/y': []},
    'a dot at the end of a name': {'http://www.c38.test./': ['a=1', 'b=1; Domain=c38.test.', 'c=1; Domain=c38.test'], 'http://www.c38.test./x': [], 'http://www.c38.test/': []},
    'a redirect sets and the next hop sends': {'http://c39.test/in/1': ['302 2', 'a=1', 'b=1; Path=/'], 'http://c39.test/in/2': ['307 ../out', 'a=; Max-Age=0', 'c=1; Path=/'], 'http://c39.test/out': []},
    'cookies stay at home on the way': {'http://www.c40.test/': ['302 http://www.d40.test/x', 'a=1; Domain=c40.test', 'z=1; Domain=d40.test'], 'http://www.d40.test/x': ['301 //www.c40.test/back', 'b=1; Domain=d40.test'], 'http://www.c40.test/back': []},
    'from http to https and back': {'http://c41.test/': ['302 https://c41.test/s', 'a=1; Path=/'], 'https://c41.test/s': ['302 http://c41.test/back', 'b=1; Secure; Path=/'], 'http://c41.test/back': ['303 https://c41.test/end'], 'https://c41.test/end': []},
    'Locations are resolved': {'http://c42.test/a/b/c?q=1': ['302 ../d/./e/../f?r#part'], 'http://c42.test/a/d/f?r': ['302 ?s', 'a=1'], 'http://c42.test/a/d/f?s': ['302 /g/../h'], 'http://c42.test/h': ['302 HTTP://C42.test:80/i%7Ej'], 'http://c42.test/i%7Ej': ['302 //C42.test/./k', 'b=1; Path=/k'], 'http://c42.test/k': []},
    'Locations are written as URLs are': {'http://c43.test/': ['302 /a b\tc?d e\xc3\xa9'], 'http://c43.test/a%20bc?d%20e%C3%A9': [], 'http://c43.test/a%20b%09c?d%20e%C3%A9': []},
    'a chain that sets a cookie at every step': {f'http://c44.test/{step}': [f'{(301, 302, 303, 307, 308)[step % 5]} /{step + 1}', f's{step}=1; Path=/'] for step in range(8)} | {'http://c44.test/8': []},
    'one redirect to itself with a cookie': {'http://c45.test/': ['302 /?done', 'a=1'], 'http://c45.test/?done': []},
}  # fmt: skip

STARTS_ONLY_AT_THE_FIRST = {name for name, pages in PAGES.items() if any(one[:1].isdigit() for page in pages.values() for one in page[:1])}  # fmt: skip
"""Cases of redirects: their other pages are reached by these."""


class Visit(NamedTuple):
    """What one visit of a page came to: the requests that arrived, as scheme, host, target and Cookie header."""

    url: str
    arrived: tuple[tuple[str, str], ...]


Held = frozenset[tuple[Any, ...]]


class Site:
    """All pages on two servers, and what has arrived there since the last look."""

    def __init__(self, authority: Authority) -> None:
        self.arrived: list[tuple[str, str]] = []
        self.answers = {url: answer(page) for pages in PAGES.values() for url, page in pages.items()}
        self.plain = HttpServer(lambda seen: self.answer('http', seen))
        self.secure = HttpServer(lambda seen: self.answer('https', seen), tls=authority.context())

    def answer(self, scheme: str, seen: Seen) -> Answer:
        url = f'{scheme}://{seen.header("host")}{seen.target}'
        if host_of(url) not in HOSTS:
            return Answer(404)  # a browser has errands of its own
        self.arrived.append((url, seen.header('cookie') or ''))
        return self.answers.get(url, answer([]))

    def seen(self) -> tuple[tuple[str, str], ...]:
        """What has arrived, once."""
        arrived = tuple(self.arrived)
        self.arrived.clear()
        return arrived

    def close(self) -> None:
        self.plain.close()
        self.secure.close()


def answer(page: list[str]) -> Answer:
    """A page: the first text may be a status and where it leads, the others are cookies."""
    fields = [('content-type', 'text/html')]
    status, cookies = 200, page
    if page and page[0][:3].isdigit():
        status, cookies = int(page[0][:3]), page[1:]
        fields.append(('location', page[0][4:]))
    body = b'<link rel="icon" href="data:,">'  # no request for an icon
    return Answer(status, fields + [('set-cookie', cookie) for cookie in cookies], body)


def host_of(url: str) -> str:
    return url.split('/')[2]


HOSTS = {host_of(url) for pages in PAGES.values() for url in pages}


def visits(name: str) -> list[str]:
    pages = list(PAGES[name])
    return pages[:1] if name in STARTS_ONLY_AT_THE_FIRST else pages


def case_of(domain: str) -> str | None:
    """The case that a cookie belongs to."""
    name = domain.removeprefix('.')
    for case, pages in PAGES.items():
        if any(host == name or host.endswith('.' + name) for host in map(host_of, pages)):
            return case
    return None


def held(name: str, value: str, domain: str, path: str, flags: tuple[bool, bool], end: float | None) -> tuple[Any, ...]:
    """A cookie as both hold it; its end to the hour, as the two saw it at different moments."""
    return (name, value, domain, path, *flags, None if end is None else round(end / 3600))


def by_the_browser(site: Site) -> tuple[dict[str, list[Visit]], dict[str, set[Any]]]:
    from tests.peers.browser import chromium

    seen: dict[str, list[Visit]] = {}
    kept: dict[str, set[Any]] = {name: set() for name in PAGES}
    with chromium(site.plain.port, site.secure.port) as browser:
        for name in PAGES:
            seen[name] = []
            for url in visits(name):
                browser.visit(url)
                seen[name].append(Visit(url, site.seen()))
        for cookie in browser.cookies():
            case = case_of(cookie['domain'])
            if case is not None:
                flags = (cookie['secure'], cookie['httpOnly'])
                end = None if cookie['session'] else cookie['expires']
                value = cookie['value'].encode().decode('latin-1')  # one character a byte, as a jar has it
                key = cookie['name'].encode().decode('latin-1')
                kept[case].add(held(key, value, cookie['domain'], cookie['path'], flags, end))
    return seen, kept


def by_requite(site: Site, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, list[Visit]], dict[str, set[Any]]]:
    ports, look_up = {80: site.plain.port, 443: site.secure.port}, socket.getaddrinfo
    monkeypatch.setattr(
        socket, 'getaddrinfo', lambda host, port, *rest, **more: look_up('127.0.0.1', ports[port], *rest, **more)
    )
    jar = CookieJar()
    api = request.defaults(jar=jar, strict_ssl=False, pool=request.Pool(max_sockets=2), timeout=5000)
    seen: dict[str, list[Visit]] = {}
    for name in PAGES:
        seen[name] = []
        for url in visits(name):
            try:
                api.get(url).end()
            except RequestError as error:
                site.arrived.append((type(error).__name__, ''))
            seen[name].append(Visit(url, site.seen()))
    kept: dict[str, set[Any]] = {name: set() for name in PAGES}
    for cookie in jar.store.all():
        case = case_of(cookie.domain or '')
        assert case is not None
        domain = (cookie.domain or '') if cookie.host_only else f'.{cookie.domain}'
        end = None if cookie.expiry == inf else cookie.expiry
        flags = (cookie.secure, cookie.http_only)
        kept[case].add(held(cookie.key, cookie.value, domain, cookie.path or '', flags, end))
    return seen, kept


class Two(NamedTuple):
    """What the browser (first) and requite (second) saw and held, by case."""

    visits: tuple[dict[str, list[Visit]], dict[str, list[Visit]]]
    cookies: tuple[dict[str, set[Any]], dict[str, set[Any]]]


@pytest.fixture(scope='module')
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    authority = Authority(tmp_path_factory.mktemp('authority'))
    site = Site(authority)
    with pytest.MonkeyPatch.context() as patch:
        try:
            theirs, ours = by_the_browser(site), by_requite(site, patch)
        finally:
            site.close()
    return Two((theirs[0], ours[0]), (theirs[1], ours[1]))


DIFFERENT: dict[str, tuple[str, set[str], set[str]]] = {
    'a new value keeps its place': (
        'RFC 6265bis 5.7: a cookie that replaces another takes over its creation time, and with it its place. Chromium does so for the same value only.',
        {'http://c6.test/show b=1; a=2'},
        {'http://c6.test/show a=2; b=1'},
    ),
    'an address has no parents': (
        'RFC 6265bis 5.7: a Domain that is the host itself makes the host-only flag false. For an address that means the same, so Chromium sets it.',
        {'holds c=1 10.1.2.3 / False False None'},
        {'holds c=1 .10.1.2.3 / False False None'},
    ),
    'Secure from http': (
        'RFC 6265bis 5.7 has a Secure cookie from http dropped; tough-cookie, and so Node, keeps it. It goes out over https alone, and changes no Secure cookie.',
        {'https://c21.test/ b=1'},
        {'https://c21.test/ a=1; b=1', 'holds a=1 c21.test / True False None'},
    ),
    'a prefix may not hide in the value': (
        'RFC 6265bis 5.6 reads `=c=1` as a value without a name, to be sent as `c=1`; tough-cookie reads a cookie c, and so is it kept here. Chromium refuses it.',
        {'https://c24.test/x'},
        {'https://c24.test/x c=1', 'holds c=1 c24.test / False False None'},
    ),
    'control characters are refused': (
        'RFC 9110 5.5: control characters make a field value invalid. Here the whole answer is an error (SECURITY S8); Chromium drops these cookies alone.',
        {'http://c29.test/x f=1', 'holds f=1 c29.test / False False None'},
        {'MalformedResponse', 'http://c29.test/x'},
    ),
    'a tab may stand within': (
        'RFC 6265bis 5.6 refuses control characters but the tab. Chromium refuses it as well.',
        {'http://c46.test/x b=1'},
        {'http://c46.test/x a=in\tside; b=1', 'holds a=in\tside c46.test / False False None'},
    ),
    'an empty Domain': (
        'RFC 6265 5.2.3 passes an empty Domain over, so that an earlier one counts; RFC 6265bis makes it host-only. To both `.` is empty; Chromium refuses that.',
        {
            'http://api.c34.test/',
            'http://www.c34.test/x a=1; c=1',
            'holds c=1 www.c34.test / False False None',
        },
        {
            'http://api.c34.test/ c=1',
            'http://www.c34.test/x a=1; b=1; c=1',
            'holds b=1 www.c34.test / False False None',
            'holds c=1 .c34.test / False False None',
        },
    ),
    'SameSite=None without Secure': (
        'A rule of browsers against other sites. A client has no sites: SameSite is kept and means nothing.',
        {'http://c36.test/x b=1'},
        {'http://c36.test/x a=1; b=1', 'holds a=1 c36.test / False False None'},
    ),
    'Locations are written as URLs are': (
        'RFC 3986 has no place for a tab. Browsers take it out (WHATWG URL); here it is escaped as what it is, so that nothing that somebody filtered by is put together.',
        {'http://c43.test/a%20bc?d%20e%C3%A9'},
        {'http://c43.test/a%20b%09c?d%20e%C3%A9'},
    ),
}
"""Case, what the standard says, what only the browser sends or holds, and what only requite does."""


def compared(name: str, two: Two) -> tuple[set[str], set[str]]:
    """What only the browser sent or held, and what only requite did, as short texts."""
    only: list[set[str]] = []
    for mine in (0, 1):
        sent = {f'{url} {cookie}'.rstrip() for visit in two.visits[mine][name] for url, cookie in visit.arrived}
        only.append(
            sent
            | {f'holds {cookie[0]}={cookie[1]} {" ".join(map(str, cookie[2:]))}' for cookie in two.cookies[mine][name]}
        )
    return only[0] - only[1], only[1] - only[0]


@pytest.mark.parametrize('name', PAGES)
def test_the_browser_and_requite_send_and_hold_the_same_cookies(name: str, two: Two) -> None:
    theirs, ours = compared(name, two)
    assert (theirs, ours) == DIFFERENT.get(name, ('', set(), set()))[1:]


def test_forty_pages_and_more_are_visited(two: Two) -> None:
    pages = [url for name in PAGES for visit in two.visits[0][name] for url, _ in visit.arrived]
    assert len(set(pages)) >= 40
    assert sum(map(len, two.cookies[0].values())) >= 40
    assert set(DIFFERENT) <= set(PAGES)
