"""Digest against the published vectors, read where they lie beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from requite.auth.challenges import information, parse, quoted
from requite.auth.digest import Session, demand
from requite.credentials import Credentials
from requite.message import BytesBody

VECTORS = Path(__file__).parents[3] / 'shared' / 'vectors' / 'digest.json'
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding='utf-8')) if VECTORS.is_file() else []

pytestmark = pytest.mark.skipif(not CASES, reason='../shared/vectors/digest.json is not beside this repository')


class Told:
    """A clock whose dice fall as the vector says."""

    def __init__(self, cnonce: str) -> None:
        self.cnonce = cnonce

    def now(self) -> float:
        return 0.0

    def nonce(self, size: int) -> str:
        return self.cnonce


@pytest.mark.parametrize('case', CASES or [{}], ids=[case['name'] for case in CASES] or ['none'])
def test_a_published_vector_is_reproduced(case: dict[str, Any]) -> None:
    asked = [f'realm={quoted(case["realm"])}', f'nonce={quoted(case["nonce"])}']
    asked += [f'{name}={quoted(case[name])}' for name in ('qop', 'algorithm', 'opaque', 'userhash') if name in case]
    demanded = demand(parse('Digest ' + ', '.join(asked))[0])
    assert demanded is not None
    clock = Told(case.get('cnonce', ''))
    answer = Session(demanded, clock).answer(clock)
    assert answer is not None
    body = BytesBody(case['entity_body'].encode()) if 'entity_body' in case else None
    credentials = Credentials(case['username'], case['password'])
    sent = information(answer.authorization(credentials, case['method'], case['uri'], body).removeprefix('Digest '))
    assert sent is not None
    for name in ('realm', 'uri', 'nonce', 'nc', 'cnonce', 'qop', 'algorithm', 'opaque', 'userhash', 'response'):
        if name in case:
            assert sent[name] == case[name], name
    if 'hashed_username' in case:
        assert sent['username'] == case['hashed_username']
