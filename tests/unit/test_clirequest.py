from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from requite import clihelp, clirequest
from requite.cliaddress import Wanted, divide, divide_items, with_query, with_scheme
from requite.cookies import JSONFileStore, NetscapeFileStore, SQLiteStore
from requite.errors import OptionsError


def wanted(*argv: str) -> Wanted:
    """What a command line asks for."""
    with ExitStack() as opened:
        return clirequest.wanted(clihelp.read(lambda message: 2, argv), opened)


@pytest.mark.parametrize(
    ('written', 'meant'),
    [
        ('example.com', 'http://example.com'),
        ('example.com/a?u=http://b', 'http://example.com/a?u=http://b'),
        ('localhost:8080/x', 'http://localhost:8080/x'),
        ('user:word@example.com', 'http://user:word@example.com'),
        ('//example.com/x', 'http://example.com/x'),
        ('http://example.com', 'http://example.com'),
        ('HTTPS://example.com', 'HTTPS://example.com'),
        ('ftp://example.com', 'ftp://example.com'),
        (':8080/x', 'http://localhost:8080/x'),
        (':8080', 'http://localhost:8080'),
        (':/x', 'http://localhost/x'),
        (':', 'http://localhost'),
        (':8080?a=b', 'http://localhost:8080?a=b'),
        ('[::1]:80/', 'http://[::1]:80/'),
        ('', ''),
    ],
)
def test_a_url_without_a_scheme_is_http_and_one_with_a_port_alone_is_here(written: str, meant: str) -> None:
    assert with_scheme(written) == meant


@pytest.mark.parametrize(
    ('words', 'divided'),
    [
        (['h'], (None, 'h', [])),
        (['get'], (None, 'get', [])),
        (['get', 'h'], ('GET', 'h', [])),
        (['PURGE', 'h', 'a=b'], ('PURGE', 'h', ['a=b'])),
        (['VERSION-CONTROL', 'h'], ('VERSION-CONTROL', 'h', [])),
        (['localhost', 'a=b'], (None, 'localhost', ['a=b'])),
        ([], (None, None, [])),
    ],
)
def test_a_method_comes_first_in_capitals_or_by_a_common_name(words: list[str], divided: Any) -> None:
    assert divide(words) == divided


@pytest.mark.parametrize(
    ('url', 'whole'),
    [
        ('http://h/', 'http://h/?a=b%20c&a=%26'),
        ('http://h/?x', 'http://h/?x&a=b%20c&a=%26'),
        ('http://h/?', 'http://h/?a=b%20c&a=%26'),
        ('http://h/#f', 'http://h/?a=b%20c&a=%26#f'),
    ],
)
def test_a_query_is_added_to_what_is_there(url: str, whole: str) -> None:
    assert with_query(url, [('a', 'b c'), ('a', '&')]) == whole
    assert with_query(url, []) == url


@pytest.mark.parametrize(
    ('argv', 'method'),
    [
        (['h'], 'GET'),
        (['h', 'A:1', 'q==1'], 'GET'),
        (['h', 'a=b'], 'POST'),
        (['h', '--raw', ''], 'POST'),
        (['h', '@-'], 'POST'),
        (['PUT', 'h', 'a=b'], 'PUT'),
        (['h', '-I'], 'HEAD'),
        (['GET', 'h', 'a=b'], 'GET'),
    ],
)
def test_the_method_is_post_where_there_is_something_to_send(argv: list[str], method: str) -> None:
    assert wanted(*argv).method == method


def test_options_may_stand_between_items() -> None:
    asked = wanted('h', '--timeout', '5', 'a=1', '--no-follow', 'B:2', 'c:=3')
    assert asked.options['json'] == {'a': '1', 'c': 3}
    assert asked.options['timeout'] == 5
    assert asked.options['follow_redirect'] is False
    assert asked.options['headers'] == {'accept': clirequest.ACCEPT, 'B': '2'}


def test_a_header_that_comes_twice_is_sent_twice_and_an_accept_of_ones_own_stays() -> None:
    asked = wanted('h', 'A:1', 'A:2', 'Accept:text/x', 'b=c')
    assert asked.options['headers'] == {'A': ['1', '2'], 'Accept': 'text/x'}


def test_a_form_keeps_its_order_and_its_repetitions() -> None:
    assert wanted('h', '-f', 'b=1 2', 'a=&', 'b=3').options['form'] == 'b=1%202&a=%26&b=3'


def test_aws_takes_its_keys_from_auth_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION', 'AWS_DEFAULT_REGION'):
        monkeypatch.delenv(name, raising=False)
    assert wanted('h', '--aws', '-a', 'k:s').options['aws'] == {'sign_version': 4, 'key': 'k', 'secret': 's'}
    with pytest.raises(OptionsError, match='--aws needs keys'):
        wanted('h', '--aws')
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'K')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'S')
    monkeypatch.setenv('AWS_SESSION_TOKEN', 'T')
    monkeypatch.setenv('AWS_REGION', 'eu-west-1')
    aws = {'sign_version': 4, 'key': 'K', 'secret': 'S', 'session': 'T'}
    assert wanted('h', '--aws').options['aws'] == {**aws, 'region': 'eu-west-1'}
    assert wanted('https://sqs.us-east-2.amazonaws.com/', '--aws').options['aws'] == aws
    assert wanted('h', '--aws', '--aws-service', 's3', '--aws-region', 'x').options['aws'] == {
        **aws,
        'service': 's3',
        'region': 'x',
    }


