"""TLS contexts: strict unless asked otherwise, and never shared between settings (SECURITY T1 T2 A6)."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from requite.errors import OptionsError
from requite.routes import TLS
from requite.transport import tls
from tests.servers import Authority, HttpServer


def test_verification_is_on_by_default() -> None:
    """T1."""
    made = tls.context(TLS())
    assert made.verify_mode == ssl.CERT_REQUIRED
    assert made.check_hostname
    assert not made.hostname_checks_common_name
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2


def test_settings_that_differ_have_contexts_of_their_own() -> None:
    """T2."""
    lax = tls.context(TLS(verify=False))
    assert lax.verify_mode == ssl.CERT_NONE
    assert tls.context(TLS()) is tls.context(TLS())
    assert tls.context(TLS()) is not lax
    assert tls.context(TLS()).verify_mode == ssl.CERT_REQUIRED


def test_a_bare_end_is_not_taken_for_close_notify() -> None:
    """S2."""
    assert not tls.context(TLS()).options & getattr(ssl, 'OP_IGNORE_UNEXPECTED_EOF', 0)


@pytest.mark.parametrize('form', ['pem text', 'pem bytes', 'der bytes', 'path', 'der path'])
def test_an_authority_can_be_given_in_every_form(form: str, authority: Authority, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.pem.decode())
    (tmp_path / 'ca.der').write_bytes(der)
    given: dict[str, str | bytes] = {
        'pem text': authority.pem.decode(),
        'pem bytes': authority.pem,
        'der bytes': der,
        'path': authority.path,
        'der path': str(tmp_path / 'ca.der'),
    }
    assert tls.context(TLS(ca=(given[form],))).get_ca_certs(binary_form=True) == [der]


@pytest.mark.parametrize(
    'item',
    [
        '/no/such/file',
        b'no certificate',
        '-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----',
        b'-----BEGIN\xff',
    ],
)
def test_an_authority_that_cannot_be_read_is_an_error_that_names_the_option(item: str | bytes) -> None:
    with pytest.raises(OptionsError, match="option 'ca': "):
        tls.context(TLS(ca=(item,)))


def test_the_least_version_can_be_raised_but_not_lowered() -> None:
    assert tls.context(TLS(min_version='TLSv1.3')).minimum_version == ssl.TLSVersion.TLSv1_3
    with pytest.raises(OptionsError, match='min_version'):
        tls.context(TLS(min_version='TLSv1.1'))


def test_ciphers_are_chosen_or_refused() -> None:
    names = {cipher['name'] for cipher in tls.context(TLS(ciphers='ECDHE-RSA-AES256-GCM-SHA384')).get_ciphers()}
    assert 'ECDHE-RSA-AES256-GCM-SHA384' in names
    assert 'ECDHE-RSA-AES128-GCM-SHA256' not in names
    with pytest.raises(OptionsError, match='ciphers'):
        tls.context(TLS(ciphers='no such cipher'))


def test_versions_that_leave_nothing_are_refused() -> None:
    for settings in (
        TLS(min_version='TLSv1.3', max_version='TLSv1.2'),
        TLS(min_version='TLSv1.3', secure_options=ssl.OP_NO_TLSv1_3),
        TLS(secure_options=ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3),
    ):
        with pytest.raises(OptionsError, match='leave no version of TLS'):
            tls.context(settings)


def test_options_of_openssl_are_set_and_none_makes_a_bare_end_whole() -> None:
    """S2."""
    careless = getattr(ssl, 'OP_IGNORE_UNEXPECTED_EOF', 0)
    made = tls.context(TLS(secure_options=ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TLSv1_2 | careless))
    assert made.options & ssl.OP_NO_RENEGOTIATION
    assert not made.options & careless
    assert made.minimum_version == ssl.TLSVersion.TLSv1_3
    with pytest.raises(OptionsError, match='secure_options'):
        tls.context(TLS(secure_options=2**80))


def test_an_authority_that_was_replaced_is_read_again(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / 'ca.pem'
    path.write_bytes(authority.pem)
    settings = TLS(ca=(str(path),))
    before = tls.context(settings)
    assert tls.context(settings) is before
    path.write_bytes(authority.pem + b'\n')
    assert tls.context(settings) is not before


STALLED = """
import socket, ssl, sys, threading, time
from requite import CertificateError, ConnectTimeout, request
from requite.routes import TLS
from requite.transport import tls

made = tls.context(TLS())
print(type(made).__module__, made is tls.context(TLS()), made.hostname_checks_common_name, made.minimum_version.name)
print(bool(made.options & getattr(ssl, 'OP_IGNORE_UNEXPECTED_EOF', 0)))
mute = socket.create_server(('127.0.0.1', 0))
stalled = request.get(f'https://127.0.0.1:{mute.getsockname()[1]}/', timeout=3000).start()
time.sleep(0.3)
began = time.monotonic()
try:
    request.get(sys.argv[1]).end()
except CertificateError as error:
    print(error.code, time.monotonic() - began < 2)
try:
    stalled.end()
except ConnectTimeout as error:
    print(error.code)
"""


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='elsewhere it is always the system that is asked')
def test_t1_the_system_is_asked_whom_to_trust_where_openssl_has_no_store(authority: Authority, tmp_path: Path) -> None:
    """SECURITY T1, D1: by way of truststore, whose contexts are locked for a whole handshake; one that stalls must hold up no other."""
    pytest.importorskip('truststore', reason='truststore asks the system')
    surroundings = {**os.environ, 'SSL_CERT_FILE': str(tmp_path / 'none'), 'SSL_CERT_DIR': str(tmp_path)}
    with HttpServer(tls=authority.context()) as server:
        command = [sys.executable, '-c', STALLED, server.url]
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ''
    assert done.stdout.splitlines() == [
        'truststore._api False False TLSv1_2',
        'False',
        'UNABLE_TO_GET_ISSUER_CERT_LOCALLY True',
        'ETIMEDOUT',
    ]


def test_contexts_are_bounded_in_number() -> None:
    for number in range(tls.MAX_CONTEXTS + 10):
        tls.context(TLS(verify=False, server_hostname=f'h{number}'))
    assert len(tls._contexts) <= tls.MAX_CONTEXTS
