"""The cookie value: what it holds, how it is written, and that it does not change."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import datetime, timezone
from typing import Any

import pytest

from requite.cookies import Cookie
from requite.cookies.setcookie import from_json, parse
from requite.errors import InvalidOptionType, UnknownOption

OCTOBER = datetime(2015, 10, 21, 7, 28, tzinfo=timezone.utc)


def test_a_cookie_is_written_in_tough_cookies_order() -> None:
    cookie = Cookie(
        'a', 'b', expires=OCTOBER, max_age=60, domain='example.com', path='/x', secure=True, http_only=True, extensions=['SameSite=Lax']
    )  # fmt: skip
    assert str(cookie) == (
        'a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Max-Age=60; Domain=example.com; Path=/x; Secure; HttpOnly; SameSite=Lax'
    )
    assert cookie.cookie_string() == 'a=b'
    assert str(Cookie('a', 'b', domain='example.com', host_only=True)) == 'a=b'
    assert str(Cookie('', 'alone')) == 'alone'


def test_a_cookie_is_its_text_again_when_it_is_read_from_it() -> None:
    text = 'a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Max-Age=60; Domain=example.com; Path=/x; Secure; HttpOnly; SameSite=Lax'
    assert str(parse(text)) == text


def test_every_camel_case_name_and_the_name_of_2013_is_there() -> None:
    cookie = Cookie('a', 'b', max_age=5, http_only=True, host_only=True, path_is_default=False, last_accessed=1.0)
    assert (cookie.name, cookie.maxAge, cookie.httpOnly, cookie.hostOnly) == ('a', 5, True, True)
    assert (cookie.pathIsDefault, cookie.lastAccessed, cookie.cookieString()) == (False, 1.0, 'a=b')
    assert cookie.toJSON() == cookie.to_json()
    assert cookie.toString() == str(cookie)
    assert cookie.sameSite is None
    with pytest.raises(AttributeError, match="no 'valeu'"):
        _ = cookie.valeu


def test_p3_a_cookie_does_not_change_and_another_can_be_made() -> None:
    """SECURITY P3: nobody who is given a cookie of a jar can change what the jar holds."""
    cookie = Cookie('a', 'b', secure=True)
    with pytest.raises(AttributeError, match=r'\.replace\(value='):
        cookie.value = 'c'
    with pytest.raises(AttributeError, match='does not change'):
        del cookie.value
    other = cookie.replace(None, 'c', secure=None, path='/x')
    assert (str(other), str(cookie)) == ('a=c; Path=/x', 'a=b; Secure')


def test_copies_and_pickles_are_the_same_cookie() -> None:
    cookie = Cookie('a', 'b', expires=OCTOBER, extensions=('Partitioned',), expiry=5.0)
    for other in (copy.copy(cookie), copy.deepcopy(cookie), pickle.loads(pickle.dumps(cookie))):
        assert (str(other), other.expiry) == (str(cookie), 5.0)


def test_no_repr_holds_a_value() -> None:
    assert repr(Cookie('sid', 'secret', domain='example.com', path='/x')) == "<Cookie 'sid' for example.com/x>"


@pytest.mark.parametrize(
    ('text', 'same_site', 'partitioned'),
    [
        ('a=b; SameSite=Strict; Partitioned', 'strict', True),
        ('a=b;samesite=LAX', 'lax', False),
        ('a=b; SameSite=None; SameSite=nonsense', None, False),
        ('a=b; SameSite = none', 'none', False),
        ('a=b', None, False),
    ],
)
def test_same_site_and_partitioned_are_kept(text: str, same_site: str | None, partitioned: bool) -> None:
    cookie = parse(text)
    assert cookie is not None
    assert (cookie.same_site, cookie.partitioned) == (same_site, partitioned)


@pytest.mark.parametrize(
    ('arguments', 'fields', 'message'),
    [
        ((5,), {}, 'the key of a cookie must be a str, not an int'),
        (('a', b'b'), {}, 'the value of a cookie must be a str, not a bytes'),
        (('a',), {'expires': '2030'}, 'the expires of a cookie must be a datetime, not a str'),
        (('a',), {'max_age': 1.5}, 'whole number of seconds, not a float'),
        (('a',), {'max_age': True}, 'whole number of seconds, not a bool'),
        (('a',), {'secure': 1}, 'True or False, not an int'),
        (('a',), {'creation': 'now'}, 'seconds since 1970, not a str'),
        (('a',), {'extensions': 'SameSite'}, 'a list of str, not a str'),
    ],
)
def test_a_wrong_type_is_named(arguments: tuple[Any, ...], fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptionType, match=message):
        Cookie(*arguments, **fields)


def test_an_unknown_attribute_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownOption, match="no 'httponly'; did you mean 'http_only'"):
        Cookie('a', 'b', httponly=True)


def test_json_is_what_tough_cookie_writes() -> None:
    cookie = Cookie(
        'a', 'b', expires=OCTOBER, domain='example.com', path='/', secure=True, http_only=True, extensions=['x=1'],
        host_only=False, path_is_default=True, creation=1_445_412_480.5, last_accessed=1_445_412_481.0,
    )  # fmt: skip
    assert cookie.to_json() == {
        'key': 'a', 'value': 'b', 'expires': '2015-10-21T07:28:00.000Z', 'domain': 'example.com', 'path': '/',
        'secure': True, 'httpOnly': True, 'extensions': ['x=1'], 'hostOnly': False, 'pathIsDefault': True,
        'creation': '2015-10-21T07:28:00.500Z', 'lastAccessed': '2015-10-21T07:28:01.000Z',
    }  # fmt: skip
    assert from_json(json.loads(json.dumps(cookie.to_json()))).to_json() == cookie.to_json()
