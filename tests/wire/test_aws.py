"""AWS signatures over real connections: for whom, over what, and when not at all."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from requite import InvalidBody, OptionsError, request
from requite.auth import aws4
from requite.auth.aws import signer
from requite.message import Carry, Draft
from requite.options import EMPTY
from requite.wire.uri import parse
from tests.servers import Answer, HttpServer, RawServer, Seen, redirect, reply

Servers = Callable[..., HttpServer]
KEY, SECRET = 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
V2 = {'key': KEY, 'secret': SECRET}
V4 = {**V2, 'sign_version': 4, 'service': 's3', 'region': 'eu-west-1'}
versions = pytest.mark.parametrize('aws', [V2, V4, {**V4, 'sign_query': True}], ids=['2', '4', 'query'])


def is_signed(seen: Seen) -> bool:
    return (seen.header('authorization') or '').startswith('AWS') or 'X-Amz-Signature=' in seen.target


def traces(seen: Seen) -> list[str]:
    """What of a request shows that somebody signed it or who that was."""
    names = [name.lower() for name in seen.names if name.lower() == 'authorization' or name.lower().startswith('x-amz')]
    return [*names, *(word for word in (KEY, 'X-Amz-', 'TOKEN') if word in seen.target or word in str(seen.headers))]


def verified(seen: Seen) -> bool:
    """Whether the signature of version 4 in Authorization is right for what arrived, byte by byte."""
    value = seen.header('authorization') or ''
    names = value.partition('SignedHeaders=')[2].partition(',')[0].split(';')
    fields = {name: (name, tuple(value for key, value in seen.headers if key.lower() == name)) for name in names}
    payload = seen.header('x-amz-content-sha256')
    assert payload == hashlib.sha256(seen.body).hexdigest()
    stamp = seen.header('x-amz-date') or ''
    _, canonical = aws4.canonical_request(seen.method, seen.target, fields, payload, True)
    text = aws4.string_to_sign(stamp, aws4.scope(stamp, 'eu-west-1', 's3'), canonical)
    return value.endswith(aws4.signature(aws4.signing_key(SECRET, stamp[:8], 'eu-west-1', 's3'), text))


@versions
def test_r4_another_origin_gets_no_signature_and_once_left_the_first_gets_none_either(
    http_server: Servers, aws: dict[str, Any]
) -> None:
    """SECURITY R4: A signs, B does not, and coming back to A does not bring the signature back."""
    stranger = http_server(lambda seen: redirect(home.url + '/back'))
    home = http_server(lambda seen: reply('end') if seen.path == '/back' else redirect(stranger.url + '/x'))
    response = request.get(home.url + '/start', aws={**aws, 'session': 'TOKEN'}).end()
    assert response.body == 'end'
    first, back = home.requests
    assert is_signed(first)
    assert traces(stranger.requests[0]) == traces(back) == []


@versions
def test_r4_a_redirect_within_the_origin_is_signed_anew(server: HttpServer, aws: dict[str, Any]) -> None:
    server.answers = lambda seen: reply('end') if seen.path == '/b' else redirect('/b')
    assert request.get(server.url + '/a', aws=aws).end().body == 'end'
    first, second = server.requests
    assert is_signed(first)
    assert is_signed(second)
    assert first.header('authorization') != second.header('authorization') or first.target != second.target


def test_a_redirect_that_repeats_the_query_has_one_proof(server: HttpServer) -> None:
    server.answers = lambda seen: redirect('/b?' + seen.target.partition('?')[2]) if seen.path == '/a' else reply('end')
    aws = {**V4, 'sign_query': True, 'session': 'TOKEN'}
    assert request.get(server.url + '/a?x=1&X-Amz-Own=2', aws=aws).end().body == 'end'
    names = [piece.partition('=')[0] for piece in server.requests[1].target.partition('?')[2].split('&')]
    assert len(names) == len(set(names))
    assert names[:2] == ['x', 'X-Amz-Own']
    assert 'X-Amz-Signature' in names


@pytest.mark.parametrize('target', ['/', '/a;b//../c+d%2fe?x=a+b&&acl&y=%7e;', '/caf\xe9?q=\xfc', "/it's(a)*!"])
@pytest.mark.parametrize('body', [None, b'', 'text', ['a', b'b']])
def test_what_is_signed_is_what_is_sent(server: HttpServer, target: str, body: Any) -> None:
    headers = {'X-Own': ['1', ' 2  3 '], 'accept': '*/*'}
    request.put(server.url + target, aws=V4, body=body, headers=headers, gzip=True).end()
    assert verified(server.requests[0])


def test_forms_json_and_files_are_hashed_as_they_are_sent(server: HttpServer, tmp_path: Any) -> None:
    path = tmp_path / 'file.bin'
    path.write_bytes(bytes(range(256)) * 1000)
    api = request.defaults(aws=V4)
    api.post(server.url, form={'a': 'b c'}).end()
    api.post(server.url, json={'a': 1}).end()
    with path.open('rb') as file:
        api.post(server.url, form_data={'a': 'b', 'c': file}).end()
    api.post(server.url, multipart=[{'body': 'x'}]).end()
    with path.open('rb') as file:
        api.put(server.url, body=file).end()
    assert [verified(seen) for seen in server.requests] == [True] * 5
    assert len(server.requests[-1].body) == 256000


def test_a_307_sends_the_content_again_and_signs_it_anew(server: HttpServer) -> None:
    server.answers = lambda seen: reply('end') if seen.path == '/b' else redirect('/b', 307)
    request.put(server.url + '/a', aws=V4, body='content', follow_all_redirects=True).end()
    assert [verified(seen) for seen in server.requests] == [True, True]


def test_a_stream_whose_hash_is_needed_is_an_error_of_the_call(server: HttpServer) -> None:
    pieces = (piece for piece in ['a', 'b'])
    with pytest.raises(InvalidBody, match='give bytes, a file or a list, or use https'):
        request.put(server.url, aws=V4, body=pieces)
    with pytest.raises(InvalidBody, match='or use the header x-amz-content-sha256'):
        request.put('https://unreachable.invalid/', aws={**V4, 'service': 'sts'}, body=pieces)
    assert list(pieces) == ['a', 'b'], 'nothing was read of it'
    assert server.connections == 0


def test_a_stream_whose_hash_turns_out_to_be_needed_is_refused_before_any_byte_is_sent(server: HttpServer) -> None:
    api = request.defaults(aws=V4)
    source = request.get(server.url + '/source')
    with pytest.raises(InvalidBody, match='or use https'):
        api.put(server.url, body=source).end()
    assert [seen.path for seen in server.requests] in ([], ['/source'])


def test_a_stream_over_https_goes_out_unsigned_and_whole(tls_server: HttpServer, authority: Any) -> None:
    request.put(tls_server.url + '/k', aws=V4, body=(piece for piece in ['a', 'b']), ca=authority.pem).end()
    seen = tls_server.requests[0]
    assert (seen.header('x-amz-content-sha256'), seen.body) == ('UNSIGNED-PAYLOAD', b'ab')
    assert 'x-amz-content-sha256' in (seen.header('authorization') or '')


@versions
def test_an_authorization_of_the_callers_wins_and_nothing_is_signed(server: HttpServer, aws: dict[str, Any]) -> None:
    request.get(server.url, aws=aws, headers={'Authorization': 'mine'}).end()
    assert server.requests[0].header('authorization') == 'mine'
    assert not any('x-amz' in name.lower() for name in server.requests[0].names)
    assert server.requests[0].target == '/'


@versions
def test_two_ways_of_proving_who_one_is_are_an_error_at_the_call(aws: dict[str, Any]) -> None:
    with pytest.raises(OptionsError, match="'aws'"):
        request.get('http://unreachable.invalid/', aws=aws, auth=('u', 'p'))


def test_the_chain_method_signs_as_the_option_does(server: HttpServer) -> None:
    request.get(server.url + '/k', headers={'date': 'Tue, 27 Mar 2007 19:36:42 +0000'}).aws(V2).end()
    request.get(server.url + '/k', headers={'date': 'Tue, 27 Mar 2007 19:36:42 +0000'}, aws=V2).end()
    first, second = server.requests
    assert first.header('authorization') == second.header('authorization') is not None


def test_a_presigned_address_is_asked_for_as_it_is_signed(server: HttpServer) -> None:
    response = request.get(server.url + '/my key;1?x=a+b', aws={**V4, 'signQuery': True, 'expires': 60}).end()
    sent = server.requests[0].target
    assert sent.startswith('/my%20key%3B1?x=a%20b&X-Amz-Algorithm=AWS4-HMAC-SHA256&')
    assert response.request.uri.path == sent
    assert server.requests[0].header('authorization') is None


@versions
def test_no_secret_is_in_what_a_request_tells_of_itself(
    server: HttpServer, raw_server: Callable[..., RawServer], aws: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    handle = request.get(server.url, aws=aws)
    with caplog.at_level(logging.DEBUG):
        response = handle.end()
        told = [repr(handle), repr(response), json.dumps(handle.to_json()), json.dumps(response.to_json())]
        broken = raw_server(lambda sock, head: None)
        with pytest.raises(ConnectionResetError) as raised:
            request.post(broken.url, aws=aws, body='x').end()
    told += [repr(raised.value), str(raised.value), caplog.text]
    assert SECRET not in ''.join(told)


def test_threads_share_one_signer(server: HttpServer) -> None:
    api = request.defaults(aws=V4)

    def work(number: int) -> None:
        for turn in range(10):
            api.put(f'{server.url}/{number}/{turn}', body=str(number)).end()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 80
    assert all(verified(seen) for seen in server.requests)


def test_a_signer_can_be_used_on_its_own_among_signers(server: HttpServer) -> None:
    request.get(server.url + '/k', signers=[signer(V4)]).end()
    assert verified(server.requests[0])


def test_an_error_answer_of_aws_is_the_response(server: HttpServer) -> None:
    server.answers = lambda seen: Answer(403, {}, '<Code>SignatureDoesNotMatch</Code>')
    response = request.get(server.url, aws=V4).end()
    assert (response.status_code, len(server.requests)) == (403, 1)


def test_what_verifies_here_is_right_about_a_published_example() -> None:
    """The check of this file, checked: S3's documented GET of test.txt."""
    given = {'key': 'AKIAIOSFODNN7EXAMPLE', 'secret': 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'sign_version': 4}
    draft = Draft(EMPTY, Carry('GET', parse('http://examplebucket.s3.amazonaws.com/test.txt'), None))
    draft.fields = {
        'host': ('host', 'examplebucket.s3.amazonaws.com'),
        'range': ('range', 'bytes=0-9'),
        'x-amz-date': ('x-amz-date', '20130524T000000Z'),
    }
    fields = {**draft.fields, 'x-amz-content-sha256': ('', aws4.EMPTY)}
    names = aws4.NOT_SIGNED - {'range'}
    lines = ''.join(f'{name}:{fields[name][1]}\n' for name in sorted(fields) if name not in names)
    canonical = f'GET\n/test.txt\n\n{lines}\n{";".join(sorted(fields))}\n{aws4.EMPTY}'
    key = aws4.signing_key(given['secret'], '20130524', 'us-east-1', 's3')
    text = aws4.string_to_sign('20130524T000000Z', aws4.scope('20130524T000000Z', 'us-east-1', 's3'), canonical)
    assert aws4.signature(key, text) == 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'
