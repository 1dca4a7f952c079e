"""Hawk against the published vectors, read where they lie beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from requite.auth.challenges import parse
from requite.auth.hawk import Artifacts, signer
from requite.message import BytesBody, Carry, Draft
from requite.options import EMPTY
from requite.wire.uri import parse as parse_uri

VECTORS = Path(__file__).parents[3] / 'shared' / 'vectors' / 'hawk.json'
CASES: dict[str, list[dict[str, Any]]] = json.loads(VECTORS.read_text(encoding='utf-8')) if VECTORS.is_file() else {}

pytestmark = pytest.mark.skipif(not CASES, reason='../shared/vectors/hawk.json is not beside this repository')


class Told:
    """A clock that says what the vector says."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case

    def now(self) -> float:
        return float(self.case['ts'])

    def nonce(self, size: int) -> str:
        return str(self.case['nonce'])


def artifacts(case: dict[str, Any]) -> Artifacts:
    """What a vector says is signed."""
    return Artifacts(
        str(case['ts']),
        case['nonce'],
        case['method'],
        case['resource'],
        case['host'],
        str(case['port']),
        case.get('ext', ''),
        case.get('app'),
        case.get('dlg'),
    )


@pytest.mark.parametrize(
    'case', [*CASES.get('mac', [{}]), *CASES.get('normalized', [])], ids=lambda case: case.get('name', 'text')
)
def test_a_published_text_is_what_is_signed(case: dict[str, Any]) -> None:
    assert artifacts(case).normalised('header', case.get('hash')) == case['normalized']


@pytest.mark.parametrize('case', CASES.get('mac', [{}]), ids=lambda case: case.get('name', 'none'))
def test_a_published_mac_is_made(case: dict[str, Any]) -> None:
    keys = {name: case[name] for name in ('ext', 'app', 'dlg', 'payload') if name in case}
    if 'payload' in case:
        keys['content_type'] = case['content_type']
    if '\n' in keys.get('ext', ''):
        # it cannot be sent (a header has one line), but its MAC can be made
        hawk = signer({'credentials': {name: case[name] for name in ('id', 'key', 'algorithm')}})
        assert hawk.credentials.mac(artifacts(case).normalised('header', None)) == case['mac']
        return
    hawk = signer({'credentials': {name: case[name] for name in ('id', 'key', 'algorithm')}, **keys})
    scheme = 'https' if case['port'] == 443 else 'http'
    address = parse_uri(f'{scheme}://{case["host"]}:{case["port"]}{case["resource"]}')
    draft = Draft(EMPTY, Carry(case['method'], address, BytesBody(b'something else')))
    draft.set('host', address.host_field)
    hawk.sign(draft, Told(case))
    said = parse(draft.get('authorization') or '')[0].parameters
    assert (said['mac'], said.get('hash')) == (case['mac'], case.get('hash'))
    assert (said['id'], said['ts'], said['nonce']) == (case['id'], case['ts'], case['nonce'])
