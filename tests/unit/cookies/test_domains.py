"""Whose cookies are whose: domains, paths and public suffixes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from requite.cookies import domains
from requite.wire.uri import parse


@pytest.mark.parametrize(
    ('host', 'domain', 'matches'),
    [
        ('example.com', 'example.com', True),
        ('www.example.com', 'example.com', True),
        ('badexample.com', 'example.com', False),
        ('example.com', 'www.example.com', False),
        ('127.0.0.1', '127.0.0.1', True),
        ('127.0.0.1', '0.0.1', False),
        ('::1', '1', False),
        ('unix:/run/x.sock', 'sock', False),
    ],
)
def test_c1_a_domain_matches_itself_and_the_names_below_it(host: str, domain: str, matches: bool) -> None:
    """SECURITY C1: never a part of a label, never the end of an address."""
    assert domains.domain_match(host, domain) is matches


@pytest.mark.parametrize(
    ('path', 'cookie_path', 'matches'),
    [
        ('/', '/', True),
        ('/f', '/', True),
        ('/f', '/f', True),
        ('/f/', '/f', True),
        ('/f/g', '/f', True),
        ('/f/g', '/f/', True),
        ('/foo', '/f', False),
        ('/f', '/f/', False),
        ('/F', '/f', False),
    ],
)
def test_c2_a_path_matches_whole_segments(path: str, cookie_path: str, matches: bool) -> None:
    """SECURITY C2."""
    assert domains.path_match(path, cookie_path) is matches


@pytest.mark.parametrize(
    ('path', 'default'), [('/', '/'), ('/page', '/'), ('/dir/', '/dir'), ('/dir/page', '/dir'), ('/a/b/c', '/a/b')]
)
def test_the_default_path_ends_before_the_last_slash(path: str, default: str) -> None:
    assert domains.default_path(path) == default


def test_escapes_of_unreserved_characters_are_another_spelling_of_the_same_path() -> None:
    assert domains.spellings('/f%6Fo/%7e') == ('/f%6Fo/%7e', '/foo/~')
    assert domains.spellings('/a%2Fb%20c%zz') == ('/a%2Fb%20c%zz',)
    assert domains.spellings('/plain') == ('/plain',)


@pytest.mark.parametrize(
    'domain',
    [
        'com',
        'co.uk',
        'github.io',
        'test',
        'local',
        'co.uk.',
        'xn--55qx5d.cn',
        'kobe.jp',
        'b.kobe.jp',
        '',
        '.',
        'compute.amazonaws.com',
    ],
)
def test_c1_public_suffixes_of_both_sections_are_known(domain: str) -> None:
    """SECURITY C1: ICANN's, private ones, and any single label; a trailing dot changes nothing."""
    assert domains.is_public_suffix(domain)


@pytest.mark.parametrize(
    'domain', ['example.com', 'a.co.uk', 'me.github.io', 'localhost', '127.0.0.1', '::1', 'city.kobe.jp']
)
def test_names_that_somebody_owns_addresses_and_localhost_are_no_public_suffixes(domain: str) -> None:
    assert not domains.is_public_suffix(domain)


@pytest.mark.parametrize('domain', [None, '', '.com', 'com', '127.0.0.1', 'a b.com', 'a..b'])
def test_what_nobody_registered_has_no_registrable_domain(domain: str | None) -> None:
    assert domains.registrable(domain) is None


@pytest.mark.parametrize(
    ('written', 'read'),
    [
        ('Example.COM', 'example.com'),
        ('.example.com', 'example.com'),
        ('bücher.example', 'xn--bcher-kva.example'),
        ('[::1]', '::1'),
        ('.', None),
        ('ex ample.é', None),
    ],
)
def test_a_domain_attribute_is_written_as_hosts_are(written: str, read: str | None) -> None:
    assert domains.canonical(written) == read


def test_r11_every_unix_socket_is_a_host_of_its_own() -> None:
    """SECURITY R11: the one URI value says whose cookies they are."""
    assert domains.host_of(parse('http://unix:/run/a.sock:/x')) == 'unix:/run/a.sock'
    assert domains.host_of(parse('http://WWW.Example.com:8080/')) == 'www.example.com'
    assert domains.above('unix:/run/a.sock') == ('unix:/run/a.sock',)
    assert domains.above('a.b.com') == ('a.b.com', 'b.com')
    assert domains.above('com') == ('com',)
    assert domains.above('a.localhost') == ('a.localhost', 'localhost')
    assert domains.above('a.b.com.') == ('a.b.com.', 'b.com.')


def test_the_list_of_suffixes_is_loaded_by_the_first_cookie_that_needs_it() -> None:
    program = (
        'import sys; from requite.cookies import CookieJar; jar = CookieJar()\n'
        'jar.set_cookie("a=1", "http://www.example.com/"); print("publicsuffixlist" in sys.modules)\n'
        'jar.set_cookie("a=1; Domain=example.com", "http://www.example.com/"); print("publicsuffixlist" in sys.modules)'
    )
    done = subprocess.run([sys.executable, '-c', program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ['False', 'True']


def test_importing_requite_loads_nothing_of_cookies() -> None:
    program = 'import sys, requite; print([name for name in sys.modules if "cookies" in name])'
    done = subprocess.run([sys.executable, '-c', program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == '[]'
