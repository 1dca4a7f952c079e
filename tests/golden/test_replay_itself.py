"""The replay can fail: what Node did is equal to itself, and any change to it is reported."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from . import compare, decision, situations
from . import corpus as corpora
from .decided import DECIDED
from .replay import judge

try:
    CORPUS = corpora.load()
    ABSENT = ''
except corpora.Absent as absent:
    CORPUS = None
    ABSENT = f'no recordings: {absent}'

needs_recordings = pytest.mark.skipif(CORPUS is None, reason=ABSENT or 'recordings are here')


def as_came(want: dict[str, Any]) -> dict[str, Any]:
    """Node's result in the shape of ours: an error with its family, header fields of a pipe as a mapping."""
    got = copy.deepcopy(want)
    for outcome in got['outcomes']:
        shown = (outcome.get('response') or {}).get('request')
        if shown and isinstance(shown['uri'], str):
            shown['uri'] = {'href': shown['uri']}
        error = next((outcome[key] for key in compare.FAILED if key in outcome), None)
        if error is not None:
            name = (error.get('class') or ['RequestError'])[0]
            outcome['error'] = {'message': '', **error, 'name': name, 'family': [name, 'RequestError'], 'depth': 3}
            outcome.pop('threw', None)
            outcome.pop('uncaught', None)
        if (
            'cookie_probe' not in outcome
            and 'events' in outcome
            and 'error' in outcome
            and 'error' not in outcome['events']
        ):
            outcome['raised'] = True
    return got


def lines_for(
    want: dict[str, Any], got: dict[str, Any], case: dict[str, Any] | None = None, level: str = 'semantic'
) -> list[str]:
    assert CORPUS is not None
    return compare.differences(case or {}, want, got, CORPUS.recorder.diff_requests, level)


def entry(**outcome: Any) -> dict[str, Any]:
    """One GET that is answered with ok."""
    shown = {
        'method': 'GET',
        'uri': {'href': 'http://h:1/a', 'path': '/a', 'port': '1', 'auth': None},
        'headers': {'x-a': '1'},
    }
    response = {
        'statusCode': 200,
        'headers': {'etag': '"e"'},
        'body': {'type': 'string', 'value': 'ok'},
        'request': shown,
    }
    made = {
        'calls': 1,
        'events': ['request', 'socket', 'response', 'data', 'end', 'complete'],
        'response': response,
        **outcome,
    }
    request = {'method': 'GET', 'target': '/a', 'headers': [['x-a', '1'], ['host', 'h:1']], 'body': 'b', 'conn': 0}
    return {'requests': [request], 'outcomes': [made]}


def changed(path: str, value: Any, base: dict[str, Any] | None = None) -> dict[str, Any]:
    """The entry with one part of it changed."""
    made = copy.deepcopy(base or entry())
    at: Any = made
    *steps, last = path.split('.')
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[int(last) if isinstance(at, list) else last] = value
    return made


@needs_recordings
def test_every_recording_is_equal_to_itself() -> None:
    assert CORPUS is not None
    unlike = {}
    for case in CORPUS.cases:
        want = CORPUS.wanted[case['id']]
        lines = compare.differences(case, want, as_came(want), CORPUS.recorder.diff_requests, 'semantic')
        if lines and not any(outcome.get('no_outcome') for outcome in want['outcomes']):
            unlike[case['id']] = lines
    assert unlike == {}


@needs_recordings
def test_every_decision_differs_from_nodes_result_or_says_that_it_is_the_same() -> None:
    """A decision that Node's own result would pass as well checks nothing; the exceptions only differ in framing or say 'as in Node'."""
    assert CORPUS is not None
    idle = []
    for case in CORPUS.cases:
        decided = DECIDED.get(case['id'])
        if decided is None or decided.reason.startswith('as in Node'):
            continue
        want = CORPUS.wanted[case['id']]
        verdict = judge(case, want, as_came(want), CORPUS)
        if verdict.kind != 'failed' and not all('content-length' in path for path in decided.changes):
            idle.append(case['id'])
    assert idle == []


@needs_recordings
def test_what_a_decision_describes_passes_its_own_check() -> None:
    assert CORPUS is not None
    unlike = {}
    for case in CORPUS.cases:
        decided = DECIDED.get(case['id'])
        if decided is None or any(hasattr(value, 'search') for value in decided.changes.values()):
            continue
        want = CORPUS.wanted[case['id']]
        came = as_came(decision.apply(decided, want, want))
        verdict = judge(case, want, came, CORPUS)
        if verdict.kind != 'passed':
            unlike[case['id']] = verdict.lines
    assert unlike == {}


