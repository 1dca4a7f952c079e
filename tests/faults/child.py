"""The process under test: reads one case a line, plays its steps on one session, writes one result a line.

Run as ``python -m tests.faults.child CLIENT``. It knows no verdict and no fault; the parent judges, and kills it when it takes too long or too much.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import io
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 16 * 1024


class BodyFailed(Exception):
    """What a body that is told to fail raises; a client must hand it to its caller as it is."""


class Answer(NamedTuple):
    """What a client got for one step."""

    status: int
    headers: dict[str, str]
    body: bytes


class Session(Protocol):
    """One pool, one jar, one set of defaults of the client under test."""

    # The exceptions that are the client's own and documented: anything else that escapes is a crash.
    errors: tuple[type[Exception], ...]

    def step(self, step: dict[str, Any], body: Any, limit: int | None) -> Answer:
        """Send one request; with ``limit``, read that many decoded bytes as a stream and drop the rest."""


def opener(client: str) -> Any:
    """The factory of the client's sessions: it takes a case's options."""
    if client == 'requite':
        from .subject import Requite

        return Requite
    from . import peers

    return peers.BY_NAME[client]


def make_body(spec: Any) -> Any:
    """The body that a step describes."""
    if not isinstance(spec, dict):
        return spec
    size, kind = int(spec.get('size', 0)), spec['kind']
    if kind == 'str':
        return 'u' * size
    if kind == 'file':
        return io.BytesIO(b'u' * size)
    if kind == 'bytes':
        return b'u' * size
    blocks = _blocks(size)
    if kind == 'list':
        return list(blocks)
    return _failing(size // 2) if kind == 'gen_raise' else blocks


def _blocks(size: int) -> Iterator[bytes]:
    for start in range(0, size, BLOCK):
        yield b'u' * min(BLOCK, size - start)


def _failing(size: int) -> Iterator[bytes]:
    yield from _blocks(size)
    raise BodyFailed('the body of the caller failed on purpose')


def play(open_session: Any, case: dict[str, Any]) -> dict[str, Any]:
    """Every step of a case on one session: ``{'steps': [...]}``, with ``later`` or ``crash`` when it ended early."""
    steps: list[dict[str, Any]] = []
    options = case['opts']
    try:
        session = open_session(options)
        for number, step in enumerate(case['steps']):
            if number and options.get('pause'):
                time.sleep(options['pause'])
            steps.append(_one(session, step, options.get('stream_limit')))
    except NotImplementedError as error:
        return {'steps': steps, 'later': str(error)}
    except Exception as error:  # whatever is not the client's own error is what we look for
        return {'steps': steps, 'crash': _where(error)}
    return {'steps': steps}


def _one(session: Session, step: dict[str, Any], limit: int | None) -> dict[str, Any]:
    body = make_body(step.get('body'))
    clean: tuple[type[Exception], ...] = (*session.errors, BodyFailed)
    started = time.monotonic()
    try:
        # The requests that follow a fault are read whole: their answers are compared.
        answer = session.step(step, body, None if step.get('followup') else limit)
    except NotImplementedError:
        raise  # even when it is one of the client's own errors, it is no answer to a fault
    except clean as error:
        text = f'{type(error).__name__}: {error}'[:500]
        return {'ok': False, 'err': text, 't': time.monotonic() - started}
    return {
        'ok': True,
        'status': answer.status,
        'len': len(answer.body),
        'sha': hashlib.sha256(answer.body).hexdigest(),
        'head': base64.b64encode(answer.body[:400]).decode('ascii'),
        'hdr': answer.headers,
        't': time.monotonic() - started,
    }


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f' at {Path(frames[-1].filename).name}:{frames[-1].lineno}' if frames else ''
    return f'{type(error).__name__}: {str(error)[:300]}{place}'


def main(client: str) -> None:
    """Serve cases until the input ends. The results' channel is kept from whatever else prints."""
    channel = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)
    open_session = opener(client)
    print(json.dumps({'ready': client}), file=channel, flush=True)
    for line in sys.stdin:
        result = play(open_session, json.loads(line))
        print(json.dumps(result), file=channel, flush=True)
        del result
        gc.collect()  # the sessions of one case must not hold connections into the next


if __name__ == '__main__':
    main(sys.argv[1])
