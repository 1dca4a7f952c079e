"""The watchdog: a child that plays cases, with a clock and a scale beside it."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SLACK = 1.0  # seconds a result may come after the case's deadline
START = 30.0  # seconds a child may take to start
TICK = 0.02  # seconds between two looks at the clock and the scale
MAX_GROWTH = 300.0  # MB
STALE_GROWTH = 50.0  # MB: a child that kept this much from earlier cases would hide what the next one takes


class Run(NamedTuple):
    """What came of one case: ``verdict`` is None when there is a ``result`` to judge."""

    verdict: str | None
    note: str
    result: dict[str, Any]
    seconds: float
    growth: float | None


class ChildDied(Exception):
    """The child ended; the text says how."""


class Child:
    """A process that plays cases, started anew whenever the one before is spoilt."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.process: subprocess.Popen[bytes] | None = None
        self.complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child, closed by stop()
        self.buffer = b''
        self.start_size = 0.0

    def run(self, case: dict[str, Any]) -> Run:
        """Play one case within its deadline and the growth allowed."""
        self._ready()
        before = self._weigh('VmRSS')
        self._reset_peak()
        started = time.monotonic()
        text = json.dumps(case, default=_as_text)
        growth: float | None = None
        try:
            self._send(text)
            until = started + float(case['opts']['deadline']) + SLACK
            while True:
                line = self._line(TICK)
                peak = self._weigh('VmHWM')
                if before is not None and peak is not None:
                    growth = max(growth or 0.0, peak - before)
                seconds = time.monotonic() - started
                if growth is not None and growth > MAX_GROWTH:
                    return self._spoilt('MEM', f'grew by more than {MAX_GROWTH:.0f} MB', seconds, growth)
                if line is not None:
                    break
                if time.monotonic() > until:
                    return self._spoilt('HANG', f'no result after {seconds:.1f} s', seconds, growth)
        except ChildDied as death:
            return self._spoilt('CRASH', str(death), time.monotonic() - started, growth)
        result = json.loads(line)
        if 'crash' in result:
            self.stop()
            return Run('CRASH', result['crash'], result, seconds, growth)
        return Run(None, '', result, seconds, growth)

    def stop(self) -> None:
        """End the child, whatever it is doing."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    _close(pipe)
        self.process = None
        self.buffer = b''

    def close(self) -> None:
        self.stop()
        self.complaints.close()

    def _ready(self) -> None:
        size = self._weigh('VmRSS')
        if self.process is not None and size is not None and size - self.start_size > STALE_GROWTH:
            self.stop()
        if self.process is not None and self.process.poll() is None:
            return
        self.stop()
        self._start()

    def _start(self) -> None:
        self.complaints.seek(0)
        self.complaints.truncate()
        # A proxy in the environment would come between the client and the server.
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith('_proxy')}
        package = __package__ or 'tests.faults'
        self.process = subprocess.Popen(
            [sys.executable, '-m', f'{package}.child', self.client],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            start_new_session=True,
        )
        try:
            if self._line(START) is None:
                raise ChildDied(f'did not start within {START:.0f} s')
        except ChildDied:
            self.stop()
            raise
        self.start_size = self._weigh('VmRSS') or 0.0

    def _send(self, text: str) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(text.encode() + b'\n')
            self.process.stdin.flush()
        except OSError:
            raise ChildDied(self._how_it_ended()) from None

    def _line(self, seconds: float) -> bytes | None:
        """The next whole line of the child, or None when it did not come in time."""
        assert self.process is not None
        assert self.process.stdout is not None
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b'\n' not in self.buffer:
                if not selector.select(max(0.0, end - time.monotonic())):
                    return None
                part = os.read(self.process.stdout.fileno(), 1 << 16)
                if not part:
                    raise ChildDied(self._how_it_ended())
                self.buffer += part
        line, _, self.buffer = self.buffer.partition(b'\n')
        return line

    def _how_it_ended(self) -> str:
        assert self.process is not None
        try:
            code: int | str = self.process.wait(5)
        except subprocess.TimeoutExpired:
            code = 'unknown: it only closed its output'
        self.complaints.seek(0)
        lines = self.complaints.read().decode('utf-8', 'replace').strip().splitlines()
        return f'the child ended with code {code}' + (f': {lines[-1][:300]}' if lines else '')

    def _spoilt(self, verdict: str, note: str, seconds: float, growth: float | None) -> Run:
        self.stop()
        return Run(verdict, note, {'steps': []}, seconds, growth)

    def _weigh(self, field: str) -> float | None:
        """MB of resident memory, now (``VmRSS``) or at most (``VmHWM``); None where the system does not tell."""
        if self.process is None:
            return None
        try:
            status = Path(f'/proc/{self.process.pid}/status').read_text(encoding='ascii', errors='replace')
        except OSError:
            return None
        for line in status.splitlines():
            if line.startswith(field + ':'):
                return int(line.split()[1]) / 1024
        return None

    def _reset_peak(self) -> None:
        assert self.process is not None
        try:
            Path(f'/proc/{self.process.pid}/clear_refs').write_text('5', encoding='ascii')
        except OSError:
            pass  # the peak of earlier cases then counts too; _ready() keeps that small


def _as_text(value: Any) -> str:
    return value.decode('latin-1') if isinstance(value, bytes) else str(value)


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        pass  # bytes that the dead child never took
