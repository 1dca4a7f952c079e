"""The published cookie vectors: http-state's parser and dates, tough-cookie's copies, the public suffix list's tests, curl's cookie tests.

They are read from ../shared/vectors beside the repository and never copied.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from requite.cookies import CookieJar, dates, domains
from requite.cookies.stores import netscape
from requite.wire import host as hosts
from requite.wire.uri import parse
from tests.vectors import curlcases

VECTORS = Path(__file__).parents[3] / 'shared' / 'vectors'

# Some cases have cookies that end in 2019, others cookies that do not end before 2027.
JANUARY_2019 = 1_546_300_800.0

HOME = 'http://home.example.org:8888'
PARSERS = ('http_state_parser', 'tough_cookie_parser')
DATES = (
    *('http_state_dates_examples', 'http_state_dates_bsd_examples'),
    *('tough_cookie_dates_examples', 'tough_cookie_dates_bsd_examples'),
)


def vectors(name: str) -> list[dict[str, Any]]:
    """One file of vectors, or none where they are not beside this repository."""
    path = VECTORS / f'{name}.json'
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding='utf-8')) if path.exists() else []
    return found


def cases(*names: str) -> list[Any]:
    """All cases of some files as parameters of a test; one that is skipped, with the reason, where they are absent."""
    found = [
        pytest.param(case, id=f'{name}-{case.get("test", case.get("input"))}')
        for name in names
        for case in vectors(name)
    ]
    absent = pytest.mark.skip(reason=f'../shared/vectors/{names[0]}.json is not beside this repository')
    return found or [pytest.param({}, marks=absent, id='absent')]


def sent(case: dict[str, Any], loose: bool) -> list[dict[str, str]]:
    """What a jar sends after it was given the headers of a case."""
    jar = CookieJar(loose=loose, now=lambda: JANUARY_2019)
    for text in case['received']:
        jar.set_cookie(text, f'{HOME}/cookie-parser?{case["test"]}', ignore_error=True)
    where = case.get('sent-to', f'/cookie-parser-result?{case["test"]}')
    cookies = jar.get_cookies(where if where.startswith('http') else HOME + where)
    return [{'name': cookie.key, 'value': cookie.value} for cookie in cookies]


@pytest.mark.parametrize('case', cases(*PARSERS))
def test_cookies_are_read_kept_and_sent_as_http_state_says(case: dict[str, Any]) -> None:
    assert sent(case, loose=False) == case['sent']


# RFC 6265bis took cookies without a name in, which http-state (of RFC 6265) leaves out; Node's `request` keeps them too.
NAMELESS = frozenset(
    (
        '0004 0021 0023 0024 0025 0026 0027 0028 CHROMIUM0009 CHROMIUM0010 CHROMIUM0012 MOZILLA0012 MOZILLA0014 MOZILLA0015 '
        'MOZILLA0016 MOZILLA0017 NAME0023 NAME0025 NAME0028 NAME0031 NAME0032'
    ).split()
)
# `=a=b` is the cookie a, as tough-cookie reads it: it is sent as `a=b`, and must not pass as a cookie without a name.
NAMED = {
    'NAME0017': [{'name': 'a', 'value': 'bar'}],
    'NAME0033': [{'name': 'foo', 'value': 'bar'}, {'name': '', 'value': 'aaa'}],
}
# RFC 6265bis 5.6 refuses a cookie with NUL or CR in it (SECURITY C3); http-state has the text end there.
CONTROLS = frozenset(('DISABLED_CHROMIUM0022', 'DISABLED_CHROMIUM0023'))


@pytest.mark.parametrize('case', cases(*PARSERS))
def test_the_default_jar_differs_from_http_state_only_where_rfc6265bis_does(case: dict[str, Any]) -> None:
    got = sent(case, loose=True)
    if case['test'] in CONTROLS:
        assert got == []
    elif case['test'] in NAMED:
        assert got == NAMED[case['test']]
    elif case['test'] in NAMELESS:
        assert [cookie for cookie in got if cookie['name']] == case['sent']
        assert [cookie['value'] for cookie in got if not cookie['name']] != []
    else:
        assert got == case['sent']


@pytest.mark.parametrize('case', cases(*DATES))
def test_dates_are_read_as_http_state_says(case: dict[str, Any]) -> None:
    when = dates.parse(case['test'])
    assert (None if when is None else dates.write(when)) == case['expected']


@pytest.mark.parametrize('case', cases('psl_tests'))
def test_registrable_domains_are_those_of_the_public_suffix_list(case: dict[str, Any]) -> None:
    # Hosts are ASCII here; the list's tests write some of them in their own script.
    wanted = case['registrable'] and hosts.normalise(case['registrable'])
    assert domains.registrable(case['input']) == wanted


# What a jar of RFC 6265bis does otherwise than curl, with the reason: '+' is what only we send or keep, '-' what only curl does.
SECURE_OVER_HTTP = 'tough-cookie, and so Node, takes Secure cookies from http; they go out over https alone'
DIFFERENT: dict[str, tuple[str, set[str]]] = {
    '1105': (
        'quotes around a path are part of it, so that it is none (RFC 6265bis 5.6.4); a tab may stand in a value (5.6)',
        {
            '+127.0.0.1\tFALSE\t/we/want\tFALSE\t0\tmismatch\tthis',
            '-127.0.0.1\tFALSE\t/silly\tFALSE\t0\tmismatch\tthis',
            '+127.0.0.1\tFALSE\t/we/want\tFALSE\t0\tbar\tfoo\tbar',
        },
    ),
    '1136': (
        'a public suffix may set a cookie for itself alone (RFC 6265bis 5.7 step 9)',
        {
            '+z-1.compute-1.amazonaws.com\tFALSE\t/\tFALSE\t0\ttest5\tforbidden5',
            '-.z-1.compute-1.amazonaws.com\tTRUE\t/\tFALSE\t0\ttest5\tforbidden5',
        },
    ),
    '1561': (
        f'{SECURE_OVER_HTTP}; a slash at the end of a path counts, so that /1561/login is not below /1561/login/',
        {
            '+.example.com\tTRUE\t/1561\tTRUE\t0\tsecureoverhttp\tyes',
            '+.example.com\tTRUE\t/1561/login\tFALSE\t0\tsupersuper\tplain',
        },
    ),
    '2311': ('prefixes are known in any letter case (RFC 6265bis 5.7 step 22)', {'-__secure-x=yes'}),
    '31': (
        f'{SECURE_OVER_HTTP}; a slash at the end of a path counts; a cookie may have no name',
        {
            '+test31.curl\tFALSE\t/we/want\tFALSE\t0\t\tnodomainnovalue',
            '+test31.curl\tFALSE\t/we/want\tTRUE\t0\tsecurewithspace\tafter',
            '+.test31.curl\tTRUE\t/overwrite\tFALSE\t0\toverwrite\tthis',
            '+.test31.curl\tTRUE\t/secure9\tTRUE\t0\tsecure\tvery1',
            *(f'+.test31.curl\tTRUE\t/secure{at}\tTRUE\t0\tsec{at}value\tsecure{at}' for at in range(1, 9)),
            '+#HttpOnly_.test31.curl\tTRUE\t/p4\tTRUE\t0\thttpandsec\tmyvalue2',
            *(f'+#HttpOnly_.test31.curl\tTRUE\t/p4\tTRUE\t0\thttpandsec{at}\tmyvalue{at + 1}' for at in range(2, 9)),
        },
    ),
    '392': ('Secure cookies go out over https alone, whatever the host (RFC 6265bis 5.8.3)', {'-foobar=name'}),
    '483': (
        'a date may be as long as an attribute, 1,024 bytes (RFC 6265bis 5.6)',
        {'+127.0.0.1\tFALSE\t/\tFALSE\tsome time\tname4\tvalue', '-127.0.0.1\tFALSE\t/\tFALSE\t0\tname4\tvalue'},
    ),
    '53': ('there is no option to leave the cookies of the last session out', {'+moo1\tindeed'}),
    '61': (SECURE_OVER_HTTP, {'+.foo.com\tTRUE\t/moo\tTRUE\t0\ttest3\tmaybe'}),
}

DIFFERENT['8'] = (DIFFERENT['1105'][0], {'+mismatch=this'})

# What does not concern a client's jar, or cannot be seen in the vectors.
LEFT_OUT = {
    '6': 'cookies given by hand for one request, no jar',
    '330': 'a Cookie header of the caller and a redirect, no jar',
    '442': 'at most 150 cookies in a header is a bound of curl; ours is 8 KB',
    '444': 'at most 50 cookies of one response is a bound of curl; ours is 180 of a domain',
    '506': 'a program; what it asks is not in the vectors',
    '598': 'options of a curl handle, no jar',
    '676': 'options of a curl handle',
    '898': 'a Cookie header of the caller and a redirect, no jar',
    '1166': 'no cookie engine: that is a request without a jar',
    '1401': 'cookies given by hand for one request, no jar',
    '1713': 'file names of other options',
    '1903': 'a program; what it asks is not in the vectors',
    '1920': 'a program; what it asks is not in the vectors',
    '2015': 'cookies given by hand and a redirect, no jar',
    '2506': 'netrc, no jar',
    '3103': 'CURLOPT_COOKIELIST; its texts are not in the vectors',
    '3104': 'CURLOPT_COOKIELIST; its texts are not in the vectors',
}


def number(raw: dict[str, Any]) -> str:
    """curl's number of a test."""
    return str(raw['test'].removeprefix('test'))


