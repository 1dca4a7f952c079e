"""From a case to calls: the same options, the same order, through the public names of requite.

Node sends on the next turn of its loop, so its callback can be given in the call and everything else afterwards. Here a callback in the call
sends at once. A step is therefore driven in one of two ways:

* a callback within the arguments or the defaults (``{"$cb": true}``): the call as it is written, listeners afterwards, which are called at once
  with what has been;
* otherwise the call without callback, the chain, the listeners, and then ``.end(callback)`` (``.end()`` for ``callback: false``), which sends
  in this thread.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

from .observe import Observer, describe_error, typed
from .values import Inexpressible, Values, content_of, stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Later(Exception):
    """The case needs something that is not available yet in this version of the library."""


class Driver:
    """Runs the steps of one case; ``case`` has its placeholders filled.

    ``run()`` appends to ``outcomes``, step by step, so that what a hanging case had reached can still be seen. ``stop()`` aborts everything.
    """

    def __init__(self, case: dict[str, Any], folder: Path, keys: dict[str, str]) -> None:
        self.case = case
        self.folder = folder
        self.outcomes: list[dict[str, Any]] = []
        self.handles: list[Any] = []
        self.jars: dict[str, Any] = {}
        self.jar_errors: list[dict[str, Any]] = []
        self.observer = Observer()
        self.values = Values(folder, self.jars, keys, lambda *arguments: self.observer.callback(*arguments))
        self.timers: list[threading.Timer] = []

    def run(self) -> None:
        """Runs every step; raises ``Later`` or ``Inexpressible`` when the case cannot be run as it is."""
        self._fill_jars()
        call = self._callable()
        for step in self.case.get('seq') or [self.case]:
            self.observer = Observer()
            time.sleep(step.get('wait_ms', 0) / 1000)
            self.outcomes.append(cookie_step(step) if 'cookie' in step else self._step(call, step))
        if 'cookie_probe' in self.case:
            self.outcomes.append({'cookie_probe': [self._probe(name, url) for name, url in self.case['cookie_probe']]})
        if self.jar_errors:
            self.outcomes.append({'jar_errors': self.jar_errors})

    def stop(self) -> None:
        """Aborts what is still on its way, so that nothing of this case is sent in the next one."""
        for timer in self.timers:
            timer.cancel()
        for handle in self.handles:
            abort = getattr(handle, 'abort', None)
            if abort is not None:
                abort()
        self.handles.clear()
        self.values.close()

    def _callable(self) -> Any:
        from requite import request

        call: Any = request
        try:
            if 'forever' in self.case:
                call = call.forever(*self.values.arguments(self.case['forever']))
            for level in self.case.get('defaults', ()):
                if '$requester' in level:
                    call = call.defaults(self.values(level.get('options', {})), self.values(level['$requester']))
                else:
                    call = call.defaults(self.values(level))
        except NotImplementedError as missing:
            raise Later(str(missing)) from missing
        return call

    def _step(self, call: Callable[..., Any], step: dict[str, Any]) -> dict[str, Any]:
        from requite import RequestError

        observer = self.observer
        observer.has_callback = step.get('callback', True) is not False
        at_once = '"$cb"' in json.dumps([step.get('args'), step.get('options'), self.case.get('defaults')])
        try:
            method = getattr(call, step['verb']) if 'verb' in step else call
            given = self.values.arguments(step['args'] if 'args' in step else [step.get('options', {})])
            handle = method(*given)
            self.handles.append(handle)
            if at_once:
                observer.watch_late(handle)
            else:
                observer.watch(handle)
                self._configure(handle, step)
                self._send(handle, step)
        except NotImplementedError as missing:
            raise Later(str(missing)) from missing
        except RequestError as error:
            if not (type(error).__name__ == 'AbortError' and 'abort' in observer.events):
                observer.raised = error
        except (Later, Inexpressible):
            raise
        except Exception as error:
            observer.raised = error
        if any(isinstance(error, NotImplementedError) for error in observer.errors):
            raise Later(str(observer.errors[0]))
        return observer.outcome(timed='"time"' in json.dumps([step, self.case.get('defaults')]))

    def _configure(self, handle: Any, step: dict[str, Any]) -> None:
        form: Any = None
        for link in step.get('chain', ()):
            ((name, given),) = link.items()
            arguments = self.values.arguments(given)
            if name == 'form_append':
                form = handle.form() if form is None else form
                form.append(*arguments)
            elif name == 'end':
                # Here .end() sends and waits: what it carries is written, and the .end(callback) of _send follows.
                for chunk in arguments:
                    handle.write(chunk)
            else:
                getattr(handle, name)(*arguments)
        for action in step.get('actions', ()):
            stop = getattr(handle, action['do'], handle.abort)
            if 'on' in action:
                handle.on(action['on'], lambda *_, stop=stop: stop())
            else:
                timer = threading.Timer(action['after_ms'] / 1000, stop)
                self.timers.append(timer)

    def _send(self, handle: Any, step: dict[str, Any]) -> None:
        for timer in self.timers:
            timer.start()
        try:
            self._ask(handle, step)
        finally:
            for timer in self.timers:
                timer.join()  # abort() wakes the sender first and tells its listeners then: what they hear belongs to the outcome

    def _ask(self, handle: Any, step: dict[str, Any]) -> None:
        if 'pipe_in' in step:
            self._pipe_in(handle, step['pipe_in'])
        if 'pipe_out' in step:
            self.observer.piped = pipe_out(handle, step['pipe_out'])
        elif self.observer.has_callback:
            handle.end(self.observer.callback)
        else:
            handle.end()

    def _pipe_in(self, handle: Any, given: dict[str, Any]) -> None:
        try:
            from requite import pipe
        except ImportError as missing:
            raise Later('requite.pipe is not available yet') from missing
        if 'file' in given:
            source = self.values.file({**given, 'name': given['file']})
        elif 'stream' in given:
            source = stream(given['stream'])
        elif 'incoming' in given:
            source = incoming(given['incoming'])
        elif 'request' in given:
            from requite import request

            source = request(self.values(given['request']))
            self.handles.append(source)
        else:
            raise Inexpressible(f'unknown source {sorted(given)}')
        pipe(source, handle)

    def _fill_jars(self) -> None:
        from requite import RequestError, request

        names = dict.fromkeys(self.case.get('jars', {}))
        names.update(dict.fromkeys(_jar_names(self.case)))
        try:
            for name in names:
                self.jars[name] = request.jar()
                for cookie, url, *_ in self.case.get('jars', {}).get(name, ()):
                    try:
                        self.jars[name].set_cookie(cookie, url)
                    except RequestError as error:
                        self.jar_errors.append({'jar': name, 'cookie': cookie, 'message': str(error)})
        except NotImplementedError as missing:
            raise Later(str(missing)) from missing

    def _probe(self, name: str, url: str) -> dict[str, Any]:
        jar = self.jars[name]
        cookies = [describe_cookie(cookie) for cookie in jar.get_cookies(url)]
        return {'jar': name, 'url': url, 'string': jar.get_cookie_string(url), 'cookies': cookies}


def _jar_names(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for part in value for name in _jar_names(part)]
    if isinstance(value, dict):
        own = [value['$jar']] if '$jar' in value else []
        own += [name for name, _ in value.get('cookie_probe', ())]
        return own + [name for part in value.values() for name in _jar_names(part)]
    return []


def cookie_step(step: dict[str, Any]) -> dict[str, Any]:
    """``request.cookie(text)``: the cookie as text, None where it cannot be read."""
    from requite import RequestError, request

    try:
        cookie = request.cookie(step['cookie'])
    except NotImplementedError as missing:
        raise Later(str(missing)) from missing
    except (RequestError, TypeError) as error:
        return {'error': describe_error(error), 'raised': True}
    return {'cookie': None if cookie is None else str(cookie)}


def describe_cookie(cookie: Any) -> dict[str, Any]:
    """A cookie by the names that the recordings use, as far as it has them."""
    shown = dict(cookie.to_json())
    return {key: value for key, value in shown.items() if value is not None}


def incoming(given: dict[str, Any]) -> Any:
    """A server's incoming request: a WSGI environ."""
    import io

    try:
        from requite.wsgi import Incoming
    except ImportError as missing:
        raise Later('requite.wsgi is not available yet') from missing
    content = content_of(given)
    environ = {
        'REQUEST_METHOD': given['method'],
        'PATH_INFO': '/',
        'wsgi.input': io.BytesIO(content),
        'wsgi.url_scheme': 'http',
    }
    for name, value in given.get('headers', {}).items():
        key = name.upper().replace('-', '_')
        environ[key if key in ('CONTENT_TYPE', 'CONTENT_LENGTH') else f'HTTP_{key}'] = str(value)
    return Incoming(environ)


class Plain:
    """A destination that only takes bytes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> int:
        self.written.append(bytes(data))
        return len(data)

    def close(self) -> None:
        self.closed = True


def pipe_out(handle: Any, kind: str) -> dict[str, Any]:
    """Pipes the answer to a destination, and tells what that was given: body, and for ``http`` status and header fields."""
    if kind == 'plain':
        sink = Plain()
        handle.pipe(sink)
        return {'headers': {}, 'body': typed(b''.join(sink.written))}
    try:
        from requite.wsgi import Outgoing
    except ImportError as missing:
        raise Later('requite.wsgi is not available yet') from missing
    started: list[Any] = []
    returned = handle.pipe(Outgoing(lambda status, fields, *_: started.append((status, fields))))
    body = b''.join(returned)
    status, fields = started[0]
    headers: dict[str, Any] = {}
    for name, value in fields:
        if name.lower() == 'set-cookie':
            headers.setdefault('set-cookie', []).append(value)
        else:
            headers[name.lower()] = value
    return {'statusCode': int(status.split(' ')[0]), 'headers': headers, 'body': typed(body)}
