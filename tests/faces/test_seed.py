"""What Node's request said of itself from early on, sentence by sentence: each of them holds here."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from requite import CertificateError, ConnectionRefused, InvalidBody, Pool, RequestError, pipe, request
from requite.cookies import Cookie, CookieJar
from requite.cookies import jar as jars
from tests.servers import Answer, Authority, HttpServer, Seen, closed_port, redirect, reply


def told(response: Any) -> Any:
    """The request as the echoing server saw it."""
    return json.loads(response.body)


def headers(response: Any) -> dict[str, str]:
    """Its header fields."""
    return dict(told(response)['headers'])


@contextmanager
def served(handle: Callable[[BaseHTTPRequestHandler], object]) -> Iterator[str]:
    """A server of Python's own whose every request is given to a function."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_GET(self) -> None:
            handle(self)

        do_POST = do_PUT = do_GET  # noqa: N815

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f'http://127.0.0.1:{server.server_port}'
        finally:
            server.shutdown()


def logins(seen: Seen) -> Answer:
    """Says how it was asked, and asks for Digest until that is there."""
    if (seen.header('authorization') or '').startswith('Digest '):
        return reply('welcome')
    return Answer(401, {'www-authenticate': 'Digest realm="r", nonce="n", qop="auth"'}, b'', 'Unauthorized')


# -- streams


class TestStreams:
    def test_a_file_goes_into_a_put_with_the_type_of_its_extension(self, server: HttpServer, tmp_path: Path) -> None:
        (tmp_path / 'file.json').write_text('{"a": 1}')
        put = pipe((tmp_path / 'file.json').open('rb'), request.put(server.url + '/obj.json'))
        assert headers(put.response)['content-type'] == 'application/json'
        assert told(put.response)['body'] == '{"a": 1}'

    def test_a_type_in_the_headers_stays(self, server: HttpServer, tmp_path: Path) -> None:
        (tmp_path / 'file.json').write_text('{}')
        given = {'content-type': 'application/x-mine'}
        post = pipe((tmp_path / 'file.json').open('rb'), request.post(server.url, headers=given))
        assert headers(post.response)['content-type'] == 'application/x-mine'

    def test_what_a_server_received_is_piped_on_with_method_headers_and_content(self, server: HttpServer) -> None:
        def proxy(received: BaseHTTPRequestHandler) -> None:
            if received.path == '/doodle.png':
                x = request(server.url + '/doodle.png')
                pipe(received, x)
                x.pipe(received)

        with served(proxy) as here:
            response = request.put(here + '/doodle.png', headers={'x-mine': 'yes'}, body='content').response
        assert (told(response)['method'], told(response)['target'], told(response)['body']) == (
            'PUT',
            '/doodle.png',
            'content',
        )
        assert headers(response)['x-mine'] == 'yes'

    def test_pipe_returns_the_destination_so_that_a_proxy_is_one_line(self, server: HttpServer) -> None:
        with served(lambda received: pipe(received, request(server.url + '/doodle.png')).pipe(received)) as here:
            assert told(request.post(here, body='one line').response)['body'] == 'one line'
        sink = io.BytesIO()
        assert request(server.url).pipe(sink) is sink


# -- forms


class TestForms:
    def test_a_form_with_files_is_piped_and_has_its_headers_by_itself(self, server: HttpServer) -> None:
        upload = request.post(server.url)
        upload.form().append('field', 'value').append('file', b'...', {'filename': 'a.bin'})
        response = upload.response
        assert headers(response)['content-type'].startswith('multipart/form-data; boundary=')
        assert int(headers(response)['content-length']) == len(told(response)['body'])
        assert 'name="file"; filename="a.bin"' in told(response)['body']

    def test_an_object_becomes_a_querystring(self, server: HttpServer) -> None:
        response = request.post(server.url, {'form': {'a': 'b c', 'd': 1}}).response
        assert told(response)['body'] == 'a=b%20c&d=1'
        # without the charset that the sentence has: the type knows no such parameter (docs/reference/deviations.md)
        assert headers(response)['content-type'] == 'application/x-www-form-urlencoded'

    def test_multipart_parts_have_headers_and_a_body_of_their_own(self, server: HttpServer) -> None:
        parts = [{'content-type': 'application/json', 'body': '{}'}, {'body': 'I am an attachment'}]
        response = request.put(server.url, {'multipart': parts}).response
        assert headers(response)['content-type'].startswith('multipart/related; boundary=')
        assert 'content-type: application/json\r\n\r\n{}' in told(response)['body']
        assert '\r\n\r\nI am an attachment\r\n' in told(response)['body']


