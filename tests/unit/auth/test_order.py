"""Which scheme answers a 401."""

from __future__ import annotations

import pytest

from requite.auth import digest, order
from requite.auth.challenges import parse
from requite.credentials import Credentials
from requite.message import Carry, Reply
from requite.transport.memory import MemoryReply
from requite.wire.uri import parse as uri

USER = Credentials('u', 'p', send_immediately=False)
DIGEST = 'Digest realm="r", nonce="%s", qop="auth"'
CARRY = Carry('GET', uri('http://a.test/'), None)


def reply(*values: str) -> Reply:
    return MemoryReply(401, [('WWW-Authenticate', value) for value in values])


def after(nonce: str, answers: int) -> Carry:
    demanded = digest.demand(parse(DIGEST % nonce)[0])
    assert demanded is not None
    return CARRY._replace(answered=digest.Session(demanded).answer(), answers=answers)


def test_digest_goes_before_basic_wherever_it_stands() -> None:
    for values in (
        ('Basic realm="b"', DIGEST % 'n'),
        (f'Basic realm="b", {DIGEST % "n"}',),
        (DIGEST % 'n', 'Basic realm="b"'),
    ):
        assert isinstance(order.answer(reply(*values), USER, CARRY), digest.Answer)


def test_a4_basic_is_sent_only_where_no_digest_is_offered() -> None:
    assert order.answer(reply('Newauth, Basic realm="b"'), USER, CARRY) == 'Basic dTpw'
    for unusable in ('Digest', 'Digest realm="r", nonce="n", algorithm=ROT13', 'Digest realm="r'):
        assert order.answer(reply('Basic realm="b"', unusable), USER, CARRY) is None


def test_a4_digest_true_refuses_basic() -> None:
    wanted = USER._replace(digest=True)
    assert order.answer(reply('Basic realm="b"'), wanted, CARRY) is None
    assert isinstance(order.answer(reply(DIGEST % 'n'), wanted, CARRY), digest.Answer)


def test_a4_a_server_that_took_digest_gets_no_basic_afterwards() -> None:
    assert order.answer(reply('Basic realm="b"'), USER, after('n', 0)) is None


def test_a4_a_token_answers_bearer_only_and_a_password_never_does() -> None:
    token = Credentials(bearer='t', has_bearer=True, send_immediately=False)
    assert order.answer(reply(f'Basic realm="b", {DIGEST % "n"}'), token, CARRY) is None
    assert order.answer(reply('Basic realm="b"', 'Bearer realm="x"'), token, CARRY) == 'Bearer t'
    assert order.answer(reply('Bearer realm="x"'), USER, CARRY) is None


def test_a1_a_basic_challenge_that_cannot_be_read_is_not_answered() -> None:
    assert order.answer(reply('Basic realm="b'), USER, CARRY) is None


@pytest.mark.parametrize(
    ('challenge', 'before', 'again'),
    [
        (DIGEST % 'n2' + ', stale=true', after('n', 1), True),
        (DIGEST % 'n2' + ', stale=TRUE', after('n', 1), True),
        (DIGEST % 'n2', after('n', 1), False),
        (DIGEST % 'n' + ', stale=true', after('n', 1), False),
        (DIGEST % 'n3' + ', stale=true', after('n2', 2), False),
        (DIGEST % 'n2', after('n', 0), True),
        (DIGEST % 'n', CARRY._replace(answered='Basic dTpw', answers=1), False),
    ],
)
def test_a3_a_second_answer_is_only_for_a_stale_nonce(challenge: str, before: Carry, again: bool) -> None:
    assert (order.answer(reply(challenge), USER, before) is not None) is again
