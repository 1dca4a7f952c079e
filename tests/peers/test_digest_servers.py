"""Digest as servers that nobody here wrote check it: Apache's mod_auth_digest, lighttpd, and httpbin."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from requite import request
from requite.auth.sessions import SESSIONS

from .daemons import folder, free_port, program, running

APACHE = program('apache2') or program('httpd')
MODULES = next(
    (
        path
        for path in map(Path, ('/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/libexec/apache2'))
        if path.is_dir()
    ),
    None,
)
LIGHTTPD = program('lighttpd')
HTTPBIN = all(importlib.util.find_spec(name) is not None for name in ('httpbin', 'gunicorn'))

USER, PASSWORD = 'J\xe4s\xf8n', 'Secret, "or" not?'
ANN = {'user': 'ann', 'pass': PASSWORD, 'digest': True}
WRONG = {'user': 'ann', 'pass': 'wrong', 'digest': True}

needs_apache = pytest.mark.skipif(APACHE is None or MODULES is None, reason='apache2 with its modules is not installed')
needs_lighttpd = pytest.mark.skipif(LIGHTTPD is None, reason='lighttpd is not installed')
needs_httpbin = pytest.mark.skipif(not HTTPBIN, reason='httpbin and gunicorn are not installed')


@pytest.fixture(autouse=True)
def no_sessions() -> Iterator[None]:
    """Nothing is remembered of other tests."""
    SESSIONS.clear()
    yield
    SESSIONS.clear()


def key(user: str, realm: str, name: str = 'md5') -> str:
    """A password as these servers keep it."""
    return hashlib.new(name, f'{user}:{realm}:{PASSWORD}'.encode()).hexdigest()


# -- Apache

APACHE_CONFIG = """
ServerName localhost
ServerRoot "{root}"
PidFile "{root}/pid"
ErrorLog "{root}/error.log"
Listen 127.0.0.1:{port}
{user}
{modules}
DefaultRuntimeDir "{root}"
DocumentRoot "{root}/www"
{places}
"""
APACHE_PLACE = """
<Location "/{name}">
  AuthType Digest
  AuthName "{realm}"
  AuthDigestProvider file
  AuthUserFile "{root}/users"
  Require valid-user
  {more}
