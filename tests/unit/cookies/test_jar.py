"""The jar: what it keeps, what it sends, what it throws away."""

from __future__ import annotations

import logging
import threading
import time
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite.cookies import Cookie, CookieError, CookieJar, MemoryStore
from requite.cookies import jar as jars
from requite.errors import InvalidOptionType, InvalidURI, RequestError, UnknownOption
from requite.headers import FIELD_VALUE
from requite.wire.uri import parse
from tests.unit.cookies.jars import NOW, Clock, jar_with, sent

# ---------------------------------------------------------------- C1: whose cookie


@pytest.mark.parametrize(
    ('host', 'text', 'other'),
    [
        ('www.example.com', 'evil=1; Domain=victim.test', 'victim.test'),
        ('a.co.uk', 'evil=1; Domain=co.uk', 'b.co.uk'),
        ('a.co.uk', 'evil=1; Domain=CO.uK', 'b.co.uk'),
        ('a.com', 'evil=1; Domain=com', 'b.com'),
        ('a.co.uk.', 'evil=1; Domain=.co.uk.', 'b.co.uk.'),
        ('a.github.io', 'evil=1; Domain=github.io', 'b.github.io'),
        ('10.0.0.1', 'evil=1; Domain=0.0.1', '20.0.0.1'),
        ('10.0.0.1', 'evil=1; Domain=.0.1', '20.0.0.1'),
        ('example.com', 'evil=1; Domain=www.example.com', 'www.example.com'),
        ('www.example.com', 'evil=1; Domain="example.com"', 'example.com'),
        ('[::1]', 'evil=1; Domain=1', '[::2]'),
        ('unix:/run/a.sock:', 'evil=1; Domain=localhost', 'localhost'),
    ],
)
def test_c1_a_cookie_for_anybody_else_is_refused(host: str, text: str, other: str) -> None:
    """SECURITY C1: another site, a public suffix in any letter case or with a trailing dot, the end of an address."""
    jar = jar_with(text, url=f'http://{host}/')
    assert len(jar) == 0
    assert sent(jar, f'http://{other}/') == ''
    with pytest.raises(CookieError, match='evil'):
        jar.set_cookie(text, f'http://{host}/')


def test_c1_the_end_of_a_name_is_no_domain() -> None:
    """SECURITY C1: badexample.com does not end in the domain example.com."""
    assert sent(jar_with('a=1; Domain=example.com'), 'https://badexample.com/') == ''


def test_a_public_suffix_may_set_a_cookie_for_itself() -> None:
    jar = jar_with('a=1; Domain=github.io', url='https://github.io/')
    assert sent(jar, 'https://github.io/') == 'a=1'
    assert sent(jar, 'https://me.github.io/') == ''


def test_localhost_and_addresses_may_name_themselves() -> None:
    for host in ('localhost', '127.0.0.1', '[::1]'):
        jar = jar_with(f'a=1; Domain={host}', 'b=2', url=f'http://{host}/')
        assert sent(jar, f'http://{host}:81/') == 'a=1; b=2'


def test_the_domain_may_be_written_in_its_own_script() -> None:
    jar = CookieJar()
    jar.set_cookie('a=1; Domain=bücher.example', 'http://www.bücher.example/')
    assert jar.get_cookie_string('http://xn--bcher-kva.example/') == 'a=1'


# ---------------------------------------------------------------- C2: to whom it goes


def test_c2_a_cookie_without_domain_goes_to_its_host_alone() -> None:
    """SECURITY C2."""
    jar = jar_with('h=1', 'd=2; Domain=example.com', url='https://example.com/')
    assert sent(jar, 'https://example.com/') == 'h=1; d=2'
    assert sent(jar, 'https://sub.example.com/') == 'd=2'


def test_c2_a_path_is_matched_by_whole_segments() -> None:
    """SECURITY C2."""
    jar = jar_with('p=1; Path=/tar')
    assert sent(jar, 'https://www.example.com/target') == ''
    assert sent(jar, 'https://www.example.com/tar/get?x#y') == 'p=1'


