"""URIs: what is taken, what is refused, how it is written, and that nobody ever reads another host out of it."""

from __future__ import annotations

import copy
import ipaddress
import json
import pickle
import re
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlparse, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from requite.errors import InvalidOptionType, InvalidProtocol, InvalidURI, OptionsError
from requite.wire import host, urivalue
from requite.wire.uri import Uri, coerce, from_parts, join_base, parse, redact, resolve

SHARED = Path(__file__).parents[4] / 'shared'


def shared(name: str) -> Any:
    """Read a file of the material beside the repository, or skip."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f'../shared/{name} is not beside this repository')
    return json.loads(path.read_text(encoding='utf-8'))


# ---------------------------------------------------------------- reading


def test_a_plain_uri_is_cut_into_nodes_fields() -> None:
    uri = parse('https://u:p@example.com:8443/a/b?c=d#e')
    assert uri.to_json() == {
        'protocol': 'https:', 'slashes': True, 'auth': 'u:p', 'host': 'example.com:8443', 'port': '8443',
        'hostname': 'example.com', 'hash': '#e', 'search': '?c=d', 'query': 'c=d', 'pathname': '/a/b',
        'path': '/a/b?c=d', 'href': 'https://u:p@example.com:8443/a/b?c=d#e',
    }  # fmt: skip
    assert list(uri.to_json()) == ['protocol', 'slashes', 'auth', 'host', 'port', 'hostname', 'hash', 'search',
                                   'query', 'pathname', 'path', 'href']  # fmt: skip
    assert (uri.path, uri.slashes, uri.protocol) == ('/a/b?c=d', True, 'https:')


def test_the_engine_reads_ready_made_pieces() -> None:
    uri = parse('http://Example.COM/p?q#f')
    assert uri.scheme == 'http'
    assert uri.origin == ('http', 'example.com', 80)
    assert uri.effective_port == 80
    assert uri.target == '/p?q'
    assert uri.host_field == 'example.com'
    assert (uri.username, uri.password, uri.socket_path) == (None, None, None)


@pytest.mark.parametrize(
    ('text', 'target', 'search', 'query'),
    [
        ('http://h', '/', None, None),
        ('http://h?a=b', '/?a=b', '?a=b', 'a=b'),
        ('http://h#f', '/', None, None),
        ('http://h/?', '/?', '?', ''),
        ('http://h?a?b#c?d', '/?a?b', '?a?b', 'a?b'),
        ('http://h/a/../b/./c', '/a/../b/./c', None, None),
        ('http://h/%7e%zz%2F', '/%7e%zz%2F', None, None),
        ('http://h//x', '//x', None, None),
        ('http://h/a b/{c}|d^e`f"<g>\'', '/a%20b/%7Bc%7D%7Cd%5Ee%60f%22%3Cg%3E%27', None, None),
        ('http://h/~!$&()*+,;=:@[]', '/~!$&()*+,;=:@[]', None, None),
    ],
)
def test_the_target_is_path_and_query_as_node_writes_them(
    text: str, target: str, search: str | None, query: str | None
) -> None:
    uri = parse(text)
    assert (uri.target, uri.search, uri.query) == (target, search, query)


def test_text_that_is_not_ascii_goes_out_as_utf8_escapes() -> None:
    """Node sends it as latin-1 or fails: mended."""
    uri = parse('http://h/café/日本?q=ü#ö')
    assert uri.target == '/caf%C3%A9/%E6%97%A5%E6%9C%AC?q=%C3%BC'
    assert uri.hash == '#%C3%B6'


def test_blanks_around_are_trimmed_and_the_scheme_may_be_upper_case() -> None:
    assert parse(' \t\ufeffHtTp://h/p \xa0').href == 'http://h/p'
    for broken in ('\nhttp://h/p', 'http://h/p\r\n'):
        with pytest.raises(InvalidURI):
            parse(broken)


@pytest.mark.parametrize(
    ('text', 'host_field', 'host_text', 'port'),
    [
        ('http://h:80/', 'h', 'h:80', '80'),
        ('https://h:443/', 'h', 'h:443', '443'),
        ('https://h:80/', 'h:80', 'h:80', '80'),
        ('http://h:443/', 'h:443', 'h:443', '443'),
        ('http://h:/', 'h', 'h', None),
        ('http://h:0080/', 'h', 'h:80', '80'),
        ('http://h:00000008080/', 'h:8080', 'h:8080', '8080'),
        ('http://h:65535/', 'h:65535', 'h:65535', '65535'),
        ('http://[::1]/', '[::1]', '[::1]', None),
        ('http://[::1]:80/', '[::1]', '[::1]:80', '80'),
        ('http://[FE80::A]:8080/', '[fe80::a]:8080', '[fe80::a]:8080', '8080'),
    ],
)
def test_the_host_field_drops_the_default_port_only(
    text: str, host_field: str, host_text: str, port: str | None
) -> None:
    uri = parse(text)
    assert (uri.host_field, uri.host, uri.port) == (host_field, host_text, port)


def test_an_ipv6_hostname_has_no_brackets() -> None:
    uri = parse('http://[2001:db8::1]:81/')
    assert uri.hostname == '2001:db8::1'
    assert uri.origin == ('http', '2001:db8::1', 81)


# ---------------------------------------------------------------- userinfo


@pytest.mark.parametrize(
    ('text', 'username', 'password', 'href'),
    [
        ('http://user@h/', 'user', None, 'http://user@h/'),
        ('http://user:@h/', 'user', '', 'http://user:@h/'),
        ('http://:pass@h/', '', 'pass', 'http://:pass@h/'),
        ('http://user%40x:p%3Aa%2Fss@h/', 'user@x', 'p:a/ss', 'http://user%40x:p:a%2Fss@h/'),
        ('http://us%3Aer:p@h/', 'us:er', 'p', 'http://us%3Aer:p@h/'),
        ('http://me@x.com:pw@h/', 'me@x.com', 'pw', 'http://me%40x.com:pw@h/'),
        ('http://user:a%2541b@h/', 'user', 'a%41b', 'http://user:a%2541b@h/'),
        ('http://ü:p w@h/', 'ü', 'p w', 'http://%C3%BC:p%20w@h/'),
        ('http://@h/', None, None, 'http://h/'),
    ],
)
def test_userinfo_is_decoded_exactly_once(text: str, username: str | None, password: str | None, href: str) -> None:
    """Node decodes twice: mended."""
    uri = parse(text)
    assert (uri.username, uri.password, uri.href) == (username, password, href)
    assert parse(href) == uri
    assert '@' not in uri.host_field + uri.target


def test_q9_no_repr_and_no_error_shows_userinfo() -> None:
    uri = parse('http://token:s3cret@h/p')
    assert repr(uri) == '<Uri http://***@h/p>'
    assert uri.redacted() == 'http://***@h/p'
    assert str(uri) == 'http://token:s3cret@h/p'
    for text in (
        'http://token:s3cret@/p',
        'http://token:s3/cret@h',
        'http://token:s3%cret@h/',
        'http:token:s3cret@h',
        'http://h:x/p?sig=s3cret',
    ):
        with pytest.raises(InvalidURI) as caught:
            parse(text)
        assert not re.search('token|s3|cret', str(caught.value) + repr(caught.value))
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
    with pytest.raises(InvalidURI) as caught:
        resolve(uri, 'http://token:s3cret@h:99999/')
    assert 's3cret' not in str(caught.value)
    assert redact('http://u:p@h/\r\n') == 'http://***@h/\\r\\n'
    assert len(redact('http://h/' + 'a' * 5000)) == 200


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('http://h/p?X-Amz-Signature=abc&x=1#top', 'http://h/p?X-Amz-Signature=***&x=1#top'),
        ('http://h/p?oauth_token=t&oauth_signature=s%3D&a', 'http://h/p?oauth_token=***&oauth_signature=***&a'),
        ('http://u:p@h/p?access%5Ftoken=t', 'http://***@h/p?access%5Ftoken=***'),
        ('http://h/p#access_token=t', 'http://h/p#access_token=***'),
        ('http://h/a=b?c=d', 'http://h/a=b?c=d'),
        ('http://unix:/x.sock:/p?token=t', 'http://unix:/x.sock:/p?token=***'),
    ],
)
def test_q9_no_repr_shows_what_a_query_proves(text: str, shown: str) -> None:
    assert parse(text).redacted() == shown
    assert repr(parse(text)) == f'<Uri {shown}>'


@pytest.mark.parametrize('userinfo', ['a%zz', 'a:%', 'a%0d%0ab', 'a:%00', 'a:%7f', 'a:%E9', 'a:%C3'])
def test_userinfo_that_does_not_decode_cleanly_is_refused(userinfo: str) -> None:
    with pytest.raises(InvalidURI, match='user or password'):
        parse(f'http://{userinfo}@h/')


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize('text', ['', 'bad', '/p', '//h/p', 'http:', 'http:h', 'http:/h', 'http://', 'http:///nohost',
                                  'http://:80/', 'http://u@/', 'file:///etc/passwd', 'javascript:alert(1)'])  # fmt: skip
def test_a_text_without_host_is_an_invalid_uri_in_nodes_words(text: str) -> None:
    with pytest.raises(InvalidURI) as caught:
        parse(text)
    shown = text.replace('u@', '***@')
    assert str(caught.value) == f'Invalid URI "{shown}"'


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('ftp://h/', 'Invalid protocol: ftp:'),
        ('mailto:a@b', 'Invalid protocol: mailto:'),
        ('localhost:8080/x', 'Invalid protocol: localhost:'),
        ('127.0.0.1:8080/x', 'Invalid protocol: 127.0.0.1:'),
        ('WS://h/', 'Invalid protocol: ws:'),
    ],
)
def test_another_scheme_is_an_invalid_protocol_in_nodes_words(text: str, message: str) -> None:
    with pytest.raises(InvalidProtocol) as caught:
        parse(text)
    assert str(caught.value) == message


def test_the_unix_scheme_gets_nodes_advice() -> None:
    with pytest.raises(InvalidURI) as caught:
        parse('unix:///tmp/x.sock')
    assert str(caught.value) == (
        '`unix://` URL scheme is no longer supported. Please use the format `http://unix:SOCKET:PATH`'
    )


@pytest.mark.parametrize('control', [chr(code) for code in range(32)] + ['\x7f'])
@pytest.mark.parametrize('place', ['http://{}h/p', 'http://h{}/p', 'http://h/p{}q', 'http://h/?q{}q', 'http://h/#{}f',
                                   'http://u{}:p@h/', 'ht{}tp://h/', 'http://h:8{}0/'])  # fmt: skip
def test_q1_control_characters_are_refused_anywhere(control: str, place: str) -> None:
    with pytest.raises(OptionsError) as caught:
        parse(place.format(control))
    assert control not in str(caught.value)


@pytest.mark.parametrize(
    'port', ['65536', '99999', '8x', '-1', '+1', ' 80', '8_0', '\u0661', '1e2', '0x50', '9' * 5000]
)
def test_a_port_is_a_number_up_to_65535(port: str) -> None:
    with pytest.raises(InvalidURI, match='port'):
        parse(f'http://h:{port}/')


@pytest.mark.parametrize(
    'name',
    ['a b', 'a%62', 'a..b', '.a', '.', 'a"b', 'a;b', "a'b", 'a*b', 'a!b', 'a,b', 'a=b', 'a|b', 'a^b', '[::1',
     '::1', '[::1]x', '[v1.a]', '[::1%25eth0]', '[fe80::1%eth0]', '[1.2.3.4]', '[]', '[:]', '[::1::2]',
     'a' * 64, '.'.join(['a' * 63] * 4), 'xn--', 'xn--a', 'xn--\u0161', '\ud800', '\uff05a', 'a\u2024b%'],
)  # fmt: skip
def test_r11_a_host_is_an_address_or_a_strict_name(name: str) -> None:
    with pytest.raises(InvalidURI):
        parse(f'http://{name}/')


@pytest.mark.parametrize('name', ['0x7f.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.0.0.1.', '1.2.3.256',
                                  '0', 'a.1', '1.2.3.4.5', '127.0.0.0x1', '0x', '１２７.1', '01.2.3.4'])  # fmt: skip
def test_r11_numbers_that_resolvers_read_as_addresses_are_refused(name: str) -> None:
    """A filter that compares names must not be passed by another spelling of 127.0.0.1. Node takes them all."""
    with pytest.raises(InvalidURI, match='four decimal numbers'):
        parse(f'http://{name}/')


@pytest.mark.parametrize(
    'name', ['127.0.0.1', '0.0.0.0', '255.255.255.255', '1.a', '3com.com', 'a-b', '_dmarc.x', '-a', 'a.']
)
def test_ordinary_names_and_addresses_are_taken(name: str) -> None:
    assert parse(f'http://{name}/').hostname == name


@pytest.mark.parametrize(
    'text',
    ['http://good.com\\@evil.com/', 'http://good.com\\.evil.com/', 'http:\\\\evil.com/', 'http:/\\evil.com',
     'http://evil.com\\', 'http://a:b\\c@h/', 'http:\\/evil.com', '\\\\evil.com'],
)  # fmt: skip
def test_r11_a_backslash_near_the_host_is_refused(text: str) -> None:
    """Browsers end the host at a backslash, others at the slash: there is no reading that all share."""
    with pytest.raises(InvalidURI):
        parse(text)


def test_a_backslash_after_the_host_is_data() -> None:
    """Node and browsers make a slash of it within the path; here it is escaped, as everywhere else."""
    assert parse('http://h/a\\b?c\\d#e\\f').href == 'http://h/a%5Cb?c%5Cd#e%5Cf'


@pytest.mark.parametrize(
    ('text', 'hostname'),
    [
        ('http://a/@b', 'a'), ('http://a?@b', 'a'), ('http://a#@b', 'a'), ('http://a@b@c/', 'c'),
        ('http://a:80@b:81/', 'b'), ('http://a/\\@b', 'a'), ('http://b?http://a', 'b'),
    ],
)  # fmt: skip
def test_r11_the_authority_ends_at_the_first_slash_question_mark_or_hash(text: str, hostname: str) -> None:
    assert parse(text).hostname == hostname


def test_what_is_not_text_is_refused() -> None:
    for value in (None, 5, b'http://h/', ['http://h/']):
        with pytest.raises(InvalidURI, match='must be a str'):
            parse(value)  # type: ignore[arg-type]


def test_lone_surrogates_are_refused() -> None:
    for text in ('http://h/\ud800', 'http://\ud800@h/', 'http://h/?\udc80', 'http://h/#\udfff'):
        with pytest.raises(InvalidURI):
            parse(text)


# ---------------------------------------------------------------- internationalised names

NAMES = [('http://MÜNCHEN.de/', 'xn--mnchen-3ya.de'), ('http://例え。テスト/', 'xn--r8jz45g.xn--zckzah')]


@pytest.mark.parametrize(('text', 'hostname'), NAMES)
def test_international_names_are_written_in_ascii(text: str, hostname: str) -> None:
    assert urivalue._parse_any(text).hostname == hostname


@pytest.mark.parametrize(('text', 'hostname'), NAMES)
def test_international_names_work_without_the_idna_package(
    text: str, hostname: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'idna', None)
    assert urivalue._parse_any(text).hostname == hostname


@pytest.mark.parametrize('name', ['faß.de', 'βόλος.com', 'a\u200db', '☃\U0001f4a9.la', 'ẞ.com'])
def test_r11_names_that_idna_2003_reads_otherwise_are_refused_without_the_idna_package(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The standard library would ask for fass.de where browsers ask for faß.de: another host."""
    monkeypatch.setitem(sys.modules, 'idna', None)
    with pytest.raises(InvalidURI, match='idna'):
        urivalue._parse_any(f'http://{name}/')