# -- credentials


class TestAuth:
    @pytest.mark.parametrize('user', ['user', 'username'])
    @pytest.mark.parametrize('password', ['pass', 'password'])
    def test_both_names_of_user_and_password_are_known_and_sent_at_once(
        self, server: HttpServer, user: str, password: str
    ) -> None:
        response = request.get(server.url, {'auth': {user: 'ann', password: 'secret'}}).response
        assert headers(response)['authorization'] == 'Basic ' + base64.b64encode(b'ann:secret').decode()

    def test_the_method_takes_username_password_and_send_immediately(self, server: HttpServer) -> None:
        server.answers = lambda seen: (
            reply('in') if seen.header('authorization') else Answer(401, {'www-authenticate': 'Basic realm="r"'}, b'')
        )
        assert request.get(server.url).auth('ann', 'secret', False).response.body == 'in'
        assert [seen.header('authorization') is None for seen in server.requests] == [True, False]
        assert request.get(server.url).auth('ann', 'secret').response.body == 'in'
        assert len(server.requests) == 3

    def test_digest_answers_a_401_when_send_immediately_is_false(self, server: HttpServer) -> None:
        server.answers = logins
        response = request.get(
            server.url, {'auth': {'user': 'ann', 'pass': 'secret', 'sendImmediately': False}}
        ).response
        assert response.body == 'welcome'
        assert server.requests[0].header('authorization') is None

    def test_otherwise_basic_is_sent_on_the_initial_request(self, server: HttpServer) -> None:
        server.answers = logins
        request.get(server.url, {'auth': {'user': 'ann', 'pass': 'secret'}}).end()
        assert (server.requests[0].header('authorization') or '').startswith('Basic ')


# -- options


class TestOptions:
    @pytest.mark.parametrize('method', ['PATCH', 'POST', 'PUT'])
    @pytest.mark.parametrize('body', ['text', b'text'])
    def test_body_is_the_entity_body(self, server: HttpServer, method: str, body: Any) -> None:
        assert told(request({'method': method, 'url': server.url, 'body': body}).response)['body'] == 'text'

    def test_a_body_of_another_type_is_an_error(self, server: HttpServer) -> None:
        with pytest.raises(InvalidBody):
            request.post(server.url, body=5)

    def test_json_writes_and_reads_json(self, server: HttpServer) -> None:
        response = request.post(server.url, {'json': {'a': [1, None]}}).response
        sent = dict(response.body['headers'])
        assert (response.body['body'], sent['content-type']) == ('{"a":[1,null]}', 'application/json')

    def test_redirects_are_followed_unless_told_otherwise(self, server: HttpServer) -> None:
        server.routes['/old'] = redirect('/new')
        assert told(request(server.url + '/old').response)['target'] == '/new'
        assert request(server.url + '/old', {'followRedirect': False}).response.status_code == 302

    def test_without_a_pool_the_global_one_is_used(self, server: HttpServer) -> None:
        for _ in range(3):
            request(server.url).end()
        assert server.connections == 1

    def test_pool_max_sockets_bounds_the_sockets(self, server: HttpServer) -> None:
        pool = {'maxSockets': 1}
        calls = [request(server.url, {'pool': pool}).start() for _ in range(4)]
        assert [call.end().status_code for call in calls] == [200] * 4
        assert server.connections == 1

    def test_a_proxy_is_asked_with_the_userinfo_of_its_address(self, server: HttpServer) -> None:
        proxy = f'http://ann:secret@{server.authority}'
        response = request('http://nowhere.invalid/page', {'proxy': proxy}).response
        assert told(response)['target'] == 'http://nowhere.invalid/page'
        assert headers(response)['proxy-authorization'] == 'Basic ' + base64.b64encode(b'ann:secret').decode()

    def test_hawk_signs(self, server: HttpServer) -> None:
        credentials = {'id': 'me', 'key': 'k', 'algorithm': 'sha256'}
        response = request(server.url, {'hawk': {'credentials': credentials}}).response
        assert headers(response)['authorization'].startswith('Hawk id="me", ')

    @pytest.mark.parametrize('missing', ['id', 'key', 'algorithm'])
    def test_hawk_needs_its_credentials(self, server: HttpServer, missing: str) -> None:
        credentials = {'id': 'me', 'key': 'k', 'algorithm': 'sha256'}
        del credentials[missing]
        with pytest.raises(RequestError):
            request(server.url, {'hawk': {'credentials': credentials}})
        assert server.requests == []

    def test_strict_ssl_requires_a_valid_certificate(self, tls_server: HttpServer) -> None:
        with pytest.raises(CertificateError):
            request(tls_server.url, {'strictSSL': True}).end()

    def test_an_authority_of_your_own_is_given_to_the_connections(
        self, tls_server: HttpServer, authority: Authority
    ) -> None:
        given = {'strictSSL': True, 'agent': Pool(), 'agentOptions': {'ca': authority.pem}}
        assert request(tls_server.url, given).response.status_code == 200

    @pytest.mark.parametrize('given', [{}, {'bucket': 'photos'}])
    def test_aws_signs_with_and_without_a_bucket(self, server: HttpServer, given: dict[str, str]) -> None:
        response = request(server.url + '/photos/a', {'aws': {'key': 'AK', 'secret': 's', **given}}).response
        assert headers(response)['authorization'].startswith('AWS AK:')

    def test_http_signature_signs(self, server: HttpServer) -> None:
        given = {'keyId': 'me', 'key': 'shared', 'algorithm': 'hmac-sha256'}
        response = request(server.url, {'httpSignature': given}).response
        assert headers(response)['Authorization'].startswith('Signature keyId="me"')

    @pytest.mark.parametrize('missing', ['keyId', 'key'])
    def test_http_signature_needs_both_of_its_properties(self, server: HttpServer, missing: str) -> None:
        given = {'keyId': 'me', 'key': 'shared', 'algorithm': 'hmac-sha256'}
        del given[missing]
        with pytest.raises(RequestError):
            request(server.url, {'httpSignature': given})

    @pytest.mark.skipif(sys.platform != 'linux', reason='only on Linux does loopback have further addresses')
    def test_local_address_is_where_the_connection_comes_from(self, raw_server: Callable[..., Any]) -> None:
        peers = []

        def handler(sock: Any, head: bytes) -> None:
            peers.append(sock.getpeername()[0])
            sock.sendall(reply('ok').wire())

        request(raw_server(handler).url, {'localAddress': '127.0.0.2'}).end()
        assert peers == ['127.0.0.2']


