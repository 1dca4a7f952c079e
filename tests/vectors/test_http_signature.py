"""HTTP Signature against the published vectors, read where they lie beside the repository."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from requite.auth import httpsig
from tests.unit.auth.drafts import Frozen, draft
from tests.unit.auth.keyring import rsa_from

VECTORS = Path(__file__).parents[3] / 'shared' / 'vectors' / 'http_signature.json'
TOLD: dict[str, Any] = json.loads(VECTORS.read_text(encoding='utf-8')) if VECTORS.is_file() else {}
CASES: list[dict[str, Any]] = TOLD.get('cases', [])

pytestmark = pytest.mark.skipif(not CASES, reason='../shared/vectors/http_signature.json is not beside this repository')


def signed(case: dict[str, Any], **more: Any) -> str:
    """The signature that we make for a vector's request."""
    told = TOLD['request']
    headers = [(name, case.get('date', value) if name == 'Date' else value) for name, value in told['headers']]
    unsigned = draft(f'http://example.com{told["target"]}', told['method'], told['body'].encode(), headers)
    numbers = TOLD['private_key']['pem_from_rsa_numbers']
    key = case.get('secret') or rsa_from(int(numbers['p'], 16), int(numbers['q'], 16), numbers['e'])
    given = {'key_id': case['key_id'], 'key': key, 'algorithm': case['algorithm'], 'headers': case['headers'], **more}
    httpsig.signer(given).sign(unsigned, Frozen())
    value = unsigned.get('authorization') or ''
    assert value.startswith(f'Signature keyId="{case["key_id"]}",algorithm="{case["algorithm"]}",headers="')
    return value.rpartition('signature="')[2].removesuffix('"')


@pytest.mark.parametrize('case', CASES or [{}], ids=[case['name'] for case in CASES] or ['none'])
def test_a_published_vector_is_reproduced(case: dict[str, Any]) -> None:
    assert signed(case) == case['signature']


@pytest.mark.parametrize('case', CASES or [{}], ids=[case['name'] for case in CASES] or ['none'])
def test_a_published_signature_is_over_the_published_text(case: dict[str, Any]) -> None:
    if 'secret' in case:
        import hmac

        made = hmac.new(case['secret'].encode(), case['signing_string'].encode(), case['algorithm'][5:]).digest()
        assert base64.b64encode(made).decode() == signed(case)
        return
    public: Any = load_pem_public_key(TOLD['public_key'].encode())
    public.verify(base64.b64decode(signed(case)), case['signing_string'].encode(), padding.PKCS1v15(), hashes.SHA256())


def test_the_published_digest_is_reproduced() -> None:
    for told in TOLD['body_digest']:
        unsigned = draft(method='POST', body=told['body'].encode())
        httpsig.signer({'key_id': 'k', 'key': 's', 'algorithm': 'hmac-sha256', 'headers': ['digest']}).sign(
            unsigned, Frozen()
        )
        assert unsigned.get('digest') == f'SHA-256={told["sha256"]}'
        assert base64.b64decode(told['sha256']) == hashlib.sha256(told['body'].encode()).digest()
