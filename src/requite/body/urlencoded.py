"""The ``form`` option: an ``application/x-www-form-urlencoded`` body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requite.errors import InvalidOptionType, OptionsError
from requite.wire.qs import rfc3986, stringify

CONTENT_TYPE = 'application/x-www-form-urlencoded'
"""Set by ``form`` unless the caller's content-type begins with it already (``; charset=UTF-8`` survives)."""


def encode(
    form: Mapping[Any, Any] | str | bytes,
    stringify_options: Mapping[str, Any] | None = None,
    use_querystring: bool = False,
) -> bytes:
    """Give the body that a form becomes.

    A mapping is written by the codec of ``qs`` (nested, or flat with ``use_querystring``) and ``stringify_options``; ``{}`` is an empty body. A str
    goes out as it is, as UTF-8, except that ``!'()*`` are escaped; bytes go out as they are (where Node's ``request`` would enumerate
    them). Raises InvalidOptionType for anything else, and what ``requite.wire.qs.stringify`` raises. Node: ``Request.prototype.form``.
    """
    if isinstance(form, str):
        text = rfc3986(form)
    elif isinstance(form, (bytes, bytearray, memoryview)):
        return bytes(form)
    elif isinstance(form, Mapping):
        text = stringify(form, stringify_options, use_querystring)
    else:
        raise InvalidOptionType(f'form must be a mapping or a str, not {type(form).__name__}{_fix(form)}')
    try:
        return text.encode('utf-8')
    except UnicodeEncodeError:
        raise OptionsError(
            'form holds a lone surrogate (U+D800 to U+DFFF), which UTF-8 cannot carry: replace it'
        ) from None


def _fix(form: Any) -> str:
    if isinstance(form, (list, tuple)):
        return '; for pairs with repeated names give lists, {"name": [1, 2]}, with use_querystring=True'
    return '; a file or stream goes into body'