# -- the callback


class TestCallback:
    def test_it_gets_the_error(self) -> None:
        got: list[Any] = []
        request(f'http://127.0.0.1:{closed_port()}/', lambda *arguments: got.append(arguments))
        [(error, response, body)] = got
        assert isinstance(error, ConnectionRefused)
        assert (response, body) == (None, None)

    @pytest.mark.parametrize(('given', 'kind'), [({}, str), ({'encoding': None}, bytes)])
    def test_it_gets_the_response_and_the_body_as_text_or_bytes(
        self, server: HttpServer, given: Any, kind: type
    ) -> None:
        got: list[Any] = []
        request(server.url, given, lambda *arguments: got.append(arguments))
        [(error, response, body)] = got
        assert error is None
        assert response.status_code == 200
        assert type(body) is kind
        assert body == response.body


# -- cookies


def cookies(server: HttpServer) -> list[str | None]:
    """What each request said in its Cookie field."""
    return [seen.header('cookie') for seen in server.requests]


class TestCookies:
    @pytest.fixture
    def baker(self, server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> HttpServer:
        """The server, with a page that gives a cookie, and an empty jar for the process."""
        monkeypatch.setattr(jars, 'GLOBAL', CookieJar())
        server.routes['/first'] = Answer(200, {'set-cookie': 'key1=value1'}, b'')
        return server

    def test_they_are_off_by_default(self, baker: HttpServer) -> None:
        for path in ('/first', '/second'):
            request(baker.url + path).end()
        assert cookies(baker) == [None, None]

    def test_jar_true_in_the_options_turns_them_on(self, baker: HttpServer) -> None:
        for path in ('/first', '/second'):
            request(baker.url + path, {'jar': True}).end()
        assert cookies(baker)[1] == 'key1=value1'

    @pytest.mark.parametrize('given', [True, 'own'])
    def test_a_jar_in_the_defaults_turns_them_on(self, baker: HttpServer, given: Any) -> None:
        own = request.defaults({'jar': request.jar() if given == 'own' else True})
        own(baker.url + '/first', lambda *_: own(baker.url + '/second', lambda *_: None))
        assert cookies(baker)[1] == 'key1=value1'

    def test_a_jar_of_your_own_is_an_option_and_takes_cookies_of_yours(self, server: HttpServer) -> None:
        j = request.jar()
        cookie = request.cookie('your_cookie_here')
        assert isinstance(cookie, Cookie)
        j.add(cookie)
        request({'url': server.url, 'jar': j}, lambda *_: None)
        assert cookies(server) == ['your_cookie_here']
