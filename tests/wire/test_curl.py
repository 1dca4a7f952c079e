"""`to_curl()`: the command that is shown, run by the real curl, sends what requite sends."""

from __future__ import annotations

import contextlib
import io
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite import errors, request
from tests.servers import Answer, Authority, HttpServer, RawServer, Seen, receive_request, redirect, reply
from tests.wire.middlemen import Tunnels

CURL = shutil.which('curl')
SHELL = shutil.which('sh')

pytestmark = pytest.mark.skipif(CURL is None or SHELL is None, reason='curl is not installed')


def run(command: str, given: bytes = b'') -> bytes:
    """What the command prints, run by a shell without the machine's own settings of curl."""
    done = subprocess.run(
        [SHELL or 'sh', '-c', command.replace('curl ', 'curl --disable --silent --show-error ', 1)],
        input=given,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, f'{command}\n{done.stderr.decode()}'
    return done.stdout


def fields(seen: Seen) -> list[tuple[str, str]]:
    """The fields, whatever their order and the case of their names; curl knows what it says to proxies better."""
    return sorted((name.lower(), value) for name, value in seen.headers if name.lower() != 'proxy-connection')


def same(ours: Seen, theirs: Seen) -> None:
    assert (theirs.method, theirs.target, theirs.body) == (ours.method, ours.target, ours.body)
    assert fields(theirs) == fields(ours)


BINARY = b'\x00\xff%d\'"\\\n\r\x1b' + bytes(range(256))
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ('GET', '/', {}),
    ('GET', '/a%20b/../c/./d?x=1&x=2&y=%26#frag', {}),
    ('GET', '/[a]{b,c}?q[]=[1-3]&w={x}', {}),
    ('GET', '/it\'s$(id)`id`"!*?a=$HOME&b=!!;id', {}),
    ('GET', '/', {'qs': {'a': ['1', '2'], 'b': 'é ü'}}),
    ('GET', '/', {'headers': {'X-A': "it's; $(id) `id` !! \\n", 'x-empty': '', 'x-two': ['1', '2'], 'Accept': 'a/b'}}),
    ('GET', '/', {'headers': {'Host': 'other.example:99'}}),
    ('GET', '/', {'headers': {'user-agent': None}}),
    ('GET', '/', {'headers': {'User-Agent': ''}}),
    ('GET', '/', {'headers': {'accept-encoding': 'br;q=0'}}),
    ('GET', '/', {'headers': {'connection': 'close'}}),
    ('GET', '/', {'gzip': True, 'json': True}),
    ('GET', '/', {'auth': ('me', "p'w")}),
    ('GET', '/', {'auth': {'bearer': 'token'}}),
    ('GET', '/', {'body': 'a body'}),
    ('HEAD', '/', {}),
    ('DELETE', '/', {}),
    ('OPTIONS', '/', {}),
    ('PROPFIND', '/', {'body': '<x/>', 'headers': {'depth': '1'}}),
    ('POST', '/', {}),
    ('POST', '/', {'body': ''}),
    ('POST', '/', {'json': {'a': ["it's", 'é', 1, None], 'b': '\n\t$HOME'}}),
    ('POST', '/', {'form': {'a': ['1', '2'], 'b': "it's é&="}}),
    ('POST', '/', {'body': '@/etc/hostname'}),
    ('POST', '/', {'body': 'two\nlines\n'}),
    ('POST', '/', {'body': 'carriage\r\nreturn'}),
    ('POST', '/', {'body': '-v --output /dev/null'}),
    ('POST', '/', {'body': b'text', 'headers': {'content-type': 'text/plain'}}),
    ('POST', '/', {'body': BINARY}),
    ('PUT', '/', {'body': BINARY, 'headers': {'content-type': 'x/y'}}),
    ('PATCH', '/', {'body': 'x'}),
    ('POST', '/', {'form_data': {'a': "it's", 'b': {'value': BINARY, 'options': {'filename': 'b.png'}}}}),
    ('POST', '/', {'form_data': {'a': io.BytesIO(b'a file')}}),
    ('POST', '/', {'multipart': [{'content-type': 'text/plain', 'body': 'one'}, {'body': 'two'}]}),
    ('GET', '/?token=t&password=p', {'headers': {'Cookie': 'a=1; b=2', 'X-Api-Key': 'k'}}),
]


@pytest.mark.parametrize(
    ('method', 'target', 'given'), REQUESTS, ids=[f'{row[0]}-{number}' for number, row in enumerate(REQUESTS)]
)
def test_curl_sends_the_same(server: HttpServer, method: str, target: str, given: dict[str, Any]) -> None:
    made = request(server.url + target, method=method, **given)
    command = made.to_curl(secrets=True)
    made.end()
    run(command)
    assert made.to_curl(secrets=True) == command
    same(*server.requests)


