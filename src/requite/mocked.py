"""What a mock answers to which requests: the calls that it saw, and the routes that take them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from requite import canned, checks
from requite.headers import join
from requite.wire.uri import coerce

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.canned import Canned
    from requite.message import Hop, Reply

    Where = str | re.Pattern[str] | Callable[['Call'], Any] | None


class Call:
    """One request as it would have gone out: ``method``, ``uri`` (a value whose ``str()`` is its href), ``headers`` (look-up ignores case), ``body`` (bytes),
    and ``hop``, which is all of it.
    """

    def __init__(self, hop: Hop, body: bytes) -> None:
        self.hop = hop
        self.method = hop.method
        self.uri = hop.uri
        self.headers = join(hop.fields)
        self.body = body

    @property
    def text(self) -> str:
        """The content as text."""
        return self.body.decode('utf-8', 'replace')

    def json(self) -> Any:
        """The content parsed as JSON; raises ``ValueError`` when it is none."""
        from requite.wire import jsondoc

        return jsondoc.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The content as a urlencoded form; of several values of one name the last one."""
        return dict(parse_qsl(self.text, keep_blank_values=True))

    @property
    def query(self) -> dict[str, str]:
        """The query; of several values of one name the last one."""
        return dict(parse_qsl(self.uri.query or '', keep_blank_values=True))

    def __repr__(self) -> str:
        return f'<Call {self.method} {self.uri.redacted()}>'


class Route:
    """What the mock answers to some requests; ``calls`` are those that it did answer."""

    passes = False
    """True where they go out over the network."""

    def __init__(self, method: str | None, where: Where, replies: list[Any], times: int | None, given: Canned) -> None:
        canned.check(given)
        self.method = method.upper() if method else None
        self.times = times
        self.calls: list[Call] = []
        self._where = where
        self._matches = matcher(where)
        self._replies = replies
        self._given = given

    @property
    def called(self) -> bool:
        """Whether it was used."""
        return bool(self.calls)

    def takes(self, call: Call) -> bool:
        """Whether it answers this one."""
        left = self.times is None or len(self.calls) < self.times
        return left and self.method in (None, call.method.upper()) and bool(self._matches(call))

    def answer(self, call: Call, number: int) -> Reply:
        """The reply to its ``number``th call, from 1; raises it where it is an error."""
        value = self._replies[min(number, len(self._replies)) - 1] if self._replies else None
        if callable(value) and not isinstance(value, type):
            value = value(call)
        return canned.reply(value, self._given, call.hop)

    def __repr__(self) -> str:
        where = self._where
        if isinstance(where, re.Pattern):
            where = f're {where.pattern!r}'
        elif callable(where):
            where = getattr(where, '__qualname__', repr(where))
        used = f' (used {len(self.calls)} of {self.times} times)' if self.times is not None else ''
        return f'{self.method or "any method"} {where or "any address"}{used}'


def matcher(where: Where) -> Callable[[Call], Any]:
    """Tells whether a call goes to ``where``.

    A str is an address, or beginning with ``/`` a path on any host; without a query any query will do, with one it has to have the same parameters, in
    any order. A pattern is searched for in the address; a callable is asked; None is everywhere.
    """
    if where is None:
        return lambda _: True
    if isinstance(where, re.Pattern):
        return lambda call: where.search(call.uri.without_userinfo().href)
    if callable(where):
        return where
    if not isinstance(where, str):
        raise TypeError(f'a mock answers at a str, a pattern or a callable, not {checks.kind(where)}')
    anywhere = where.startswith('/')
    wanted = coerce(f'http://any{where}' if anywhere else where)
    parameters = None if wanted.query is None else _parameters(wanted.query)

    def matches(call: Call) -> bool:
        uri = call.uri
        if (not anywhere and uri.origin != wanted.origin) or uri.pathname != wanted.pathname:
            return False
        return parameters is None or _parameters(uri.query or '') == parameters

    return matches


def _parameters(query: str) -> Counter[tuple[str, str]]:
    return Counter(parse_qsl(query, keep_blank_values=True))
