"""Who we are to a server: every form in which a certificate and its key may come, and what is said of those that cannot be used."""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from requite import request
from requite.errors import AbortError, OptionsError
from requite.routes import TLS
from requite.transport import identity, tls

PASSPHRASE = 'sekrit ü'

pytest.importorskip('cryptography', reason='cryptography makes the certificates')
pytest.importorskip('trustme', reason='trustme makes the certificates')


class Identity(NamedTuple):
    """A certificate with its chain, and its private key, as PEM."""

    chain: bytes
    key: bytes

    @property
    def der(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.chain.decode().partition('-----END')[0] + '-----END CERTIFICATE-----\n')

    def sealed(self, form: str, passphrase: str | None = None) -> bytes:
        """The key as pem (PKCS 8), old (the PEM of OpenSSL before that) or der."""
        from cryptography.hazmat.primitives import serialization as forms

        key = forms.load_pem_private_key(self.key, None)
        encoding = forms.Encoding.DER if form == 'der' else forms.Encoding.PEM
        kind = forms.PrivateFormat.TraditionalOpenSSL if form == 'old' else forms.PrivateFormat.PKCS8
        sealing: Any = forms.NoEncryption()
        if passphrase is not None:
            sealing = forms.BestAvailableEncryption(passphrase.encode())
        return key.private_bytes(encoding, kind, sealing)  # type: ignore[union-attr]

    def pfx(self, passphrase: str | None) -> bytes:
        """Both as PKCS 12."""
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization as forms
        from cryptography.hazmat.primitives.serialization import pkcs12

        key: Any = forms.load_pem_private_key(self.key, None)
        first, *others = x509.load_pem_x509_certificates(self.chain)
        sealing: Any = forms.NoEncryption()
        if passphrase is not None:
            sealing = forms.BestAvailableEncryption(passphrase.encode())
        return pkcs12.serialize_key_and_certificates(b'me', key, first, others, sealing)


def made() -> Identity:
    import trustme

    leaf = trustme.CA().create_child_ca().issue_cert('client@example.com')
    chain = b''.join(part.bytes() for part in leaf.cert_chain_pems)
    return Identity(chain, leaf.private_key_pem.bytes())


@pytest.fixture(scope='module')
def mine() -> Identity:
    return made()


@pytest.fixture(scope='module')
def other() -> Identity:
    return made()


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], str]:
    """Writes a file and gives its path."""
    return lambda content: str(_written(tmp_path / hashlib.sha256(content).hexdigest(), content))


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


Put = Callable[[bytes], str]


@pytest.mark.parametrize('cert', ['text', 'bytes', 'der', 'path', 'der path'])
@pytest.mark.parametrize('key', ['text', 'bytes', 'old', 'der', 'path', 'der path', 'within cert'])
def test_certificate_and_key_may_come_in_every_form(cert: str, key: str, mine: Identity, put: Put) -> None:
    if key == 'within cert' and 'der' in cert:
        pytest.skip('DER holds one thing')
    whole = mine.chain + (mine.key if key == 'within cert' else b'')
    certs: dict[str, Any] = {'text': whole.decode(), 'bytes': whole, 'path': put(whole)}
    certs |= {'der': mine.der, 'der path': put(mine.der)}
    keys: dict[str, Any] = {
        'text': mine.key.decode(),
        'bytes': mine.key,
        'old': mine.sealed('old'),
        'der': mine.sealed('der'),
        'path': put(mine.key),
        'der path': put(mine.sealed('der')),
        'within cert': None,
    }
    assert isinstance(tls.context(TLS(cert=certs[cert], key=keys[key])), ssl.SSLContext)


@pytest.mark.parametrize('form', ['pem', 'old', 'der'])
@pytest.mark.parametrize('as_path', [False, True])
def test_an_encrypted_key_is_opened_with_its_passphrase(form: str, as_path: bool, mine: Identity, put: Put) -> None:
    if form == 'der':
        key: Any = mine.sealed('der', PASSPHRASE)
    else:
        key = mine.sealed(form, PASSPHRASE)
    given = put(key) if as_path else key
    tls.context(TLS(cert=mine.chain, key=given, passphrase=PASSPHRASE))
    for wrong in ('wrong', '', 'x' * 2000):
        with pytest.raises(OptionsError, match=r"option '(key|passphrase)'.*(passphrase|too long)"):
            tls.context(TLS(cert=mine.chain, key=given, passphrase=wrong))
    with pytest.raises(OptionsError, match=r"'key'.*'passphrase'"):
        tls.context(TLS(cert=mine.chain, key=given))


@pytest.mark.parametrize('form', ['pem', 'der'])
def test_a_passphrase_that_is_not_needed_does_no_harm(form: str, mine: Identity) -> None:
    tls.context(TLS(cert=mine.chain, key=mine.sealed(form), passphrase=PASSPHRASE))


@pytest.mark.parametrize('passphrase', [None, '', PASSPHRASE])
def test_pkcs_12_may_be_bytes_or_a_path(passphrase: str | None, mine: Identity, put: Put) -> None:
    content = mine.pfx(passphrase or None)
    tls.context(TLS(pfx=content, passphrase=passphrase))
    tls.context(TLS(pfx=put(content), passphrase=passphrase))