def test_names_are_mapped_as_browsers_do_with_the_idna_package() -> None:
    pytest.importorskip('idna', reason='the idna package is not installed')
    assert urivalue._parse_any('http://faß.de/').hostname == 'xn--fa-hia.de'
    assert urivalue._parse_any('http://☃.net/').hostname == 'xn--n3h.net'
    for name in ('a\u200db', '\u0301a', '\u05d0a1b\u05d0-x', 'a\ufffd', 'ü' * 5000):
        with pytest.raises(InvalidURI):
            urivalue._parse_any(f'http://{name}/')


# ---------------------------------------------------------------- UNIX sockets


@pytest.mark.parametrize(
    ('text', 'socket_path', 'target', 'href'),
    [
        ('http://unix:/tmp/x.sock:/p?a=b', '/tmp/x.sock', '/p?a=b', None),
        ('http://unix:/tmp/x.sock:/p:q:r?a:b#c:d', '/tmp/x.sock', '/p:q:r?a:b', None),
        ('http://unix:/tmp/x.sock', '/tmp/x.sock', '/', 'http://unix:/tmp/x.sock:/'),
        ('http://unix:/tmp/x.sock:', '/tmp/x.sock', '/', 'http://unix:/tmp/x.sock:/'),
        ('http://unix:/tmp/x.sock?a', '/tmp/x.sock', '/?a', 'http://unix:/tmp/x.sock:/?a'),
        ('http://unix:/tmp/a%20b%3Ac.sock:/p', '/tmp/a b:c.sock', '/p', None),
        ('http://u:p@unix:/tmp/x.sock:/p', '/tmp/x.sock', '/p', None),
    ],
)
def test_a_unix_socket_is_named_before_the_target(text: str, socket_path: str, target: str, href: str | None) -> None:
    """Node cuts the target at its next colon: mended."""
    uri = parse(text)
    assert (uri.socket_path, uri.target, uri.href) == (socket_path, target, href or text)
    assert (uri.hostname, uri.host_field, uri.port) == ('localhost', 'localhost', None)
    assert parse(uri.href) == uri


