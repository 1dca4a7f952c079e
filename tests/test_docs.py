"""Every Python block of README and of the documentation runs, against servers on loopback that answer for its hosts."""

from __future__ import annotations

import base64
import gzip
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docpages import blocks
from tests.servers import Answer, Authority, HttpServer, Seen, echo, json_reply, redirect, reply
from tests.wire.middlemen import Socks, Tunnels

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / 'README.md', *(path for path in (ROOT / 'docs').rglob('*.md') if '_build' not in path.parts)])
HOSTS = ('api.example.com', 'www.example.com', 'photos.s3.eu-west-1.amazonaws.com', 'localhost', '127.0.0.1')
README = (ROOT / 'README.md').read_text(encoding='utf-8')

# How many blocks may be left out; each says why. Adding one means changing this number.
NOT_RUN = 2

Runner = Callable[[Path], 'subprocess.CompletedProcess[str]']


def identifier(page: Path) -> str:
    """A page as it is named in a report."""
    return str(page.relative_to(ROOT))


def members_only(seen: Seen) -> Answer:
    """A page behind Basic authentication; who comes in is told who he is."""
    scheme, _, value = (seen.header('authorization') or '').partition(' ')
    if scheme == 'Bearer':
        return reply('welcome, bearer')
    if scheme != 'Basic':
        return Answer(401, {'www-authenticate': 'Basic realm="members"'}, 'who are you?', 'Unauthorized')
    return reply(f'welcome, {base64.b64decode(value).decode().partition(":")[0]}')


def slow(seen: Seen) -> Answer:
    """An answer that takes two seconds."""
    time.sleep(2)
    return reply('at last')


def site(seen: Seen) -> Answer | bytes:
    """What the hosts of the documentation answer."""
    routes: dict[str, Answer | bytes | Callable[[Seen], Answer]] = {
        '/users/1': json_reply({'id': 1, 'name': 'Ada'}),
        '/users': json_reply({'id': 2}, 201) if seen.method == 'POST' else json_reply([{'id': 1, 'name': 'Ada'}]),
        '/members': members_only,
        '/old': redirect('/users/1'),
        '/circle': redirect('/circle'),
        '/missing': reply('no such page', 404),
        '/cookie': Answer(200, {'set-cookie': 'key1=value1; Domain=example.com'}, 'a cookie for you'),
        '/oauth/request_token': reply('oauth_token=pending&oauth_token_secret=hdhd0244k9j7ao03'),
        '/oauth/access_token': reply(
            'oauth_token=granted&oauth_token_secret=pfkkdhi9sl3r4s00&user_id=1&screen_name=ada'
        ),
        '/slow': slow,
        '/lines': reply('one\ntwo\nthree\n', content_type='text/plain'),
        '/events': reply(
            'retry: 3000\nid: 1\ndata: hello\n\nevent: user\nid: 2\ndata: {"name": "Ada"}\n\n',
            content_type='text/event-stream',
        ),
        '/big': reply(b'x' * 1_000_000, content_type='application/octet-stream'),
        '/packed': Answer(200, {'content-encoding': 'gzip'}, gzip.compress(b'unpacked')),
        '/cut': b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\nonly this',
        '/nonsense': b'This is not HTTP\r\nconnection: close\r\n\r\n',
    }
    host = (seen.header('host') or '').partition(':')[0]
    if host == 'some.server.com':
        return members_only(seen)
    if host in ('www.google.com', 'google.com', 'mysite.com'):
        return reply('<title>Hello</title>', content_type='text/html')
    found = routes.get(seen.path, echo)
    return found(seen) if callable(found) else found


def proxied(head: bytes) -> bytes | None:
    """What the documentation's proxy answers: the site itself where it is asked with the whole address; None opens a tunnel."""
    method, target, _ = head.decode('latin-1').split(' ', 2)
    if method == 'CONNECT':
        return Answer(403, {}, 'no').wire() if target.startswith('forbidden.') else None
    _, _, host, path = target.split('/', 3)
    answer = site(Seen(method, '/' + path, '1.1', [('host', host)], b''))
    return answer.wire() if isinstance(answer, Answer) else answer


def client_papers() -> dict[str, bytes]:
    """A client's certificate, its key under the passphrase `password`, and the authority that issued it, as the files of the documentation."""
    import trustme
    from cryptography.hazmat.primitives import serialization

    authority = trustme.CA()
    issued = authority.issue_cert('client@example.com')
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b'password'),
    )
    return {
        'client.crt': issued.cert_chain_pems[0].bytes(),
        'client.key': sealed,
        'client-ca.pem': authority.cert_pem.bytes(),
    }


