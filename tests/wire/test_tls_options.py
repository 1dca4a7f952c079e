"""The options of TLS as a request has them: whom they concern, and whom not (SECURITY T1 T2 A6 R1)."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from requite import CertificateError, InvalidOptionType, OptionsError, Pool, request
from tests.servers import Authority, HttpServer, redirect

Servers = Callable[..., HttpServer]


def test_t2_certificates_that_one_request_does_not_check_are_checked_by_the_next(
    tls_server: HttpServer, authority: Authority
) -> None:
    """SECURITY T2, A6: on one pool, whatever comes first."""
    pool = Pool()
    for _ in range(2):
        assert request.get(tls_server.url, strict_ssl=False, pool=pool).end().ok
        with pytest.raises(CertificateError):
            request.get(tls_server.url, pool=pool).end()
        assert request.get(tls_server.url, ca=authority.pem, pool=pool).end().ok
    assert tls_server.connections == 2 + 2
    assert len(pool.status()) == 3


@pytest.mark.parametrize(
    'options',
    [
        {'min_version': 'TLSv1.3'},
        {'ciphers': 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384'},
        {'server_hostname': 'localhost'},
        {'agent_options': {'secureProtocol': 'TLSv1_2_method'}},
        {'agent_options': {'secureOptions': int(ssl.OP_NO_TLSv1_3)}},
        {'agent_options': {'servername': 'localhost'}},
        {'agent_options': {'minVersion': 'TLSv1.3'}},
    ],
)
def test_a6_other_terms_mean_another_connection(
    options: dict[str, Any], tls_server: HttpServer, authority: Authority
) -> None:
    """SECURITY A6."""
    pool = Pool()
    for _ in range(2):
        request.get(tls_server.url, ca=authority.pem, pool=pool).end()
        request.get(tls_server.url, options, ca=authority.pem, pool=pool).end()
    assert tls_server.connections == 2


def test_terms_that_are_the_same_share_a_connection_however_they_are_given(
    tls_server: HttpServer, authority: Authority
) -> None:
    pool = Pool()
    request.get(tls_server.url, ca=authority.path, pool=pool).end()
    request.get(tls_server.url, ca=Path(authority.path), pool=pool).end()
    request.get(tls_server.url, agent_options={'ca': [authority.path]}, pool=pool).end()
    request.get(tls_server.url, ca=authority.path, strictSSL=True, rejectUnauthorized=True, pool=pool).end()
    assert tls_server.connections == 1


def client_context(authority: Authority, clients: Any) -> ssl.SSLContext:
    context = authority.context()
    context.verify_mode = ssl.CERT_OPTIONAL
    clients.configure_trust(context)
    return context


def test_r1_neither_certificate_nor_name_goes_to_an_origin_that_the_caller_did_not_name(
    http_server: Servers, authority: Authority
) -> None:
    """SECURITY R1."""
    trustme: Any = pytest.importorskip('trustme')
    clients = trustme.CA()
    names: list[str | None] = []
    context = client_context(authority, clients)
    context.sni_callback = lambda sock, name, _: names.append(name)
    first, second = http_server(tls=context), http_server(tls=context)
    first.answers = lambda seen: redirect(f'https://localhost:{second.port}/')
    me = clients.issue_cert('me@example.com').private_key_and_cert_chain_pem.bytes()
    asked: list[bool] = []
    second.answers = lambda seen: None
    told = threading.Event()

    def look(sock: ssl.SSLSocket, received: bytes) -> bool:
        asked.append(bool(sock.getpeercert()))
        told.set()
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
        return False

    second.handler = look  # type: ignore[assignment]
    options: dict[str, Any] = {'ca': authority.pem, 'cert': me, 'server_hostname': 'localhost'}
    assert request.get(f'https://localhost:{second.port}/', options).end().ok
    assert request.get(f'https://127.0.0.1:{first.port}/', options).end().ok
    assert asked == [True, False]
    assert names == ['localhost', 'localhost', 'localhost']


def test_options_of_the_request_win_over_those_of_the_agent(tls_server: HttpServer, authority: Authority) -> None:
    agent = {'ca': __file__, 'servername': 'wrong.example', 'cert': __file__, 'key': __file__}
    trustme: Any = pytest.importorskip('trustme')
    me = trustme.CA().issue_cert('me@example.com').private_key_and_cert_chain_pem.bytes()
    options: dict[str, Any] = {'ca': authority.pem, 'server_hostname': 'localhost', 'cert': me}
    assert request.get(tls_server.url, options, agent_options=agent).end().ok


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'ciphers': 'klingon'}, "'ciphers': 'klingon' names no cipher"),
        ({'min_version': 'TLSv1.1'}, "'min_version' must be one of TLSv1.2, TLSv1.3, not 'TLSv1.1'"),
        ({'min_version': ['TLSv1.2']}, "'min_version' must be one of TLSv1.2, TLSv1.3, not a list"),
        ({'agent_options': {'secureProtocol': 'TLSv1_method'}}, "'TLSv1_method' is not available; use min_version"),
        ({'agent_options': {'maxVersion': 'TLSv1.1'}}, 'must be one of TLSv1.2, TLSv1.3'),
        ({'min_version': 'TLSv1.3', 'agent_options': {'maxVersion': 'TLSv1.2'}}, 'leave no version of TLS'),
        ({'agent_options': {'secureOptions': 2**80}}, "'secure_options' holds no options of OpenSSL"),
        ({'ca': []}, "'ca' is empty, so that nobody could be trusted; leave it out"),
        ({'ca': b''}, "'ca': the given text holds no certificate"),
        ({'ca': __file__}, "'ca': .* holds no certificate"),
        ({'ca': '/no/such'}, "'ca' names '/no/such', where no file is"),
        ({'cert': '/no/such'}, "'cert' names '/no/such', where no file is"),
        ({'pfx': Path('no-such')}, "'pfx' names 'no-such', where no file is"),
        ({'key': 'no.such/key.pem'}, "'key' names 'no.such/key.pem', where no file is"),
        ({'key': 'MIIEvQIBADANBgkqhkiG9w0B/'}, "'key' names no file that is there; give a path"),
        (
            {'strict_ssl': True, 'rejectUnauthorized': False},
            "'strict_ssl' .True. and 'reject_unauthorized' .False.*keep one",
        ),
        ({'server_hostname': 'not a name'}, "'server_hostname' must be the name of a host"),
        ({'assert_fingerprint': 'ab:cd'}, "'assert_fingerprint' must be a SHA-256: 64 hexadecimal digits"),
    ],
)
def test_what_cannot_be_meant_is_an_error_of_the_call_and_of_defaults(options: dict[str, Any], text: str) -> None:
    for call in (request.get, request.defaults):
        with pytest.raises(OptionsError, match=text):
            call({'uri': 'https://nowhere.invalid/', **options})


def test_no_key_of_agent_options_is_taken_and_ignored() -> None:
    from requite.optionchecks import _AGENT_CHECKS

    proved = {
        'keep_alive',
        'max_sockets',
        'max_free_sockets',
        'keep_alive_msecs',
        'timeout',
    }  # tests/wire/test_pools.py
    proved |= {'reject_unauthorized', 'ca', 'cert', 'key', 'ciphers', 'min_version', 'max_version', 'servername'}
    proved |= {'secure_protocol', 'secure_options', 'pfx', 'passphrase'}
    assert set(_AGENT_CHECKS) == proved
    with pytest.raises(OptionsError):
        request.get('https://nowhere.invalid/', agent_options={'sessionTimeout': 5})
    with pytest.raises(InvalidOptionType):
        request.get('https://nowhere.invalid/', agent_options={'pfx': 5})
    for options in ({'pfx': b'x', 'passphrase': 'y'}, {'cert': b'x', 'key': b'y'}, {'ciphers': 'klingon'}):
        with pytest.raises(OptionsError):
            request.get('https://nowhere.invalid/', agent_options=options)
    assert request.defaults(agent_options={'rejectUnauthorized': False})._defaults.tls.verify is False


def test_a_passphrase_that_opens_nothing_is_refused_but_may_wait_in_defaults() -> None:
    for uri in ('https://nowhere.invalid/', 'http://nowhere.invalid/'):
        for options in ({'passphrase': 's3cret'}, {'agent_options': {'passphrase': 's3cret'}}):
            with pytest.raises(OptionsError, match="'passphrase' opens nothing: give the 'key' and 'cert'") as caught:
                request.get(uri, options)
            assert 's3cret' not in str(caught.value)
    api = request.defaults(passphrase='s3cret')
    with pytest.raises(OptionsError, match="'passphrase' opens nothing"):
        api.get('https://nowhere.invalid/')
    with pytest.raises(OptionsError, match="'key' is of no use without 'cert'"):
        api.get('https://nowhere.invalid/', key=b'x')


def test_the_two_names_of_verification_contradict_each_other_in_one_call_only() -> None:
    inner = request.defaults(strict_ssl=True).defaults(reject_unauthorized=False)
    assert inner._defaults.tls.verify is False
    assert request.defaults(strict_ssl=False, reject_unauthorized=None)._defaults.tls.verify is False
    with pytest.raises(OptionsError, match='contradict each other'):
        request.defaults(strict_ssl=False, reject_unauthorized=True)
