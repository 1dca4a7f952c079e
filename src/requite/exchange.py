"""The one blocking engine: build a hop, send it, decide, again. It knows no callbacks, no threads and no sockets."""

from __future__ import annotations

from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from requite.message import Limits
from requite.prepare import build, remember
from requite.response import Response

if TYPE_CHECKING:
    from requite.message import Carry, Hop, Reply
    from requite.options import Options
    from requite.protocols import Transport, Watch
    from requite.redirects import Redirect


def perform(options: Options, carry: Carry, transport: Transport, watch: Watch) -> Response:
    """Runs the exchange up to the head of the final response, whose body is still to be read.

    ``watch`` sees it happen: ``watch.hop`` is set to each hop before it is sent, ``watch.event(name, *arguments)`` is called as Node's events come.
    Raises the errors of the transport, ``TooManyRedirects`` and ``RedirectRefused``.
    """
    followed: tuple[Redirect, ...] = ()
    limits, pool = options.limits, options.connections
    if options.deadline is not None:
        limits = Limits(limits.connect, limits.read, monotonic() + options.deadline)
    if options.redirect_filter is not None:
        _permitted(options, carry)
    begun = start = perf_counter() if options.time else 0.0
    while True:
        if options.auth is not None and not options.auth.send_immediately:
            carry = _foreseen(options, carry)
        hop = build(options, carry, transport.pool if pool is None else pool or None, limits, watch.signal)
        watch.hop = hop
        if watch.listening:
            hop = _announced(hop, watch)
        reply = transport.send(hop)
        if carry.answered is not None or options.jar is not None:
            _heard(options, carry, hop, reply)
        if reply.status < 300 and not options.signed:
            break
        following = _following(options, carry, hop, reply, followed)
        if following is None:
            break
        reply.drain()
        carry, entry = following
        followed = (*followed, entry)
        if watch.listening:
            watch.event('redirect', Response(reply, hop, options, followed))
        start = perf_counter() if options.time else 0.0
    response = Response(reply, hop, options, followed)
    if hop.marks is not None:
        from requite.timings import Timings

        marks = hop.marks
        response._clock = lambda: Timings(begun, start, marks, perf_counter())
    return response


def _permitted(options: Options, carry: Carry) -> None:
    from requite import redirects

    redirects.permit(options, carry.uri)


def _foreseen(options: Options, carry: Carry) -> Carry:
    from requite.auth import order

    return order.foresee(options, carry)


def _heard(options: Options, carry: Carry, hop: Hop, reply: Reply) -> None:
    """Lets the jar, and the scheme that was answered with, see what the server said; gives the connection up on an error."""
    try:
        if options.jar is not None:
            remember(options, hop.uri, reply)
        if carry.answered is not None:
            from requite.auth import order

            order.heard(options, carry, hop, reply)
    except BaseException:
        reply.abort()
        raise


def _announced(hop: Hop, watch: Watch) -> Hop:
    """Tells the listeners of the hop, and has the transport tell of its socket."""
    watch.event('hop', hop)
    watch.event('request', hop)
    watch.signal.check()
    return hop._replace(notice=lambda sock: watch.event('socket', sock))


def _following(
    options: Options, carry: Carry, hop: Hop, reply: Reply, followed: tuple[Redirect, ...]
) -> tuple[Carry, Redirect] | None:
    """The next carry and what is noted of it, as ``decide`` says, where ``follow_redirect`` as a callable agrees and there are not too many; gives the connection up on an error."""
    from requite import redirects

    try:
        verdict = redirects.decide(options, carry, hop, reply)
        if verdict is None:
            return None
        follow = options.follow_redirect
        if callable(follow) and not follow(Response(reply, hop, options, followed)):
            return None
        if not verdict.challenge:
            redirects.count(options, sum(entry.status_code != 401 for entry in followed), verdict.carry.uri)
        if options.redirect_filter is not None:
            redirects.permit(options, verdict.carry.uri)
    except BaseException:
        reply.abort()
        raise
    return verdict.carry, redirects.Redirect(reply.status, verdict.carry.uri.without_userinfo().href)
