"""What came of a call, as an outcome of the shape that the recordings have."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EVENTS = ('request', 'socket', 'response', 'redirect', 'data', 'end', 'complete', 'error', 'abort', 'close')
"""The events that are listened to; ``close`` is not in the recordings and only noted."""

HERE = Path(__file__).parent
TIMES = ('socket', 'lookup', 'connect', 'response', 'end')


class Observer:
    """Notes callback, events and what is raised during one step.

    ``watch(handle)`` attaches the listeners; ``watch_late(handle)`` does so after the fact, when a callback in the call left no time before.
    """

    def __init__(self) -> None:
        self.events: list[str] = []
        self.late: list[str] | None = None
        self.calls = 0
        self.handle: Any = None
        self.response: Any = None
        self.callback_body: Any = None
        self.errors: list[BaseException] = []
        self.raised: BaseException | None = None
        self.chunks: list[Any] = []
        self.piped: dict[str, Any] | None = None
        self.has_callback = True

    def callback(self, error: Any, response: Any, body: Any) -> None:
        """The callback of the call."""
        self.calls += 1
        self.callback_body = body
        if error is not None:
            self._error(error)
        if response is not None:
            self.response = response

    def watch(self, handle: Any) -> None:
        """Listens to every event from now on."""
        self.handle = handle
        for event in EVENTS:
            handle.on(event, self._listener(event, self.events))

    def watch_late(self, handle: Any) -> None:
        """Listens after the request is over: a listener is called at once when its event has been."""
        self.handle = handle
        self.late = []
        for event in ('request', 'response', 'end', 'complete', 'error'):
            handle.on(event, self._listener(event, self.late))

    def _listener(self, event: str, into: list[str]) -> Any:
        def listen(*arguments: Any) -> None:
            if event != 'data' or into[-1:] != ['data']:
                into.append(event)
            if event == 'data':
                self.chunks.append(arguments[0])
            elif event == 'response':
                self.response = arguments[0]
            elif event == 'error':
                self._error(arguments[0])

        return listen

    def _error(self, error: BaseException) -> None:
        if not any(error is known for known in self.errors):
            self.errors.append(error)

    def outcome(self, *, timed: bool = False) -> dict[str, Any]:
        """The outcome as far as it is known at this moment."""
        out: dict[str, Any] = {'events': list(self.events)}
        if self.late is not None:
            out = {'late_events': self.late}
        if self.has_callback:
            out['calls'] = self.calls
        if self.raised is not None and not any(self.raised is known for known in self.errors):
            self.errors.insert(0, self.raised)
        if self.raised is not None:
            out['raised'] = True
        if self.errors:
            out['error'] = describe_error(self.errors[0])
        if len(self.errors) > 1:
            out['more_errors'] = [describe_error(error) for error in self.errors[1:]]
        if self.response is not None:
            out.update(self._answered(timed))
        elif self.handle is not None:
            out.update(_asked(self.handle))
        if not self.has_callback and self.chunks and self.piped is None:
            out['stream_body'] = typed(_joined(self.chunks))
        if self.piped is not None:
            out['piped'] = self.piped
        return out

    def _answered(self, timed: bool) -> dict[str, Any]:
        out: dict[str, Any] = {'response': describe_response(self.response)}
        redirects = [describe_redirect(step) for step in getattr(self.response, 'redirects', None) or ()]
        if redirects:
            out['redirects'] = redirects
        if self.calls and not self.errors and typed(self.callback_body) != out['response'].get('body'):
            out['callback_body'] = typed(self.callback_body)
        if timed:
            out['timing'] = describe_timing(self.response)
        return out


def _joined(chunks: list[Any]) -> Any:
    return ''.join(chunks) if isinstance(chunks[0], str) else b''.join(chunks)


def _asked(handle: Any) -> dict[str, Any]:
    try:
        return {'request': describe_request(handle.to_json())}
    except Exception:  # an address or an option that was refused cannot be shown
        return {}


def describe_error(error: BaseException) -> dict[str, Any]:
    """An error with what Node has (message, code, connect) and what Python has (its class and bases by name)."""
    out: dict[str, Any] = {'name': type(error).__name__, 'message': str(error)}
    out['family'] = [kind.__name__ for kind in type(error).__mro__]
    for attribute in ('code', 'connect'):
        value = getattr(error, attribute, None)
        if value is not None:
            out[attribute] = value
    frames = traceback.extract_tb(error.__traceback__)
    out['depth'] = sum(Path(frame.filename).parent != HERE for frame in frames)
    if frames:
        out['place'] = f'{frames[-1].filename.rpartition("/")[2]}:{frames[-1].lineno}'
    return out


def describe_response(response: Any) -> dict[str, Any]:
    """``response.to_json()`` with its body typed as the recordings have it, and status text and version beside it."""
    shown = dict(response.to_json())
    out = {
        'statusCode': shown.get('statusCode'),
        'statusMessage': response.status_message,
        'httpVersion': response.http_version,
        'headers': {name: _plain(value) for name, value in dict(shown.get('headers') or {}).items()},
        'body': typed(shown.get('body')),
    }
    if shown.get('request'):
        out['request'] = describe_request(shown['request'])
    return out


def describe_request(shown: Mapping[str, Any]) -> dict[str, Any]:
    """``request.to_json()`` as plain values: port as text, header values as text or lists of text."""
    uri = shown.get('uri')
    if isinstance(uri, Mapping):
        uri = {field: str(value) if field == 'port' and value is not None else value for field, value in uri.items()}
    elif uri is not None:
        uri = {'href': str(uri)}
    headers = dict(shown.get('headers') or {})
    return {
        'uri': uri,
        'method': shown.get('method'),
        'headers': {name: _plain(value) for name, value in headers.items()},
    }


def _plain(value: Any) -> Any:
    return [str(part) for part in value] if isinstance(value, list | tuple) else value


def describe_redirect(step: Any) -> dict[str, Any]:
    """One followed redirect: its status and where it led to."""
    if isinstance(step, Mapping):
        return {'statusCode': step['statusCode'], 'redirectUri': str(step['redirectUri'])}
    return {'statusCode': step.status_code, 'redirectUri': str(step.redirect_uri)}


def describe_timing(response: Any) -> dict[str, Any]:
    """Which timings exist (in the recordings' spelling), and whether they come in the order of the exchange."""
    timings = dict(response.timings or {})
    moments = [timings[name] for name in TIMES if name in timings]
    out: dict[str, Any] = {
        'timings': sorted(camel(name) for name in timings),
        'timingPhases': sorted(camel(name) for name in dict(response.timing_phases or {})),
        'ordered': moments == sorted(moments),
    }
    for name, attribute in (
        ('elapsedTime', 'elapsed_time'),
        ('responseStartTime', 'response_start_time'),
        ('timingStart', 'timing_start'),
    ):
        if isinstance(getattr(response, attribute, None), int | float):
            out[name] = 'number'
    return out


def camel(name: str) -> str:
    """``first_byte`` as ``firstByte``."""
    first, *rest = name.split('_')
    return first + ''.join(part.capitalize() for part in rest)


def typed(body: Any) -> dict[str, Any]:
    """A body as the recordings have it: string, buffer, json or undefined (Python's None, which is JSON's null too)."""
    if body is None:
        return {'type': 'undefined'}
    if isinstance(body, str):
        return {'type': 'string', 'value': body}
    if isinstance(body, bytes | bytearray | memoryview):
        return {'type': 'buffer', 'b64': base64.b64encode(bytes(body)).decode('ascii')}
    return {'type': 'json', 'value': body}
