"""TLS with servers that others wrote: nginx that wants to know who asks, and `openssl s_server` in the versions that nobody should speak (SECURITY T1 R1 A6)."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from requite import CertificateError, ConnectionReset, OptionsError, Pool, TLSError, request
from tests.peers.daemons import folder, free_port, program, running
from tests.servers import HttpServer, redirect

trustme: Any = pytest.importorskip('trustme', reason='trustme makes the certificates')

NGINX = """
daemon off;
master_process off;
error_log {root}/error.log;
pid {root}/pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {root}/server.pem;
        ssl_certificate_key {root}/server.key;
        ssl_client_certificate {root}/clients.pem;
        ssl_verify_client optional;
        ssl_verify_depth 2;
        location / {{
            default_type text/plain;
            return 200 "$ssl_client_verify $ssl_client_s_dn $ssl_protocol $ssl_cipher $ssl_server_name";
        }}
        location /away {{ return 302 https://localhost:{port}/; }}
    }}
}}
"""


class Nginx(NamedTuple):
    """A server that tells what it knows of its client; `url` names it 127.0.0.1, `ca` is whom to trust, `cert` and `key` who we are."""

    url: str
    port: int
    ca: bytes
    cert: bytes
    key: bytes
    sha256: str

    def told(self, path: str = '/', **options: Any) -> list[str]:
        """What it says: whether it believes the client, its name, the version, the cipher, and the name that was asked for."""
        text: str = request.get(self.url + path, ca=self.ca, **options).end().body
        verdict, _, rest = text.partition(' ')
        name, version, cipher, host = rest.rsplit(' ', 3)
        return [verdict, name, version, cipher, host]


@pytest.fixture(scope='module')
def nginx() -> Iterator[Nginx]:
    found = program('nginx')
    if found is None:
        pytest.skip('nginx is not installed')
    servers, clients = trustme.CA(), trustme.CA()
    server = servers.create_child_ca().issue_cert('127.0.0.1', 'localhost', 'origin.example')
    client = clients.create_child_ca().issue_cert('somebody@example.com', common_name='somebody')
    with folder() as root:
        (root / 'server.pem').write_bytes(b''.join(part.bytes() for part in server.cert_chain_pems))
        server.private_key_pem.write_to_path(root / 'server.key')
        clients.cert_pem.write_to_path(root / 'clients.pem')
        port = free_port()
        (root / 'nginx.conf').write_text(NGINX.format(root=root, port=port))
        command = [found, '-p', str(root), '-e', str(root / 'error.log'), '-c', str(root / 'nginx.conf')]
        with running(command, port, lambda: _log(root)):
            chain = b''.join(part.bytes() for part in client.cert_chain_pems)
            leaf = ssl.PEM_cert_to_DER_cert(server.cert_chain_pems[0].bytes().decode())
            yield Nginx(
                f'https://127.0.0.1:{port}',
                port,
                servers.cert_pem.bytes(),
                chain,
                client.private_key_pem.bytes(),
                hashlib.sha256(leaf).hexdigest(),
            )


def _log(root: Path) -> str:
    path = root / 'error.log'
    return path.read_text() if path.exists() else ''


def test_a_client_certificate_with_its_chain_is_believed(nginx: Nginx) -> None:
    assert nginx.told()[0] == 'NONE'
    verdict, name = nginx.told(cert=nginx.cert, key=nginx.key)[:2]
    assert (verdict, 'CN=somebody' in name) == ('SUCCESS', True)
    assert nginx.told(agent_options={'cert': nginx.cert, 'key': nginx.key})[0] == 'SUCCESS'
    assert nginx.told(cert=nginx.cert + nginx.key)[0] == 'SUCCESS'


def test_pkcs_12_with_a_passphrase_is_believed(nginx: Nginx) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.serialization import pkcs12

    first, *others = x509.load_pem_x509_certificates(nginx.cert)
    key: Any = forms.load_pem_private_key(nginx.key, None)
    sealing = forms.BestAvailableEncryption(b'sekrit')
    pfx = pkcs12.serialize_key_and_certificates(b'me', key, first, others, sealing)
    assert nginx.told(pfx=pfx, passphrase='sekrit')[0] == 'SUCCESS'
    with pytest.raises(OptionsError, match="'pfx' cannot be read"):
        request.get(nginx.url, pfx=pfx, passphrase='wrong')


def test_a6_a_connection_that_is_somebodys_serves_nobody_else(nginx: Nginx) -> None:
    """SECURITY A6."""
    pool = Pool()
    for _ in range(2):
        assert nginx.told(pool=pool)[0] == 'NONE'
        assert nginx.told(pool=pool, cert=nginx.cert, key=nginx.key)[0] == 'SUCCESS'
    assert sorted(pool.status().values()) == [(0, 1), (0, 1)]


def test_r1_a_client_certificate_goes_to_no_other_origin(nginx: Nginx, tls_server: HttpServer) -> None:
    """SECURITY R1: to the host that the caller named, and to none that a redirect names, even if it comes back."""
    tls_server.answers = lambda seen: redirect(nginx.url + '/')
    api = request.defaults(cert=nginx.cert, key=nginx.key, strict_ssl=False)
    assert api.get(nginx.url).end().body.startswith('SUCCESS')
    assert api.get(f'{nginx.url}/away').end().body.startswith('NONE')
    assert api.get(tls_server.url).end().body.startswith('NONE')


@pytest.mark.parametrize('version', ['TLSv1.2', 'TLSv1.3'])
def test_versions_and_ciphers_are_the_ones_that_were_asked_for(nginx: Nginx, version: str) -> None:
    method = {'TLSv1.2': 'TLSv1_2_method'}.get(version)
    options = {'agent_options': {'secureProtocol': method}} if method else {'min_version': version}
    assert nginx.told(**options)[2] == version
    assert nginx.told(
        agent_options={'maxVersion': 'TLSv1.2'}, ciphers='ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305'
    )[3].endswith('CHACHA20-POLY1305')
    assert nginx.told(agent_options={'secureOptions': int(ssl.OP_NO_TLSv1_3)})[2] == 'TLSv1.2'


def test_another_name_is_asked_for_and_checked(nginx: Nginx) -> None:
    assert nginx.told(server_hostname='origin.example')[4] == 'origin.example'
    assert nginx.told(agent_options={'servername': 'origin.example'})[4] == 'origin.example'
    with pytest.raises(CertificateError) as caught:
        nginx.told(server_hostname='other.example')
    assert caught.value.code == 'ERR_TLS_CERT_ALTNAME_INVALID'


def test_one_certificate_can_be_pinned(nginx: Nginx) -> None:
    colons = ':'.join(nginx.sha256[at : at + 2] for at in range(0, 64, 2)).upper()
    assert nginx.told(assert_fingerprint=colons)[0] == 'NONE'
    # besides the verification, not in its place
    with pytest.raises(CertificateError):
        request.get(nginx.url, assert_fingerprint=nginx.sha256).end()
    assert request.get(nginx.url, strict_ssl=False, assert_fingerprint=nginx.sha256).end().status_code == 200
    for options in ({'ca': nginx.ca}, {'strict_ssl': False}):
        with pytest.raises(CertificateError, match=f"'assert_fingerprint': its SHA-256 is {nginx.sha256}") as caught:
            request.get(nginx.url, assert_fingerprint='0' * 64, **options).end()
        assert caught.value.code == 'ERR_TLS_CERT_FINGERPRINT'


OLD = {
    'TLS 1.0': ['-tls1'],
    'TLS 1.1': ['-tls1_1'],
    'no cipher that is safe': ['-tls1_2', '-cipher', 'AES128-SHA@SECLEVEL=0'],
}


@pytest.mark.parametrize('kind', [*OLD, 'TLS 1.2', 'TLS 1.3'])
def test_t1_old_versions_are_refused(kind: str) -> None:
    """SECURITY T1: `openssl s_server` speaks them, we do not, whatever is asked for."""
    openssl = program('openssl')
    if openssl is None:
        pytest.skip('openssl is not installed')
    authority = trustme.CA()
    leaf = authority.issue_cert('127.0.0.1')
    options = OLD.get(kind) or ['-' + kind.lower().replace(' ', '').replace('.', '_')]
    if kind in ('TLS 1.0', 'TLS 1.1'):
        options = [*options, '-cipher', 'ALL@SECLEVEL=0']
    with folder() as root:
        (root / 'server.pem').write_bytes(b''.join(part.bytes() for part in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(root / 'server.key')
        port = free_port()
        command = [
            openssl,
            's_server',
            '-accept',
            f'127.0.0.1:{port}',
            '-www',
            '-quiet',
            '-cert',
            str(root / 'server.pem'),
        ]
        command += ['-key', str(root / 'server.key'), *options]
        asked = {'ca': authority.cert_pem.bytes(), 'timeout': 5000, 'pool': False}
        url = f'https://127.0.0.1:{port}/'
        with running(command, port):
            if kind in ('TLS 1.2', 'TLS 1.3'):
                assert b'Ciphers supported' in request.get(url, **asked).end().content
                return
            for more in ({}, {'strict_ssl': False}, {'ciphers': 'ALL:@SECLEVEL=0'}):
                if kind == 'no cipher that is safe' and 'ciphers' in more:
                    continue
                with pytest.raises((TLSError, ConnectionReset)):
                    request.get(url, {**asked, **more}).end()


def test_the_server_that_refuses_can_be_spoken_to_in_an_old_version() -> None:
    """So that the test above is none that cannot fail."""
    openssl = program('openssl')
    if openssl is None:
        pytest.skip('openssl is not installed')
    leaf = trustme.CA().issue_cert('127.0.0.1')
    with folder() as root:
        (root / 'server.pem').write_bytes(b''.join(part.bytes() for part in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(root / 'server.key')
        port = free_port()
        command = [
            openssl,
            's_server',
            '-accept',
            f'127.0.0.1:{port}',
            '-www',
            '-quiet',
            '-cert',
            str(root / 'server.pem'),
        ]
        command += ['-key', str(root / 'server.key'), '-tls1_1', '-cipher', 'ALL@SECLEVEL=0']
        with running(command, port):
            asked = [
                openssl,
                's_client',
                '-connect',
                f'127.0.0.1:{port}',
                '-tls1_1',
                '-cipher',
                'ALL@SECLEVEL=0',
                '-brief',
            ]
            done = subprocess.run(asked, input=b'', capture_output=True, timeout=20, check=False)
    if b'TLSv1.1' not in done.stderr + done.stdout:
        pytest.skip('this openssl has no TLS 1.1 any more')
    assert b'Protocol version: TLSv1.1' in done.stderr + done.stdout
