"""Tests without a network: a mock that answers every request of the process, and HAR logs that are recorded once and replayed.

With pytest the fixture ``requite_mock`` is a ``Mock`` for the time of one test::

    def test_the_name_is_shown(requite_mock):
        requite_mock.get('https://api.example.com/users/1', json={'name': 'Ada'})
        assert show_user(1) == 'Ada'
        assert requite_mock.calls[0].headers['authorization'] == 'Bearer t'
"""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from requite import background, redaction
from requite.errors import OptionsError, RequestError, RequestStateError, TransportError
from requite.mocked import Call, Route
from requite.transport.pooled import PooledTransport
from requite.wire.uri import coerce

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from typing_extensions import Self, Unpack

    from requite.canned import Canned
    from requite.message import Hop
    from requite.mocked import Where
    from requite.transport.recording import HarLog

PATIENCE = 30.0
"""Seconds that the end of a mock waits for requests which were started or let go."""


class UnmockedRequest(RequestError, AssertionError):
    """A request went out that the mock has no reply for; the text names the replies it has."""


class Mock:
    """Answers every request of the process instead of the network, from ``with`` to its end: of ``request`` and of wrappers, whenever they were made,
    asked for, awaited, started or let go. Redirects, cookies, signers, retries and decoding work as ever.

    Routes are tried in their order; the first that takes a request answers it. A request that none takes is ``UnmockedRequest``, and the end of the mock
    raises ``AssertionError`` for it again, in case nobody looked, unless ``strict`` is False. Leave unread responses and unsent requests behind as you like.
    """

    def __init__(self, strict: bool = True) -> None:
        self.strict = strict
        self.calls: list[Call] = []
        self.unmatched: list[Call] = []
        self.routes: list[Route] = []
        self._real: list[Callable[..., Any]] = []
        self._lock = threading.Lock()

    def add(
        self,
        method: str | None,
        uri: Where = None,
        reply: Any = None,
        *,
        times: int | None = None,
        **given: Unpack[Canned],
    ) -> Route:
        """Answers ``method`` (None: any) at ``uri`` (see ``requite.mocked.matcher``) with ``reply``, or with what ``status=``, ``headers=``, ``body=``, ``json=`` say; at most ``times``.

        ``reply`` is a status, a body, a dict (JSON), ``(status, headers, body)``, an error or its class, a callable that gets the ``Call`` and returns or
        raises one of these, or a list of them, one for each call, of which the last goes on.
        """
        replies = list(reply) if isinstance(reply, list) else [reply]
        made = Route(method, uri, replies, times, given)
        self.routes.append(made)
        return made

    def get(self, uri: Where = None, reply: Any = None, **given: Any) -> Route:
        """``add('GET', ...)``."""
        return self.add('GET', uri, reply, **given)

    def head(self, uri: Where = None, reply: Any = None, **given: Any) -> Route:
        """``add('HEAD', ...)``."""
        return self.add('HEAD', uri, reply, **given)

    def post(self, uri: Where = None, reply: Any = None, **given: Any) -> Route:
        """``add('POST', ...)``."""
        return self.add('POST', uri, reply, **given)

    def put(self, uri: Where = None, reply: Any = None, **given: Any) -> Route:
        """``add('PUT', ...)``."""
        return self.add('PUT', uri, reply, **given)

    def patch(self, uri: Where = None, reply: Any = None, **given: Any) -> Route:
        """``add('PATCH', ...)``."""
        return self.add('PATCH', uri, reply, **given)

    def delete(self, uri: Where = None, reply: Any = None, **given: Any) -> Route:
        """``add('DELETE', ...)``."""
        return self.add('DELETE', uri, reply, **given)

    def pass_through(self, uri: Where) -> None:
        """Lets requests to ``uri`` go out over the network, whatever other routes say; they are not among the ``calls``."""
        self.add(None, uri).passes = True

    def assert_all_called(self) -> None:
        """Raises ``AssertionError`` naming the routes that nobody asked for."""
        unused = [route for route in self.routes if not route.called and not route.passes]
        if unused:
            raise AssertionError('nobody asked for:' + _listed(unused))

    # -- the place of the network

    def __enter__(self) -> Self:
        # on the class: what is mocked is the network, and whoever sends already holds the transport
        self._real.append(PooledTransport.send)
        mock = self

        def send(transport: PooledTransport, hop: Hop) -> Any:
            return mock.send(hop)

        PooledTransport.send = send  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        background.flush(monotonic() + PATIENCE)
        PooledTransport.send = self._real.pop()  # type: ignore[method-assign]
        if kind is None and self.strict and self.unmatched:
            raise AssertionError(self._missing(self.unmatched[0]))

    def send(self, hop: Hop) -> Any:
        """Answers a hop; raises ``UnmockedRequest`` where no route takes it."""
        hop.signal.check()
        if any(route.passes and route.takes(Call(hop, b'')) for route in self.routes):
            return self._real[0](PooledTransport(), hop)
        body = b'' if hop.body is None else b''.join(hop.body.chunks())
        call = Call(hop, body)
        with self._lock:
            self.calls.append(call)
            route = next((route for route in self.routes if route.takes(call)), None)
            if route is None:
                self.unmatched.append(call)
                raise UnmockedRequest(self._missing(call))
            route.calls.append(call)
            number = len(route.calls)
        if hop.marks is not None:
            hop.marks['socket'] = hop.marks['response'] = perf_counter()
        return route.answer(call, number)

    def _missing(self, call: Call) -> str:
        routes = _listed(self.routes) if self.routes else ' nothing'
        return f'the mock has no reply for {call.method} {call.uri.redacted()}; it has:{routes}'


