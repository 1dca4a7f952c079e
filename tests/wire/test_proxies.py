"""Proxies over real sockets: what they are told, what goes through them, and what nobody but them may see."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import itertools
import logging
import pickle
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from requite import (
    AbortError,
    CertificateError,
    ConnectionRefused,
    ConnectTimeout,
    DeadlineExceeded,
    MalformedResponse,
    NameNotFound,
    Pool,
    ProxyError,
    ProxyRefused,
    ReadTimeout,
    RequestError,
    request,
)
from requite.auth import proxied
from requite.proxyaddress import VARIABLES
from tests.servers import Answer, Authority, HttpServer, RawServer, Seen, closed_port, echo, json_reply, redirect, reply
from tests.wire.hops import read_exactly
from tests.wire.middlemen import ESTABLISHED, Socks, Tunnels

Servers = Callable[..., HttpServer]
BASIC = 'Basic ' + base64.b64encode(b'ann:s3cret').decode()


@pytest.fixture(autouse=True)
def no_sessions() -> Iterator[None]:
    """Nothing is remembered of other tests' proxies."""
    proxied._sessions.clear()
    yield
    proxied._sessions.clear()


@pytest.fixture
def proxy() -> Iterator[Tunnels]:
    """A proxy that opens every tunnel and listens to what goes through."""
    with Tunnels(listening=True) as started:
        yield started


@pytest.fixture
def tls_proxy(authority: Authority) -> Iterator[Tunnels]:
    """The same behind TLS."""
    with Tunnels(tls=authority.context()) as started:
        yield started


def credentialed(server: RawServer, login: str = 'ann:s3cret') -> str:
    """The address of a proxy with userinfo."""
    return server.url.replace('://', f'://{login}@')


def fields_of(head: bytes) -> dict[str, str]:
    lines = head.decode('latin-1').split('\r\n')[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(':') for line in lines if line)}


class TestAsking:
    """Without a tunnel the proxy is asked with the whole address."""

    def test_the_proxy_of_an_http_address_is_asked_with_the_whole_of_it(self, server: HttpServer) -> None:
        response = request('http://example.test:81/a?b=c#d', proxy=server.url, headers={'x-a': '1'}).end()
        seen = server.requests[0]
        assert (seen.target, seen.header('host'), seen.header('x-a')) == (
            'http://example.test:81/a?b=c',
            'example.test:81',
            '1',
        )
        assert response.request.uri.href == 'http://example.test:81/a?b=c#d'

    def test_the_whole_address_holds_neither_userinfo_nor_a_bare_ipv6_host(self, server: HttpServer) -> None:
        request('http://user:pass@[2001:db8::1]:81/x', proxy=server.url).end()
        seen = server.requests[0]
        assert seen.target == 'http://[2001:db8::1]:81/x'
        assert (seen.header('host'), seen.header('proxy-authorization')) == ('[2001:db8::1]:81', None)
        assert seen.header('authorization') == 'Basic dXNlcjpwYXNz'

    def test_tunnel_false_asks_for_an_https_address_in_the_clear(self, server: HttpServer) -> None:
        request('https://example.test/x', proxy=server.url, tunnel=False).end()
        assert server.requests[0].target == 'https://example.test/x'

    def test_an_https_proxy_is_asked_within_tls(self, tls_server: HttpServer, authority: Authority) -> None:
        response = request('http://example.test/x', proxy=tls_server.url, ca=authority.path).end()
        assert (response.status_code, tls_server.requests[0].target) == (200, 'http://example.test/x')

    def test_content_goes_to_the_proxy_whole(self, server: HttpServer) -> None:
        request.post('http://example.test/x', body=io.BytesIO(b'a' * 300_000), proxy=server.url).end()
        assert server.requests[0].body == b'a' * 300_000

    def test_userinfo_is_said_as_basic_at_once(self, server: HttpServer) -> None:
        request('http://example.test/', proxy=credentialed(server, 'a%40b:p%3Aq%25')).end()
        assert server.requests[0].header('proxy-authorization') == 'Basic ' + base64.b64encode(b'a@b:p:q%').decode()

    def test_what_the_caller_says_to_the_proxy_wins_over_userinfo(self, server: HttpServer) -> None:
        request('http://example.test/', proxy=credentialed(server), headers={'Proxy-Authorization': 'Own x'}).end()
        assert server.requests[0].header('proxy-authorization') == 'Own x'

    def test_connections_to_the_proxy_are_kept_for_every_origin(self, server: HttpServer) -> None:
        own = Pool()
        for host in ('a.test', 'b.test', 'a.test'):
            request(f'http://{host}/', proxy=server.url, pool=own).end()
        assert server.connections == 1

    def test_connections_are_kept_apart_by_proxy_and_credentials(self, server: HttpServer) -> None:
        own = Pool()
        for address in (server.url, credentialed(server), credentialed(server, 'bob:x'), credentialed(server)):
            request('http://a.test/', proxy=address, pool=own).end()
        request(server.url, pool=own).end()
        assert server.connections == 4

    def test_a_proxy_that_is_not_there_is_a_refused_connection(self) -> None:
        with pytest.raises(ConnectionRefused, match='ECONNREFUSED'):
            request('http://example.test/', proxy=f'127.0.0.1:{closed_port()}').end()