</Location>
"""
PLACES = {
    'auth': 'AuthDigestNcCheck On',
    'short': 'AuthDigestNonceLifetime 1',
    'domain': 'AuthDigestDomain /domain/ /elsewhere/',
}
REALM = 'a realm, with blanks'


@pytest.fixture(scope='module')
def apache() -> Iterator[str]:
    """Apache with a folder for each way of asking."""
    with folder() as root:
        (root / 'www').mkdir()
        for name in PLACES:
            (root / 'www' / name).mkdir()
            (root / 'www' / name / 'page').write_text(f'page of {name}', encoding='utf-8')
        (root / 'users').write_text(f'ann:{REALM}:{key("ann", REALM)}\n', encoding='utf-8')
        names = 'mpm_event authn_core authn_file authz_core authz_user auth_digest unixd'.split()
        found = [(name, MODULES / f'mod_{name}.so') for name in names if MODULES is not None]
        port = free_port()
        config = APACHE_CONFIG.format(
            root=root,
            port=port,
            user='User daemon\nGroup daemon' if os.getuid() == 0 else '',
            modules='\n'.join(f'LoadModule {name}_module "{path}"' for name, path in found if path.exists()),
            places=''.join(
                APACHE_PLACE.format(name=name, realm=REALM, root=root, more=more) for name, more in PLACES.items()
            ),
        )
        (root / 'apache.conf').write_text(config, encoding='utf-8')
        log = root / 'error.log'
        command = [str(APACHE), '-X', '-f', str(root / 'apache.conf')]
        with running(command, port, lambda: log.read_text(errors='replace') if log.exists() else '') as url:
            yield url


@needs_apache
@pytest.mark.parametrize('place', PLACES)
def test_apache_lets_in_who_knows_the_password_and_nobody_else(apache: str, place: str) -> None:
    response = request.get(f'{apache}/{place}/page?a=b%20c', auth=ANN).end()
    assert (response.status_code, response.body) == (200, f'page of {place}')
    assert request.get(f'{apache}/{place}/page', auth=WRONG).end().status_code == 401


@needs_apache
def test_apache_counts_and_one_nonce_serves_many_requests(apache: str) -> None:
    seen: list[int] = []
    for _ in range(5):
        pending = request.get(f'{apache}/auth/page', auth=ANN)
        pending.on('redirect', lambda: seen.append(1))
        response = pending.end()
        assert response.status_code == 200
        # Apache proves that it knows the password, and that is checked.
        assert 'rspauth=' in str(response.headers['authentication-info'])
    assert len(seen) == 1


@needs_apache
def test_apache_gets_a_new_answer_when_its_nonce_grew_old(apache: str) -> None:
    assert request.get(f'{apache}/short/page', auth=ANN).end().status_code == 200
    time.sleep(2.1)
    challenged: list[str] = []
    pending = request.get(f'{apache}/short/page', auth=ANN)
    pending.on('redirect', lambda: challenged.append('again'))
    assert pending.end().status_code == 200
    assert challenged == ['again']


@needs_apache
def test_apache_serves_threads_that_share_a_nonce(apache: str) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(request.get(f'{apache}/domain/page', auth=ANN).end().status_code for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20


# -- lighttpd

LIGHTTPD_CONFIG = """
server.document-root = "{root}/www"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{root}/error.log"
server.modules = ( "mod_auth", "mod_authn_file" )
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "{root}/users"
auth.require = (
{places}
)
"""
LIGHTTPD_PLACE = '"/{name}/" => ( "method" => "digest", "realm" => "{name}", "require" => "valid-user", "algorithm" => "{algorithm}"{more} )'
ALGORITHMS = {
    'md5': ('MD5', 'md5', ''),
    'sha256': ('SHA-256', 'sha256', ''),
    'sha512': ('SHA-512-256', 'sha512_256', ''),
    'hashed': ('SHA-256', 'sha256', ', "userhash" => "enable"'),
    'both': ('MD5|SHA-256', 'sha256', ''),
}


def lighttpd_users() -> str:
    """The lines of users: name, realm, key, and the hashed name."""
    lines = []
    for realm, (_, name, _) in ALGORITHMS.items():
        for user in ('ann', USER):
            hashed = hashlib.new(name, f'{user}:{realm}'.encode()).hexdigest()
            lines.append(f'{user}:{realm}:{key(user, realm, name)}:{hashed}')
    return '\n'.join(lines) + '\n'


@pytest.fixture(scope='module')
def lighttpd() -> Iterator[str]:
    """lighttpd with a folder for each algorithm."""
    with folder() as root:
        for name in ALGORITHMS:
            (root / 'www' / name).mkdir(parents=True)
            (root / 'www' / name / 'page').write_text(f'page of {name}', encoding='utf-8')
        (root / 'users').write_text(lighttpd_users(), encoding='utf-8')
        port = free_port()
        places = [
            LIGHTTPD_PLACE.format(name=name, algorithm=each[0], more=each[2]) for name, each in ALGORITHMS.items()
        ]
        config = root / 'lighttpd.conf'
        config.write_text(LIGHTTPD_CONFIG.format(root=root, port=port, places=',\n'.join(places)), encoding='utf-8')
        log = root / 'error.log'
        with running(
            [str(LIGHTTPD), '-D', '-f', str(config)],
            port,
            lambda: log.read_text(errors='replace') if log.exists() else '',
        ) as url:
            yield url


@needs_lighttpd
@pytest.mark.parametrize('place', ALGORITHMS)
def test_lighttpd_lets_in_who_knows_the_password_and_nobody_else(lighttpd: str, place: str) -> None:
    for number in range(2):
        response = request.get(f'{lighttpd}/{place}/page?{number}', auth=ANN).end()
        assert (response.status_code, response.body) == (200, f'page of {place}')
    assert ALGORITHMS[place][0].split('|')[-1] in response.request.headers['authorization']
    assert request.get(f'{lighttpd}/{place}/page', auth=WRONG).end().status_code == 401


@needs_lighttpd
def test_lighttpd_knows_a_user_by_the_hash_of_the_name(lighttpd: str) -> None:
    response = request.get(f'{lighttpd}/hashed/page', auth={'user': USER, 'pass': PASSWORD, 'digest': True}).end()
    assert response.status_code == 200
    sent = response.request.headers['authorization']
    assert sent.endswith('userhash=true')
    assert 's\xf8n' not in sent


# -- httpbin


@pytest.fixture(scope='module')
def httpbin() -> Iterator[str]:
    """httpbin under gunicorn."""
    port = free_port()
    with running([sys.executable, '-m', 'gunicorn', '-w', '1', '-b', f'127.0.0.1:{port}', 'httpbin:app'], port) as url:
        yield url


@needs_httpbin
@pytest.mark.parametrize('algorithm', ['MD5', 'SHA-256'])
@pytest.mark.parametrize('qop', ['auth', 'auth-int'])
def test_httpbin_accepts_what_covers_the_content(httpbin: str, qop: str, algorithm: str) -> None:
    """httpbin wants its own cookie back beside the answer, which a jar would bring."""
    address = f'{httpbin}/digest-auth/{qop}/ann/secret/{algorithm}'
    headers = {'cookie': 'fake=fake_value'}
    response = request.get(
        address, auth={'user': 'ann', 'pass': 'secret', 'digest': True}, headers=headers, body=b'content'
    ).end()
    assert response.status_code == 200
    assert f'qop={qop}, ' in response.request.headers['authorization']
    wrong = request.get(address, auth={'user': 'ann', 'pass': 'other', 'digest': True}, headers=headers).end()
    assert wrong.status_code == 401
