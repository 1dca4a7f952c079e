"""``request``: Node's argument forms, the verbs, ``defaults()``, and what hangs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import agents, background, checks, configure, credentials, debugging
from requite.arguments import gather, levels, mapping, merged
from requite.carries import addressed, first
from requite.errors import InvalidOptionType
from requite.options import EMPTY, Options, compose, normalise, shared
from requite.prepare import jar_of
from requite.request import Request
from requite.transport import pooled
from requite.transport.tls import context as check_tls
from requite.wrapper import Wrapper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import ParseResult, SplitResult

    from typing_extensions import Unpack

    from requite.cookies import Cookie, CookieJar
    from requite.optiontypes import RequestOptions
    from requite.protocols import Transport
    from requite.wire.uri import Uri

    Callback = Callable[[Any, Any, Any], Any]
    Given = RequestOptions | Mapping[str, Any]
    Second = Given | Callback | None
    Address = str | Uri | SplitResult | ParseResult | Given | None
    Requester = Callable[[dict[str, Any], Any], Any]


class Requests(Wrapper):
    """A callable that makes requests, with defaults of its own: ``request`` itself and everything ``defaults()`` gives.

    ``request(uri)``, ``request(uri, callback)``, ``request(uri, options)``, ``request(uri, options, callback)``, ``request(options)``,
    ``request(options, callback)``; keyword options are merged over the mapping. The verbs take the same.
    """

    def __init__(
        self,
        defaults: Options = EMPTY,
        raw: Mapping[str, Any] | None = None,
        requester: Requester | None = None,
        transport: Transport = pooled.DEFAULT,
    ) -> None:
        self._defaults = defaults
        self._raw = dict(raw or {})
        self._requester = requester
        # Whether a request with these defaults needs an address and nothing else to be whole.
        self._addressed = (
            requester is None
            and _SETTLED.isdisjoint(defaults.__dict__)
            and not defaults.tls.halved
            and isinstance(defaults.json, (bool, type(None)))
        )
        self._transport = transport

    def __call__(
        self,
        uri: Address = None,
        options: Second = None,
        callback: Callback | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Request:
        """A request, not yet sent (unless there is a callback); see the class for the forms of arguments."""
        return self._make(None, uri, options, callback, more)

    def get(
        self,
        uri: Address = None,
        options: Second = None,
        callback: Callback | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Request:
        """A GET request."""
        return self._make('GET', uri, options, callback, more)

    def head(
        self,
        uri: Address = None,
        options: Second = None,
        callback: Callback | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Request:
        """A HEAD request."""
        return self._make('HEAD', uri, options, callback, more)

    def options(
        self,
        uri: Address = None,
        options: Second = None,
        callback: Callback | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Request:
        """An OPTIONS request."""
        return self._make('OPTIONS', uri, options, callback, more)

    def post(
        self,
        uri: Address = None,
        options: Second = None,
        callback: Callback | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Request:
        """A POST request."""
        return self._make('POST', uri, options, callback, more)

    def put(
        self,
        uri: Address = None,
        options: Second = None,
        callback: Callback | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Request:
        """A PUT request."""
        return self._make('PUT', uri, options, callback, more)

    def patch(
        self,
        uri: Address = None,
        options: Second = None,
        callback: Callback | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Request:
        """A PATCH request."""
        return self._make('PATCH', uri, options, callback, more)

    def delete(
        self,
        uri: Address = None,
        options: Second = None,
        callback: Callback | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Request:
        """A DELETE request."""
        return self._make('DELETE', uri, options, callback, more)

    del_ = delete

    def defaults(
        self,
        options: Given | Requester | None = None,
        requester: Requester | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Requests:
        """The same kind of callable with these defaults under every call; nested calls and headers merge, and a call wins over all of them.

        ``requester(options, callback)``, when given, is called instead of sending, with all options merged; it usually calls ``request``.
        """
        if callable(options) and requester is None:
            options, requester = None, options
        if requester is not None and not callable(requester):
            raise InvalidOptionType(
                f'the requester must be a callable (options, callback), not {checks.kind(requester)}'
            )
        given = _expanded(levels(mapping(options), more))
        values = normalise(given)
        made = shared(_connected(compose(self._defaults, _logged(values)), values))
        if made.jar is not None:
            jar_of(made)
        if made.tls is not self._defaults.tls and not made.tls.halved:
            check_tls(made.tls)
        return Requests(made, merged(self._raw, given), requester or self._requester, self._transport)

    def forever(
        self,
        agent_options: Mapping[str, Any] | None = None,
        options: Given | None = None,
        /,
        **more: Unpack[RequestOptions],
    ) -> Requests:
        """Defaults with connections that are kept alive, as ``agent_options`` say."""
        given = levels(mapping(options), more)
        if agent_options is not None:
            given['agent_options'] = agent_options
        return self.defaults({**given, 'forever': True})

    def jar(self, store: Any = None) -> CookieJar:
        """A cookie jar, in memory or in ``store`` (``requite.cookies`` has some)."""
        from requite.cookies import CookieJar

        return CookieJar(store)

    def cookie(self, text: str) -> Cookie | None:
        """A cookie, from its text as a Set-Cookie header has it; None when it is none (Node: undefined)."""
        if not isinstance(text, str):
            raise InvalidOptionType(f'The cookie function only accepts STRING as param, not {checks.kind(text)}')
        from requite.cookies.setcookie import parse

        return parse(text)

    @property
    def debug(self) -> bool:
        """Whether requests say on standard error what they do, without credentials; also by the environment: ``REQUITE_DEBUG=1`` or ``NODE_DEBUG=request``."""
        return debugging.switched()

    @debug.setter
    def debug(self, value: bool) -> None:
        debugging.switch(bool(value))

    def flush(self, timeout: Any = None) -> bool:
        """Waits for every request that was started or let go, at most ``timeout`` milliseconds (or a timedelta); tells whether all are done."""
        from time import monotonic

        seconds = 0.0 if timeout == 0 and timeout is not False else checks.milliseconds('timeout', timeout)
        return background.flush(None if seconds is None else monotonic() + seconds)

    def __getattr__(self, name: str) -> Any:
        if name == 'del':
            return self.delete
        raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')

    def _make(self, verb: str | None, uri: Any, options: Any, callback: Any, more: Any) -> Request:
        simple = options is None and callback is None and type(uri) is str and uri
        if simple and not more and self._addressed:
            made = Request(self._defaults, addressed(verb or self._defaults.method, uri), self._transport, 3)
            if verb is not None:
                made._verb = True
            return made
        if simple and self._requester is None and 'har' not in more:
            values = normalise(more)
            values['uri'] = uri
        else:
            given = _expanded(gather(uri, options, callback, more))
            if self._requester is not None:
                return self._delegate(verb, given)
            values = normalise(given)
        if verb is not None:
            values['method'] = verb
        resolved = _connected(compose(self._defaults, _logged(values)), values)
        if resolved.auth is not None:
            credentials.required('auth', resolved.auth)
        if resolved.idempotency_key is True:
            from requite.auth.clock import SYSTEM

            resolved = configure.replaced(resolved, idempotency_key=SYSTEM.nonce(32))
        if resolved.tls is not self._defaults.tls or resolved.tls.halved:
            check_tls(resolved.tls)
        made = Request(resolved, first(resolved), self._transport, 3)
        if resolved.callback is not None:
            made.give(resolved.callback)
        return made

    def _delegate(self, verb: str | None, given: dict[str, Any]) -> Request:
        options = merged(self._raw, given)
        if verb is not None:
            options['method'] = verb
        # Usually a request; the requester decides what its callers get.
        made: Request = self._requester(options, options.get('callback'))
        return made


def _expanded(given: dict[str, Any]) -> dict[str, Any]:
    """The options with those that a HAR stands for under them: what is said beside it wins, as Node documents (and does not do: mended)."""
    value = given.pop('har', None)
    if value is None:
        return given
    from requite import har

    said = any(given.get(name) is not None for name in _CONTENT) or given.get('json') not in (None, True, False)
    return merged(har.options_of(value, not said), given)


_CONTENT = frozenset('body form form_data multipart'.split())
"""Options that say what is sent, in place of what a HAR says."""
_SETTLED = frozenset(
    'uri url base_url qs body form form_data multipart callback auth jar netrc signed proxy idempotency_key'.split()
)
_CONNECTS = frozenset(('pool', 'agent', 'agent_options', 'forever'))


def _logged(values: dict[str, Any]) -> dict[str, Any]:
    """The values with the log that a path names: a file that cannot be one is an error of the call."""
    if values.get('har_log') is not None:
        from requite.transport.harlog import log_of

        values['har_log'] = log_of(values['har_log'])
    return values


def _connected(options: Options, values: Mapping[str, Any]) -> Options:
    """The options with the pool that they name, where they name one; False stands for a connection of its own."""
    if _CONNECTS.isdisjoint(values):
        return options
    pool = agents.pool_of(options)
    return configure.replaced(options, connections=False if pool is None else pool)
