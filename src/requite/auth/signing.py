"""The ways of signing a request, in one ordered table, and when they may sign.

All of them run after the body, its fields and the target are final, on exactly what is sent (Node signs some of them earlier: mended). They sign only for
origins that the caller named, and not at all where the caller wrote the field of theirs by hand.
"""

from __future__ import annotations

from importlib import import_module
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from requite import fields
from requite.auth.clock import SYSTEM
from requite.errors import OptionsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requite.claims import Claim
    from requite.message import Carry, Draft, Hop, Reply
    from requite.options import Options
    from requite.protocols import Body, Clock, Signer

MAKERS: tuple[tuple[str, str, str], ...] = (
    ('oauth', 'requite.auth.oauth1', 'first: it may move into the query or the content, which the others sign'),
    ('hawk', 'requite.auth.hawk', 'before those that sign header fields'),
    ('http_signature', 'requite.auth.httpsig', 'after those that set Authorization, which it may sign'),
    ('http_message_signature', 'requite.auth.rfc9421', 'the same, with fields of its own'),
    ('aws', 'requite.auth.aws', 'last: version 4 signs every field it finds'),
)
"""Option, module, and why it stands there. A module has ``signer(given)``, which checks the keys and gives a ``Signer``."""

NAMES = frozenset(name for name, _, _ in MAKERS)
_FRAMING = ('content-length', 'transfer-encoding')
MOST_ANSWERS = 1
"""How often one address is signed for again, because of what the server said."""


def signers_of(options: Options) -> tuple[Signer, ...]:
    """Who signs requests with these options, in the order they do; raises ``OptionsError`` where their keys cannot be used."""
    made: list[Signer] = []
    for name, module, _ in MAKERS:
        claim: Claim | None = getattr(options, name)
        if claim is None:
            continue
        if claim.signer is None:
            claim.signer = import_module(module).signer(claim.given)
        made.append(claim.signer)
    return (*made, *(options.signers or ()))


def sets(options: Options, field: str) -> bool:
    """Whether one of those who sign sets this field."""
    return any(getattr(signer, 'field', None) == field for signer in signers_of(options))


def settle(options: Options, body: Body | None = None) -> None:
    """Finds out at the call whether the options, and the content made of them, can be signed with.

    Raises ``OptionsError`` where two options contradict each other, and whatever a signer that has ``settle(options, body)`` raises in it.
    """
    taken = {'authorization': 'auth'} if options.auth is not None else {}
    names = [name for name, _, _ in MAKERS if getattr(options, name) is not None]
    for signer, name in zip_longest(signers_of(options), names):
        # Where two of the caller's own set one field, that is their business: they see what the others did.
        field = None if name is None else getattr(signer, 'field', None)
        if field in taken:
            raise OptionsError(
                f'options {taken[field]!r} and {name!r} would each set the field {field!r}; keep one of them, and give the other as None where a default sets it'
            )
        if field is not None:
            taken[field] = name
        settles: Any = getattr(signer, 'settle', None)
        if settles is not None:
            settles(options, body)


def sign(draft: Draft, clock: Clock = SYSTEM) -> None:
    """Signs a draft that is final otherwise, where its origin is one that the caller named (SECURITY R4)."""
    if not draft.carry.trusted:
        return
    for signer in _wanted(draft.options, draft.carry):
        before, content = dict(draft.fields), draft.body
        signer.sign(draft, clock)
        _check(draft, before, content)


def _check(draft: Draft, before: dict[str, tuple[str, Any]], content: Body | None) -> None:
    """Raises ``OptionsError`` for a field that cannot be sent, or one that frames the message while the content is what it was (SECURITY Q1, Q3)."""
    for key, field in draft.fields.items():
        if before.get(key) is not field:
            name = fields.header_name('signers', field[0])
            draft.fields[key] = name, fields.header_value('signers', name, field[1])
    for key in _FRAMING:
        if draft.body is content and draft.fields.get(key) != before.get(key):
            raise OptionsError(
                f"option 'signers': a signer has no say in {key}, which frames the content; leave it as it is"
            )


def _wanted(options: Options, carry: Carry) -> Iterator[Signer]:
    """Who signs: not those whose field the caller wrote by hand, which wins over any signer. (In Node the signer does: mended.)"""
    for signer in signers_of(options) if carry.signers is None else carry.signers:
        field = getattr(signer, 'field', None)
        if field is None or options.headers.get(field, ('', None))[1] is None:
            yield signer


def judge(options: Options, carry: Carry, hop: Hop, reply: Reply) -> tuple[Reply, tuple[Signer, ...] | None]:
    """The reply to go on with, and who signs the request again because of what it says, None where it is the answer.

    Every signer that has ``answer`` sees every reply to what it signed. It gives another signer or itself to sign again, a reply that takes the place of this
    one, or None; and may refuse it with an error. Content that can be read only once is not sent again: its 401 is the answer.
    """
    if not carry.trusted:
        return reply, None
    following: list[Signer] = []
    again = False
    for signer in _wanted(options, carry):
        asked: Any = getattr(signer, 'answer', None)
        other = asked(hop, reply) if asked is not None else None
        if other is not None and callable(getattr(other, 'sign', None)):
            again = True
            following.append(other)
            continue
        reply = reply if other is None else other
        following.append(signer)
    once = carry.body is not None and not carry.body.replayable
    return reply, tuple(following) if again and not once and carry.resigned < MOST_ANSWERS else None
