"""Big bodies, a child process for each: what every client does with them, and what that costs it.

Run as a module with a job, a client, and where to find things, it prints one JSON object: the CPU seconds, the wall seconds, and by how many MiB the peak of
the process grew over a short transfer of the same kind.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from .memory import resident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1 << 20
PIECE = 1 << 18
NODE = 'REQUITE_NODE_REQUEST'
"""The variable that names a folder in which npm has installed `request`."""


class Missing(Exception):
    """The client is not on this machine; the text says what to do."""


class Place(NamedTuple):
    """Where a job finds things: the origin over http and TLS, the authority's file, the big file, and the size of bodies in bytes."""

    origin: str
    secure: str
    ca: str
    file: str
    size: int

    @property
    def big(self) -> str:
        """The address of as many bytes."""
        return f'{self.origin}/{self.size}'


class Sink:
    """Counts, and throws away."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, piece: Any) -> int:
        self.size += len(piece)
        return len(piece)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f'{name} is not installed')
    return found


def _blocks(size: int) -> Iterator[bytes]:
    piece = bytes(65_536)
    for _ in range(0, size, len(piece)):
        yield piece


def _requite(place: Place, **options: Any) -> Any:
    return importlib.import_module('requite').request.defaults(encoding=None, timeout=10_000, ca=place.ca, **options)


# -- downloads to a sink


def down_raw(place: Place) -> int:
    """A loop of recv_into: the floor."""
    url = urlsplit(place.big)
    sock = socket.create_connection((str(url.hostname), url.port or 0))
    sock.settimeout(10)
    sock.sendall(f'GET {url.path} HTTP/1.1\r\nhost: raw\r\n\r\n'.encode())
    buffer = memoryview(bytearray(PIECE))
    sink = Sink()
    left = place.size
    count = sock.recv_into(buffer)
    rest = bytes(buffer[:count]).partition(b'\r\n\r\n')[2]
    left -= sink.write(rest)
    while left:
        left -= sink.write(buffer[: sock.recv_into(buffer)])
    return sink.size


def down_requite(place: Place) -> int:
    return int(_requite(place).get(place.big).pipe(Sink()).size)


def down_pycurl(place: Place) -> int:
    pycurl = importlib.import_module('pycurl')
    sink = Sink()
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, place.big)
    handle.setopt(pycurl.WRITEFUNCTION, sink.write)
    handle.perform()
    return sink.size


def down_urllib3(place: Place) -> int:
    answer = importlib.import_module('urllib3').PoolManager().request('GET', place.big, preload_content=False)
    return sum(map(len, answer.stream(PIECE)))


def down_httpx(place: Place) -> int:
    with importlib.import_module('httpx').Client().stream('GET', place.big) as answer:
        return sum(map(len, answer.iter_raw()))


def down_requests(place: Place) -> int:
    answer = importlib.import_module('requests').Session().get(place.big, stream=True)
    return sum(map(len, answer.iter_content(PIECE)))


_NODE = """
const request = require(process.argv[1] + '/node_modules/request'), { Writable } = require('stream')
let size = 0
const sink = new Writable({ write (piece, encoding, done) { size += piece.length; done() } })
sink.on('finish', () => console.log(size))
request(process.argv[2]).pipe(sink)
"""


def down_node(place: Place) -> int:
    folder = os.environ.get(NODE)
    if not folder:
        raise Missing(f'{NODE} names no folder in which npm has installed request')
    command = [_program('node'), '-e', _NODE, folder, place.big]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


# -- uploads of a file


def up_curl(place: Place) -> int:
    command = [_program('curl'), '-sS', '-o', os.devnull, '-T', place.file, place.origin + '/up']
    subprocess.run(command, check=True)
    return place.size


def up_requite(place: Place) -> int:
    with open(place.file, 'rb') as file:
        assert _requite(place).put(place.origin + '/up', body=file).end().body == b'ok'
    return place.size


def up_urllib3(place: Place) -> int:
    headers = {'content-length': str(place.size)}
    with open(place.file, 'rb') as file:
        importlib.import_module('urllib3').PoolManager().request(
            'PUT', place.origin + '/up', body=file, headers=headers
        )
    return place.size


def up_httpx(place: Place) -> int:
    with open(place.file, 'rb') as file:
        importlib.import_module('httpx').Client().put(place.origin + '/up', content=file)
    return place.size


def up_requests(place: Place) -> int:
    with open(place.file, 'rb') as file:
        importlib.import_module('requests').Session().put(place.origin + '/up', data=file)
    return place.size


# -- multipart/form-data, encoded and not sent


def form_requite(place: Place) -> int:
    form = importlib.import_module('requite.body.formdata').FormData()
    with open(place.file, 'rb') as file:
        form.append('name', 'value').append('file', file)
        assert form.length is not None
        size = sum(map(len, form.chunks()))
        assert size == form.length
    return place.size


def form_toolbelt(place: Place) -> int:
    toolbelt = importlib.import_module('requests_toolbelt')
    with open(place.file, 'rb') as file:
        form = toolbelt.MultipartEncoder({'name': 'value', 'file': ('big', file, 'application/octet-stream')})
        while form.read(65_536):
            pass
    return place.size


def send_form_requite(place: Place) -> int:
    with open(place.file, 'rb') as file:
        assert _requite(place).put(place.origin + '/up', form_data={'name': 'value', 'file': file}).end().body == b'ok'
    return place.size


# -- from one server through to another


def through_requite(place: Place) -> int:
    api = _requite(place)
    assert api.get(place.big).pipe(api.put(place.origin + '/up')).end().body == b'ok'
    return place.size


# -- to a server that echoes while it reads


def echo_requite(place: Place) -> int:
    with _requite(place).post(place.origin + '/echo', body=_blocks(place.size)) as response:
        return sum(map(len, response))


def echo_tls_requite(place: Place) -> int:
    with _requite(place).post(place.secure + '/echo', body=_blocks(place.size)) as response:
        return sum(map(len, response))


def echo_urllib3(place: Place) -> int:
    pool = importlib.import_module('urllib3').PoolManager(timeout=10)
    return sum(map(len, pool.request('POST', place.origin + '/echo', body=_blocks(place.size), preload_content=False)))


def echo_httpx(place: Place) -> int:
    client = importlib.import_module('httpx').Client(timeout=10)
    with client.stream('POST', place.origin + '/echo', content=_blocks(place.size)) as answer:
        return sum(map(len, answer.iter_raw()))


def echo_requests(place: Place) -> int:
    session = importlib.import_module('requests').Session()
    answer = session.post(place.origin + '/echo', data=_blocks(place.size), stream=True, timeout=10)
    return sum(map(len, answer.iter_content(PIECE)))


Job = dict[str, 'Callable[[Place], int]']
JOBS: dict[str, Job] = {
    'download': {
        'raw': down_raw,
        'requite': down_requite,
        'pycurl': down_pycurl,
        'urllib3': down_urllib3,
        'httpx': down_httpx,
        'requests': down_requests,
        'node request': down_node,
    },
    'upload': {
        'curl': up_curl,
        'requite': up_requite,
        'urllib3': up_urllib3,
        'httpx': up_httpx,
        'requests': up_requests,
    },
    'encode': {'requite': form_requite, 'toolbelt': form_toolbelt},
    'form': {'requite': send_form_requite},
    'through': {'requite': through_requite},
    'echo': {
        'requite': echo_requite,
        'requite TLS': echo_tls_requite,
        'urllib3': echo_urllib3,
        'httpx': echo_httpx,
        'requests': echo_requests,
    },
}
"""What is done with a big body, and by whom."""

PROGRAMS = ('curl', 'node request')
"""Clients that are programs of their own."""


def _spent() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


@contextlib.contextmanager
def _short_of(place: Place) -> Iterator[Place]:
    """The same place with a file of a MiB, for the transfer that warms up."""
    short = Path(place.file).with_name('short')
    short.write_bytes(bytes(MIB))
    yield place._replace(file=str(short), size=MIB)


def _measured(job: str, client: str, place: Place) -> dict[str, Any]:
    run = JOBS[job][client]
    start = _spent()
    with _short_of(place) as short:
        run(short)
    # what a program takes to begin is not what it takes to move a byte; a library has been imported by now
    begins = _spent() - start if client in PROGRAMS else 0.0
    before, cpu, wall = resident('VmRSS'), _spent(), time.perf_counter()
    size = run(place)
    cpu, wall = _spent() - cpu - begins, time.perf_counter() - wall
    if size != place.size:
        return {'failed': f'{size} of {place.size} bytes'}
    return {'cpu': cpu, 'wall': wall, 'growth': max(0.0, (resident('VmHWM') - before) / MIB)}


def main() -> None:
    """Do one job with one client."""
    job, client, *where, size = sys.argv[1:]
    try:
        said = _measured(job, client, Place(*where, size=int(size)))  # type: ignore[misc,arg-type]
    except (ImportError, Missing) as error:
        said = {'missing': str(error)}
    except Exception as error:
        said = {'failed': f'{type(error).__name__}: {error}'[:200]}
    print(json.dumps(said))


if __name__ == '__main__':
    main()