def _listed(routes: list[Route]) -> str:
    return ''.join(f'\n  {route!r}' for route in routes)


def mock(strict: bool = True) -> Mock:
    """A ``Mock``, for ``with requite.testing.mock() as mock:``."""
    return Mock(strict)


class _Network:
    """The transport as it was before, so that another can be laid around it."""

    def __init__(self, pool: Any, send: Callable[[Hop], Any]) -> None:
        self.pool = pool
        self.send = send


@contextmanager
def record(path: str | os.PathLike[str], secrets: bool = False) -> Iterator[HarLog]:
    """Writes every request of the process, and its answer, into a new HAR 1.2 log at ``path``, for ``replay``; without credentials unless ``secrets``.

    A log that was written here before is replaced; raises ``OptionsError`` for another file.
    """
    from requite.transport.recording import HarLog, Recording

    HarLog(path)  # raises for a file that is none
    Path(path).unlink()
    log = HarLog(path, secrets)
    real = PooledTransport.send

    def send(transport: PooledTransport, hop: Hop) -> Any:
        return Recording(_Network(transport.pool, lambda hop: real(transport, hop)), log).send(hop)

    PooledTransport.send = send  # type: ignore[method-assign, assignment]
    try:
        yield log
    finally:
        background.flush(monotonic() + PATIENCE)
        PooledTransport.send = real  # type: ignore[method-assign]


@contextmanager
def replay(path: str | os.PathLike[str]) -> Iterator[Mock]:
    """Answers every request of the process from a HAR 1.2 log: by method and address, several entries of one address in their order, the last one goes on.

    Gives the ``Mock`` that does it, to which more may be added. Raises ``OptionsError`` for a file that is no such log.
    """
    made = Mock()
    for (method, address), replies in _entries(path).items():
        made.add(method, _At(address), replies)
    with made:
        yield made


class _At:
    """Matches one address, its query too; credentials in it do not count, as they may not be in the log."""

    def __init__(self, address: str) -> None:
        self.__qualname__ = address

    def __call__(self, call: Call) -> bool:
        return redaction.Shown().address(call.uri) == self.__qualname__


def _entries(path: str | os.PathLike[str]) -> dict[tuple[str, str], list[Any]]:
    """The replies of a log, by method and address."""
    found: dict[tuple[str, str], list[Any]] = {}
    try:
        entries = json.loads(Path(path).read_text(encoding='utf-8'))['log']['entries']
        for entry in entries:
            asked = entry['request']
            key = asked['method'].upper(), redaction.Shown().address(coerce(asked['url']))
            found.setdefault(key, []).append(_reply(entry))
    except OSError as error:
        raise OptionsError(f'there is no log at {str(path)!r} ({error.strerror}); record one first') from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise OptionsError(
            f'{str(path)!r} is no HAR 1.2 log that can be replayed ({type(error).__name__}: {error}); record it again'
        ) from None
    return found


def _reply(entry: dict[str, Any]) -> Any:
    answer = entry['response']
    if not answer['status']:
        return TransportError(str(entry.get('_error') or 'there was no answer when this was recorded'))
    content = answer['content']
    text = content.get('text')
    if text is None and content.get('size'):
        return RequestStateError(f'the answer of {entry["request"]["url"]} was too large to be recorded')
    body = b64decode(text) if content.get('encoding') == 'base64' else (text or '').encode()
    fields = [(field['name'], field['value']) for field in answer['headers'] if _replayed(field)]
    return answer['status'], fields, body


def _replayed(field: dict[str, str]) -> bool:
    """Not what framed or packed the body, which is plain in a log, nor credentials that were left out."""
    name = field['name'].lower()
    if redaction.is_hidden(name, field['value']):
        return False
    return name[:1] != ':' and name not in ('content-encoding', 'content-length', 'transfer-encoding')