def played(case: curlcases.Case, folder: Path) -> set[str]:
    """Plays a case to a jar; what came out otherwise than in curl."""
    jar = CookieJar(now=lambda: 1_735_689_600.0)
    differences: set[str] = set()
    for text in case.read:
        if text.startswith('HTTP/'):
            jar.remember(parse(case.exchanges[0].url), curlcases.set_by_head(text))
            continue
        file = folder / 'cookies.txt'
        file.write_bytes(text.encode('latin-1'))
        jar.load(file)
    for exchange in case.exchanges:
        got = jar.header(parse(exchange.url)).split('; ')
        differences |= compared([cookie for cookie in got if cookie], exchange.sent)
        jar.remember(parse(exchange.url), exchange.received)
    if case.written is not None:
        written = netscape.write(jar.store.all())
        differences |= compared(curlcases.cookie_lines(written), curlcases.cookie_lines(case.written))
    return differences


def compared(ours: list[str], theirs: list[str]) -> set[str]:
    """The order of two cookies with paths of one length is each client's own (RFC 6265bis 5.8.3 only says what it should be)."""
    return {f'+{one}' for one in ours if one not in theirs} | {f'-{one}' for one in theirs if one not in ours}


@pytest.mark.parametrize(
    'raw', [case for case in cases('curl_cookie_tests') if str(case.id).rpartition('-test')[2] not in LEFT_OUT]
)
def test_the_jar_does_what_curls_does_but_where_a_reason_is_given(raw: dict[str, Any], tmp_path: Path) -> None:
    case = curlcases.case(raw)
    assert case.exchanges or case.written is not None
    assert played(case, tmp_path) == DIFFERENT.get(number(raw), ('', set()))[1]


def test_every_case_of_curl_is_played_or_left_out_for_a_reason() -> None:
    numbers = [number(raw) for raw in vectors('curl_cookie_tests')]
    if not numbers:
        pytest.skip('../shared/vectors/curl_cookie_tests.json is not beside this repository')
    assert len(numbers) == 69
    assert sorted({*LEFT_OUT, *DIFFERENT} - set(numbers)) == []
    assert sorted(set(LEFT_OUT) & set(DIFFERENT)) == []


@pytest.mark.parametrize(
    ('name', 'count'),
    [
        ('http_state_parser', 222),
        ('tough_cookie_parser', 222),
        ('http_state_dates_examples', 15),
        ('http_state_dates_bsd_examples', 55),
        ('psl_tests', 78),
    ],
)
def test_no_vector_is_missing(name: str, count: int) -> None:
    if not (found := vectors(name)):
        pytest.skip(f'../shared/vectors/{name}.json is not beside this repository')
    assert len(found) == count
