"""HTTP Signature as npm's http-signature parses and verifies it: the package that Node's request signs with, and its last version."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from requite import request
from tests.unit.auth.keyring import KINDS, PASSPHRASE, forms, key, public, written

from .npm import node, node_server, npm_folder

PACKAGES = ('http-signature@1.4.0', 'of-request@npm:http-signature@1.2.0')
SECRET = 's\xe9cret, shared'
VERIFIER = """
const http = require('http');
const keys = JSON.parse(process.argv[3]);
http.createServer((req, res) => {
  const old = req.headers['x-verifier'] === '1.2.0';
  const scheme = require(old ? 'of-request' : 'http-signature');
  let said;
  try {
    const wanted = JSON.parse(req.headers['x-wanted'] || '["date"]');
    const parsed = scheme.parseRequest(req, {headers: wanted, authorizationHeaderName: req.headers['x-header-name']});
    const key = keys[parsed.keyId];
    const hmac = parsed.algorithm.startsWith('HMAC');
    const right = hmac ? scheme.verifyHMAC(parsed, key) : scheme.verifySignature(parsed, key);
    said = {right, algorithm: parsed.algorithm, keyId: parsed.keyId, params: parsed.params};
  } catch (error) {
    said = {right: false, error: error.name, message: error.message};
  }
  said.headers = req.rawHeaders;
  res.end(JSON.stringify(said));
}).listen(Number(process.argv[2]), '127.0.0.1');
"""


@pytest.fixture(scope='module')
def packages() -> Path:
    return npm_folder(*PACKAGES)


@pytest.fixture(scope='module')
def verifier(packages: Path) -> Iterator[str]:
    keys = {kind: public(kind).decode() for kind in KINDS} | {'shared': SECRET, 'a%sb 100% {0}': SECRET}
    with node_server(packages, VERIFIER, json.dumps(keys)) as address:
        yield address


def told(address: str, given: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What the verifier says of a request that we sign so."""
    headers = {'x-wanted': json.dumps(given.get('headers', ['date'])), **options.pop('headers', {})}
    response = request({'uri': address, 'headers': headers, 'http_signature': given, **options}).end()
    said: dict[str, Any] = json.loads(response.text)
    return said


ALGORITHMS = [
    *((f'rsa-{name}', 'rsa') for name in ('sha1', 'sha256', 'sha512')),
    *((f'hmac-{name}', 'shared') for name in ('sha1', 'sha256', 'sha512')),
    *((f'ecdsa-{name}', kind) for name in ('sha1', 'sha256', 'sha512') for kind in ('ecdsa', 'ecdsa-384', 'ecdsa-521')),
    ('ed25519-sha512', 'ed25519'),
]


@pytest.mark.parametrize(
    ('version', 'algorithm', 'name'),
    # http-signature knows no Ed25519 before 1.3
    [('1.4.0', *case) for case in ALGORITHMS] + [('1.2.0', *case) for case in ALGORITHMS if case[1] != 'ed25519'],
)
def test_every_algorithm_is_verified(verifier: str, version: str, algorithm: str, name: str) -> None:
    given = {
        'keyId': name,
        'key': SECRET if name == 'shared' else written(name),
        'algorithm': algorithm,
        'headers': ['(request-target)', 'host', 'date', 'digest', 'x-a', 'content-type'],
    }
    headers = {'x-verifier': version, 'X-A': '1'}
    said = told(verifier + '/a%20b?c=d', given, method='POST', json={'a': 1}, headers=headers)
    assert said['right'], said
    assert said['algorithm'] == algorithm.upper()
    assert said['keyId'] == name


@pytest.mark.parametrize(
    ('kind', 'form', 'encrypted'),
    [(kind, form, hidden) for kind in KINDS for hidden in (False, True) for form in forms(kind, encrypted=hidden)],
)
def test_every_form_of_a_key_is_verified(verifier: str, kind: str, form: str, encrypted: bool) -> None:
    given = {'keyId': kind, 'key': written(kind, form, encrypted=encrypted)}
    if kind == 'ecdsa-384':
        given['algorithm'] = 'ecdsa-sha256'  # the package knows no sha384
    if encrypted:
        given['passphrase'] = PASSPHRASE
    said = told(verifier, given)
    assert said['right'], said


def test_the_default_algorithm_of_each_key_is_the_packages(packages: Path, verifier: str) -> None:
    script = """
    const scheme = require('http-signature'), http = require('http');
    const keys = JSON.parse(require('fs').readFileSync(0));
    const made = {};
    for (const [name, key] of Object.entries(keys)) {
      const req = http.request('http://127.0.0.1:1/'); req.on('error', () => {}); req.destroy();
      scheme.sign(req, {keyId: name, key});
      made[name] = req.getHeader('authorization').match(/algorithm="([^"]*)"/)[1];
    }
    console.log(JSON.stringify(made));
    """
    ours, kinds = {}, [kind for kind in KINDS if kind != 'ecdsa-384']  # the package knows no sha384
    for kind in kinds:
        response = request(verifier, http_signature={'keyId': kind, 'key': written(kind)}).end()
        ours[kind] = response.request.headers['Authorization'].partition('algorithm="')[2].partition('"')[0]
    given = json.dumps({kind: written(kind).decode() for kind in kinds}).encode()
    assert json.loads(node(packages, script, given=given)) == ours