@pytest.mark.parametrize(('body', 'method'), [(iter([b'a', b'b']), 'POST'), (iter([b'a', b'b']), 'PUT')])
def test_a_stream_is_not_read_and_curl_takes_it_from_its_input(server: HttpServer, body: Any, method: str) -> None:
    made = request(server.url, method=method, body=body)
    command = made.to_curl()
    made.end()
    run(command, b'ab')
    ours, theirs = server.requests
    assert (ours.body, theirs.body, theirs.method) == (b'ab', b'ab', method)
    assert fields(theirs) == fields(ours)


def test_content_that_is_too_long_for_a_line_comes_from_the_input_of_curl(server: HttpServer) -> None:
    content = b'x' * 2_000_000
    made = request.put(server.url, body=content)
    command = made.to_curl()
    assert len(command) < 500
    made.end()
    run(command, content)
    same(*server.requests)


def test_redirects_are_followed_as_often_and_as_far(server: HttpServer) -> None:
    server.routes = {'/': redirect('/b'), '/b': redirect('/c')}
    made = request.get(server.url)
    command = made.to_curl()
    made.end()
    run(command)
    assert [seen.path for seen in server.requests] == ['/', '/b', '/c'] * 2
    assert '--location' not in sent_by(request.post(server.url))
    assert '--location' not in sent_by(request.get(server.url, follow_redirect=False))
    assert '--location --max-redirs 3' in sent_by(request.post(server.url, follow_all_redirects=True, max_redirects=3))


def sent_by(made: Any) -> str:
    command: str = made.to_curl()
    made.end()
    return command


def test_clocks_are_told(server: HttpServer) -> None:
    command = sent_by(request.get(server.url, timeout=1500, deadline=20_000))
    assert '--connect-timeout 1.5 --max-time 20' in command


def test_a_certificate_is_left_unchecked_only_where_it_is_here(tls_server: HttpServer, authority: Authority) -> None:
    for given, word in (({'strict_ssl': False}, '--insecure'), ({'ca': authority.path}, '--cacert')):
        tls_server.requests.clear()
        made = request.get(tls_server.url + '/x', **given)
        command = made.to_curl()
        assert word in command
        made.end()
        run(command)
        same(*tls_server.requests)


@contextlib.contextmanager
def unix_server(path: Path | str) -> Iterator[list[Seen]]:
    seen: list[Seen] = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock:
                    seen.append(receive_request(sock)[0])
                    sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_a_unix_socket_is_reached(tmp_path: Path) -> None:
    with unix_server(tmp_path / 'a socket') as seen:
        made = request.post(f'http://unix:{tmp_path}/a socket:/there?a=1', body='x')
        command = made.to_curl()
        made.end()
        run(command)
        same(*seen)


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux has sockets without a file')
def test_an_abstract_socket_is_reached(tmp_path: Path) -> None:
    name = f'requite-{tmp_path.name}-{tmp_path.parent.name}'
    with unix_server('\0' + name) as seen:
        made = request.get(f'http://unix:@{name}:/there')
        command = made.to_curl()
        made.end()
        run(command)
        same(*seen)


def test_a_proxy_is_gone_through(server: HttpServer) -> None:
    made = request.get('http://h.invalid/x?a=1', proxy=server.url.replace('://', '://me:p%27w@'))
    command = made.to_curl(secrets=True)
    made.end()
    run(command)
    same(*server.requests)
    assert server.requests[0].target == 'http://h.invalid/x?a=1'
    assert "p'w" not in made.to_curl()


@pytest.mark.parametrize('tunnel', [True, False])
def test_a_tunnel_is_asked_for(raw_server: Callable[..., RawServer], tunnel: bool) -> None:
    proxy = raw_server(lambda sock, head: sock.sendall(b'HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n'))
    made = request.get('http://h.invalid/', proxy=proxy.url, tunnel=tunnel)
    command = made.to_curl()
    with contextlib.suppress(OSError):
        made.end()
    with contextlib.suppress(AssertionError):
        run(command)
    assert [head.split(b' ')[0] for head in proxy.heads] == [b'CONNECT' if tunnel else b'GET'] * 2


