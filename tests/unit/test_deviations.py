"""What requite refuses at the call, or reads otherwise than Node's request does: the rows of docs/reference/deviations.md that need no server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from requite import InvalidBody, InvalidProtocol, InvalidURI, OptionsError, UnknownOption, request
from requite.carries import first
from requite.options import EMPTY, compose, normalise
from requite.routes import Limits

HOME = 'http://host.test'


def uri(address: Any = HOME + '/', **options: Any) -> str:
    """The address that a call with these options means."""
    return str(first(compose(EMPTY, normalise({'uri': address, **options}))).uri)


def content(**options: Any) -> bytes:
    """The content that a call with these options means."""
    body = first(compose(EMPTY, normalise({'uri': HOME, 'method': 'POST', **options}))).body
    assert body is not None
    return b''.join(body.chunks())


# ---------------------------------------------------------------- wrong calls


@pytest.mark.parametrize(
    ('options', 'error'),
    [
        ({'auth': {}}, ValueError),
        ({'auth': {'sendImmediately': False}}, ValueError),
        ({'auth': {'user': 'a:b', 'pass': 'c'}}, ValueError),
        ({'auth': {'user': 'a\n', 'pass': 'c'}}, ValueError),
        ({'auth': {'bearer': 'a\r\nb'}}, ValueError),
        ({'body': 5}, TypeError),
        ({'body': {}}, TypeError),
        ({'body': True}, TypeError),
        ({'encoding': 'nope'}, ValueError),
        ({'encoding': 5}, TypeError),
        ({'timeout': -1}, ValueError),
        ({'timeout': 0}, ValueError),
        ({'timeout': '500'}, TypeError),
        ({'timeout': 1.5}, TypeError),
        ({'qs': 'a=1'}, TypeError),
        ({'qs': [('a', 1)]}, TypeError),
        ({'form': [('a', 1)]}, TypeError),
        ({'qs': {'a': 1}, 'qs_stringify_options': {'delimeter': ';'}}, TypeError),
        ({'qs_parse_options': {'delimeter': ';'}}, TypeError),
        ({'headers': {'x': 'a\r\nb: c'}}, ValueError),
        ({'headers': {'content-length': 'x'}}, ValueError),
        ({'headers': {'content-length': '3', 'transfer-encoding': 'chunked'}}, ValueError),
        ({'headers': {'transfer-encoding': 'gzip'}}, ValueError),
        ({'agent_class': object}, ValueError),
        ({'follow_redirects': False}, TypeError),
        ({'base_url': HOME, 'baseUrl': HOME}, TypeError),
    ],
)
def test_what_node_ignores_or_reports_later_is_an_error_of_the_call(options: Any, error: type[Exception]) -> None:
    """A callback and a listener do not change that: nothing is sent, and the callback is not called."""
    called: list[Any] = []
    with pytest.raises(OptionsError) as caught:
        request.post(HOME, {**options, 'callback': lambda *outcome: called.append(outcome)})
    assert isinstance(caught.value, error)
    assert called == []


def test_an_unknown_option_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UnknownOption, match='follow_redirect'):
        request(HOME, follow_redirects=False)  # type: ignore[call-arg]


@pytest.mark.parametrize('method', ['HEAD', 'head', 'Head'])
def test_a_body_on_head_is_an_error_in_any_spelling(method: str) -> None:
    with pytest.raises(InvalidBody, match='MUST NOT'):
        request(HOME, method=method, body='x')


def test_a_form_on_head_is_an_error_too() -> None:
    with pytest.raises(InvalidBody, match='MUST NOT'):
        request.head(HOME, form={'a': 1})


def test_every_wrapper_has_every_verb() -> None:
    wrapper = request.defaults(json=True).defaults()
    for name in (
        'get',
        'head',
        'options',
        'post',
        'put',
        'patch',
        'delete',
        'del',
        'del_',
        'forever',
        'flush',
        'Request',
    ):
        assert callable(getattr(wrapper, name))


def test_a_call_without_timeout_ends_all_the_same() -> None:
    """Node waits for ever."""
    assert EMPTY.limits == Limits(10.0, 300.0)
    assert compose(EMPTY, normalise({'timeout': None})).limits == Limits(None, None)


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    'address',
    [
        'http://127.1/', 'http://0x7f.1/', 'http://2130706433/', 'http://0177.0.0.1/', 'http://ex%61mple.com/', 'http://[fe80::1%25eth0]/',
        'http://good.com\\@evil.com/', 'http://good\t.com/', 'http://user%zz@host.test/', 'http://host.test:99999/',
    ],
)  # fmt: skip
def test_an_address_that_programs_read_differently_is_refused(address: str) -> None:
    with pytest.raises(InvalidURI):
        request(address)


def test_a_scheme_that_is_no_http_is_refused_at_the_call() -> None:
    with pytest.raises(InvalidProtocol, match='ftp:'):
        request('ftp://host.test/', lambda *outcome: None)


@pytest.mark.parametrize(
    ('given', 'read'),
    [
        (HOME + '/a\\b', '/a%5Cb'),
        (HOME + '/caf\u00e9?q=\u65e5', '/caf%C3%A9?q=%E6%97%A5'),
        ('http://unix:/tmp/a.sock:/p:q?x:y', '/p:q?x:y'),
    ],
)
def test_the_target_is_written_as_rfc_3986_says(given: str, read: str) -> None:
    assert first(compose(EMPTY, normalise({'uri': given}))).uri.target == read


def test_a_parsed_address_needs_no_options_behind_it() -> None:
    """Node takes one for the options, unless options follow."""
    assert uri(urlsplit(HOME + '/a?b=c')) == HOME + '/a?b=c'


@pytest.mark.parametrize(
    ('base', 'path', 'joined'),
    [('/api', '?a=1', '/api?a=1'), ('/api?k=1', 'x', '/api/x?k=1'), ('/api', 'x?u=http://y', '/api/x?u=http://y')],
)
def test_a_query_stays_a_query_when_a_base_is_joined(base: str, path: str, joined: str) -> None:
    assert uri(path, base_url=HOME + base) == HOME + joined


# ---------------------------------------------------------------- queries and forms


@pytest.mark.parametrize(
    ('address', 'options', 'meant'),
    [
        ('/?a=b+c&e', {'qs': {}}, '/?a=b+c&e'),
        ('/?a=1', {'qs': {'b': 2}, 'qs_stringify_options': {'addQueryPrefix': True}}, '/?a=1&b=2'),
        ('/p#frag', {'qs': {'a': 1}}, '/p?a=1#frag'),
        ('/', {'qs': {'b': 1, '2': 2, '1': 3}}, '/?b=1&2=2&1=3'),
        ('/', {'qs': {'b': b'\xff\x00'}}, '/?b=%FF%00'),
    ],
)
def test_a_query_says_what_the_caller_gave(address: str, options: Any, meant: str) -> None:
    assert uri(HOME + address, **options) == HOME + meant


def test_a_date_is_written_by_both_codecs() -> None:
    from datetime import datetime, timezone

    moment = datetime(2020, 1, 2, tzinfo=timezone.utc)
    nested, flat = (uri(qs={'t': moment}, use_querystring=flag) for flag in (False, True))
    assert nested == flat == HOME + '/?t=2020-01-02T00%3A00%3A00.000Z'


def test_a_query_may_be_512_levels_deep() -> None:
    def deep(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = {'a': value}
        return value

    assert uri(qs=deep(500)).endswith('=1')
    with pytest.raises(OptionsError, match='512'):
        uri(qs=deep(600))


def test_bytes_as_a_form_go_out_as_they_are() -> None:
    assert content(form=b"a=!'") == b"a=!'"


def test_a_list_of_the_call_replaces_the_list_of_the_defaults() -> None:
    outer = compose(EMPTY, normalise({'qs': {'a': ['1', '2', '3'], 'b': '1'}}))
    made = first(compose(outer, normalise({'uri': HOME, 'qs': {'a': ['x']}})))
    assert made.uri.query == 'a%5B0%5D=x&b=1'


# ---------------------------------------------------------------- json


@pytest.mark.parametrize(
    ('value', 'text'),
    [(0, b'0'), ('', b'""'), (2**70, b'1180591620717411303424'), ({'b': 1, '2': 2, '1': 3}, b'{"b":1,"2":2,"1":3}')],
)
def test_any_json_value_is_sent_in_full_and_in_order(value: Any, text: bytes) -> None:
    assert content(json=value) == text


@pytest.mark.parametrize('value', [{'a': b'bytes'}, {'a': {1, 2}}, object()])
def test_what_json_cannot_hold_is_an_error(value: Any) -> None:
    with pytest.raises(InvalidBody):
        content(json=value)


def test_a_json_value_goes_before_a_form() -> None:
    assert content(json={'a': 1}, form={'b': 2}) == b'{"a":1}'
