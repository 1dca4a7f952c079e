"""The child process of one client: it says that it is ready, then runs as many requests as each line of input says.

Every line of output is one JSON object: first `{"ready": true}`, `{"missing": why}` or `{"failed": why}`, then the CPU and
wall time of each run in seconds.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from itertools import repeat
from typing import TYPE_CHECKING, Any

from .clients import CLIENTS
from .scenarios import SCENARIOS
from .server import Target

if TYPE_CHECKING:
    from .clients import Call

WARM_UP = 200
"""Requests before the first measured one: caches fill, the interpreter specialises, connections are open."""


def _say(**words: Any) -> None:
    print(json.dumps(words), flush=True)


def _prepare(client: str, scenario: str, target: Target) -> Call | None:
    plan = SCENARIOS[scenario]
    try:
        call = CLIENTS[client](plan, target)
        answer = call()
        if answer != plan.answer:
            raise ValueError(f'the answer is {str(answer)[:80]!r}, expected {str(plan.answer)[:80]!r}')
        for _ in repeat(None, WARM_UP):
            call()
    except ImportError as error:
        _say(missing=str(error))
    except Exception as error:
        _say(failed=f'{type(error).__name__}: {error}')
    else:
        _say(ready=True)
        return call
    return None


def _run(call: Call, count: int) -> dict[str, Any]:
    gc.collect()
    wall = time.perf_counter()
    cpu = time.process_time()
    try:
        for _ in repeat(None, count):
            call()
    except Exception as error:
        return {'failed': f'{type(error).__name__}: {error}'}
    return {'cpu': time.process_time() - cpu, 'wall': time.perf_counter() - wall}


def main() -> None:
    """Serve the parent until it closes the pipe."""
    client, scenario, *target = sys.argv[1:]
    call = _prepare(client, scenario, Target(*target))
    if call is not None:
        for line in sys.stdin:
            _say(**_run(call, int(line)))


if __name__ == '__main__':
    main()
