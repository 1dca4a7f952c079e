"""What an answer means for the exchange: done, follow, or answer a challenge. Pure: a verdict comes back, nothing is sent.

Node's rules (REQUEST-SPEC 7), mended where a line says so, and one rule of ours: nothing that proves who the caller is goes to an origin
(scheme, host, port) that the caller did not name; once dropped, dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from requite.errors import InvalidURI, RedirectRefused, TooManyRedirects
from requite.message import Carry
from requite.wire import uri as uris

if TYPE_CHECKING:
    from requite.message import Hop, Reply
    from requite.options import Options
    from requite.wire.uri import Uri

FOLLOWED = frozenset((301, 302, 303, 307, 308))
"""Node follows every 3xx with a Location, 304 and 305 too: mended. 300 is left to the caller."""
KEEPS_METHOD = frozenset((307, 308))
"""Node turns 308 into GET: mended (RFC 9110 15.4.9)."""
UNSAFE = frozenset(('PATCH', 'PUT', 'POST', 'DELETE'))


class Redirect(NamedTuple):
    """One entry of ``response.redirects``: the status that redirected, and where to."""

    status_code: int
    redirect_uri: str

    def to_json(self) -> dict[str, object]:
        """The entry with Node's names."""
        return {'statusCode': self.status_code, 'redirectUri': self.redirect_uri}


class Follow(NamedTuple):
    """Go on with another hop; ``challenge`` tells that it answers a 401 at the same address."""

    carry: Carry
    challenge: bool = False


def decide(options: Options, carry: Carry, hop: Hop, reply: Reply) -> Follow | None:
    """What follows ``reply``; None when it is the answer. Raises ``RedirectRefused``, ``InvalidURI`` and ``InvalidProtocol``."""
    status = reply.status
    if status == 401:
        return _challenged(options, carry, reply)
    if status not in FOLLOWED or not reply.headers.get('location') or not _wanted(options, hop.method):
        return None
    return Follow(_next(options, carry, hop, status, _target(hop.uri, reply)))


def count(options: Options, followed: int, uri: Uri) -> None:
    """Raises ``TooManyRedirects`` when ``followed`` redirects are as many as ``max_redirects`` allows."""
    if followed >= options.max_redirects:
        raise TooManyRedirects(f'Exceeded maxRedirects. Probably stuck in a redirect loop {uri.redacted()}')


def _wanted(options: Options, method: str) -> bool:
    if options.follow_all_redirects:
        return True
    return bool(options.follow_redirect) and method not in UNSAFE


def _target(base: Uri, reply: Reply) -> Uri:
    locations = [value for name, value in reply.fields if name.lower() == 'location']
    if any(other != locations[0] for other in locations):
        raise InvalidURI(
            'Invalid URI: the redirect names two different Locations. This can be caused by a crappy redirection.'
        )
    return uris.resolve(base, locations[0])


def _next(options: Options, carry: Carry, hop: Hop, status: int, uri: Uri) -> Carry:
    same_origin = uri.origin == hop.uri.origin and uri.socket_path == hop.uri.socket_path
    method, body, bodiless = hop.method, carry.body, False
    if status in KEEPS_METHOD or (options.follow_original_http_method and method != 'HEAD' and status != 303):
        if body is not None and not body.replayable:
            raise RedirectRefused(
                f'the {status} redirect needs the body again, but it is a stream that was used up; '
                'give bytes, a file or a list, or set follow_redirect=False'
            )
    else:
        body, bodiless = None, True
        if options.follow_all_redirects and method != 'HEAD':
            method = 'GET'
    return Carry(
        method,
        uri,
        body,
        carry.trusted and same_origin,
        _referer(options, hop.uri, uri),
        None,
        carry.bodiless or bodiless,
        carry.rerouted or bodiless or not same_origin,
    )


def _referer(options: Options, source: Uri, target: Uri) -> str | None:
    """Where the redirect came from, without userinfo and fragment, and never from https to http (RFC 9110 10.1.3; Node leaks both: mended)."""
    if options.remove_referer_header or (source.scheme == 'https' and target.scheme == 'http'):
        return None
    return source.referer


def _challenged(options: Options, carry: Carry, reply: Reply) -> Follow | None:
    credentials = options.auth
    if credentials is None or credentials.send_immediately or not carry.trusted:
        return None
    from requite.auth import order

    answer = order.answer(reply, credentials, carry)
    if answer is None:
        return None
    if carry.body is not None and not carry.body.replayable:
        raise RedirectRefused(
            'the 401 asks for the body again, but it is a stream that was used up; send credentials at once (send_immediately), or give bytes, a file or a list'
        )
    referer = None if options.remove_referer_header else carry.uri.referer
    return Follow(carry._replace(answered=answer, answers=carry.answers + 1, referer=referer), True)