class TestTunnels:
    """CONNECT, and what goes through."""

    def test_an_https_address_is_reached_through_a_tunnel(
        self, proxy: Tunnels, tls_server: HttpServer, authority: Authority
    ) -> None:
        response = request(tls_server.url + '/x', proxy=proxy.url, ca=authority.path).end()
        assert (response.status_code, tls_server.requests[0].target) == (200, '/x')
        assert proxy.heads == [
            f'CONNECT 127.0.0.1:{tls_server.port} HTTP/1.1\r\nhost: 127.0.0.1:{tls_server.port}\r\n\r\n'.encode()
        ]

    def test_tunnel_true_reaches_an_http_address_through_a_tunnel(self, proxy: Tunnels, server: HttpServer) -> None:
        own = Pool()
        for _ in range(2):
            request(server.url + '/x', proxy=proxy.url, tunnel=True, pool=own).end()
        assert [seen.target for seen in server.requests] == ['/x', '/x']
        assert proxy.opened == [server.authority] * 2  # as in Node: such a tunnel serves one request

    def test_an_ipv6_origin_stands_in_brackets(self, authority: Authority) -> None:
        """X3."""
        try:
            origin = HttpServer(tls=authority.context(), host='::1')
        except OSError:
            pytest.skip('this machine has no IPv6 loopback')
        with origin, Tunnels() as proxy:
            assert request(origin.url, proxy=proxy.url, ca=authority.path).end().status_code == 200
            assert proxy.opened == [f'[::1]:{origin.port}']

    def test_tunnels_with_tls_inside_are_kept(
        self, proxy: Tunnels, tls_server: HttpServer, authority: Authority
    ) -> None:
        own = Pool()
        for _ in range(3):
            request(tls_server.url, proxy=proxy.url, ca=authority.path, pool=own).end()
        assert (len(proxy.opened), len(tls_server.requests)) == (1, 3)

    def test_tunnels_are_kept_apart_by_credentials_proxy_and_what_the_proxy_is_told(
        self, proxy: Tunnels, tls_server: HttpServer, authority: Authority
    ) -> None:
        own = Pool()
        ask = request.defaults(
            uri=tls_server.url, ca=authority.path, pool=own, proxy=proxy.url, proxy_header_exclusive_list=['x-for']
        )
        for _ in range(2):
            ask().end()
            ask(proxy=credentialed(proxy)).end()
            ask(proxy=credentialed(proxy, 'bob:x')).end()
            ask(headers={'proxy-authorization': 'Own x'}).end()
            ask(headers={'x-for': ['a', 'b']}).end()
            ask(proxy=None).end()
        assert len(proxy.opened) == 5
        assert tls_server.connections == 6

    def test_the_white_list_says_what_connect_repeats(
        self, proxy: Tunnels, tls_server: HttpServer, authority: Authority
    ) -> None:
        headers = {'User-Agent': 'me', 'x-one': '1', 'x-two': '2', 'Accept': 'a/b', 'host': 'other.test'}
        ask = request.defaults(uri=tls_server.url, ca=authority.path, proxy=proxy.url, headers=headers, pool=False)
        ask().end()
        ask(proxy_header_white_list=['X-One', 'Host', 'content-length']).end()
        place = f'127.0.0.1:{tls_server.port}'
        assert fields_of(proxy.heads[0]) == {'user-agent': 'me', 'accept': 'a/b', 'host': place}
        assert fields_of(proxy.heads[1]) == {'x-one': '1', 'host': place}
        assert proxy.heads[1].lower().count(b'host:') == 1
        for seen in tls_server.requests:
            assert {name.lower(): value for name, value in seen.headers} == {
                **{name.lower(): value for name, value in headers.items()},
                'connection': 'close',
            }

    def test_no_list_gives_connect_a_length(self, proxy: Tunnels, tls_server: HttpServer, authority: Authority) -> None:
        request.post(
            tls_server.url,
            body='abc',
            headers={'content-length': '3', 'content-type': 'text/x'},
            proxy=proxy.url,
            ca=authority.path,
            proxy_header_white_list=['content-length', 'content-type', 'transfer-encoding'],
        ).end()
        assert fields_of(proxy.heads[0]).keys() == {'content-type', 'host'}
        assert tls_server.requests[0].body == b'abc'

    def test_the_exclusive_list_goes_to_the_proxy_alone(
        self, proxy: Tunnels, tls_server: HttpServer, authority: Authority
    ) -> None:
        request(
            tls_server.url,
            headers={'X-Team': 'blue', 'proxy-authorization': 'Own x', 'x-other': '1'},
            proxy=proxy.url,
            ca=authority.path,
            proxy_header_exclusive_list=['x-team'],
        ).end()
        told = fields_of(proxy.heads[0])
        assert (told['x-team'], told['proxy-authorization'], 'x-other' in told) == ('blue', 'Own x', False)
        seen = tls_server.requests[0]
        assert (seen.header('x-team'), seen.header('proxy-authorization'), seen.header('x-other')) == (None, None, '1')

    def test_a_proxy_that_wants_to_know_who_we_are_says_how_to_say_it(self) -> None:
        body = b'HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n'
        with Tunnels(lambda head: body) as proxy:
            with pytest.raises(ProxyRefused, match=r'statusCode=407; .* give it as http://user:password@host:port'):
                request('https://example.test/', proxy=proxy.url).end()
            with pytest.raises(ProxyRefused, match=r'statusCode=407(?!; the proxy wants)') as caught:
                request('https://example.test/', proxy=proxy.url.replace('//', '//ann:s3cret@')).end()
        assert 's3cret' not in str(caught.value)

    def test_a_refused_tunnel_has_the_status(self) -> None:
        """S13: nothing that the proxy says to CONNECT is the response."""
        body = b'HTTP/1.1 403 No\r\nx-why: rules\r\ncontent-length: 2\r\n\r\nno'
        with Tunnels(lambda head: body) as proxy, pytest.raises(ProxyRefused) as caught:
            request('https://example.test/', proxy=proxy.url).end()
        error = caught.value
        assert (error.status_code, error.code, dict(error.fields)['x-why']) == (403, 'ECONNRESET', 'rules')
        assert str(error).startswith('tunneling socket could not be established, statusCode=403')
        assert f'through the proxy http://127.0.0.1:{proxy.port}' in str(error)
        again = pickle.loads(pickle.dumps(error))
        assert (again.status_code, again.fields, str(again)) == (403, error.fields, str(error))

    def test_a_proxy_that_is_not_there_is_a_proxy_error(self) -> None:
        port = closed_port()
        with pytest.raises(ProxyError, match=f'cause=connect ECONNREFUSED.*127.0.0.1:{port}') as caught:
            request('https://example.test/', proxy=f'http://ann:s3cret@127.0.0.1:{port}').end()
        assert caught.value.code == 'ECONNRESET'
        assert 's3cret' not in repr(caught.value)

    def test_a_proxy_that_speaks_before_the_origin_is_an_error(self) -> None:
        """S13."""
        early = b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
        with Tunnels(lambda head: early) as proxy, pytest.raises(ProxyError, match='before the tunnel was used'):
            request('http://example.test/', proxy=proxy.url, tunnel=True).end()

    def test_a_proxy_that_does_not_speak_http_is_a_malformed_response(self) -> None:
        with Tunnels(lambda head: b'SSH-2.0-x\r\n\r\n') as proxy, pytest.raises(MalformedResponse):
            request('https://example.test/', proxy=proxy.url).end()

    def test_interim_answers_to_connect_are_passed_over(self, tls_server: HttpServer, authority: Authority) -> None:
        with Tunnels() as proxy:
            proxy.judge = lambda head: None
            first = b'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'
            relaying = proxy._one
            proxy.handler = lambda sock, head: (sock.sendall(first), relaying(sock, head))[1]
            assert request(tls_server.url, proxy=proxy.url, ca=authority.path).end().status_code == 200

    def test_the_matrix_of_schemes_and_tunnel(
        self,
        server: HttpServer,
        tls_server: HttpServer,
        proxy: Tunnels,
        tls_proxy: Tunnels,
        authority: Authority,
        http_server: Servers,
    ) -> None:
        """Both kinds of origin, both kinds of proxy, each way to ask."""
        forwards = {'http': http_server(), 'https': http_server(tls=authority.context())}
        tunnels = {'http': proxy, 'https': tls_proxy}
        origins = {'http': server, 'https': tls_server}
        for of_proxy, of_origin, tunnel in itertools.product(forwards, origins, (None, True, False)):
            through = of_origin == 'https' if tunnel is None else tunnel
            way = tunnels[of_proxy] if through else forwards[of_proxy]
            origin = origins[of_origin]
            more = {} if tunnel is None else {'tunnel': tunnel}
            seen_before = len(origin.requests)
            response = request(origin.url + '/m', proxy=way.url, ca=authority.path, **more).end()
            assert response.status_code == 200
            assert len(origin.requests) - seen_before == through
            target = '/m' if through else origin.url + '/m'
            assert response.json()['target'] == target

    @pytest.mark.parametrize('secure', [False, True])
    def test_a_proxy_may_have_an_ipv6_address(
        self, authority: Authority, server: HttpServer, tls_server: HttpServer, secure: bool
    ) -> None:
        tls = authority.context() if secure else None
        try:
            forward = HttpServer(tls=tls, host='::1')
        except OSError:
            pytest.skip('this machine has no IPv6 loopback')
        ask = request.defaults(ca=authority.path)
        with forward, Tunnels(tls=tls, host='::1') as proxy, Socks(('127.0.0.1', server.port), host='::1') as socks:
            assert ask('http://a.test/', proxy=forward.url).end().json()['target'] == 'http://a.test/'
            assert ask(tls_server.url, proxy=proxy.url).end().status_code == 200
            assert ask('http://a.test/', proxy=f'socks5h://{socks.authority}').end().status_code == 200
            proxy.judge = lambda head: b'HTTP/1.1 403 No\r\n\r\n'
            with pytest.raises(ProxyRefused, match=rf'\[::1\]:{proxy.port}'):
                ask(tls_server.url, proxy=credentialed(proxy)).end()