@pytest.mark.parametrize(
    ('given', 'text'),
    [
        (
            lambda me, you: TLS(cert=me.chain, key=you.key),
            "'cert' and 'key' do not belong together: give the private key",
        ),
        (lambda me, you: TLS(cert=me.chain), "'cert' comes without its private key: give it as 'key'"),
        (lambda me, you: TLS(key=me.key), "'key' is of no use without 'cert': give the certificate"),
        (lambda me, you: TLS(cert=b'klingon', key=me.key), "'cert' holds no certificate that can be read: give PEM"),
        (lambda me, you: TLS(cert=me.key, key=me.key), "'cert' holds no certificate that can be read: give PEM"),
        (
            lambda me, you: TLS(cert='-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n', key=me.key),
            "'cert' holds no certificate that can be read: give PEM",
        ),
        (lambda me, you: TLS(cert=me.chain, key=b'klingon'), "'key' is no private key that can be read: give PEM"),
        (
            lambda me, you: TLS(cert=me.chain, key='-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----\n'),
            "'key' holds no private key that can be read: give PEM",
        ),
        (lambda me, you: TLS(cert=me.chain, key='/no/such/key.pem'), "'key' names a file that cannot be read .No such"),
        (lambda me, you: TLS(cert=str(Path(__file__).parent)), "'cert' names a file that cannot be read"),
        (lambda me, you: TLS(pfx=b'klingon'), "'pfx' cannot be read: give PKCS 12 as bytes or the path of a file"),
        (lambda me, you: TLS(pfx=me.pfx(PASSPHRASE)), "'pfx' cannot be read: .* and its 'passphrase'"),
        (lambda me, you: TLS(pfx=me.pfx(PASSPHRASE), passphrase='wrong'), "'pfx' cannot be read"),
        (lambda me, you: TLS(pfx=me.pfx(None), cert=me.chain), "'pfx' and 'cert' would each say who we are: keep one"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_fix(given: Any, text: str, mine: Identity, other: Identity) -> None:
    with pytest.raises(OptionsError, match=text) as caught:
        tls.context(given(mine, other))
    assert 'BEGIN' not in str(caught.value)
    assert 'sekrit' not in str(caught.value)


def test_a_passphrase_may_be_bytes_that_are_no_text(mine: Identity) -> None:
    from requite.tlschecks import passphrase

    given = passphrase('passphrase', b'\xff\xfe')
    with pytest.raises(OptionsError, match='passphrase'):
        tls.context(TLS(cert=mine.chain, key=mine.sealed('pem', PASSPHRASE), passphrase=given))
    with pytest.raises(OptionsError, match='passphrase'):
        tls.context(TLS(cert=mine.chain, key=mine.sealed('der', PASSPHRASE), passphrase=given))
    with pytest.raises(OptionsError, match='pfx'):
        tls.context(TLS(pfx=mine.pfx(PASSPHRASE), passphrase=given))


def test_wrong_files_are_errors_of_the_call_and_of_defaults(mine: Identity, other: Identity) -> None:
    """Before a byte is sent, and before a name is looked up."""
    for call in (request, request.get, request.defaults):
        given: Any = {'cert': mine.chain, 'key': other.key}
        with pytest.raises(OptionsError, match='do not belong together'):
            call({'uri': 'https://nowhere.invalid/', **given})
    later = request.defaults(key=mine.key)
    unsent = later.get('https://nowhere.invalid/', cert=mine.chain)
    unsent.abort()
    with pytest.raises(AbortError):
        unsent.end()
    with pytest.raises(OptionsError, match="'key' is of no use without 'cert'"):
        later.get('https://nowhere.invalid/')


def test_nobody_is_asked_for_a_passphrase_on_the_terminal(mine: Identity, put: Put) -> None:
    """OpenSSL would ask whoever sits at the terminal, and a server would wait for ever."""
    pty = pytest.importorskip('pty', reason='terminals are a matter of UNIX')
    key = put(mine.sealed('pem', PASSPHRASE))
    chain = put(mine.chain)
    code = (
        'import sys\n'
        'from requite import request, OptionsError\n'
        'try:\n'
        '    request.get("https://nowhere.invalid/", cert=sys.argv[1], key=sys.argv[2])\n'
        'except OptionsError as error:\n'
        '    print("told:", "passphrase" in str(error))\n'
    )
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, '-c', code, chain, key],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=30,
            check=False,
            start_new_session=True,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.stdout.decode() == 'told: True\n'


@pytest.mark.skipif(not hasattr(os, 'memfd_create'), reason='only Linux hands files over in memory')
def test_p4_no_key_is_written_to_a_disk(mine: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY P4."""
    import tempfile

    monkeypatch.setattr(tempfile, 'mkstemp', None)
    tls.context(TLS(cert=mine.chain, key=mine.sealed('old')))


def test_p4_where_a_file_is_needed_nobody_else_can_read_it_and_it_is_gone_afterwards(
    mine: Identity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SECURITY P4."""
    import tempfile

    monkeypatch.delattr(os, 'memfd_create', raising=False)
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    modes = []
    load = ssl.SSLContext.load_cert_chain

    def seen(self: ssl.SSLContext, path: str, **more: Any) -> None:
        modes.append(os.stat(path).st_mode & 0o777)
        assert list(tmp_path.iterdir()) == [Path(path)]
        load(self, path, **more)

    monkeypatch.setattr(ssl.SSLContext, 'load_cert_chain', seen)
    fresh = made()  # so that its context is not there yet
    tls.context(TLS(cert=fresh.chain, key=fresh.key))
    assert modes == [0o600] or sys.platform == 'win32'
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / 'me.pem'
    old, new = made(), made()
    path.write_bytes(old.chain + old.key)
    settings = TLS(cert=str(path))
    first = tls.context(settings)
    assert tls.context(settings) is first
    path.write_bytes(new.chain + new.key + b'\n')
    assert tls.context(settings) is not first
    assert identity.PEM in path.read_bytes()
