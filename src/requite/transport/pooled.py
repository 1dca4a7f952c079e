"""The transport of every day: a hop goes out on a pooled connection, its answer comes back as a ``PooledReply``.

The path of a small request on a warm connection is three system calls: is the connection quiet, send, receive.
"""

from __future__ import annotations

import ssl
import time
from enum import Enum
from typing import TYPE_CHECKING, Any

from requite import errors
from requite.transport import chunked, connections, faults, framing, head, outgoing, pools
from requite.transport.faults import CallersError
from requite.transport.replies import Feed, PooledReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.message import Hop
    from requite.protocols import Body
    from requite.transport.duplex import Upload
    from requite.transport.head import Head
    from requite.transport.lanes import Lane
    from requite.transport.link import Link

RECEIVE = 65536
SHORTEST_HEAD = 12
INTERIM = ord('1')
LAST_CHUNK = b'0\r\n\r\n'
MAX_INTERIM = 32
MAX_INTERIM_BYTES = 65536

REPLAYED = frozenset(('GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'))
"""RFC 9110 9.2.2: idempotent methods, sent once more when a kept connection turns out to be dead (SECURITY Q8)."""


class _Stale(Enum):
    UNSENT = 0
    UNANSWERED = 1


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
        anew = hop.anew
        if anew is not None:  # not kept: it knows the request, which knows the reply, which knows its hop
            hop = hop._replace(anew=None)
        payload, body, closing = outgoing.encoded(hop)
        lane = None
        if hop.pool is not None:
            lane, link = hop.pool.take(hop)
            if link is not None:
                link.user = hop.signal  # first: the one before may be bound, and who waits looks at links with a lane
                link.lane = lane
                reply = _exchange(hop, link, payload, body, closing)
                if not isinstance(reply, _Stale):
                    return reply
                if anew is not None and reply is _Stale.UNANSWERED:
                    hop, (payload, body, closing) = _signed_anew(hop, anew, lane)
        reply = _exchange(hop, _open(hop, lane), payload, body, closing)
        assert not isinstance(reply, _Stale)  # a new connection is never
        return reply


DEFAULT = PooledTransport()
"""The transport of requests that name none; it holds no state, connections belong to pools."""


def _signed_anew(hop: Hop, anew: Callable[[], Hop], lane: Lane | None) -> tuple[Hop, Any]:
    """The hop once more, since what proves who asks was heard already and no server takes it twice (SECURITY Q7)."""
    try:
        made = anew()
        return (made if made.marks is not None else made._replace(marks=hop.marks)), outgoing.encoded(made)
    except BaseException:
        hop.signal.watch(None)
        if lane is not None:
            lane.put(None)
        raise


def _open(hop: Hop, lane: Lane | None) -> Link:
    """A new connection for ``hop``, in the slot of ``lane`` that it holds."""
    try:
        if hop.marks is not None:
            hop.marks['socket'] = time.perf_counter()
        link = connections.connect(connections.factory(hop.route) if lane is None else lane.factory, hop)
    except BaseException:
        hop.signal.watch(None)
        if lane is not None:
            lane.put(None)
        raise
    link.user = hop.signal
    link.lane = lane
    if lane is not None:
        lane.links.add(link)
    return link


def _exchange(hop: Hop, link: Link, payload: bytes, body: Body | None, closing: bool) -> PooledReply | _Stale:
    """Sends all and receives the head. ``_Stale``: the connection had been kept too long, is closed, and the request may be sent on another (SECURITY Q8)."""
    data = b''
    phase = faults.SEND
    limits = hop.limits
    try:
        if link.used:
            if link.poll(0) or (link.secure and not link.quiet()):
                _stale(link)
                return _Stale.UNSENT
            if hop.marks is not None or hop.notice is not None:
                _acquired(hop, link)
        hop.signal.watch(link.sock)
        if limits.deadline is not None:
            link.clock(limits.read, limits.deadline)
        elif link.timeout != limits.read:
            link.tune(limits.read)
        if body is not None:
            from requite.transport.duplex import Upload

            upload = Upload(hop, link, body)
            data = upload.run(payload)
            if not upload.over:
                return _meanwhile(hop, link, data, closing, upload)
            closing = closing or upload.refused
            if limits.deadline is not None:
                link.clock(limits.read, limits.deadline)
        elif (count := link.send(payload)) != len(payload):
            _send_rest(hop, link, payload, count)
        phase = faults.HEAD
        data = data or link.recv(RECEIVE)
        if not data:
            raise errors.ConnectionReset(faults.HANG_UP)
        if hop.marks is not None:
            hop.marks['response'] = time.perf_counter()
        end = data.find(head.END)
        if end < SHORTEST_HEAD or data[9] == INTERIM:
            parsed, tail = _await_head(hop, link, data)
            return _reply(hop, link, parsed, tail, closing)
        return _reply(hop, link, head.parse(data, end), data[end + 4 :], closing)
    except BaseException as caught:  # noqa: BLE001 - handed on: it is raised again outside, where nothing hangs on to it
        error = caught
    try:
        return _give_up(hop, link, error, phase, data)
    finally:
        del error  # its traceback knows this frame