def test_an_ecdsa_signature_over_sha384_is_verified_by_the_packages_own_keys(packages: Path, verifier: str) -> None:
    given = {'keyId': 'ecdsa-384', 'key': key('ecdsa-384'), 'headers': ['date']}
    said = told(verifier, given)
    assert said['message'] == 'ecdsa-sha384 is not supported'
    fields = dict(zip(said['headers'][::2], said['headers'][1::2], strict=True))
    signature = fields['Authorization'].rpartition('signature="')[2].rstrip('"')
    script = """
    const sshpk = require('sshpk');
    const [pem, text, signature] = JSON.parse(require('fs').readFileSync(0));
    const verify = sshpk.parseKey(pem).createVerify('sha384');
    verify.update(text);
    console.log(verify.verify(signature, 'base64'));
    """
    pem = public('ecdsa-384').decode()
    for text, right in ((f'date: {fields["Date"]}', 'true'), ('date: never', 'false')):
        assert node(packages, script, given=json.dumps([pem, text, signature]).encode()).strip() == right


def test_the_parameters_of_the_last_version_are_verified(verifier: str) -> None:
    names = ['(created)', '(expires)', '(keyid)', '(algorithm)', '(opaque)', 'date']
    given = {
        'keyId': 'shared',
        'key': SECRET,
        'algorithm': 'hmac-sha512',
        'headers': names,
        'opaque': 'o',
        'expiresIn': 90,
    }
    said = told(verifier, given)
    assert said['right'], said
    assert said['params']['expires'] - said['params']['created'] == 90


def test_the_request_line_of_older_drafts_is_verified(verifier: str) -> None:
    given = {'keyId': 'rsa', 'key': written('rsa'), 'headers': ['request-line', 'host', 'date']}
    assert told(verifier + '/x?y=%7e', given)['right']


@pytest.mark.parametrize('name', ['Signature', 'X-Sig'])
def test_another_header_is_verified(verifier: str, name: str) -> None:
    given = {'keyId': 'rsa', 'key': written('rsa'), 'authorizationHeaderName': name}
    said = told(verifier, given, headers={'x-header-name': name.lower(), 'authorization': 'mine'})
    assert said['right'], said


def test_a_key_id_with_percent_signs_is_read_back(verifier: str) -> None:
    said = told(verifier, {'keyId': 'a%sb 100% {0}', 'key': SECRET, 'algorithm': 'hmac-sha256'})
    assert said['right'], said
    assert said['keyId'] == 'a%sb 100% {0}'


@pytest.mark.parametrize('name', ['rsa', 'ecdsa', 'ed25519', 'shared'])
def test_a_wrong_key_is_refused(verifier: str, name: str) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    wrong: dict[str, Any] = {
        'rsa': rsa.generate_private_key(65537, 2048),
        'ecdsa': ec.generate_private_key(ec.SECP256R1()),
        'ed25519': ed25519.Ed25519PrivateKey.generate(),
        'shared': SECRET + '!',
    }
    given = {'keyId': name, 'key': wrong[name], 'algorithm': 'hmac-sha256' if name == 'shared' else None}
    said = told(verifier, given)
    assert said['right'] is False
    assert 'error' not in said


class Changes:
    """Changes a header after everybody has signed."""

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value

    def sign(self, draft: Any, clock: Any) -> None:
        draft.set(self.name, self.value)


@pytest.mark.parametrize(
    ('name', 'value'), [('x-a', '2'), ('digest', 'SHA-256=AAAA'), ('date', None), ('host', 'evil.example')]
)
@pytest.mark.parametrize('kind', ['rsa', 'ecdsa', 'ed25519', 'shared'])
def test_a_signed_header_that_was_changed_is_refused(verifier: str, kind: str, name: str, value: str | None) -> None:
    if value is None:
        from email.utils import formatdate

        value = formatdate(usegmt=True).replace('GMT', '+0000')
    given = {
        'keyId': kind,
        'key': SECRET if kind == 'shared' else key(kind),
        'algorithm': 'hmac-sha256' if kind == 'shared' else None,
        'headers': ['host', 'date', 'digest', 'x-a'],
    }
    whole = told(verifier, given, headers={'x-a': '1'})
    assert whole['right'], whole
    said = told(verifier, given, headers={'x-a': '1'}, signers=[Changes(name, value)])
    assert said['right'] is False
    assert 'error' not in said


def test_a_signature_is_refused_for_another_method_or_target(verifier: str) -> None:
    given = {'keyId': 'ed25519', 'key': key('ed25519'), 'headers': ['(request-target)', 'date']}
    seen = told(verifier + '/mine?a=1', given)
    fields = dict(zip(seen['headers'][::2], seen['headers'][1::2], strict=True))
    for method, target, right in (
        ('GET', '/mine?a=1', True),
        ('DELETE', '/mine?a=1', False),
        ('GET', '/mine?a=2', False),
        ('GET', '/yours?a=1', False),
    ):
        replayed = http.client.HTTPConnection(urlsplit(verifier).netloc, timeout=10)
        replayed.request(method, target, headers=fields)
        assert json.loads(replayed.getresponse().read())['right'] is right
        replayed.close()