def test_c2_the_default_path_is_the_directory_of_the_request() -> None:
    """SECURITY C2."""
    jar = jar_with('p=1', url='https://www.example.com/f/page?x=/y')
    assert sent(jar, 'https://www.example.com/target') == ''
    assert sent(jar, 'https://www.example.com/f/other') == 'p=1'


def test_c2_a_secure_cookie_goes_over_https_alone() -> None:
    """SECURITY C2. It is taken from http, as Node's jar takes it."""
    jar = jar_with('s=1; Secure', url='http://www.example.com/')
    assert sent(jar, 'http://www.example.com/') == ''
    assert sent(jar, 'https://www.example.com/') == 's=1'


def test_cookies_do_not_depend_on_the_port() -> None:
    assert sent(jar_with('a=1', url='http://www.example.com:8080/'), 'http://www.example.com:8081/') == 'a=1'


def test_a_socket_keeps_its_cookies_to_itself() -> None:
    jar = jar_with('a=1', url='http://unix:/run/a.sock:/')
    assert sent(jar, 'http://unix:/run/a.sock:/x') == 'a=1'
    assert sent(jar, 'http://unix:/run/b.sock:/x') == ''
    assert sent(jar, 'http://localhost/x') == ''


def test_longer_paths_come_first_and_then_older_cookies() -> None:
    jar = jar_with('root=1', 'a=2; Path=/x', 'second=3', 'b=4; Path=/x')
    assert sent(jar, 'https://www.example.com/x/y') == 'a=2; b=4; root=1; second=3'


def test_a_new_value_keeps_the_old_place() -> None:
    clock = Clock()
    jar = jar_with('a=1', 'b=2', now=clock)
    clock.seconds += 10
    jar.remember(parse('https://www.example.com/'), ['a=3'])
    assert sent(jar) == 'a=3; b=2'


def test_a_hosts_own_cookie_and_one_for_all_below_it_are_two() -> None:
    jar = jar_with('a=own', 'a=all; Domain=www.example.com')
    assert sent(jar) == 'a=own; a=all'
    jar.remember(parse('https://www.example.com/'), ['a=; Max-Age=0'])
    assert sent(jar) == 'a=all'


# ---------------------------------------------------------------- C3: nothing that breaks a request


@pytest.mark.parametrize('char', [chr(code) for code in [*range(9), *range(10, 32), 127]])
def test_c3_control_characters_anywhere_are_refused(char: str) -> None:
    """SECURITY C3: in the name, the value or an attribute."""
    for text in (f'a{char}b=1', f'a=1{char}', f'a=1; x={char}', f'a=1; path=/{char}'):
        jar = jar_with('good=1', text)
        assert sent(jar) == 'good=1'
        with pytest.raises(CookieError, match='control character'):
            jar.set_cookie(text, 'https://www.example.com/')
        with pytest.raises(CookieError, match='control character'):
            jar.set_cookie(Cookie(f'a{char}', '1'), 'https://www.example.com/')


def test_c3_what_a_server_sent_goes_back_byte_for_byte() -> None:
    """SECURITY C3: header values are characters of one byte each."""
    raw = 'c=café'.encode().decode('latin-1')
    assert sent(jar_with(raw)).encode('latin-1') == 'c=café'.encode()


def test_c3_characters_that_no_header_can_hold_go_out_as_utf8() -> None:
    """SECURITY C3: a cookie of one's own must not make a request fail."""
    jar = CookieJar()
    jar.set_cookie('名=値', 'http://www.example.com/')
    jar.set_cookie('latin=é', 'http://www.example.com/')
    assert jar.get_cookie_string('http://www.example.com/') == '名=値; latin=é'
    assert jar.header(parse('http://www.example.com/')).encode('latin-1') == '名=値'.encode() + b'; latin=\xe9'
    with pytest.raises(CookieError, match='half a pair'):
        jar.set_cookie('a=\ud800', 'http://www.example.com/')


