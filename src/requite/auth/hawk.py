"""Hawk 1.1: a MAC over the request, and over the answer where that is asked for.

The normalised texts and the MAC of a timestamp are mohawk's. What it would get wrong is decided here: the address comes from the request as it is sent (mohawk
parses it once more, and loses ``;`` and a bare ``?``), the header is written in Node's order with ``ext`` escaped (mohawk has an order of its own and
refuses quotes), ``ext`` is escaped in the MAC too, the caller's credentials are not written to, content is hashed piece by piece, and nothing of it is logged.

Source: mozilla/hawk API.md, and Node's request (REQUEST-SPEC 6.5). Where it differs from Node: wrong credentials are an error, Host decides host and port,
every backslash in ``ext`` is escaped, and ``payload=True``, ``verify`` and the answer to a skewed clock are new.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, NamedTuple

from requite import checks
from requite.auth import hawkkeys
from requite.auth.challenges import challenges, parse, quoted
from requite.auth.hawkcontent import PayloadHash, held_to, unproved
from requite.errors import InvalidBody, OptionsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requite.auth.challenges import Challenge
    from requite.message import Draft, Hop, Reply
    from requite.options import Options
    from requite.protocols import Body, Clock

KEYS = 'credentials ext app dlg payload content_type hash timestamp nonce localtime_offset_msec verify'.split()
NONCE = 12
"""Hexadecimal digits of a nonce: 48 random bits (Node: six characters, 36 bits)."""
CONTENTLESS = frozenset((204, 304))
MAX_CLOCKS = 64
"""How many servers' clocks a signer remembers."""


class Artifacts(NamedTuple):
    """What a MAC covers, by the names that mohawk's ``normalize_string`` reads."""

    timestamp: str
    nonce: str
    method: str
    name: str
    host: str
    port: str
    ext: str
    app: str | None
    dlg: str | None

    def normalised(self, kind: str, hash: str | None) -> str:
        """The text that is signed: ``kind`` is ``'header'`` of a request, ``'response'`` of its answer."""
        from mohawk.util import normalize_string

        escaped = self.ext.replace('\\', '\\\\').replace('\n', '\\n')
        return normalize_string(kind, self._replace(ext=escaped), hash)  # type: ignore[no-any-return]


def signer(given: Mapping[str, Any]) -> Hawk:
    """The signer that the keys of ``hawk`` describe; raises ``OptionsError`` and kin where they cannot be used."""
    return Hawk(checks.nested('hawk', given, dict(zip(KEYS, KEYS, strict=True))))


