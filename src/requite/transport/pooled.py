"""The transport of every day: a hop goes out on a pooled connection, its answer comes back as a ``PooledReply``.

The path of a small request on a warm connection is three system calls: is the connection quiet, send, receive.
"""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

from requite import errors
from requite.message import BytesBody
from requite.transport import connections, faults, framing, head, pools
from requite.transport.duplex import Upload
from requite.transport.replies import Feed, PooledReply, clock, give_back

if TYPE_CHECKING:
    from requite.headers import Headers
    from requite.message import Hop
    from requite.protocols import Body
    from requite.transport.connections import Link
    from requite.transport.head import Head
    from requite.transport.pools import Lane

RECEIVE = 65536
SMALL_BODY = 65536
MAX_INTERIM = 32
MAX_INTERIM_BYTES = 65536

REPLAYED = frozenset(('GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'))
"""RFC 9110 9.2.2: idempotent methods, sent once more when a kept connection turns out to be dead (SECURITY Q8)."""


STALE = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""What a connection says that the peer had closed before we came."""


class PooledTransport:
    """Sends hops over pooled connections; ``pool`` is where those of a hop come from that names none."""

    __slots__ = ()

    pool = pools.DEFAULT

    def send(self, hop: Hop) -> PooledReply:
        """Sends ``hop`` and returns the answer, whose body is read from it on demand.

        Raises an error of the table in ``requite.errors``, never one of urllib3, ssl or the socket; what the iterator of a body raises comes through unchanged. An
        idempotent request without response byte on a connection that had served before is sent once more, on a new one (RFC 9110 9.2.2); no other is ever repeated.
        """
        payload = head.encode(hop)
        body = hop.body
        if body is not None:
            check_framing(hop, body)
            if type(body) is BytesBody and len(body.data) <= SMALL_BODY:
                payload += body.data
                body = None
        if hop.signal.aborted:
            raise errors.AbortError(f'aborted: {faults.place(hop)}')
        lane, link = (None, None) if hop.pool is None else hop.pool.take(hop)
        try:
            reply = None if link is None else _reuse(hop, lane, link, payload, body)
            if reply is None:
                link = _open(hop, lane)
                reply = _exchange(hop, lane, link, payload, body)
        except BaseException:
            hop.signal.watch(None)
            if link is not None:
                link.close()
            if lane is not None:
                lane.put(None)
            raise
        if reply is None:
            raise AssertionError('a new connection is never stale')
        return reply


DEFAULT = PooledTransport()
"""The transport of requests that name none; it holds no state, connections belong to pools."""


def check_framing(hop: Hop, body: Body) -> None:
    """Raises ``OptionsError`` unless the fields announce exactly what ``body`` is (SECURITY Q3)."""
    lengths = [value for name, value in hop.fields if name.lower() == 'content-length']
    codings = [value.lower() for name, value in hop.fields if name.lower() == 'transfer-encoding']
    expected = ([], ['chunked']) if body.length is None else ([str(body.length)], [])
    if (lengths, codings) != expected and not (body.length == 0 and not lengths and not codings):
        raise errors.OptionsError(
            f'content-length {lengths} and transfer-encoding {codings} do not describe the body, whose length is {body.length}: leave both to the library'
        )


def _open(hop: Hop, lane: Lane | None) -> Link:
    """A new connection for ``hop``, in the slot it holds."""
    if hop.marks is not None:
        hop.marks['socket'] = time.perf_counter()
    factory = connections.factory(hop.route) if lane is None else lane.factory
    return connections.connect(factory, hop)


def _reuse(hop: Hop, lane: Lane, link: Link, payload: bytes, body: Body | None) -> PooledReply | None:
    """The exchange over a connection that has served before; None, with the connection closed, when it turns out to be of no use any more."""
    reply = None
    if link.quiet():
        if hop.marks is not None:
            hop.marks['socket'] = hop.marks['lookup'] = hop.marks['connect'] = time.perf_counter()
        if hop.notice is not None:
            hop.notice(link.sock)
        reply = _exchange(hop, lane, link, payload, body)
    if reply is None:
        link.close()
    return reply


def _exchange(hop: Hop, lane: Lane | None, link: Link, payload: bytes, body: Body | None) -> PooledReply | None:
    """Sends all and receives the head. None: the connection was kept too long, and the request may be sent again (SECURITY Q8)."""
    signal = hop.signal
    signal.watch(link.sock)  # type: ignore[arg-type]
    data = b''
    reusable = True
    phase = faults.SEND
    if body is not None:
        upload = Upload(hop, link)
        try:
            upload.run(payload, body)
        except errors.ConnectionReset:
            if _may_repeat(hop, link):
                return None
            raise
        data = upload.early
        reusable = not upload.refused
        payload = b''
    try:
        if hop.limits.deadline is None:
            if link.timeout != hop.limits.read:
                link.tune(hop.limits.read)
        else:
            clock(link, hop)
        if payload and not _sent(hop, link, payload):
            if _may_repeat(hop, link):
                return None
            reusable = False
        phase = faults.HEAD
        if not data:
            data = link.recv(RECEIVE)
            if not data:
                raise ConnectionResetError
        if hop.marks is not None:
            hop.marks['response'] = time.perf_counter()
        end = data.find(head.END)
        if end < 0 or data[9:10] == b'1':
            parsed, tail = _await_head(hop, link, data)
        else:
            parsed, tail = head.parse(data, end), data[end + 4 :]
        return _reply(hop, lane, link, parsed, tail, reusable)
    except (OSError, errors.RequestError) as error:
        if not data and isinstance(error, STALE) and _may_repeat(hop, link):
            return None
        if isinstance(error, ConnectionResetError) and not error.args:
            error = errors.ConnectionReset(faults.HANG_UP)
        raise faults.explain(error, hop, phase) from None


def _may_repeat(hop: Hop, link: Link) -> bool:
    return link.used and hop.method in REPLAYED and (hop.body is None or hop.body.replayable) and not hop.signal.aborted


def _sent(hop: Hop, link: Link, payload: bytes) -> bool:
    """Sends ``payload``; False when the peer wants no more of it, which may have an answer as its reason."""
    try:
        count = link.send(payload)
        while count < len(payload):
            if hop.limits.deadline is not None:
                clock(link, hop)
            count += link.send(memoryview(payload)[count:])
    except ConnectionError:
        return False
    return True


def _await_head(hop: Hop, link: Link, data: bytes) -> tuple[Head, bytes]:
    """The final head and what came behind it; interim answers are passed over, a bounded number of them (RFC 9110 15.2, SECURITY S10)."""
    passed = 0
    for _ in range(MAX_INTERIM + 1):
        data, end = _whole_head(hop, link, data)
        parsed = head.parse(data, end)
        tail = data[end + 4 :]
        if parsed[1] >= 200:
            return parsed, tail
        if parsed[1] == 101:
            raise faults.malformed('HPE_PAUSED_UPGRADE', 'Switching Protocols without being asked to')
        passed += end
        if passed > MAX_INTERIM_BYTES:
            break
        data = tail
    raise faults.malformed('HPE_HEADER_OVERFLOW', 'Too many interim responses')


def _whole_head(hop: Hop, link: Link, data: bytes) -> tuple[bytes, int]:
    """Receives until the blank line. From its first byte on, a head has ``limits.read`` to be whole, however it drips."""
    end = data.find(head.END)
    if end >= 0:
        return data, end
    buffer = bytearray(data)
    began = time.monotonic()
    read = hop.limits.read
    checked = 0
    while True:
        head.check_partial(buffer, checked)
        if buffer and read is not None and time.monotonic() - began > read:
            raise TimeoutError
        if hop.limits.deadline is not None:
            clock(link, hop)
        piece = link.recv(RECEIVE)
        if not piece:
            raise ConnectionResetError
        if not buffer:
            began = time.monotonic()
        checked = max(0, len(buffer) - 3)
        buffer += piece
        end = buffer.find(head.END, checked)
        if end >= 0:
            return bytes(buffer), end


def _persistent(version: str, hop: Hop, headers: Headers) -> bool:
    """Whether both sides mean to go on with the connection (RFC 9112 9.3)."""
    said = dict.get(headers, 'connection')
    if said is not None:
        options = [option.strip() for option in str(said).lower().split(',')]
        if 'close' in options or (version == '1.0' and 'keep-alive' not in options):
            return False
    elif version == '1.0':
        return False
    for name, value in hop.fields:
        if len(name) == 10 and name.lower() == 'connection' and 'close' in value.lower():
            return False
    return True


def _reply(hop: Hop, lane: Lane | None, link: Link, parsed: Head, tail: bytes, reusable: bool) -> PooledReply:
    """The reply; the connection is back in its lane already if the whole body came with the head."""
    version, status, _, fields, headers = parsed
    length = framing.expect(hop.method, status, fields, headers)
    reusable = reusable and _persistent(version, hop, headers)
    surplus = 0 <= length < len(tail)
    if length == framing.CHUNKED and tail.endswith(b'0' + head.END):
        whole = framing.dechunk(tail)
        if whole is not None:
            length, tail = len(whole), whole
    if length == len(tail) or surplus:
        hop.signal.watch(None)
        give_back(link, lane, reusable and not surplus)
        return PooledReply(parsed, tail[:length] if surplus else tail)
    reply = PooledReply(parsed, b'')
    feed = Feed(hop, link, lane)
    reply.attach(hop, feed, framing.body_of(length, feed, tail), reusable)
    return reply