def test_two_sockets_and_localhost_are_three_origins() -> None:
    texts = ('http://unix:/a.sock:/', 'http://unix:/b.sock:/', 'http://localhost/')
    assert len({parse(text).origin for text in texts}) == 3


@pytest.mark.parametrize('text', ['http://unix:', 'http://unix:/', 'http://unix:?q', 'http://unix:/tmp/', 'http://unix::/p',
                                  'http://unix:/a%00b:/p', 'http://unix:/a%zz:/p'])  # fmt: skip
def test_a_unix_socket_needs_a_path(text: str) -> None:
    with pytest.raises(InvalidURI):
        parse(text)


def test_a_host_that_is_called_unix_is_a_host() -> None:
    assert parse('http://unix/tmp/x').socket_path is None
    assert parse('http://unix:80/tmp/x').socket_path is None


# ---------------------------------------------------------------- the value


def test_a_uri_is_an_immutable_hashable_value() -> None:
    uri = parse('http://u:p@h/p')
    assert uri == urivalue._parse_any('HTTP://u:p@H/p')
    assert hash(uri) == hash(urivalue._parse_any('HTTP://u:p@H/p'))
    assert uri != parse('http://h/p')
    assert uri != 'http://u:p@h/p'
    assert Uri('http://u:p@h/p') == uri
    with pytest.raises(AttributeError):
        uri.hostname = 'evil'
    with pytest.raises(AttributeError):
        del uri.hostname
    with pytest.raises(AttributeError):
        uri.more = 1
    assert pickle.loads(pickle.dumps(uri)) == copy.deepcopy(uri) == copy.copy(uri) == uri


