"""AWS signature version 2 against the examples of the S3 developer guide, read where they lie beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from requite.auth import aws2
from requite.auth.aws import signer
from requite.message import Carry, Draft
from requite.options import EMPTY
from requite.wire.uri import parse

VECTORS = Path(__file__).parents[3] / 'shared' / 'vectors' / 'aws_v2.json'
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding='utf-8')) if VECTORS.is_file() else []

pytestmark = pytest.mark.skipif(not CASES, reason='../shared/vectors/aws_v2.json is not beside this repository')
of_each_case = pytest.mark.parametrize('case', CASES or [{}], ids=[case['name'] for case in CASES] or ['none'])


class Never:
    """The examples bring their dates."""

    def now(self) -> float:
        raise AssertionError('the date was given')

    def nonce(self, size: int) -> str:
        raise AssertionError('nothing here is random')


@of_each_case
def test_the_signature_of_a_published_string_is_reproduced(case: dict[str, Any]) -> None:
    assert aws2.signature(case['secret'], case['string_to_sign']) == case['signature']


@of_each_case
def test_a_draft_of_the_published_request_gets_its_signature(case: dict[str, Any]) -> None:
    method, md5, kind, date, *amazon, resource = case['string_to_sign'].split('\n')
    given = {'key': case['access_key'], 'secret': case['secret']}
    _, bucket, rest = [*resource.split('/', 2), ''][:3] if resource != '/' else ('', '', '')
    if bucket:
        given['bucket'] = bucket
    draft = Draft(EMPTY, Carry(method, parse(f'http://s3.amazonaws.com/{rest}'), None))
    draft.fields = {'host': ('host', 's3.amazonaws.com'), 'date': ('Date', date)}
    draft.fields |= {name: (name, value) for name, value in (('content-md5', md5), ('content-type', kind)) if value}
    for line in reversed(amazon):
        name, _, value = line.partition(':')
        draft.fields[name] = (name, tuple(value.split(',')))
    signer(given).sign(draft, Never())
    assert draft.get('authorization') == f'AWS {case["access_key"]}:{case["signature"]}'
    assert aws2.resource(draft.target, bucket or None) == resource
