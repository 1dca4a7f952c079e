"""What may stand in a query or form, and the characters it becomes: shared by both query codecs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from requite.errors import InvalidOptionType, OptionsError
from requite.wire.jstext import date_text, number_text

_is_unreserved = re.compile(r'[A-Za-z0-9\-._~]*').fullmatch
_BYTES = [chr(byte) if _is_unreserved(chr(byte)) else f'%{byte:02X}' for byte in range(256)]
_SCALARS = frozenset((str, int, float, bool, type(None), bytes))  # asked first: the abstract classes are slow to ask
_TEXTS = (str, bytes, bytearray, memoryview)
_ALLOWED = 'str, int, float, bool, None, bytes, datetime, date, list, tuple or mapping'


def encoded(text: str | bytes) -> str:
    """Percent-encoded; a lone surrogate is still a UnicodeEncodeError here, for the caller to name the key."""
    if isinstance(text, str):
        if _is_unreserved(text):
            return text
        text = text.encode('utf-8')
    return ''.join(map(_BYTES.__getitem__, text))


def mapping(data: Any) -> Mapping[Any, Any]:
    """The mapping that was given, or InvalidOptionType."""
    if isinstance(data, Mapping):
        return data
    raise InvalidOptionType(f'a query or form to be encoded must be a mapping, not {type(data).__name__}')


def is_sequence(value: Any) -> bool:
    """True for what is written as an array: a list, a tuple, any other sequence that is neither text nor bytes."""
    return type(value) not in _SCALARS and isinstance(value, Sequence) and not isinstance(value, _TEXTS)


def is_container(value: Any) -> bool:
    """True for what the nested codec goes into: a mapping or a sequence."""
    return type(value) not in _SCALARS and (isinstance(value, Mapping) or is_sequence(value))


def key_text(key: Any) -> str:
    """A key as JavaScript would have it: a text."""
    if isinstance(key, str):
        return str.__str__(key)  # the text itself also for an enum that is a str
    if isinstance(key, (int, float)):
        return number_text(key)
    raise InvalidOptionType(f'a key of a query or form must be a str or a number, not {type(key).__name__}')


def value_text(value: Any, prefix: str) -> str | bytes:
    """A value as text, or as the bytes it is; InvalidOptionType, naming the key, when it has no text."""
    if isinstance(value, str):
        return str.__str__(value)
    if value is None:
        return ''
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, date):
        return date_text(value)
    raise InvalidOptionType(
        f'{shown(prefix)} is a {type(value).__name__}, which has no text in a query or form; give {_ALLOWED}'
    )


def unencoded(text: str | bytes, prefix: str) -> str:
    """Text for ``encode=False``; checked all the same, because it will have to become UTF-8."""
    if isinstance(text, bytes):
        try:
            return text.decode('utf-8')
        except UnicodeDecodeError:
            raise OptionsError(f'{shown(prefix)} is bytes that are no UTF-8, which cannot go out unencoded') from None
    text.encode('utf-8')
    return text


def returned_text(value: Any, name: str) -> str:
    """What a caller's function returned, which must be a str."""
    if isinstance(value, str):
        return value
    raise InvalidOptionType(f'qs_stringify_options: {name} must return a str, it returned {type(value).__name__}')


def surrogate(what: str) -> OptionsError:
    """The error for a text that UTF-8 cannot carry."""
    return OptionsError(f'{what} holds a lone surrogate (U+D800 to U+DFFF), which UTF-8 cannot carry: replace it')


def shown(prefix: str | None) -> str:
    """How an error names the value under a key; never the value itself, which may be a secret."""
    if prefix is None:
        return 'the mapping'
    name = prefix
    return f'the value of {name if len(name) < 60 else name[:57] + "..."!r}'