class TestLayers:
    """TLS inside TLS."""

    def test_a_big_download(self, tls_proxy: Tunnels, tls_server: HttpServer, authority: Authority) -> None:
        big = bytes(range(256)) * 40_000
        tls_server.answers = lambda seen: reply(big)
        response = request(tls_server.url, proxy=tls_proxy.url, ca=authority.path, encoding=None).end()
        assert response.body == big

    def test_a_big_upload(self, tls_proxy: Tunnels, tls_server: HttpServer, authority: Authority) -> None:
        big = bytes(range(256)) * 40_000
        tls_server.answers = lambda seen: reply(hashlib.sha256(seen.body).hexdigest())
        response = request.put(tls_server.url, body=io.BytesIO(big), proxy=tls_proxy.url, ca=authority.path).end()
        assert response.body == hashlib.sha256(big).hexdigest()

    def test_both_directions_at_once(self, tls_proxy: Tunnels, authority: Authority) -> None:
        """D4: an origin that echoes while it reads."""
        total = 20_000_000

        def echoing(sock: socket.socket, head: bytes) -> None:
            rest = head.partition(b'\r\n\r\n')[2]
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n' % total + rest)
            done = len(rest)
            while done < total:
                data = sock.recv(65536)
                sock.sendall(data)
                done += len(data)

        piece = bytes(range(256)) * 256
        pieces = itertools.islice(itertools.repeat(piece), total // len(piece))
        with RawServer(echoing, tls=authority.context()) as origin:
            total = total // len(piece) * len(piece)
            response = request.post(
                origin.url,
                body=pieces,
                headers={'content-length': total},
                proxy=tls_proxy.url,
                ca=authority.path,
                encoding=None,
                timeout=20_000,
            ).end()
        assert response.body == piece * (total // len(piece))

    def test_an_early_answer_is_taken_although_the_origin_reads_no_more(
        self, tls_proxy: Tunnels, authority: Authority
    ) -> None:
        """D4: what could not be sent any more does not stand in the way."""
        enough = threading.Event()

        def refusing(sock: socket.socket, head: bytes) -> None:
            sock.sendall(b'HTTP/1.1 413 Too much\r\ncontent-length: 3\r\n\r\nbig')
            enough.wait(10)

        with RawServer(refusing, tls=authority.context()) as origin:
            response = request.post(
                origin.url, body=io.BytesIO(bytes(30_000_000)), proxy=tls_proxy.url, ca=authority.path, timeout=5000
            ).end()
            enough.set()
        assert (response.status_code, response.body) == (413, 'big')

    def test_a_tunnel_with_two_layers_is_kept(
        self, tls_proxy: Tunnels, tls_server: HttpServer, authority: Authority
    ) -> None:
        own = Pool()
        for _ in range(3):
            request(tls_server.url, proxy=tls_proxy.url, ca=authority.path, pool=own).end()
        assert (len(tls_proxy.opened), len(tls_server.requests)) == (1, 3)

    def test_only_close_notify_of_the_origin_ends_a_body(self, tls_proxy: Tunnels, authority: Authority) -> None:
        """S2."""

        def cut(sock: Any, head: bytes) -> None:
            sock.sendall(b'HTTP/1.1 200 OK\r\n\r\nhalf')

        def whole(sock: Any, head: bytes) -> None:
            sock.sendall(b'HTTP/1.1 200 OK\r\n\r\nwhole')
            with pytest.raises(OSError):  # it answers when the client closes, or not at all
                sock.unwrap()

        with RawServer(whole, tls=authority.context()) as origin:
            assert request(origin.url, proxy=tls_proxy.url, ca=authority.path).end().body == 'whole'
        with RawServer(cut, tls=authority.context()) as origin, pytest.raises(RequestError, match='close_notify'):
            request(origin.url, proxy=tls_proxy.url, ca=authority.path).end()

    def test_a_handshake_that_stalls_inside_is_a_connect_timeout(self, tls_proxy: Tunnels) -> None:
        """D1."""
        with socket.create_server(('127.0.0.1', 0)) as silent:
            start = time.monotonic()
            with pytest.raises(ConnectTimeout):
                request(
                    f'https://127.0.0.1:{silent.getsockname()[1]}',
                    proxy=tls_proxy.url,
                    strict_ssl=False,
                    timeout=300,
                ).end()
        assert time.monotonic() - start < 3

    def test_a_body_that_drips_ends_at_the_deadline(self, tls_proxy: Tunnels, authority: Authority) -> None:
        """D2."""

        def dripping(sock: socket.socket, head: bytes) -> None:
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n')
            for _ in range(100):
                sock.sendall(b'x')
                time.sleep(0.05)

        with RawServer(dripping, tls=authority.context()) as origin:
            start = time.monotonic()
            with pytest.raises(DeadlineExceeded):
                request(origin.url, proxy=tls_proxy.url, ca=authority.path, deadline=500).end()
            assert time.monotonic() - start < 2

    @pytest.mark.parametrize(('limit', 'error'), [('deadline', DeadlineExceeded), ('timeout', ReadTimeout)])
    def test_a_record_that_drips_through_the_outer_layer_takes_no_longer_than_one_read(
        self, authority: Authority, http_server: Servers, limit: str, error: type[RequestError]
    ) -> None:
        """D1, D2: the outer layer has something to read all the time."""
        origin = http_server(lambda seen: reply(bytes(10_000)), tls=authority.context())

        def drip(sock: Any, head: bytes) -> None:
            sock.sendall(ESTABLISHED)
            sock.settimeout(0.02)
            passed = 0
            with socket.create_connection(('127.0.0.1', origin.port), 10) as behind:
                behind.settimeout(0.001)
                while True:
                    with contextlib.suppress(TimeoutError):
                        behind.sendall(sock.recv(65536))
                    with contextlib.suppress(TimeoutError):
                        data = behind.recv(4000 if passed < 4000 else 1)
                        passed += len(data)
                        sock.sendall(data)

        with RawServer(drip, tls=authority.context()) as proxy:
            options: Any = {limit: 1000}
            start = time.monotonic()
            with pytest.raises(error):
                request(origin.url, proxy=proxy.url, ca=authority.path, **options).end()
            assert time.monotonic() - start < 3


class TestCertificates:
    """T3: the origin's through a proxy, the proxy's own, and who sees the client's."""

    def test_t3_the_certificate_of_the_origin_is_checked_through_a_proxy(
        self, proxy: Tunnels, tls_server: HttpServer
    ) -> None:
        with pytest.raises(CertificateError) as caught:
            request(tls_server.url, proxy=proxy.url).end()
        assert tls_server.authority in str(caught.value)
        assert tls_server.requests == []

    def test_t3_the_name_of_the_origin_is_checked_and_not_that_of_the_proxy(
        self, authority: Authority, http_server: Servers
    ) -> None:
        origin = http_server(tls=authority.context('127.0.0.1'))
        with Tunnels(led=lambda port: origin.port) as proxy, pytest.raises(CertificateError) as caught:
            request('https://other.test/', proxy=proxy.url, ca=authority.path).end()
        assert caught.value.code == 'ERR_TLS_CERT_ALTNAME_INVALID'

    def test_t3_the_certificate_of_an_https_proxy_is_checked_when_it_is_asked(self, tls_server: HttpServer) -> None:
        with pytest.raises(CertificateError):
            request('http://example.test/', proxy=credentialed(tls_server)).end()
        assert tls_server.requests == []

    def test_t3_the_certificate_of_an_https_proxy_is_checked_before_connect(
        self, tls_proxy: Tunnels, tls_server: HttpServer
    ) -> None:
        for origin in (tls_server.url, 'http://example.test/'):
            with pytest.raises(CertificateError) as caught:
                request(origin, proxy=credentialed(tls_proxy), tunnel=True).end()
            assert f'127.0.0.1:{tls_proxy.port}' in str(caught.value)
        assert tls_proxy.heads == []

    @pytest.mark.parametrize('tunnel', [True, False])
    def test_t3_the_name_of_an_https_proxy_is_checked(
        self, authority: Authority, tls_server: HttpServer, tunnel: bool
    ) -> None:
        """Whatever the origin is to be called."""
        with Tunnels(tls=authority.context('other.test')) as proxy:
            with pytest.raises(CertificateError) as caught:
                request(
                    tls_server.url, proxy=proxy.url, ca=authority.path, tunnel=tunnel, server_hostname='other.test'
                ).end()
            assert caught.value.code == 'ERR_TLS_CERT_ALTNAME_INVALID'
            assert proxy.heads == []

    def test_t3_both_certificates_are_checked_where_there_are_two(
        self, tls_proxy: Tunnels, authority: Authority, http_server: Servers
    ) -> None:
        wrong = http_server(tls=authority.context('other.test'))
        with pytest.raises(CertificateError) as caught:
            request(wrong.url, proxy=tls_proxy.url, ca=authority.path).end()
        assert caught.value.code == 'ERR_TLS_CERT_ALTNAME_INVALID'
        assert wrong.authority in str(caught.value)
        assert wrong.requests == []

    def test_t3_a_client_certificate_is_shown_to_the_origin_and_never_to_the_proxy(
        self, authority: Authority, tmp_path: Any
    ) -> None:
        import trustme

        certificate = trustme.CA.issue_cert(authority._ca, 'client.test')
        own = tmp_path / 'client.pem'
        own.write_bytes(
            certificate.private_key_pem.bytes() + b''.join(item.bytes() for item in certificate.cert_chain_pems)
        )
        shown: list[tuple[str, Any]] = []

        def asking(name: str) -> tuple[ssl.SSLContext, Callable[[Any], None]]:
            context = authority.context()
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(authority.path)
            return context, lambda sock: shown.append((name, sock.getpeercert()))

        outer, note_outer = asking('proxy')
        inner, note_inner = asking('origin')

        def origin_says(sock: Any, head: bytes) -> None:
            note_inner(sock)
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')

        with RawServer(origin_says, tls=inner) as origin, Tunnels(tls=outer) as proxy:
            opening = proxy._one
            proxy.handler = lambda sock, head: (note_outer(sock), opening(sock, head))[1]
            request(origin.url, proxy=proxy.url, ca=authority.path, cert=str(own), key=str(own)).end()
            proxy.handler = lambda sock, head: (note_outer(sock), sock.sendall(Answer().wire()))[0]
            request('http://a.test/', proxy=proxy.url, ca=authority.path, cert=str(own), key=str(own)).end()
        assert [(name, bool(certificate)) for name, certificate in shown] == [
            ('proxy', False),
            ('origin', True),
            ('proxy', False),
        ]


NONCES = itertools.count(1)


class Guard:
    """Lets in who proves to be ann by Digest, or by Basic where it `offers` that."""

    def __init__(self, offers: str = 'digest') -> None:
        self.offers = offers
        self.nonces: set[str] = set()
        self.said: list[str | None] = []
        self.counts: set[tuple[str, str]] = set()

    def refusal(self, head: bytes) -> Answer | None:
        method, target = head.decode('latin-1').split(' ')[:2]
        said = fields_of(head).get('proxy-authorization')
        self.said.append(said)
        if self.offers == 'basic':
            right = said == BASIC
            return None if right else reply('who?', 407, proxy_authenticate='Basic realm="p"')
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', said or ''))
        if (said or '').startswith('Digest ') and given['nonce'] in self.nonces:
            secret = hashlib.md5(b'ann:p:s3cret').hexdigest()
            asked = hashlib.md5(f'{method}:{target}'.encode()).hexdigest()
            middle = f'{given["nonce"]}:{given["nc"]}:{given["cnonce"]}:auth'
            use = given['nonce'], given['nc']
            if (
                given['response'] == hashlib.md5(f'{secret}:{middle}:{asked}'.encode()).hexdigest()
                and given['uri'] == target
            ):
                assert use not in self.counts, 'a count came twice'
                self.counts.add(use)
                return None
        nonce = f'n{next(NONCES)}'
        self.nonces.add(nonce)
        return reply('who?', 407, proxy_authenticate=f'Digest realm="p", qop="auth", nonce="{nonce}"')

    def wire(self, head: bytes) -> bytes | None:
        answer = self.refusal(head)
        return None if answer is None else answer.wire()

    def forward(self, seen: Seen) -> Answer:
        return self.refusal(seen.raw_head) or echo(seen)


class TestLogins:
    """407."""

    def test_digest_is_answered_and_goes_on_without_being_asked(self, server: HttpServer) -> None:
        guard = Guard()
        server.answers = guard.forward
        for path in ('/a', '/b', '/c'):
            assert request(f'http://example.test{path}', proxy=credentialed(server)).end().status_code == 200
        assert [said and said.split(' ')[0] for said in guard.said] == ['Basic', 'Digest', 'Digest', 'Digest']
        assert server.connections == 1

    def test_digest_is_answered_with_its_content_once_more(self, server: HttpServer) -> None:
        guard = Guard()
        server.answers = guard.forward
        response = request.post('http://example.test/', body='abc', proxy=credentialed(server)).end()
        assert response.json()['body'] == 'abc'

    def test_content_that_is_used_up_gives_the_407(self, server: HttpServer) -> None:
        """R14."""
        server.answers = Guard().forward
        response = request.post('http://example.test/', body=iter([b'abc']), proxy=credentialed(server)).end()
        assert response.status_code == 407

    def test_digest_is_answered_at_connect_even_for_content_that_goes_once(
        self, tls_server: HttpServer, authority: Authority
    ) -> None:
        guard = Guard()
        ask = request.defaults(ca=authority.path, pool=False)
        with Tunnels(guard.wire) as proxy:
            for body in (b'abc', b'def'):
                response = ask.post(tls_server.url, body=iter([body]), proxy=credentialed(proxy)).end()
                assert response.json()['body'] == body.decode()
        assert [said and said.split(' ')[0] for said in guard.said] == ['Basic', 'Digest', 'Digest']

    def test_an_expired_nonce_is_answered_anew(self, server: HttpServer) -> None:
        guard = Guard()
        server.answers = guard.forward
        ask = request.defaults(uri='http://example.test/', proxy=credentialed(server))
        ask().end()
        guard.nonces.clear()
        assert ask().end().status_code == 200
        assert ask().end().status_code == 200
        assert len(guard.said) == 5

    def test_a_wrong_password_is_said_a_bounded_number_of_times(self, server: HttpServer) -> None:
        """A3."""
        guard = Guard()
        server.answers = guard.forward
        response = request('http://example.test/', proxy=credentialed(server, 'ann:wrong')).end()
        assert (response.status_code, len(guard.said)) == (407, 2)

    def test_a_wrong_password_at_connect_is_a_refused_tunnel(self) -> None:
        guard = Guard()
        with Tunnels(guard.wire) as proxy, pytest.raises(ProxyRefused) as caught:
            request('https://example.test/', proxy=credentialed(proxy, 'ann:wrong')).end()
        assert (caught.value.status_code, len(guard.said)) == (407, 2)

    @pytest.mark.parametrize('login', ['ann:wrong', ''])
    def test_a_wrong_basic_password_is_said_once(self, server: HttpServer, login: str) -> None:
        guard = Guard('basic')
        server.answers = guard.forward
        address = credentialed(server, login) if login else server.url
        assert request('http://example.test/', proxy=address).end().status_code == 407
        assert len(guard.said) == 1

    def test_basic_suffices_for_connect(self, tls_server: HttpServer, authority: Authority) -> None:
        guard = Guard('basic')
        with Tunnels(guard.wire) as proxy:
            request(tls_server.url, proxy=credentialed(proxy), ca=authority.path).end()
        assert guard.said == [BASIC]

    def test_a_proxy_that_turns_from_digest_to_basic_gets_basic_the_next_time(self, server: HttpServer) -> None:
        guard = Guard()
        server.answers = guard.forward
        ask = request.defaults(uri='http://example.test/', proxy=credentialed(server))
        ask().end()
        guard.offers = 'basic'
        assert ask().end().status_code == 407
        assert ask().end().status_code == 200

    def test_a_407_that_comes_out_of_a_tunnel_is_the_origins_and_nobody_answers_it(
        self, proxy: Tunnels, tls_server: HttpServer, authority: Authority
    ) -> None:
        guard = Guard()
        tls_server.answers = guard.forward
        response = request(tls_server.url, proxy=credentialed(proxy), ca=authority.path).end()
        assert response.status_code == 407
        assert guard.said == [None]
        assert proxied._sessions == {}

    def test_a_407_of_an_origin_behind_socks_is_not_answered(self, server: HttpServer) -> None:
        guard = Guard()
        server.answers = guard.forward
        with Socks(('127.0.0.1', server.port), (b'ann', b's3cret')) as proxy:
            response = request('http://a.test/', proxy=f'socks5h://ann:s3cret@127.0.0.1:{proxy.port}').end()
        assert (response.status_code, guard.said) == (407, [None])


class TestSecrets:
    """X1: what is meant for a proxy reaches nobody else."""

    def test_x1_nothing_for_the_proxy_goes_through_the_tunnel(
        self, proxy: Tunnels, server: HttpServer, tls_server: HttpServer, authority: Authority
    ) -> None:
        request(server.url, proxy=credentialed(proxy), tunnel=True).end()
        request(tls_server.url, proxy=credentialed(proxy), ca=authority.path).end()
        assert [fields_of(head)['proxy-authorization'] for head in proxy.heads] == [BASIC, BASIC]
        assert proxy.passed is not None
        assert b'proxy-authorization' not in proxy.passed.lower()
        for seen in (*server.requests, *tls_server.requests):
            assert seen.header('proxy-authorization') is None

    def test_x1_nothing_for_the_proxy_goes_to_an_origin_that_is_reached_directly(self, server: HttpServer) -> None:
        headers = {'Proxy-Authorization': BASIC, 'x-team': 'blue', 'x-else': '1'}
        request(server.url, headers=headers, proxy_header_exclusive_list=['x-team']).end()
        request.defaults(headers=headers)(server.url).end()
        assert [seen.header('proxy-authorization') for seen in server.requests] == [None, None]
        assert [seen.header('x-team') for seen in server.requests] == [None, 'blue']

    def test_x1_nor_through_a_socks_proxy(self, server: HttpServer) -> None:
        with Socks(('127.0.0.1', server.port)) as proxy:
            request(
                'http://a.test/', headers={'proxy-authorization': BASIC}, proxy=f'socks5h://127.0.0.1:{proxy.port}'
            ).end()
        assert server.requests[0].header('proxy-authorization') is None

    def test_x1_the_target_of_a_redirect_past_the_proxy_gets_nothing(
        self, server: HttpServer, http_server: Servers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        middle = http_server(lambda seen: redirect(server.url + '/end'))
        monkeypatch.setenv('HTTP_PROXY', credentialed(middle))
        monkeypatch.setenv('NO_PROXY', '127.0.0.1')
        request('http://example.test/', headers={'proxy-authorization': 'Own x'}).end()
        request('http://example.test/').end()
        assert [seen.header('proxy-authorization') for seen in middle.requests] == ['Own x', BASIC]
        assert [seen.header('proxy-authorization') for seen in server.requests] == [None, None]

    def test_x1_a_redirect_through_another_proxy_takes_nothing_along(
        self, http_server: Servers, tls_server: HttpServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = http_server(lambda seen: redirect(tls_server.url))
        with Tunnels() as other:
            monkeypatch.setenv('http_proxy', credentialed(one))
            monkeypatch.setenv('https_proxy', other.url)
            request('http://example.test/', ca=authority.path).end()
            request('http://example.test/', ca=authority.path, headers={'proxy-authorization': 'Own x'}).end()
            assert all('proxy-authorization' not in fields_of(head) for head in other.heads)
            assert len(other.heads) >= 1
        assert [seen.header('proxy-authorization') for seen in one.requests] == [BASIC, 'Own x']
        assert [seen.header('proxy-authorization') for seen in tls_server.requests] == [None, None]

    def test_x1_userinfo_of_the_proxy_follows_a_redirect_to_the_same_proxy(self, http_server: Servers) -> None:
        """It is the proxy that is asked, whoever the origin is."""
        one = http_server(lambda seen: redirect('http://b.test/') if 'a.test' in seen.target else reply('end'))
        assert request('http://a.test/', proxy=credentialed(one)).end().body == 'end'
        assert [seen.header('proxy-authorization') for seen in one.requests] == [BASIC, BASIC]

    def test_q9_the_password_of_the_proxy_is_shown_nowhere(
        self, server: HttpServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caplog.set_level(logging.DEBUG)
        monkeypatch.setattr(request, 'debug', True)
        address = f'http://ann:s3cret@127.0.0.1:{closed_port()}'
        shown: list[str] = []
        for target in ('https://example.test/', 'http://example.test/'):
            made = request(target, proxy=address)
            shown += [repr(made), made.to_curl()]
            with pytest.raises(RequestError) as caught:
                made.end()
            error = caught.value
            shown += [repr(error), str(error), repr(error.__dict__), repr(pickle.dumps(error))]
            assert address.rpartition('@')[2] in str(error)
        done = request('http://example.test/', proxy=credentialed(server)).end()
        shown += [repr(done), repr(done.request), caplog.text, repr(request.defaults(proxy=address))]
        with Tunnels(lambda head: b'HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n') as proxy:
            with pytest.raises(ProxyRefused) as refused:
                request('https://example.test/', proxy=credentialed(proxy)).end()
            shown += [repr(refused.value), repr(refused.value.__dict__), repr(pickle.dumps(refused.value))]
        text = '\n'.join(shown)
        assert 's3cret' not in text
        assert BASIC.split(' ')[1] not in text


class TestClocks:
    """X3, D1, D2: whatever a proxy does, it is over in time."""

    @pytest.mark.parametrize('scheme', ['http', 'socks5h', 'socks4a'])
    def test_x3_a_proxy_that_stalls_is_a_connect_timeout(self, scheme: str) -> None:
        with socket.create_server(('127.0.0.1', 0)) as silent:
            place = f'127.0.0.1:{silent.getsockname()[1]}'
            start = time.monotonic()
            with pytest.raises(ConnectTimeout, match=f'through the proxy {scheme}://{place}'):
                request('https://example.test/', proxy=f'{scheme}://{place}', timeout=300).end()
        assert 0.25 < time.monotonic() - start < 2

    @pytest.mark.parametrize(('limit', 'error'), [('timeout', ConnectTimeout), ('deadline', DeadlineExceeded)])
    def test_x3_a_proxy_that_drips_its_answer_to_connect_is_bounded(
        self, limit: str, error: type[RequestError]
    ) -> None:
        def dripping(sock: socket.socket, head: bytes) -> None:
            for char in b'HTTP/1.1 200 OK\r\nx: ' + b'y' * 500:
                sock.sendall(bytes([char]))
                time.sleep(0.03)

        with RawServer(dripping) as proxy:
            start = time.monotonic()
            options: Any = {limit: 400}
            with pytest.raises(error):
                request('https://example.test/', proxy=proxy.url, **options).end()
            assert time.monotonic() - start < 2

    def test_x3_an_answer_to_connect_without_end_is_malformed(self) -> None:
        def endless(sock: socket.socket, head: bytes) -> None:
            sock.sendall(b'HTTP/1.1 200 OK\r\n')
            while True:
                sock.sendall(b'x: y\r\n' * 1000)

        with RawServer(endless) as proxy, pytest.raises(MalformedResponse) as caught:
            request('https://example.test/', proxy=proxy.url, deadline=5000).end()
        assert caught.value.code == 'HPE_HEADER_OVERFLOW'

    @pytest.mark.parametrize(('limit', 'error'), [('timeout', ConnectTimeout), ('deadline', DeadlineExceeded)])
    def test_x4_a_socks_proxy_that_drips_is_bounded(self, limit: str, error: type[RequestError]) -> None:
        class Dripping(Socks):
            def serve(self, sock: socket.socket) -> None:
                sock.recv(100)
                sock.sendall(b'\x05\x00')
                sock.recv(100)
                for char in b'\x05\x00\x00\x03\xff' + b'x' * 100:
                    sock.sendall(bytes([char]))
                    time.sleep(0.03)

        with Dripping(('127.0.0.1', 1)) as proxy:
            start = time.monotonic()
            options: Any = {limit: 400}
            with pytest.raises(error):
                request('http://a.test/', proxy=f'socks5h://127.0.0.1:{proxy.port}', **options).end()
            assert time.monotonic() - start < 2

    def test_a_tls_handshake_with_the_proxy_that_stalls_is_a_connect_timeout(self) -> None:
        with socket.create_server(('127.0.0.1', 0)) as silent:
            place = f'127.0.0.1:{silent.getsockname()[1]}'
            for target in ('http://example.test/', 'https://example.test/'):
                start = time.monotonic()
                with pytest.raises(ConnectTimeout):
                    request(target, proxy=f'https://{place}', timeout=300).end()
                assert time.monotonic() - start < 2

    @pytest.mark.parametrize('scheme', ['http', 'https', 'socks5h'])
    def test_an_abort_ends_the_waiting_for_a_proxy_at_once(self, scheme: str) -> None:
        with socket.create_server(('127.0.0.1', 0)) as silent:
            made = request('https://example.test/', proxy=f'{scheme}://127.0.0.1:{silent.getsockname()[1]}')
            threading.Timer(0.2, made.abort).start()
            start = time.monotonic()
            with pytest.raises(AbortError):
                made.end()
            assert time.monotonic() - start < 2

    def test_an_abort_ends_the_handshake_with_the_origin_inside_two_layers(self, tls_proxy: Tunnels) -> None:
        with socket.create_server(('127.0.0.1', 0)) as silent:
            made = request(
                f'https://127.0.0.1:{silent.getsockname()[1]}', proxy=tls_proxy.url, strict_ssl=False, timeout=9000
            )
            threading.Timer(0.3, made.abort).start()
            start = time.monotonic()
            with pytest.raises(AbortError):
                made.end()
            assert time.monotonic() - start < 2


class TestSocks:
    """RFC 1928, RFC 1929, and SOCKS 4 with 4a."""

    def address(self, proxy: Socks, scheme: str, login: str = '') -> str:
        return f'{scheme}://{login}127.0.0.1:{proxy.port}'

    def test_socks5h_leaves_the_name_to_the_proxy(self, server: HttpServer) -> None:
        with Socks(('127.0.0.1', server.port)) as proxy:
            request('http://example.test:81/x', proxy=self.address(proxy, 'socks5h')).end()
            assert proxy.asked == [('5:3', b'example.test', 81)]
            assert proxy.greetings == [b'\x00']
        assert (server.requests[0].target, server.requests[0].header('host')) == ('/x', 'example.test:81')

    def test_socks5_looks_the_name_up_here(self, server: HttpServer) -> None:
        with Socks(('127.0.0.1', server.port)) as proxy:
            request('http://localhost:81/', proxy=self.address(proxy, 'socks5')).end()
            request(
                'http://example.test/',
                proxy=self.address(proxy, 'socks5'),
                lookup=lambda host, options: ['2001:db8::1', '192.0.2.1'] if 'example' in host else [host],
            ).end()
            request(
                'http://example.test/',
                proxy=self.address(proxy, 'socks5'),
                lookup=lambda host, options: ['2001:db8::1'] if 'example' in host else [host],
            ).end()
            assert proxy.asked == [
                ('5:1', '127.0.0.1', 81),
                ('5:1', '192.0.2.1', 80),
                ('5:4', '2001:db8::1', 80),
            ]

    def test_addresses_are_sent_as_addresses(self, server: HttpServer) -> None:
        with Socks(('127.0.0.1', server.port)) as proxy:
            for scheme, host in itertools.product(('socks5', 'socks5h'), ('192.0.2.7', '[2001:db8::7]')):
                request(f'http://{host}/', proxy=self.address(proxy, scheme)).end()
            assert proxy.asked == [('5:1', '192.0.2.7', 80), ('5:4', '2001:db8::7', 80)] * 2

    def test_socks4a_leaves_the_name_to_the_proxy_and_socks4_does_not(self, server: HttpServer) -> None:
        with Socks(('127.0.0.1', server.port)) as proxy:
            request('http://example.test/', proxy=self.address(proxy, 'socks4a', 'ann@')).end()
            request('http://localhost:81/', proxy=self.address(proxy, 'socks4')).end()
            request('http://192.0.2.7/', proxy=self.address(proxy, 'socks4a')).end()
            assert proxy.asked == [('4', b'example.test', 80), ('4', '127.0.0.1', 81), ('4', '192.0.2.7', 80)]
            assert proxy.logins == [b'ann', b'', b'']

    def test_socks4_knows_no_ipv6(self, server: HttpServer) -> None:
        with Socks(('127.0.0.1', server.port)) as proxy:
            with pytest.raises(ProxyError, match='use a socks5h:// proxy'):
                request('http://[2001:db8::1]/', proxy=self.address(proxy, 'socks4a')).end()
            assert proxy.asked == []

    def test_user_and_password_are_said_where_the_proxy_asks(self, server: HttpServer) -> None:
        user, password = 'ü' * 100, 'p' * 255
        with Socks(('127.0.0.1', server.port), (user.encode(), password.encode())) as proxy:
            login = f'{user}:{password}@'
            assert request('http://a.test/', proxy=self.address(proxy, 'socks5h', login)).end().status_code == 200
            with pytest.raises(ProxyRefused, match='refused user and password') as caught:
                request('http://a.test/', proxy=self.address(proxy, 'socks5h', 'ann:wr0ng@')).end()
            assert 'wr0ng' not in str(caught.value)
            with pytest.raises(ProxyRefused, match='wants to know who we are'):
                request('http://a.test/', proxy=self.address(proxy, 'socks5h')).end()

    def test_user_and_password_stay_here_where_the_proxy_does_not_ask(self, server: HttpServer) -> None:
        with Socks(('127.0.0.1', server.port)) as proxy:
            request('http://a.test/', proxy=self.address(proxy, 'socks5h', 'ann:s3cret@')).end()
            assert (proxy.greetings, proxy.logins) == ([b'\x00\x02'], [])

    @pytest.mark.parametrize('length', [127, 128, 200, 253])
    def test_x4_a_name_of_any_length_that_is_allowed_arrives_whole(self, server: HttpServer, length: int) -> None:
        name = '.'.join(['a' * 49] * 6)[-length:].strip('.').rjust(length, 'b')
        with Socks(('127.0.0.1', server.port)) as proxy:
            request(f'http://{name}/', proxy=self.address(proxy, 'socks5h')).end()
            assert proxy.asked == [('5:3', name.encode(), 80)]

    @pytest.mark.parametrize('scheme', ['socks5h', 'socks4a'])
    def test_x4_a_name_longer_than_255_is_an_error_and_nobody_looks_it_up(self, scheme: str) -> None:
        from requite.message import AbortSignal, Hop
        from requite.routes import Limits, Proxy, Route
        from requite.transport.pooled import DEFAULT

        asked: list[str] = []

        def lookup(host: str, options: Any) -> list[str]:
            asked.append(host)
            return ['127.0.0.1']

        with Socks(('127.0.0.1', 1)) as proxy:
            way = Proxy(scheme, '127.0.0.1', proxy.port)
            route = Route('http', 'a' * 256, 80, proxy=way, lookup=lookup)
            uri: Any = None
            hop = Hop('GET', uri, '/', (), None, route, None, Limits(5, 5), AbortSignal())
            with pytest.raises(NameNotFound, match='255'):
                DEFAULT.send(hop)
            assert proxy.asked == []
        assert 'a' * 256 not in asked

    def test_tls_goes_through(self, tls_server: HttpServer, authority: Authority) -> None:
        with Socks(('127.0.0.1', tls_server.port)) as proxy:
            own = Pool()
            for _ in range(2):
                response = request(
                    f'https://localhost:{tls_server.port}/x',
                    proxy=self.address(proxy, 'socks5h'),
                    ca=authority.path,
                    pool=own,
                ).end()
                assert response.status_code == 200
            with pytest.raises(CertificateError):
                request('https://other.test/', proxy=self.address(proxy, 'socks5h'), ca=authority.path).end()
        assert tls_server.connections == 2

    def test_connections_through_socks_are_kept_and_kept_apart(self, server: HttpServer) -> None:
        own = Pool()
        with Socks(('127.0.0.1', server.port)) as proxy:
            for login in ('', 'a:b@', '', 'a:b@'):
                request('http://a.test/', proxy=self.address(proxy, 'socks5h', login), pool=own).end()
            request('http://b.test/', proxy=self.address(proxy, 'socks5h'), pool=own).end()
            assert proxy.connections == 3

    @pytest.mark.parametrize(
        ('scheme', 'says', 'words'),
        [
            ('socks5h', b'\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00', 'connection refused'),
            ('socks5h', b'\x05\x63\x00\x01\x00\x00\x00\x00\x00\x00', 'code 99'),
            ('socks5h', b'\x05\x00\x00\x07\x00\x00\x00\x00\x00\x00', 'does not speak SOCKS'),
            ('socks5h', b'HTTP/1.1 400 Bad', 'does not speak SOCKS'),
            ('socks5h', b'\x05\x00', 'closed the connection in the middle'),
            ('socks4a', b'\x00\x5b\x00\x00\x00\x00\x00\x00', 'rejected'),
            ('socks4a', b'\x00\x63\x00\x00\x00\x00\x00\x00', 'code 99'),
            ('socks4a', b'HTTP/1.1 400 Bad', 'does not speak SOCKS'),
        ],
    )
    def test_a_proxy_that_does_not_connect_says_why(self, scheme: str, says: bytes, words: str) -> None:
        with Socks(('127.0.0.1', 1), says=says) as proxy, pytest.raises(ProxyError, match=words) as caught:
            request('http://a.test/', proxy=self.address(proxy, scheme)).end()
        assert f'127.0.0.1:{proxy.port}' in str(caught.value)

    def test_bytes_behind_the_answer_are_the_origins(self, server: HttpServer) -> None:
        """The origin may be quick: its bytes are not lost with the proxy's."""

        class Quick(Socks):
            def serve(self, sock: socket.socket) -> None:
                read_exactly(sock, 3)
                sock.sendall(b'\x05\x00')
                read_exactly(sock, 5 + 6 + 2)
                sock.sendall(b'\x05\x00\x00\x01\x00\x00\x00\x00\x00\x50HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
                sock.recv(65536)

        with Quick(('127.0.0.1', 1)) as proxy:
            assert request('http://a.test/', proxy=self.address(proxy, 'socks5h')).end().body == 'ok'


class TestOutOfReach:
    """The text says that it was the proxy, and who named it."""

    @pytest.mark.parametrize('uri', ['http://example.test/', 'https://example.test/'])
    def test_a_proxy_that_refuses_is_named(self, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
        place = f'127.0.0.1:{closed_port()}'
        with pytest.raises(
            (ConnectionRefused, ProxyError), match=f'the proxy http://{place}|cause=.*{place}'
        ) as caught:
            request(uri, proxy=f'http://ann:s3cret@{place}').end()
        assert 'environment' not in str(caught.value)
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv('HTTP_PROXY', f'http://ann:s3cret@{place}')
        with pytest.raises((ConnectionRefused, ProxyError), match='of the environment variable HTTP_PROXY') as again:
            request(uri).end()
        assert 's3cret' not in str(caught.value) + str(again.value)
        assert (type(again.value), again.value.code) == (type(caught.value), caught.value.code)

    @pytest.mark.parametrize('uri', ['http://example.test/', 'https://example.test/'])
    def test_a_proxy_that_nobody_knows_or_that_is_silent_is_named(self, uri: str) -> None:
        with pytest.raises(
            (NameNotFound, ProxyError), match=r'getaddrinfo ENOTFOUND proxy\.invalid.*the proxy http'
        ) as e:
            request(uri, proxy='http://proxy.invalid:1', lookup=lambda host, options: []).end()
        assert e.value.code in ('ENOTFOUND', 'ECONNRESET')
        with pytest.raises(ConnectTimeout, match=r'within 200 ms .*; that is the proxy http://proxy\.invalid:1'):
            request(
                uri, proxy='http://proxy.invalid:1', timeout=200, lookup=lambda host, options: time.sleep(1) or []
            ).end()


class TestTheEnvironment:
    """Which proxy, decided on every hop."""

    def test_the_environment_is_read_again_for_every_request(
        self, server: HttpServer, http_server: Servers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = http_server(lambda seen: reply('one')), http_server(lambda seen: reply('other'))
        ask = request.defaults()
        bodies = [ask(server.url).end().request.uri.host and 'direct']
        for value in (one.authority, other.url, ''):
            monkeypatch.setenv('http_proxy', value)
            bodies.append(ask(server.url).end().body)
        assert bodies[1:3] == ['one', 'other']
        assert len(server.requests) == 2

    def test_each_hop_of_a_redirect_finds_its_own_way(
        self, server: HttpServer, http_server: Servers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Node keeps the first decision for all hops: mended."""
        middle = http_server(lambda seen: reply('by proxy'))
        monkeypatch.setenv('HTTP_PROXY', middle.url)
        monkeypatch.setenv('NO_PROXY', f'127.0.0.1:{server.port}')
        server.answers = lambda seen: redirect('http://example.test/')
        assert request(server.url).end().body == 'by proxy'
        middle.answers = lambda seen: redirect(server.url + '/end')
        server.answers = lambda seen: reply('directly')
        assert request('http://example.test/').end().body == 'directly'

    def test_an_explicit_proxy_serves_every_hop_whatever_no_proxy_says(
        self, http_server: Servers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv('NO_PROXY', '*')
        one = http_server(lambda seen: redirect('http://b.test/') if 'a.test' in seen.target else reply('end'))
        assert request('http://a.test/', proxy=one.url).end().body == 'end'

    @pytest.mark.parametrize('none', [None, '', False])
    def test_no_proxy_at_all_wins_over_the_environment(
        self, server: HttpServer, monkeypatch: pytest.MonkeyPatch, none: Any
    ) -> None:
        monkeypatch.setenv('HTTP_PROXY', f'http://127.0.0.1:{closed_port()}')
        assert request(server.url, proxy=none).end().status_code == 200
        assert request.defaults(proxy=none)(server.url).end().status_code == 200

    def test_a_variable_that_names_no_proxy_is_an_error_that_says_which(
        self, server: HttpServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv('http_proxy', 'http://ann:s3cret@:80')
        with pytest.raises(RequestError, match="environment variable 'http_proxy' is no address") as caught:
            request(server.url).end()
        assert 's3cret' not in str(caught.value)
        assert server.requests == []

    def test_a_unix_socket_is_reached_without_the_environments_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv('HTTP_PROXY', f'http://127.0.0.1:{closed_port()}')
        with pytest.raises(RequestError, match='unix:/nowhere'):
            request('http://unix:/nowhere:/x').end()

    def test_a_socks_proxy_may_come_from_the_environment(
        self, server: HttpServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Socks(('127.0.0.1', server.port)) as proxy:
            monkeypatch.setenv('HTTP_PROXY', f'socks5h://127.0.0.1:{proxy.port}')
            assert request('http://a.test/', tunnel=True).end().status_code == 200

    def test_the_first_part_of_a_pipe_and_json_work_as_ever(self, server: HttpServer) -> None:
        server.answers = lambda seen: json_reply({'at': seen.target})
        assert request('http://a.test/x', proxy=server.url, json=True).end().body == {'at': 'http://a.test/x'}