@needs_recordings
def test_a_situation_is_told_by_what_the_server_sends_and_nodes_result_does_not_pass_there() -> None:
    """The same cases under another name: only those that a situation names are taken for one."""
    assert CORPUS is not None
    told = []
    for case in CORPUS.cases:
        want = CORPUS.wanted[case['id']]
        renamed = {**case, 'id': 'unheard-of'}
        if situations.decide(renamed, want) is not None:
            told.append(case['id'])
            assert judge(renamed, want, as_came(want), CORPUS).kind == 'failed'
            if case['id'] in DECIDED:
                came = as_came(decision.apply(DECIDED[case['id']], want, want))
                assert judge(renamed, want, came, CORPUS).lines == ()
    expected = {'errors-status-999', 'errors-huge-header', 'errors-extra-bytes', 'redirect-two-locations'}
    expected |= {'encoding-gzip-truncated', 'encoding-gzip-truncated-half'}
    if situations.HAS_BROTLI:
        expected.add('encoding-gzip-br')
    assert set(told) == expected


@needs_recordings
@pytest.mark.parametrize(
    ('path', 'value', 'told'),
    [
        ('requests.0.method', 'POST', 'method'),
        ('requests.0.target', '/b', 'target'),
        ('requests.0.body', 'c', 'body'),
        ('requests.0.headers', [['x-a', '2'], ['host', 'h:1']], 'headers'),
        ('requests', [], 'number of requests'),
        ('outcomes', [], 'number of outcomes'),
        ('outcomes.0.calls', 2, 'called 2 times'),
        ('outcomes.0.events', ['request', 'response', 'end', 'complete'], 'events'),
        ('outcomes.0.events', ['request', 'response', 'data', 'complete', 'end'], 'events'),
        ('outcomes.0.response.statusCode', 201, 'statusCode'),
        ('outcomes.0.response.headers', {'etag': '"f"'}, 'response headers'),
        ('outcomes.0.response.headers', {'etag': '"e"', 'age': '1'}, 'response headers'),
        ('outcomes.0.response.body', {'type': 'string', 'value': 'no'}, 'body'),
        ('outcomes.0.response.body', {'type': 'buffer', 'b64': 'b2s='}, 'body'),
        ('outcomes.0.response.body', {'type': 'undefined'}, 'body'),
        ('outcomes.0.response.request.method', 'get', 'request.method'),
        ('outcomes.0.response.request.uri', {'href': 'http://h:1/b'}, 'request.uri.href'),
        ('outcomes.0.response.request.headers', {}, 'request headers'),
        ('outcomes.0', {'no_outcome': True}, 'hang'),
        (
            'outcomes.0.error',
            {'name': 'ReadTimeout', 'message': 'm', 'family': ['RequestError'], 'depth': 1},
            'wanted none',
        ),
    ],
)
def test_a_change_of_one_part_is_reported(path: str, value: Any, told: str) -> None:
    lines = lines_for(entry(), changed(path, value))
    assert len(lines) >= 1
    assert told in lines[0]


@needs_recordings
def test_header_order_counts_on_the_wire_only() -> None:
    turned = changed('requests.0.headers', [['Host', 'h:1'], ['x-a', '1']])
    assert lines_for(entry(), turned) == []
    assert len(lines_for(entry(), turned, level='wire')) == 1


@pytest.mark.parametrize(
    ('want', 'came', 'same'),
    [
        (['request', 'socket', 'response', 'error', 'end'], ['request', 'response', 'error'], True),
        (['request', 'socket', 'abort', 'error'], ['request', 'error'], True),
        (['request', 'socket', 'error'], ['request', 'response', 'error'], False),
        (['request', 'response', 'error'], ['response', 'request', 'error'], False),
        (['request', 'response', 'error'], ['request', 'response'], False),
        (['request', 'socket', 'abort'], ['request', 'abort'], True),
        (['request', 'socket', 'abort'], ['request'], False),
        (
            ['request', 'redirect', 'request', 'response', 'end', 'complete'],
            ['request', 'request', 'response', 'end', 'complete'],
            False,
        ),
    ],
)
def test_events_come_in_nodes_order(want: list[str], came: list[str], same: bool) -> None:
    assert (compare.events(want, {'events': came}) == []) is same


