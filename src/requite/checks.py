"""What an option's value must be: one small function a kind of value.

Each takes the option's name and the value, returns the value as the rest of the library uses it, and raises an error that names the
option, the value and the fix. None passes through: it always means "as if it had not been given". What may be a secret (a header, a body,
credentials, an address) is never shown in an error, only its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from requite.errors import InvalidOptionType, OptionsError, UnknownOption
from requite.headers import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

METHODS = frozenset('CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE'.split())

LONGEST = 2**31 - 1
"""The largest number of milliseconds that the system's clocks take, 24 days; Node's is the same."""

PUBLIC = frozenset(
    (
        'method use_querystring json_reviver json_replacer follow_redirect follow_all_redirects follow_original_http_method max_redirects '
        'remove_referer_header encoding gzip pool agent forever timeout deadline max_body strict_ssl reject_unauthorized local_address time callback'
    ).split()
)
"""Options whose text may stand in an error; any other could hold a secret."""


class Method(str):
    """A standard method, upper case as it is sent, that remembers how the caller spelt it: Node shows that spelling."""

    __slots__ = ('spelling',)
    spelling: str

    def __new__(cls, sent: str, spelling: str) -> Self:
        method = super().__new__(cls, sent)
        method.spelling = spelling
        return method


def a(word: str) -> str:
    """The word with its article."""
    return f'an {word}' if word[:1] in 'aeioAEIO' else f'a {word}'


def kind(value: object) -> str:
    """The type of a value as errors call it: ``an int``, ``a list``, ``None``."""
    return 'None' if value is None else a(type(value).__name__)


def shown(value: object) -> str:
    """A short text for a value that is no secret: numbers and short texts as they are, of all else the type."""
    if isinstance(value, (bool, float)) or value is None:
        return repr(value)
    if isinstance(value, int):
        return repr(value) if value.bit_length() < 200 else f'an int of {value.bit_length()} bits'
    if isinstance(value, str):
        return repr(value) if len(value) <= 60 else repr(value[:57]) + '...'
    return kind(value)


def option(name: str) -> str:
    """How errors call an option; one that is a part of another says so itself (``option 'form_data': ...``)."""
    return name if name.startswith('option ') else f'option {name!r}'


def wrong_type(name: str, value: object, wanted: str) -> InvalidOptionType:
    """The error for a value of the wrong type."""
    came = kind(value) if isinstance(value, str) and name not in PUBLIC else shown(value)
    return InvalidOptionType(f'{option(name)} must be {wanted}, not {came}')


def nearest(key: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant: letter case, underscores and hyphens do not count, a few wrong letters are forgiven."""
    from difflib import get_close_matches  # only ever needed on the way to an error

    folded: dict[str, list[str]] = {}
    for name in names:
        folded.setdefault(_fold(name), []).append(name)
    close = get_close_matches(_fold(key), list(folded), 1, 0.65)
    if not close:
        return None
    spellings = folded[close[0]]
    mixed = key.lower() != key and '_' not in key
    return next((name for name in spellings if (name.lower() != name) is mixed), spellings[0])


def _fold(name: str) -> str:
    return name.lower().replace('_', '').replace('-', '')


def nested(name: str, value: Any, spellings: Mapping[str, str]) -> dict[str, Any]:
    """The keys of an option that is a mapping, by their canonical names; ``spellings`` maps every accepted spelling to its name.

    Raises ``InvalidOptionType``, and ``UnknownOption`` for a key that there is not or that comes in both its spellings.
    """
    if not isinstance(value, Mapping):
        raise wrong_type(name, value, 'a mapping')
    given: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for key, item in value.items():
        canonical = spellings.get(key) if isinstance(key, str) else None
        if canonical is None:
            near = nearest(key, spellings) if isinstance(key, str) else None
            takes = ', '.join(dict.fromkeys(spellings.values()))
            raise UnknownOption(
                f'{option(name)} has no key {shown(key)}; '
                + (f'did you mean {near!r}?' if near else f'it takes {takes}')
            )
        if canonical in seen:
            raise UnknownOption(f'{option(name)} has {seen[canonical]!r} and {key!r}, which are one; keep one of them')
        seen[canonical] = key
        given[canonical] = item
    return given


def boolean(name: str, value: Any) -> bool | None:
    """True or False."""
    if value is None or isinstance(value, bool):
        return value
    raise wrong_type(name, value, 'True or False')


def text(name: str, value: Any) -> str | None:
    """A str."""
    if value is None or isinstance(value, str):
        return value
    raise wrong_type(name, value, 'a str')


def function(name: str, value: Any) -> Any:
    """A callable."""
    if value is None or callable(value):
        return value
    raise wrong_type(name, value, 'a callable')


def mapping(name: str, value: Any) -> Mapping[Any, Any] | None:
    """A mapping, copied so that later changes of the caller's have no effect."""
    if value is None:
        return None
    if type(value) is dict or isinstance(value, Mapping):
        return dict(value)
    raise wrong_type(name, value, 'a mapping')


def count(name: str, value: Any) -> int | None:
    """A whole number from 0 up."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(name, value, 'an int')
    if value < 0:
        raise OptionsError(f'{option(name)} must be 0 or more, not {value}')
    return value


def sockets(name: str, value: Any) -> Any:
    """How many sockets: a whole number, or infinity, Node's word for no bound of one's own."""
    return value if value == float('inf') else count(name, value)


def milliseconds(name: str, value: Any) -> float | None:
    """An int of milliseconds or a timedelta, as seconds; None is no limit."""
    if value is None:
        return None
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, float):
        meant = (
            f': write {max(1, round(value * 1000))} if you meant {value:g} seconds'
            if 0 < value < LONGEST / 1000
            else ''
        )
        raise InvalidOptionType(
            f'{option(name)} counts milliseconds and must be an int or a timedelta, not {value!r}{meant}'
        )
    elif isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(name, value, 'an int of milliseconds or a timedelta')
    else:
        seconds = min(value, LONGEST + 1) / 1000
    if seconds <= 0:
        raise OptionsError(
            f'{option(name)} must be more than 0 milliseconds, not {shown(value)}; pass None for no limit'
        )
    if seconds > LONGEST / 1000:
        raise OptionsError(
            f'{option(name)} must be at most {LONGEST} milliseconds (24 days), not {shown(value)}; pass None for no limit'
        )
    return seconds


def http_method(name: str, value: Any) -> str:
    """A method token (RFC 9110 9.1). The standard ones are put in upper case, as Node does on the wire; others are kept as given."""
    if value is None:
        return 'GET'
    if not isinstance(value, str):
        raise wrong_type(name, value, 'a str')
    upper = value.upper()
    if upper in METHODS:
        return upper if upper == value else Method(upper, value)
    if TOKEN.fullmatch(value) is None:
        raise OptionsError(
            f"option {name!r} must be a token of letters, digits and !#$%&'*+-.^_`|~, not {shown(value)}"
        )
    return value


def deferred(asked: Any) -> bool:
    """Whether calling it only makes an object that somebody would have to await or go through."""
    while isinstance(asked, partial):
        asked = asked.func
    codes = [getattr(getattr(made, '__func__', made), '__code__', None) for made in (asked, type(asked).__call__)]
    return any(code is not None and code.co_flags & _ASYNC for code in codes)


_ASYNC = 0x80 | 0x20 | 0x200
"""CO_COROUTINE, CO_GENERATOR, CO_ASYNC_GENERATOR: flags of a function whose call only makes an object. ``inspect`` is slow to import."""
