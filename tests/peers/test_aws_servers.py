"""AWS signatures as servers that nobody here wrote check them: moto with IAM enforced (version 4) and npm's s3rver (version 2)."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from requite import request

from .daemons import folder, free_port, running
from .npm import node_server, npm_folder

MOTO = all(importlib.util.find_spec(name) is not None for name in ('moto', 'boto3', 'flask', 'flask_cors'))
ALL = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
TRUST = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}'

# -- version 4: moto computes each signature with botocore, and lets in who has the rights


class Moto(NamedTuple):
    """The server's address, and the keys of a user who may do everything."""

    url: str
    aws: dict[str, Any]

    def s3(self, method: str, path: str, **options: Any) -> Any:
        aws = {**self.aws, 'service': 's3', **options.pop('aws', {})}
        return request(self.url + path, method=method, aws=aws, **options).end()

    def act(self, service: str, version: str, aws: dict[str, Any] | None = None, **form: str) -> Any:
        return request.post(
            self.url, form={'Version': version, **form}, aws={**(aws or self.aws), 'service': service}
        ).end()


def found(response: Any, name: str) -> str:
    match = re.search(f'<{name}>(.*?)</{name}>', response.body)
    assert match is not None, response.body
    return match[1]


@pytest.fixture(scope='module')
def moto() -> Iterator[Moto]:
    if not MOTO:
        pytest.skip('moto[s3], flask and flask-cors are not installed')
    port = free_port()
    start = 'import os, sys; os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "5"; from moto.server import main; main(sys.argv[1:])'
    with running([sys.executable, '-c', start, '-H', '127.0.0.1', '-p', str(port)], port) as url:
        nobody = Moto(url, {'key': 'AKIANOBODY', 'secret': 'nothing', 'sign_version': 4})
        iam = '2010-05-08'
        nobody.act('iam', iam, Action='CreateUser', UserName='ann')
        nobody.act('iam', iam, Action='PutUserPolicy', UserName='ann', PolicyName='all', PolicyDocument=ALL)
        nobody.act('iam', iam, Action='CreateRole', RoleName='all', AssumeRolePolicyDocument=TRUST)
        nobody.act('iam', iam, Action='PutRolePolicy', RoleName='all', PolicyName='all', PolicyDocument=ALL)
        made = nobody.act('iam', iam, Action='CreateAccessKey', UserName='ann')
        ann = {'key': found(made, 'AccessKeyId'), 'secret': found(made, 'SecretAccessKey'), 'sign_version': 4}
        ready = Moto(url, ann)
        assert ready.s3('PUT', '/bucket').status_code == 200
        yield ready


def test_who_knows_the_secret_is_let_in_and_who_does_not_is_refused(moto: Moto) -> None:
    assert moto.s3('PUT', '/bucket/k', body='hello').status_code == 200
    assert moto.s3('GET', '/bucket/k').body == 'hello'
    refused = moto.s3('GET', '/bucket/k', aws={'secret': moto.aws['secret'] + 'x'})
    assert (refused.status_code, found(refused, 'Code')) == (403, 'SignatureDoesNotMatch')
    unknown = moto.s3('GET', '/bucket/k', aws={'key': 'AKIAUNKNOWN'})
    assert (unknown.status_code, found(unknown, 'Code')) == (403, 'InvalidAccessKeyId')
    assert moto.s3('GET', '/bucket/k', aws={'session': 'made-up'}).status_code == 400


@pytest.mark.parametrize(
    'key',
    [
        'plain',
        'a;b',
        'a b',
        'a+b',
        'a%20b',
        "it's(a)*!",
        'caf\xe9',
        'a=b&c,d',
        'a:b@c$d',
        'deep/er/key',
        'a~b',
        '%7e%2d',
    ],
)
def test_any_key_of_an_object_is_signed_as_it_is_sent(moto: Moto, key: str) -> None:
    path = f'/bucket/{key}'
    assert moto.s3('PUT', path, body=key).status_code == 200
    assert moto.s3('GET', path).body == key


@pytest.mark.parametrize(
    'query',
    ['list-type=2', 'list-type=2&prefix=a;', 'prefix=a+b&max-keys=3', 'prefix=a%20b&x', 'versioning', 'prefix=%7e/'],
)
def test_any_query_is_signed_as_it_is_sent(moto: Moto, query: str) -> None:
    assert moto.s3('GET', f'/bucket?{query}').status_code == 200


def test_fields_bytes_files_and_forms_are_signed(moto: Moto) -> None:
    headers = {'x-amz-meta-a-b': 'it\'s  "1"', 'X-Amz-Meta-A': '2', 'content-type': 'text/x-own; a=b', 'accept': '*/*'}
    assert moto.s3('PUT', '/bucket/fields', body=b'\x00\xff' * 1000, headers=headers).status_code == 200
    assert moto.s3('PUT', '/bucket/file', body=io.BytesIO(b'from a file')).status_code == 200
    assert moto.s3('GET', '/bucket/file').body == 'from a file'
    assert moto.s3('DELETE', '/bucket/file').status_code == 204
    assert moto.s3('PUT', '/bucket/json', json={'a': 1}, gzip=True).status_code == 200