def test_late_listeners_hear_of_response_and_complete() -> None:
    want = ['request', 'socket', 'response', 'data', 'end', 'complete']
    assert compare.events(want, {'late_events': ['request', 'response', 'end', 'complete']}) == []
    assert compare.events(want, {'late_events': ['request', 'response']}) != []


def failing(**error: Any) -> dict[str, Any]:
    family = [error.get('name', 'RequestError'), 'RequestError']
    return {
        'events': ['error'],
        'error': {'name': 'RequestError', 'message': 'm', 'family': family, 'depth': 2, **error},
    }


@pytest.mark.parametrize(
    ('want', 'got', 'told'),
    [
        ({'code': 'ECONNREFUSED'}, failing(code='ECONNREFUSED'), None),
        ({'code': 'ECONNREFUSED'}, failing(code='ECONNRESET'), 'code'),
        ({'code': 'ECONNREFUSED'}, {'events': ['error'], 'response': {'statusCode': 200}}, 'no error but status 200'),
        ({'code': 'ETIMEDOUT', 'connect': True}, failing(code='ETIMEDOUT', connect=False), 'connect'),
        ({}, failing(), None),
        ({}, failing(family=['KeyError', 'Exception']), 'outside the family'),
        ({}, failing(name='TypeError', family=['TypeError'], depth=0), None),
        ({}, failing(name='TypeError', family=['TypeError'], depth=1), 'outside the family'),
        ({'class': ['InvalidBody']}, failing(name='InvalidURI'), 'wanted InvalidBody'),
        ({}, {**failing(), 'calls': 2}, 'called 2 times'),
    ],
)
def test_an_error_is_compared_by_code_and_family(want: dict[str, Any], got: dict[str, Any], told: str | None) -> None:
    lines = compare.outcome({'events': ['error'], 'error': {'message': 'Node says', **want}}, got)
    assert (lines == []) if told is None else (told in lines[0])


def test_cookies_and_pipes_are_compared() -> None:
    probe = {
        'jar': 'A',
        'url': 'http://h/',
        'string': 'a=1',
        'cookies': [{'key': 'a', 'value': '1', 'path': '/', 'pathIsDefault': True}],
    }
    assert (
        compare.outcome(
            {'cookie_probe': [probe]},
            {'cookie_probe': [{**probe, 'cookies': [{'key': 'a', 'value': '1', 'path': '/'}]}]},
        )
        == []
    )
    assert compare.outcome({'cookie_probe': [probe]}, {'cookie_probe': [{**probe, 'string': ''}]}) != []
    assert compare.outcome({'cookie_probe': [probe]}, {'cookie_probe': [{**probe, 'cookies': []}]}) != []
    assert compare.outcome({'cookie_probe': [probe]}, {'events': []}) != []
    assert compare.outcome({'cookie': 'a=1'}, {'cookie': 'a=2'}) != []
    assert compare.outcome({'jar_errors': [{'jar': 'A', 'cookie': 'x', 'message': 'm'}]}, {'jar_errors': []}) != []
    piped = {'statusCode': 200, 'headers': [['etag', '1'], ['etag', '1']], 'body': {'type': 'buffer', 'b64': 'b2s='}}
    want = {'events': [], 'piped': piped}
    assert compare.outcome(want, {'events': [], 'piped': {**piped, 'headers': {'ETag': '1'}}}) == []
    assert compare.outcome(want, {'events': [], 'piped': {**piped, 'headers': {}}}) != []
    assert compare.outcome(want, {'events': [], 'piped': {**piped, 'body': {'type': 'buffer', 'b64': ''}}}) != []
    assert compare.outcome({'events': [], 'stream_body': {'type': 'string', 'value': 'a'}}, {'events': []}) != []


def test_our_own_user_agent_and_codings_are_taken_out_and_nothing_else() -> None:
    sent = [['user-agent', 'requite/1.0'], ['Accept-Encoding', 'gzip, deflate, br, zstd'], ['x-a', 'requite/1.0']]
    came = compare.normalise({'options': {}}, changed('requests.0.headers', sent))
    assert came['requests'][0]['headers'] == [['Accept-Encoding', 'gzip, deflate'], ['x-a', 'requite/1.0']]
    kept = compare.normalise(
        {'options': {'headers': {'accept-encoding': 'x', 'user-agent': 'requite/1.0'}}},
        changed('requests.0.headers', sent),
    )
    assert kept['requests'][0]['headers'] == sent
