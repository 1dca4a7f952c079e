"""OpenTelemetry: a span for each hop that a wrapper sends, by the semantic conventions of HTTP clients (stable since 1.23). Needs the extra ``requite[otel]``.

A hop is what goes out in one go: a request that is redirected, or sent again under ``retry``, has several spans. A span ends with the last byte of the answer.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from requite import checks, fields
from requite._version import __version__
from requite.errors import InvalidOptionType, OptionsError, RequestError
from requite.redaction import Shown

if TYPE_CHECKING:
    from requite.api import Requests
    from requite.message import Draft, Hop, Reply
    from requite.protocols import Clock, Transport

METHODS = frozenset(('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'))
"""Methods that the conventions know; any other is ``_OTHER``."""
PLACE = '00-00000000000000000000000000000000-0000000000000000-00'
"""Holds the place of the traceparent until the span is there; who receives it must pass it over (W3C Trace Context 3.2.2.3)."""
SCHEMA = 'https://opentelemetry.io/schemas/1.27.0'


def instrument(wrapper: Requests, tracer_provider: Any = None, propagate: bool = True) -> Requests:
    """Makes another wrapper of one, each of whose hops becomes a span of kind client.

    ``tracer_provider`` None is the global one. With ``propagate`` the fields of the global propagator (``traceparent``, ``baggage``) go along to origins that
    the caller named, never to one that only a redirect named, and not where the caller sets ``traceparent`` by hand. What is asked for or awaited has the span
    that is current there as its parent; what is started or let go begins a trace of its own. Raises ``OptionsError`` where OpenTelemetry is not installed,
    ``InvalidOptionType`` for what is no wrapper.
    """
    from requite.api import Requests

    if not isinstance(wrapper, Requests):
        raise InvalidOptionType(
            f'instrument takes request, or what request.defaults(...) gives, not {checks.kind(wrapper)}'
        )
    if isinstance(wrapper._transport, Tracing):
        return wrapper
    if propagate:
        wrapper = wrapper.defaults(signers=[*(wrapper._defaults.signers or ()), Propagation()])
    transport = Tracing(wrapper._transport, tracer_provider)
    return type(wrapper)(wrapper._defaults, wrapper._raw, wrapper._requester, transport)


class Propagation:
    """Keeps a place for the fields of the trace, as a signer: so it is only asked where the caller named the origin."""

    field = 'traceparent'

    def sign(self, draft: Draft, clock: Clock) -> None:
        """Sets the field that the transport replaces."""
        draft.set(self.field, PLACE)


class Tracing:
    """Sends hops by another transport, each in a span."""

    def __init__(self, inner: Transport, provider: Any = None) -> None:
        try:
            from opentelemetry import trace
            from opentelemetry.propagate import inject
        except ImportError:
            raise OptionsError('requite.otel needs OpenTelemetry: pip install requite[otel]') from None
        self.pool = inner.pool
        self._inner = inner
        self._provider = provider
        self._trace: Any = trace
        self._inject: Any = inject
        self._tracer = trace.get_tracer('requite', __version__, provider, schema_url=SCHEMA)
        self._last = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return Tracing, (self._inner, self._provider)

    def send(self, hop: Hop) -> Any:
        """The answer of the other transport; its span ends when it was read."""
        trace = self._trace
        known = hop.method in METHODS
        span = self._tracer.start_span(
            hop.method if known else 'HTTP',
            kind=trace.SpanKind.CLIENT,
            attributes=_attributes(hop, known, self._resent(hop)),
        )
        try:
            with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
                reply = self._inner.send(self._propagated(hop))
        except BaseException as error:
            _failed(span, trace, error)
            raise
        if span.is_recording():
            span.set_attribute('http.response.status_code', reply.status)
            span.set_attribute('network.protocol.version', reply.version)
            if reply.status >= 400:
                span.set_attribute('error.type', str(reply.status))
                span.set_status(trace.Status(trace.StatusCode.ERROR))
        if reply.complete:
            span.end()
            return reply
        return Traced(reply, span, trace)

    def _propagated(self, hop: Hop) -> Hop:
        if ('traceparent', PLACE) not in hop.fields:
            return hop
        carrier: dict[str, str] = {}
        self._inject(carrier)
        kept = [field for field in hop.fields if field != ('traceparent', PLACE)]
        there = {name.lower() for name, _ in kept}
        added = [
            (name, str(fields.header_value('propagate', name, value)))
            for name, value in carrier.items()
            if name.lower() not in there
        ]
        return hop._replace(fields=(*kept, *added))

    def _resent(self, hop: Hop) -> int:
        """How often this request was sent before: its hops follow one another in one thread."""
        signal, count = getattr(self._last, 'hop', (None, 0))
        count = count + 1 if signal is hop.signal else 0
        self._last.hop = (hop.signal, count)
        return count


def _attributes(hop: Hop, known: bool, resent: int) -> dict[str, Any]:
    uri = hop.uri
    made: dict[str, Any] = {
        'http.request.method': hop.method if known else '_OTHER',
        'url.full': Shown().address(uri),
        'url.scheme': uri.scheme,
        'server.address': uri.socket_path or uri.hostname,
    }
    if uri.socket_path is None:
        made['server.port'] = uri.effective_port
    if not known:
        made['http.request.method_original'] = str(hop.method)
    if resent:
        made['http.request.resend_count'] = resent
    return made


def _failed(span: Any, trace: Any, error: BaseException) -> None:
    kind = type(error)
    span.set_attribute('error.type', f'{kind.__module__}.{kind.__qualname__}')
    # what others raise may hold anything; ours never hold a secret
    span.set_status(trace.Status(trace.StatusCode.ERROR, error.message if isinstance(error, RequestError) else None))
    span.end()


class Traced:
    """A reply like the one it wraps, whose end is the end of its span."""

    def __init__(self, reply: Reply, span: Any, trace: Any) -> None:
        self._reply: Any = reply
        self._span = span
        self._trace = trace

    def read(self, size: int = 262144) -> bytes:
        """As ``Reply.read``."""
        return self._seen(self._reply.read, size)

    def collect(self, limit: int | None = None) -> bytes:
        """As ``Reply.collect``."""
        return self._seen(self._reply.collect, limit)

    def drain(self, *limits: Any) -> None:
        """As ``Reply.drain``."""
        self._reply.drain(*limits)
        self._end()

    def abort(self) -> None:
        """As ``Reply.abort``."""
        self._reply.abort()
        self._end()

    def _seen(self, read: Any, size: int | None) -> bytes:
        try:
            data: bytes = read(size)
        except BaseException as error:
            span, self._span = self._span, None
            if span is not None:
                _failed(span, self._trace, error)
            raise
        if self._reply.complete or not data:
            self._end()
        return data

    def _end(self) -> None:
        span, self._span = self._span, None
        if span is not None:
            span.end()

    def __getattr__(self, name: str) -> Any:
        if name == '_reply':
            raise AttributeError(name)
        return getattr(self._reply, name)

    def __del__(self) -> None:
        # an answer that nobody read to its end happened all the same
        if self.__dict__.get('_span') is not None:
            self._end()
