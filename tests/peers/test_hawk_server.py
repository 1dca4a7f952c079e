"""Hawk as its own authors' server checks it: npm's @hapi/hawk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from requite import InvalidURI, MalformedResponse, request

from .npm import node_server, npm_folder

CREDENTIALS = {'id': 'ann', 'key': 'werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn', 'algorithm': 'sha256'}
KEYS = {'ann': CREDENTIALS, 'old': {**CREDENTIALS, 'id': 'old', 'algorithm': 'sha1'}}

# The path says what the server does: /skewed runs an hour ahead, /forged, /changed and /silent prove nothing.
SERVER = """
const Hawk = require('@hapi/hawk');
const keys = %s;
async function serve(req, res, payload) {
    const options = { localtimeOffsetMsec: req.url.startsWith('/skewed') ? 3600000 : 0 };
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    try {
        if (req.method === 'POST') options.payload = payload;
        const { credentials, artifacts } = await Hawk.server.authenticate(req, (id) => keys[id], options);
        const text = `hello ${credentials.id} ${artifacts.ext || ''} ${artifacts.app || ''} ${artifacts.dlg || ''}`.trim();
        let proof = Hawk.server.header(credentials, artifacts, { payload: text, contentType: headers['content-type'], ext: 'seen "it" \\\\' });
        if (req.url.startsWith('/forged')) proof = proof.replace(/mac="..../, 'mac="AAAA');
        if (!req.url.startsWith('/silent')) headers['server-authorization'] = proof;
        if (req.url.startsWith('/streamed')) {
            res.writeHead(200, headers);
            for (const char of text) { res.write(char); await new Promise((done) => setImmediate(done)); }
            res.end();
            return;
        }
        res.writeHead(200, headers);
        res.end(req.url.startsWith('/changed') ? text.toUpperCase() : text);
    } catch (error) {
        if (!error.output) throw error;
        res.writeHead(error.output.statusCode, error.output.headers);
        res.end(error.message);
    }
}
require('http').createServer((req, res) => {
    const pieces = [];
    req.on('data', (piece) => pieces.push(piece));
    req.on('end', () => serve(req, res, Buffer.concat(pieces).toString()));
}).listen(Number(process.argv[2]), '127.0.0.1');
"""


@pytest.fixture(scope='module')
def server() -> Iterator[str]:
    import json

    with node_server(npm_folder('@hapi/hawk@8.0.0'), SERVER % json.dumps(KEYS)) as address:
        yield address


def ask(address: str, hawk: dict[str, Any] | None = None, **options: Any) -> Any:
    return request(address, hawk={'credentials': CREDENTIALS, **(hawk or {})}, **options).end()


@pytest.mark.parametrize('path', ['/', '/a;b/c?', '/a?b=1&a=2', '/a%20b?c=%2f;d', "/it's?(x)=[1]", '/caf\xe9?q=\xfc'])
def test_every_address_is_signed_as_it_is_sent(server: str, path: str) -> None:
    response = ask(server + path)
    assert (response.status_code, response.body) == (200, 'hello ann')


VISIBLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
WRITTEN = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters='#\\\x7f'), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=WRITTEN,
    query=WRITTEN,
    ext=VISIBLE,
    content=st.binary(max_size=20),
    kind=st.sampled_from(['', 'A/B; c=d', 'x']),
)
def test_whatever_is_asked_and_said_is_signed_right(
    server: str, path: str, query: str, ext: str, content: bytes, kind: str
) -> None:
    address = f'{server}/{path}?{query}' if query else f'{server}/{path}'
    # @hapi/hawk itself takes no header with an escape in it: what has one is in the vectors
    hawk = {'payload': True, 'verify': True, 'ext': ext.replace('"', "'").replace('\\', '/')}
    headers = {'content-type': kind} if kind else {}
    try:
        made = request.post(
            address, body=content.decode('latin-1').encode(), headers=headers, hawk={'credentials': CREDENTIALS, **hawk}
        )
    except InvalidURI:
        return
    assert made.end().status_code == 200


@pytest.mark.parametrize('method', ['GET', 'PUT', 'DELETE', 'PATCH'])
def test_any_method_is_signed(server: str, method: str) -> None:
    assert ask(server + '/x', method=method).status_code == 200


def test_sha1_and_everything_that_can_be_said_beside_it(server: str) -> None:
    response = ask(server, {'credentials': KEYS['old'], 'ext': 'more', 'app': 'app1', 'dlg': 'boss'})
    assert response.body == 'hello old more app1 boss'


def test_the_host_of_the_callers_own_is_what_the_server_checks(server: str) -> None:
    assert ask(server, headers={'host': 'API.example:8443'}).status_code == 200
    assert ask(server, headers={'host': 'api.example'}).status_code == 200


@pytest.mark.parametrize(
    'content',
    [
        {'body': 'Thank you for flying Hawk', 'headers': {'content-type': 'text/plain; x=y'}},
        {'form': {'a': 'b c', 'd': '\xe9'}},
        {'json': {'a': [1, None]}},
        {'body': ['one', b'two']},
        {'body': b''},
    ],
)
def test_the_content_is_hashed_as_it_is_sent(server: str, content: dict[str, Any]) -> None:
    assert ask(server, {'payload': True}, method='POST', **content).status_code == 200


def test_a_payload_of_the_callers_own_is_hashed_as_in_node(server: str) -> None:
    options = {'method': 'POST', 'body': 'text', 'headers': {'content-type': 'text/plain'}}
    assert ask(server, {'payload': 'text', 'contentType': 'text/plain'}, **options).status_code == 200
    assert ask(server, {'payload': 'other', 'contentType': 'text/plain'}, **options).status_code == 401


def test_a_wrong_key_is_refused_and_not_tried_again(server: str) -> None:
    response = ask(server, {'credentials': {**CREDENTIALS, 'key': 'wrong'}})
    assert (response.status_code, response.body) == (401, 'Bad mac')


def test_a_skewed_clock_is_answered_and_remembered(server: str) -> None:
    client = request.defaults(hawk={'credentials': CREDENTIALS})
    statuses = []
    for _ in range(2):
        response = client.get(server + '/skewed').end()
        statuses.append((response.status_code, len(response.redirects)))
    assert statuses == [(200, 1), (200, 0)]


def test_a_wrong_key_learns_no_time(server: str) -> None:
    assert ask(server + '/skewed', {'credentials': {**CREDENTIALS, 'key': 'wrong'}}).status_code == 401


@pytest.mark.parametrize('path', ['/', '/streamed', '/skewed?x;y'])
def test_the_servers_own_proof_is_verified(server: str, path: str) -> None:
    response = ask(server + path, {'verify': True, 'app': 'app1'})
    assert response.body == 'hello ann  app1'
    with request.get(server + path, hawk={'credentials': CREDENTIALS, 'verify': True}) as streamed:
        assert b''.join(streamed) == b'hello ann'


@pytest.mark.parametrize('path', ['/forged', '/silent', '/changed'])
def test_a_server_that_proves_nothing_is_not_believed(server: str, path: str) -> None:
    with pytest.raises(MalformedResponse, match='did not prove that it knows the key'):
        ask(server + path, {'verify': True})
    assert ask(server + path).status_code == 200


def test_who_is_not_known_gets_the_401_also_when_proof_is_wanted(server: str) -> None:
    assert ask(server, {'verify': True, 'credentials': {**CREDENTIALS, 'key': 'wrong'}}).status_code == 401
