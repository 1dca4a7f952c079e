"""HAR out and in over real sockets: what a log tells of each hop, and that a request out of a log is the same request again."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import gc
import gzip
import io
import json
import os
import socket
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from requite import ConnectionRefused, ConnectionReset, HarLog, OptionsError, ResponseAborted, request
from requite.harentry import MOST_CONTENT
from tests.servers import Answer, HttpServer, closed_port, redirect, reply


def last(log: HarLog) -> Any:
    return log.entries[-1]


def named(pairs: list[dict[str, str]], name: str) -> list[str]:
    return [pair['value'] for pair in pairs if pair['name'].lower() == name]


# -- what an entry says


def test_an_entry_tells_of_request_and_answer(server: HttpServer) -> None:
    server.answers = lambda seen: Answer(
        201, {'content-type': 'text/plain', 'set-cookie': 'a=1; Path=/'}, 'made', 'Made'
    )
    log = HarLog(secrets=True)
    before = time.time()
    request.post(server.url + '/x?a=1&b=%20&a=3#f', json={'k': 'v'}, headers={'X-A': '1'}, har_log=log).end()
    entry = last(log)
    started = dt.datetime.fromisoformat(entry['startedDateTime'].replace('Z', '+00:00')).timestamp()
    assert before - 0.01 <= started <= time.time()
    asked, answered = entry['request'], entry['response']
    assert (asked['method'], asked['url'], asked['httpVersion']) == (
        'POST',
        server.url + '/x?a=1&b=%20&a=3',
        'HTTP/1.1',
    )
    pairs = [(pair['name'], pair['value']) for pair in asked['queryString']]
    assert pairs == [('a', '1'), ('b', ' '), ('a', '3')]
    assert asked['postData'] == {'mimeType': 'application/json', 'text': '{"k":"v"}'}
    assert asked['bodySize'] == 9
    assert [(pair['name'], pair['value']) for pair in asked['headers']] == server.requests[0].headers
    assert (answered['status'], answered['statusText'], answered['httpVersion']) == (201, 'Made', 'HTTP/1.1')
    assert answered['content'] == {'size': 4, 'mimeType': 'text/plain', 'text': 'made'}
    assert answered['cookies'] == [{'name': 'a', 'value': '1'}]
    assert answered['bodySize'] == 4
    assert '_error' not in entry


def test_each_hop_is_an_entry(server: HttpServer) -> None:
    server.routes = {'/a': redirect('/b?token=t'), '/b': reply('there')}
    log = HarLog()
    assert request.get(server.url + '/a', har_log=log).end().body == 'there'
    first, second = log.entries
    assert (first['response']['status'], first['response']['redirectURL']) == (302, '/b?token=***')
    assert first['response']['content']['text'] == 'elsewhere'
    assert second['request']['url'] == server.url + '/b?token=***'
    assert second['response']['content']['text'] == 'there'


def test_an_exchange_without_an_answer_is_an_entry_with_its_error() -> None:
    log = HarLog()
    with pytest.raises(ConnectionRefused):
        request.get(f'http://127.0.0.1:{closed_port()}/', har_log=log).end()
    entry = last(log)
    assert entry['response']['status'] == 0
    assert 'ECONNREFUSED' in entry['_error']
    assert entry['timings']['receive'] == 0


def test_a_body_that_breaks_off_is_an_entry_with_what_came_and_its_error(raw_server: Any) -> None:
    server = raw_server(lambda sock, head: sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'))
    log = HarLog()
    with pytest.raises(ResponseAborted):
        request.get(server.url, har_log=log).end()
    entry = last(log)
    assert entry['response']['content']['text'] == 'half' or entry['response']['content']['size'] == 0
    assert 'aborted' in entry['_error']


def test_a_body_that_is_read_in_pieces_is_kept_whole(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'abc' * 100_000, content_type='text/plain')
    log = HarLog()
    with request.get(server.url, har_log=log) as response:
        assert sum(len(piece) for piece in response) == 300_000
    assert len(log.entries) == 1
    assert last(log)['response']['content']['text'] == 'abc' * 100_000


@pytest.mark.parametrize('way', ['close', 'let go', 'abort'])
def test_an_answer_that_nobody_read_to_its_end_is_an_entry_all_the_same(server: HttpServer, way: str) -> None:
    server.answers = lambda seen: reply(b'x' * 3_000_000)
    log = HarLog()
    made = request.get(server.url, har_log=log)
    response = made.response
    assert log.entries == []
    if way != 'let go':
        assert len(response.read(10)) == 10
    if way == 'close':
        response.close()
    elif way == 'abort':
        made.abort()
        response.close()
    del made, response
    gc.collect()
    content = last(log)['response']['content']
    assert content['comment'] == 'not read to its end'
    assert content['size'] < 3_000_000


@pytest.mark.parametrize(('method', 'status'), [('HEAD', 200), ('GET', 204), ('GET', 304)])
def test_an_answer_without_content_has_none(server: HttpServer, method: str, status: int) -> None:
    server.answers = lambda seen: Answer(status, {'content-length': '55'} if status != 204 else {}, b'')
    log = HarLog()
    request(server.url, method=method, har_log=log).end()
    assert last(log)['response']['content'] == {'size': 0, 'mimeType': '', 'text': ''}
    assert last(log)['response']['bodySize'] == 0


@pytest.mark.parametrize('decode', [True, False])
def test_packed_content_is_shown_unpacked(server: HttpServer, decode: bool) -> None:
    packed = gzip.compress(b'hello ' * 100_000)
    server.answers = lambda seen: Answer(200, {'content-encoding': 'gzip', 'content-type': 'text/plain'}, packed)
    log = HarLog()
    request.get(server.url, gzip=decode, encoding=None, har_log=log).end()
    answered = last(log)['response']
    assert answered['content']['text'] == 'hello ' * 100_000
    assert answered['content']['size'] == 600_000
    assert answered['content']['compression'] == 600_000 - len(packed)
    assert answered['bodySize'] == len(packed)


def test_packed_content_that_is_broken_is_shown_as_far_as_it_goes(server: HttpServer) -> None:
    packed = gzip.compress(b'hello')
    server.answers = lambda seen: Answer(200, {'content-encoding': 'gzip'}, packed[:-4])
    log = HarLog()
    with pytest.raises(ConnectionReset):
        request.get(server.url, gzip=True, har_log=log).end()
    assert last(log)['response']['content']['text'] == 'hello'


def test_a_bomb_does_not_fill_the_log(server: HttpServer) -> None:
    """SECURITY B1."""
    packed = gzip.compress(bytes(50_000_000))
    server.answers = lambda seen: Answer(200, {'content-encoding': 'gzip'}, packed)
    log = HarLog()
    request.get(server.url, encoding=None, har_log=log).end()
    content = last(log)['response']['content']
    assert content == {'size': len(packed), 'mimeType': '', 'comment': 'too large to be kept'}


def test_content_that_is_no_text_is_base64(server: HttpServer) -> None:
    binary = bytes(range(256))
    server.answers = lambda seen: reply(binary, content_type='image/png')
    log = HarLog()
    request.put(server.url, body=binary, encoding=None, har_log=log).end()
    content = last(log)['response']['content']
    assert content['encoding'] == 'base64'
    assert base64.b64decode(content['text']) == binary
    assert base64.b64decode(last(log)['request']['postData']['text']) == binary


def test_text_of_another_charset_is_not_taken_for_utf_8(server: HttpServer) -> None:
    server.answers = lambda seen: reply('é'.encode(), content_type='text/plain; charset="ISO-8859-1"')
    log = HarLog()
    request.get(server.url, har_log=log).end()
    assert last(log)['response']['content']['encoding'] == 'base64'


def test_bodies_that_are_too_long_are_told_of_by_their_size(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'x' * (MOST_CONTENT + 1))
    log = HarLog()
    request.put(server.url, body=b'y' * (MOST_CONTENT + 1), encoding=None, har_log=log).end()
    entry = last(log)
    assert entry['request']['postData']['comment'] == 'too large to be kept'
    assert entry['request']['bodySize'] == MOST_CONTENT + 1
    assert entry['response']['content'] == {
        'size': MOST_CONTENT + 1,
        'mimeType': '',
        'comment': 'too large to be kept',
    }


def test_a_stream_is_told_of_and_not_kept(server: HttpServer) -> None:
    log = HarLog()
    request.post(server.url, body=iter([b'a', b'b']), har_log=log).end()
    asked = last(log)['request']
    assert asked['bodySize'] == -1
    assert asked['postData']['comment'] == 'a stream, which is not kept'


def test_a_body_that_tells_of_its_progress_is_kept_and_tells_once(server: HttpServer) -> None:
    log = HarLog()
    told: list[Any] = []
    request.post(server.url, body='text', har_log=log).on('progress', lambda *step: told.append(step)).end()
    assert last(log)['request']['postData']['text'] == 'text'
    assert [step[0] for step in told if step[2] == 'upload'] == [0, 4]


def test_the_phases_add_up_and_a_kept_connection_has_none_of_its_own(server: HttpServer) -> None:
    def answers(seen: Any) -> Answer:
        time.sleep(0.05)
        return reply('x')

    server.answers = answers
    log = HarLog()
    for _ in range(2):
        request.get(server.url, har_log=log).end()
    first, second = log.entries
    for entry in (first, second):
        phases = {name: value for name, value in entry['timings'].items() if name != 'ssl' and value >= 0}
        assert sum(phases.values()) == pytest.approx(entry['time'], abs=0.05)
        assert entry['timings']['wait'] >= 45
    assert first['timings']['connect'] >= 0
    assert (second['timings']['dns'], second['timings']['connect'], second['timings']['ssl']) == (-1, -1, -1)


def test_the_handshake_is_a_part_of_connecting(tls_server: HttpServer, authority: Any) -> None:
    log = HarLog()
    request.get(tls_server.url, ca=authority.path, har_log=log).end()
    timings = last(log)['timings']
    assert 0 < timings['ssl'] <= timings['connect']


def test_timings_of_the_response_are_the_same_with_a_log(server: HttpServer) -> None:
    response = request.get(server.url, time=True, har_log=HarLog()).end()
    assert response.timing_phases['total'] > 0
    assert response.elapsed_time is not None


def test_the_response_is_what_it_is_without_a_log(server: HttpServer) -> None:
    server.answers = lambda seen: reply('body' * (1 if seen.path == '/small' else 100_000))
    for path in ('/small', '/large'):
        plain = request.get(server.url + path).end()
        logged = request.get(server.url + path, har_log=HarLog()).end()
        assert (plain.body, plain.headers, plain.raw_headers) == (logged.body, logged.headers, logged.raw_headers)
        with request.get(server.url + path, har_log=HarLog()) as response:
            assert response.read(3) == b'bod'
            assert response.read() == plain.content[3:]
    from requite import BodyTooLarge

    with pytest.raises(BodyTooLarge):
        request.get(server.url + '/small', har_log=HarLog(), max_body=3).end()
    assert server.connections <= 6


# -- secrets


def secretive(server: HttpServer, log: Any) -> str:
    answer = Answer(200, {'set-cookie': 'sid=sekrit', 'x-mine': 'sekrit', 'x-amz-security-token': 'sekrit'}, 'ok')
    server.answers = lambda seen: (
        redirect(f'//me:sekrit@{server.authority}/b?x=1#access_token=sekrit') if seen.path == '/' else answer
    )
    request.post(
        server.url.replace('://', '://user:sekrit@') + '/?access_token=sekrit&x=1',
        form={'password': 'sekrit', 'x': '1'},
        headers={
            'Cookie': 'a=sekrit',
            'X-Api-Key': 'sekrit',
            'X-Mine': 'sekrit',
            'Referer': 'http://u:sekrit@h/?token=sekrit',
        },
        sensitive_headers=['x-mine'],
        follow_all_redirects=True,
        har_log=log,
    ).end()
    return json.dumps(log.to_json())


def test_credentials_are_hidden(server: HttpServer) -> None:
    """SECURITY Q9."""
    text = secretive(server, HarLog())
    assert 'sekrit' not in text
    assert base64.b64encode(b'user:sekrit').decode() not in text
    assert 'Basic ***' in text
    assert 'password=***&x=1' in text


def test_credentials_are_told_where_they_are_asked_for(server: HttpServer) -> None:
    text = secretive(server, HarLog(secrets=True))
    assert 'Basic ' + base64.b64encode(b'user:sekrit').decode() in text
    assert 'password=sekrit&x=1' in text
    assert 'access_token=sekrit' in text


# -- files


def test_a_file_is_whole_after_each_entry_and_belongs_to_its_owner_only(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'log.har'
    for count in range(1, 4):
        request.get(f'{server.url}/{count}', harLog=path).end()
        log = json.loads(path.read_text(encoding='utf-8'))['log']
        assert log['version'] == '1.2'
        assert [entry['request']['url'][-1] for entry in log['entries']] == [str(each + 1) for each in range(count)]
    if os.name == 'posix':
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_is_gone_on_with_by_a_path_and_by_an_object(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'log.har'
    request.get(server.url, har_log=str(path)).end()
    log = HarLog(path)
    api = request.defaults(har_log=log)
    api.get(server.url).end()
    request.get(server.url, har_log=path).end()
    assert len(log.entries) == len(log.to_json()['log']['entries']) == 3
    assert str(path) in repr(log)
    assert repr(HarLog()) == '<HarLog of 0 entries>'


def test_a_log_that_was_taken_away_begins_anew(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'log.har'
    for _ in range(2):
        request.get(server.url, har_log=path).end()
        assert len(HarLog(path).entries) == 1
        path.unlink()


def test_threads_write_side_by_side(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'log.har'
    logs = [path, HarLog(path), str(path)]

    def send(number: int) -> None:
        for each in range(10):
            request.get(f'{server.url}/{number}/{each}', har_log=logs[number % 3]).end()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = json.loads(path.read_text(encoding='utf-8'))['log']['entries']
    assert len({entry['request']['url'] for entry in entries}) == len(entries) == 60


@pytest.mark.parametrize(
    'content', ['{}', 'x', '{"log": {"version": "1.2", "creator": {"name": "other"}, "entries": []}}', 'x' * 99]
)
def test_a_file_that_is_no_log_of_ours_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / 'precious'
    path.write_text(content, encoding='utf-8')
    for make in (request, request.defaults):
        with pytest.raises(
            OptionsError, match=r"option 'har_log': .*precious' is no log that was written here; name another file"
        ):
            make('http://127.0.0.1:1/', har_log=path) if make is request else make(har_log=path)
    assert path.read_text(encoding='utf-8') == content


def test_a_log_that_was_cut_is_refused(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'log.har'
    request.get(server.url, har_log=path).end()
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(OptionsError, match='is no log that was written here'):
        HarLog(path)


@pytest.mark.parametrize('where', ['', 'nowhere/log.har'])
def test_a_place_that_cannot_be_written_is_an_error_of_the_call(tmp_path: Path, where: str) -> None:
    with pytest.raises(OptionsError, match=r"option 'har_log': .* cannot be written \(.+\); name another file"):
        request('http://127.0.0.1:1/', har_log=tmp_path / where)


def test_an_empty_file_becomes_a_log(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'log.har'
    path.touch()
    request.get(server.url, har_log=path).end()
    assert len(HarLog(path).entries) == 1


def test_a_log_that_is_damaged_meanwhile_costs_its_entry_not_the_request(
    server: HttpServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / 'log.har'
    api = request.defaults(har_log=path)
    path.write_text('mine now', encoding='utf-8')
    assert api.get(server.url).end().status_code == 200
    assert path.read_text(encoding='utf-8') == 'mine now'
    assert 'was not added to: somebody else has changed it' in caplog.text
    path.unlink()
    assert api.get(server.url).end().status_code == 200
    assert 'No such file' in caplog.text


def test_a_finalizer_in_the_middle_of_writing_waits_for_nobody(tmp_path: Path) -> None:
    log = HarLog(tmp_path / 'log.har')
    file: Any = log._file
    with file.lock:
        log.add({'late': 1}, late=True)  # as a finalizer would that runs while its thread holds the lock
    log.add({'next': 2})
    assert log.entries == [{'late': 1}, {'next': 2}]


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='processes are forked here')
@pytest.mark.filterwarnings('ignore:.*multi-threaded.*:DeprecationWarning')
def test_processes_write_side_by_side(tmp_path: Path) -> None:
    log = HarLog(tmp_path / 'log.har')
    file: Any = log._file
    with file.lock:  # held by the parent while it forks
        child = os.fork()
        if child == 0:
            for number in range(50):
                log.add({'child': number})
            os._exit(0)
    for number in range(50):
        log.add({'parent': number})
    assert os.waitpid(child, 0)[1] == 0
    assert len(log.entries) == 100


# -- there and back again


PNG = base64.b64decode('iVBORw0KGgo=') + bytes(range(256))
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ('GET', {}),
    ('GET', {'qs': {'a': ['1', '2'], 'b': {'c': 'é ü'}}}),
    ('GET', {'headers': {'X-One': '1', 'x-empty': '', 'Cookie': 'a=1; b="2"', 'X-Two': ['2', '3']}}),
    ('GET', {'auth': ('me', 'pw')}),
    ('HEAD', {}),
    ('DELETE', {}),
    ('PROPFIND', {'body': '<x/>', 'headers': {'content-type': 'text/xml'}}),
    ('POST', {}),
    ('POST', {'json': {'a': [1, 2.5, None, True, 'é\n"']}}),
    ('POST', {'json': 'text'}),
    ('POST', {'form': {'a': ['1', '2'], 'b': {'c': "it's (ü)!"}, 'token': 't'}}),
    ('POST', {'form': 'a=1&a=2&b'}),
    ('POST', {'body': 'plain\r\ntext', 'headers': {'content-type': 'text/plain'}}),
    ('POST', {'body': b'no type'}),
    ('PUT', {'body': PNG, 'headers': {'content-type': 'image/png'}}),
    ('POST', {'form_data': {'a': '1', 'b': {'value': PNG, 'options': {'filename': 'b.png'}}}}),
    ('POST', {'form_data': {'a': [b'1', io.BytesIO(b'file')]}}),
    ('PUT', {'body': io.BytesIO(b'file')}),
    ('POST', {'multipart': [{'content-type': 'text/plain', 'body': 'one'}, {'body': 'two'}]}),
    ('PATCH', {'gzip': True, 'json': [], 'headers': {'If-Match': '"x"'}}),
]


@pytest.mark.parametrize(('method', 'given'), REQUESTS)
def test_a_request_out_of_a_log_is_the_same_request(
    server: HttpServer, tmp_path: Path, method: str, given: dict[str, Any]
) -> None:
    path = tmp_path / 'log.har'
    request(server.url + '/a/b?q=1&q=2', method=method, har_log=HarLog(path, secrets=True), **given).end()
    whole = json.loads(path.read_text(encoding='utf-8'))
    request(har=whole).end()
    request(har=whole['log']['entries'][0]).end()
    request.defaults(har=whole['log']['entries'][0]['request'])().end()
    first, *others = server.requests
    assert len(others) == 3
    for again in others:
        assert (again.method, again.target, again.body) == (first.method, first.target, first.body)
        assert sorted(again.headers) == sorted(first.headers)


def test_a_file_that_a_har_names_is_sent(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'cat.txt'
    path.write_bytes(b'meow' * 50_000)
    param = {'name': 'cat', 'fileName': str(path)}
    post = {'mimeType': 'multipart/form-data', 'params': [param, {'name': 'a', 'value': '1'}]}
    given = {'url': server.url, 'method': 'POST', 'postData': post}
    request(har=given).end()
    api = request.defaults(har=given)
    api().end()
    threads = [threading.Thread(target=lambda: [api().end() for _ in range(5)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [seen.body.count(b'meow' * 50_000) for seen in server.requests] == [1] * 17
    assert b'filename="cat.txt"' in server.requests[0].body
    assert b'Content-Type: text/plain' in server.requests[0].body


def test_awaiting_and_piping_are_logged_too(server: HttpServer) -> None:
    log = HarLog()

    async def main() -> Any:
        return await request.get(server.url + '/awaited', har_log=log)

    asyncio.run(main())
    sink = io.BytesIO()
    request.get(server.url + '/piped', har_log=log).pipe(sink, end=False)
    assert [entry['request']['url'].rpartition('/')[2] for entry in log.entries] == ['awaited', 'piped']
    assert log.entries[1]['response']['content']['text'] == sink.getvalue().decode()


def test_a_har_of_a_browser_can_be_sent_again(server: HttpServer) -> None:
    given = {
        'log': {
            'version': '1.2',
            'creator': {'name': 'WebInspector', 'version': '537.36'},
            'pages': [],
            'entries': [
                {
                    '_initiator': {'type': 'other'},
                    '_resourceType': 'document',
                    'request': {
                        'method': 'POST',
                        'url': server.url + '/login?next=%2Fa%20b',
                        'httpVersion': 'http/2.0',
                        'headers': [
                            {'name': ':authority', 'value': server.authority},
                            {'name': ':method', 'value': 'POST'},
                            {'name': ':path', 'value': '/login?next=%2Fa%20b'},
                            {'name': ':scheme', 'value': 'http'},
                            {'name': 'accept', 'value': '*/*'},
                            {'name': 'content-length', 'value': '17'},
                            {'name': 'content-type', 'value': 'application/x-www-form-urlencoded'},
                            {'name': 'cookie', 'value': 'sid=1; theme=a%20b'},
                            {'name': 'user-agent', 'value': 'Mozilla/5.0'},
                        ],
                        'queryString': [{'name': 'next', 'value': '%2Fa%20b'}],
                        'cookies': [
                            {'name': 'sid', 'value': '1', 'path': '/', 'httpOnly': True},
                            {'name': 'theme', 'value': 'a%20b'},
                        ],
                        'headersSize': -1,
                        'bodySize': 17,
                        'postData': {
                            'mimeType': 'application/x-www-form-urlencoded',
                            'text': 'user=a%20b&x=1+2',
                            'params': [{'name': 'user', 'value': 'a%20b'}, {'name': 'x', 'value': '1+2'}],
                        },
                    },
                    'response': {'status': 200},
                }
            ],
        }
    }
    request(har=given).end()
    (seen,) = server.requests
    assert (seen.method, seen.target, seen.body) == ('POST', '/login?next=%2Fa%20b', b'user=a%20b&x=1+2')
    assert seen.header('cookie') == 'sid=1; theme=a%20b'
    assert seen.header('content-length') == '16'
    assert [name for name in seen.names if name.startswith(':')] == []


def test_camel_case_and_a_verb_beside_a_har(server: HttpServer) -> None:
    given = {'url': server.url + '/a', 'method': 'PUT'}
    assert request.post(har=given, followRedirect=False).end().status_code == 200
    assert request(None, {'har': given}).end().status_code == 200
    assert [seen.method for seen in server.requests] == ['POST', 'PUT']


def test_a_log_that_hides_credentials_can_be_sent_with_others(server: HttpServer) -> None:
    log = HarLog()
    request.get(server.url, auth=('me', 'pw'), headers={'cookie': 'a=1'}, har_log=log).end()
    request(har=log.to_json()).end()
    request(har=log.to_json(), auth=('you', 'pw')).end()
    first, without, other = server.requests
    assert (without.header('authorization'), without.header('cookie')) == (None, None)
    assert other.header('authorization') not in (None, first.header('authorization'))


def test_a_unix_socket_is_an_entry_too(tmp_path: Path) -> None:
    place = tmp_path / 's'
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place))
    listener.listen()

    def serve() -> None:
        sock, _ = listener.accept()
        sock.recv(65536)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')
        sock.close()

    threading.Thread(target=serve, daemon=True).start()
    log = HarLog()
    request.get(f'http://unix:{place}:/there', har_log=log).end()
    listener.close()
    assert last(log)['request']['url'].endswith(':/there')
