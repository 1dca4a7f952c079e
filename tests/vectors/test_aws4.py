"""AWS signature version 4 against AWS's own test suite, read where it lies beside the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from requite.auth import aws4
from requite.auth.aws import signer
from requite.message import BytesBody, Carry, Draft
from requite.options import EMPTY
from requite.wire.uri import parse

VECTORS = Path(__file__).parents[3] / 'shared' / 'vectors' / 'aws_sigv4_suite.json'
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding='utf-8')) if VECTORS.is_file() else []

# The suite's published throw-away identity.
KEY, SECRET = 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
REGION, SERVICE = 'us-east-1', 'service'
FIELD = re.compile(r'([^\s:]+):(.*)', re.DOTALL)

pytestmark = pytest.mark.skipif(
    not CASES, reason='../shared/vectors/aws_sigv4_suite.json is not beside this repository'
)
of_each_case = pytest.mark.parametrize('case', CASES or [{}], ids=[case['name'] for case in CASES] or ['none'])
# The other three have targets with blanks and foreign letters: on the wire they are percent-encoded, which version 4 signs in another way.
SENDABLE = [case for case in CASES if case['req'].isascii() and case['req'].partition('\n')[0].count(' ') == 2]
of_each_that_can_be_sent = pytest.mark.parametrize(
    'case', SENDABLE or [{}], ids=[case['name'] for case in SENDABLE] or ['none']
)


class Frozen:
    """Half past twelve on the suite's day."""

    def now(self) -> float:
        return 1440938160.0

    def nonce(self, size: int) -> str:
        raise AssertionError('nothing here is random')


def read(case: dict[str, Any], what: str = 'req') -> tuple[str, str, dict[str, tuple[str, Any]], bytes]:
    """Method, target, fields and content of a request as the suite writes it."""
    head, _, body = case[what].partition('\n\n')
    first, _, rest = head.partition('\n')
    method, _, target = first.rpartition(' ')[0].partition(' ')
    fields: dict[str, tuple[str, Any]] = {}
    for line in re.split(r'\n(?!\s)', rest.rstrip('\n')):
        name, value = FIELD.fullmatch(line).groups()  # type: ignore[union-attr]
        lowered = name.lower()
        fields[lowered] = (name, (*fields[lowered][1], value)) if lowered in fields else (name, (value,))
    return method, target, fields, body.encode()


@of_each_case
def test_the_canonical_request_the_string_to_sign_and_the_signature_are_the_suites(case: dict[str, Any]) -> None:
    method, target, fields, body = read(case)
    if 'x-amz-security-token' in case['creq']:
        fields = {**fields, 'x-amz-security-token': read(case, 'sreq')[2]['x-amz-security-token']}
    path, mark, query = target.partition('?')
    target = path + mark + aws4.respelled_query(query)
    payload = aws4.hashed(BytesBody(body), parse('http://example.amazonaws.com/'), False)
    names, canonical = aws4.canonical_request(method, target, fields, payload, False)
    assert canonical == case['creq']
    stamp = fields['x-amz-date'][1][0]
    text = aws4.string_to_sign(stamp, aws4.scope(stamp, REGION, SERVICE), canonical)
    assert text == case['sts']
    proof = aws4.signature(aws4.signing_key(SECRET, stamp[:8], REGION, SERVICE), text)
    assert case['authz'].endswith(f'SignedHeaders={names}, Signature={proof}')


@of_each_that_can_be_sent
def test_a_draft_is_signed_as_the_suite_signs_it(case: dict[str, Any]) -> None:
    method, target, fields, body = read(case)
    given: dict[str, Any] = {'key': KEY, 'secret': SECRET, 'sign_version': 4, 'service': SERVICE, 'region': REGION}
    if 'x-amz-security-token' in case['creq']:
        given['session'] = read(case, 'sreq')[2]['x-amz-security-token'][1][0]
    uri = parse('http://example.amazonaws.com' + target)
    draft = Draft(EMPTY, Carry(method, uri, BytesBody(body) if body else None))
    draft.fields = {name: field for name, field in fields.items() if name != 'x-amz-date'}
    signer(given).sign(draft, Frozen())
    assert draft.get('authorization') == case['authz']
    assert draft.get('x-amz-date') == '20150830T123600Z'