def test_a_query_is_replaced_before_the_fragment() -> None:
    """Node puts the query into the fragment: mended."""
    uri = parse('http://u:p@h:81/p?a=1#f')
    assert uri.with_query('b=2').href == 'http://u:p@h:81/p?b=2#f'
    assert uri.with_query('').href == 'http://u:p@h:81/p#f'
    assert uri.with_query('b=ü x#y').href == 'http://u:p@h:81/p?b=%C3%BC%20x%23y#f'
    assert parse('http://unix:/s:/p').with_query('q').href == 'http://unix:/s:/p?q'
    with pytest.raises(InvalidURI):
        uri.with_query('a\r\nb')


def test_r5_a_referer_has_neither_userinfo_nor_fragment() -> None:
    uri = parse('http://u:p@h:81/p?a=1#f')
    assert uri.referer == 'http://h:81/p?a=1'
    assert uri.without_userinfo().href == 'http://h:81/p?a=1#f'
    assert uri.without_fragment().href == 'http://u:p@h:81/p?a=1'
    plain = parse('http://h/')
    assert plain.without_userinfo() is plain.without_fragment() is plain


def test_the_same_text_is_read_once_and_the_cache_is_bounded() -> None:
    assert parse('http://h/once') is parse('http://h/once')
    for number in range(2000):
        parse(f'http://h/{number}')
    assert len(urivalue._CACHE) <= 512
    before = len(urivalue._CACHE)
    parse('http://h/' + 'a' * 5000)
    assert len(urivalue._CACHE) == before


# ---------------------------------------------------------------- redirects

BASE = 'http://a/b/c/d;p?q'


@pytest.mark.parametrize(
    ('reference', 'result'),
    [  # RFC 3986 5.4.1 and 5.4.2, those that stay http
        ('g', 'http://a/b/c/g'), ('./g', 'http://a/b/c/g'), ('g/', 'http://a/b/c/g/'), ('/g', 'http://a/g'),
        ('//g', 'http://g/'), ('?y', 'http://a/b/c/d;p?y'), ('g?y', 'http://a/b/c/g?y'), ('#s', 'http://a/b/c/d;p?q#s'),
        ('g#s', 'http://a/b/c/g#s'), ('g?y#s', 'http://a/b/c/g?y#s'), (';x', 'http://a/b/c/;x'),
        ('g;x', 'http://a/b/c/g;x'), ('g;x?y#s', 'http://a/b/c/g;x?y#s'), ('', 'http://a/b/c/d;p?q'),
        ('.', 'http://a/b/c/'), ('./', 'http://a/b/c/'), ('..', 'http://a/b/'), ('../', 'http://a/b/'),
        ('../g', 'http://a/b/g'), ('../..', 'http://a/'), ('../../', 'http://a/'), ('../../g', 'http://a/g'),
        ('../../../g', 'http://a/g'), ('../../../../g', 'http://a/g'), ('/./g', 'http://a/g'), ('/../g', 'http://a/g'),
        ('g.', 'http://a/b/c/g.'), ('.g', 'http://a/b/c/.g'), ('g..', 'http://a/b/c/g..'), ('..g', 'http://a/b/c/..g'),
        ('./../g', 'http://a/b/g'), ('./g/.', 'http://a/b/c/g/'), ('g/./h', 'http://a/b/c/g/h'),
        ('g/../h', 'http://a/b/c/h'), ('g;x=1/./y', 'http://a/b/c/g;x=1/y'), ('g;x=1/../y', 'http://a/b/c/y'),
        ('g?y/./x', 'http://a/b/c/g?y/./x'), ('g?y/../x', 'http://a/b/c/g?y/../x'), ('g#s/./x', 'http://a/b/c/g#s/./x'),
        ('HTTPS://G/x/../y', 'https://g/y'), ('/%2e%2e/x', 'http://a/%2e%2e/x'), ('?', 'http://a/b/c/d;p?'),
    ],
)  # fmt: skip
def test_r10_a_location_is_resolved_by_rfc_3986(reference: str, result: str) -> None:
    assert resolve(parse(BASE), reference).href == result


def test_the_fragment_of_the_first_uri_is_kept() -> None:
    """RFC 9110 10.2.2; Node drops it: mended."""
    base = parse('http://a/b#keep')
    assert resolve(base, '/c').href == 'http://a/c#keep'
    assert resolve(base, 'http://x/').href == 'http://x/#keep'
    assert resolve(base, '/c#own').href == 'http://a/c#own'


