"""netrc over real connections: who sees the password, and what wins over it (SECURITY A5)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from requite import OptionsError, request
from tests.servers import HttpServer, redirect

Servers = Callable[..., HttpServer]
BASIC = 'Basic ' + base64.b64encode(b'ann:s3cret').decode()
HAWK = {'credentials': {'id': 'i', 'key': 'k', 'algorithm': 'sha256'}}


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / 'logins'
    file.write_text('machine 127.0.0.1 login ann password s3cret\n')
    return str(file)


def sent(server: HttpServer, index: int = -1) -> str | None:
    return server.requests[index].header('authorization')


def test_user_and_password_come_from_the_file_that_is_named(server: HttpServer, path: str) -> None:
    request.get(server.url, netrc=path).end()
    assert sent(server) == BASIC
    request.get(server.url, netrc=Path(path)).end()
    assert sent(server) == BASIC


def test_a5_nothing_is_read_unless_it_is_asked_for(
    server: HttpServer, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / '.netrc'
    home.write_text(Path(path).read_text())
    home.chmod(0o600)
    monkeypatch.setenv('HOME', str(tmp_path))
    request.get(server.url).end()
    request.get(server.url, netrc=False).end()
    assert (sent(server, 0), sent(server, 1)) == (None, None)
    request.get(server.url, netrc=True).end()
    assert sent(server) == BASIC


def test_a5_the_password_goes_to_no_other_origin_and_does_not_come_back(http_server: Servers, path: str) -> None:
    with open(path, 'a') as file:
        file.write('machine localhost login ann password s3cret\ndefault login ann password s3cret\n')
    other, first = http_server(), http_server()
    first.routes['/start'] = redirect(f'http://localhost:{other.port}/')
    other.answers = lambda seen: redirect(first.url + '/back')
    request.get(first.url + '/start', netrc=path).end()
    assert [sent(first, 0), sent(other, 0), sent(first, 1)] == [BASIC, None, None]


def test_a5_another_port_of_the_same_host_is_another_origin(http_server: Servers, path: str) -> None:
    other = http_server()
    first = http_server(lambda seen: redirect(other.url))
    request.get(first.url, netrc=path).end()
    assert (sent(first), sent(other)) == (BASIC, None)


def test_a_redirect_within_the_origin_keeps_it(server: HttpServer, path: str) -> None:
    server.routes['/old'] = redirect('/new')
    request.get(server.url + '/old', netrc=path).end()
    assert (sent(server, 0), sent(server, 1)) == (BASIC, BASIC)


@pytest.mark.parametrize(
    ('options', 'starts'),
    [
        ({'headers': {'Authorization': 'mine'}}, 'mine'),
        ({'headers': {'authorization': ''}}, ''),
        ({'auth': {'bearer': 'token'}}, 'Bearer token'),
        ({'auth': ('bob', 'x')}, 'Basic Ym9iOng='),
        ({'hawk': HAWK}, 'Hawk '),
    ],
)
@pytest.mark.parametrize('file', ['right', 'missing'])
def test_whatever_else_says_who_asks_wins(
    server: HttpServer, path: str, options: dict[str, Any], starts: str, file: str
) -> None:
    request.get(server.url, options, netrc=path if file == 'right' else path + '?').end()
    assert (sent(server) or '').startswith(starts)
    assert sent(server) != BASIC


def test_userinfo_in_the_address_wins(server: HttpServer, path: str) -> None:
    request.get(f'http://bob:x@{server.authority}/', netrc=path).end()
    assert sent(server) == 'Basic Ym9iOng='


def test_credentials_that_wait_for_a_401_win_too(server: HttpServer, path: str) -> None:
    request.get(server.url, netrc=path, auth={'user': 'bob', 'pass': 'x', 'sendImmediately': False}).end()
    assert sent(server) is None


def test_a_signer_that_sets_another_field_goes_together_with_it(server: HttpServer, path: str) -> None:
    class Seal:
        def sign(self, draft: Any, clock: Any) -> None:
            draft.set('x-seal', draft.get('authorization'))

    request.get(server.url, netrc=path, signers=[Seal()]).end()
    assert server.requests[0].header('x-seal') == BASIC


def test_defaults_with_netrc_leak_into_no_request_without(server: HttpServer, path: str) -> None:
    with_it = request.defaults(netrc=path)
    for _ in range(2):
        with_it.get(server.url).end()
        assert sent(server) == BASIC
        request.get(server.url).end()
        assert sent(server) is None
        with_it.get(server.url, netrc=None).end()
        assert sent(server) is None
        with_it.get(server.url, netrc=False).end()
        assert sent(server) is None


def test_a_host_that_the_file_does_not_name_is_asked_without(server: HttpServer, path: str) -> None:
    request.get(f'http://localhost:{server.port}/', netrc=path).end()
    assert sent(server) is None


def test_a_file_that_cannot_be_used_is_an_error_of_the_call(server: HttpServer, path: str) -> None:
    Path(path).write_text('machine 127.0.0.1 login ann passwort s3cret\n')
    for make in (request.get, request.defaults(netrc=path).get):
        with pytest.raises(OptionsError, match='line 1') as caught:
            make(server.url, netrc=path)
        assert 's3cret' not in str(caught.value)
    with pytest.raises(OptionsError, match='cannot be read'):
        request.get(server.url, netrc=path + '?')
    assert server.requests == []


def test_the_password_is_nowhere_to_be_seen(server: HttpServer, path: str) -> None:
    made = request.get(server.url, netrc=path)
    assert 's3cret' not in f'{made!r} {made.to_json()} {made.uri.href} {made._options!r}'
    made.end()
    assert 's3cret' not in f'{made!r} {made.response.to_json()} {made.uri.href}'
