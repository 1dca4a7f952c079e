"""What cannot be meant is an error of the call: it names the option, the value and the fix, and not a byte is sent."""

from __future__ import annotations

import io
import re
import socket
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from requite import (
    InvalidBody,
    InvalidOptionType,
    InvalidProtocol,
    InvalidURI,
    OptionsError,
    Request,
    RequestError,
    UnknownOption,
    request,
)
from requite.optiontable import OPTIONS
from tests.servers import HttpServer

SURROGATE = '\ud800'
CONTROLS = ['\r', '\n', '\r\n', '\0', '\x01', '\x7f']


@pytest.fixture
def unvisited() -> Iterator[str]:
    """The address of a socket that listens; when the test ends nobody may have come."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        listener.setblocking(False)
        yield f'http://127.0.0.1:{listener.getsockname()[1]}'
        with pytest.raises(BlockingIOError):
            listener.accept()


def refused(*args: Any, **options: Any) -> RequestError:
    """The error of a call that must not get as far as a request."""
    with pytest.raises(RequestError) as caught:
        made = request(*args, **options)
        assert isinstance(made, Request)
        made.abort()
    assert isinstance(caught.value, (TypeError, ValueError))
    return caught.value


# -- values of the wrong type or out of bounds

WRONG: list[tuple[str, Any, type[RequestError], str]] = [
    ('timeout', 1.5, InvalidOptionType, "'timeout' counts milliseconds.*not 1.5: write 1500 if you meant 1.5 seconds"),
    ('timeout', True, InvalidOptionType, "'timeout' must be an int of milliseconds or a timedelta, not True"),
    ('timeout', '5', InvalidOptionType, "'timeout' must be an int of milliseconds or a timedelta, not '5'"),
    ('timeout', 0, OptionsError, "'timeout' must be more than 0 milliseconds, not 0; pass None for no limit"),
    ('timeout', -1, OptionsError, "'timeout' must be more than 0 milliseconds, not -1"),
    ('timeout', timedelta(seconds=-1), OptionsError, "'timeout' must be more than 0 milliseconds"),
    ('timeout', float('nan'), InvalidOptionType, "'timeout' counts milliseconds.*not nan"),
    ('timeout', float('inf'), InvalidOptionType, "'timeout' counts milliseconds.*not inf"),
    ('timeout', 2**31, OptionsError, "'timeout' must be at most 2147483647 milliseconds .24 days.*pass None"),
    ('timeout', 10**400, OptionsError, "'timeout' must be at most"),
    ('timeout', timedelta(days=25), OptionsError, "'timeout' must be at most"),
    ('deadline', 2.0, InvalidOptionType, "'deadline' counts milliseconds.*write 2000"),
    ('deadline', 10**400, OptionsError, "'deadline' must be at most"),
    ('max_redirects', True, InvalidOptionType, "'max_redirects' must be an int, not True"),
    ('max_redirects', -1, OptionsError, "'max_redirects' must be 0 or more, not -1"),
    ('max_redirects', 1.0, InvalidOptionType, "'max_redirects' must be an int, not 1.0"),
    ('max_body', 1.5, InvalidOptionType, "'max_body' must be an int, not 1.5"),
    ('encoding', 'klingon', OptionsError, "encoding: 'klingon' is not an encoding.*give None"),
    ('encoding', 5, InvalidOptionType, 'encoding is int; give the name'),
    ('encoding', 'rot13', OptionsError, "'rot13' is not an encoding of text"),
    ('auth', ('a',), InvalidOptionType, r"'auth' as a tuple must be \(user, password\), not 1 items"),
    ('auth', {}, OptionsError, "'auth': no auth mechanism defined; give user and pass, or bearer"),
    ('auth', {'sendImmediately': True}, OptionsError, "'auth': no auth mechanism defined"),
    ('auth', 'user:sekrit', InvalidOptionType, r"'auth' must be a mapping or \(user, password\), not a str"),
    (
        'auth',
        {'user': 'a', 'pass': 5},
        InvalidOptionType,
        'received invalid user or password; password must be a str, not an int',
    ),
    (
        'auth',
        {'user': 5, 'pass': 'sekrit'},
        InvalidOptionType,
        'received invalid user or password; user must be a str, not an int',
    ),
    ('auth', {'user': 'a:b', 'pass': 'sekrit'}, OptionsError, 'user may not hold a colon'),
    ('auth', {'user': 'a', 'pass': 'sekrit\n'}, OptionsError, 'password may not hold control characters'),
    ('auth', {'user': 'a', 'pass': f'sekrit{SURROGATE}'}, OptionsError, 'lone surrogates'),
    ('auth', {'user': 'a', 'pasword': 'sekrit'}, UnknownOption, "no key 'pasword'; did you mean 'password'"),
    (
        'auth',
        {'user': 'a', 'sendImmediately': 1},
        InvalidOptionType,
        'sendImmediately must be True or False, not an int',
    ),
    (
        'auth',
        {'user': 'a', 'sendImmediately': True, 'send_immediately': True},
        UnknownOption,
        "'sendImmediately' and 'send_immediately', which are one",
    ),
    ('auth', {'bearer': 5}, InvalidOptionType, 'bearer must be a str or a callable'),
    ('auth', {'bearer': 'sekrit\r\n'}, OptionsError, 'bearer must be visible ASCII'),
    ('auth', {'bearer': 'sekrit é'}, OptionsError, 'bearer must be visible ASCII'),
    (
        'headers',
        'authorization: sekrit',
        InvalidOptionType,
        r"'headers' must be a mapping or a list of \(name, value\) pairs, not a str",
    ),
    ('headers', ['authorization: sekrit'], InvalidOptionType, r"'headers' must hold \(name, value\) pairs, not a str"),
    (
        'headers',
        {'a': object()},
        InvalidOptionType,
        "header 'a' must be a str, bytes, number or a list of them, not an object",
    ),
    (
        'headers',
        {'a': {'b': 'c'}},
        InvalidOptionType,
        "header 'a' must be a str, bytes, number or a list of them, not a dict",
    ),
    ('headers', {'a': [['b']]}, InvalidOptionType, "header 'a' must be .*not a list"),
    ('headers', {'a': [None]}, InvalidOptionType, "header 'a' must be .*not None"),
    ('headers', {'a': float('nan')}, OptionsError, "header 'a' is nan"),
    ('headers', {'a': '☃'}, OptionsError, "header 'a' may not hold '☃'; encode it"),
    ('headers', {'a': SURROGATE}, OptionsError, r"header 'a' may not hold '\\ud800'"),
    ('headers', {5: 'a'}, InvalidOptionType, 'name of a header must be a str, not an int'),
    ('headers', {'': 'a'}, OptionsError, 'name of a header may not be empty'),
    (
        'headers',
        {'Authorization: sekrit': 'a'},
        OptionsError,
        "name of a header may not hold ':' after 'Authorization'",
    ),
    ('headers', {'content-length': 'many'}, OptionsError, "content-length must be one number of bytes, not 'many'"),
    ('headers', {'content-length': '-1'}, OptionsError, 'content-length must be one number'),
    ('headers', {'content-length': ['1', '1']}, OptionsError, 'content-length must be one number'),
    ('headers', {'transfer-encoding': 'gzip'}, OptionsError, "transfer-encoding can only be 'chunked', not 'gzip'"),
    ('headers', {'content-length': '1', 'Transfer-Encoding': 'chunked'}, OptionsError, 'exclude each other'),
    ('headers', [('host', 'a'), ('Host', 'b')], OptionsError, 'host may be given only once'),
    ('qs', 'a=1', InvalidOptionType, "'qs' must be a mapping, not a str"),
    ('qs', 5, InvalidOptionType, "'qs' must be a mapping, not 5"),
    ('qs', [('a', 1)], InvalidOptionType, "'qs' must be a mapping, not a list"),
    ('qs', {'a': object()}, InvalidOptionType, "value of 'a' is a"),
    ('qs', {'a': SURROGATE}, OptionsError, "value of 'a' holds a lone surrogate"),
    ('qs_parse_options', {'klingon': 1}, UnknownOption, "qs_parse_options has no option 'klingon'"),
    ('qs_parse_options', {'delimter': ';'}, UnknownOption, "'delimter'; did you mean 'delimiter'"),
    ('qs_parse_options', {'arrayLimit': 1, 'array_limit': 1}, UnknownOption, 'which are one option'),
    ('qs_parse_options', 5, InvalidOptionType, "'qs_parse_options' must be a mapping, not 5"),
    ('qs_stringify_options', {'arrayFormat': 'klingon'}, OptionsError, "arrayFormat must be one of 'indices'"),
    ('form', 5, InvalidOptionType, "'form' must be a mapping or a str, not 5"),
    ('form', [('a', 'b')], InvalidOptionType, "'form' must be a mapping or a str, not a list"),
    ('form', {'a': SURROGATE}, OptionsError, 'lone surrogate'),
    ('form', f'a={SURROGATE}', OptionsError, 'lone surrogate'),
    ('form_data', 'a=1', InvalidOptionType, "'form_data' must be a mapping of names to values, not a str"),
    ('form_data', [('a', 'sekrit')], InvalidOptionType, 'not a list; for several values of one name give'),
    ('form_data', {'a': None}, InvalidBody, "field 'a' is None; leave the field out"),
    ('form_data', {'a': True}, InvalidBody, "field 'a' is a bool; give it as text"),
    ('form_data', {'a': {'b': 'sekrit'}}, InvalidBody, "field 'a' is a dict; give "),
    ('form_data', {5: 'sekrit'}, InvalidOptionType, 'name of a field must be a str, not an int'),
    ('multipart', 'sekrit', InvalidOptionType, "'multipart': Argument error, options.multipart.*not a str"),
    (
        'multipart',
        {'content-type': 'sekrit'},
        UnknownOption,
        "'multipart' has no key 'content-type'; it takes data, chunked",
    ),
    ('multipart', [{'x': 'sekrit'}], InvalidBody, "Body attribute missing in multipart.*give '' for an empty one"),
    ('multipart', [{'body': None}], InvalidBody, 'Body attribute missing in multipart'),
    ('multipart', ['sekrit'], InvalidBody, "part 0 must be a mapping with 'body'"),
    ('body', 5, InvalidBody, "'body': Argument error, options.body.*not an int; pass json=True"),
    ('body', {}, InvalidBody, 'not a dict; pass json=True'),
    ('body', {'a': 'sekrit'}, InvalidBody, 'not a dict; pass json=True'),
    ('body', object(), InvalidBody, 'not an object'),
    ('body', True, InvalidBody, 'not a bool'),
    ('body', {1, 2}, InvalidBody, 'not a set'),
    ('body', [1], InvalidBody, 'A piece must be bytes or str, not a'),
    ('body', f'a{SURROGATE}', InvalidBody, 'lone surrogate'),
    ('body', ['a', SURROGATE], InvalidBody, 'lone surrogate'),
    ('body', io.StringIO('a'), InvalidBody, "opened as text; open it with mode 'rb'"),
    ('json', object(), InvalidBody, 'json: the value is object, which JSON cannot hold'),
    ('json', {'a': b'sekrit'}, InvalidBody, 'json'),
    ('json', lambda: 1, InvalidBody, 'json: the value is function'),
    (
        'json_replacer',
        5,
        InvalidOptionType,
        r"'json_replacer' must be a callable \(key, value\) or a list of the keys to keep, not 5",
    ),
    ('json_replacer', 'a', InvalidOptionType, "'json_replacer' must be a callable"),
    ('json_replacer', [object()], InvalidOptionType, "'json_replacer' must be a callable"),
    ('json_reviver', 5, InvalidOptionType, "'json_reviver' must be a callable, not 5"),
    ('callback', 5, InvalidOptionType, "'callback' must be a callable, not 5"),
    ('method', 5, InvalidOptionType, "'method' must be a str, not 5"),
    ('method', '', OptionsError, "'method' must be a token.*not ''"),
    ('method', 'GET /', OptionsError, "'method' must be a token"),
    ('method', SURROGATE, OptionsError, "'method' must be a token"),
    ('gzip', 1, InvalidOptionType, "'gzip' must be True or False, not 1"),
    ('strict_ssl', 0, InvalidOptionType, "'strict_ssl' must be True or False, not 0"),
    ('strict_ssl', 'no', InvalidOptionType, "'strict_ssl' must be True or False, not 'no'"),
    ('follow_redirect', 'yes', InvalidOptionType, "'follow_redirect' must be True or False, not 'yes'"),
    ('ca', 5, InvalidOptionType, "'ca' must be a path, PEM text, DER bytes, or a list of them, not 5"),
    ('ca', [5], InvalidOptionType, "'ca' must be a path"),
    (
        'ca',
        [],
        OptionsError,
        "'ca' is empty, so that nobody could be trusted; leave it out to trust as the system does",
    ),
    ('ca', '/no/such', OptionsError, "'ca' names '/no/such', where no file is; give a path, PEM text or DER bytes"),
    ('cert', 5, InvalidOptionType, "'cert' must be a path, PEM text or DER bytes, not an int"),
    ('cert', '/no/such', OptionsError, "'cert' names '/no/such', where no file is; give a path, PEM text or DER bytes"),
    ('cert', '/no/\ud800', OptionsError, "'cert' names .*, where no file is"),
    ('cert', '/no/\0', OptionsError, "'cert' names .*, where no file is"),
    ('cert', b'klingon', OptionsError, "'cert' holds no certificate that can be read: give PEM, DER or the path"),
    ('key', ['sekrit'], InvalidOptionType, "'key' must be a path, PEM text or DER bytes, not a list"),
    ('key', 'sekrit', OptionsError, "'key' names no file that is there"),
    ('key', b'sekrit', OptionsError, "'key' is of no use without 'cert': give the certificate too"),
    ('pfx', 5, InvalidOptionType, "'pfx' must be a path, PEM text or DER bytes, not an int"),
    (
        'pfx',
        b'sekrit',
        OptionsError,
        "'pfx' cannot be read: give PKCS 12 as bytes or the path of a file, and its 'passphrase'",
    ),
    ('passphrase', 5, InvalidOptionType, "'passphrase' must be a str, not an int"),
    ('ciphers', 5, InvalidOptionType, "'ciphers' must be a str, not 5"),
    ('ciphers', 'klingon', OptionsError, "'ciphers': 'klingon' names no cipher of this OpenSSL: see `openssl ciphers`"),
    ('ciphers', 'a\0b', OptionsError, "'ciphers'"),
    ('min_version', 'TLSv1.1', OptionsError, "'min_version' must be one of TLSv1.2, TLSv1.3, not 'TLSv1.1'"),
    ('min_version', 1.3, OptionsError, "'min_version' must be one of TLSv1.2, TLSv1.3, not 1.3"),
    ('server_hostname', 5, InvalidOptionType, "'server_hostname' must be a str, not 5"),
    ('server_hostname', 'a b', OptionsError, "'server_hostname' must be the name of a host, not 'a b'"),
    ('assert_fingerprint', 5, InvalidOptionType, "'assert_fingerprint' must be a str, not 5"),
    (
        'assert_fingerprint',
        'ab',
        OptionsError,
        "'assert_fingerprint' must be a SHA-256: 64 hexadecimal digits, as `openssl",
    ),
    ('retry', True, InvalidOptionType, "'retry' must be a number of retries or a mapping, not True"),
    ('retry', 1.5, InvalidOptionType, "'retry' must be a number of retries or a mapping"),
    ('retry', 101, OptionsError, "'retry' must be a number of retries from 0 to 100, not 101"),
    ('retry', {'methods': 'GET'}, InvalidOptionType, "'retry.methods' must be a list of methods"),
    ('retry', {'statuses': [200]}, InvalidOptionType, "'retry.statuses': 200 is no status code from 300 to 599"),
    ('retry', {'backoff': 0.5}, InvalidOptionType, "'retry.backoff' counts milliseconds.*write 500"),
    ('idempotency_key', 5, InvalidOptionType, "'idempotency_key' must be True or a str"),
    (
        'idempotency_key',
        ' ',
        OptionsError,
        "'idempotency_key' is empty; give True for one that is made for each request",
    ),
    ('idempotency_key', 'sekrit\r\n', OptionsError, "'idempotency_key'"),
    ('har_log', 5, InvalidOptionType, "'har_log' must be the path of a file or a HarLog"),
    ('har_log', '', InvalidOptionType, "'har_log' must be the path of a file or a HarLog"),
    ('har_log', set(), InvalidOptionType, "'har_log' must be the path of a file or a HarLog, not a set"),
    (
        'har_log',
        '/no/such/log.har',
        OptionsError,
        "'har_log': '/no/such/log.har' cannot be written .*; name another file",
    ),
    (
        'har',
        'sekrit.har',
        InvalidOptionType,
        "'har' must be a HAR request as a mapping, not a str; read a file of it with json.load",
    ),
    ('har', {}, OptionsError, "'har' is no HAR request: it has none of url, method"),
    ('har', {'log': {'entries': []}}, OptionsError, "'har': its log has no entries"),
    (
        'har',
        {'headers': [{'name': 'a', 'value': ['sekrit']}]},
        OptionsError,
        "'har': in its headers the value of 'a' must be a str",
    ),
    ('proxy', True, InvalidOptionType, "'proxy' must be a str or a parsed URI, not a bool"),
    ('proxy', ['http://sekrit'], InvalidOptionType, "'proxy' must be a str or a parsed URI, not a list"),
    (
        'proxy',
        {'http': 'http://ann:sekrit@a.test'},
        InvalidOptionType,
        "'proxy' is one proxy, not a mapping.*HTTP_PROXY",
    ),
    ('proxy', 'http://', InvalidURI, "'proxy' is no address of a proxy; give it as http://host:port or"),
    ('proxy', 'http://ann:sekrit@:80', InvalidURI, "'proxy' is no address of a proxy; give it as http://host:port or"),
    (
        'proxy',
        'ftp://ann:sekrit@a.test',
        InvalidProtocol,
        "'ftp': option 'proxy' knows http, https, socks4.*http://host",
    ),
    ('proxy', 'http://ann:1/sekrit@a.test', InvalidURI, "'proxy' may end with its port, but goes on.*%2F"),
    ('proxy', 'http://ann:sekrit%0d@a.test', OptionsError, "'proxy' may not hold control characters.*take them out"),
    ('proxy', 'http://a%3Ab:sekrit@a.test', OptionsError, "'proxy': the user may not hold a colon"),
    ('proxy', 'socks5://a:' + 'sekrit' * 43 + '@a.test', OptionsError, "'proxy': user and password.*at most 255 bytes"),
    (
        'proxy',
        'http://unix:/sekrit:/',
        OptionsError,
        "'proxy' names a unix socket, where no proxy can be; give http://",
    ),
    ('oauth', 'sekrit', InvalidOptionType, "'oauth' must be a mapping, not a str"),
    ('hawk', 'sekrit', InvalidOptionType, "'hawk' must be a mapping, not a str"),
    ('aws', 'sekrit', InvalidOptionType, "'aws' must be a mapping, not a str"),
    ('http_signature', 'sekrit', InvalidOptionType, "'http_signature' must be a mapping, not a str"),
    ('http_message_signature', 'sekrit', InvalidOptionType, "'http_message_signature' must be a mapping, not a str"),
    ('signers', 'sekrit', InvalidOptionType, "'signers' must be a list of objects with sign"),
    ('netrc', 5, InvalidOptionType, "'netrc' must be True or the path of a file"),
    ('redirect_filter', 'klingon', InvalidOptionType, "'redirect_filter' must be a callable"),
    ('sensitive_headers', 'klingon', InvalidOptionType, "'sensitive_headers' must be a list of names of headers"),
    ('pipefilter', 'klingon', InvalidOptionType, "'pipefilter' must be a callable"),
    ('tunnel', 'yes', InvalidOptionType, "'tunnel' must be True or False, not"),
    (
        'proxy_header_white_list',
        'accept',
        InvalidOptionType,
        "'proxy_header_white_list' must be a list of names of headers",
    ),
    (
        'proxy_header_exclusive_list',
        ['a b'],
        OptionsError,
        "'proxy_header_exclusive_list': the name of a header may not",
    ),
    ('family', 5, InvalidOptionType, "'family' must be 4 or 6, not 5"),
    ('family', True, InvalidOptionType, "'family' must be 4 or 6, not True"),
    ('family', 'IPv4', InvalidOptionType, "'family' must be 4 or 6, not a str"),
    ('lookup', '127.0.0.1', InvalidOptionType, "'lookup' must be a callable, not a str"),
    ('timeout', {'conect': 5}, UnknownOption, "'timeout' has no key 'conect'; did you mean 'connect'"),
    ('timeout', {'read': 1.5}, InvalidOptionType, 'counts milliseconds.*write 1500'),
    ('timeout', {'pool': 0}, OptionsError, 'must be more than 0 milliseconds, not 0; pass None for no limit'),
    ('local_address', 5, InvalidOptionType, "'local_address' must be a str, not 5"),
    ('local_address', '1.2.3.4\n', OptionsError, "'local_address' must be the IP address"),
    ('local_address', '', OptionsError, "'local_address' must be the IP address"),
    ('pool', True, InvalidOptionType, "'pool' must be a mapping, a Pool or False, not True"),
    ('pool', 'a', InvalidOptionType, "'pool' must be a mapping, a Pool or False, not 'a'"),
    ('pool', object(), InvalidOptionType, "'pool' must be a mapping, a Pool or False, not an object"),
    ('pool', {'klingon': 1}, UnknownOption, "'pool' has no key 'klingon'; it takes max_sockets"),
    ('pool', {'max_socket': 1}, UnknownOption, "did you mean 'max_sockets'"),
    ('pool', {'maxSockets': 1, 'max_sockets': 1}, UnknownOption, "'maxSockets' and 'max_sockets', which are one"),
    ('pool', {'maxSockets': '5'}, InvalidOptionType, 'must be an int'),
    ('pool', {'maxSockets': 0}, OptionsError, 'max_sockets is 0'),
    ('pool', {'agents': 5}, InvalidOptionType, 'agents'),
    ('pool', MappingProxyType({}), InvalidOptionType, 'this one cannot be changed, use a dict'),
    ('agent', True, InvalidOptionType, "'agent' must be a Pool or False, not True"),
    ('agent', {}, InvalidOptionType, "'agent' must be a Pool or False, not a dict"),
    ('agent_options', 5, InvalidOptionType, "'agent_options' must be a mapping, not 5"),
    ('agent_options', {'klingon': 1}, UnknownOption, "'agent_options' has no key 'klingon'; it takes keep_alive"),
    ('agent_options', {'keepalive': True}, UnknownOption, "did you mean 'keep_alive'"),
    ('agent_options', {'keepAlive': 1}, InvalidOptionType, 'must be True or False, not 1'),
    ('agent_options', {'keepAlive': True, 'keep_alive': True}, UnknownOption, 'which are one'),
    ('base_url', 5, InvalidOptionType, "options.baseUrl must be a string: option 'base_url' must be a str, not an int"),
]

IDS = [f'{row[0]}-{number}' for number, row in enumerate(WRONG)]


@pytest.mark.parametrize(('option', 'value', 'kind', 'text'), WRONG, ids=IDS)
def test_a_value_that_cannot_be_meant_is_an_error_of_the_call(
    option: str, value: Any, kind: type[RequestError], text: str, unvisited: str
) -> None:
    error = refused(unvisited, {option: value})
    assert type(error) is kind
    assert re.search(text, str(error), re.DOTALL), str(error)
    assert 'sekrit' not in str(error) + repr(error)
    assert refused(unvisited, **{option: value}).message == error.message


@pytest.mark.parametrize(('option', 'value', 'kind', 'text'), WRONG, ids=IDS)
def test_a_callback_does_not_keep_a_wrong_call_from_raising(
    option: str, value: Any, kind: type[RequestError], text: str, unvisited: str
) -> None:
    told: list[Any] = []
    if option != 'callback':
        assert type(refused(unvisited, {option: value}, lambda *outcome: told.append(outcome))) is kind
    assert told == []


def test_every_option_that_takes_values_refuses_one_of_the_wrong_type(unvisited: str) -> None:
    tested = {row[0] for row in WRONG} | {'uri', 'url'}
    others = [option.name for option in OPTIONS if option.kind and not option.later and option.name not in tested]
    for name in others:
        error = refused(unvisited, {name: 'klingon'})
        assert type(error) is InvalidOptionType
        assert f'{name!r} must be True or ' in str(error)


def test_a_text_file_in_a_wrapper_is_refused_too(unvisited: str, tmp_path: Path) -> None:
    with tempfile.NamedTemporaryFile('w+', dir=tmp_path) as file:
        assert 'opened as text' in str(refused(unvisited, body=file))


def test_a_urlencoded_text_under_json_with_a_lone_surrogate_is_refused(unvisited: str) -> None:
    headers = {'content-type': 'application/x-www-form-urlencoded'}
    assert 'lone surrogate' in str(refused(unvisited, body=f'a={SURROGATE}', json=True, headers=headers))


# -- line breaks and other control characters: SECURITY Q1


@pytest.mark.parametrize('control', CONTROLS)
@pytest.mark.parametrize('text', ['{}GET', 'G{}ET', 'GET{}', 'GET / HTTP/1.1{}x: y'])
def test_control_characters_in_the_method_are_refused(control: str, text: str, unvisited: str) -> None:
    """SECURITY Q1."""
    assert "option 'method'" in str(refused(unvisited, method=text.format(control)))


@pytest.mark.parametrize('control', CONTROLS)
@pytest.mark.parametrize('text', ['/{}', '/a{}b', '/?a={}b', '/ HTTP/1.1{}x: y', '/#a{}b', ':80{}80/', '{}@h/'])
def test_control_characters_in_the_target_are_refused(control: str, text: str, unvisited: str) -> None:
    """SECURITY Q1. At its very ends a URI is trimmed, as in Node: see the test below."""
    address = unvisited + text.format(control) + ('x' if text.endswith('{}') else '')
    assert isinstance(refused(address), InvalidURI)


@pytest.mark.parametrize('control', CONTROLS)
def test_control_characters_in_the_parts_of_an_address_are_refused(control: str, unvisited: str) -> None:
    """SECURITY Q1."""
    port = int(unvisited.rpartition(':')[2])
    for parts in (
        {'pathname': f'/a{control}b'},
        {'path': f'/a{control}b'},
        {'search': f'?a{control}b'},
        {'hostname': f'127.0.0.1{control}x'},
    ):
        assert isinstance(
            refused({'protocol': 'http:', 'hostname': '127.0.0.1', 'port': port, **parts}, {}), OptionsError
        )
    assert isinstance(refused(f'/a{control}b', base_url=unvisited), OptionsError)
    assert isinstance(refused('/a', base_url=f'{unvisited}/x{control}y'), OptionsError)


def test_blanks_around_an_address_are_taken_off_as_in_node_but_line_breaks_are_refused(server: HttpServer) -> None:
    """SECURITY Q1."""
    request(f' {server.url}/a\t').end()
    assert server.requests[0].target == '/a'
    for broken in (f'\n{server.url}/a', f'{server.url}/a\r\n'):
        with pytest.raises(InvalidURI):
            request(broken)
    assert len(server.requests) == 1


@pytest.mark.parametrize('control', CONTROLS)
def test_control_characters_in_the_name_of_a_header_are_refused(control: str, unvisited: str) -> None:
    """SECURITY Q1."""
    for name in (f'{control}a', f'a{control}', f'a{control}b', f'a{control}x: y'):
        assert 'name of a header' in str(refused(unvisited, headers={name: 'v'}))
        assert 'name of a header' in str(refused(unvisited, headers=[(name, 'v')]))


@pytest.mark.parametrize('control', CONTROLS)
@pytest.mark.parametrize(
    'name', ['x-a', 'authorization', 'cookie', 'host', 'content-type', 'user-agent', 'referer', 'accept', 'connection']
)
def test_control_characters_in_the_value_of_a_header_are_refused(control: str, name: str, unvisited: str) -> None:
    """SECURITY Q1."""
    for value in (f'{control}sekrit', f'sekrit{control}', f'sekrit{control}x: y'):
        for form in (value, [value], ['a', value], value.encode('latin-1')):
            error = refused(unvisited, headers={name: form})
            assert f"header '{name}' may not hold" in str(error)
            assert 'sekrit' not in str(error)


@pytest.mark.parametrize('control', CONTROLS)
def test_control_characters_are_refused_while_a_request_is_configured_too(control: str, server: HttpServer) -> None:
    """SECURITY Q1."""
    made = request(server.url)
    for wrong in (
        lambda: made.set_header(f'a{control}', 'b'),
        lambda: made.set_header('a', f'b{control}'),
        lambda: made.auth('a', f'sekrit{control}'),
        lambda: made.auth(bearer=f'sekrit{control}'),
    ):
        with pytest.raises(OptionsError) as caught:
            wrong()
        assert 'sekrit' not in str(caught.value)
    made.end()
    assert server.requests[0].names == ['host', 'user-agent']


# -- addresses


@pytest.mark.parametrize(
    'address',
    ['/a', 'a', '//h/', '?a=b', 'h:80', '', 'http://', 'http:///a', 'http:/h', 'http://h:99999/', 'http://h:a/', 'http://[::1/', 'http://[x]/',
     'http://h h/', 'http://unix:', f'http://h/{SURROGATE}', f'http://{SURROGATE}/', 'http://h\\@x/'],
)  # fmt: skip
def test_an_address_that_is_relative_or_malformed_is_an_error_of_the_call(address: str) -> None:
    for error in (refused(address), refused(uri=address), refused({'url': address}), refused(address, lambda *_: None)):
        assert isinstance(error, (InvalidURI, InvalidProtocol))
        assert 'uri' in str(error)
        assert 'http://' in str(error) or 'argument' in str(error)


@pytest.mark.parametrize(
    'address', ['ftp://user:sekrit@h/', 'mailto:a@b', 'ws://h/', 'file:///etc/passwd', 'javascript:1']
)
def test_a_scheme_that_is_not_http_is_an_error_of_the_call(address: str) -> None:
    error = refused(address)
    assert isinstance(error, (InvalidProtocol, InvalidURI))
    assert "give option 'uri' as http://host/path" in str(error)
    assert 'sekrit' not in str(error)


@pytest.mark.parametrize('address', [5, b'http://h/', [], object(), True])
def test_an_address_of_the_wrong_type_is_an_error_of_the_call(address: Any) -> None:
    for error in (refused(address), refused(uri=address), refused(address, {})):
        assert isinstance(error, InvalidOptionType)
        assert 'options.uri must be a str, a parsed URI or its parts' in str(error)


def test_the_old_spelling_of_a_unix_socket_names_the_new_one() -> None:
    assert 'Please use the format `http://unix:SOCKET:PATH`' in str(refused('unix:///path/to.sock'))


def test_a_call_without_an_address_is_an_error() -> None:
    for error in (refused(), refused(None), refused({}), refused(None, {}), refused(method='PUT')):
        assert 'options.uri is a required argument' in str(error)


def test_a_base_url_takes_paths_only(unvisited: str) -> None:
    assert isinstance(refused('http://other/', base_url=unvisited), InvalidURI)
    assert isinstance(refused('//other/', base_url=unvisited), InvalidURI)
    assert isinstance(refused(base_url=unvisited), InvalidOptionType)
    assert isinstance(refused('/a', base_url='/relative'), InvalidURI)


@pytest.mark.parametrize('tail', ['a b/', '[/', ':99999/', '\r\n/', '\\x/'])
def test_an_error_about_an_address_holds_no_password(tail: str) -> None:
    """SECURITY Q9."""
    assert 'sekrit' not in repr(refused(f'http://user:sekrit@{tail}'))


# -- bodies


@pytest.mark.parametrize(
    'options',
    [
        {'body': 'x'},
        {'body': b'x'},
        {'body': [b'x']},
        {'form': {'a': 'b'}},
        {'json': {'a': 1}},
        {'body': {'a': 1}, 'json': True},
    ],
)
def test_a_body_on_head_is_an_error_of_the_call(options: dict[str, Any], unvisited: str) -> None:
    for error in (refused(unvisited, options, method='HEAD'), refused(unvisited, options, method='head')):
        assert isinstance(error, InvalidBody)
        assert 'HTTP HEAD requests MUST NOT include a request body' in str(error)
        assert 'another method' in str(error)
    with pytest.raises(InvalidBody, match='HEAD'):
        request.head(unvisited, options)
    with pytest.raises(InvalidBody, match='HEAD'):
        request.defaults(options).head(unvisited)


def test_json_true_on_head_is_no_body(server: HttpServer) -> None:
    request.head(server.url, json=True).end()
    assert server.requests[0].method == 'HEAD'


def test_a_content_length_that_the_body_does_not_have_is_an_error_before_a_byte_is_sent(unvisited: str) -> None:
    with pytest.raises(OptionsError, match='content-length is 5 but the body has 3 bytes'):
        request.post(unvisited, body=b'abc', headers={'content-length': '5'})


# -- the precedence that Node documents is no error


def test_the_documented_precedence_of_bodies_holds(server: HttpServer) -> None:
    request.post(server.url, form={'a': 1}, body='body').end()
    request.post(server.url, json={'a': 1}, body='body').end()
    request.post(server.url, json=True, body={'b': 1}).end()
    request.post(server.url, json=True, form={'c': 1}).end()
    request.post(server.url, json={'d': 1}, form={'c': 1}).end()
    assert [seen.text for seen in server.requests] == ['a=1', '{"a":1}', '{"b":1}', 'c=1', '{"d":1}']


def test_uri_wins_over_url(server: HttpServer) -> None:
    request({'uri': server.url + '/uri', 'url': server.url + '/url'}).end()
    request(server.url + '/argument', {'uri': server.url + '/uri'}).end()
    assert [seen.target for seen in server.requests] == ['/uri', '/argument']


# -- arguments


def test_options_that_are_no_mapping_are_an_error() -> None:
    assert 'options must be a mapping, not an int; pass single options as keywords' in str(refused('http://h/', 5))
    assert 'options must be a mapping, not a list' in str(refused('http://h/', []))


def test_an_error_of_a_call_leaves_no_request_behind(unvisited: str) -> None:
    refused(unvisited, headers={'a': '\n'})
    refused(unvisited, qs={'a': object()})
    assert request.flush(1000) is True


JUNK: list[Any] = [
    None, True, 0, -1, 10**400, 0.5, float('nan'), '', 'a', SURROGATE, 'a\r\nb', '\0', b'', b'\xff', [], [1], [None], [[]], (), ('a', 'b'), {},
    {'a': 1}, {1: 2}, {None: None}, {'a': {'b': [{}]}}, {1}, object(), [object()], {'a': object()}, len, int, timedelta.max, timedelta.min, 1j, ...,
    io.BytesIO(b'a'), range(3), Path('a'), {'user': object()}, {'bearer': object()}, {'user': 'a', 'pass': object()}, {'maxSockets': object()},
    {'keepAlive': object()}, {'ca': object()}, {'protocol': 5, 'hostname': object()}, [('a',)], ['ab'],
]  # fmt: skip


@pytest.mark.parametrize('option', [option.name for option in OPTIONS])
def test_whatever_an_option_is_given_only_our_own_errors_come_back(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # har_log makes the file that it is given
    refusals = 0
    for value in JUNK:
        try:
            request.defaults({option: value})
        except (RequestError, NotImplementedError) as error:
            assert str(error)
            refusals += 1
    # The address and the content are looked at when there is a request, not while defaults are made.
    assert refusals > 0 or option in ('uri', 'url', 'body', 'json')
