"""Other clients, by which the harness itself is checked: what it says of them is known beforehand."""

from __future__ import annotations

import http.client
import os
import ssl
import zlib
from typing import Any
from urllib.parse import urlsplit

import urllib3

from .child import Answer


class Naive:
    """http.client with nothing around it: no deadline, no bound, no look at what ends a body."""

    errors: tuple[type[Exception], ...] = (OSError, http.client.HTTPException, zlib.error)

    def __init__(self, options: dict[str, Any]) -> None:
        self.timeout = options['timeout']
        self.trust = ssl.create_default_context(cafile=options.get('ca_file'))
        self.connections: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def step(self, step: dict[str, Any], body: Any, limit: int | None) -> Answer:
        parts = urlsplit(step['url'])
        key = (parts.scheme, parts.netloc)
        connection = self.connections.pop(key, None) or self._connect(*key)
        target = parts.path + ('?' + parts.query if parts.query else '')
        connection.request(step['method'], target, body, {'accept-encoding': 'gzip', **(step.get('headers') or {})})
        response = connection.getresponse()
        data = response.read(limit)
        if response.getheader('content-encoding') == 'gzip':
            data = zlib.decompressobj(31).decompress(data)
        self.connections[key] = connection
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, data)

    def _connect(self, scheme: str, host: str) -> http.client.HTTPConnection:
        if scheme == 'https':
            return http.client.HTTPSConnection(host, timeout=self.timeout, context=self.trust)
        return http.client.HTTPConnection(host, timeout=self.timeout)


class Urllib3:
    """urllib3's PoolManager with its own defaults, following redirects."""

    errors: tuple[type[Exception], ...] = (urllib3.exceptions.HTTPError,)

    def __init__(self, options: dict[str, Any]) -> None:
        if options.get('proxy') == 'socks' or options.get('jar') or options.get('auth'):
            raise NotImplementedError('urllib3 has no jar, no digest, and SOCKS only as an extra')
        settings: dict[str, Any] = {'timeout': options['timeout'], 'maxsize': 4, 'ca_certs': options.get('ca_file')}
        if options.get('proxy_url'):
            self.pool: urllib3.PoolManager = urllib3.ProxyManager(options['proxy_url'], **settings)
        else:
            self.pool = urllib3.PoolManager(**settings)

    def step(self, step: dict[str, Any], body: Any, limit: int | None) -> Answer:
        headers = {'accept-encoding': 'gzip, deflate', **(step.get('headers') or {})}
        streamed = limit is not None
        response = self.pool.request(
            step['method'],
            step['url'],
            body=body,
            headers=headers,
            preload_content=not streamed,
            redirect=step['method'] in {'GET', 'HEAD'},
        )
        data = response.read(limit) if streamed else response.data
        if streamed:
            response.close()
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, data)


class Refusing(Naive):
    """Says no, politely, to all but the plain requests that follow a fault."""

    def step(self, step: dict[str, Any], body: Any, limit: int | None) -> Answer:
        if step.get('followup'):
            return super().step(step, body, limit)
        raise ConnectionError('not today')


class Raising(Naive):
    """Lets an exception through that is not its own."""

    def step(self, step: dict[str, Any], body: Any, limit: int | None) -> Answer:
        raise KeyError('an inner matter')


class Dying(Naive):
    """Takes its process down."""

    def step(self, step: dict[str, Any], body: Any, limit: int | None) -> Answer:
        os._exit(7)


class Unfinished(Naive):
    """Has not learnt anything yet."""

    def step(self, step: dict[str, Any], body: Any, limit: int | None) -> Answer:
        raise NotImplementedError('not available yet')


BY_NAME = {
    'naive': Naive,
    'urllib3': Urllib3,
    'refusing': Refusing,
    'raising': Raising,
    'dying': Dying,
    'unfinished': Unfinished,
}
