"""The one blocking engine: build a hop, send it, decide, again. It knows no callbacks, no threads and no sockets."""

from __future__ import annotations

from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from requite import proxies
from requite.errors import DeadlineExceeded, ProxyRefused
from requite.prepare import build, remember
from requite.response import Response
from requite.routes import Limits

if TYPE_CHECKING:
    from requite.message import Carry, Hop, Reply
    from requite.options import Options
    from requite.protocols import Signer, Transport, Watch
    from requite.redirects import Redirect


def perform(options: Options, carry: Carry, transport: Transport, watch: Watch) -> Response:
    """Runs the exchange up to the head of the final response, whose body is still to be read.

    ``watch`` sees it happen: ``watch.hop`` is set to each hop before it is sent, ``watch.event(name, *arguments)`` is called as Node's events come.
    Raises the errors of the transport, ``TooManyRedirects`` and ``RedirectRefused``.
    """
    followed: tuple[Redirect, ...] = ()
    first = carry
    limits, pool = options.limits, options.connections
    if options.deadline is not None:
        limits = Limits(limits.connect, limits.read, _deadline(options.deadline, carry, watch), limits.pool)
    if options.redirect_filter is not None:
        _permitted(options, carry)
    begun = perf_counter() if options.time else 0.0
    while True:
        if options.auth is not None and not options.auth.send_immediately:
            carry = _foreseen(options, carry)
        hop = build(options, carry, transport.pool if pool is None else pool or None, limits, watch.signal)
        watch.hop = hop
        if hop.marks is not None:
            hop.marks['start'] = perf_counter()
        if watch.listening:
            hop = _announced(hop, watch)
        try:
            if options.retry is None and not options.signed and carry.answered is None and carry.proxy_answered is None:
                reply = transport.send(hop)
            else:
                carry, hop, reply = _sent(options, carry, hop, transport, watch)
        except ProxyRefused as refusal:
            carry = _asked_by_proxy(carry, watch.hop, refusal)
            continue
        again: tuple[Signer, ...] | None = None
        if options.signed:  # first: what is not believed leaves no cookie either
            reply, again = _judged(options, carry, hop, reply)
        if carry is not first or options.jar is not None:  # the first carry answers nothing
            reply = _heard(options, carry, hop, reply)
        if reply.status < 300 and again is None:
            break
        following = _following(options, carry, hop, reply, followed, again)
        if following is None:
            break
        reply.drain()
        carry, entry = following
        followed = (*followed, entry)
        if watch.listening:
            watch.event('redirect', Response(reply, hop, options, followed))
    response = Response(reply, hop, options, followed)
    if hop.marks is not None:
        response._clock = begun, hop.marks.get('start', begun), hop.marks
    return response


def _deadline(seconds: float, carry: Carry, watch: Watch) -> float:
    """The moment at which the deadline is over, which may have begun with waiting for other requests; raises ``DeadlineExceeded`` when that took too long."""
    now, until = monotonic(), watch.signal.until
    if until is not None and until <= now:
        raise DeadlineExceeded(
            f'ETIMEDOUT: {carry.method} {carry.uri.redacted()} waited until its deadline for what its thread had let go before'
        )
    return now + seconds if until is None else until


def _permitted(options: Options, carry: Carry) -> None:
    from requite import redirects

    redirects.permit(options, carry.uri)


def _asked_by_proxy(carry: Carry, hop: Hop, refusal: ProxyRefused) -> Carry:
    """The carry that answers a proxy's 407 to CONNECT; raises the refusal again where nothing does."""
    asked = proxies.asked(carry, hop, refusal.fields) if refusal.status_code == 407 else None
    if asked is None:
        raise refusal
    return asked


def _foreseen(options: Options, carry: Carry) -> Carry:
    from requite.auth import order

    return order.foresee(options, carry)


def _judged(options: Options, carry: Carry, hop: Hop, reply: Reply) -> tuple[Reply, tuple[Signer, ...] | None]:
    """What the signers make of a reply, as ``signing.judge`` says; gives the connection up where one does not believe it."""
    from requite.auth import signing

    try:
        return signing.judge(options, carry, hop, reply)
    except BaseException:
        reply.abort()
        raise


def _heard(options: Options, carry: Carry, hop: Hop, reply: Reply) -> Reply:
    """Lets the jar, and the scheme that was answered with, see what the server said; gives the connection up on an error."""
    try:
        if options.jar is not None:
            remember(options, hop.uri, reply)
        if carry.proxy_answered is not None:
            proxies.heard(carry, hop, reply.status)
        if carry.answered is not None:
            from requite.auth import order

            reply = order.heard(options, carry, hop, reply)
    except BaseException:
        reply.abort()
        raise
    return reply


def _announced(hop: Hop, watch: Watch) -> Hop:
    """Tells the listeners of the hop, and has the transport tell of its socket."""
    for name in ('hop', 'request'):
        watch.signal.check()  # whom a listener has aborted, a redirect's too, sends nothing more
        watch.event(name, hop)
    watch.signal.check()
    body = hop.body
    if body is not None and watch.counting:
        from requite.progress import Counted

        body = Counted(body, lambda *progress: watch.event('progress', *progress))
    return hop._replace(notice=lambda sock: watch.event('socket', sock), body=body)


def _sent(options: Options, carry: Carry, hop: Hop, transport: Transport, watch: Watch) -> tuple[Carry, Hop, Reply]:
    """Sends a hop by a transport that may do so more than once, each time signed for that moment; gives carry and hop as they were at last."""

    def anew() -> Hop:
        nonlocal carry
        carry = carry.again()
        watch.hop = made = build(options, carry, hop.pool, hop.limits, hop.signal)
        if made.marks is not None:
            made.marks.update(start=hop.marks['start'])  # type: ignore[index] # they come with the option
        return _announced(made, watch) if watch.listening else made

    reply = transport.send(hop._replace(anew=anew))
    return carry, watch.hop, reply


def _following(
    options: Options,
    carry: Carry,
    hop: Hop,
    reply: Reply,
    followed: tuple[Redirect, ...],
    again: tuple[Signer, ...] | None,
) -> tuple[Carry, Redirect] | None:
    """The next carry and what is noted of it, as ``decide`` says, where ``follow_redirect`` as a callable agrees, where it may go, and there are not too many.

    Gives the connection up on an error.
    """
    from requite import redirects

    def agreed() -> bool:
        return redirects.agrees(options, Response(reply, hop, options, followed))

    try:
        # asked before the Location is read, as in Node: what is not to be followed may say what it likes
        redirecting = redirects.redirecting(options, hop, reply)
        if redirecting and not agreed():
            return None
        verdict = redirects.decide(options, carry, hop, reply, again)
        if verdict is None or (verdict.challenge and not redirecting and not agreed()):
            return None
        if not verdict.challenge:
            redirects.count(options, sum(entry.status_code != 401 for entry in followed), verdict.carry.uri)
        redirects.permit(options, verdict.carry.uri, carry.uri)
    except BaseException:
        reply.abort()
        raise
    return verdict.carry, redirects.Redirect(reply.status, verdict.carry.uri.without_userinfo().href)
