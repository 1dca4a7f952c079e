"""The table of signers: order, who is wanted, what contradicts, and what an answer is made of."""

from __future__ import annotations

from typing import Any

import pytest

from requite import InvalidOptionType, OptionsError
from requite.auth import signing
from requite.carries import first
from requite.message import Carry, Draft
from requite.options import EMPTY, Options, compose, normalise
from requite.wire.uri import parse

HAWK = {'credentials': {'id': 'i', 'key': 'k', 'algorithm': 'sha256'}}


class Mark:
    """Notes that it signed."""

    def __init__(self, name: str, told: list[str], field: str | None = None, answer: Any = None) -> None:
        self.name = name
        self.told = told
        if field is not None:
            self.field = field
        if answer is not None:
            self.answer = answer

    def sign(self, draft: Any, clock: Any) -> None:
        self.told.append(self.name)


def options(**given: Any) -> Options:
    return compose(EMPTY, normalise({'uri': 'http://h/', **given}))


def carry(**given: Any) -> Carry:
    return Carry('GET', parse('http://h/'), None, **given)


def test_every_way_of_signing_is_an_option_and_says_why_it_stands_there() -> None:
    for name, module, why in signing.MAKERS:
        assert hasattr(EMPTY, name)
        assert module.startswith('requite.auth.')
        assert why
    assert len(signing.NAMES) == len(signing.MAKERS)


def test_signers_of_the_callers_come_last_in_their_order() -> None:
    told: list[str] = []
    some = [Mark('a', told), Mark('b', told)]
    made = options(signers=some, hawk=HAWK)
    signing.sign(Draft(made, carry()))
    assert told == ['a', 'b']
    assert [type(one).__name__ for one in signing.signers_of(made)] == ['Hawk', 'Mark', 'Mark']


def test_a_signer_is_made_once() -> None:
    made = options(hawk=HAWK)
    assert signing.signers_of(made)[0] is signing.signers_of(made)[0]


def test_r4_nobody_signs_for_an_origin_that_was_not_named() -> None:
    told: list[str] = []
    made = options(signers=[Mark('a', told)])
    signing.sign(Draft(made, carry(trusted=False)))
    assert told == []


def test_r4_nobody_is_asked_what_to_answer_an_origin_that_was_not_named() -> None:
    made = options(signers=[Mark('a', [], answer=lambda hop, reply: pytest.fail('asked'))])
    nothing: Any = object()
    assert signing.judge(made, carry(trusted=False), nothing, nothing) == (nothing, None)


def test_a_field_of_the_callers_own_wins_over_its_signer_whatever_the_spelling() -> None:
    told: list[str] = []
    some = [Mark('a', told, 'x-seal'), Mark('b', told, 'x-other'), Mark('c', told)]
    signing.sign(Draft(options(signers=some, headers={'X-SEAL': '1', 'x-other': None}), carry()))
    assert told == ['b', 'c']


def test_who_did_not_sign_is_not_asked_either() -> None:
    asked = Mark('a', [], 'x-seal', answer=lambda hop, reply: pytest.fail('asked'))
    nothing: Any = object()
    assert signing.judge(options(signers=[asked], headers={'x-seal': '1'}), carry(), nothing, nothing)[1] is None


def test_an_answer_is_another_signer_or_another_reply_or_nothing() -> None:
    told: list[str] = []
    other, reply, came = Mark('other', told), object(), object()
    some = [Mark('a', told, answer=lambda hop, got: other), Mark('b', told), Mark('c', told, answer=lambda *_: reply)]
    made = options(signers=some)
    hop: Any = None
    assert signing.judge(made, carry(), hop, came) == (reply, (other, some[1], some[2]))  # type: ignore[arg-type]
    assert signing.judge(made, carry(resigned=1), hop, came) == (reply, None)  # type: ignore[arg-type]


def test_signers_that_answered_sign_in_place_of_the_first() -> None:
    told: list[str] = []
    signing.sign(Draft(options(signers=[Mark('a', told)]), carry(signers=(Mark('other', told),))))
    assert told == ['other']


@pytest.mark.parametrize(
    'given',
    [
        {'auth': ('a', 'b'), 'hawk': HAWK},
        {'auth': {'bearer': 't'}, 'hawk': HAWK},
        {'auth': {'user': 'a', 'pass': 'b', 'digest': True}, 'hawk': HAWK},
        {'oauth': {'consumer_key': 'a', 'consumer_secret': 'b'}, 'hawk': HAWK},
    ],
    ids=lambda given: ' and '.join(given),
)
def test_two_ways_that_set_one_field_contradict_each_other(given: dict[str, Any]) -> None:
    with pytest.raises(OptionsError, match='would each set the field'):
        first(options(**given))


def test_a_default_that_contradicts_can_be_taken_back() -> None:
    outer = options(auth=('a', 'b'))
    with pytest.raises(OptionsError, match='give the other as None'):
        first(compose(outer, normalise({'hawk': HAWK})))
    assert first(compose(outer, normalise({'hawk': HAWK, 'auth': None}))).method == 'GET'


@pytest.mark.parametrize('wrong', ['x', 5, object(), {'sign': 1}])
def test_signers_must_be_a_list(wrong: Any) -> None:
    with pytest.raises(InvalidOptionType, match='list of objects with sign'):
        options(signers=wrong)


@pytest.mark.parametrize('wrong', [Mark, None, 'x', object()])
def test_a_signer_must_have_a_method_to_call(wrong: Any) -> None:
    with pytest.raises(InvalidOptionType, match=r'has no sign\(draft, clock\) to call'):
        options(signers=[wrong])


def test_an_empty_list_of_signers_signs_nothing() -> None:
    assert not options(signers=[]).signed
    assert not compose(options(signers=[Mark('a', [])]), normalise({'signers': None})).signed
