"""A HAR request as options: what browsers and others export, and what is no HAR."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

import pytest

from requite import InvalidOptionType, OptionsError, request
from requite.har import options_of


def har(**more: Any) -> dict[str, Any]:
    return {'url': 'http://h/a', 'method': 'GET', **more}


def pair(name: str, value: Any = '') -> dict[str, Any]:
    return {'name': name, 'value': value}


def post(kind: str, **more: Any) -> dict[str, Any]:
    return har(method='POST', postData={'mimeType': kind, **more})


def requested(**given: Any) -> dict[str, Any]:
    """The options of a call, as a requester gets them: nothing is sent."""
    return request.defaults(lambda options, callback: options)(**given)  # type: ignore[return-value]


# -- where the request is


def test_a_log_stands_for_the_request_of_its_first_entry() -> None:
    entry = {'request': har(), 'response': {}}
    assert options_of({'log': {'entries': [entry, {}]}}) == options_of(entry) == options_of(har())


def test_the_callers_har_is_not_touched() -> None:
    given = post('application/json', text='{"a": 1}', params=[])
    given['headers'] = [pair('a', 'b')]
    before = json.dumps(given)
    requested(har=given, uri='http://h/', headers={'c': 'd'}, method='PUT')
    assert json.dumps(given) == before


# -- headers


def test_headers_that_are_made_anew_or_belong_to_http2_are_left_out() -> None:
    headers = [pair(':method', 'GET'), pair(':authority', 'h'), pair('Content-Length', '5'), pair('X-A', '1')]
    headers += [pair('transfer-encoding', 'chunked'), pair('x-a', '2'), pair('Host', 'H')]
    assert options_of(har(headers=headers))['headers'] == [('X-A', '1'), ('x-a', '2')]


def test_a_host_that_the_address_does_not_say_stays() -> None:
    assert options_of(har(headers=[pair('Host', 'other')]))['headers'] == [('Host', 'other')]


def test_cookies_take_the_place_of_the_header_that_browsers_write_beside() -> None:
    given = har(headers=[pair('Cookie', 'a=1; b=2'), pair('x', 'y')], cookies=[pair('a', '1'), pair('b', '2')])
    written = [('Cookie', 'a=1; b=2'), ('x', 'y')]
    assert options_of(given)['headers'] == written
    given['cookies'][1]['value'] = '3'
    assert options_of(given)['headers'] == [('x', 'y'), ('cookie', 'a=1; b=3')]
    del given['cookies']
    assert options_of(given)['headers'] == written


def test_what_a_log_has_hidden_is_not_sent() -> None:
    headers = [pair('authorization', 'Basic ***'), pair('Cookie', '***'), pair('x', '1')]
    assert options_of(har(headers=headers, cookies=[pair('a', '***')]))['headers'] == [('x', '1')]


@pytest.mark.parametrize(('value', 'text'), [(None, ''), (1, '1'), (1.5, '1.5'), (True, 'true'), ('x', 'x')])
def test_values_that_are_no_text_are_written_as_json_writes_them(value: Any, text: str) -> None:
    assert options_of(har(headers=[pair('a', value)]))['headers'] == [('a', text)]


# -- the query


def test_a_query_that_the_address_has_already_is_not_sent_twice() -> None:
    given = har(url='http://h/a?x=1&y=a%20b&x=2', queryString=[pair('x', '1'), pair('y', 'a b'), pair('x', '2')])
    assert options_of(given) == {'url': given['url'], 'method': 'GET'}


def test_a_query_that_was_exported_with_its_escapes_is_not_escaped_again() -> None:
    given = har(url='http://h/a?y=a%20b&z=%C3%A9', queryString=[pair('y', 'a%20b'), pair('z', '%C3%A9')])
    assert 'qs' not in options_of(given)


def test_what_the_address_lacks_is_added() -> None:
    given = har(url='http://h/a?x=1', queryString=[pair('x', '1'), pair('x', '1'), pair('y', '2')])
    assert options_of(given)['qs'] == {'x': '1', 'y': '2'}


def test_three_values_of_one_name_are_a_list_of_three() -> None:
    given = har(queryString=[pair('a', '1'), pair('a', '2'), pair('a', '3'), pair('b')])
    assert options_of(given)['qs'] == {'a': ['1', '2', '3'], 'b': ''}


# -- content


@pytest.mark.parametrize(
    ('given', 'made'),
    [
        (
            post('application/x-www-form-urlencoded', params=[pair('a', '1'), pair('a', '2')]),
            {'form': {'a': ['1', '2']}},
        ),
        (post('application/x-www-form-urlencoded; charset=UTF-8', text='a=1&b=%20'), {'form': 'a=1&b=%20'}),
        (
            post('application/x-www-form-urlencoded', text='a=1+2&a=3', params=[pair('a', '1 2'), pair('a', '3')]),
            {'form': 'a=1+2&a=3'},
        ),
        (
            post('application/x-www-form-urlencoded', text='a=%20', params=[pair('a', '%20')]),
            {'form': 'a=%20'},
        ),
        (post('application/x-www-form-urlencoded', text='a=1', params=[pair('b', '2')]), {'form': {'b': '2'}}),
        (post('application/x-www-form-urlencoded'), {}),
        (post('application/json; charset=utf-8', text='{"a": [1]}'), {'body': {'a': [1]}, 'json': True}),
        (post('APPLICATION/JSON', text='null'), {'body': None, 'json': True}),
        (post('text/x-json', text='{"a"'), {'body': '{"a"'}),
        (post('application/json'), {}),
        (post('multipart/form-data', params=[pair('a', '1'), pair('a', None)]), {'form_data': {'a': ['1', '']}}),
        (post('multipart/form-data; boundary=x', text='--x--'), {'body': '--x--'}),
        (
            post('multipart/form-data', params=[{**pair('a', 'v'), 'fileName': 'f.txt'}]),
            {'form_data': {'a': {'value': 'v', 'options': {'filename': 'f.txt'}}}},
        ),
        (
            post('multipart/mixed', params=[{**pair('a', 'v'), 'fileName': 'f', 'contentType': 'text/x'}]),
            {'form_data': {'a': {'value': 'v', 'options': {'filename': 'f', 'contentType': 'text/x'}}}},
        ),
        (post('text/plain', text='hello'), {'body': 'hello'}),
        (post('', text='hello'), {'body': 'hello'}),
        (post('image/png', text='AP8=', _encoding='base64'), {'body': b'\x00\xff'}),
        (post('application/json', text='AP8=', encoding='base64'), {'body': b'\x00\xff'}),
        (har(postData=None), {}),
    ],
)
def test_the_content_becomes_the_options_that_make_it(given: dict[str, Any], made: dict[str, Any]) -> None:
    left = {key: value for key, value in options_of(given).items() if key not in ('url', 'method')}
    assert left == made


def test_a_file_is_opened_at_the_call_and_closed_with_whoever_holds_it(tmp_path: Path) -> None:
    path = tmp_path / 'cat.png'
    path.write_bytes(b'meow')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        made = options_of(
            post('multipart/form-data', params=[{'name': 'a', 'fileName': str(path), 'contentType': 'x/y'}])
        )
        part = made['form_data']['a']
        assert (part['value'].read(9), part['value'].name) == (b'meow', str(path))
        assert part['options'] == {'contentType': 'x/y'}
        number = part['value']._number
        del made, part
        with pytest.raises(OSError, match='Bad file'):
            os.fstat(number)


@pytest.mark.parametrize('name', ['nowhere.txt', 'a\0b', ''])
def test_a_file_that_is_not_there_is_an_error_of_the_call(tmp_path: Path, name: str) -> None:
    file = str(tmp_path / name) if name != '' else str(tmp_path)
    with pytest.raises(
        OptionsError, match=r"option 'har': there is no file .* that could be sent; give the param a value"
    ):
        request(har=post('multipart/form-data', params=[{'name': 'a', 'fileName': file}]))


# -- options beside it


def test_options_beside_it_win() -> None:
    given = post('application/json', text='{"a":1}')
    given['headers'] = [pair('X-A', 'har'), pair('X-B', 'har'), pair('Content-Type', 'application/json')]
    assert requested(har=given, url='http://other/b', method='PUT', headers={'x-a': 'call'}, form={'f': '1'}) == {
        'url': 'http://other/b',
        'method': 'PUT',
        'headers': {'x-a': 'call', 'X-B': 'har'},
        'form': {'f': '1'},
    }


# -- what is no HAR


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        ('har.json', "option 'har' must be a HAR request as a mapping, not a str; read a file of it with json.load"),
        (b'{}', 'as a mapping, not a bytes'),
        ([har()], 'as a mapping, not a list'),
        (5, 'as a mapping, not an int'),
    ],
)
def test_a_har_of_the_wrong_type_is_an_error_with_its_fix(value: Any, text: str) -> None:
    for make in (request, request.defaults):
        with pytest.raises(InvalidOptionType, match=text):
            make(har=value)


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        ({}, 'is no HAR request: it has none of url, method, headers, queryString, cookies, postData'),
        ({'URL': 'x'}, 'is no HAR request'),
        ({'log': None}, 'its log has no entries'),
        ({'log': {}}, 'its log has no entries'),
        ({'log': {'entries': []}}, 'its log has no entries; give one request of it'),
        ({'log': {'entries': 'abc'}}, 'its log has no entries'),
        ({'log': {'entries': [5]}}, 'its log has no entries'),
        (har(url=5), "'har': its url must be a str, not an int"),
        (har(method=['GET']), "'har': its method must be a str, not a list"),
        (har(headers={'a': 'b'}), 'its headers must be a list of objects with name and value'),
        (har(headers=[['a', 'b']]), 'its headers must be a list of objects'),
        (har(headers=[{'value': 'b'}]), 'an item of its headers has no name'),
        (
            har(headers=[pair('x-sekrit', ['sekrit'])]),
            "in its headers the value of 'x-sekrit' must be a str, not a list",
        ),
        (har(queryString='a=1'), 'its queryString must be a list'),
        (har(cookies=[pair('a', {})]), "in its cookies the value of 'a' must be a str, not a dict"),
        (har(cookies=5), 'its cookies must be a list'),
        (har(postData='a=1'), 'its postData must be an object, not a str'),
        (post(5), 'its mimeType must be a str, not an int'),  # type: ignore[arg-type]
        (post('text/plain', text=5), 'its text must be a str, not an int'),
        (post('multipart/form-data', params=[{'value': 'x'}]), 'an item of its params has no name'),
        (post('multipart/form-data', params=[{'name': 'a', 'fileName': 5}]), 'its fileName must be a str'),
        (post('image/png', text='!!', encoding='base64'), 'the text of its postData is no base64'),
        (post('image/png', text='', _omitted=True), 'the log did not keep the content of this request; give it beside'),
    ],
)
def test_what_is_no_har_is_an_error_that_names_the_part(value: Any, text: str) -> None:
    for make in (request, request.defaults):
        with pytest.raises(OptionsError, match=text) as caught:
            make(har=value)
        assert 'sekrit' not in str(caught.value).replace('x-sekrit', '')


def test_content_that_a_log_did_not_keep_can_be_given_beside() -> None:
    given = requested(har=post('image/png', text='', _omitted=True), body=b'pixels')
    assert (given['method'], given['body']) == ('POST', b'pixels')


def test_a_header_that_cannot_be_sent_is_an_error_of_the_call() -> None:
    """SECURITY Q1."""
    for name, value in (('a\r\nb', 'c'), ('a', 'b\r\nc'), ('', 'x')):
        with pytest.raises(OptionsError):
            request(har=har(headers=[pair(name, value)]))