def test_a_jar_is_of_the_format_of_its_file_or_of_its_name(tmp_path: Path) -> None:
    kinds = {'a.txt': NetscapeFileStore, 'a.json': JSONFileStore, 'a.db': SQLiteStore, 'jar': NetscapeFileStore}
    for name, kind in kinds.items():
        with clirequest.jar(str(tmp_path / name)) as jar:
            assert type(jar.store) is kind
            jar.set_cookie('a=b; Max-Age=1000', 'http://h.example/')
    (tmp_path / 'a.json').rename(tmp_path / 'odd.txt')
    (tmp_path / 'a.db').rename(tmp_path / 'odd.json')
    for name, kind in (('odd.txt', JSONFileStore), ('odd.json', SQLiteStore)):
        with clirequest.jar(str(tmp_path / name)) as jar:
            assert type(jar.store) is kind
            assert jar.get_cookie_string('http://h.example/') == 'a=b'


@pytest.mark.parametrize(
    ('argv', 'said'),
    [
        (['h', '--raw', 'x', 'a=b'], '--raw is the whole content'),
        (['h', '-f', 'a:=1'], 'a:= is JSON, which has no place in --form'),
        (['h', 'a:=1', 'b@/dev/null'], 'a:= is JSON, which has no place in multipart'),
        (['h', 'a=1', 'a=2'], "comes twice in one JSON object; for a list write a:='[1, 2]'"),
        (['h', '--digest'], '--digest wants a name and a password'),
        (['h', '--bearer', 't', '--auth', 'a:b'], 'two ways of saying who you are'),
        (['h', '--verify', 'missing'], "'--verify': cannot read 'missing'"),
        (['h', '--cert', 'missing'], "'--cert': cannot read 'missing'"),
        (['h', '--jar', 'no/folder/jar'], 'there is no folder'),
        (['h', '--jar', '.'], 'cannot read'),
        (['h', '--from-curl', 'curl h'], 'leave the other one out'),
        (['--har', 'missing'], "cannot read 'missing'"),
        (['purge', 'http://h'], 'a method of your own is written first, in capitals'),
    ],
)
def test_what_cannot_be_meant_is_named(argv: list[str], said: str) -> None:
    with pytest.raises(OptionsError) as caught:
        wanted(*argv)
    assert said in str(caught.value)


def test_a_har_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / 'x.har').write_text('{')
    with pytest.raises(OptionsError, match='it is not JSON'):
        wanted('--har', str(tmp_path / 'x.har'))


@pytest.mark.parametrize(
    ('words', 'divided'),
    [
        (['X-A:1', 'a=b'], (None, None, ['X-A:1', 'a=b'])),
        (['PUT', 'a=b'], ('PUT', None, ['a=b'])),
        (['delete'], ('DELETE', None, [])),
        (['a==b'], (None, None, ['a==b'])),
        (['X-Token:80'], (None, None, ['X-Token:80'])),
        (['X-Empty;'], (None, None, ['X-Empty;'])),
        (['@file'], (None, None, ['@file'])),
        (['h.example'], (None, 'h.example', [])),
        (['h.example:80', 'a=b'], (None, 'h.example:80', ['a=b'])),
        (['localhost:8080/x?a=b'], (None, 'localhost:8080/x?a=b', [])),
        ([':8080'], (None, ':8080', [])),
        (['http://h?a=b'], (None, 'http://h?a=b', [])),
        (['h/x?a=b'], (None, 'h/x?a=b', [])),
        (['[::1]:80'], (None, '[::1]:80', [])),
        (['POST', 'h/', 'a=b'], ('POST', 'h/', ['a=b'])),
        ([], (None, None, [])),
    ],
)
def test_beside_what_tells_the_address_a_first_word_may_be_an_item(words: list[str], divided: Any) -> None:
    assert divide_items(words) == divided


def test_items_alone_stand_beside_a_har(tmp_path: Path) -> None:
    (tmp_path / 'h.har').write_text('{"url": "http://h/x?a=1", "method": "GET"}')
    asked = wanted('--har', str(tmp_path / 'h.har'), 'X-A:1', 'b==2')
    assert (asked.method, asked.url, asked.options['headers']) == (None, 'http://h/x?a=1&b=2', {'X-A': '1'})


def test_items_alone_stand_beside_a_curl_line() -> None:
    asked = wanted('--from-curl', 'curl h/x -H "X-A: 1" -H "X-B: 2"', 'x-a:3', 'b==2', 'n:=1')
    assert (asked.method, asked.url, asked.options['json']) == ('POST', 'http://h/x?b=2', {'n': 1})
    assert asked.options['headers'] == {'accept': '*/*', 'X-B': '2', 'x-a': '3'}
    with pytest.raises(OptionsError, match='content of its own'):
        wanted('--from-curl', 'curl h -d a=b', 'n:=1')
    with pytest.raises(OptionsError, match=r"itself, beside 'http://\*\*\*@other/': leave the other one out"):
        wanted('--from-curl', 'curl h', 'http://me:word@other/')


def test_a_host_cannot_be_left_out() -> None:
    for argv in (['h', 'Host:'], ['--from-curl', 'curl h -H Host:']):
        with pytest.raises(OptionsError, match='has a Host'):
            wanted(*argv)
    assert wanted('h', 'Host;').options['headers'] == {'Host': ''}
