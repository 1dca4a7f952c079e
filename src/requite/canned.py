"""Canned replies for tests: what somebody says a server would answer, made into what a transport gives."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypedDict

from requite import checks
from requite.errors import RequestError
from requite.message import Reply
from requite.transport.memory import MemoryReply

if TYPE_CHECKING:
    from requite.message import Hop


class Canned(TypedDict, total=False):
    """A reply in keywords: ``status`` (200), ``headers`` (a mapping or pairs), and ``body`` (bytes, str, or a list of pieces, an error among them
    breaks off there) or ``json`` (any JSON value).
    """

    status: int
    headers: Mapping[str, Any] | Iterable[tuple[str, str]] | None
    body: Any
    json: Any


KEYS = frozenset(Canned.__annotations__)
_BODILESS = (204, 304)


def check(given: Mapping[str, Any]) -> None:
    """Raises ``TypeError`` for keywords that say nothing, or two things at once."""
    unknown = [name for name in given if name not in KEYS]
    if unknown:
        raise TypeError(f'a canned reply has no {unknown[0]!r}; it has status, headers, body and json')
    if given.get('body') is not None and 'json' in given:
        raise TypeError('a canned reply has either body or json; leave one of them out')


def reply(value: Any, given: Mapping[str, Any], hop: Hop) -> Reply:
    """The reply that ``value`` stands for, with what the keywords ``given`` say besides; raises it where it is an error.

    ``value`` is None, a status, a body, a dict (JSON), ``(status, headers, body)``, a ``Reply``, or an error or its class.
    """
    if isinstance(value, Reply):
        return value
    if isinstance(value, BaseException):
        raise copy.copy(value)
    if isinstance(value, type) and issubclass(value, BaseException):
        raise value(f'{value.__name__} of the mock: {hop.method} {hop.uri.redacted()}')
    said = dict(given)
    if isinstance(value, tuple) and len(value) == 3:
        said['status'], said['headers'], said['body'] = value
    elif isinstance(value, int) and not isinstance(value, bool):
        said['status'] = value
    elif isinstance(value, dict):
        said['json'] = value
    elif isinstance(value, (bytes, str)):
        said['body'] = value
    elif value is not None:
        raise TypeError(
            f'a canned reply is a status, bytes, str, a dict, (status, headers, body), an error or its class, not {checks.kind(value)}; '
            'give other JSON as json=...'
        )
    return _made(said, hop)


def _made(said: dict[str, Any], hop: Hop) -> Reply:
    status = said.get('status', 200)
    fields = _fields(said.get('headers'))
    chunks, kind = _content(said)
    names = {name.lower() for name, _ in fields}
    if kind and 'content-type' not in names:
        fields.append(('content-type', kind))
    if hop.method == 'HEAD' or status in _BODILESS:
        chunks = []
    elif names.isdisjoint(('content-length', 'transfer-encoding')) and all(
        isinstance(chunk, bytes) for chunk in chunks
    ):
        fields.append(('content-length', str(sum(map(len, chunks)))))
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ''
    return MemoryReply(status, fields, [chunk for chunk in chunks if chunk], reason)


def _fields(headers: Any) -> list[tuple[str, str]]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    fields: list[tuple[str, str]] = []
    for name, value in pairs:
        fields += [(name, str(item)) for item in (value if isinstance(value, (list, tuple)) else (value,))]
    return fields


def _content(said: Mapping[str, Any]) -> tuple[list[Any], str]:
    """The pieces of the body, and the content type that they have by themselves."""
    if 'json' in said:
        from requite.wire import jsondoc

        return [jsondoc.dumps(said['json'])], 'application/json'
    body = said.get('body')
    if body is None:
        return [], ''
    if isinstance(body, str):
        return [body.encode()], 'text/plain; charset=utf-8'
    if isinstance(body, bytes):
        return [body], ''
    if isinstance(body, (list, tuple)):
        return [_piece(item) for item in body], ''
    raise TypeError(f'the body of a canned reply is bytes, str or a list of them, not {checks.kind(body)}')


def _piece(item: Any) -> Any:
    if isinstance(item, type) and issubclass(item, RequestError):
        return item(f'{item.__name__} of the mock')
    return item.encode() if isinstance(item, str) else item