def test_userinfo_stays_on_the_authority_that_has_it() -> None:
    base = parse('http://u:p@a:81/b')
    assert resolve(base, '/c').href == 'http://u:p@a:81/c'
    assert resolve(base, '//a:81/c').username is None
    assert resolve(base, 'http://n:q@x/').auth == 'n:q'


@pytest.mark.parametrize(
    ('raw', 'target'),
    [
        (b'/ok/a b?t=c d', '/ok/a%20b?t=c%20d'),
        (b'/ok\ta', '/ok%09a'),
        ('/caf\u00e9?\u65e5'.encode(), '/caf%C3%A9?%E6%97%A5'),
        ('/\u00e0'.encode(), '/%C3%A0'),
        (b'/ok?t=\xff\xfe', '/ok?t=%FF%FE'),
        (b'/\xe9\xa0', '/%E9%A0'),
        (b'/ok%0d%0aX-Inj:%201', '/ok%0d%0aX-Inj:%201'),
        (b'  /x \t', '/x'),
    ],
)
def test_r10_raw_bytes_of_a_location_are_percent_encoded(raw: bytes, target: str) -> None:
    """Header text is latin-1; Node sends the characters it sees there: mended."""
    assert resolve(parse(BASE), raw.decode('latin-1')).target == target


def test_an_international_host_in_a_location_is_read_as_utf8() -> None:
    reference = 'http://münchen.de/'.encode().decode('latin-1')
    assert resolve(parse(BASE), reference).hostname == 'xn--mnchen-3ya.de'
    with pytest.raises(InvalidURI):
        resolve(parse(BASE), b'http://m\xfcnchen.de/'.decode('latin-1'))
    assert resolve(parse(BASE), '/日本').target == '/%E6%97%A5%E6%9C%AC'


@pytest.mark.parametrize('control', [chr(code) for code in range(32) if code != 9] + ['\x7f'])
def test_r10_control_characters_in_a_location_are_refused(control: str) -> None:
    for reference in (f'/a{control}b', f'http://h{control}/', f'/a{control}'):
        with pytest.raises(InvalidURI, match='crappy redirection'):
            resolve(parse(BASE), reference)


@pytest.mark.parametrize('reference', ['http:///nohost', 'file:///etc/passwd', 'javascript:alert(1)', '///x', '//', 'http:x',
                                       'http:'])  # fmt: skip
def test_r6_a_location_without_host_gets_nodes_words(reference: str) -> None:
    with pytest.raises(InvalidURI) as caught:
        resolve(parse(BASE), reference)
    assert str(caught.value) == f'Invalid URI "{reference}". This can be caused by a crappy redirection.'


@pytest.mark.parametrize('scheme', ['ftp', 'file', 'data', 'gopher', 'ws', 'wss', 'ldap'])
def test_r6_only_http_and_https_can_be_reached_by_a_redirect(scheme: str) -> None:
    with pytest.raises(InvalidProtocol) as caught:
        resolve(parse(BASE), f'{scheme}://h/x')
    assert str(caught.value) == f'Invalid protocol: {scheme}:'


@pytest.mark.parametrize('reference', ['http://unix:/run/docker.sock:/x', '//unix:/run/docker.sock:/x',
                                       'HTTP://UNIX:/run/docker.sock:/x', 'http://u@unix:/run/x.sock:/',
                                       'unix:///run/docker.sock', 'https://unix:/a:/b'])  # fmt: skip
@pytest.mark.parametrize('base', [BASE, 'http://unix:/tmp/own.sock:/p'])
def test_r7_a_redirect_never_names_a_unix_socket(base: str, reference: str) -> None:
    with pytest.raises(InvalidURI, match='crappy redirection'):
        resolve(parse(base), reference)


def test_a_relative_redirect_stays_on_the_socket_that_the_caller_named() -> None:
    uri = resolve(parse('http://unix:/tmp/own.sock:/v1/a'), '../b:c')
    assert (uri.socket_path, uri.target) == ('/tmp/own.sock', '/b:c')
    assert resolve(uri, 'http://h/').socket_path is None


@pytest.mark.parametrize('reference', ['/\\evil.com', '\\\\evil.com', '\\/evil.com', 'http:\\\\evil.com', '/\t/evil.com',
                                       'ht\ttp://evil.com', '//good.com\\@evil.com', '\t//evil.com\\'])  # fmt: skip
def test_r11_a_location_that_others_read_as_another_host_is_refused(reference: str) -> None:
    with pytest.raises(InvalidURI):
        resolve(parse(BASE), reference)


def test_a_path_that_begins_with_two_slashes_stays_on_its_host() -> None:
    uri = resolve(parse(BASE), '/.//evil.com')
    assert uri.href == 'http://a//evil.com'
    assert parse(uri.href) == uri
    assert uri.hostname == 'a'


# ---------------------------------------------------------------- base_url


@pytest.mark.parametrize(
    ('base', 'uri', 'joined'),
    [
        ('http://h/api', '', 'http://h/api'), ('http://h/api/', '', 'http://h/api/'),
        ('http://h/api', '/', 'http://h/api/'), ('http://h/api/', '/', 'http://h/api/'),
        ('http://h/api', 'r', 'http://h/api/r'), ('http://h/api', '/r', 'http://h/api/r'),
        ('http://h/api/', 'r', 'http://h/api/r'), ('http://h/api/', '/r', 'http://h/api/r'),
        ('http://h/api', 'r/', 'http://h/api/r/'), ('http://h/api', '/r/', 'http://h/api/r/'),
        ('http://h/api/', 'r/', 'http://h/api/r/'), ('http://h/api/', '/r/', 'http://h/api/r/'),
        ('http://h', 'r', 'http://h/r'), ('http://h/api', 'x?y=1#z', 'http://h/api/x?y=1#z'),
        ('http://h/api', '../x', 'http://h/api/../x'), ('http://h', '@evil.com', 'http://h/@evil.com'),
        ('http://h', ':81/x', 'http://h/:81/x'), ('http://unix:/a.sock', '/p', 'http://unix:/a.sock:/p'),
        ('http://unix:/a.sock:', 'p', 'http://unix:/a.sock:/p'),
    ],
)  # fmt: skip
def test_a_base_and_a_path_are_joined_with_one_slash(base: str, uri: str, joined: str) -> None:
    assert join_base(base, uri) == joined
    assert parse(joined).origin == parse(base).origin