class Hawk:
    """Signs with Hawk, answers a clock that goes wrong once, and checks the server's own MAC where ``verify`` asks for it.

    What it learns of a server's clock serves the requests that come after to that origin, of every thread.
    """

    __slots__ = (
        '_clock', '_learned', '_offset', 'app', 'content_type', 'credentials', 'dlg', 'ext', 'hash', 'nonce', 'payload', 'timestamp', 'verify',
    )  # fmt: skip

    field = 'authorization'

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self.credentials = hawkkeys.credentials(keys.get('credentials'))
        self.ext = hawkkeys.visible('ext', keys.get('ext'), quotes=True) or ''
        self.app = hawkkeys.visible('app', keys.get('app'))
        self.dlg = hawkkeys.visible('dlg', keys.get('dlg'))
        if self.dlg is not None and self.app is None:
            raise OptionsError("option 'hawk': dlg is only signed together with app; give app too, or leave dlg out")
        self.hash = hawkkeys.visible('hash', keys.get('hash'))
        self.nonce = hawkkeys.visible('nonce', keys.get('nonce'))
        self.payload = hawkkeys.payload(keys.get('payload'))
        self.content_type = checks.text("hawk['content_type']", keys.get('content_type'))
        self.timestamp = hawkkeys.whole('timestamp', keys.get('timestamp'))
        self.verify = bool(checks.boolean("hawk['verify']", keys.get('verify')))
        self._offset = (
            int(hawkkeys.whole('localtimeOffsetMsec', keys.get('localtime_offset_msec'), signed=True) or 0) / 1000
        )
        self._learned: dict[tuple[str, str, int], float] = {}  # by origin
        self._clock: Clock | None = None

    def __repr__(self) -> str:
        return '<Hawk>'

    def sign(self, draft: Draft, clock: Clock) -> None:
        """Sets ``Authorization``; raises ``InvalidBody`` where the content is to be hashed but can be read only once."""
        self._clock = clock
        timestamp = self.timestamp or str(int(clock.now() + self._learned.get(draft.uri.origin, self._offset)))
        host, port = _place(draft.get('host') or '', draft.uri.scheme)
        made = Artifacts(
            timestamp, self.nonce or clock.nonce(NONCE), draft.method.upper(), draft.target, host, port, self.ext, self.app, self.dlg
        )  # fmt: skip
        hash = self._hash(draft)
        mac = self.credentials.mac(made.normalised('header', hash))
        parts = [
            ('id', self.credentials.id),
            ('ts', timestamp),
            ('nonce', made.nonce),
            ('hash', hash),
            ('ext', self.ext or None),
        ]
        parts += [('mac', mac), ('app', self.app), ('dlg', self.dlg)]
        draft.set(
            'authorization',
            'Hawk ' + ', '.join(f'{name}={quoted(value)}' for name, value in parts if value is not None),
        )

    def answer(self, hop: Hop, reply: Reply) -> Hawk | Reply | None:
        """Who signs again by the server's clock, where a 401 proves that it knows the key (``tsm``); with ``verify`` the reply, checked.

        Raises ``MalformedResponse`` where ``verify`` asks for a Server-Authorization and it is missing or wrong. The server cannot sign a 401 for somebody whom
        it does not know, so that one needs none.
        """
        if reply.status == 401 and self.timestamp is None:
            offset = self._told(reply)
            if offset is not None:
                return self._by(offset, hop.uri.origin)
        proof = reply.headers.get('server-authorization')
        if not self.verify or (reply.status == 401 and proof is None):
            return None
        hash = self._proved(hop, proof if isinstance(proof, str) else '')
        if hash is None or hop.method == 'HEAD' or reply.status in CONTENTLESS:
            return None
        kind = reply.headers.get('content-type')
        hashed = PayloadHash(self.credentials.algorithm, kind if isinstance(kind, str) else '')
        return held_to(reply, hashed, hash)

    def settle(self, options: Options, body: Body | None) -> None:
        """Raises ``InvalidBody`` at the call, where it is known already that the content could not be hashed."""
        if not getattr(body, 'pending', False):
            self._refuse_streams(body)

    def _refuse_streams(self, body: Body | None) -> None:
        if self.payload is True and self.hash is None and body is not None and not body.replayable:
            raise InvalidBody(
                "option 'hawk': payload=True hashes the content before it is sent, but this is a stream that can be read only once; "
                'give bytes, a file or a list as the body, or the hash itself'
            )

    def _hash(self, draft: Draft) -> str | None:
        """The payload hash to send: the one that was given, of the payload that was given, or of the content that is sent."""
        if self.hash is not None or self.payload is None:
            return self.hash
        if isinstance(self.payload, bytes):
            # as in Node: the type that was given, not the one that is sent
            return PayloadHash(self.credentials.algorithm, self.content_type or '').over((self.payload,))
        body = draft.body
        self._refuse_streams(body)
        kind = self.content_type if self.content_type is not None else draft.get('content-type') or ''
        return PayloadHash(self.credentials.algorithm, kind).over(() if body is None else body.chunks())

    def _by(self, offset: float, origin: tuple[str, str, int]) -> Hawk:
        """One that signs by this clock, whatever others learn in the meantime; the origin's is remembered."""
        from copy import copy

        if origin not in self._learned and len(self._learned) >= MAX_CLOCKS:
            self._learned.clear()
        self._learned[origin] = offset
        other = copy(self)
        other._learned, other._offset = {}, offset
        return other

    def _told(self, reply: Reply) -> float | None:
        """How many seconds the server is ahead, where a 401 tells its time and proves it."""
        demanded = [challenge for challenge in challenges(reply.fields) if challenge.scheme == 'hawk']
        if len(demanded) != 1 or not demanded[0].sound or self._clock is None:
            return None
        timestamp, proof = demanded[0].parameters.get('ts', ''), demanded[0].parameters.get('tsm', '')
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            return None
        from mohawk.util import calculate_ts_mac

        expected = calculate_ts_mac(timestamp, {'key': self.credentials.key, 'algorithm': self.credentials.algorithm})
        if not hmac.compare_digest(expected, proof.encode('latin-1', 'replace')):
            return None
        return int(timestamp) - self._clock.now()

    def _proved(self, hop: Hop, proof: str) -> str | None:
        """The payload hash that a Server-Authorization holds, once its MAC is right."""
        said, sent = _only(parse(proof)), _only(parse(_field(hop, 'authorization')))
        if said is None or sent is None:
            raise unproved('Server-Authorization is missing or cannot be read')
        host, port = _place(_field(hop, 'host'), hop.uri.scheme)
        made = Artifacts(
            sent.get('ts', ''), sent.get('nonce', ''), hop.method.upper(), hop.uri.target, host, port, said.get('ext', ''), self.app, self.dlg
        )  # fmt: skip
        expected = self.credentials.mac(made.normalised('response', said.get('hash')))
        if not hmac.compare_digest(expected.encode(), said.get('mac', '').encode('latin-1', 'replace')):
            raise unproved('the mac of its Server-Authorization is wrong')
        return said.get('hash')


def _place(host: str, scheme: str) -> tuple[str, str]:
    """Host and port as the server reads them from Host, which is what it checks the MAC with."""
    name, _, port = host.rpartition(':')
    if name and port.isdigit():
        return name.lower(), port
    return host.lower(), '443' if scheme == 'https' else '80'


def _field(hop: Hop, name: str) -> str:
    return next((value for field, value in hop.fields if field.lower() == name), '')


def _only(found: list[Challenge]) -> dict[str, str] | None:
    """The parameters of what must be one Hawk header, None where it is anything else."""
    return found[0].parameters if len(found) == 1 and found[0].sound and found[0].scheme == 'hawk' else None
