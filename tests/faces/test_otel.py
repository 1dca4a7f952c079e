"""Spans by the semantic conventions, from a real SDK with its exporter in memory; what is propagated, and where not."""

from __future__ import annotations

import asyncio
import builtins
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

import requite
from requite import OptionsError, request
from tests.servers import HttpServer, closed_port, json_reply, redirect, reply

pytest.importorskip('opentelemetry.sdk', reason='opentelemetry-sdk is not installed')
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from requite import otel

EXPORTER = InMemorySpanExporter()
PROVIDER = TracerProvider()
PROVIDER.add_span_processor(SimpleSpanProcessor(EXPORTER))
TRACED = otel.instrument(request, PROVIDER)


@pytest.fixture(autouse=True)
def no_spans() -> Iterator[None]:
    EXPORTER.clear()
    yield
    EXPORTER.clear()


def spans() -> Any:
    return EXPORTER.get_finished_spans()


def test_a_span_follows_the_conventions(server: HttpServer) -> None:
    TRACED.get(server.url.replace('//', '//me:hunter2@') + '/p?a=1&token=hunter2#f').end()
    [span] = spans()
    assert (span.name, span.kind, span.status.status_code.name) == ('GET', trace.SpanKind.CLIENT, 'UNSET')
    assert dict(span.attributes) == {
        'http.request.method': 'GET',
        'url.full': f'{server.url}/p?a=1&token=***',
        'url.scheme': 'http',
        'server.address': '127.0.0.1',
        'server.port': server.port,
        'http.response.status_code': 200,
        'network.protocol.version': '1.1',
    }
    assert (span.instrumentation_scope.name, span.instrumentation_scope.version) == ('requite', requite.__version__)


def test_wrappers_of_a_wrapper_are_traced_too_and_the_one_before_is_not(server: HttpServer) -> None:
    TRACED.defaults(base_url=server.url).post('/p', json={}).end()
    request.get(server.url).end()
    assert [span.name for span in spans()] == ['POST']
    assert otel.instrument(TRACED) is TRACED


@pytest.mark.parametrize('status', [404, 503])
def test_a_status_that_tells_of_an_error_is_one(server: HttpServer, status: int) -> None:
    server.routes['/'] = reply('', status)
    TRACED.get(server.url).end()
    [span] = spans()
    assert (span.attributes['error.type'], span.status.status_code.name) == (str(status), 'ERROR')


def test_a_request_that_fails_has_a_span_with_its_error() -> None:
    with pytest.raises(requite.ConnectionRefused):
        TRACED.get(f'http://me:hunter2@127.0.0.1:{closed_port()}/').end()
    [span] = spans()
    assert (span.attributes['error.type'], span.status.status_code.name) == (
        'requite.errors.ConnectionRefused',
        'ERROR',
    )
    assert 'ECONNREFUSED' in span.status.description
    assert 'http.response.status_code' not in span.attributes
    assert 'hunter2' not in span.to_json()