@pytest.mark.parametrize(
    ('base', 'uri', 'joined'),
    [
        ('http://h/api', '/x?u=http://y', 'http://h/api/x?u=http://y'),
        ('http://h/api', '/x#http://y', 'http://h/api/x#http://y'),
        ('http://h/api', '?a=1', 'http://h/api?a=1'),
        ('http://h/api?k=1', 'x', 'http://h/api/x?k=1'),
        ('http://h/api?k=1', 'x?y=2#z', 'http://h/api/x?k=1&y=2#z'),
        ('http://h/api?k=1#f', '#z', 'http://h/api?k=1#z'),
        ('http://h/api?k=1', '', 'http://h/api?k=1'),
    ],
)
def test_queries_of_base_and_uri_go_where_queries_go(base: str, uri: str, joined: str) -> None:
    """Node refuses the first, puts a slash before the third, and the path into the query of the fourth: mended."""
    assert join_base(base, uri) == joined


@pytest.mark.parametrize('uri', ['http://evil.com/', '//evil.com', 'x://y', '/\\evil.com', '\\\\evil.com', 'http:\\\\evil.com',
                                 '/p/http://x'])  # fmt: skip
def test_r15_a_base_cannot_be_escaped(uri: str) -> None:
    with pytest.raises(InvalidURI) as caught:
        join_base('http://h/api', uri)
    assert str(caught.value) == 'options.uri must be a path when using options.baseUrl'


def test_base_and_uri_must_be_text_in_nodes_words() -> None:
    with pytest.raises(InvalidOptionType, match=r'^options\.baseUrl must be a string$'):
        join_base(5, 'x')  # type: ignore[arg-type]
    for uri in (None, parse('http://h/')):
        with pytest.raises(InvalidOptionType, match=r'^options\.uri must be a string when using options\.baseUrl$'):
            join_base('http://h', uri)  # type: ignore[arg-type]


def test_r15_a_base_without_host_lends_its_scheme_to_no_path() -> None:
    with pytest.raises(InvalidURI):
        join_base('http://', 'evil.com')
    with pytest.raises(InvalidURI) as caught:
        join_base('bad', 'x?y')
    assert str(caught.value) == 'Invalid URI "bad/x?y"'
    with pytest.raises(InvalidProtocol):
        join_base('ftp://h', 'x')


# ---------------------------------------------------------------- parts


def test_hand_made_parts_make_a_uri() -> None:
    parts = {'protocol': 'http:', 'hostname': '127.0.0.1', 'port': '8080', 'pathname': '/hand', 'search': '?x=1'}
    assert from_parts(parts).href == 'http://127.0.0.1:8080/hand?x=1'
    assert from_parts({**parts, 'port': 8080, 'auth': 'u@:p:q', 'hash': 'f'}).href == (
        'http://u%40:p:q@127.0.0.1:8080/hand?x=1#f'
    )
    assert from_parts({'protocol': 'https', 'hostname': '::1', 'pathname': 'a?b#c'}).href == 'https://[::1]/a%3Fb%23c'
    assert from_parts({'protocol': 'http:', 'host': 'h:81', 'path': '/p?q'}).href == 'http://h:81/p?q'
    assert from_parts({'protocol': 'http:', 'hostname': 'h', 'query': 'q'}).href == 'http://h/?q'


@pytest.mark.parametrize(
    'text', ['http://h/', 'http://u:p@h:81/p?q#f', 'https://[::1]/', 'http://h:80/?', 'http://h/ü']
)
def test_the_fields_of_a_uri_make_it_again(text: str) -> None:
    uri = parse(text)
    parts = uri.to_json()
    if uri.search != '?':
        del parts['path']
    assert from_parts(parts) == uri
    assert from_parts(uri.to_json(default_port=False)) == uri


@pytest.mark.parametrize(
    'parts',
    [{}, {'hostname': 'h'}, {'protocol': 'http:'}, {'protocol': 'http:', 'pathname': '/x'},
     {'protocol': 'http:', 'hostname': 'h/x'}, {'protocol': 'http:', 'hostname': 'a@b'},
     {'protocol': 'http:', 'hostname': 'a\\b'}, {'protocol': 'http:', 'hostname': 'a:80'},
     {'protocol': 'http:', 'hostname': 'h', 'port': 70000}, {'protocol': 'http:', 'hostname': 'h', 'port': -1},
     {'protocol': 'http:', 'hostname': 'h', 'path': '/a\r\nb'}, {'protocol': 'http:', 'hostname': 'h', 'auth': 'a\n:b'},
     {'protocol': 'http:', 'hostname': 'h', 'hash': '#\x00'}, {'protocol': 'http:', 'hostname': 'h', 'host': 'x'},
     {'protocol': 'http:', 'hostname': 'h', 'host': 'h:81'}, {'protocol': 'http:', 'host': '/tmp/x.sock'}],
)  # fmt: skip
def test_r11_parts_that_name_no_host_or_two_are_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(InvalidURI):
        from_parts(parts)


def test_parts_of_the_wrong_type_are_named() -> None:
    with pytest.raises(InvalidOptionType, match=r'options\.uri\.hostname must be a str, not int'):
        from_parts({'protocol': 'http:', 'hostname': 5})
    with pytest.raises(InvalidOptionType, match=r'options\.uri\.port'):
        from_parts({'protocol': 'http:', 'hostname': 'h', 'port': True})
    with pytest.raises(InvalidProtocol, match=r'^Invalid protocol: ftp:$'):
        from_parts({'protocol': 'ftp:', 'hostname': 'h'})


