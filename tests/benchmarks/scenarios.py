"""The requests that are measured, as data that every client and the server are set up from."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

OK = b'ok'
DOCUMENT = b'0123456789' * 1_000
USER = {'id': 7, 'name': 'Ada', 'roles': ['reader', 'writer'], 'active': True, 'score': 12.5}


@dataclass(frozen=True)
class Scenario:
    """One request as a caller would state it, and the answer that proves it was made.

    `timeout` is seconds given with the call itself; a client has `IDLE_TIMEOUT` besides. `parse` asks for the JSON value.
    """

    name: str
    title: str
    path: str
    answer: Any
    method: str = 'GET'
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    user: tuple[str, str] | None = None
    body: bytes | None = None
    timeout: int | None = None
    parse: bool = False
    tls: bool = False


IDLE_TIMEOUT = 10
"""Seconds that every client waits for the server at most, so that none saves the work of a timeout."""

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario('small', 'small GET', '/small', OK),
        Scenario('10k', '10 kB GET', '/document', DOCUMENT),
        Scenario(
            'rich',
            'rich GET',
            '/rich',
            USER,
            query={'page': '2', 'sort': 'name'},
            headers={'x-tenant': 'acme', 'x-api-version': '2024-01-01'},
            cookies={'session': '4b7d1c9e0a', 'theme': 'dark', 'lang': 'en'},
            user=('ada', 'lovelace'),
            timeout=5,
            parse=True,
        ),
        Scenario(
            'post',
            'POST 200 B',
            '/post',
            OK,
            method='POST',
            headers={'content-type': 'application/octet-stream'},
            body=b'x' * 200,
        ),
        Scenario('tls', 'TLS small GET', '/small', OK, tls=True),
    )
}


def basic(user: tuple[str, str]) -> str:
    """The value of an Authorization field for Basic credentials (RFC 7617 section 2)."""
    return 'Basic ' + base64.b64encode(':'.join(user).encode()).decode()


def cookie_line(cookies: Mapping[str, str]) -> str:
    """The value of a Cookie field (RFC 6265 section 4.2.1)."""
    return '; '.join(f'{name}={value}' for name, value in cookies.items())