@pytest.fixture(scope='module')
def run_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """Runs the blocks of a page in an interpreter and a folder of their own."""
    authority = Authority(tmp_path_factory.mktemp('authority'))
    papers = client_papers()
    with (
        HttpServer(site) as plain,
        HttpServer(site, tls=authority.context(*HOSTS)) as secure,
        Tunnels(proxied, led=lambda port: plain.port if port == 80 else secure.port) as proxy,
        Socks(('127.0.0.1', secure.port)) as socks,
    ):

        def run(page: Path) -> subprocess.CompletedProcess[str]:
            folder = tmp_path_factory.mktemp('page')
            (folder / 'file.json').write_text('{"from": "a file"}', encoding='utf-8')
            (folder / 'ca.pem').write_bytes(authority.pem)
            for name, content in papers.items():
                (folder / name).write_bytes(content)
            proxies = ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy')
            env = {key: value for key, value in os.environ.items() if key.lower() not in proxies}
            env |= {
                'SSL_CERT_FILE': authority.path,
                'PYTHONPATH': os.pathsep.join(filter(None, [str(ROOT), env.get('PYTHONPATH')])),
            }
            command = [
                sys.executable,
                '-W',
                'error',
                '-m',
                'tests.docpages',
                str(page),
                str(plain.port),
                *(str(server.port) for server in (secure, proxy, socks)),
            ]
            return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)

        yield run


@pytest.mark.parametrize(
    'page', [page for page in PAGES if list(blocks(page.read_text(encoding='utf-8')))], ids=identifier
)
def test_every_block_of_the_page_runs(page: Path, run_page: Runner) -> None:
    done = run_page(page)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ''


def test_blocks_that_are_not_run_say_why_and_are_counted() -> None:
    left_out = [
        (identifier(page), block)
        for page in PAGES
        for block in blocks(page.read_text(encoding='utf-8'))
        if block.mark == 'not run'
    ]
    assert [where for where, block in left_out if not block.reason] == []
    assert len(left_out) == NOT_RUN


@pytest.mark.parametrize(
    'command',
    [
        'python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/requite tour',
        '.venv/bin/pip install nox && .venv/bin/nox',
    ],
)
def test_the_readme_shows_the_two_commands(command: str) -> None:
    assert f'\n{command}\n' in README


@pytest.mark.parametrize('page', PAGES, ids=identifier)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r'^ *```.*?^ *```', '', page.read_text(encoding='utf-8'), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r'\]\((?!https?://|#|mailto:)([^)#\s]+)', text)
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('```python\nraise KeyError(1)\n```\n', 'KeyError'),
        ('```python\nprint(1)  # -> 2\n```\n', "promises ['2'], the block printed ['1']"),
        ('```python\nprint(1)  # -> 1\nprint(2)\n```\n', "promises ['1'], the block printed ['1', '2']"),
        ('<!-- not yet -->\n```python\nprint()\n```\n', 'this works now'),
        ('% not yet\n\n```python\nraise NotImplementedError\nimport os\nos\n```\n', ':6: this works now'),
        (
            '  ```python\n  import warnings\n  warnings.warn("old")\n  ```\n',
            'line 3, in <module>\n    warnings.warn("old")',
        ),
    ],
)
def test_the_runner_sees_a_page_that_does_not_hold(text: str, complaint: str, run_page: Runner, tmp_path: Path) -> None:
    page = tmp_path / 'page.md'
    page.write_text(text, encoding='utf-8')
    done = run_page(page)
    assert done.returncode != 0
    assert complaint in done.stderr


def test_the_runner_leads_names_home_and_shares_one_namespace(run_page: Runner, tmp_path: Path) -> None:
    page = tmp_path / 'page.md'
    page.write_text(
        '```python\nfrom urllib.request import urlopen\nhome = "http://www.example.com"\n```\n'
        '% not run: it would not end\n```python\nwhile True: ...\n```\n'
        '<!-- not yet -->\n```python\nraise NotImplementedError\n```\n'
        '```python\nwith urlopen(home + "/lines") as answer:\n    print(answer.read(3))  # -> b\'...\'\n```\n',
        encoding='utf-8',
    )
    done = run_page(page)
    assert (done.returncode, done.stdout, done.stderr) == (0, "b'one'\n", '')
