"""The ways of signing a request, in one ordered table, and when they may sign.

All of them run after the body, its fields and the target are final, on exactly what is sent (Node signs some of them earlier: mended). They sign only for
origins that the caller named, and not at all where the caller wrote the field of theirs by hand.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from requite.auth.clock import SYSTEM
from requite.errors import OptionsError

if TYPE_CHECKING:
    from requite.claims import Claim
    from requite.message import Carry, Draft, Hop, Reply
    from requite.options import Options
    from requite.protocols import Clock, Signer

MAKERS: tuple[tuple[str, str, str], ...] = (
    ('oauth', 'requite.auth.oauth1', 'first: it may move into the query or the content, which the others sign'),
    ('hawk', 'requite.auth.hawk', 'before those that sign header fields'),
    ('http_signature', 'requite.auth.httpsig', 'after those that set Authorization, which it may sign'),
    ('http_message_signature', 'requite.auth.rfc9421', 'the same, with fields of its own'),
    ('aws', 'requite.auth.aws', 'last: version 4 signs every field it finds'),
)
"""Option, module, and why it stands there. A module has ``signer(given)``, which checks the keys and gives a ``Signer``."""

NAMES = frozenset(name for name, _, _ in MAKERS)
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


def settle(options: Options) -> None:
    """Finds out at the call whether the options can be signed with; raises ``OptionsError`` where two of them contradict each other."""
    taken = {'authorization': 'auth'} if options.auth is not None else {}
    for signer, name in zip(
        signers_of(options), (name for name, _, _ in MAKERS if getattr(options, name) is not None), strict=False
    ):
        field = getattr(signer, 'field', None)
        if field in taken:
            raise OptionsError(
                f'options {taken[field]!r} and {name!r} would each set the field {field!r}; keep one of them, and give the other as None where a default sets it'
            )
        if field is not None:
            taken[field] = name


def sign(draft: Draft, clock: Clock = SYSTEM) -> None:
    """Signs a draft that is final otherwise, where its origin is one that the caller named (SECURITY R4)."""
    if not draft.carry.trusted:
        return
    signers = draft.carry.signers
    for signer in signers_of(draft.options) if signers is None else signers:
        if _is_wanted(draft, signer):
            signer.sign(draft, clock)


def _is_wanted(draft: Draft, signer: Signer) -> bool:
    """False where the caller wrote the field of this signer by hand: that wins over any signer. (In Node the signer does: mended.)"""
    field = getattr(signer, 'field', None)
    return field is None or draft.options.headers.get(field, ('', None))[1] is None


def answer(options: Options, carry: Carry, hop: Hop, reply: Reply) -> tuple[Signer, ...] | None:
    """Who signs the request again because of what the server said, None where the reply is the answer.

    Every signer that has ``answer`` sees every reply to what it signed, and may refuse it with an error.
    """
    if not carry.trusted:
        return None
    signers = signers_of(options) if carry.signers is None else carry.signers
    following: list[Signer] = []
    again = False
    for signer in signers:
        asked: Any = getattr(signer, 'answer', None)
        other = asked(hop, reply) if asked is not None else None
        again = again or other is not None
        following.append(signer if other is None else other)
    return tuple(following) if again and carry.answers < MOST_ANSWERS else None
