"""The ``auth`` option as a value."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from requite import InvalidOptionType, OptionsError, UnknownOption, request
from requite.credentials import Credentials, credentials, over
from tests.servers import Answer, HttpServer


def made(value: Any) -> Credentials:
    given = credentials('auth', value)
    assert given is not None
    return given


def sent(server: HttpServer) -> list[str | None]:
    """The Authorization of each request, Basic decoded."""
    values = [seen.header('authorization') for seen in server.requests]
    return [base64.b64decode(value[6:]).decode() if value and value.startswith('Basic ') else value for value in values]


@pytest.mark.parametrize(
    'value',
    [
        {'user': 'a', 'pass': 'b'},
        {'username': 'a', 'password': 'b'},
        {'user': 'a', 'password': 'b'},
        {'username': 'a', 'pass': 'b', 'sendImmediately': True},
        {'user': 'a', 'pass': 'b', 'send_immediately': True},
        ('a', 'b'),
        ['a', 'b'],
    ],
)
def test_every_form_of_auth_says_the_same(value: Any) -> None:
    given = made(value)
    assert (given.user, given.password, given.send_immediately, given.has_bearer) == ('a', 'b', True, False)


def test_the_longer_names_win_as_in_node() -> None:
    given = made({'user': 'a', 'username': 'A', 'pass': 'b', 'password': 'B'})
    assert (given.user, given.password) == ('A', 'B')


def test_send_immediately_in_both_spellings_at_once_is_an_error() -> None:
    with pytest.raises(UnknownOption, match="'sendImmediately' and 'send_immediately', which are one"):
        made({'user': 'a', 'sendImmediately': False, 'send_immediately': False})


@pytest.mark.parametrize('value', [False, None])
def test_send_immediately_may_be_switched_off(value: object) -> None:
    """As in Node null is as good as false."""
    assert made({'user': 'a', 'sendImmediately': value}).send_immediately is False


def test_a_bearer_wins_over_a_user_even_when_it_is_none() -> None:
    """Node tests whether it is defined."""
    assert made({'user': 'a', 'pass': 'b', 'bearer': 't'}).bearer == 't'
    assert made({'user': 'a', 'bearer': None}).has_bearer


def test_the_repr_shows_the_user_only() -> None:
    assert repr(made(('a', 'sekrit'))) == "<Credentials user='a'>"
    assert repr(made({'bearer': 'sekrit'})) == '<Credentials bearer>'


def test_the_mapping_of_the_caller_stays_as_it_was() -> None:
    """Node writes user and pass back into it."""
    given = {'username': 'a', 'password': 'b'}
    made(given)
    assert given == {'username': 'a', 'password': 'b'}


def test_empty_and_foreign_users_and_passwords_are_sent(server: HttpServer) -> None:
    for value in (('', ''), ('a', None), ('ü', 'p:â ss')):
        request(server.url, auth=value).end()
    assert sent(server) == [':', 'a:', 'ü:p:â ss']


def test_defaults_complete_a_part(server: HttpServer) -> None:
    api = request.defaults(auth={'user': 'a', 'pass': 'b'})
    api(server.url, auth={'password': 'c'}).end()
    api(server.url, auth={'username': 'd'}).end()
    api(server.url, auth={'sendImmediately': False}).end()
    assert sent(server) == ['a:c', 'd:b', None]


def test_a_part_may_stand_in_the_defaults(server: HttpServer) -> None:
    api = request.defaults(auth={'sendImmediately': False})
    server.answers = lambda seen: (
        Answer(200) if seen.header('authorization') else Answer(401, {'www-authenticate': 'Basic realm="x"'})
    )
    assert api(server.url, auth=('a', 'b')).end().status_code == 200
    assert sent(server) == [None, 'a:b']
    with pytest.raises(OptionsError, match='no auth mechanism defined'):
        api(server.url)


def test_a_user_takes_back_the_token_of_the_defaults(server: HttpServer) -> None:
    """Node keeps the token, which then wins over what the call says: mended."""
    api = request.defaults(auth={'bearer': 'token'})
    api(server.url, auth=('a', 'b')).end()
    api(server.url, auth=None).end()
    api(server.url).end()
    assert sent(server) == ['a:b', None, 'Bearer token']


def test_laying_over_nothing_gives_the_other() -> None:
    given = made(('a', 'b'))
    assert over('auth', None, given) == given
    assert over('auth', given, None) is None


def test_auth_on_the_request_is_checked_as_in_the_call(server: HttpServer) -> None:
    made_request = request(server.url)
    with pytest.raises(InvalidOptionType, match='received invalid user or password'):
        made_request.auth(5, 'b')
    with pytest.raises(InvalidOptionType, match='received invalid user or password'):
        made_request.auth()
    made_request.auth('a', 'b').end()
    assert sent(server) == ['a:b']
