"""`python -m tests.benchmarks.signers`: what each way of signing adds to the CPU that a request costs.

There is no network in it: a transport that answers at once takes the place of the everyday one, and the same request is made with and without the signer, in
turns. `--write` puts the table into the documentation.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from requite.api import Requests
from requite.auth.sessions import SESSIONS
from requite.transport.memory import MemoryReply

from .children import ROOT, one_core

PAGE = ROOT / 'docs' / 'explanation' / 'performance.md'
BEGIN, END = '<!-- signers: begin -->', '<!-- signers: end -->'
URL = 'http://api.example.com/photos?size=original&file=vacation.jpg'
CHALLENGE = 'Digest realm="r", nonce="0123456789", qop="auth", algorithm='


class Ready:
    """Answers 200 at once, and 401 with a challenge of the Digest algorithm `asks` where there is no Authorization."""

    pool: Any = None

    def __init__(self) -> None:
        self.asks = ''
        self.sent = 0

    def send(self, hop: Any) -> MemoryReply:
        self.sent += 1
        if self.asks and not any(name == 'authorization' for name, _ in hop.fields):
            return MemoryReply(401, [('www-authenticate', CHALLENGE + self.asks)])
        return MemoryReply(200, [], [b'ok'])


def key_of(kind: str) -> str:
    """A throw-away private key in PEM: RSA of 2048 bits, P-256 or Ed25519."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    key: Any = {
        'rsa': lambda: rsa.generate_private_key(65537, 2048),
        'ecdsa': lambda: ec.generate_private_key(ec.SECP256R1()),
        'ed25519': ed25519.Ed25519PrivateKey.generate,
    }[kind]()
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()  # type: ignore[no-any-return]


def netrc() -> str:
    """A netrc file that knows the host."""
    path = Path(tempfile.mkdtemp(prefix='requite-netrc-')) / 'logins'
    path.write_text('machine api.example.com login ann password s3cret\n', encoding='utf-8')
    return str(path)


OAUTH = {'consumer_key': 'dpf43f3p2l4k3l03', 'token': 'nnch734d00sl2jdk', 'token_secret': 'pfkkdhi9sl3r4s00'}
HAWK = {'id': 'dh37fgj492je', 'key': 'werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn', 'algorithm': 'sha256'}
AWS = {'key': 'AKIAIOSFODNN7EXAMPLE', 'secret': 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'}

AWS4 = {**AWS, 'sign_version': 4, 'service': 'execute-api', 'region': 'eu-west-1'}


def oauth(method: str, **more: Any) -> dict[str, Any]:
    """The options that sign with OAuth."""
    secret = {} if 'private_key' in more else {'consumer_secret': 'kd94hf93k423kf44'}
    return {'oauth': {**OAUTH, **secret, 'signature_method': method, **more}}


def signature(algorithm: str, key: str) -> dict[str, Any]:
    """The options that sign with an HTTP signature."""
    return {'http_signature': {'keyId': 'k', 'key': key, 'algorithm': algorithm}}


def message(algorithm: str, key: str) -> dict[str, Any]:
    """The options that sign with an HTTP message signature."""
    return {'http_message_signature': {'key_id': 'k', 'key': key, 'algorithm': algorithm}}


SIGNERS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    'Basic': ('basic', lambda: {'auth': ('ann', 's3cret')}),
    'Basic from a netrc file': ('netrc', lambda: {'netrc': netrc()}),
    **{
        f'Digest, {algorithm}, nonce known': (
            'digest',
            lambda: {'auth': {'user': 'ann', 'pass': 's3cret', 'digest': True}},
        )
        for algorithm in ('MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess', 'SHA-512-256', 'SHA-512-256-sess')
    },
    'Hawk': ('hawk', lambda: {'hawk': {'credentials': HAWK}}),
    'OAuth 1.0a, HMAC-SHA1': ('oauth1', lambda: oauth('HMAC-SHA1')),
    'OAuth 1.0a, HMAC-SHA1, in the query': ('oauth1', lambda: oauth('HMAC-SHA1', transport_method='query')),
    'OAuth 1.0a, HMAC-SHA256': ('oauth1', lambda: oauth('HMAC-SHA256')),
    'OAuth 1.0a, RSA-SHA1': ('oauth1', lambda: oauth('RSA-SHA1', private_key=key_of('rsa'))),
    'OAuth 1.0a, PLAINTEXT': ('oauth1', lambda: oauth('PLAINTEXT')),
    'AWS version 2': ('aws', lambda: {'aws': {**AWS, 'bucket': 'photos'}}),
    'AWS version 4': ('aws', lambda: {'aws': AWS4}),
    'AWS version 4, in the query': ('aws', lambda: {'aws': {**AWS4, 'sign_query': True}}),
    'HTTP signature, hmac-sha256': ('httpsig', lambda: signature('hmac-sha256', 'secret')),
    'HTTP signature, rsa-sha256': ('httpsig', lambda: signature('rsa-sha256', key_of('rsa'))),
    'HTTP signature, ecdsa-sha256': ('httpsig', lambda: signature('ecdsa-sha256', key_of('ecdsa'))),
    'HTTP signature, ed25519': ('httpsig', lambda: signature('ed25519', key_of('ed25519'))),
    'HTTP message signature, hmac-sha256': ('rfc9421', lambda: message('hmac-sha256', 'secret')),
    'HTTP message signature, rsa-pss-sha512': ('rfc9421', lambda: message('rsa-pss-sha512', key_of('rsa'))),
    'HTTP message signature, rsa-v1_5-sha256': ('rfc9421', lambda: message('rsa-v1_5-sha256', key_of('rsa'))),
    'HTTP message signature, ecdsa-p256-sha256': ('rfc9421', lambda: message('ecdsa-p256-sha256', key_of('ecdsa'))),
    'HTTP message signature, ed25519': ('rfc9421', lambda: message('ed25519', key_of('ed25519'))),
}
"""What is measured: the module of requite.auth that it needs, and the options."""


