"""Redirects on real sockets: who may be visited, what goes along, and who sees it. What each property of SECURITY asks is in test_security.py."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite import InvalidOptionType, OptionsError, RedirectRefused, RequestError, request
from requite.errors import RequestStateError
from tests.servers import Answer, Authority, HttpServer, RawServer, Seen, redirect, reply

Starts = Callable[..., HttpServer]

STATUSES = [301, 302, 303, 307, 308]


def leads_to(url: str, status: int = 302) -> Callable[[Seen], Answer]:
    """Sends every request there."""
    return lambda one: redirect(url, status)


def challenged(seen: Seen) -> Answer:
    """Asks for Basic until there is some."""
    if seen.header('authorization'):
        return reply('in')
    return Answer(401, {'www-authenticate': 'Basic realm="x"'}, 'who?')


# ---------------------------------------------------------------- allow_insecure_redirect


@pytest.mark.parametrize('status', STATUSES)
def test_r8_a_redirect_from_https_to_http_can_be_forbidden(
    http_server: Starts, tls_server: HttpServer, authority: Authority, status: int
) -> None:
    """CVE-2023-28155."""
    plain = http_server()
    tls_server.answers = leads_to(plain.url + '/clear', status)
    with pytest.raises(RedirectRefused, match='allow_insecure_redirect=False') as caught:
        request.get(tls_server.url + '/private', allow_insecure_redirect=False, ca=authority.path).end()
    assert (plain.connections, str(plain.url) in str(caught.value)) == (0, True)
    assert request.get(tls_server.url, ca=authority.path).end().status_code == 200


def test_r8_it_is_forbidden_at_the_end_of_a_chain_and_by_defaults(
    http_server: Starts, tls_server: HttpServer, authority: Authority
) -> None:
    plain = http_server()
    tls_server.routes['/1'] = redirect('/2')
    tls_server.routes['/2'] = redirect(plain.url)
    plain.routes['/up'] = redirect(tls_server.url + '/1')
    careful = request.defaults(allowInsecureRedirect=False, ca=authority.path)
    with pytest.raises(RedirectRefused):
        careful.get(plain.url + '/up').end()
    assert [one.path for one in (*plain.requests, *tls_server.requests)] == ['/up', '/1', '/2']
    assert careful.get(plain.url + '/up', allow_insecure_redirect=True).end().status_code == 200


def test_an_answer_that_is_not_followed_is_not_refused(tls_server: HttpServer, authority: Authority) -> None:
    tls_server.answers = leads_to('http://127.0.0.1:1/')
    settings = {'allow_insecure_redirect': False, 'ca': authority.path}
    assert request.get(tls_server.url, settings, follow_redirect=False).end().status_code == 302
    assert request.post(tls_server.url, settings, body='x').end().status_code == 302
    assert request.get(tls_server.url, settings, follow_redirect=lambda response: False).end().status_code == 302


def test_http_to_https_is_never_insecure(http_server: Starts, tls_server: HttpServer, authority: Authority) -> None:
    plain = http_server(leads_to(tls_server.url))
    assert request.get(plain.url, allow_insecure_redirect=False, ca=authority.path).end().status_code == 200


# ---------------------------------------------------------------- redirect_filter


def test_r8_a_filter_is_asked_before_every_hop(http_server: Starts) -> None:
    """The first address, each redirect, and the answer to a 401: nothing goes out that the filter has not seen."""
    other = http_server(challenged)
    first = http_server()
    first.routes['/a/old'] = redirect('../new?q=1#part')
    first.routes['/new'] = redirect(f'//{first.authority}/in')
    first.routes['/in'] = challenged
    seen: list[str] = []

    def allowed(uri: Any) -> bool:
        seen.append(uri.href)
        assert len(seen) == len(first.requests) + len(other.requests) + 1
        return True

    auth = {'user': 'u', 'pass': 'p', 'sendImmediately': False}
    response = request.get(first.url + '/a/old', redirect_filter=allowed, auth=auth).end()
    assert response.body == 'in'
    assert seen == [
        first.url + '/a/old',
        first.url + '/new?q=1#part',
        first.url + '/in#part',
        first.url + '/in#part',
    ]


def refuses(uri: Any) -> bool:
    return bool(uri.hostname != 'localhost')


def forgets(uri: Any) -> Any:
    return True if uri.hostname != 'localhost' else None


def raises(uri: Any) -> bool:
    if uri.hostname == 'localhost':
        raise LookupError('secret')
    return True


@pytest.mark.parametrize('status', STATUSES)
@pytest.mark.parametrize('decides', [refuses, forgets, raises])
def test_r8_what_a_filter_does_not_agree_to_is_never_visited(
    http_server: Starts, decides: Callable[[Any], Any], status: int
) -> None:
    """CVE-2023-28155: a guard against redirects to inner addresses."""
    inner = http_server()
    first = http_server(leads_to(f'http://user:secret@localhost:{inner.port}/latest/meta-data', status))
    with pytest.raises(RedirectRefused, match='redirect_filter') as caught:
        request.get(first.url, redirectFilter=decides).end()
    assert (len(first.requests), inner.connections) == (1, 0)
    assert f'localhost:{inner.port}' in str(caught.value)
    assert 'secret' not in str(caught.value)
    assert isinstance(caught.value.__cause__, LookupError) is (decides is raises)


def test_r8_the_first_address_is_filtered_too(server: HttpServer) -> None:
    with pytest.raises(RedirectRefused):
        request.get(server.url, redirect_filter=lambda uri: uri.hostname != '127.0.0.1').end()
    assert server.connections == 0


async def asynchronous(uri: Any) -> bool:
    return False


class Asks:
    async def __call__(self, uri: Any) -> bool:
        return False


@pytest.mark.parametrize('decides', [asynchronous, Asks(), functools.partial(asynchronous)])
@pytest.mark.parametrize('option', ['redirect_filter', 'follow_redirect'])
def test_r8_an_async_function_decides_nothing_and_is_refused_by_the_call(
    server: HttpServer, decides: Any, option: str
) -> None:
    """SECURITY R8: a coroutine is true, whatever it would say when awaited."""
    with pytest.raises(InvalidOptionType, match=f"option '{option}' is an async function"):
        request.get(server.url, {option: decides})
    with pytest.raises(InvalidOptionType, match=f"option '{option}' is an async function"):
        request.defaults({option: decides})
    assert server.requests == []


@pytest.mark.parametrize(
    'says',
    [asynchronous, lambda uri: 'yes', lambda uri: 1, lambda uri: object()],
    ids=['coroutine', 'str', 'int', 'object'],
)
def test_r8_only_true_allows(server: HttpServer, says: Any) -> None:
    with pytest.raises(RedirectRefused, match=r'it returned .*: a filter returns True'):
        request.get(server.url, redirect_filter=lambda uri: says(uri)).end()
    assert server.requests == []


def test_an_answer_of_follow_redirect_that_has_to_be_awaited_is_an_error(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    with pytest.raises(InvalidOptionType, match="'follow_redirect' returned a coroutine"):
        request.get(server.url + '/old', follow_redirect=lambda response: asynchronous(response)).end()
    assert [one.path for one in server.requests] == ['/old']


def test_r8_a_filter_that_says_nothing_is_told_what_to_say(server: HttpServer) -> None:
    silent: Any = lambda uri: None  # noqa: E731
    with pytest.raises(RedirectRefused, match='a filter returns True'):
        request.get(server.url, redirect_filter=silent).end()


def test_r8_a_filter_of_the_defaults_stays_in_force_across_schemes(
    http_server: Starts, tls_server: HttpServer, authority: Authority
) -> None:
    plain = http_server()
    tls_server.answers = leads_to(plain.url + '/inner')
    guarded = request.defaults(redirect_filter=lambda uri: uri.scheme == 'https', ca=authority.path)
    with pytest.raises(RedirectRefused):
        guarded.get(tls_server.url).end()
    assert plain.connections == 0


def test_a_refusal_reaches_the_callback_and_the_error_event(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    told: list[Any] = []
    made = request.get(server.url + '/old', redirect_filter=lambda uri: uri.path == '/old')
    made.on('error', told.append).on('redirect', lambda: told.append('redirect'))
    made.end(lambda error, response, body: told.append(error))
    assert [type(one) for one in told] == [RedirectRefused, RedirectRefused]


def test_a_refused_redirect_leaves_the_pool_in_order(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    narrow = request.defaults(pool={'max_sockets': 1}, timeout=2000)
    for _ in range(3):
        with pytest.raises(RedirectRefused):
            narrow.get(server.url + '/old', redirect_filter=lambda uri: uri.path == '/old').end()
    assert narrow.get(server.url).end().status_code == 200


# ---------------------------------------------------------------- sensitive_headers


@pytest.mark.parametrize('status', STATUSES)
@pytest.mark.parametrize('where', ['port', 'host', 'scheme'])
def test_r1_headers_named_as_sensitive_stay_with_the_origin(
    http_server: Starts, tls_server: HttpServer, authority: Authority, status: int, where: str
) -> None:
    other = tls_server if where == 'scheme' else http_server()
    host = 'localhost' if where == 'host' else '127.0.0.1'
    first = http_server()
    first.routes['/start'] = redirect('/again', status)
    first.routes['/again'] = redirect(f'{"https" if where == "scheme" else "http"}://{host}:{other.port}/', status)
    headers = {'X-Api-Key': 'secret', 'x-mine': '1'}
    request.get(first.url + '/start', headers=headers, sensitive_headers=['x-api-key'], ca=authority.path).end()
    assert [one.header('x-api-key') for one in first.requests] == ['secret', 'secret']
    assert (other.requests[0].header('x-api-key'), other.requests[0].header('x-mine')) == (None, '1')


def test_r2_every_occurrence_of_a_sensitive_header_is_dropped(http_server: Starts) -> None:
    other = http_server()
    first = http_server(leads_to(other.url))
    pairs = [('X-Key', 'a'), ('x-key', 'b'), ('x-list', 'c'), ('X-KEY', 'd')]
    request.get(first.url, headers=[*pairs, ('X-Token', 't')], sensitiveHeaders=('X-KEY', 'x-TOKEN')).end()
    assert first.requests[0].header('x-key') == 'a, b, d'
    assert [name for name in other.requests[0].names if name.lower() in ('x-key', 'x-token')] == []
    assert other.requests[0].header('x-list') == 'c'


def test_r3_a_sensitive_header_does_not_come_back(http_server: Starts) -> None:
    other, first = http_server(), http_server()
    first.routes['/start'] = redirect(other.url, 307)
    other.answers = leads_to(first.url + '/back', 307)
    request.get(first.url + '/start', headers={'x-key': 'secret'}, sensitive_headers=['x-key']).end()
    assert [(one.path, one.header('x-key')) for one in first.requests] == [('/start', 'secret'), ('/back', None)]


def test_sensitive_headers_of_the_defaults_are_added_to(http_server: Starts) -> None:
    other = http_server()
    first = http_server(leads_to(other.url))
    api = request.defaults(headers={'x-key': 'secret', 'x-token': 'secret'}, sensitive_headers=['x-key'])
    api.get(first.url).end()
    api.get(first.url, sensitive_headers=['x-token']).end()
    api.get(first.url, sensitive_headers=None).end()
    arrived = [(one.header('x-key'), one.header('x-token')) for one in other.requests]
    assert arrived == [(None, 'secret'), (None, None), ('secret', 'secret')]


@pytest.mark.parametrize('names', ['x-key', b'x-key', 5, [1], ['x key'], ['']])
def test_what_names_no_headers_is_refused_by_the_call(names: Any) -> None:
    with pytest.raises((InvalidOptionType, OptionsError), match='sensitive_headers'):
        request.get('http://127.0.0.1:1/', sensitive_headers=names)


# ---------------------------------------------------------------- decided anew for every hop


def test_r8_the_proxy_of_the_environment_is_asked_for_anew_on_every_hop(
    http_server: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin, proxy = http_server(), http_server()
    origin.routes['/start'] = redirect('http://elsewhere.test/in?q')
    proxy.answers = leads_to(origin.url + '/end')
    monkeypatch.setenv('http_proxy', proxy.url)
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    assert request.get(origin.url + '/start').end().status_code == 200
    assert [one.target for one in origin.requests] == ['/start', '/end']
    assert [one.target for one in proxy.requests] == ['http://elsewhere.test/in?q']


def test_r8_the_callers_look_up_is_asked_for_every_name(http_server: Starts) -> None:
    origin = http_server()
    origin.routes['/start'] = redirect(f'http://second.test:{origin.port}/end')
    asked: list[str] = []

    def look_up(host: str, *rest: Any) -> str:
        asked.append(host)
        return '127.0.0.1'

    request.get(f'http://first.test:{origin.port}/start', lookup=look_up).end()
    assert asked == ['first.test', 'second.test']
    assert [one.header('host') for one in origin.requests] == [f'{name}:{origin.port}' for name in asked]


# ---------------------------------------------------------------- client certificates


def test_r1_r3_a_client_certificate_stays_with_the_origin_and_does_not_come_back(
    raw_server: Callable[..., RawServer], authority: Authority, tmp_path: Path
) -> None:
    shown: list[tuple[str, bool]] = []
    leads = {'/start': '/again', '/again': 'OTHER/there', '/there': 'FIRST/back', '/back': ''}

    def answers(sock: Any, head: bytes) -> bool:
        path = head.split(b' ')[1].decode()
        shown.append((path, bool(sock.getpeercert())))
        location = leads[path].replace('OTHER', other.url).replace('FIRST', first.url)
        status = f'307 Temporary Redirect\r\nlocation: {location}' if location else '200 OK'
        sock.sendall(f'HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n'.encode())
        return True

    def asking() -> ssl.SSLContext:
        context = authority.context()
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(authority.path)
        return context

    first, other = raw_server(answers, tls=asking()), raw_server(answers, tls=asking())
    mine = tmp_path / 'mine.pem'
    authority._ca.issue_cert('client@example.com').private_key_and_cert_chain_pem.write_to_path(str(mine))
    request.get(first.url + '/start', ca=authority.path, cert=mine, key=mine).end()
    assert shown == [('/start', True), ('/again', True), ('/there', False), ('/back', False)]


# ---------------------------------------------------------------- on('hop')


def test_every_hop_is_seen_before_it_is_sent(http_server: Starts) -> None:
    other = http_server(challenged)
    first = http_server(leads_to(other.url + '/in'))
    seen: list[Any] = []
    order: list[str] = []

    def hop(sent: Any) -> None:
        assert len(first.requests) + len(other.requests) == len(seen)
        seen.append(sent)

    made = request.get(first.url + '/old', auth=('u', 'p')).on('hop', hop)
    for event in ('hop', 'request', 'redirect', 'response'):
        made.on(event, lambda *_, event=event: order.append(event))
    assert made.end().status_code == 401
    assert [(sent.method, sent.uri.href) for sent in seen] == [
        ('GET', first.url + '/old'),
        ('GET', other.url + '/in'),
    ]
    assert [dict(sent.fields).get('authorization') for sent in seen] == ['Basic dTpw', None]
    assert order == ['hop', 'request', 'redirect', 'hop', 'request', 'response']


def test_the_answer_to_a_challenge_is_a_hop(server: HttpServer) -> None:
    server.answers = challenged
    seen: list[str | None] = []
    made = request.get(server.url, auth={'user': 'u', 'pass': 'p', 'sendImmediately': False})
    made.on('hop', lambda hop: seen.append(dict(hop.fields).get('authorization'))).end()
    assert seen == [None, 'Basic dTpw']


def test_a_hop_does_not_change(server: HttpServer) -> None:
    hops: list[Any] = []
    request.get(server.url).on('hop', hops.append).end()
    with pytest.raises(AttributeError):
        hops[0].target = '/elsewhere'
    assert isinstance(hops[0].fields, tuple)


def test_a_listener_of_hops_may_stop_the_exchange(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    made = request.get(server.url + '/old')
    with pytest.raises(RequestError):
        made.on('hop', lambda hop: made.abort() if hop.target == '/new' else None).end()
    assert [one.path for one in server.requests] == ['/old']

    def forbid(hop: Any) -> None:
        raise LookupError(hop.target)

    with pytest.raises(LookupError, match='/never'):
        request.get(server.url + '/never').on('hop', forbid).end()
    assert len(server.requests) == 1


def test_a_listener_that_comes_late_is_told_of_the_last_hop(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    made = request.get(server.url + '/old')
    made.end()
    hops: list[str] = []
    made.on('hop', lambda hop: hops.append(hop.target))
    assert hops == ['/new']


# ---------------------------------------------------------------- Referer


def test_r5_not_even_a_referer_of_the_callers_goes_from_https_to_http(
    http_server: Starts, tls_server: HttpServer, authority: Authority
) -> None:
    plain = http_server()
    tls_server.answers = leads_to(plain.url + '/clear')
    plain.routes['/clear'] = redirect('/clearer')
    headers = {'Referer': 'https://example.com/private'}
    for removed in (False, True):
        del plain.requests[:]
        request.get(tls_server.url, headers=headers, remove_referer_header=removed, ca=authority.path).end()
        wanted = [None, None if removed else plain.url + '/clear']
        assert [one.header('referer') for one in plain.requests] == wanted
    assert tls_server.requests[0].header('referer') == 'https://example.com/private'


def test_remove_referer_header_leaves_the_callers_own(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    request.get(server.url + '/old', headers={'referer': 'http://example.com/'}, remove_referer_header=True).end()
    assert [one.header('referer') for one in server.requests] == ['http://example.com/'] * 2


def test_r4_what_a_signer_puts_into_the_query_goes_neither_into_the_referer_nor_elsewhere(http_server: Starts) -> None:
    class Signs:
        def sign(self, draft: Any, clock: Any) -> None:
            draft.uri = draft.uri.with_query('signature=secret')

    other = http_server()
    first = http_server()
    first.routes['/old'] = redirect('#part')
    first.answers = leads_to(other.url)
    request.get(first.url + '/old', max_redirects=1, signers=[Signs()], follow_redirect=_once()).end()
    assert [one.target for one in first.requests] == ['/old?signature=secret', '/old?signature=secret']
    assert first.requests[1].header('referer') == first.url + '/old'
    request.get(first.url + '/', signers=[Signs()]).end()
    assert (other.requests[0].target, other.requests[0].header('referer')) == ('/', first.url + '/')


def _once() -> Callable[[Any], bool]:
    answers = iter([True, False])
    return lambda response: next(answers)


# ---------------------------------------------------------------- userinfo


@pytest.mark.parametrize(
    'location', ['{}/new#part', '//{authority}/new', '/new', 'http://planted:secret@{authority}/new']
)
def test_r3_userinfo_of_the_callers_goes_on_within_its_origin(server: HttpServer, location: str) -> None:
    server.routes['/old'] = redirect(location.format(server.url, authority=server.authority))
    response = request.get(f'http://u:p@{server.authority}/old').end()
    assert [one.header('authorization') for one in server.requests] == ['Basic dTpw', 'Basic dTpw']
    assert response.request.uri.path == '/new'
    assert [entry.redirect_uri.partition('#')[0] for entry in response.redirects] == [server.url + '/new']


# ---------------------------------------------------------------- cookies and fragments on the way


def test_c2_the_callers_cookie_comes_first_and_goes_to_its_own_origin_alone(http_server: Starts) -> None:
    other = http_server()
    first = http_server()
    first.routes['/start'] = Answer(302, [('location', '/next'), ('set-cookie', 'step=1; Path=/')])
    first.routes['/next'] = redirect(f'http://localhost:{other.port}/')
    jar = request.jar()
    jar.set_cookie('theirs=1', other.url.replace('127.0.0.1', 'localhost'))
    jar.set_cookie('kept=1', first.url)
    request.get(first.url + '/start', jar=jar, headers={'Cookie': 'own=1'}).end()
    assert [one.header('cookie') for one in first.requests] == ['own=1; kept=1', 'own=1; kept=1; step=1']
    assert other.requests[0].header('cookie') == 'theirs=1'


@pytest.mark.parametrize(
    ('location', 'ends'), [('/new', '#mine'), ('/new#theirs', '#theirs'), ('/new#', '#'), ('?q', '#mine')]
)
def test_r10_a_fragment_is_inherited_and_never_sent(server: HttpServer, location: str, ends: str) -> None:
    server.routes['/old'] = lambda one: redirect(location) if len(server.requests) == 1 else reply('there')
    response = request.get(server.url + '/old#mine').end()
    assert (response.request.uri.hash or '#').removesuffix('#') == ends.removesuffix('#')
    assert [one.target for one in server.requests if '#' in one.target] == []


def test_the_redirect_event_has_the_answer_that_redirects(server: HttpServer) -> None:
    server.routes['/1'] = redirect('/2', 301)
    server.routes['/2'] = redirect('/3', 307)
    seen: list[Any] = []
    made = request.get(server.url + '/1')
    made.on('redirect', lambda: seen.append((made.response.status_code, made.response.headers['location'])))
    response = made.end()
    assert seen == [(301, '/2'), (307, '/3')]
    assert [(entry.status_code, entry.redirect_uri) for entry in response.redirects] == [
        (301, server.url + '/2'),
        (307, server.url + '/3'),
    ]


@pytest.mark.parametrize('location', ['http://a b/', 'ftp://x/', 'http://[::1/', 'https://h:99999/'])
def test_a_callable_is_asked_before_the_location_is_read(server: HttpServer, location: str) -> None:
    server.routes['/old'] = redirect(location)
    response = request.get(server.url + '/old', follow_redirect=lambda response: False).end()
    assert (response.status_code, response.headers['location']) == (302, location)


def test_a_callable_is_asked_before_a_body_is_needed_again(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new', 307)
    settings = {'follow_all_redirects': True, 'follow_redirect': lambda response: False}
    assert request.post(server.url + '/old', settings, body=iter([b'once'])).end().status_code == 307
    with pytest.raises(RedirectRefused, match='used up'):
        request.post(server.url + '/old', follow_all_redirects=True, body=iter([b'once'])).end()


def test_filter_hops_and_refusals_are_the_same_when_awaited(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    server.routes['/new'] = redirect('/never')
    hops: list[str] = []

    async def ask() -> None:
        made = request.get(server.url + '/old', redirect_filter=lambda uri: uri.path != '/never')
        made.on('hop', lambda hop: hops.append(hop.target))
        with pytest.raises(RedirectRefused):
            await made

    asyncio.run(ask())
    assert hops == [one.target for one in server.requests] == ['/old', '/new']


# ---------------------------------------------------------------- bodies of redirects, and bodies that are needed again


@pytest.mark.parametrize(
    'head', [b'302 Found\r\nlocation: /end', b'401 Who\r\nwww-authenticate: Digest realm="a", nonce="b", qop="auth"']
)
@pytest.mark.parametrize('framing', [b'content-length: 900', b'transfer-encoding: chunked', b'connection: close'])
def test_r12_the_body_of_a_redirect_or_401_that_drips_holds_nobody_up(
    raw_server: Callable[..., RawServer], head: bytes, framing: bytes
) -> None:
    """SECURITY R12, D1: draining has one clock for the whole body; then the connection is given up."""
    first = [True]

    def handler(sock: socket.socket, received: bytes) -> None:
        if not first:
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
            return
        first.clear()
        sock.sendall(b'HTTP/1.1 ' + head + b'\r\n' + framing + b'\r\n\r\n')
        for _ in range(50):
            sock.sendall(b'1\r\nx\r\n' if b'chunked' in framing else b'x')
            time.sleep(0.1)

    server = raw_server(handler)
    begun = time.monotonic()
    auth = {'user': 'u', 'pass': 'p', 'sendImmediately': False}
    assert request.get(server.url, auth=auth, timeout=4000).end().body == 'ok'
    assert time.monotonic() - begun < 2
    assert server.connections == 2


class Worn:
    """An iterable that gives the same iterator again, as many a wrapper does."""

    def __init__(self) -> None:
        self.pieces = iter([b'ab', b'cd'])

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces


class Shared(Worn):
    """Another iterator each time, over what they all read from."""

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces


CONTENTS = {
    'body': lambda pieces: {'body': pieces},
    'form_data': lambda pieces: {'form_data': {'a': pieces}},
    'multipart': lambda pieces: {'multipart': {'chunked': True, 'data': [{'body': pieces}]}},
}


@pytest.mark.parametrize('content', CONTENTS)
@pytest.mark.parametrize('path', ['/307', '/401'])
def test_r14_what_gives_the_same_iterator_again_is_not_sent_again_empty(
    server: HttpServer, content: str, path: str
) -> None:
    server.routes['/307'] = redirect('/end', 307)
    server.routes['/401'] = Answer(401, {'www-authenticate': 'Digest realm="a", nonce="b", qop="auth"'}, '')
    auth = {'user': 'u', 'pass': 'p', 'sendImmediately': False}
    with pytest.raises(RedirectRefused, match='used up'):
        request.post(server.url + path, follow_all_redirects=True, auth=auth, **CONTENTS[content](Worn())).end()
    assert [(one.path, b'abcd' in one.body) for one in server.requests] == [(path, True)]


@pytest.mark.parametrize('content', CONTENTS)
def test_r14_iterators_that_share_what_they_read_from_are_not_sent_again_empty(
    server: HttpServer, content: str
) -> None:
    server.routes['/307'] = redirect('/end', 307)
    with pytest.raises(RedirectRefused, match='used up'):
        request.post(server.url + '/307', follow_all_redirects=True, **CONTENTS[content](Shared())).end()
    assert [(one.path, b'abcd' in one.body) for one in server.requests] == [('/307', True)]


@pytest.mark.parametrize('content', CONTENTS)
def test_r14_iterators_that_share_what_they_read_from_fail_instead_of_sending_less(
    server: HttpServer, content: str
) -> None:
    class Less(Worn):
        def __iter__(self) -> Iterator[bytes]:
            yield next(self.pieces)
            yield from () if self.pieces is later else list(self.pieces)
            self.pieces = later

    later = iter([b'ef'])
    server.routes['/307'] = redirect('/end', 307)
    with pytest.raises(RequestStateError, match='fewer bytes than the first time'):
        request.post(server.url + '/307', follow_all_redirects=True, **CONTENTS[content](Less())).end()
    assert [one.path for one in server.requests] == ['/307']


@pytest.mark.parametrize('content', CONTENTS)
def test_what_hands_its_pieces_out_once_is_sent_whole(server: HttpServer, content: str) -> None:
    class Drained(Worn):
        def __iter__(self) -> Iterator[bytes]:
            taken, self.pieces = self.pieces, iter([])
            return taken

    request.post(server.url + '/', **CONTENTS[content](Drained())).end()
    assert [b'abcd' in one.body for one in server.requests] == [True]


def test_an_iterable_that_begins_anew_is_sent_again_whole(server: HttpServer) -> None:
    class Fresh:
        def __iter__(self) -> Iterator[bytes]:
            yield from (b'ab', b'cd')

    server.routes['/307'] = redirect('/end', 307)
    request.post(server.url + '/307', follow_all_redirects=True, body=Fresh()).end()
    assert [one.body for one in server.requests] == [b'abcd', b'abcd']


# ---------------------------------------------------------------- what is told


def test_an_entry_of_redirects_has_nodes_names_too(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    (entry,) = request.get(server.url + '/old').end().redirects
    assert (
        (entry.statusCode, entry.redirectUri) == (entry.status_code, entry.redirect_uri) == (302, server.url + '/new')
    )


def test_too_many_redirects_and_two_locations_say_what_to_do(server: HttpServer) -> None:
    server.routes['/round'] = redirect('/round')
    with pytest.raises(RequestError, match=r'allow more than 2 with max_redirects.*follow_redirect=False'):
        request.get(server.url + '/round', max_redirects=2).end()
    server.routes['/two'] = Answer(302, [('location', '/a'), ('location', '/b')], '')
    with pytest.raises(RequestError, match=r'two different Locations.*follow_redirect=False'):
        request.get(server.url + '/two').end()