def test_c3_a_cookie_by_hand_cannot_be_two() -> None:
    """SECURITY C3."""
    jar = CookieJar()
    for cookie in (Cookie('a', '1; b=2'), Cookie('a=1; b', '2'), Cookie('a=', 'x'), Cookie('', 'a=b')):
        with pytest.raises(CookieError, match='read as another'):
            jar.set_cookie(cookie, 'http://www.example.com/')


@given(st.lists(st.text(max_size=60), max_size=6))
def test_c3_whatever_is_set_the_header_is_one_that_can_be_sent(texts: list[str]) -> None:
    """SECURITY C3."""
    jar = jar_with(*texts)
    header = sent(jar)
    assert FIELD_VALUE.fullmatch(header)
    header.encode('latin-1')


def test_an_empty_set_cookie_is_no_cookie() -> None:
    jar = jar_with('', ';', '; Path=/', '=', 'ok=1')
    assert sent(jar) == 'ok=1'


# ---------------------------------------------------------------- C4: bounds


def test_c4_a_cookie_has_4096_bytes_at_most() -> None:
    """SECURITY C4: name and value together."""
    jar = jar_with(
        'a=' + 'x' * 4095, 'b=' + 'x' * 4096, 'n' * 4096 + '=v', 'ü' * 2049 + '=値', url='https://www.example.com/'
    )
    assert [cookie.key for cookie in jar.get_cookies('https://www.example.com/')] == ['a']
    with pytest.raises(CookieError, match='larger than 4096 bytes'):
        jar.set_cookie('a=' + 'x' * 4096, 'https://www.example.com/')


def test_c4_a_domain_has_180_cookies_at_most_and_the_oldest_go() -> None:
    """SECURITY C4."""
    jar = jar_with(*(f'c{number}=1' for number in range(10_000)))
    cookies = [cookie.key for cookie in jar.get_cookies('https://www.example.com/')]
    assert cookies == [f'c{number}' for number in range(9820, 10_000)]


def test_c4_secure_cookies_and_those_in_use_outlast_a_flood() -> None:
    """SECURITY C4: a domain loses expired cookies first, then those that are not Secure, then the longest unused."""
    clock = Clock()
    jar = jar_with(
        'soon=1; Max-Age=5', 'secure=1; Secure', 'used=1; Path=/used', 'idle=1', now=clock, most_of_a_domain=4
    )
    clock.seconds += 1
    assert sent(jar, 'http://www.example.com/used') == 'used=1; soon=1; idle=1'
    clock.seconds += 9
    jar.remember(parse('https://www.example.com/'), ['new=1'])
    assert sent(jar, 'https://www.example.com/used') == 'used=1; secure=1; idle=1; new=1'
    clock.seconds += 1
    jar.set_cookie('newer=1', 'https://www.example.com/')
    sent(jar, 'http://www.example.com/')
    jar.set_cookie('newest=1', 'https://www.example.com/')
    assert sent(jar, 'https://www.example.com/used') == 'secure=1; new=1; newer=1; newest=1'


def test_c4_a_jar_has_3000_cookies_at_most_and_the_oldest_go() -> None:
    """SECURITY C4."""
    jar = CookieJar(now=Clock())
    for number in range(3010):
        jar.set_cookie('a=1; Secure', f'https://site{number}.org/')
    assert len(jar) == 3000
    assert sent(jar, 'https://site9.org/') == ''
    assert sent(jar, 'https://site10.org/') == 'a=1'


def test_c4_a_header_has_8_kb_at_most_and_the_oldest_cookies_are_left_out() -> None:
    """SECURITY C4: a server that sets 60 cookies of 1 KB cannot make every later request too large for it."""
    jar = jar_with(*(f'c{number:02}={"x" * 1000}' for number in range(60)))
    header = sent(jar)
    assert len(f'cookie: {header}\r\n') <= 8192
    assert [pair[:3] for pair in header.split('; ')] == [f'c{number:02}' for number in range(52, 60)]
    assert jar.get_cookie_string('https://www.example.com/') == header


