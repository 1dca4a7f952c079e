"""What an answer means for the exchange: done, follow, or answer a challenge. Pure: a verdict comes back, nothing is sent.

Node's rules (REQUEST-SPEC 7), mended where a line says so, and one rule of ours: nothing that proves who the caller is goes to an origin
(scheme, host, port) that the caller did not name; once dropped, dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from requite import checks, proxies
from requite.errors import InvalidOptionType, InvalidURI, RedirectRefused, TooManyRedirects
from requite.message import Carry
from requite.wire import uri as uris
from requite.wire.urivalue import moved

if TYPE_CHECKING:
    from requite.message import Hop, Reply
    from requite.options import Options
    from requite.protocols import Signer
    from requite.response import Response
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

    @property
    def statusCode(self) -> int:  # noqa: N802
        """Node's spelling of ``status_code``."""
        return self.status_code

    @property
    def redirectUri(self) -> str:  # noqa: N802
        """Node's spelling of ``redirect_uri``."""
        return self.redirect_uri


class Follow(NamedTuple):
    """Go on with another hop; ``challenge`` tells that it answers a 401 at the same address."""

    carry: Carry
    challenge: bool = False


def decide(
    options: Options, carry: Carry, hop: Hop, reply: Reply, again: tuple[Signer, ...] | None = None
) -> Follow | None:
    """What follows ``reply``, to which ``again`` are the signers' answer; None when it is the answer.

    Raises ``RedirectRefused``, ``InvalidURI`` and ``InvalidProtocol``.
    """
    status = reply.status
    if again is not None:
        return Follow(_once_more(options, carry.again())._replace(signers=again, resigned=carry.resigned + 1), True)
    if status == 401:
        return _challenged(options, carry, reply)
    if status == 407:
        asked = proxies.asked(carry, hop, reply.fields) if proxies.answering(hop) else None
        return None if asked is None else Follow(asked, True)
    if not redirecting(options, hop, reply):
        return None
    return Follow(_next(options, carry, hop, status, _target(carry.uri, reply)))


def redirecting(options: Options, hop: Hop, reply: Reply) -> bool:
    """Whether ``reply`` is a redirect of a kind that these options follow."""
    return reply.status in FOLLOWED and bool(reply.headers.get('location')) and _wanted(options, hop.method)


def permit(options: Options, uri: Uri, source: Uri | None = None) -> None:
    """Raises ``RedirectRefused`` where no hop may go to ``uri`` from ``source`` (None: the caller's own address).

    That is so where it would leave https against ``allow_insecure_redirect``, and where the caller's ``redirect_filter`` does not say True: it says no, nothing
    at all, something else, or raises.
    """
    if source is not None and source.scheme == 'https' and uri.scheme == 'http' and not options.allow_insecure_redirect:
        raise RedirectRefused(
            f'the redirect from {source.redacted()} to {uri.redacted()} leaves https, which allow_insecure_redirect=False forbids'
        )
    if options.redirect_filter is None:
        return
    try:
        allowed = options.redirect_filter(uri)
    except Exception as reason:
        raise RedirectRefused(
            f"option 'redirect_filter' refuses {uri.redacted()}: it raised {type(reason).__name__}"
        ) from reason
    if allowed is not True:
        hint = (
            ''
            if allowed is False
            else f'; it returned {answered(allowed)}: a filter returns True for what may be visited'
        )
        raise RedirectRefused(f"option 'redirect_filter' refuses {uri.redacted()}{hint}")


def answered(value: Any) -> str:
    """What kind of thing a callable of the caller's answered; a coroutine, which nobody will await, is closed."""
    if hasattr(value, '__await__') and callable(getattr(value, 'close', None)):
        value.close()
    return checks.kind(value)


def agrees(options: Options, response: Response) -> bool:
    """Whether ``follow_redirect`` wants what this response asks for; raises ``InvalidOptionType`` where a callable's answer would have to be awaited."""
    if not callable(options.follow_redirect):
        return True
    answer = options.follow_redirect(response)
    if hasattr(answer, '__await__'):
        raise InvalidOptionType(
            f"option 'follow_redirect' returned {answered(answer)}, whose answer nobody awaits; give a plain function"
        )
    return bool(answer)


def count(options: Options, followed: int, uri: Uri) -> None:
    """Raises ``TooManyRedirects`` when ``followed`` redirects are as many as ``max_redirects`` allows."""
    if followed >= options.max_redirects:
        raise TooManyRedirects(
            f'Exceeded maxRedirects. Probably stuck in a redirect loop {uri.redacted()}; allow more than {options.max_redirects} with max_redirects, or see the answer with follow_redirect=False'
        )


def _wanted(options: Options, method: str) -> bool:
    if options.follow_all_redirects:
        return True
    return bool(options.follow_redirect) and method not in UNSAFE


def _target(base: Uri, reply: Reply) -> Uri:
    locations = [value for name, value in reply.fields if name.lower() == 'location']
    if any(other != locations[0] for other in locations):
        raise InvalidURI(
            'Invalid URI: the redirect names two different Locations. This can be caused by a crappy redirection; see the answer with follow_redirect=False.'
        )
    return uris.resolve(base, locations[0])


def _next(options: Options, carry: Carry, hop: Hop, status: int, uri: Uri) -> Carry:
    source = carry.uri  # not the hop's: a signer may have put its proof into that one's query
    same_origin = uri.origin == source.origin and uri.socket_path == source.socket_path
    if same_origin and carry.trusted and source.username is not None:
        uri = moved(
            source, uri.target, uri.hash
        )  # the caller's userinfo goes on within its origin, as in Node, whatever the Location says
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
        _referer(options, carry, uri),
        None,
        carry.bodiless or bodiless,
        carry.rerouted or bodiless or not same_origin,
    )


def _referer(options: Options, carry: Carry, target: Uri) -> str | None:
    """Where the redirect came from, without userinfo and fragment; '' says that nothing does, not even a Referer of the caller's own.

    None of them goes from https to http (RFC 9110 10.1.3, SECURITY R5; Node leaks all three: mended), nor, once dropped, to what follows.
    """
    if carry.uri.scheme == 'https' and target.scheme == 'http':
        return ''
    if options.remove_referer_header:
        return '' if carry.referer == '' else None
    return carry.uri.referer


def _challenged(options: Options, carry: Carry, reply: Reply) -> Follow | None:
    credentials = options.auth
    if credentials is None or credentials.send_immediately or not carry.trusted:
        return None
    if options.headers.get('authorization', ('', None))[1] is not None:
        return None  # the caller wrote an Authorization by hand, and no other is sent
    from requite.auth import order

    answer = order.answer(reply, credentials, carry)
    if answer is None:
        return None
    proxied = carry._replace(answered=None).again()  # the new answer takes the place of the old one
    return Follow(
        _once_more(options, proxied, isinstance(answer, str))._replace(answered=answer, answers=carry.answers + 1), True
    )


def _once_more(options: Options, carry: Carry, foreseeable: bool = False) -> Carry:
    """The carry of the same request to the same address again, as an answer to a 401, which could have been ``foreseeable``."""
    if carry.body is not None and not carry.body.replayable:
        fix = 'send credentials at once (sendImmediately), or ' if foreseeable else ''
        raise RedirectRefused(
            f'the 401 asks for the body again, but it is a stream that was used up; {fix}give bytes, a file or a list'
        )
    return carry._replace(referer=_referer(options, carry, carry.uri))
