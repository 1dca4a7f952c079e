"""Options after the call: what configuring a request changes, and that it changes nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from requite import InvalidOptionType, OptionsError, configure, request
from requite.options import Options, compose, normalise
from tests.servers import HttpServer


def made(**values: Any) -> Options:
    return compose(Options(), normalise(values))


def test_a_header_that_is_set_keeps_the_place_and_spelling_of_the_one_before() -> None:
    options = configure.header(made(headers={'X-A': '1', 'b': '2'}), 'x-a', 3)
    assert list(options.headers.values()) == [('X-A', '3'), ('b', '2')]


def test_without_clobber_a_header_is_added_after_a_comma() -> None:
    assert configure.header(made(headers={'a': '1'}), 'A', '2', clobber=False).headers == {'a': ('a', '1,2')}


def test_a_header_is_removed_in_any_case() -> None:
    assert configure.without_header(made(headers={'X-A': '1'}), 'x-a').headers == {}


@pytest.mark.parametrize(
    ('name', 'value'), [('transfer-encoding', 'gzip'), ('content-length', 'x'), ('host', ['a', 'b'])]
)
def test_framing_that_cannot_be_meant_is_refused_when_it_is_set(name: str, value: Any) -> None:
    with pytest.raises(OptionsError, match=name):
        configure.header(made(), name, value)


@pytest.mark.parametrize(
    'change',
    [
        lambda options: configure.header(options, 'a', '2'),
        lambda options: configure.without_header(options, 'a'),
        lambda options: configure.auth(options, 'user', 'sekrit', True, None),
        lambda options: configure.auth(options, None, None, True, 'sekrit'),
        lambda options: configure.given(options, json={'a': 1}),
        lambda options: configure.query(options, {'b': 2}),
        lambda options: configure.replaced(options, body=b'x'),
    ],
)
def test_the_options_before_stay_as_they_were_and_share_nothing(change: Callable[[Options], Options]) -> None:
    """What requests with the same defaults share must not learn of credentials that one of them was given."""
    before = made(uri='http://h/?a=1', headers={'a': '1'})
    copy = dict(before.__dict__)
    after = change(before)
    assert before.__dict__ == copy
    assert after is not before
    assert after.plans is None


def test_clobber_drops_the_query_of_the_address(server: HttpServer) -> None:
    request(server.url + '/?a=1').qs({'b': 2}).end()
    request(server.url + '/?a=1').qs({'b': 2}, clobber=True).end()
    request(server.url + '/?a=1', qs={'b': 2}).qs({'c': 3}).end()
    assert [seen.target for seen in server.requests] == ['/?a=1&b=2', '/?b=2', '/?a=1&b=2&c=3']


def test_what_is_given_later_is_checked_as_in_the_call(server: HttpServer) -> None:
    made_request = request.post(server.url)
    with pytest.raises(InvalidOptionType, match="'form' must be a mapping or a str"):
        made_request.form(5)
    with pytest.raises(InvalidOptionType, match="'qs' must be a mapping, not a str"):
        made_request.qs('a=1')
    made_request.form({'a': 1}).end()
    assert server.requests[0].text == 'a=1'
