"""Basic (RFC 7617) and Bearer (RFC 6750) credentials."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from requite.errors import InvalidOptionType, OptionsError

if TYPE_CHECKING:
    from requite.credentials import Credentials


def basic(user: str, password: str | None) -> str:
    """The value of Authorization for a user and password, in UTF-8; a missing password is an empty one, as in Node."""
    return 'Basic ' + b64encode(f'{user}:{password or ""}'.encode()).decode('ascii')


def bearer(token: object) -> str:
    """The value of Authorization for a token; a callable is asked for it now. None gives ``'Bearer '``, as in Node."""
    value = token() if callable(token) else token
    if value is None:
        value = ''
    if not isinstance(value, str):
        raise InvalidOptionType(f"option 'auth': bearer returned a {type(value).__name__}; it must return a str")
    if not value.isascii() or not value.isprintable():
        raise OptionsError("option 'auth': the bearer token must be visible ASCII (RFC 6750 2.1)")
    return 'Bearer ' + value


def authorization(credentials: Credentials) -> str:
    """The value of Authorization for what the caller gave as ``auth``."""
    if credentials.has_bearer:
        return bearer(credentials.bearer)
    return basic(credentials.user or '', credentials.password)
