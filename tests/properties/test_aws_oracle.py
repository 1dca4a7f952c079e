"""AWS signatures as botocore, AWS's own library, makes them: the same requests, whatever they are."""

from __future__ import annotations

import datetime as dt
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from requite.auth import aws2, awshosts
from requite.auth.aws import presigned, signer
from requite.message import BytesBody, Carry, Draft
from requite.options import EMPTY
from requite.wire.uri import parse

botocore = pytest.importorskip('botocore', reason='botocore is not installed')
from botocore import auth, awsrequest, credentials  # noqa: E402

NOW = 1440938160
STAMP = '20150830T123600Z'
KEY, SECRET = 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

texts = st.text(st.characters(exclude_categories=('Cs', 'Cc'), max_codepoint=0x2FFFF), max_size=8)
segments = st.one_of(texts, st.sampled_from(['.', '..', '', 'a;b', 'a+b', 'a%20b', "!'()*", 'x=y', '~', '@:$&,']))
paths = st.lists(segments, max_size=5).map(lambda pieces: '/' + '/'.join(aws_escaped(piece, '/~') for piece in pieces))
queries = st.lists(st.tuples(texts.filter(bool), st.one_of(texts, st.none())), max_size=4)
unlike = queries.map(lambda pairs: list({name: (name, value) for name, value in pairs}.values()))
names = st.sampled_from(
    'accept cache-control content-type cookie if-match x-amz-meta-a x-amz-meta-a-b x-amz-acl x-other referer range user-agent'.split()
)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20).map(str.strip)
methods = st.sampled_from('GET PUT POST DELETE PATCH HEAD OPTIONS'.split())
sessions = st.one_of(st.none(), st.just('AQoDYXdzEPT//////wEXAMPLE=='))


def aws_escaped(text: str, safe: str = '~') -> str:
    """Text as botocore's serialisers put it into an address: only ``-._~`` stay, and slashes in paths."""
    return quote(text, safe=safe)


def written(pairs: list[tuple[str, str | None]]) -> str:
    pieces = [aws_escaped(name) + ('' if value is None else f'={aws_escaped(value)}') for name, value in pairs]
    return ('?' if pieces else '') + '&'.join(pieces)


class Frozen:
    """The moment that botocore is told, too."""

    def now(self) -> float:
        return NOW

    def nonce(self, size: int) -> str:
        raise AssertionError('nothing here is random')


def at_that_moment() -> Any:
    moment = dt.datetime.fromtimestamp(NOW, dt.timezone.utc).replace(tzinfo=None)
    return mock.patch.object(auth, 'get_current_datetime', return_value=moment)


def draft(method: str, url: str, fields: dict[str, str], body: bytes) -> Draft:
    uri = parse(url)
    made = Draft(EMPTY, Carry(method, uri, BytesBody(body) if body else None))
    made.fields = {name: (name, value) for name, value in fields.items()}
    made.default('host', uri.host_field)
    return made


def theirs(method: str, url: str, fields: dict[str, str], body: bytes) -> Any:
    # Node, and so requite, does not sign Range; botocore does.
    shown = {name: value for name, value in fields.items() if name != 'range'}
    return awsrequest.AWSRequest(method=method, url=url, headers=shown, data=body)


@settings(deadline=None, max_examples=150)
@given(
    methods, paths, queries, st.dictionaries(names, values, max_size=5), st.binary(max_size=40), sessions, st.booleans()
)
def test_version_4_signs_as_botocore_does(
    method: str, path: str, pairs: list[Any], fields: dict[str, str], body: bytes, session: str | None, s3: bool
) -> None:
    service = 's3' if s3 else 'dynamodb'
    url = f'https://bucket.s3.eu-west-1.amazonaws.com{path}{written(pairs)}'
    ours = draft(method, url, fields, body)
    option = {
        'key': KEY,
        'secret': SECRET,
        'session': session,
        'sign_version': 4,
        'service': service,
        'region': 'eu-west-1',
    }
    signer(option).sign(ours, Frozen())
    assert ours.uri.href == url, 'what botocore writes has the one spelling already'
    request = theirs(method, url, fields, body)
    kind = auth.S3SigV4Auth if s3 else auth.SigV4Auth
    with at_that_moment():
        kind(credentials.Credentials(KEY, SECRET, session), service, 'eu-west-1').add_auth(request)
    assert ours.get('authorization') == request.headers['Authorization']
    assert ours.get('x-amz-content-sha256') == request.headers.get('X-Amz-Content-SHA256')