def test_services_of_the_query_and_the_json_kind_take_the_signature(moto: Moto) -> None:
    who = moto.act('sts', '2011-06-15', Action='GetCallerIdentity')
    assert found(who, 'Arn').endswith(':user/ann')
    tables = request.post(
        moto.url,
        body='{}',
        headers={'x-amz-target': 'DynamoDB_20120810.ListTables', 'content-type': 'application/x-amz-json-1.0'},
        aws={**moto.aws, 'service': 'dynamodb', 'region': 'eu-west-1'},
    ).end()
    assert (tables.status_code, tables.body) == (200, '{"TableNames": []}')


def test_a_session_signs_with_its_token(moto: Moto) -> None:
    made = moto.act(
        'sts', '2011-06-15', Action='AssumeRole', RoleArn='arn:aws:iam::123456789012:role/all', RoleSessionName='s'
    )
    session = {
        'key': found(made, 'AccessKeyId'),
        'secret': found(made, 'SecretAccessKey'),
        'session': found(made, 'SessionToken'),
    }
    assert moto.s3('PUT', '/bucket/by-session', body='x', aws=session).status_code == 200
    assert moto.s3('GET', '/bucket/by-session', aws={**session, 'secret': 'x'}).status_code == 403


# -- version 2: s3rver

S3RVER = """
const S3rver = require('s3rver');
new S3rver({
    port: Number(process.argv[2]), address: '127.0.0.1', silent: true, directory: process.argv[3],
    configureBuckets: [{ name: 'bucket' }],
}).run();
"""
AWS2 = {'key': 'S3RVER', 'secret': 'S3RVER'}


@pytest.fixture(scope='module')
def s3rver() -> Iterator[str]:
    packages = npm_folder('s3rver@3.7.1')
    with folder() as place, node_server(packages, S3RVER, str(Path(place) / 'data')) as address:
        yield address


def ask(address: str, path: str, method: str = 'GET', aws: dict[str, Any] | None = None, **options: Any) -> Any:
    # s3rver leaves the line of Date empty whatever the field says, so it only takes what is dated by x-amz-date.
    headers = {'x-amz-date': formatdate(usegmt=True), **options.pop('headers', {})}
    return request(address + path, method=method, aws={**AWS2, **(aws or {})}, headers=headers, **options).end()


def test_version_2_is_accepted_with_x_amz_date_and_other_fields(s3rver: str) -> None:
    headers = {'content-type': 'text/x-own', 'X-Amz-Meta-A': '1', 'x-amz-meta-a-b': '2', 'x-amz-acl': 'private'}
    assert ask(s3rver, '/bucket/a%20key', 'PUT', body='hello', headers=headers).status_code == 200
    came = ask(s3rver, '/bucket/a%20key', headers={'Date': 'Tue, 27 Mar 2007 19:36:42 +0000'})
    assert (came.status_code, came.body, came.headers['x-amz-meta-a-b']) == (200, 'hello', '2')


def test_version_2_with_the_wrong_secret_is_refused(s3rver: str) -> None:
    refused = ask(s3rver, '/bucket', aws={'secret': 'wrong'})
    assert (refused.status_code, found(refused, 'Code')) == (403, 'SignatureDoesNotMatch')


@pytest.mark.parametrize('query', ['', '?acl', '?prefix=a&max-keys=2', '?location', '?uploads', '?prefix=x&acl'])
def test_version_2_signs_the_sub_resources(s3rver: str, query: str) -> None:
    assert ask(s3rver, f'/bucket{query}').status_code in (200, 501), 'what s3rver cannot do it still lets in first'


def test_version_2_signs_the_names_that_override_fields_of_the_answer(s3rver: str) -> None:
    assert ask(s3rver, '/bucket/overridden', 'PUT', body='x').status_code == 200
    came = ask(s3rver, '/bucket/overridden', qs={'response-content-language': 'de', 'x': 'y'})
    assert (came.status_code, came.headers.get('content-language')) == (200, 'de')


def test_version_2_signs_for_a_bucket_that_the_host_names_whether_it_is_said_or_not(s3rver: str) -> None:
    host = {'host': 'bucket.s3.amazonaws.com'}
    assert ask(s3rver, '/hosted', 'PUT', {'bucket': 'bucket'}, body='x', headers=host).status_code == 200
    assert ask(s3rver, '/hosted', headers=host).body == 'x'
    assert ask(s3rver, '/hosted', aws={'bucket': 'other'}, headers=host).status_code == 403


def test_version_2_signs_with_the_token_of_a_session(s3rver: str) -> None:
    assert ask(s3rver, '/bucket', aws={'session': 'TOKEN=='}).status_code == 200