# ---------------------------------------------------------------- C7, C8: order, deletion, prefixes


def test_c7_a_deletion_in_the_same_response_wins_by_order() -> None:
    """SECURITY C7."""
    assert sent(jar_with('x=1', 'x=1; Max-Age=0')) == ''
    assert sent(jar_with('x=1; Max-Age=0', 'x=2')) == 'x=2'
    assert sent(jar_with('x=1', 'x=; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'x=3')) == 'x=3'


@pytest.mark.parametrize(
    ('text', 'url', 'kept'),
    [
        ('__Host-a=1; Path=/; Secure', 'https://www.example.com/x', True),
        ('__Host-a=1; Path=/', 'https://www.example.com/x', False),
        ('__Host-a=1; Secure', 'https://www.example.com/', False),
        ('__Host-a=1; Path=/x; Secure', 'https://www.example.com/x', False),
        ('__Host-a=1; Path=/; Secure; Domain=www.example.com', 'https://www.example.com/x', False),
        ('__hOST-a=1; Path=/', 'https://www.example.com/x', False),
        ('__Host-a=1; Path=/; Secure', 'http://www.example.com/x', False),
        ('__Secure-a=1; Secure', 'https://www.example.com/x', True),
        ('__Secure-a=1; Secure; Domain=example.com', 'https://www.example.com/x', True),
        ('__Secure-a=1', 'https://www.example.com/x', False),
        ('__SeCuRe-a=1', 'https://www.example.com/x', False),
        ('__Secure-a=1; Secure', 'http://www.example.com/x', False),
        ('=__Host-a=1; Path=/; Secure', 'https://www.example.com/x', False),
        ('__Secure-a', 'https://www.example.com/x', False),
    ],
)
def test_c8_a_prefix_is_a_promise(text: str, url: str, kept: bool) -> None:
    """SECURITY C8, RFC 6265bis 5.7 steps 22 to 24."""
    assert len(jar_with(text, url=url)) == kept


@pytest.mark.parametrize(
    ('secure', 'plain', 'refused'),
    [
        ('a=1; Secure', 'a=2', True),
        ('a=1; Secure', 'a=2; Secure', True),
        ('a=1; Secure', 'a=; Max-Age=0', True),
        ('a=1; Secure', 'a=2; Domain=example.com', True),
        ('a=1; Secure; Domain=example.com', 'a=2', True),
        ('a=1; Secure; Path=/', 'a=2; Path=/x', True),
        ('a=1; Secure; Path=/x', 'a=2; Path=/', False),
        ('a=1; Secure', 'b=2', False),
        ('a=1', 'a=2', False),
        ('a=1; Secure', '=a=2', True),
    ],
)
def test_c8_a_secure_cookie_is_neither_replaced_nor_hidden_from_http(secure: str, plain: str, refused: bool) -> None:
    """SECURITY C8, RFC 6265bis 5.7 step 12."""
    jar = jar_with(secure)
    jar.remember(parse('http://www.example.com/'), [plain])
    cookies = jar.get_cookies('https://www.example.com/x')
    assert ([cookie.value for cookie in cookies] == ['1']) is refused
    assert ('from http' in refusal(jar, plain, 'http://www.example.com/')) is refused


def test_c8_a_sibling_may_not_hide_a_secure_cookie_either() -> None:
    """SECURITY C8: evil.example.com sets a cookie for all of example.com over http."""
    jar = jar_with('a=1; Secure')
    assert 'from http' in refusal(jar, 'a=2; Domain=example.com', 'http://evil.example.com/')


def refusal(jar: CookieJar, text: str, url: str) -> str:
    """Why a cookie is refused, or nothing."""
    try:
        jar.set_cookie(text, url)
    except CookieError as reason:
        return str(reason)
    return ''


# ---------------------------------------------------------------- lifetimes


def test_max_age_wins_over_expires_and_both_end() -> None:
    clock = Clock()
    jar = jar_with(
        'a=1; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'b=2; Expires=Tue, 14 Nov 2023 22:14:20 GMT', 'c=3', now=clock
    )  # fmt: skip
    assert sent(jar) == 'a=1; b=2; c=3'
    clock.seconds = NOW + 61
    assert sent(jar) == 'a=1; c=3'
    clock.seconds = NOW + 101
    assert sent(jar) == 'c=3'
    assert len(jar) == 1


def test_a_renewed_cookie_lives_on_from_its_renewal() -> None:
    clock = Clock()
    jar = jar_with('a=1; Max-Age=100', now=clock)
    clock.seconds += 90
    jar.remember(parse('https://www.example.com/'), ['a=1; Max-Age=100'])
    clock.seconds += 90
    assert sent(jar) == 'a=1'
    assert sent(CookieJar.from_json(jar.to_json())) == ''  # this one has the clock of today
    assert jar.to_json()['cookies'][0]['maxAge'] == 190  # tough-cookie counts it from the creation


def test_no_cookie_lives_longer_than_400_days() -> None:
    clock = Clock()
    jar = jar_with('a=1; Max-Age=1' + '0' * 30, 'b=2; Expires=Fri, 31 Dec 9999 23:59:59 GMT', 'session=3', now=clock)
    assert [str(cookie.expires)[:4] for cookie in jar.get_cookies('https://www.example.com/')] == [
        'None',
        '9999',
        'None',
    ]
    clock.seconds = NOW + 399 * 86400
    assert sent(jar) == 'a=1; b=2; session=3'
    clock.seconds = NOW + 401 * 86400
    assert sent(jar) == 'session=3'


# ---------------------------------------------------------------- by hand


def test_set_cookie_returns_the_cookie_as_it_is_kept() -> None:
    jar = CookieJar(now=Clock())
    cookie = jar.set_cookie('a=1; Path=nope', 'http://www.example.com/dir/page')
    assert cookie is not None
    assert (cookie.domain, cookie.host_only, cookie.path, cookie.path_is_default) == (
        'www.example.com',
        True,
        '/dir',
        True,
    )
    assert cookie.creation == NOW


def test_a_cookie_made_by_hand_is_kept_like_one_that_came() -> None:
    jar = CookieJar()
    jar.set_cookie(Cookie('a', '1', domain='.Example.com', path='/', secure=True), 'https://www.example.com/')
    assert jar.get_cookie_string('https://api.example.com/') == 'a=1'
    other = CookieJar()
    other.set_cookie(jar.get_cookies('https://www.example.com/')[0], 'https://www.example.com/')
    assert other.get_cookie_string('https://api.example.com/') == 'a=1'
    with pytest.raises(CookieError, match='can be no host'):
        jar.set_cookie(Cookie('a', '1', domain='.'), 'https://www.example.com/')
    with pytest.raises(CookieError, match='alone'):
        jar.set_cookie(Cookie('a', '1', domain='b.example.com', host_only=True), 'https://a.b.example.com/')


URL = 'http://www.example.com/'


def test_errors_are_ignored_in_every_spelling_and_by_nodes_mapping() -> None:
    jar = CookieJar()
    evil = 'evil=1; Domain=foreign.test'
    for ignoring in ({'ignoreError': True}, {'ignore_error': True}, True):
        assert jar.setCookie(evil, URL, ignoring) is None
    assert jar.setCookie(evil, URL, ignoreError=True) is None
    for strict in ({'ignoreError': False}, {}, {'ignoreError': None}, False):
        with pytest.raises(CookieError, match='foreign'):
            jar.setCookie(evil, URL, strict)
    with pytest.raises(CookieError, match='foreign'):
        jar.set_cookie(evil, URL, ignoreError=False)
    assert jar.set_cookie(evil, URL, {}, ignore_error=True) is None
    with pytest.raises(InvalidOptionType, match='one mapping of options, not 1 more'):
        jar.set_cookie(evil, URL, {}, True)
    kept = jar.setCookie('a=1', URL, {'ignoreError': False})
    assert kept is not None
    assert kept.key == 'a'


def test_an_option_that_set_cookie_does_not_know_is_an_error_that_names_it() -> None:
    jar = CookieJar()
    with pytest.raises(UnknownOption, match=r"no option 'loose'.*'ignoreError'"):
        jar.setCookie('a=1', URL, {'loose': True})
    with pytest.raises(UnknownOption, match="no option 'ignoreErrors'"):
        jar.set_cookie('a=1', URL, ignoreErrors=True)
    with pytest.raises(InvalidOptionType, match="'ignore_error' of set_cookie must be True or False, not a str"):
        jar.set_cookie('a=1', URL, 'yes')  # type: ignore[arg-type]
    assert len(jar) == 0


def test_a_max_age_beyond_all_numbers_counts_as_the_largest() -> None:
    jar = CookieJar(now=Clock())
    kept = jar.set_cookie(Cookie('a', '1', max_age=10**400), URL)
    assert kept is not None
    assert kept.expiry == NOW + 400 * 86400
    jar.set_cookie(Cookie('a', '1', max_age=-(10**400)), URL)
    assert len(jar) == 0


@pytest.mark.parametrize('field', ['creation', 'last_accessed', 'expiry'])
@pytest.mark.parametrize('value', [float('nan'), 10**400], ids=['nan', 'beyond'])
def test_what_is_no_moment_is_refused(field: str, value: float) -> None:
    with pytest.raises(InvalidOptionType, match=f'the {field} of a cookie must be a number of seconds since 1970'):
        Cookie('a', '1', **{field: value})


def test_what_is_refused_is_dropped_where_errors_are_ignored(caplog: pytest.LogCaptureFixture) -> None:
    jar = CookieJar()
    with caplog.at_level(logging.DEBUG, 'requite'):
        assert (
            jar.set_cookie('sid=secret; Domain=foreign.test', 'http://user:pass@www.example.com/', ignore_error=True)
            is None
        )
        jar.remember(parse('http://www.example.com/'), ['sid=secret; Domain=com'])
    assert 'foreign.test' in caplog.messages[0]
    assert 'public suffix' in caplog.messages[1]
    assert 'secret' not in caplog.text
    assert 'pass' not in caplog.text


@pytest.mark.parametrize(
    ('text', 'why'),
    [
        ('a=1; Domain=foreign.test', 'not www.example.com or above it'),
        ('a=1; Domain=com', 'public suffix'),
        ('a=' + 'x' * 4096, 'larger than 4096 bytes'),
        ('a=1\1', 'control character'),
        ('; Path=/', 'without name and value'),
        ('__Secure-a=1', 'as its prefix promises'),
        ('a=1; Secure', ''),
    ],
)
def test_a_server_is_told_nothing_the_log_why_and_the_caller_too(
    text: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    jar = CookieJar()
    with caplog.at_level(logging.DEBUG, 'requite'):
        jar.remember(parse('http://www.example.com/'), [text])
    assert (len(jar), [why in line for line in caplog.messages]) == ((0, [True]) if why else (1, []))
    if why:
        with pytest.raises(CookieError, match=why):
            jar.set_cookie(text, 'http://www.example.com/')


def test_q9_no_error_holds_a_value() -> None:
    """SECURITY Q9."""
    jar = CookieJar()
    for text in ('sid=secret; Domain=foreign.test', 'sid=secret\1', '__Host-sid=secret', 'sid=' + 'secret' * 1000):
        with pytest.raises(RequestError) as caught:
            jar.set_cookie(text, 'http://www.example.com/')
        assert 'secret' not in f'{caught.value} {caught.value!r}'
        assert 'sid' in str(caught.value)


@pytest.mark.parametrize('url', ['www.example.com', 'ftp://www.example.com/', '', 'http://a..b/'])
def test_a_url_that_is_none_is_an_error(url: str) -> None:
    with pytest.raises(RequestError, match='Invalid'):
        CookieJar().set_cookie('a=1', url, ignore_error=True)
    with pytest.raises((InvalidURI, RequestError)):
        CookieJar().get_cookies(url)


def test_a_jar_without_loose_keeps_no_nameless_cookies() -> None:
    assert sent(jar_with('novalue', '=v', 'a=1', loose=False)) == 'a=1'
    assert sent(jar_with('novalue', 'a=1')) == 'novalue; a=1'
    with pytest.raises(CookieError, match='without a name'):
        CookieJar(loose=False).set_cookie('novalue', 'http://www.example.com/')


# ---------------------------------------------------------------- add


def test_an_added_cookie_without_domain_belongs_to_the_first_host() -> None:
    jar = CookieJar(now=Clock())
    jar.add('a=1')
    jar.add(Cookie('a', '2'))
    assert len(jar) == 1
    assert sent(jar, 'http://first.example.com/deep/page') == 'a=2'
    assert sent(jar, 'http://second.example.com/') == ''
    assert sent(jar, 'http://sub.first.example.com/') == ''
    assert sent(jar, 'http://first.example.com/') == 'a=2'


def test_an_added_cookie_with_a_domain_belongs_there() -> None:
    jar = CookieJar(now=Clock())
    jar.add('a=1; Domain=example.com; Max-Age=60')
    assert sent(jar, 'http://www.example.com/x') == 'a=1'
    for text in ('a=1; Domain=com', 'a=\1', '', '__Secure-a=1'):
        with pytest.raises(CookieError):
            jar.add(text)


def test_an_added_cookie_that_its_host_may_not_set_is_dropped() -> None:
    jar = CookieJar(now=Clock())
    jar.add('__Host-a=1; Path=/; Secure')
    assert sent(jar, 'http://www.example.com/') == ''
    assert len(jar) == 0


# ---------------------------------------------------------------- the rest


def test_a_jar_is_true_even_when_it_is_empty() -> None:
    assert CookieJar()
    assert repr(jar_with('sid=secret')) == '<CookieJar with 1 cookies in MemoryStore>'


def test_every_camel_case_name_is_there() -> None:
    jar = CookieJar()
    jar.setCookie('a=1', 'http://www.example.com/')
    assert jar.getCookieString('http://www.example.com/') == 'a=1'
    assert [cookie.key for cookie in jar.getCookies('http://www.example.com/')] == ['a']
    assert len(CookieJar().fromJSON(jar.toJSON())) == 1
    with pytest.raises(AttributeError, match="no 'getCookie'"):
        _ = jar.getCookie


@pytest.mark.parametrize('store', ['cookies.json', 5, [], {}])
def test_a_store_that_is_none_is_an_error_that_says_what_to_give(store: Any) -> None:
    with pytest.raises(InvalidOptionType, match='JSONFileStore'):
        CookieJar(store)


def test_the_global_jar_is_one_of_the_process() -> None:
    assert isinstance(jars.GLOBAL, CookieJar)


def test_two_cookies_of_one_response_keep_their_order_on_a_clock_that_stands_or_goes_back() -> None:
    clock = Clock()
    jar = jar_with('a=1', 'b=2', 'c=3', now=clock)
    clock.seconds -= 3600
    jar.remember(parse('https://www.example.com/'), ['d=4'])
    assert sent(jar) == 'a=1; b=2; c=3; d=4'


def test_threads_may_share_a_jar() -> None:
    jar, failures = CookieJar(most_of_a_domain=20), []

    def work(name: str) -> None:
        try:
            for number in range(200):
                jar.remember(
                    parse('https://www.example.com/'),
                    [f'{name}{number}=1; Max-Age={number % 3}', f'x{number % 5}=1; Domain=example.com'],
                )
                sent(jar)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in 'abcd']
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(jar) <= 40


class Counting(MemoryStore):
    """Counts how often it is looked through as a whole."""

    looks = 0

    def all(self) -> list[Cookie]:
        self.looks += 1
        return super().all()


def test_c4_a_response_with_many_cookies_looks_through_the_jar_once_and_not_once_each() -> None:
    """SECURITY C4, C8: to make room, and to find the Secure cookies that http may not hide."""
    store = Counting()
    jar = CookieJar(store, now=Clock(), most=100)
    jar.remember(parse('https://www.example.com/'), [f'a{number}=1; Secure' for number in range(100)])
    store.looks = 0
    jar.remember(
        parse('http://www.example.com/'),
        [f'{name}{number}=2; Domain=example.com' for number in range(50) for name in 'ab'],
    )
    assert store.looks <= 2
    assert len(jar) == 100
    assert [cookie.key for cookie in store.find('example.com')] == [f'b{number}' for number in range(50)]


def test_c8_a_secure_cookie_of_the_same_response_counts_too() -> None:
    """SECURITY C8."""
    jar = CookieJar(now=Clock())
    jar.remember(
        parse('http://www.example.com/'),
        ['x=1; Domain=example.com', 'a=1; Secure; Domain=example.com', 'a=2; Domain=example.com'],
    )
    assert sent(jar) == 'x=1; a=1'


@pytest.mark.timing
def test_cookies_of_other_sites_cost_a_header_nothing() -> None:
    """At most 10 us a header with 10,000 foreign cookies on the machine it was measured on; a tenth of that speed is forgiven here."""
    jar = CookieJar(most=20_000)
    for number in range(10_000):
        jar.set_cookie(f'c{number % 20}=v', f'https://www.site{number // 20}.org/')
    jar.remember(parse('https://www.example.com/'), ['a=1', 'b=2', 'c=3'])
    uri = parse('https://www.example.com/a/b?c')
    assert min(timeit.repeat(lambda: jar.header(uri), number=500, repeat=5)) / 500 < 100e-6


@pytest.mark.timing
def test_cookies_of_other_sites_cost_a_cookie_with_a_domain_over_http_nothing() -> None:
    """It may hide no Secure one above or below: those are found by their names, not by a look through all."""
    jar = CookieJar(most=20_000)
    jar.remember(parse('https://www.example.com/'), ['a=1; Secure; Domain=example.com'])
    for number in range(10_000):
        jar.remember(parse(f'https://host{number}.org/'), ['b=1; Secure'])
    best = 1.0
    for _ in range(20):
        began = time.perf_counter()
        jar.remember(parse('http://www.example.com/'), ['c=1; Domain=example.com', 'a=2; Domain=example.com'])
        best = min(best, time.perf_counter() - began)
    assert best < 0.0005
    assert sent(jar, 'https://www.example.com/') == 'a=1; c=1'


@pytest.mark.timing
def test_c5_a_response_with_64_kb_of_cookies_is_remembered_in_linear_time() -> None:
    """SECURITY C5."""
    texts = [
        'a=1' + ';' * 65536,
        'b="' + '\\' * 65536 + '"',
        'c=1; Expires=1-c-1' + ' ' * 65536 + '!',
        'd=1; Domain=' + 'a.' * 32768,
    ]
    assert timeit.timeit(lambda: jar_with(*texts), number=1) < 1
    assert sent(jar_with(*texts)) == 'a=1; c=1; d=1'


def test_a_cookie_that_waits_for_its_host_grows_old_meanwhile() -> None:
    clock = Clock()
    jar = CookieJar(now=clock)
    jar.add('a=1; Max-Age=60')
    jar.add('b=2; Max-Age=7200')
    jar.add('c=3')
    clock.seconds += 3600
    assert sent(jar) == 'b=2; c=3'
    assert [cookie.expiry for cookie in jar.get_cookies(URL)] == pytest.approx([NOW + 7200, float('inf')], abs=1)


@given(st.floats(NOW, NOW + 10**9))
def test_cookies_of_one_response_keep_their_order_in_every_format(seconds: float) -> None:
    jar = jar_with(*(f'k{number}=v{"; Domain=example.com" * (number % 2)}' for number in range(20)), now=Clock(seconds))
    again = CookieJar.from_json(jar.to_json())
    assert sent(again) == sent(jar) == '; '.join(f'k{number}=v' for number in range(20))