@settings(deadline=None, max_examples=60)
@given(methods, paths, unlike, sessions, st.integers(1, 604800), st.booleans())
def test_an_address_is_presigned_as_botocore_does_it(
    method: str, path: str, pairs: list[Any], session: str | None, expires: int, s3: bool
) -> None:
    service = 's3' if s3 else 'execute-api'
    url = f'https://bucket.s3.eu-west-1.amazonaws.com{path}{written(pairs)}'
    option = {
        'key': KEY,
        'secret': SECRET,
        'session': session,
        'service': service,
        'region': 'eu-west-1',
        'expires': expires,
    }
    ours = presigned(url, option, method, clock=Frozen())
    request = awsrequest.AWSRequest(method=method, url=url)
    kind = auth.S3SigV4QueryAuth if s3 else auth.SigV4QueryAuth
    with at_that_moment():
        kind(credentials.Credentials(KEY, SECRET, session), service, 'eu-west-1', expires=expires).add_auth(request)
    assert ours.rpartition('&X-Amz-Signature=')[2] == request.url.rpartition('&X-Amz-Signature=')[2]


resources = st.lists(
    st.tuples(
        st.sampled_from('acl uploads versionId partNumber response-content-type prefix x tagging'.split()),
        st.one_of(st.none(), texts.filter(bool)),
    ),
    max_size=4,
    unique_by=lambda pair: pair[0],
)


@settings(deadline=None, max_examples=150)
@given(methods, paths, resources, st.dictionaries(names, values.filter(bool), max_size=5), sessions, st.booleans())
def test_version_2_signs_as_botocore_does(
    method: str, path: str, pairs: list[Any], fields: dict[str, str], session: str | None, dated: bool
) -> None:
    fields = {
        **fields,
        **({'x-amz-date': 'Sun, 30 Aug 2015 12:36:00 GMT'} if dated else {'date': 'Sun, 30 Aug 2015 12:36:00 GMT'}),
    }
    url = f'http://s3.amazonaws.com{path}{written(pairs)}'
    ours = draft(method, url, fields, b'')
    signer({'key': KEY, 'secret': SECRET, 'session': session}).sign(ours, Frozen())
    request = awsrequest.AWSRequest(method=method, url=url, headers=fields)
    kept = auth.HmacV1Auth(credentials.Credentials(KEY, SECRET, session))
    with mock.patch.object(kept, '_get_date', return_value=fields.get('date', '')):
        kept.add_auth(request)
    assert ours.get('authorization') == request.headers['Authorization']


def test_the_sub_resources_of_version_2_hold_all_that_botocore_knows() -> None:
    assert set(auth.HmacV1Auth.QSAOfInterest) <= aws2.SUBRESOURCES | aws2.OVERRIDES


def test_service_and_region_are_read_from_the_hosts_of_almost_all_services_of_botocore() -> None:
    import botocore.session

    session = botocore.session.Session()
    wrong: list[str] = []
    asked = 0
    for service in [
        *session.get_available_services()[::5],
        *'s3 s3control sts iam dynamodb sqs es ses lambda bedrock-runtime'.split(),
    ]:
        client = session.create_client(service, 'us-west-2', aws_access_key_id=KEY, aws_secret_access_key=SECRET)
        host = client.meta.endpoint_url.partition('//')[2].partition('/')[0]
        wanted = session.get_service_model(service).signing_name, 'us-west-2'
        if not host.endswith('.us-west-2.amazonaws.com'):
            continue
        asked += 1
        came = awshosts.place(host)
        if came != wanted:
            wrong.append(f'{host}: {came}, not {wanted}')
    assert asked > 50
    assert len(wrong) <= asked * 0.04, '\n'.join(wrong)
