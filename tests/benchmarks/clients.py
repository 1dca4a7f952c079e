"""Each client, used the way its documentation shows, as a function that makes one request and returns the body.

A session, pool or handle is made once and held, as a service would hold it. Whatever the scenario gives with a call is
given with every call, so that every client encodes its query, its credentials and its headers each time; only the raw loop
builds its bytes once, because it stands for the floor that no client can go below.
"""

from __future__ import annotations

import importlib
import io
import json
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from .scenarios import IDLE_TIMEOUT, basic, cookie_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from .scenarios import Scenario
    from .server import Target

    Call = Callable[[], Any]


def _given(**arguments: Any) -> dict[str, Any]:
    """The arguments that the scenario has something for; a caller writes down no others."""
    return {name: value for name, value in arguments.items() if value}


def open_raw(scenario: Scenario, target: Target) -> Call:
    """A socket with a timeout: it sends ready bytes, looks for the end of the head and for content-length."""
    url = urlsplit(target.url(scenario))
    sock = socket.create_connection((str(url.hostname), url.port or 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(IDLE_TIMEOUT)
    if scenario.tls:
        sock = ssl.create_default_context(cafile=target.ca).wrap_socket(sock, server_hostname=url.hostname)
    message = _raw_message(scenario, f'{url.hostname}:{url.port}')

    def call() -> Any:
        sock.sendall(message)
        body = _raw_body(sock)
        return json.loads(body) if scenario.parse else body

    return call


def _raw_message(scenario: Scenario, host: str) -> bytes:
    target = scenario.path + ('?' + urlencode(scenario.query) if scenario.query else '')
    fields = {'host': host, 'user-agent': 'raw', 'accept': '*/*', **scenario.headers}
    if scenario.cookies:
        fields['cookie'] = cookie_line(scenario.cookies)
    if scenario.user:
        fields['authorization'] = basic(scenario.user)
    if scenario.body is not None:
        fields['content-length'] = str(len(scenario.body))
    lines = [f'{scenario.method} {target} HTTP/1.1', *(f'{name}: {value}' for name, value in fields.items())]
    return '\r\n'.join([*lines, '', '']).encode() + (scenario.body or b'')


def _raw_body(sock: socket.socket) -> bytes:
    received = sock.recv(65_536)
    while (end := received.find(b'\r\n\r\n')) < 0:
        received += sock.recv(65_536)
    at = received.index(b'Content-Length: ') + 16
    whole = end + 4 + int(received[at : received.index(b'\r', at)])
    while len(received) < whole:
        received += sock.recv(65_536)
    return received[end + 4 :]


def open_pycurl(scenario: Scenario, target: Target) -> Call:
    """One `Curl` handle that is used again for every request; the head is received and not kept."""
    pycurl = importlib.import_module('pycurl')
    handle = pycurl.Curl()
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.TIMEOUT_MS, IDLE_TIMEOUT * 1000)
    handle.setopt(pycurl.CAINFO, target.ca)
    url = target.url(scenario)

    def call() -> Any:
        received = io.BytesIO()
        handle.setopt(pycurl.URL, url + '?' + urlencode(scenario.query) if scenario.query else url)
        handle.setopt(pycurl.WRITEDATA, received)
        if scenario.timeout:
            handle.setopt(pycurl.TIMEOUT_MS, scenario.timeout * 1000)
        if scenario.headers:
            handle.setopt(pycurl.HTTPHEADER, [f'{name}: {value}' for name, value in scenario.headers.items()])
        if scenario.cookies:
            handle.setopt(pycurl.COOKIE, cookie_line(scenario.cookies))
        if scenario.user:
            handle.setopt(pycurl.USERPWD, ':'.join(scenario.user))
        if scenario.body:
            handle.setopt(pycurl.POSTFIELDS, scenario.body)
        handle.perform()
        return json.loads(received.getvalue()) if scenario.parse else received.getvalue()

    return call


def _requite_arguments(scenario: Scenario) -> dict[str, Any]:
    headers = dict(scenario.headers)
    if scenario.cookies:
        headers['cookie'] = cookie_line(scenario.cookies)
    timeout = scenario.timeout * 1000 if scenario.timeout else None
    return _given(
        qs=scenario.query, headers=headers, auth=scenario.user, body=scenario.body, timeout=timeout, json=scenario.parse
    )


def open_requite(scenario: Scenario, target: Target) -> Call:
    """A wrapper made with `request.defaults()`, which is what a service holds."""
    request = importlib.import_module('requite').request
    settings = _given(ca=target.ca if scenario.tls else None)
    api = request.defaults(pool={'max_sockets': 4}, timeout=IDLE_TIMEOUT * 1000, encoding=None, **settings)
    verb = getattr(api, scenario.method.lower())
    url = target.url(scenario)
    arguments = _requite_arguments(scenario)
    return lambda: verb(url, **arguments).response.body


def open_requite_plain(scenario: Scenario, target: Target) -> Call:
    """`request()` itself with everything in the call and the global pool, which is what a script does."""
    request = importlib.import_module('requite').request
    url = target.url(scenario)
    fixed = {'timeout': IDLE_TIMEOUT * 1000, 'encoding': None}
    arguments = fixed | _given(ca=target.ca if scenario.tls else None) | _requite_arguments(scenario)
    if scenario.method != 'GET':
        arguments['method'] = scenario.method
    return lambda: request(url, **arguments).end().body


def open_urllib3(scenario: Scenario, target: Target) -> Call:
    """One `PoolManager`; cookies and credentials are header fields, since it has nothing else for them."""
    urllib3 = importlib.import_module('urllib3')
    pool = urllib3.PoolManager(timeout=IDLE_TIMEOUT, ca_certs=target.ca)
    url = target.url(scenario)
    arguments = _given(fields=scenario.query, body=scenario.body, timeout=scenario.timeout)

    def headers() -> dict[str, str]:
        fields = dict(scenario.headers)
        if scenario.cookies:
            fields['cookie'] = cookie_line(scenario.cookies)
        if scenario.user:
            fields |= urllib3.util.make_headers(basic_auth=':'.join(scenario.user))
        return fields

    if not headers():
        return lambda: pool.request(scenario.method, url, **arguments).data
    if scenario.parse:
        return lambda: pool.request(scenario.method, url, headers=headers(), **arguments).json()
    return lambda: pool.request(scenario.method, url, headers=headers(), **arguments).data


def open_httpx(scenario: Scenario, target: Target) -> Call:
    """One `Client` that holds the cookies."""
    httpx = importlib.import_module('httpx')
    trust = ssl.create_default_context(cafile=target.ca)
    client = httpx.Client(verify=trust, timeout=IDLE_TIMEOUT, cookies=dict(scenario.cookies))
    verb = getattr(client, scenario.method.lower())
    url = target.url(scenario)
    arguments = _given(
        params=scenario.query,
        headers=scenario.headers,
        auth=scenario.user,
        content=scenario.body,
        timeout=scenario.timeout,
    )
    if scenario.parse:
        return lambda: verb(url, **arguments).json()
    return lambda: verb(url, **arguments).content


def open_requests(scenario: Scenario, target: Target) -> Call:
    """One `Session` that holds the cookies; it takes a timeout with the call only."""
    requests = importlib.import_module('requests')
    session = requests.Session()
    session.verify = target.ca
    session.cookies.update(scenario.cookies)
    verb = getattr(session, scenario.method.lower())
    url = target.url(scenario)
    arguments = _given(
        params=scenario.query,
        headers=scenario.headers,
        auth=scenario.user,
        data=scenario.body,
        timeout=scenario.timeout or IDLE_TIMEOUT,
    )
    if scenario.parse:
        return lambda: verb(url, **arguments).json()
    return lambda: verb(url, **arguments).content


CLIENTS: dict[str, Callable[[Scenario, Target], Call]] = {
    'raw': open_raw,
    'pycurl': open_pycurl,
    'requite': open_requite,
    'requite plain': open_requite_plain,
    'urllib3': open_urllib3,
    'httpx': open_httpx,
    'requests': open_requests,
}
