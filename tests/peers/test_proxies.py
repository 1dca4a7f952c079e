"""Proxies that others wrote: tinyproxy, squid with Basic and with Digest, microsocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from requite import Pool, ProxyRefused, request
from requite.auth import proxied
from tests.peers.daemons import folder, free_port, program, running
from tests.servers import Authority, HttpServer, reply

TINYPROXY, SQUID, MICROSOCKS = program('tinyproxy'), program('squid'), program('microsocks')
HELPERS = Path('/usr/lib/squid')
LOGIN = 'ann:s3cret'
HTTP = ['tinyproxy', 'squid with basic', 'squid with digest']
BIG = bytes(range(256)) * 16_384

CONFIGURATION = """
http_port 127.0.0.1:{port}
pid_filename none
access_log none
cache_log {folder}/cache.log
coredump_dir {folder}
cache deny all
cache_mem 8 MB
pinger_enable off
max_filedescriptors 1024
visible_hostname localhost
shutdown_lifetime 0 seconds
auth_param {scheme} program {helper} {passwords}
auth_param {scheme} children 1 startup=1
auth_param {scheme} realm the proxy
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
"""


class Running(NamedTuple):
    """A proxy that runs: what it is called, and its address with credentials, with wrong ones, and without."""

    name: str
    url: str
    wrong: str
    bare: str


def log_of(place: Path) -> Callable[[], str]:
    return lambda: place.read_text(errors='replace') if place.is_file() else ''


def tinyproxy(home: Path) -> tuple[list[str], int]:
    port = free_port()
    settings = home / 'tinyproxy.conf'
    settings.write_text(
        f'Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nBasicAuth ann s3cret\nLogFile "{home}/tinyproxy.log"\n'
    )
    return [str(TINYPROXY), '-d', '-c', str(settings)], port


def squid(home: Path, scheme: str) -> tuple[list[str], int]:
    port = free_port()
    helper = HELPERS / ('basic_ncsa_auth' if scheme == 'basic' else 'digest_file_auth')
    if not helper.is_file():
        pytest.skip(f'squid came without {helper.name}')
    passwords = home / f'passwords.{scheme}'
    # the Apache kind of MD5, as htpasswd writes it, for Basic; Digest takes them as they are
    known = 'ann:$apr1$aaaaaaaa$gb0lcKeNLCg.fWUWUdvhh0' if scheme == 'basic' else LOGIN
    passwords.write_text(known + '\n')
    passwords.chmod(0o644)
    home.chmod(0o777)  # squid gives up its rights and still writes its log there
    settings = home / f'squid.{scheme}.conf'
    settings.write_text(CONFIGURATION.format(port=port, folder=home, scheme=scheme, helper=helper, passwords=passwords))
    return [str(SQUID), '-N', '-f', str(settings)], port


@pytest.fixture(scope='module')
def home() -> Iterator[Path]:
    with folder() as place:
        yield place


@pytest.fixture(scope='module', params=[*HTTP, 'microsocks'])
def proxy(request: pytest.FixtureRequest, home: Path) -> Iterator[Running]:
    name = request.param
    installed = {'tinyproxy': TINYPROXY, 'squid': SQUID, 'microsocks': MICROSOCKS}[name.partition(' ')[0]]
    if installed is None:
        pytest.skip(f'{name.partition(" ")[0]} is not installed')
    scheme = 'http'
    if name == 'tinyproxy':
        command, port = tinyproxy(home)
    elif name == 'microsocks':
        scheme, port = 'socks5h', free_port()
        command = [str(MICROSOCKS), '-i', '127.0.0.1', '-p', str(port), '-u', 'ann', '-P', 's3cret']
    else:
        command, port = squid(home, name.rpartition(' ')[2])
    with running(command, port, log_of(home / 'cache.log')):
        place = f'127.0.0.1:{port}'
        yield Running(name, f'{scheme}://{LOGIN}@{place}', f'{scheme}://ann:wr0ng@{place}', f'{scheme}://{place}')
    proxied._sessions.clear()


@pytest.fixture
def ask(proxy: Running, authority: Authority) -> Any:
    """Requests through the proxy, with connections of their own."""
    return request.defaults(proxy=proxy.url, ca=authority.path, pool=Pool(name='peers'), encoding=None, timeout=20_000)


def test_an_http_address_is_reached(proxy: Running, ask: Any, server: HttpServer) -> None:
    server.answers = lambda seen: reply(BIG)
    for _ in range(3):
        response = ask(server.url + '/x?y').end()
        assert (response.status_code, response.body) == (200, BIG)
    assert [seen.target for seen in server.requests] == ['/x?y'] * 3
    for seen in server.requests:
        assert seen.header('proxy-authorization') is None


def test_an_https_address_is_reached_through_a_tunnel(proxy: Running, ask: Any, tls_server: HttpServer) -> None:
    tls_server.answers = lambda seen: reply(seen.body)
    for _ in range(3):
        response = ask.put(tls_server.url, body=BIG).end()
        assert (response.status_code, response.body) == (200, BIG)
    assert tls_server.connections == 1


def test_content_of_unknown_length_arrives_whole(proxy: Running, ask: Any, server: HttpServer) -> None:
    if 'digest' in proxy.name:
        ask(server.url).end()  # content that goes once cannot answer a 407: by then the proxy has asked
    response = ask.post(server.url, body=iter([BIG[:100_000], BIG[100_000:300_000]])).end()
    assert response.status_code == 200
    assert server.requests[-1].body == BIG[:300_000]


@pytest.mark.parametrize('proxy', HTTP, indirect=True)
def test_a_tunnel_may_lead_to_an_http_address(proxy: Running, ask: Any, server: HttpServer) -> None:
    assert ask(server.url + '/x', tunnel=True).end().status_code == 200
    assert server.requests[0].target == '/x'


@pytest.mark.parametrize('kind', ['wrong', 'bare'])
def test_who_is_not_known_gets_407_or_is_refused(
    proxy: Running, ask: Any, server: HttpServer, tls_server: HttpServer, kind: str
) -> None:
    address = getattr(proxy, kind)
    with pytest.raises(ProxyRefused) as caught:
        ask(tls_server.url, proxy=address).end()
    assert 'wr0ng' not in repr(caught.value)
    if proxy.name == 'microsocks':
        with pytest.raises(ProxyRefused):
            ask(server.url, proxy=address).end()
    else:
        expected = 407 if proxy.name != 'tinyproxy' else caught.value.status_code
        assert caught.value.status_code == expected
        assert ask(server.url, proxy=address).end().status_code == expected
    assert server.requests == tls_server.requests == []


@pytest.mark.parametrize('proxy', ['squid with digest'], indirect=True)
def test_digest_goes_on_without_being_asked_again(proxy: Running, ask: Any, server: HttpServer) -> None:
    sent: list[str] = []
    for _ in range(3):
        made = ask(server.url).on('hop', lambda hop: sent.append(dict(hop.fields)['proxy-authorization'].split(' ')[0]))
        assert made.end().status_code == 200
    assert sent[-2:] == ['Digest', 'Digest']
    assert sent.count('Digest') == 3


def test_an_origin_that_is_not_there_is_told(proxy: Running, ask: Any) -> None:
    port = free_port()
    with pytest.raises(ProxyRefused) as caught:
        ask(f'https://127.0.0.1:{port}/').end()
    assert 'tunneling socket' in str(caught.value) or 'did not connect' in str(caught.value)


def test_names_are_left_to_the_proxy(proxy: Running, ask: Any, server: HttpServer) -> None:
    def nobody_looks_here(host: str, options: Any) -> list[str]:
        assert host == '127.0.0.1', host
        return [host]

    response = ask(f'http://localhost:{server.port}/', lookup=nobody_looks_here).end()
    assert response.status_code == 200
