"""Argument forms, verbs, ``defaults()`` and what hangs on ``request``."""

from __future__ import annotations

import copy
from types import MappingProxyType
from typing import Any
from urllib.parse import urlparse, urlsplit

import pytest

import requite
from requite import (
    InvalidBody,
    InvalidOptionType,
    InvalidURI,
    OptionsError,
    Pool,
    RequestError,
    Requests,
    UnknownOption,
    request,
)
from tests.servers import Answer, HttpServer

VERBS = ['get', 'head', 'options', 'post', 'put', 'patch', 'delete']


class Told:
    """A callback that remembers what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Any]] = []

    def __call__(self, error: Any, response: Any, body: Any) -> None:
        self.calls.append((error, response, body))

    @property
    def status(self) -> list[int]:
        assert [call[0] for call in self.calls] == [None] * len(self.calls)
        return [call[1].status_code for call in self.calls]


# -- forms of arguments


@pytest.mark.parametrize('caller', [request, request.post, request.defaults({})], ids=['request', 'verb', 'wrapper'])
def test_every_form_of_arguments_sends_the_same(caller: Any, server: HttpServer) -> None:
    """REQUEST-SPEC 1.1."""
    url, told = server.url + '/a', Told()
    options = {'headers': {'x-a': '1'}}
    caller(url).end()
    caller(url, told)
    caller(url, None, told)
    caller(url, options).end()
    caller(url, options, told)
    caller({**options, 'uri': url}).end()
    caller({**options, 'url': url}, told)
    caller({**options, 'uri': url}, None, told)
    caller(url, **options).end()
    caller(url, told, **options)
    caller(url, callback=told)
    caller(uri=url, callback=told)
    caller(url, {**options, 'callback': told})
    caller(None, {'uri': url}).end()
    caller('', {'uri': url}).end()
    assert {seen.target for seen in server.requests} == {'/a'}
    assert len(server.requests) == 15
    assert told.status == [200] * 9
    assert [seen.header('x-a') for seen in server.requests] == [None] * 3 + ['1'] * 7 + [None] * 2 + ['1'] + [None] * 2


def test_a_callable_in_the_place_of_options_beats_the_third_argument(server: HttpServer) -> None:
    """REQUEST-SPEC 1.1."""
    first, third = Told(), Told()
    request(server.url, first, third)
    assert (first.status, third.status) == ([200], [])


def test_the_callback_argument_beats_the_option(server: HttpServer) -> None:
    argument, option = Told(), Told()
    request(server.url, {'callback': option}, argument)
    assert (argument.status, option.status) == ([200], [])


def test_with_two_mappings_the_first_is_a_parsed_address(server: HttpServer) -> None:
    """REQUEST-SPEC 1.1: and with one it is the options."""
    parts = {'protocol': 'http:', 'hostname': '127.0.0.1', 'port': server.port, 'pathname': '/parts'}
    request(parts, {}).end()
    request(parts, {}, Told())
    assert [seen.target for seen in server.requests] == ['/parts', '/parts']
    with pytest.raises(UnknownOption, match="'protocol'"):
        request(parts)
    with pytest.raises(InvalidURI):
        request({'url': server.url}, {})


def test_an_address_may_be_parsed_already(server: HttpServer) -> None:
    url = server.url + '/a?b=c'
    for address in (urlparse(url), urlsplit(url), request(url).end().request.uri):
        request(address).end()
        request(uri=address).end()
    assert {seen.target for seen in server.requests} == {'/a?b=c'}


def test_keywords_are_laid_over_the_options_mapping(server: HttpServer) -> None:
    request(
        server.url,
        {'method': 'PUT', 'headers': {'A': '1', 'B': '1'}, 'qs': {'a': 1}},
        method='PATCH',
        headers={'b': '2'},
        qs={'b': 2},
    ).end()
    seen = server.requests[0]
    assert (seen.method, seen.target, seen.header('a'), seen.header('b')) == ('PATCH', '/?a=1&b=2', '1', '2')


def test_a_keyword_may_spell_an_option_otherwise_than_the_mapping(server: HttpServer) -> None:
    request('/a', {'baseUrl': 'http://elsewhere/'}, base_url=server.url).end()
    assert server.requests[0].target == '/a'


def test_the_callers_objects_are_never_changed(server: HttpServer) -> None:
    options: dict[str, Any] = {
        'headers': {'A': ['1', '2']}, 'qs': {'a': {'b': [1]}}, 'json': {'c': {'d': 1}}, 'auth': {'username': 'u', 'password': 'p'},
        'agentOptions': {'keepAlive': True}, 'qsStringifyOptions': {'arrayFormat': 'repeat'},
    }  # fmt: skip
    before = copy.deepcopy(options)
    request.post(server.url, options).end()
    api = request.defaults(options, headers={'b': '1'})
    api.post(server.url, options).end()
    api.defaults(json={'c': {'e': 2}}).post(server.url, qs={'a': {'b': [2]}}).set_header('x', 'y').qs({'z': 1}).end()
    request.defaults(options, lambda merged, callback: merged['headers'].clear() or request(server.url))(options)
    assert options == before


def test_options_may_be_any_mapping(server: HttpServer) -> None:
    request(
        MappingProxyType(
            {'uri': server.url, 'qs': MappingProxyType({'a': 1}), 'headers': MappingProxyType({'x-a': 'b'})}
        )
    ).end()
    assert (server.requests[0].target, server.requests[0].header('x-a')) == ('/?a=1', 'b')


# -- verbs


@pytest.mark.parametrize('verb', VERBS)
def test_a_verb_forces_its_method(verb: str, server: HttpServer) -> None:
    """REQUEST-SPEC 1.3: over the options and over defaults."""
    for caller in (request, request.defaults(method='PROPFIND')):
        getattr(caller, verb)(server.url).end()
        getattr(caller, verb)(server.url, {'method': 'PROPFIND'}).end()
        getattr(caller, verb)(server.url, method='PROPFIND').end()
        getattr(caller, verb)({'uri': server.url, 'method': 'PROPFIND'}).end()
    assert {seen.method for seen in server.requests} == {verb.upper()}


def test_delete_has_nodes_short_name(server: HttpServer) -> None:
    request.del_(server.url).end()
    getattr(request, 'del')(server.url).end()
    getattr(request.defaults({}), 'del')(server.url).end()
    assert [seen.method for seen in server.requests] == ['DELETE'] * 3


def test_the_method_of_the_call_beats_that_of_the_defaults_beats_get(server: HttpServer) -> None:
    api = request.defaults(method='PUT')
    api(server.url).end()
    api(server.url, method='purge').end()
    api(server.url, method=None).end()
    request(server.url).end()
    assert [seen.method for seen in server.requests] == ['PUT', 'purge', 'GET', 'GET']


# -- data is never renamed


def test_keys_of_data_stay_as_they_are(server: HttpServer) -> None:
    data = {'baseUrl': '1', 'base_url': '2', 'timeOut': '3'}
    request.post(server.url, headers=data, qs=data, json=data).end()
    request.post(server.url, form=data).end()
    first, second = server.requests
    assert first.target == '/?baseUrl=1&base_url=2&timeOut=3'
    assert first.json() == data
    assert first.names[:3] == ['baseUrl', 'base_url', 'timeOut']
    assert second.text == 'baseUrl=1&base_url=2&timeOut=3'


# -- defaults


def test_the_call_beats_inner_defaults_beat_outer_defaults(server: HttpServer) -> None:
    outer = request.defaults(
        base_url=server.url, headers={'A': 'outer', 'B': 'outer', 'C': 'outer'}, qs={'a': {'x': 1, 'y': 1}}
    )
    inner = outer.defaults({'headers': {'b': 'inner', 'c': 'inner'}}, qs={'a': {'y': 2}})
    inner('/p', headers={'C': 'call'}).end()
    outer('/p').end()
    seen = server.requests[0]
    assert [seen.header(name) for name in 'abc'] == ['outer', 'inner', 'call']
    assert seen.target == '/p?a%5Bx%5D=1&a%5By%5D=2'
    assert server.requests[1].target == '/p?a%5Bx%5D=1&a%5By%5D=1'


def test_defaults_leave_the_global_request_as_it_was(server: HttpServer) -> None:
    request.defaults(headers={'x-a': '1'}, method='PUT')
    request(server.url).end()
    assert (server.requests[0].method, server.requests[0].header('x-a')) == ('GET', None)


def test_none_removes_a_header_of_the_defaults_in_any_case(server: HttpServer) -> None:
    api = request.defaults(headers={'X-Token': 'sekrit', 'x-b': '1'})
    api(server.url, headers={'x-token': None}).end()
    api.defaults(headers={'X-TOKEN': None}).get(server.url, headers={'c': '1'}).end()
    api(server.url, headers=None).end()
    assert [seen.header('x-token') for seen in server.requests] == [None, None, 'sekrit']
    assert [seen.header('x-b') for seen in server.requests] == ['1', '1', '1']


def test_none_removes_a_built_in_header_through_defaults(server: HttpServer) -> None:
    request.defaults(headers={'user-agent': None})(server.url, headers={'a': '1'}).end()
    assert server.requests[0].header('user-agent') is None


def test_lists_in_defaults_are_replaced_not_mixed(server: HttpServer) -> None:
    """Node merges [1, 2, 3] and [9] into [9, 2, 3]: mended."""
    api = request.defaults(json={'list': [1, 2, 3], 'deep': {'a': [1], 'b': 1}})
    api.post(server.url, json={'list': [9], 'deep': {'a': []}}).end()
    assert server.requests[0].json() == {'list': [9], 'deep': {'a': [], 'b': 1}}


def test_a_callback_may_stand_in_the_defaults(server: HttpServer) -> None:
    ours, theirs = Told(), Told()
    api = request.defaults(callback=ours)
    api(server.url)
    api.post(server.url, theirs)
    assert (ours.status, theirs.status) == ([200], [200])


def test_defaults_take_every_form(server: HttpServer) -> None:
    for api in (
        request.defaults(),
        request.defaults(None),
        request.defaults({}),
        request.defaults({'uri': server.url}),
        request.defaults(uri=server.url),
    ):
        assert isinstance(api, Requests)
        api(server.url + '/a').end()
    request.defaults(uri=server.url + '/d')().end()
    request.defaults(url=server.url + '/d').get().end()
    assert [seen.target for seen in server.requests] == ['/a'] * 5 + ['/d'] * 2


def test_wrong_defaults_are_an_error_at_once() -> None:
    with pytest.raises(UnknownOption, match="did you mean 'timeout'"):
        request.defaults(tiemout=5)  # type: ignore[call-arg]
    with pytest.raises(InvalidOptionType, match='timeout'):
        request.defaults({'timeout': '5'})
    with pytest.raises(InvalidOptionType, match='options must be a mapping'):
        request.defaults(5)  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionType, match='requester must be a callable'):
        request.defaults({}, 5)  # type: ignore[arg-type]


def test_the_repr_of_a_wrapper_shows_its_defaults_without_secrets() -> None:
    api = request.defaults(auth=('user', 'sekrit'), headers={'authorization': 'sekrit'})
    assert repr(api) == '<request with defaults auth=*** headers=(authorization)>'
    assert repr(request) == '<request>'


# -- a requester of one's own: REQUEST-SPEC 1.4


def test_a_requester_sees_the_merged_options_by_their_canonical_names() -> None:
    seen: list[Any] = []

    def requester(options: dict[str, Any], callback: Any) -> str:
        seen.append((options, callback))
        return 'anything'

    told = Told()
    api: Any = request.defaults({'baseUrl': 'http://h/', 'headers': {'A': '1', 'B': '1'}, 'qs': {'a': 1}}, requester)
    assert api.post('/p', {'followRedirect': False, 'headers': {'b': '2'}, 'qs': {'b': 2}}, told) == 'anything'
    assert api('/q') == 'anything'
    options, callback = seen[0]
    assert callback is told
    assert options == {
        'base_url': 'http://h/', 'headers': {'A': '1', 'b': '2'}, 'qs': {'a': 1, 'b': 2}, 'uri': '/p', 'follow_redirect': False, 'method': 'POST',
        'callback': told,
    }  # fmt: skip
    assert seen[1] == ({'base_url': 'http://h/', 'headers': {'A': '1', 'B': '1'}, 'qs': {'a': 1}, 'uri': '/q'}, None)


@pytest.mark.parametrize('verb', VERBS)
def test_a_requester_is_called_for_every_verb(verb: str, server: HttpServer) -> None:
    def requester(options: dict[str, Any], callback: Any) -> Any:
        return request({**options, 'headers': {**options.get('headers', {}), 'x-method': options['method']}}, callback)

    told = Told()
    getattr(request.defaults(requester), verb)(server.url, told)
    assert told.status == [200]
    assert (server.requests[0].method, server.requests[0].header('x-method')) == (verb.upper(), verb.upper())


def test_what_a_requester_does_to_its_options_is_forgotten(server: HttpServer) -> None:
    def requester(options: dict[str, Any], callback: Any) -> Any:
        options['headers']['x-count'] = str(int(options['headers'].get('x-count', '0')) + 1)
        options['qs']['deep']['a'] += 1
        return request(options, callback)

    api = request.defaults({'headers': {'a': '1'}, 'qs': {'deep': {'a': 1}}}, requester)
    for _ in range(2):
        api(server.url).end()
    assert [seen.header('x-count') for seen in server.requests] == ['1', '1']
    assert [seen.target for seen in server.requests] == ['/?deep%5Ba%5D=2'] * 2


def test_requesters_compose_over_nested_defaults(server: HttpServer) -> None:
    def outer(options: dict[str, Any], callback: Any) -> Any:
        return request({**options, 'headers': {**options['headers'], 'x-outer': '1'}}, callback)

    one = request.defaults({'headers': {'a': '1'}}, outer)

    def inner(options: dict[str, Any], callback: Any) -> Any:
        return one({**options, 'headers': {**options['headers'], 'x-inner': '1'}}, callback)

    two = one.defaults({'headers': {'b': '2'}}, inner)
    two(server.url).end()
    one.defaults({'headers': {'b': '3'}}).put(server.url).end()
    first, second = server.requests
    assert [first.header(name) for name in ('a', 'b', 'x-outer', 'x-inner')] == ['1', '2', '1', '1']
    assert (second.method, second.header('b'), second.header('x-outer'), second.header('x-inner')) == (
        'PUT',
        '3',
        '1',
        None,
    )


def test_what_a_requester_raises_reaches_the_caller() -> None:
    def requester(options: dict[str, Any], callback: Any) -> Any:
        return request(options, callback)

    with pytest.raises(InvalidBody, match='HEAD'):
        request.defaults({'body': 'x'}, requester).head('http://h/')


def test_a_requester_gets_nested_keys_in_one_spelling(server: HttpServer) -> None:
    api = request.defaults(
        {'agentOptions': {'maxSockets': 1}, 'auth': {'username': 'a', 'pass': 'b'}},
        lambda options, callback: request(options, callback),
    )
    api(server.url, agent_options={'max_sockets': 2}, auth={'user': 'c'}).end()
    assert server.requests[0].header('authorization') == 'Basic Yzpi'


def test_an_unknown_option_never_reaches_a_requester() -> None:
    def requester(options: dict[str, Any], callback: Any) -> Any:
        raise AssertionError('not to be called')

    with pytest.raises(UnknownOption, match="did you mean 'timeout'"):
        request.defaults(requester)('http://h/', {'tiemout': 1})


# -- pools through wrappers


def test_a_pool_mapping_is_the_same_pool_through_every_wrapper(server: HttpServer) -> None:
    """REQUEST-SPEC 1.4: by identity, never merged."""
    mine: dict[str, Any] = {'maxSockets': 1}
    api = request.defaults(pool=mine)
    for caller in (
        api,
        api.defaults(headers={'a': '1'}),
        api.defaults(lambda options, callback: request(options, callback)),
        request.defaults(pool=mine),
    ):
        caller(server.url).end()
    request(server.url, pool=mine).end()
    assert server.connections == 1
    assert list(mine) == ['maxSockets', 'agents']
    api(server.url, pool={'maxSockets': 1}).end()
    assert server.connections == 2


def test_a_pool_object_is_shared_by_whoever_names_it(server: HttpServer) -> None:
    mine = request.Pool(max_sockets=1)
    request(server.url, pool=mine).end()
    request.defaults(pool=mine)(server.url).end()
    request.defaults(agent=mine).post(server.url).end()
    assert server.connections == 1


def test_forever_is_defaults_with_its_agent_options(server: HttpServer) -> None:
    """REQUEST-SPEC 1.5."""
    api = request.forever({'maxSockets': 2}, {'headers': {'x-a': '1'}}, method='PUT')
    for _ in range(2):
        api(server.url).end()
    assert server.connections == 1
    assert (server.requests[0].method, server.requests[0].header('x-a')) == ('PUT', '1')
    assert repr(api) == "<request with defaults agent_options=*** forever=True headers=(x-a) method='PUT'>"
    assert repr(request.forever()) == '<request with defaults forever=True>'
    assert (
        repr(request.forever(None, {'agentOptions': {'keepAlive': True}}))
        == '<request with defaults agent_options=*** forever=True>'
    )


# -- what hangs on request


def test_the_classes_hang_on_request() -> None:
    assert (request.Request, request.Response, request.Pool) == (requite.Request, requite.Response, Pool)
    assert isinstance(request.defaults({}), Requests)


def test_a_jar_keeps_what_a_server_sets_and_a_cookie_is_read_from_its_text(server: HttpServer) -> None:
    jar = request.jar()
    jar.set_cookie('a=1', server.url)
    request(server.url, jar=jar).end()
    assert server.requests[-1].header('cookie') == 'a=1'
    cookie = request.cookie('b=2; Path=/x')
    assert cookie is not None
    assert (cookie.key, cookie.value, cookie.path) == ('b', '2', '/x')
    with pytest.raises(InvalidOptionType, match='only accepts STRING'):
        request.cookie(5)  # type: ignore[arg-type]


def test_debug_is_off() -> None:
    assert request.debug is False
    request.debug = False


def test_an_attribute_that_there_is_not_is_pythons_own_error() -> None:
    with pytest.raises(AttributeError, match='klingon'):
        _ = request.klingon


def test_flush_takes_milliseconds() -> None:
    assert request.flush(1000) is True
    with pytest.raises(OptionsError, match='milliseconds'):
        request.flush(1.5)


def test_an_error_of_the_exchange_goes_to_the_callback_one_of_the_call_is_raised(server: HttpServer) -> None:
    server.answers = lambda seen: Answer(302, {'location': 'ftp://elsewhere/'})
    told = Told()
    request(server.url, told)
    assert isinstance(told.calls[0][0], RequestError)
    with pytest.raises(InvalidURI):
        request('/relative', told)
    assert len(told.calls) == 1