def _give_up(hop: Hop, link: Link, error: BaseException, phase: str, data: bytes) -> PooledReply | _Stale:
    """Ends an exchange that failed: repeats it (``_Stale``), finds the answer that explains it, or raises."""
    if not data and isinstance(error, STALE) and not hop.signal.aborted:
        if link.used and hop.method in REPLAYED and (hop.body is None or hop.body.replayable):
            _stale(link)
            return _Stale.UNANSWERED
        late = _late_answer(hop, link) if phase == faults.SEND else None
        if late is not None:
            return late
    hop.signal.watch(None)
    link.free(False)
    if isinstance(error, CallersError):
        raise error.error
    explained = faults.explain(error, hop, phase)
    if explained is error:
        raise error
    raise explained from None


def _late_answer(hop: Hop, link: Link) -> PooledReply | None:
    # who answers and closes at once resets what we still send; the answer may lie here already
    try:
        data = link.recv(RECEIVE)
        parsed, tail = _await_head(hop, link, data) if data else (None, b'')
        return None if parsed is None else _reply(hop, link, parsed, tail, True)
    except (OSError, errors.RequestError):
        return None


def _acquired(hop: Hop, link: Link) -> None:
    if hop.marks is not None:
        hop.marks['socket'] = hop.marks['lookup'] = hop.marks['connect'] = time.perf_counter()
    if hop.notice is not None:
        try:
            hop.notice(link.sock)
        except BaseException as error:
            raise CallersError(error) from error


def _stale(link: Link) -> None:
    """Closes the connection but keeps its slot: another one is opened in it."""
    link.lane = None
    link.close()


def _send_rest(hop: Hop, link: Link, payload: bytes, count: int) -> None:
    view = memoryview(payload)
    while count < len(payload):
        link.clock(hop.limits.read, hop.limits.deadline)
        count += link.send(view[count:])


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
        link.clock(hop.limits.read, hop.limits.deadline)
        piece = link.recv(RECEIVE)
        if not piece:
            raise errors.ConnectionReset(faults.HANG_UP)
        if not buffer:
            began = time.monotonic()
        checked = max(0, len(buffer) - 3)
        buffer += piece
        end = buffer.find(head.END, checked)
        if end >= 0:
            return bytes(buffer), end


def _meanwhile(hop: Hop, link: Link, data: bytes, closing: bool, upload: Upload) -> PooledReply:
    """The reply to a request that is still being sent; its whole head is in ``data``."""
    if hop.marks is not None:
        hop.marks['response'] = time.perf_counter()
    parsed, tail = _await_head(hop, link, data)
    return _reply(hop, link, parsed, tail, closing, upload)


def _reply(hop: Hop, link: Link, parsed: Head, tail: bytes, closing: bool, upload: Upload | None = None) -> PooledReply:
    """The reply; the connection is back in its lane already if the whole body came with the head.

    ``upload`` is what is still to be sent: it goes on while the reply is read, and not at all when the reply is whole.
    """
    version, status, _, fields, headers = parsed
    length = framing.expect(hop.method, status, fields, headers)
    # RFC 9112 6.1: whoever sends chunked under HTTP/1.0 has its framing wrong
    reusable = not closing and framing.persistent(version, headers) and (length != framing.CHUNKED or version == '1.1')
    if length == framing.CHUNKED and tail.endswith(LAST_CHUNK):
        whole = chunked.dechunk(tail)
        if whole is not None:
            length, tail = len(whole), whole
    if length == len(tail):
        reply = PooledReply(parsed, tail)
    elif 0 <= length < len(tail):
        reply = PooledReply(parsed, tail[:length])
        reusable = False  # surplus bytes must not answer the next request (SECURITY S4)
    else:
        reply = PooledReply(parsed, b'')
        if upload is None:
            feed = Feed(hop, link)
        else:
            from requite.transport.meanwhile import Meanwhile

            feed = Meanwhile(hop, link, upload)
        reply.attach(hop, feed, framing.body_of(length, feed, tail), reusable)
        return reply
    hop.signal.watch(None)
    # looked at after nobody watches any more: an abort that is under way shuts down this connection, not the next exchange on it
    link.free(reusable and upload is None and not hop.signal.aborted)
    return reply
