"""OAuth 1.0a (RFC 5849): who is asking, signed over method, address, query and urlencoded content; sent as a field, in the query or in the content.

What is signed is what is sent: this runs when target, content and fields are final, and sets anew what it changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite.auth import oauth1signature as signatures
from requite.auth.oauth1keys import OPTION, Settings, read
from requite.errors import InvalidBody, OptionsError
from requite.message import BytesBody
from requite.wire.qs import encode_component

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requite.message import Draft
    from requite.options import Options
    from requite.protocols import Body, Clock

FORM = 'application/x-www-form-urlencoded'
NONCE = 32
"""Hexadecimal digits of a nonce, as many as Node's."""


def signer(given: Mapping[str, Any]) -> OAuth1:
    """Who signs with these keys (in snake_case); raises ``OptionsError`` where one is missing, unknown, or contradicts another."""
    return OAuth1(read(given))


class OAuth1:
    """One consumer, and one user where there is a token, who signs as often as needed from any thread; see ``signer``. The repr shows no key."""

    __slots__ = (
        '_fixed',
        '_hashes',
        '_makes_nonce',
        '_makes_time',
        '_names',
        '_realm',
        '_signature',
        'field',
        'method',
        'transport',
    )

    def __init__(self, settings: Settings) -> None:
        self.method = settings.method
        self.transport = settings.transport
        self.field = 'authorization' if settings.transport == 'header' else None
        self._fixed = settings.fixed
        self._hashes = settings.hashes
        self._realm = settings.realm
        self._signature = settings.signature
        names = {name for name, _ in settings.fixed}
        self._makes_nonce = 'oauth_nonce' not in names
        self._makes_time = 'oauth_timestamp' not in names
        self._names = names | {'oauth_nonce', 'oauth_timestamp', 'oauth_body_hash', signatures.SIGNATURE}

    def __repr__(self) -> str:
        return f'<OAuth1 {self.method} in the {self.transport}>'

    def settle(self, options: Options, body: Body | None) -> None:
        """Finds out at the call what cannot be signed: raises ``OptionsError``, and ``InvalidBody`` for a stream that would be used up."""
        if self.field is not None and options.headers.get(self.field, ('', None))[1] is not None:
            return  # the caller wrote the field by hand, and nothing is signed
        if self.transport == 'body' and options.method.upper() != 'POST':
            raise _no_form()
        if self.transport != 'header' and options.auth is not None and not options.auth.send_immediately:
            raise OptionsError(
                f"options 'auth' and {OPTION!r}: a Digest covers the address and content from before this puts its proof there; "
                "give transport_method 'header' with no auth beside it, or let auth be sent immediately"
            )
        if body is None or getattr(body, 'pending', False):
            return
        stated = options.headers.get('content-type', ('', None))[1]
        described = dict(body.headers).get('content-type')
        if self._hashes or _is_form(stated if isinstance(stated, str) else described):
            _replayable(body)

    def sign(self, draft: Draft, clock: Clock) -> None:
        """Signs a draft; raises ``OptionsError`` where its transport does not fit the request, ``InvalidBody`` for a stream that would be used up."""
        form = _content(draft.body) if _is_form(draft.get('content-type')) else None
        transport = self.transport
        if transport == 'body' and draft.carry.bodiless and 'authorization' not in draft.fields:
            transport = 'header'  # a redirect took the content away that the proof would stand in
        if transport == 'body' and (form is None or draft.method.upper() != 'POST'):
            raise _no_form()
        parameters = self._parameters(draft, clock, form is None)
        query = draft.uri.query or ''
        if transport == 'query':
            query = self._without_own(query)
        if self._realm and transport != 'header':
            # First, as in Node, which leaves it unsigned although every server counts it among the parameters then: mended.
            parameters.insert(0, ('realm', self._realm))
        covered = [*signatures.pairs(query), *(signatures.pairs(form) if form else ()), *parameters]
        address = signatures.base_uri(draft.uri.scheme, draft.get('host') or '', draft.uri.pathname)
        proof = self._signature(signatures.base_string(draft.method, address, covered))
        parameters.append((signatures.SIGNATURE, encode_component(proof)))
        if transport == 'header':
            realm = f'realm="{self._realm}",' if self._realm else ''
            draft.set('Authorization', 'OAuth ' + realm + ','.join([f'{name}="{value}"' for name, value in parameters]))
        else:
            self._put(draft, parameters, query, form)

    def _parameters(self, draft: Draft, clock: Clock, hashable: bool) -> list[tuple[str, str]]:
        """The protocol parameters without the signature, encoded, in the order of their names."""
        parameters = list(self._fixed)
        if self._makes_nonce:
            parameters.append(('oauth_nonce', clock.nonce(NONCE)))
        if self._makes_time:
            parameters.append(('oauth_timestamp', str(int(clock.now()))))
        if self._hashes and hashable:
            # Never beside a form, which is signed itself (Node then sends the word "true": mended); no content counts as empty.
            content = draft.body
            chunks = () if content is None else _replayable(content).chunks()
            parameters.append(('oauth_body_hash', encode_component(signatures.body_hash(chunks))))
        parameters.sort()
        return parameters

    def _without_own(self, query: str) -> str:
        """A query without a proof of before: some servers redirect to an address with all of the query that they were asked with."""
        if 'oauth_' not in query:
            return query
        return '&'.join(piece for piece in query.split('&') if piece.partition('=')[0] not in self._names)

    def _put(self, draft: Draft, parameters: list[tuple[str, str]], query: str, form: bytes | None) -> None:
        """Puts the proof into the query or the content."""
        text = '&'.join([f'{name}={value}' for name, value in parameters])
        if self.transport == 'query':
            draft.uri = draft.uri.with_query(f'{query}&{text}' if query else text)
            return
        # Node keeps the length of before, and the server never sees the rest: mended.
        data = b'&'.join(part for part in (form, text.encode('ascii')) if part)
        draft.body = BytesBody(data, () if draft.body is None else draft.body.headers)
        draft.fields.pop('transfer-encoding', None)
        draft.set('content-length', str(len(data)))


def _is_form(content_type: str | None) -> bool:
    return content_type is not None and content_type.partition(';')[0].strip().lower() == FORM


def _content(body: Body | None) -> bytes:
    return b'' if body is None else b''.join(_replayable(body).chunks())


def _replayable(body: Body) -> Body:
    """The body, if it can be read twice: to sign it, and to send it."""
    if not body.replayable:
        raise InvalidBody(
            f"option 'body': option {OPTION!r} signs it (a form, or body_hash), but it is a stream that can be read only once; "
            'give bytes, a file or a list, or the hash itself as body_hash'
        )
    return body


def _no_form() -> OptionsError:
    return OptionsError(
        f'option {OPTION!r}: oauth: transport_method of body requires POST and content-type {FORM}; '
        "give form=..., or transport_method 'header' or 'query'"
    )