class Cost(NamedTuple):
    """Microseconds of CPU a request, one figure a round: without the signer, and what it adds."""

    name: str
    plain: tuple[float, ...]
    added: tuple[float, ...]


def able(name: str) -> bool:
    """Whether this version of requite signs so."""
    module = SIGNERS[name][0]
    there = find_spec(f'requite.auth.{module}') is not None
    return there and (module != 'rfc9421' or find_spec('http_message_signatures') is not None)


def _spent(get: Callable[..., Any], count: int) -> float:
    start = time.process_time()
    for _ in repeat(None, count):
        get(URL).end()
    return (time.process_time() - start) / count * 1e6


def measure(name: str, rounds: int, count: int) -> Cost:
    """The cost of one way of signing; every round takes its turn without it and with it."""
    transport = Ready()
    plain = Requests(transport=transport).defaults()
    signed = Requests(transport=transport).defaults(SIGNERS[name][1]())
    SESSIONS.clear()
    transport.asks = name.split(', ')[1] if SIGNERS[name][0] == 'digest' else ''
    assert signed.get(URL).end().status_code == 200
    transport.asks = ''
    for get in (plain.get, signed.get):
        _spent(get, count // 5)
    before: list[float] = []
    added: list[float] = []
    for _ in range(rounds):
        sent = transport.sent
        before.append(_spent(plain.get, count))
        added.append(_spent(signed.get, count) - before[-1])
        assert transport.sent - sent == 2 * count, 'a signature cost a round trip'
    return Cost(name, tuple(before), tuple(added))


def table(costs: Sequence[Cost]) -> str:
    """The figures in Markdown."""
    lines = ['| signer | adds | lowest to highest |', '|---|---|---|']
    for name, _, added in costs:
        lines.append(f'| {name} | {median(added):.0f} µs | {min(added):.0f} to {max(added):.0f} |')
    return '\n'.join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog='python -m tests.benchmarks.signers', description=__doc__)
    parser.add_argument('--quick', action='store_true', help='few and short turns: a look, not a measurement')
    parser.add_argument('--write', action='store_true', help=f'write the table into {PAGE.relative_to(ROOT)}')
    chosen = parser.parse_args(words)
    rounds, count = (3, 200) if chosen.quick else (9, 1000)
    with one_core():
        costs = [measure(name, rounds, count) for name in SIGNERS if able(name)]
    plain = median(figure for cost in costs for figure in cost.plain)
    python = f'{platform.python_implementation()} {platform.python_version()}'
    text = f'{python}; medians of {rounds} rounds; the request alone takes {plain:.0f} µs without a network.\n\n{table(costs)}'
    print(text)
    for name in SIGNERS:
        if not able(name):
            print(f'not measured: {name}: requite.auth.{SIGNERS[name][0]}, or its package, is not there')
    if chosen.write:
        page = PAGE.read_text(encoding='utf-8')
        start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
        PAGE.write_text(f'{page[:start]}\n\n{text}\n\n{page[end:]}', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
