"""Which session goes on: by origin, user, and the protection space."""

from __future__ import annotations

from requite.auth.challenges import parse
from requite.auth.digest import MAX_LEFT, Session, demand
from requite.auth.sessions import MAX_SPACES, MAX_USERS, Sessions
from requite.wire.uri import parse as uri


def session(realm: str = 'r', more: str = '') -> Session:
    demanded = demand(parse(f'Digest realm="{realm}", nonce="n"{more}')[0])
    assert demanded is not None
    return Session(demanded)


def test_a_session_serves_its_whole_origin() -> None:
    sessions, made = Sessions(), session()
    sessions.keep(uri('http://a.test/x/y'), 'u', made)
    assert sessions.find(uri('http://a.test/'), 'u') is made
    assert sessions.find(uri('http://a.test:80/z?q'), 'u') is made


def test_r4_no_other_origin_and_no_other_user_gets_it() -> None:
    sessions = Sessions()
    sessions.keep(uri('http://a.test/'), 'u', session())
    for other in ('https://a.test/', 'http://a.test:81/', 'http://b.test/', 'http://unix:/a.test:/'):
        assert sessions.find(uri(other), 'u') is None
    assert sessions.find(uri('http://a.test/'), 'v') is None


def test_a_domain_bounds_the_space_and_where_it_was_asked_for_lies_within() -> None:
    sessions, made = Sessions(), session(more=', domain="/a /b/ http://a.test/c"')
    sessions.keep(uri('http://a.test/here?x'), 'u', made)
    found = {
        path for path in ('/a/1', '/b/2', '/c', '/here', '/', '/d') if sessions.find(uri('http://a.test' + path), 'u')
    }
    assert found == {'/a/1', '/b/2', '/c', '/here'}


def test_r4_a_domain_elsewhere_opens_no_other_origin() -> None:
    sessions = Sessions()
    sessions.keep(
        uri('http://a.test/here'), 'u', session(more=', domain="https://b.test/ //b.test/x :: ftp://a.test/ http://["')
    )
    assert sessions.find(uri('https://b.test/'), 'u') is None
    assert sessions.find(uri('http://a.test/x'), 'u') is None
    assert sessions.find(uri('http://a.test/here'), 'u') is not None


def test_of_two_realms_the_one_that_was_met_nearer_is_taken() -> None:
    sessions, one, two = Sessions(), session('1'), session('2')
    sessions.keep(uri('http://a.test/one/x'), 'u', one)
    sessions.keep(uri('http://a.test/two/x'), 'u', two)
    assert sessions.find(uri('http://a.test/one/deeper/y'), 'u') is one
    assert sessions.find(uri('http://a.test/two/'), 'u') is two
    assert sessions.find(uri('http://a.test/three'), 'u') is two, 'the latest where nothing tells'


def test_a_new_session_of_a_realm_takes_the_place_of_the_old_one_with_what_was_learnt() -> None:
    sessions, old, new = Sessions(), session('1'), session('1')
    sessions.keep(uri('http://a.test/one/x'), 'u', old)
    sessions.keep(uri('http://a.test/other/x'), 'u', session('2'))
    sessions.keep(uri('http://a.test/elsewhere/x'), 'u', new)
    assert sessions.find(uri('http://a.test/one/y'), 'u') is new


def test_a_session_that_is_not_the_current_one_cannot_push_it_out() -> None:
    sessions, old, new = Sessions(), session(), session()
    sessions.keep(uri('http://a.test/'), 'u', new)
    sessions.forget(uri('http://a.test/'), 'u', old)
    assert sessions.find(uri('http://a.test/'), 'u') is new
    sessions.forget(uri('http://a.test/'), 'u', new)
    assert sessions.find(uri('http://a.test/'), 'u') is None


def test_what_is_remembered_is_bounded() -> None:
    sessions = Sessions()
    for number in range(MAX_USERS + 5):
        sessions.keep(uri('http://a.test/'), f'u{number}', session())
    for number in range(MAX_SPACES + 5):
        sessions.keep(uri(f'http://b.test/{number}/'), 'u', session(str(number)))
        for deeper in range(40):
            sessions.keep(uri(f'http://b.test/{number}/{deeper}/'), 'u', session(str(number)))
    assert len(sessions._users) == MAX_USERS
    assert sessions.find(uri('http://a.test/'), 'u0') is None
    assert len(sessions._users[(uri('http://b.test/').origin, 'u')]) == MAX_SPACES
    sessions.clear()
    assert sessions.find(uri('http://b.test/'), 'u') is None


def test_whoever_comes_late_with_a_challenge_goes_on_with_the_session_that_has_moved_on() -> None:
    sessions, here = Sessions(), uri('http://a.test/')
    first = sessions.begun(here, 'u', session())
    used = first.answer()
    assert used is not None
    first.renew('next', used.nonce)
    late = sessions.begun(here, 'u', session())
    answers = [each for each in (first.answer(), late.answer(), first.answer()) if each is not None]
    assert [(each.nonce, each.number) for each in answers] == [('next', 1), ('next', 2), ('next', 3)]


def test_a_server_that_refuses_its_nextnonce_gets_the_challenges_own_counted_on() -> None:
    sessions, here = Sessions(), uri('http://a.test/')
    first = sessions.begun(here, 'u', session())
    for _ in range(2):
        first.answer()
    first.renew('next', 'n')
    for number in range(MAX_LEFT + 5):
        first.renew(f'next{number}', first.nonce)
    again = sessions.begun(here, 'u', session(), first.nonce).answer()
    assert again is not None
    assert (again.nonce, again.number) == ('n', 3)
    assert sessions.begun(here, 'u', session(), 'next').nonce == 'n'