def test_a_body_that_breaks_off_is_the_error_of_its_span(raw_server: Any) -> None:
    server = raw_server(lambda sock, head: sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort'))
    with pytest.raises(requite.ResponseAborted):
        TRACED.get(server.url).end()
    [span] = spans()
    assert span.attributes['error.type'] == 'requite.errors.ResponseAborted'
    assert span.attributes['http.response.status_code'] == 200


def test_a_span_ends_with_the_last_byte(server: HttpServer) -> None:
    server.routes['/'] = reply(b'x' * 2_000_000)
    response = TRACED.get(server.url).response
    assert spans() == ()
    for _ in response:
        pass
    assert len(spans()) == 1
    TRACED.get(server.url).response.close()
    assert len(spans()) == 2


def test_an_unknown_method_is_other(server: HttpServer) -> None:
    TRACED(server.url, method='PURGE').end()
    [span] = spans()
    assert span.name == 'HTTP'
    assert (span.attributes['http.request.method'], span.attributes['http.request.method_original']) == (
        '_OTHER',
        'PURGE',
    )


def test_each_redirect_and_retry_has_a_span_of_its_own(server: HttpServer) -> None:
    server.routes['/a'] = redirect('/b')
    answers = iter([503, 200])
    server.routes['/b'] = lambda seen: reply('', next(answers))
    TRACED.get(server.url + '/a', retry={'limit': 1, 'backoff': 0}).end()
    TRACED.get(server.url + '/c').end()
    found = [
        (span.attributes['http.response.status_code'], span.attributes.get('http.request.resend_count'))
        for span in spans()
    ]
    assert found == [(302, None), (503, 1), (200, 2), (200, None)]


def test_the_current_span_is_the_parent_and_the_server_hears_of_the_child(server: HttpServer) -> None:
    with PROVIDER.get_tracer('tests').start_as_current_span('mine') as mine:
        TRACED.get(server.url).end()
        asyncio.run(awaited(server.url))
    *children, parent = spans()
    assert parent.name == 'mine'
    assert [child.parent.span_id for child in children] == [mine.get_span_context().span_id] * 2
    for child, seen in zip(children, server.requests, strict=True):
        wanted = f'00-{child.context.trace_id:032x}-{child.context.span_id:016x}-'
        assert (seen.header('traceparent') or '').startswith(wanted)


async def awaited(url: str) -> None:
    await TRACED.get(url)


def test_baggage_goes_along(server: HttpServer) -> None:
    token = context.attach(baggage.set_baggage('user', 'a b\r\nx: y'))
    try:
        TRACED.get(server.url).end()
    finally:
        context.detach(token)
    assert server.requests[0].header('baggage') == 'user=a+b%0D%0Ax%3A+y'


def test_nothing_is_propagated_to_an_origin_that_only_a_redirect_named(http_server: Any) -> None:
    """SECURITY R4."""
    other, server = http_server(), http_server()
    server.routes['/'] = redirect(other.url + '/there')
    TRACED.get(server.url, headers={'x': 'y'}).end()
    assert server.requests[0].header('traceparent')
    assert other.requests[0].header('traceparent') is None
    assert other.requests[0].header('x') == 'y'
    assert len(spans()) == 2


def test_nothing_is_propagated_where_that_is_not_wanted_and_what_is_written_by_hand_stays(server: HttpServer) -> None:
    otel.instrument(request, PROVIDER, propagate=False).get(server.url).end()
    TRACED.get(server.url, headers={'Traceparent': 'mine'}).end()
    assert [seen.header('traceparent') for seen in server.requests] == [None, 'mine']


def test_signers_of_the_wrapper_go_on_signing(server: HttpServer) -> None:
    class Stamp:
        def sign(self, draft: Any, clock: Any) -> None:
            draft.set('x-stamp', 'yes')

    otel.instrument(request.defaults(signers=[Stamp()]), PROVIDER).get(server.url).end()
    assert server.requests[0].header('x-stamp') == 'yes'
    assert server.requests[0].header('traceparent')


def test_cookies_json_and_bodies_are_as_ever(server: HttpServer) -> None:
    server.routes['/'] = json_reply({'a': 1}, set_cookie='a=b')
    jar = request.jar()
    assert TRACED.post(server.url, json={'x': 1}, jar=jar).end().body == {'a': 1}
    assert jar.get_cookie_string(server.url) == 'a=b'
    assert server.requests[0].json() == {'x': 1}


def test_a_traced_wrapper_is_pickled(server: HttpServer) -> None:
    pickle.loads(pickle.dumps(otel.instrument(request))).get(server.url).end()
    assert len(server.requests) == 1


def test_without_opentelemetry_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any) -> Any:
        if name.startswith('opentelemetry'):
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, '__import__', missing)
    with pytest.raises(OptionsError, match=r'pip install requite\[otel\]'):
        otel.instrument(request)


def test_what_is_started_or_let_go_begins_a_trace_of_its_own(server: HttpServer) -> None:
    with PROVIDER.get_tracer('tests').start_as_current_span('mine'):
        TRACED.get(server.url + '/started').start().end()
        TRACED.get(server.url + '/let-go')
        assert request.flush(5000)
    assert [(span.name, span.parent) for span in spans()][:2] == [('GET', None), ('GET', None)]
    assert all(seen.header('traceparent') for seen in server.requests)


@pytest.mark.parametrize('value', [5, None, requite.Request])
def test_what_is_no_wrapper_is_refused(value: Any) -> None:
    with pytest.raises(requite.InvalidOptionType, match='instrument takes request, or what'):
        otel.instrument(value)
