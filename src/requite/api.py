"""``request``: Node's argument forms, the verbs, ``defaults()``, and what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from requite import agents, background, checks, configure
from requite.errors import InvalidOptionType, UnknownOption
from requite.options import EMPTY, MERGED, Options, compose, merge, normalise, shared, unknown
from requite.optiontable import NAMES
from requite.prepare import first
from requite.request import Request
from requite.response import Response
from requite.transport import pooled, pools

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from requite.optiontypes import RequestOptions

    Callback = Callable[[Any, Any, Any], Any]
    Requester = Callable[[dict[str, Any], Any], Any]


class Requests:
    """A callable that makes requests, with defaults of its own: ``request`` itself and everything ``defaults()`` gives.

    ``request(uri)``, ``request(uri, callback)``, ``request(uri, options)``, ``request(uri, options, callback)``, ``request(options)``,
    ``request(options, callback)``; keyword options are merged over the mapping. The verbs take the same.
    """

    Request = Request
    Response = Response
    Pool = pools.Pool

    def __init__(self, defaults: Options = EMPTY, raw: Mapping[str, Any] | None = None, requester: Requester | None = None) -> None:
        self._defaults = defaults
        self._raw = dict(raw or {})
        self._requester = requester
        self._transport = pooled.DEFAULT

    def __call__(self, uri: Any = None, options: Any = None, callback: Any = None, /, **more: Unpack[RequestOptions]) -> Request:
        """A request, not yet sent (unless there is a callback); see the class for the forms of arguments."""
        return self._make(None, uri, options, callback, more)

    def get(self, uri: Any = None, options: Any = None, callback: Any = None, /, **more: Unpack[RequestOptions]) -> Request:
        """A GET request."""
        return self._make('GET', uri, options, callback, more)

    def head(self, uri: Any = None, options: Any = None, callback: Any = None, /, **more: Unpack[RequestOptions]) -> Request:
        """A HEAD request."""
        return self._make('HEAD', uri, options, callback, more)

    def options(self, uri: Any = None, options: Any = None, callback: Any = None, /, **more: Unpack[RequestOptions]) -> Request:
        """An OPTIONS request."""
        return self._make('OPTIONS', uri, options, callback, more)

    def post(self, uri: Any = None, options: Any = None, callback: Any = None, /, **more: Unpack[RequestOptions]) -> Request:
        """A POST request."""
        return self._make('POST', uri, options, callback, more)

    def put(self, uri: Any = None, options: Any = None, callback: Any = None, /, **more: Unpack[RequestOptions]) -> Request:
        """A PUT request."""
        return self._make('PUT', uri, options, callback, more)

    def patch(self, uri: Any = None, options: Any = None, callback: Any = None, /, **more: Unpack[RequestOptions]) -> Request:
        """A PATCH request."""
        return self._make('PATCH', uri, options, callback, more)

    def delete(self, uri: Any = None, options: Any = None, callback: Any = None, /, **more: Unpack[RequestOptions]) -> Request:
        """A DELETE request."""
        return self._make('DELETE', uri, options, callback, more)

    del_ = delete

    def defaults(self, options: Any = None, requester: Any = None, /, **more: Unpack[RequestOptions]) -> Requests:
        """The same kind of callable with these defaults under every call; nested calls and headers merge, and a call wins over all of them.

        ``requester(options, callback)``, when given, is called instead of sending, with all options merged; it usually calls ``request``.
        """
        if callable(options) and requester is None:
            options, requester = None, options
        given = canonical(_mapping(options), more)
        values = normalise(given)
        made = shared(_connected(compose(self._defaults, values), values))
        return Requests(made, _merged(self._raw, given), requester or self._requester)

    def forever(self, agent_options: Any = None, options: Any = None, /, **more: Unpack[RequestOptions]) -> Requests:
        """Defaults with connections that are kept alive, as ``agent_options`` say."""
        given = canonical(_mapping(options), more)
        return self.defaults({**given, 'agent_options': agent_options or {}, 'forever': True})

    def jar(self, store: Any = None) -> Any:
        """A cookie jar."""
        raise NotImplementedError('cookie jars are not available in this version of requite')

    def cookie(self, text: str) -> Any:
        """A cookie, from its text."""
        raise NotImplementedError('cookies are not available in this version of requite')

    def flush(self, timeout: Any = None) -> bool:
        """Waits for every request that was started or let go, at most ``timeout`` milliseconds (or a timedelta); tells whether all are done."""
        from time import monotonic

        seconds = checks.milliseconds('timeout', timeout)
        return background.flush(None if seconds is None else monotonic() + seconds)

    def __getattr__(self, name: str) -> Any:
        if name == 'del':
            return self.delete
        raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')

    def __repr__(self) -> str:
        named = ', '.join(sorted(self._raw))
        return f'<request with defaults for {named}>' if named else '<request>'

    def _make(self, verb: str | None, uri: Any, options: Any, callback: Any, more: Any) -> Any:
        if options is None and callback is None and not more and type(uri) is str and self._requester is None:
            values: dict[str, Any] = {'uri': uri} if verb is None else {'uri': uri, 'method': verb}
            resolved = compose(self._defaults, values)
        else:
            given = gather(uri, options, callback, more)
            if self._requester is not None:
                return self._delegate(verb, given)
            values = normalise(given)
            if verb is not None:
                values['method'] = verb
            resolved = _connected(compose(self._defaults, values), values)
        made = Request(resolved, first(resolved), self._transport)
        if resolved.callback is not None:
            made.give(resolved.callback)
        return made

    def _delegate(self, verb: str | None, given: dict[str, Any]) -> Any:
        merged = _merged(self._raw, given)
        if verb is not None:
            merged['method'] = verb
        return self._requester(merged, merged.get('callback'))  # type: ignore[misc]


def gather(uri: Any, options: Any, callback: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """Node's argument forms as one mapping of options; keywords win over the options argument, the uri argument over both."""
    if callable(options):
        options, callback = None, options
    if options is None and isinstance(uri, Mapping) and not hasattr(uri, 'href'):
        uri, options = None, uri
    given = canonical(_mapping(options), more)
    if uri is not None and not (uri == '' and ('uri' in given or 'url' in given)):
        given['uri'] = uri
    if callback is not None:
        given['callback'] = callback
    return given