def test_whatever_the_option_may_hold_becomes_a_uri() -> None:
    uri = parse('http://h/p?q#f')
    assert coerce(uri) is uri
    for value in (
        uri.href,
        urlsplit(uri.href),
        urlparse(uri.href),
        {'protocol': 'http:', 'hostname': 'h', 'path': '/p?q', 'hash': '#f'},
    ):
        assert coerce(value) == uri
    for wrong in (None, 5, b'http://h/', object()):
        with pytest.raises(InvalidOptionType, match=r'options\.uri must be'):
            coerce(wrong)


# ---------------------------------------------------------------- properties

ANY_TEXT = st.text(max_size=40)
ODD = st.text(st.sampled_from('ab01.:/?#@[]\\%-_~ \t\r\n\x00;=&+!\'"<>{}|^`üßñ日\u3002\ud800xX'), max_size=25)
URIS = st.builds(
    '{}{}'.format, st.sampled_from(['http://', 'https://', 'http:', 'HTTP://h', 'http://h/', 'http://u:p@h:8/']), ODD
)
FIELDS = ('href', 'host', 'hostname', 'host_field', 'target', 'pathname', 'search', 'query', 'hash', 'port', 'username',
          'password', 'socket_path', 'referer', 'auth')  # fmt: skip


def check(uri: Uri) -> None:
    """Assert what holds for every URI that was let in."""
    assert re.fullmatch(r'/[\x21-\x7e]*', uri.target)
    assert re.fullmatch(r'[\x21-\x7e]+', uri.host_field + uri.href + uri.referer)
    assert uri.scheme in ('http', 'https')
    assert 0 <= uri.effective_port <= 65535
    for name in FIELDS:
        assert not re.search('[\x00-\x1f\x7f]', getattr(uri, name) or '')
    again = urivalue._parse(uri.href)
    assert again == uri
    for name in Uri.__slots__:
        assert getattr(again, name) == getattr(uri, name)


@given(URIS)
@example('http://h/p?a#b#c')
@example('http://u%3A:%25@h?')
@example('http://unix:/a%3Fb:/c:d')
def test_whatever_is_read_reads_back_the_same(text: str) -> None:
    try:
        uri = parse(text)
    except OptionsError:
        return
    check(uri)


@given(URIS)
@example('http://h')
@example('http://1.2.3.4:0080?a#b')
@example('http://xn--zca.de:65536/')
def test_the_fast_path_reads_what_the_long_way_reads(text: str) -> None:
    results: list[dict[str, Any] | None] = []
    for way in (urivalue._parse, urivalue._parse_any):
        try:
            uri = way(text)
        except OptionsError:
            results.append(None)
        else:
            results.append({name: getattr(uri, name) for name in Uri.__slots__})
    assert results[0] == results[1]


@given(st.one_of(ANY_TEXT, ODD, URIS))
def test_r6_r7_whatever_a_location_holds_leads_to_http_or_nowhere(reference: str) -> None:
    try:
        uri = resolve(parse(BASE), reference)
    except OptionsError as error:
        text: str | None = str(error)
    else:
        text = None
    if text is not None:
        assert not re.search('[\x00-\x1f\x7f]', text)
        return
    assert uri.socket_path is None
    check(uri)


@given(ODD)
def test_r15_whatever_is_joined_to_a_base_stays_on_its_host(uri: str) -> None:
    for base in ('http://h', 'http://h:81/api?k', 'http://unix:/a.sock'):
        try:
            joined = parse(join_base(base, uri))
        except OptionsError:
            continue
        assert joined.origin == parse(base).origin


@given(ODD, ANY_TEXT)
def test_whatever_query_is_set_stays_within_the_query(text: str, query: str) -> None:
    uri = parse('http://u:p@h/p?a#f')
    for given_query in (text, query):
        try:
            changed = uri.with_query(given_query)
        except OptionsError:
            continue
        assert (changed.origin, changed.pathname, changed.hash) == (uri.origin, '/p', '#f')
        check(changed)


@pytest.mark.timing
@pytest.mark.parametrize(
    'text',
    ['http://' + 'a' * 65536, 'http://' + 'a.' * 32768, 'http://h/' + 'a/' * 32768 + ' ', 'http://h/?' + '?' * 65536 + '"',
     'http://h/#' + '#' * 65536 + ' ', 'http://' + '@' * 65536 + 'h', 'http://' + ':' * 65536, 'http://h/' + '../' * 21845,
     'http://h:' + '0' * 65536 + '80', 'http://[' + ':' * 65536 + ']', 'a' * 65536, 'http://' + 'ü' * 65536, '\\' * 65536,
     'http://' + 'a%' * 32768 + '@h', ' ' * 65536, 'http://xn--' + 'a' * 65536 + '/', '@' * 65536],
)  # fmt: skip
def test_p1_long_texts_take_linear_time(text: str) -> None:
    begun = time.perf_counter()
    for read in (parse, lambda value: resolve(parse(BASE), value), lambda value: parse(join_base('http://h', value))):
        said = ''
        try:
            read(text)
        except OptionsError as error:
            said = str(error)
        assert len(said) < 600
    assert time.perf_counter() - begun < 1


# ---------------------------------------------------------------- vectors


def same_host(ours: str, theirs: str) -> bool:
    """Compare a hostname with a WHATWG one, which has brackets and the shortest spelling for IPv6."""
    if theirs.startswith('['):
        return ':' in ours and ipaddress.IPv6Address(ours) == ipaddress.IPv6Address(theirs[1:-1])
    return ours == theirs


def agrees(uri: Uri, case: dict[str, Any]) -> bool:
    port = None if uri.effective_port == {'http': 80, 'https': 443}[uri.scheme] else str(uri.effective_port)
    return (
        uri.protocol == case['protocol'] and same_host(uri.hostname, case['hostname']) and (port or '') == case['port']
    )


