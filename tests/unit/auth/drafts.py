"""Drafts as the signers get them, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from requite.message import BytesBody, Carry, Draft
from requite.options import Options
from requite.wire import uri

NOW = 1388957500
"""Sun, 05 Jan 2014 21:31:40 GMT."""
DATE = 'Sun, 05 Jan 2014 21:31:40 GMT'


class Frozen:
    """A clock that stands still and throws the same dice for ever."""

    def now(self) -> float:
        return NOW + 0.9

    def nonce(self, size: int) -> str:
        return ('0123456789abcdef' * 4)[:size]


class Once:
    """A body that can be read only once."""

    length = None
    replayable = False
    headers = ()

    def chunks(self) -> Iterator[bytes]:
        raise AssertionError('nobody may read this')


def draft(
    url: str = 'http://example.com/foo?param=value&pet=dog',
    method: str = 'GET',
    body: bytes | Once | None = None,
    headers: list[tuple[str, Any]] | None = None,
) -> Draft:
    """A draft that is final but for what signers add; Host is there already unless `headers` has another."""
    address = uri.parse(url)
    made = Draft(Options(), Carry(method, address, BytesBody(body) if isinstance(body, bytes) else body))
    made.fields = {name.lower(): (name, value) for name, value in headers or []}
    made.default('host', address.host_field)
    return made
