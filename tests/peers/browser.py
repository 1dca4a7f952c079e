"""A headless Chromium that visits pages of the tests' own servers, told what to do through a pipe (the DevTools protocol).

Every name it asks for leads to those servers, so that pages may live on whatever hosts a test makes up.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from tests.peers.daemons import program

PATIENCE = 30.0
"""Seconds that the browser may take for one thing."""

# No sandbox: tests may run as root. The rest keeps it from asking for anything that no test told it to.
FLAGS = (
    '--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --no-default-browser-check '
    '--disable-background-networking --disable-component-update --disable-sync --disable-extensions --disable-default-apps '
    '--ignore-certificate-errors --remote-debugging-pipe --disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable'
).split()

ON_3_AND_4 = """
import os, sys
heard, said = (os.dup(os.dup(os.dup(int(number)))) for number in sys.argv[1:3])
os.dup2(heard, 3)
os.dup2(said, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Starts the browser with its pipe on the descriptors 3 and 4, where it speaks the protocol. (Copies of copies are above 4.)"""


class BrowserFailed(Exception):
    """The browser said no, or nothing at all."""


class Browser:
    """One tab of a running browser."""

    def __init__(self, orders: int, answers: int) -> None:
        self._orders = orders
        self._answers = answers
        self._received = b''
        self._number = 0
        tab = self.tell('Target.createTarget', url='about:blank')['targetId']
        self._session: str | None = None
        self._session = self.tell('Target.attachToTarget', targetId=tab, flatten=True)['sessionId']
        self.tell('Page.enable')

    def visit(self, url: str) -> str:
        """Opens a page as if its address was typed; '' once its answer is there, else what went wrong."""
        return str(self.tell('Page.navigate', url=url).get('errorText', ''))

    def cookies(self) -> list[dict[str, Any]]:
        """Every cookie that the browser holds."""
        found: list[dict[str, Any]] = self.tell('Network.getAllCookies')['cookies']
        return found

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and what came of it."""
        self._number += 1
        order: dict[str, Any] = {'id': self._number, 'method': method, 'params': parameters}
        if getattr(self, '_session', None) and not method.startswith('Target.'):
            order['sessionId'] = self._session
        os.write(self._orders, json.dumps(order).encode() + b'\0')
        until = time.monotonic() + PATIENCE
        while True:
            message = self._message(until)
            if message.get('id') == self._number:
                if 'error' in message:
                    raise BrowserFailed(f'{method}: {message["error"]}')
                result: dict[str, Any] = message['result']
                return result

    def _message(self, until: float) -> dict[str, Any]:
        while b'\0' not in self._received:
            if not select.select([self._answers], [], [], max(0.0, until - time.monotonic()))[0]:
                raise BrowserFailed(f'no answer within {PATIENCE:.0f} s')
            part = os.read(self._answers, 1 << 20)
            if not part:
                raise BrowserFailed('the browser has ended')
            self._received += part
        line, _, self._received = self._received.partition(b'\0')
        message: dict[str, Any] = json.loads(line)
        return message


@contextlib.contextmanager
def chromium(http_port: int, https_port: int) -> Iterator[Browser]:
    """A browser with an empty profile for which every name is 127.0.0.1, its ports 80 and 443 being these two."""
    found = program('chromium')
    assert found is not None
    to_browser, orders = os.pipe()
    answers, from_browser = os.pipe()
    with tempfile.TemporaryDirectory(prefix='requite-browser-', ignore_cleanup_errors=True) as profile:
        rules = f'MAP *:80 127.0.0.1:{http_port}, MAP *:443 127.0.0.1:{https_port}'
        command = [found, *FLAGS, f'--user-data-dir={profile}', f'--host-resolver-rules={rules}', 'about:blank']
        process = subprocess.Popen(
            [sys.executable, '-c', ON_3_AND_4, str(to_browser), str(from_browser), *command],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        try:
            yield Browser(orders, answers)
        finally:
            os.close(orders)  # the browser ends with its pipe
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(answers)
