"""What the caller gave for one way of signing (``oauth``, ``hawk``, ``aws``, ...): its keys, and the signer made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.errors import UnknownOption

if TYPE_CHECKING:
    from requite.protocols import Signer

OAUTH = (
    'consumer_key consumer_secret private_key passphrase token token_secret verifier callback nonce timestamp version signature_method realm '
    'transport_method body_hash'
).split()
"""The documented keys of ``oauth``. Any other is a parameter of the provider's own: it is data, and keeps its spelling."""

HUMP = re.compile('(?<=[a-z0-9])([A-Z])')


class Claim:
    """The keys of one way of signing, by their snake_case names; what they mean is settled where signing is known.

    ``signer`` is made of them once, and then serves every request with the same defaults. Frozen otherwise; the repr shows no value.
    """

    __slots__ = ('given', 'name', 'signer')

    def __init__(self, name: str, given: Mapping[str, Any]) -> None:
        self.name = name
        self.given = given
        self.signer: Signer | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Claim, (self.name, self.given)

    def __repr__(self) -> str:
        return f'<Claim {self.name} {" ".join(self.given)}>'


def claim(name: str, value: Any) -> Claim | None:
    """What an option was given as; a key may come in Node's spelling, but not in both."""
    if value is None or value is False:
        return None
    if isinstance(value, Claim):
        return value
    if not isinstance(value, Mapping):
        raise checks.wrong_type(name, value, 'a mapping')
    given: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise UnknownOption(f'option {name!r}: its keys must be str, not {checks.kind(key)}')
        canonical = known(name, key)
        if canonical in given:
            raise UnknownOption(f'option {name!r} has the key {canonical!r} in two spellings; keep one of them')
        # a copy: what the caller does to it afterwards is not ours
        given[canonical] = dict(item) if type(item) is dict else list(item) if type(item) is list else item
    return Claim(name, given)


def over(outer: Claim | None, inner: Claim | None) -> Claim | None:
    """``inner`` laid over the ``outer`` of the defaults, key by key."""
    if outer is None or inner is None:
        return inner
    return Claim(inner.name, {**outer.given, **inner.given})


def known(name: str, key: str) -> str:
    """A key of the option ``name`` in snake_case, unless it is data that is sent along."""
    canonical = snake(key)
    return key if name == 'oauth' and canonical not in OAUTH else canonical


def snake(key: str) -> str:
    """A name in snake_case: ``keyId`` is ``key_id``."""
    return HUMP.sub(r'_\1', key).lower() if key != key.lower() else key