def test_a_proxy_of_the_environment_that_is_not_wanted_is_not_used(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('http_proxy', 'http://127.0.0.1:1')
    made = request.get(server.url, proxy=None)
    command = made.to_curl()
    made.end()
    run(command)
    same(*server.requests)


def test_a_variable_that_only_curl_knows_leads_nowhere_else(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('ALL_PROXY', 'http://127.0.0.1:1')
    made = request.get(server.url)
    command = made.to_curl()
    made.end()
    run(command)
    same(*server.requests)


@pytest.mark.parametrize('trust', ['ca', 'strict_ssl'])
def test_a_proxy_behind_tls_is_trusted_as_here(tls_server: HttpServer, authority: Authority, trust: str) -> None:
    given: dict[str, Any] = {'ca': authority.path} if trust == 'ca' else {'strict_ssl': False}
    made = request.get('http://h.invalid/x', proxy=tls_server.url, **given)
    command = made.to_curl()
    made.end()
    run(command)
    same(*tls_server.requests)
    assert ('--proxy-cacert' if trust == 'ca' else '--proxy-insecure') in command
    assert not {'--cacert', '--insecure'} & set(command.split())


@pytest.mark.parametrize('trust', ['ca', 'strict_ssl'])
def test_a_tunnel_through_tls_trusts_both_its_ends(tls_server: HttpServer, authority: Authority, trust: str) -> None:
    given: dict[str, Any] = {'ca': authority.path} if trust == 'ca' else {'strict_ssl': False}
    with Tunnels(tls=authority.context()) as proxy:
        made = request.get(tls_server.url, proxy=proxy.url, **given)
        command = made.to_curl()
        made.end()
        run(command)
        assert len(proxy.opened) == 2
    same(*tls_server.requests)


def told(head: bytes) -> list[str]:
    """What a CONNECT says; that connections to proxies are kept, curl always adds."""
    return sorted(line.lower() for line in head.decode().split('\r\n') if not line.lower().startswith('proxy-conn'))


@pytest.mark.parametrize(
    'given',
    [
        {'headers': {'x-team': 'blue'}, 'proxy_header_exclusive_list': ['x-team']},
        {'headers': {'x-team': 'blue'}, 'proxy_header_white_list': ['x-team']},
        {'headers': {'accept': 'a/b', 'cookie': 'a=b', 'user-agent': None}},
        {'headers': {'proxy-authorization': 'Basic dTpw'}},
    ],
)
@pytest.mark.parametrize('login', ['', 'me:sekrit@'])
def test_the_proxy_of_a_tunnel_is_told_the_same(server: HttpServer, given: dict[str, Any], login: str) -> None:
    with Tunnels() as proxy:
        made = request.get(server.url, proxy=proxy.url.replace('://', f'://{login}'), tunnel=True, **given)
        command, hidden = made.to_curl(secrets=True), made.to_curl()
        made.end()
        run(command)
        ours, theirs = proxy.heads
    assert told(theirs) == told(ours)
    same(*server.requests)
    assert not {'sekrit', 'dTpw'} & set(hidden.replace(':', ' ').split())


@pytest.mark.parametrize('login', ['', 'me:sekrit@'])
def test_a_callers_own_credentials_for_a_proxy_are_told(server: HttpServer, login: str) -> None:
    proxy = server.url.replace('://', f'://{login}')
    made = request.get('http://h.invalid/', proxy=proxy, headers={'Proxy-Authorization': 'Basic dTpw'})
    command, hidden = made.to_curl(secrets=True), made.to_curl()
    made.end()
    run(command)
    same(*server.requests)
    assert server.requests[1].header('proxy-authorization') == 'Basic dTpw'
    assert "'Proxy-Authorization: Basic ***'" in hidden


def test_a_proxy_that_asked_for_digest_before_is_answered_with_it(http_server: Callable[..., HttpServer]) -> None:
    def judge(seen: Seen) -> Answer:
        if (seen.header('proxy-authorization') or '').startswith('Digest '):
            return reply(b'ok')
        challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
        return reply(b'', 407, proxy_authenticate=challenge)

    server = http_server(judge)
    get = request.defaults(proxy=server.url.replace('://', '://me:sekrit@')).get
    assert get('http://h.invalid/').end().status_code == 200
    made = get('http://h.invalid/x')
    command = made.to_curl(secrets=True)
    made.end()
    assert '--proxy-user me:sekrit --proxy-digest' in command
    assert run(command) == b'ok'


@pytest.mark.parametrize('tunnelled', [True, False])
def test_a_server_is_called_by_its_other_name(
    http_server: Callable[..., HttpServer], authority: Authority, tunnelled: bool
) -> None:
    server = http_server(tls=authority.context('other.example'))
    with Tunnels() as proxy:
        made = request.get(
            server.url + '/x?a=1',
            server_hostname='other.example',
            ca=authority.path,
            proxy=proxy.url if tunnelled else None,
        )
        command = made.to_curl()
        made.end()
        run(command)
        assert proxy.opened == [server.authority] * 2 * tunnelled
    same(*server.requests)


@pytest.mark.parametrize(
    ('given', 'version', 'spoken'),
    [
        ({'min_version': 'TLSv1.3'}, 'TLSv1.2', False),
        ({'min_version': 'TLSv1.2'}, 'TLSv1.2', True),
        ({'secure_options': ssl.OP_NO_TLSv1_2}, 'TLSv1.2', False),
        ({'secure_options': ssl.OP_NO_TLSv1_3}, 'TLSv1.3', False),
        ({'max_version': 'TLSv1.2'}, 'TLSv1.3', False),
    ],
)
def test_only_the_versions_that_are_spoken_here_are_spoken(
    http_server: Callable[..., HttpServer], authority: Authority, given: dict[str, Any], version: str, spoken: bool
) -> None:
    context = authority.context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version.replace('.', '_')]
    server = http_server(tls=context)
    options = {'agent_options': given} if 'max_version' in given or 'secure_options' in given else given
    made = request.get(server.url, ca=authority.path, **options)
    command = made.to_curl()
    for attempt in (made.end, lambda: run(command)):
        with contextlib.nullcontext() if spoken else pytest.raises((errors.TransportError, AssertionError)):
            attempt()
    assert len(server.requests) == 2 * spoken


@pytest.mark.parametrize('form', ['pem', 'pfx'])
def test_who_we_are_is_proved_with_the_same_files(
    http_server: Callable[..., HttpServer], authority: Authority, tmp_path: Path, form: str
) -> None:
    context = authority.context()
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    server = http_server(tls=context)
    made = request.get(server.url, ca=authority.path, **identity(authority, tmp_path / 'my:own', form))
    command, hidden = made.to_curl(secrets=True), made.to_curl()
    made.end()
    run(command)
    same(*server.requests)
    assert 'sekrit' not in hidden


def identity(authority: Authority, folder: Path, form: str) -> dict[str, Any]:
    """A certificate and its key as files, and the options that name them."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    folder.mkdir()
    issued = authority._ca.issue_cert('me.example')
    key, chain = issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes()
    if form == 'pem':
        (folder / 'cert.pem').write_bytes(chain)
        (folder / 'key.pem').write_bytes(key)
        return {'cert': str(folder / 'cert.pem'), 'key': str(folder / 'key.pem')}
    packed = pkcs12.serialize_key_and_certificates(
        b'me',
        serialization.load_pem_private_key(key, None),  # type: ignore[arg-type]
        x509.load_pem_x509_certificate(chain),
        None,
        serialization.BestAvailableEncryption(b'sekrit'),
    )
    (folder / 'me.p12').write_bytes(packed)
    return {'agent_options': {'pfx': str(folder / 'me.p12'), 'passphrase': 'sekrit'}}


@pytest.mark.parametrize(
    ('given', 'named'),
    [
        ({'url': 'https://h.invalid/', 'proxy': 'http://127.0.0.1:1', 'tunnel': False}, 'tunnel'),
        ({'url': 'https://h.invalid/', 'assert_fingerprint': 'ab' * 32}, 'assert_fingerprint'),
    ],
)
def test_what_no_command_of_curl_does_is_said(given: dict[str, Any], named: str) -> None:
    made = request(**given)
    with pytest.raises(errors.OptionsError, match=f"option '{named}': .*curl .*leave"):
        made.to_curl()
    made.refused = True


def test_digest_is_left_to_curl(server: HttpServer) -> None:
    made = request.get(server.url, auth={'user': 'me', 'pass': 'sekrit', 'sendImmediately': False})
    hidden, command = made.to_curl(), made.to_curl(secrets=True)
    made.end()
    assert "--anyauth --user 'me:***'" in hidden
    assert '--anyauth --user me:sekrit' in command


# -- credentials


def test_credentials_are_hidden_unless_they_are_asked_for(server: HttpServer) -> None:
    """SECURITY Q9."""
    made = request.post(
        server.url.replace('://', '://user:sekrit@') + '/?access_token=sekrit',
        form={'password': 'sekrit', 'a': '1'},
        headers={'Cookie': 'sid=sekrit', 'X-Mine': 'sekrit', 'X-Api-Key': 'sekrit', 'Referer': 'http://a:sekrit@h/'},
        sensitive_headers=['x-mine'],
    )
    hidden, told = made.to_curl(), made.to_curl(secrets=True)
    made.end()
    assert 'sekrit' not in hidden
    assert 'dXNlcjpzZWtyaXQ' not in hidden
    assert "'authorization: Basic ***'" in hidden
    assert "'password=***&a=1'" in hidden
    assert told.count('sekrit') == 6
    assert 'dXNlcjpzZWtyaXQ' in told
    run(told)
    same(*server.requests)


def test_it_sends_nothing_and_changes_nothing(server: HttpServer) -> None:
    made = request.put(server.url, body=io.BytesIO(b'content'))
    for _ in range(2):
        made.toCurl()
    assert server.requests == []
    made.end()
    assert server.requests[0].body == b'content'


def test_nothing_that_a_terminal_would_act_upon_is_printed(server: HttpServer) -> None:
    command = sent_by(request.post(server.url, body='\x1b[2J\x07\x9b'))
    assert command.isprintable()
    assert command.startswith("printf '\\033[2J\\007\\302\\233' | curl ")
