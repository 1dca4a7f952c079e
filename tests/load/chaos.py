"""nginx under somebody who restarts it, kills its workers and makes them stand still; only processes of its own are touched."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.peers.daemons import folder, free_port, program, running

LARGE = bytes(range(256)) * 1024
"""Of /large; 256 KiB, so that it is cut in the middle now and then."""

CONFIG = """
daemon off;
worker_processes 2;
error_log {root}/error.log crit;
pid {root}/pid;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    default_type application/octet-stream;
    keepalive_requests 1000;
    client_body_temp_path {root}/t; proxy_temp_path {root}/t; fastcgi_temp_path {root}/t; uwsgi_temp_path {root}/t; scgi_temp_path {root}/t;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {root};
        location = /small {{ return 200 "$arg_id"; }}
        location = /large {{ limit_rate 8m; }}
    }}
}}
"""


class Nginx:
    """A master with two workers on a port of its own."""

    def __init__(self, command: list[str], port: int) -> None:
        self._command = command
        self.url = f'http://127.0.0.1:{port}'
        self.done: Counter[str] = Counter()
        self.start()

    def start(self) -> None:
        # a group of its own, so that no worker can outlive it, one that the master has just made included
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def workers(self) -> list[int]:
        pid = self._process.pid
        with contextlib.suppress(OSError):
            return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]
        return []

    def tell(self, worker: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, number)

    def restart(self) -> None:
        """All connections are reset; for a moment nobody listens."""
        self.stop()
        time.sleep(random.uniform(0, 0.3))
        self.start()

    def cut(self) -> None:
        """One worker dies with all its connections; the master makes another."""
        for worker in self.workers()[:1]:
            self.tell(worker, signal.SIGKILL)

    def stall(self) -> None:
        """The workers stand still for a while, some of the time longer than a request may take."""
        workers = self.workers()
        for worker in workers:
            self.tell(worker, signal.SIGSTOP)
        time.sleep(random.choice((0.2, 0.5, 2.5)))
        for worker in workers:
            self.tell(worker, signal.SIGCONT)

    def torment(self, over: threading.Event) -> None:
        """One of the three every second or so, until it is over."""
        while not over.wait(random.uniform(0.3, 1.2)):
            what = random.choice((self.restart, self.cut, self.stall))
            what()
            self.done[what.__name__] += 1


@contextlib.contextmanager
def tormented() -> Iterator[Nginx]:
    """The server, standing. Raises LookupError where nginx is not installed."""
    found = program('nginx')
    if found is None:
        raise LookupError('nginx is not installed')
    with folder() as root:
        port = free_port()
        (root / 'large').write_bytes(LARGE)
        (root / 'large').chmod(0o644)
        (root / 'nginx.conf').write_text(CONFIG.format(root=root, port=port))
        command = [found, '-p', str(root), '-e', str(root / 'error.log'), '-c', str(root / 'nginx.conf')]
        with running(command, port):
            pass  # the configuration is in order
        server = Nginx(command, port)
        try:
            time.sleep(0.5)
            yield server
        finally:
            server.stop()