def canonical(options: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Two levels of one call's options by their canonical names, the second over the first; each level may spell an option only one way."""
    given: dict[str, Any] = {}
    for level in (options, more):
        seen: dict[str, str] = {}
        for key, value in level.items():
            option = NAMES.get(key)
            if option is None:
                raise unknown(key)
            if option.name in seen:
                raise UnknownOption(f'option {option.name!r} was given twice, as {seen[option.name]!r} and as {key!r}; keep one of them')
            seen[option.name] = key
            given[option.name] = value
    return given


def _mapping(options: Any) -> Mapping[str, Any]:
    if options is None:
        return {}
    if isinstance(options, Mapping):
        return options
    raise InvalidOptionType(f'options must be a mapping, not a {type(options).__name__}; pass single options as keywords')


def _merged(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they were given, not normalised, merged as ``compose`` merges them: what a requester sees."""
    merged = {**outer, **inner}
    if 'uri' in inner or 'url' in inner:
        merged = {key: value for key, value in merged.items() if key not in ('uri', 'url') or key in inner}
    for name in MERGED:
        if name in outer and name in inner:
            merged[name] = merge(outer[name], inner[name])
    if 'headers' in outer and 'headers' in inner:
        fields = {**checks.header_fields('headers', outer['headers']), **checks.header_fields('headers', inner['headers'])}
        merged['headers'] = {field[0]: list(field[1]) if isinstance(field[1], tuple) else field[1] for field in fields.values()}
    return merged


_CONNECTS = frozenset(('pool', 'agent', 'agent_options', 'forever'))


def _connected(options: Options, values: Mapping[str, Any]) -> Options:
    """The options with the pool that they name, where they name one; False stands for a connection of its own."""
    if _CONNECTS.isdisjoint(values):
        return options
    pool = agents.pool_of(options)
    return configure.replaced(options, connections=False if pool is None else pool)
