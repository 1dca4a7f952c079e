"""What may stand for a proxy, and what an error says about anything else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from requite.errors import InvalidOptionType, InvalidProtocol, InvalidURI, OptionsError
from requite.proxyaddress import parse
from requite.routes import Proxy
from requite.wire import uri as uris


@pytest.mark.parametrize(
    ('text', 'wanted'),
    [
        ('http://proxy.test:3128', ('http', 'proxy.test', 3128)),
        ('http://proxy.test', ('http', 'proxy.test', 80)),
        ('http://proxy.test/', ('http', 'proxy.test', 80)),
        ('https://proxy.test', ('https', 'proxy.test', 443)),
        ('https://proxy.test:80', ('https', 'proxy.test', 80)),
        ('HTTP://Proxy.Test:3128', ('http', 'proxy.test', 3128)),
        ('  http://proxy.test:3128\n', ('http', 'proxy.test', 3128)),
        ('proxy.test:3128', ('http', 'proxy.test', 3128)),
        ('proxy.test', ('http', 'proxy.test', 80)),
        ('127.0.0.1:3128', ('http', '127.0.0.1', 3128)),
        ('[::1]:3128', ('http', '::1', 3128)),
        ('http://[::1]:3128/', ('http', '::1', 3128)),
        ('http://bücher.test:1', ('http', 'xn--bcher-kva.test', 1)),
        ('socks5://proxy.test', ('socks5', 'proxy.test', 1080)),
        ('socks5h://proxy.test:9050', ('socks5h', 'proxy.test', 9050)),
        ('socks4://proxy.test', ('socks4', 'proxy.test', 1080)),
        ('socks4a://proxy.test', ('socks4a', 'proxy.test', 1080)),
        ('socks://proxy.test', ('socks5h', 'proxy.test', 1080)),
    ],
)
def test_a_text_names_a_proxy(text: str, wanted: tuple[str, str, int]) -> None:
    assert parse('proxy', text) == Proxy(*wanted)


@pytest.mark.parametrize('value', [None, False, ''])
def test_nothing_is_no_proxy(value: Any) -> None:
    assert parse('proxy', value) is None


@pytest.mark.parametrize(
    ('userinfo', 'user', 'password'),
    [
        ('ann:s3cret@', 'ann', 's3cret'),
        ('ann@', 'ann', None),
        ('ann:@', 'ann', ''),
        (':s3cret@', '', 's3cret'),
        ('a%40b:p%3Aq%2Fr%23%25@', 'a@b', 'p:q/r#%'),
        ('ann:p%2541@', 'ann', 'p%41'),  # decoded once: Node decodes twice
        ('ann:p@ss@', 'ann', 'p@ss'),
        ('ann:a:b@', 'ann', 'a:b'),
    ],
)
def test_userinfo_is_decoded_once(userinfo: str, user: str, password: str | None) -> None:
    for text in (f'http://{userinfo}proxy.test:1', f'{userinfo}proxy.test:1'):
        found = parse('proxy', text)
        assert found is not None
        assert (found.user, found.password, found.host) == (user, password, 'proxy.test')


@pytest.mark.parametrize('scheme', ['socks4', 'socks4a'])
def test_socks_4_knows_a_user_but_no_password(scheme: str) -> None:
    with pytest.raises(
        OptionsError, match=r"'proxy': SOCKS 4 knows a user but no password; take .* socks5h://"
    ) as caught:
        parse('proxy', f'{scheme}://ann:s3cret@proxy.test')
    assert 's3cret' not in str(caught.value)
    assert parse('proxy', f'{scheme}://ann@proxy.test') == Proxy(scheme, 'proxy.test', 1080, 'ann')


def test_a_parsed_uri_names_a_proxy() -> None:
    wanted = Proxy('https', 'proxy.test', 8443, 'ann', 's3cret')
    text = 'https://ann:s3cret@proxy.test:8443'
    assert parse('proxy', uris.parse(text)) == wanted
    assert parse('proxy', urlsplit(text)) == wanted
    assert parse('proxy', {'protocol': 'https:', 'auth': 'ann:s3cret', 'host': 'proxy.test:8443'}) == wanted
    assert parse('proxy', wanted) is wanted


@pytest.mark.parametrize(
    'text',
    [
        *('http://', 'http://:80', 'socks5h://', 'https:///x', '   ', 'http://ann:s3cret@', '//proxy.test:1'),
        *('http:/proxy.test:3128', 'http:proxy.test:3128', 'socks5:/proxy.test', 'http://a b:1'),
        *('http://proxy.test:99999', 'http://proxy.test:0', 'http://proxy.test:x', 'http://127.1:80', 'http://ann:s3cret%zz@proxy.test'),
        *('http://ann:s3cret#x@proxy.test', 'http://ann:1/s3cret@proxy.test:3128', 'http://proxy.test?s3cret', 'http://proxy.test/path'),
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_proxy_is_an_error_that_names_the_option_and_the_fix(text: str) -> None:
    with pytest.raises(InvalidURI, match=r"option 'proxy'.*(give it as http://host:port|%2F)") as caught:
        parse('proxy', text)
    assert 's3cret' not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_variable_is_named_where_it_was_one() -> None:
    with pytest.raises(InvalidURI, match=r"^environment variable 'HTTP_PROXY' is no address"):
        parse('HTTP_PROXY', 'http://', 'environment variable')


@pytest.mark.parametrize('scheme', ['ftp', 'socks6', 'tcp', 'HTTPX'])
def test_a_scheme_that_nobody_speaks_is_named_beside_those_there_are(scheme: str) -> None:
    with pytest.raises(
        InvalidProtocol, match=rf"'{scheme.lower()}'.*'proxy' knows http, https, socks4.*http://host:port"
    ):
        parse('proxy', f'{scheme}://ann:s3cret@proxy.test:1')


@pytest.mark.parametrize('code', ['%0d%0a', '%00', '%7F', '\x00', '\r\n', '%1b'])
@pytest.mark.parametrize(
    'place', ['http://a{}:s3cret@proxy.test', 'http://ann:s3cret{}@proxy.test', 'http://pro{}xy.test']
)
def test_control_characters_are_refused_wherever_they_stand(code: str, place: str) -> None:
    with pytest.raises(OptionsError, match=r"option 'proxy' may not hold control characters.*take them out") as caught:
        parse('proxy', place.format(code))
    assert 's3cret' not in str(caught.value)


def test_a_user_with_a_colon_cannot_be_said_as_basic() -> None:
    with pytest.raises(OptionsError, match="option 'proxy': the user may not hold a colon"):
        parse('proxy', 'http://a%3Ab:s3cret@proxy.test')
    found = parse('proxy', 'socks5h://a%3Ab:s3cret@proxy.test')
    assert found is not None
    assert found.user == 'a:b'


@pytest.mark.parametrize('userinfo', ['{}:x@', 'x:{}@'])
def test_x4_user_and_password_of_a_socks_proxy_fit_into_one_byte_of_length(userinfo: str) -> None:
    assert parse('proxy', f'socks5h://{userinfo.format("a" * 255)}proxy.test') is not None
    for long in ('a' * 256, 'ü' * 128):
        with pytest.raises(OptionsError, match=r"option 'proxy'.*at most 255 bytes"):
            parse('proxy', f'socks5h://{userinfo.format(long)}proxy.test')
    assert parse('proxy', f'http://{userinfo.format("a" * 256)}proxy.test') is not None


@pytest.mark.parametrize('value', [True, 0, 8080, 1.5, b'http://proxy.test', ['http://proxy.test'], object()])
def test_what_is_neither_a_text_nor_a_uri_is_a_type_error(value: Any) -> None:
    with pytest.raises(
        InvalidOptionType, match=rf"option 'proxy' must be a str or a parsed URI, not a {type(value).__name__}"
    ):
        parse('proxy', value)


def test_a_mapping_of_several_proxies_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(InvalidOptionType, match=r"'proxy' is one proxy, not a mapping of them.*HTTP_PROXY"):
        parse('proxy', {'http': 'http://ann:s3cret@proxy.test', 'https': None})


def test_a_unix_socket_is_no_proxy() -> None:
    with pytest.raises(OptionsError, match="option 'proxy' names a unix socket"):
        parse('proxy', 'http://unix:/run/x:/')


def test_q9_neither_repr_nor_str_shows_who_we_are() -> None:
    found = parse('proxy', 'http://ann:s3cret@proxy.test:1')
    assert repr(found) == str(found) == '<Proxy http://***@proxy.test:1>'
    assert repr(parse('proxy', 'https://ann:s3cret@[::1]')) == '<Proxy https://***@[::1]:443>'
    assert repr(parse('proxy', 'socks5h://proxy.test')) == '<Proxy socks5h://proxy.test:1080>'
