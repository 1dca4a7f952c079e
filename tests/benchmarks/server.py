"""nginx on ports of its own: configured in a temporary folder, started and stopped by the benchmark."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .scenarios import DOCUMENT, OK, SCENARIOS, USER, basic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scenarios import Scenario

START_LIMIT = 10
"""Seconds that nginx may take until its ports answer."""


class Unavailable(Exception):
    """Something that a benchmark needs is not on this machine; the text says what to install."""


class Target(NamedTuple):
    """Where a client finds the server, and the certificate authority file that it must trust."""

    plain: str
    secure: str
    ca: str

    def url(self, scenario: Scenario) -> str:
        """The absolute URL of a scenario, without its query."""
        return (self.secure if scenario.tls else self.plain) + scenario.path


CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/octet-stream;
    etag off;
    sendfile on;
    tcp_nodelay on;
    keepalive_timeout 1h;
    keepalive_time 24h;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/temporary;
    proxy_temp_path {folder}/temporary;
    fastcgi_temp_path {folder}/temporary;
    uwsgi_temp_path {folder}/temporary;
    scgi_temp_path {folder}/temporary;
    map_hash_bucket_size 512;
    map "{rich_seen}" $rich_complete {{ default 0; "{rich_wanted}" 1; }}
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{secure} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        root {folder}/files;
        add_header Cache-Control "no-cache, private";
        add_header ETag '"5d8c72a5edda8"';
        add_header Vary "Accept-Encoding";
        add_header X-Content-Type-Options nosniff;
        add_header X-Frame-Options DENY;
        add_header X-Request-Id 0f8fad5b-d9cb-469f-a165-70867728950e;
        location = /small {{ default_type text/plain; return 200 '{ok}'; }}
        location = /rich {{
            default_type application/json;
            if ($rich_complete = 0) {{ return 400 'the request is not the one of the scenario'; }}
            return 200 '{user}';
        }}
        location = /post {{
            if ($content_length != {posted}) {{ return 400 'the request has not the body of the scenario'; }}
            return 200 '{ok}';
        }}
    }}
}}
"""


def _search_path() -> str:
    # Debian puts nginx into a folder that ordinary users have not in their PATH.
    return os.pathsep.join([os.environ.get('PATH', os.defpath), '/usr/local/sbin', '/usr/sbin'])


def find_nginx(path: str | None = None) -> str:
    """The nginx program in the given search path; Unavailable says how to install it."""
    found = shutil.which('nginx', path=_search_path() if path is None else path)
    if found is None:
        raise Unavailable('nginx is not installed; on Debian: apt-get install nginx-light')
    return found


def version() -> str:
    """The version of nginx, as `1.22.1`."""
    said = subprocess.run([find_nginx(), '-v'], capture_output=True, text=True, check=True).stderr
    return said.rpartition('/')[2].split()[0]


def _rich_check() -> tuple[str, str]:
    """An nginx expression of everything that the rich scenario sends, and the value it must have."""
    rich = SCENARIOS['rich']
    seen = {f'$arg_{name}': value for name, value in rich.query.items()}
    seen |= {f'$http_{name.replace("-", "_")}': value for name, value in rich.headers.items()}
    seen |= {f'$cookie_{name}': value for name, value in rich.cookies.items()}
    if rich.user is not None:
        seen['$http_authorization'] = basic(rich.user)
    return '|'.join(seen), '|'.join(seen.values())


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(('127.0.0.1', 0))
        return [each.getsockname()[1] for each in sockets]


def _write_certificates(folder: Path) -> None:
    try:
        import trustme
    except ImportError:
        raise Unavailable('trustme is not installed; with pip: pip install trustme') from None
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / 'ca.pem'))
    authority.issue_cert('127.0.0.1').private_key_and_cert_chain_pem.write_to_path(str(folder / 'server.pem'))


def _write_files(folder: Path, big: int) -> None:
    # As root the worker gives its rights away, so the folder has to be open to everybody; the key is read before that.
    folder.chmod(0o755)
    files = folder / 'files'
    files.mkdir()
    (files / 'document').write_bytes(DOCUMENT)
    with (files / 'big').open('wb') as sparse:
        sparse.truncate(big)


def _write_config(folder: Path, plain: int, secure: int) -> Path:
    seen, wanted = _rich_check()
    body = SCENARIOS['post'].body or b''
    text = CONFIG.format(
        folder=folder,
        plain=plain,
        secure=secure,
        rich_seen=seen,
        rich_wanted=wanted,
        ok=OK.decode(),
        user=json.dumps(USER),
        posted=len(body),
    )
    path = folder / 'nginx.conf'
    path.write_text(text)
    return path


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
            return
        time.sleep(0.02)
    said = log.read_text(errors='replace') if log.exists() else ''
    raise Unavailable(f'nginx did not start: {said.strip() or "it said nothing"}')


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def serving(big: int = 0) -> Iterator[Target]:
    """nginx for as long as the block runs; `/big` there is a body of so many zero bytes that takes no room on disk."""
    program = find_nginx()
    with tempfile.TemporaryDirectory(prefix='requite-benchmarks-') as name:
        folder = Path(name)
        _write_certificates(folder)
        _write_files(folder, big)
        plain, secure = _free_ports(2)
        config = _write_config(folder, plain, secure)
        log = folder / 'error.log'
        process = subprocess.Popen([program, '-p', name, '-c', str(config), '-e', str(log)])
        try:
            _wait_until_up(process, plain, log)
            yield Target(f'http://127.0.0.1:{plain}', f'https://127.0.0.1:{secure}', str(folder / 'ca.pem'))
        finally:
            _stop(process)
