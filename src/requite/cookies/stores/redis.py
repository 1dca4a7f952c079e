"""Cookies in Redis, for jars on several machines. Needs the extra: ``pip install requite[redis]``."""

from __future__ import annotations

import json
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any

from requite.cookies.errors import CookieError, CookieStoreError
from requite.cookies.rules import identity
from requite.cookies.stores.jsonfile import from_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from requite.cookies.cookie import Cookie


class RedisStore:
    """Cookies in a Redis server: ``request.jar(RedisStore('redis://localhost/0'))``, or a client of the package ``redis``.

    Each domain is a hash under ``prefix``, with one JSON document a cookie; the domains are a set under ``prefix`` itself. Every change is written at
    once. Raises CookieStoreError where the server cannot be asked.
    """

    def __init__(self, client: Any, prefix: str = 'requite:cookies') -> None:
        self._prefix = prefix
        self._own = isinstance(client, str)
        self._given = client
        self._client = _connect(client) if isinstance(client, str) else client

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._own:
            raise TypeError('a RedisStore over a client cannot be pickled: make it of the URL of the server')
        return type(self), (self._given, self._prefix)

    def __repr__(self) -> str:
        return f'<RedisStore {self._prefix!r}>'

    def find(self, domain: str) -> list[Cookie]:
        """The cookies of exactly this domain."""
        with _translated():
            return _cookies(self._client.hvals(self._hash(domain)))

    def put(self, cookie: Cookie) -> None:
        """Adds or replaces a cookie."""
        domain = cookie.domain or ''
        with _translated():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hset(self._hash(domain), _field(cookie), json.dumps(cookie.to_json()))
            pipeline.sadd(self._prefix, domain)
            pipeline.execute()

    def remove(self, cookie: Cookie) -> None:
        """Forgets a cookie."""
        with _translated():
            self._client.hdel(self._hash(cookie.domain or ''), _field(cookie))

    def all(self) -> list[Cookie]:
        """Every cookie, the oldest first."""
        with _translated():
            pipeline = self._client.pipeline(transaction=False)
            for domain in self._domains():
                pipeline.hvals(self._hash(domain))
            cookies = [cookie for values in pipeline.execute() for cookie in _cookies(values)]
        return sorted(cookies, key=_born)

    def __len__(self) -> int:
        with _translated():
            pipeline = self._client.pipeline(transaction=False)
            for domain in self._domains():
                pipeline.hlen(self._hash(domain))
            return sum(pipeline.execute())

    def close(self) -> None:
        """Closes the connections, where the store made them."""
        if self._own:
            self._client.close()

    def _hash(self, domain: str) -> str:
        return f'{self._prefix}:{domain}'

    def _domains(self) -> list[str]:
        return [_text(domain) for domain in self._client.smembers(self._prefix)]


def _connect(url: str) -> Any:
    try:
        import redis
    except ImportError:
        raise CookieStoreError('RedisStore needs the package redis: pip install requite[redis]') from None
    return redis.Redis.from_url(url)


@contextmanager
def _translated() -> Iterator[None]:
    """Lets nothing of the package redis out."""
    import redis

    try:
        yield
    except redis.RedisError as reason:
        raise CookieStoreError(f'the cookies in Redis cannot be used: {type(reason).__name__}') from reason
    except CookieError as reason:
        raise CookieStoreError(f'the cookies in Redis cannot be used: {reason}') from reason


def _field(cookie: Cookie) -> str:
    _, host_only, path, key = identity(cookie)
    return json.dumps([host_only, path, key])


def _cookies(values: Iterable[str | bytes]) -> list[Cookie]:
    cookies = [cookie for value in values if (cookie := from_text(value)) is not None]
    return sorted(cookies, key=_born)


def _born(cookie: Cookie) -> float:
    return inf if cookie.creation is None else cookie.creation


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