@pytest.mark.parametrize('name', ['wpt_urltestdata.json', 'wpt_ada_extra_urltestdata.json'])
def test_r11_absolute_uris_have_the_host_and_port_that_browsers_read_or_none(name: str) -> None:
    taken = 0
    for case in shared(f'vectors/{name}'):
        if isinstance(case, str) or not re.match(r'[\x00-\x20]*https?:', case['input'], re.IGNORECASE):
            continue
        if case['base'] is not None and case.get('failure'):
            continue  # the failure may be the base's, which an absolute URI does not ask
        try:
            uri = parse(case['input'])
        except OptionsError:
            continue
        assert not case.get('failure'), case
        assert agrees(uri, case), case
        taken += 1
    assert taken >= (120 if name == 'wpt_urltestdata.json' else 3)


def test_r11_references_lead_to_the_host_and_port_that_browsers_go_to_or_nowhere() -> None:
    taken = 0
    for case in shared('vectors/wpt_urltestdata.json'):
        if isinstance(case, str) or not (case['base'] or '').startswith('http'):
            continue
        try:
            uri = resolve(parse(case['base']), case['input'])
        except OptionsError:
            continue
        assert not case.get('failure'), case
        assert agrees(uri, case), case
        taken += 1
    assert taken >= 75


@pytest.mark.parametrize('package', [True, False])
def test_r11_names_are_written_as_browsers_write_them_or_refused(
    package: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if package:
        pytest.importorskip('idna', reason='the idna package is not installed')
    else:
        monkeypatch.setitem(sys.modules, 'idna', None)
    taken = 0
    for case in shared('vectors/wpt_toascii.json'):
        if isinstance(case, str):
            continue
        try:
            name = host.normalise(case['input'])
        except ValueError:
            continue
        assert name == case['output'], case
        taken += 1
    assert taken >= (55 if package else 30)


# ---------------------------------------------------------------- what Node does

PLACES = {
    '{{base}}': 'http://127.0.0.1:{{port}}', '{{base_localhost}}': 'http://localhost:{{port}}', '{{host}}': '127.0.0.1',
    '{{alt}}': 'http://127.0.0.1:38002', '{{alt_localhost}}': 'http://localhost:38002',
    '{{alt_port}}': '38002', '{{closed}}': 'http://127.0.0.1:38003', '{{closed_port}}': '38003',
    '{{unix}}': '/tmp/x.sock', '{{unix_missing}}': '/tmp/none.sock',
}  # fmt: skip


def placed(value: Any, fixed_port: bool) -> Any:
    text = json.dumps(value)
    for name, place in PLACES.items():
        text = text.replace(name, place)
    return json.loads(text.replace('{{port}}', '38417' if fixed_port else '38001'))


def golden() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """All recorded cases whose behaviour is not flagged as a quirk, with what Node did."""
    cases = shared('golden/corpus-open.json')['cases']
    expected = {case['id']: case for case in shared('golden/expected-open.json')['expected']}
    fixed = {case['id']: bool(case.get('fixed_port')) for case in cases}
    return [
        (placed(case, fixed[case['id']]), placed(expected[case['id']], fixed[case['id']]))
        for case in cases
        if not case.get('quirk')
    ]


def recorded_uris(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get('uri'), dict) and 'href' in value['uri']:
            return [value['uri']]
        return [found for inner in value.values() for found in recorded_uris(inner)]
    return [found for inner in value for found in recorded_uris(inner)] if isinstance(value, list) else []


def test_the_fields_agree_with_every_recorded_one() -> None:
    seen = 0
    for case, expected in golden():
        for fields in recorded_uris(expected['outcomes']):
            if fields['protocol'] not in ('http:', 'https:') or not fields.get('host') or fields['port'] == '99999':
                continue  # refused here, or made by hand, where Node shows the fields that were given
            text = fields['href']
            if fields.get('isUnix'):
                text = text.replace('//unix/', '//unix:/', 1)
            ours = parse(text).to_json(default_port=fields['port'] is not None)
            if case['id'] == 'unix-no-path':
                fields = {**fields, 'path': '/', 'href': fields['href'] + ':/'}  # Node leaves path undefined here
            assert ours == fields, case['id']
            seen += 1
    assert seen > 400


def test_request_lines_and_hosts_agree_with_every_recorded_first_request() -> None:
    seen = 0
    for case, expected in golden():
        options = case.get('options')
        if (
            not isinstance(options, dict)
            or not expected['requests']
            or {'env', 'defaults', 'chain', 'pipe_in'} & set(case)
        ):
            continue
        if any(name in options for name in ('qs', 'baseUrl', 'proxy', 'har')):
            continue
        if options.get('oauth', {}).get('transport_method') == 'query':
            continue
        given_uri = options.get('uri', options.get('url'))
        if not (isinstance(given_uri, str) or (isinstance(given_uri, dict) and 'protocol' in given_uri)):
            continue
        uri, request = coerce(given_uri), expected['requests'][0]
        assert request['target'] == uri.target, case['id']
        hosts = [value for name, value in request['headers'] if name.lower() == 'host']
        if 'host' not in {name.lower() for name in options.get('headers', {})} and uri.socket_path is None:
            assert hosts == [uri.host_field], case['id']
        seen += 1
    assert seen > 250


def test_redirects_agree_with_every_recorded_one() -> None:
    seen = 0
    for case, expected in golden():
        options, outcome = case.get('options'), expected['outcomes'][0]
        if not isinstance(options, dict) or case['area'] != 'redirect' or 'response' not in outcome:
            continue
        uri = parse(options['uri'])
        answers = [answer.get('headers', []) for answer in case.get('server', [])]
        for headers, request in zip(answers, expected['requests'][1:], strict=False):
            location = next(value for name, value in headers if name.lower() == 'location')
            uri = resolve(uri, location)
            assert request['target'] == uri.target, case['id']
            assert uri.host_field in {value for name, value in request['headers'] if name.lower() == 'host'}, case['id']
            seen += 1
        if len(expected['requests']) > 1:
            assert outcome['response']['request']['uri']['href'] == uri.href, case['id']
    assert seen > 40
