"""TLS contexts: strict unless asked otherwise, and never shared between settings (SECURITY T1 T2 A6)."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from requite.errors import OptionsError
from requite.routes import TLS
from requite.transport import tls
from tests.servers import Authority


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


def test_contexts_are_bounded_in_number() -> None:
    for number in range(tls.MAX_CONTEXTS + 10):
        tls.context(TLS(verify=False, server_hostname=f'h{number}'))
    assert len(tls._contexts) <= tls.MAX_CONTEXTS
