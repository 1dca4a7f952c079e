"""Digest: which challenge is answered, and with what."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from threading import Thread

import pytest

from requite.auth.challenges import information, parse
from requite.auth.digest import LAST_COUNT, Answer, Demand, Session, demand, strongest
from requite.credentials import Credentials
from requite.errors import InvalidBody, MalformedResponse
from requite.message import BytesBody

USER = Credentials('test', 'testing2')


class Frozen:
    """A clock that stands still and throws the same dice for ever."""

    def now(self) -> float:
        return 0.0

    def nonce(self, size: int) -> str:
        return '0123456789abcdef' * (size // 16)


class Once:
    """A body that can be read only once."""

    length = None
    replayable = False
    headers = ()

    def chunks(self) -> Iterator[bytes]:
        raise AssertionError('nobody may read this')


def demanded(text: str) -> Demand:
    found = demand(parse(text)[0])
    assert found is not None
    return found


def answered(text: str, credentials: Credentials = USER, target: str = '/protected', body: bytes | None = None) -> str:
    answer = Session(demanded(text), Frozen()).answer(Frozen())
    assert answer is not None
    return answer.authorization(credentials, 'GET', target, None if body is None else BytesBody(body))


def parameters(authorization: str) -> dict[str, str]:
    found = information(authorization.partition(' ')[2])
    assert found is not None
    return found


def h(text: str, name: str = 'md5') -> str:
    return hashlib.new(name, text.encode()).hexdigest()


# -- what is sent


def test_the_parameters_have_nodes_order_and_quoting() -> None:
    text = answered('Digest opaque="o", algorithm=MD5, qop="auth", nonce="n", realm="r"')
    assert re.sub('[0-9a-f]{32}', '*', text) == (
        'Digest username="test", realm="r", nonce="n", uri="/protected", qop=auth, response="*", nc=00000001, cnonce="*", algorithm=MD5, opaque="o"'
    )


def test_without_qop_it_is_that_of_rfc_2069() -> None:
    response = h(f'{h("test:r:testing2")}:n:{h("GET:/protected")}')
    assert answered('Digest realm="r", nonce="n"') == (
        f'Digest username="test", realm="r", nonce="n", uri="/protected", response="{response}"'
    )


@pytest.mark.parametrize(
    ('algorithm', 'name'),
    [('MD5', 'md5'), ('sha-256', 'sha256'), ('SHA-512-256', 'sha512_256'), ('SHA-256-sess', 'sha256')],
)
def test_every_hash_is_computed_as_claimed(algorithm: str, name: str) -> None:
    sent = parameters(answered(f'Digest realm="r", nonce="n", qop=auth, algorithm={algorithm}'))
    key = h('test:r:testing2', name)
    if algorithm.endswith('-sess'):
        key = h(f'{key}:n:{sent["cnonce"]}', name)
    assert sent['algorithm'] == algorithm
    assert sent['response'] == h(f'{key}:n:00000001:{sent["cnonce"]}:auth:{h("GET:/protected", name)}', name)


def test_sess_without_qop_sends_its_cnonce() -> None:
    """Node hashes the word undefined: mended."""
    sent = parameters(answered('Digest realm="r", nonce="n", algorithm=MD5-sess'))
    key = h(f'{h("test:r:testing2")}:n:{sent["cnonce"]}')
    assert sent['response'] == h(f'{key}:n:{h("GET:/protected")}')


def test_auth_int_covers_the_content() -> None:
    sent = parameters(answered('Digest realm="r", nonce="n", qop="auth-int"', body=b'hello'))
    content = h(f'GET:/protected:{h("hello")}')
    assert sent['qop'] == 'auth-int'
    assert sent['response'] == h(f'{h("test:r:testing2")}:n:00000001:{sent["cnonce"]}:auth-int:{content}')


def test_auth_int_covers_missing_content_as_empty() -> None:
    assert (
        parameters(answered('Digest realm="r", nonce="n", qop="auth-int"'))['response']
        == parameters(answered('Digest realm="r", nonce="n", qop="auth-int"', body=b''))['response']
    )


def test_auth_is_chosen_where_both_are_offered() -> None:
    assert demanded('Digest realm="r", nonce="n", qop="auth-int, auth"').qop == 'auth'


def test_auth_int_over_a_stream_that_can_be_read_once_is_an_error_that_names_the_fix() -> None:
    answer = Session(demanded('Digest realm="r", nonce="n", qop="auth-int"')).answer()
    assert answer is not None
    with pytest.raises(InvalidBody, match=r"option 'body'.*auth-int.*give bytes"):
        answer.authorization(USER, 'POST', '/', Once())


def test_a_user_that_is_to_be_hashed_is() -> None:
    sent = parameters(answered('Digest realm="r", nonce="n", qop=auth, userhash=true, algorithm=SHA-256'))
    assert sent['username'] == h('test:r', 'sha256')
    assert sent['userhash'] == 'true'
    assert list(sent)[-1] == 'userhash'


def test_a_user_beyond_ascii_is_extended_for_a_server_that_takes_utf_8() -> None:
    text = answered('Digest realm="r", nonce="n", charset=UTF-8', Credentials('J\xe4s\xf8n D', 'p'))
    assert text.startswith("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20D, ")


@pytest.mark.parametrize(('user', 'sent'), [('\xfc', '\xfc'), ('\u65e5', '\xe6\x97\xa5')])
def test_a_user_beyond_ascii_goes_out_in_latin_1_as_in_node_or_else_in_utf_8(user: str, sent: str) -> None:
    text = answered('Digest realm="r", nonce="n"', Credentials(user, '\xe9'))
    assert f'username="{sent}"' in text
    key = h(user + ':r:\xe9')
    assert parameters(text)['response'] == h(f'{key}:n:{h("GET:/protected")}')


def test_realm_and_nonce_are_hashed_as_the_octets_that_came() -> None:
    """Node hashes what it took for latin-1 as UTF-8, which no server does: mended."""
    text = answered('Digest realm="\xc3\xbc", nonce="n"')
    assert 'realm="\xc3\xbc"' in text
    assert parameters(text)['response'] == h(f'{h("test:ü:testing2")}:n:{h("GET:/protected")}')


def test_a2_nothing_in_realm_nonce_opaque_user_or_target_can_add_a_parameter() -> None:
    challenge = (
        r'Digest realm="r\", uri=\"/evil", nonce="n\"x", opaque="o\", username=\"root\\", qop="auth", algorithm=MD5'
    )
    text = answered(challenge, Credentials('a", realm="b', 'p'), '/x",qop="none')
    sent = parameters(text)
    assert list(sent) == 'username realm nonce uri qop response nc cnonce algorithm opaque'.split()
    assert sent['realm'] == 'r", uri="/evil'
    assert sent['nonce'] == 'n"x'
    assert sent['opaque'] == 'o", username="root\\'
    assert sent['username'] == 'a", realm="b'
    assert sent['uri'] == '/x",qop="none'


# -- what is answered at all


@pytest.mark.parametrize(
    'text',
    [
        'Digest',
        'Digest nonce="n"',
        'Digest realm="r"',
        'Digest realm="r", nonce=""',
        'Digest realm="r", nonce="n", algorithm=ROT13',
        'Digest realm="r", nonce="n", algorithm=-sess',
        'Digest realm="r", nonce="n", algorithm=MD5-sess-sess',
        'Digest realm="r", nonce="n", qop="magic"',
        'Digest realm="r", nonce="n", qop="auth',
        'Basic realm="r", nonce="n"',
    ],
)
def test_a1_a_challenge_that_cannot_be_met_is_not_answered(text: str) -> None:
    assert demand(parse(text)[0]) is None


def test_an_empty_qop_is_none() -> None:
    assert demanded('Digest realm="r", nonce="n", qop=""').qop is None


def test_the_strongest_hash_is_chosen_and_of_equals_the_first() -> None:
    offers = 'Digest realm="%s", nonce="n", algorithm=%s'
    texts = [('a', 'MD5'), ('b', 'SHA-256'), ('c', 'SHA-256-sess'), ('d', 'ROT13')]
    asked = parse(', '.join(offers % pair for pair in texts))
    best = strongest(asked)
    assert best is not None
    assert best.realm == 'b'
    assert strongest(asked[3:]) is None


# -- the count


def test_each_answer_of_a_session_has_a_count_of_its_own_whatever_the_thread() -> None:
    session = Session(demanded('Digest realm="r", nonce="n", qop=auth'))
    counts: list[int] = []

    def take() -> None:
        for _ in range(200):
            answer = session.answer()
            assert answer is not None
            counts.append(answer.number)

    threads = [Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, 1601))


def test_a_cnonce_is_new_each_time_except_in_a_session_that_hashes_it_into_its_key() -> None:
    def cnonces(text: str) -> set[str]:
        session = Session(demanded(text))
        answers = [session.answer() for _ in range(3)]
        return {answer.cnonce for answer in answers if answer is not None}

    assert len(cnonces('Digest realm="r", nonce="n", qop=auth')) == 3
    assert len(cnonces('Digest realm="r", nonce="n", qop=auth, algorithm=SHA-256-sess')) == 1


def test_a_nonce_of_which_no_count_is_left_is_not_used() -> None:
    session = Session(demanded('Digest realm="r", nonce="n", qop=auth'))
    session._count = LAST_COUNT - 1
    last = session.answer()
    assert last is not None
    assert 'nc=ffffffff' in last.authorization(USER, 'GET', '/', None)
    assert session.answer() is None


def test_a_nextnonce_begins_counting_again_and_keeps_the_key_of_the_session() -> None:
    session = Session(demanded('Digest realm="r", nonce="n", qop=auth, algorithm=MD5-sess'))
    session.answer()
    session.renew('n2', 'n')
    answer = session.answer()
    assert answer is not None
    sent = parameters(answer.authorization(USER, 'GET', '/', None))
    assert (sent['nonce'], sent['nc']) == ('n2', '00000001')
    key = h(f'{h("test:r:testing2")}:n:{sent["cnonce"]}')
    assert sent['response'] == h(f'{key}:n2:00000001:{sent["cnonce"]}:auth:{h("GET:/")}')


def test_a_late_nextnonce_does_not_set_a_newer_nonce_back() -> None:
    session = Session(demanded('Digest realm="r", nonce="n", qop=auth'))
    early, late = session.answer(), session.answer()
    assert early is not None
    assert late is not None
    session.renew('n2', early.nonce)
    used = [session.answer(), session.answer()]
    session.renew('n3', late.nonce)  # its reply was long on the way
    used.append(session.answer())
    assert [(one.nonce, one.number) for one in used if one is not None] == [('n2', 1), ('n2', 2), ('n2', 3)]


def test_a_nonce_that_was_left_is_never_counted_from_one_again() -> None:
    session = Session(demanded('Digest realm="r", nonce="n", qop=auth'))
    seen = set()
    for nonce in ('n2', 'n', 'n2', 'n3', 'n2', 'n'):
        answer = session.answer()
        assert answer is not None
        assert (answer.nonce, answer.number) not in seen
        seen.add((answer.nonce, answer.number))
        session.renew(nonce, answer.nonce)
    assert session.nonce == 'n3'


def test_q7_every_answer_has_a_cnonce_that_nobody_can_foresee() -> None:
    import random

    made = []
    for _ in range(2):
        random.seed(1)
        session = Session(demanded('Digest realm="r", nonce="n", qop=auth'))
        made += [session.answer(), session.answer()]
    cnonces = {answer.cnonce for answer in made if answer is not None}
    assert len(cnonces) == 4
    assert all(len(cnonce) == 32 for cnonce in cnonces)


# -- Authentication-Info


def first(text: str) -> Answer:
    answer = Session(demanded(text), Frozen()).answer(Frozen())
    assert answer is not None
    return answer


def test_the_rspauth_of_a_server_that_knows_the_password_is_accepted() -> None:
    answer = first('Digest realm="r", nonce="n", qop=auth')
    proof = h(f'{h("test:r:testing2")}:n:00000001:{answer.cnonce}:auth:{h(":/")}')
    assert answer.check(USER, '/', f'rspauth="{proof}", qop=auth, nextnonce="n2"') == 'n2'
    assert answer.check(USER, '/', f'rspauth={proof.upper()}') is None


def test_a_wrong_rspauth_is_an_error_that_tells_no_secret() -> None:
    answer = first('Digest realm="r", nonce="n", qop=auth')
    with pytest.raises(MalformedResponse, match='did not prove') as caught:
        answer.check(USER, '/', 'rspauth="0123"')
    assert 'testing2' not in repr(caught.value)
    with pytest.raises(MalformedResponse):
        answer.check(USER, '/', 'rspauth="\xfc"')


@pytest.mark.parametrize('text', ['', 'rspauth="', 'qop=auth', 'nextnonce=""', 'rspauth="x", qop=auth-int'])
def test_an_authentication_info_that_proves_nothing_changes_nothing(text: str) -> None:
    assert first('Digest realm="r", nonce="n", qop=auth').check(USER, '/', text) is None


def test_nothing_that_is_remembered_holds_the_password() -> None:
    answer = first('Digest realm="r", nonce="n", qop=auth')
    answer.authorization(USER, 'GET', '/', None)
    held = [getattr(answer.session, name) for name in Session.__slots__ if name != '_lock']
    assert 'testing2' not in repr([*held, *answer, answer])
