"""``requite proxy PORT TARGET``: the one-line proxy, with a thread for each connection."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from requite import clirequest
from requite.api import Requests
from requite.cliaddress import with_scheme
from requite.errors import OptionsError, RequestError
from requite.piping import pipe

if TYPE_CHECKING:
    from argparse import Namespace


class Proxy(BaseHTTPRequestHandler):
    """Hands each request to the target and its answer back, redirects too; 502 where the target cannot be reached."""

    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    server: Server

    def forward(self) -> None:
        """The one line, and what may go wrong with it."""
        if not self.path.startswith('/'):
            self._refuse(400, 'only paths of the one target are served here')
            return
        begun = False

        def head(*_: Any) -> None:
            nonlocal begun
            begun = True

        try:
            asked = self.server.client(self.server.target + self.path)
            asked.on('response', head)
            pipe(self, asked).pipe(self)
        except RequestError as error:
            self.log_error('%s', error)
            if begun:
                raise
            self._refuse(504 if isinstance(error, TimeoutError) else 502, str(error))

    def _refuse(self, status: int, text: str) -> None:
        self.close_connection = True
        data = f'{text}\n'.encode('utf-8', 'replace')
        self.send_response(status)
        self.send_header('content-type', 'text/plain; charset=utf-8')
        self.send_header('content-length', str(len(data)))
        self.send_header('connection', 'close')
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(data)

    def __getattr__(self, name: str) -> Any:
        if name.startswith('do_'):
            return self.forward
        raise AttributeError(name)

    def log_message(self, format: str, *arguments: Any) -> None:
        """One line on standard error for each request."""
        if sys.stderr is not None:
            line = format % arguments
            print(''.join(char if char.isprintable() else '?' for char in line), file=sys.stderr, flush=True)


class Server(ThreadingHTTPServer):
    """Listens, and knows where everything goes."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], client: Requests, target: str) -> None:
        self.client = client
        self.target = target
        super().__init__(address, Proxy)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke off: its line was written already."""


def run(arguments: Namespace) -> None:
    """Serves until it is interrupted; raises ``OptionsError`` for a port or a target that cannot be meant, ``OSError`` for a port that is taken."""
    address, target = places(arguments.words)
    options = {
        'follow_redirect': False,
        'follow_all_redirects': False,
        **clirequest.settings(arguments),
        'encoding': None,
    }
    client = Requests().defaults(options)
    client.get(target).refused = True  # not sent: what is wrong with it is told now
    with Server(address, client, target) as server:
        host, port = server.server_address[:2]
        print(f'requite: http://{host!s}:{port} is {target} (Ctrl-C ends it)', file=sys.stderr, flush=True)
        server.serve_forever()


def places(words: list[str]) -> tuple[tuple[str, int], str]:
    """Where to listen, and what for: ``proxy [HOST:]PORT TARGET``; only this machine is served unless HOST says otherwise."""
    if len(words) != 3:
        raise OptionsError('write: requite proxy PORT TARGET, for example: requite proxy 8080 https://example.com')
    host, _, port = words[1].rpartition(':')
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise OptionsError(f'{words[1]!r} is no port; write a number up to 65535 (0 takes a free one), or HOST:PORT')
    target = with_scheme(words[2])
    if '?' in target or '#' in target:
        raise OptionsError(f'{words[2]!r} has a query; the target is what stands before the path of each request')
    return (host.strip('[]') or '127.0.0.1', int(port)), target.rstrip('/')
