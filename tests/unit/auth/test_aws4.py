"""Version 4 on drafts: what is signed, what is sent, and what is refused."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import pytest

from requite.auth import aws4
from requite.auth.aws import signer
from requite.body.source import FileBody
from requite.errors import InvalidBody
from requite.message import Draft

from .drafts import Frozen, Once, draft

GIVEN = {'key': 'AKIDEXAMPLE', 'secret': 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', 'sign_version': 4}
S3 = 'https://examplebucket.s3.eu-west-1.amazonaws.com'


def signed(made: Draft, **keys: Any) -> Draft:
    signer({**GIVEN, **keys}).sign(made, Frozen())
    return made


def proof(made: Draft) -> str:
    return made.get('authorization') or ''


def test_service_and_region_are_read_from_the_host_that_is_sent_unless_they_are_given() -> None:
    assert '/20140105/eu-west-1/s3/aws4_request' in proof(signed(draft(S3 + '/k')))
    own = draft('http://127.0.0.1:8000/', headers=[('Host', 'dynamodb.us-west-2.amazonaws.com:443')])
    assert '/us-west-2/dynamodb/aws4_request' in proof(signed(own))
    assert '/eu-west-1/execute-api/' in proof(signed(draft(S3 + '/k'), service='execute-api'))
    assert '/us-west-2/s3/' in proof(signed(draft(S3 + '/k'), region='us-west-2'))


def test_a_host_that_is_not_of_aws_gets_the_empty_service_of_node_which_is_odd_and_kept() -> None:
    assert '/20140105/us-east-1//aws4_request' in proof(signed(draft('http://127.0.0.1/')))


def test_the_hash_that_is_signed_for_s3_is_sent_where_node_only_signs_it() -> None:
    made = signed(draft(S3 + '/k', 'PUT', b'hello'))
    assert made.get('x-amz-content-sha256') == hashlib.sha256(b'hello').hexdigest()
    assert ';x-amz-content-sha256;' in proof(made)
    assert signed(draft(S3 + '/k')).get('x-amz-content-sha256') == aws4.EMPTY
    assert signed(draft('https://sts.amazonaws.com/', 'POST', b'a')).get('x-amz-content-sha256') is None


def test_the_token_of_a_session_is_sent_and_signed() -> None:
    made = signed(draft(S3 + '/k'), session='TOKEN')
    assert made.get('x-amz-security-token') == 'TOKEN'
    assert ';x-amz-security-token,' in proof(made)


def test_what_the_caller_wrote_of_its_fields_is_kept_and_signed() -> None:
    mine = {
        'x-amz-date': '20200101T000000Z',
        'x-amz-security-token': 'mine',
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    }
    made = signed(
        draft(S3 + '/k', 'PUT', b'x', [(name.title(), value) for name, value in mine.items()]), session='other'
    )
    assert {name: made.get(name) for name in mine} == mine
    assert '/20200101/' in proof(made)


def test_fields_that_proxies_change_are_not_signed_and_all_others_are() -> None:
    names = 'accept connection cookie expect proxy-authorization range te transfer-encoding user-agent x-amzn-trace-id x-own'.split()
    made = signed(draft(S3 + '/k', headers=[(name, 'v') for name in names]))
    assert 'SignedHeaders=accept;cookie;host;x-amz-content-sha256;x-amz-date;x-own,' in proof(made)


@pytest.mark.parametrize(
    ('target', 'sent'),
    [
        ('', '/'),
        ('/a//b/../c/./d', '/a//b/../c/./d'),
        ('/a;b', '/a%3Bb'),
        ('/a+b', '/a%2Bb'),
        ("/it's(a)*!", '/it%27s%28a%29%2A%21'),
        ('/%7ea%2fb%c3%a9', '/~a/b%C3%A9'),
        ('/k?x=a+b&y=;&acl&&z=%7e', '/k?x=a%20b&y=%3B&acl&z=~'),
        ('/k?', '/k'),
    ],
)
def test_an_s3_path_is_not_normalised_and_goes_out_in_the_spelling_that_is_signed(target: str, sent: str) -> None:
    assert signed(draft(S3 + target)).target == sent


def test_the_path_of_another_service_goes_out_as_it_is_and_its_query_in_the_one_spelling() -> None:
    assert signed(draft('https://iam.amazonaws.com/a;b//../c?x=1+2')).target == '/a;b//../c?x=1%202'
    assert aws4.canonical_path('/a;b//../c') == '/c'


def test_a_fragment_stays_in_the_address_and_out_of_the_signature() -> None:
    with_hash, without = signed(draft(S3 + '/a;b#part')), signed(draft(S3 + '/a;b'))
    assert proof(with_hash) == proof(without)
    assert with_hash.uri.hash == '#part'


class Twice(Once):
    """Content that may be read again."""

    replayable = True

    def chunks(self) -> Iterator[bytes]:
        yield from (b'hel', b'lo')


def test_a_stream_to_s3_over_https_is_not_hashed() -> None:
    for body in (Once(), Twice(), FileBody(io.BytesIO(b'hello'))):
        made = signed(draft(S3 + '/k', 'PUT', body))  # type: ignore[arg-type]
        assert made.get('x-amz-content-sha256') == 'UNSIGNED-PAYLOAD'


def test_what_can_be_read_twice_is_hashed_where_the_hash_is_needed() -> None:
    want = hashlib.sha256(b'hello').hexdigest()
    for body in (Twice(), FileBody(io.BytesIO(b'hello'))):
        assert signed(draft(S3.replace('https', 'http') + '/k', 'PUT', body)).get('x-amz-content-sha256') == want  # type: ignore[arg-type]
        assert b''.join(body.chunks()) == b'hello'
    as_bytes = proof(signed(draft('https://sts.amazonaws.com/', 'POST', b'hello')))
    assert proof(signed(draft('https://sts.amazonaws.com/', 'POST', Twice()))) == as_bytes


def test_a_stream_whose_hash_is_needed_is_an_error_that_names_the_fix() -> None:
    with pytest.raises(InvalidBody, match='give bytes, a file or a list, or use https'):
        signed(draft(S3.replace('https', 'http') + '/k', 'PUT', Once()))
    with pytest.raises(InvalidBody, match='or use the header x-amz-content-sha256, and say it yourself'):
        signed(draft('https://sts.amazonaws.com/', 'POST', Once()))
    pinned = [('x-amz-content-sha256', 'UNSIGNED-PAYLOAD')]
    assert 'Signature=' in proof(signed(draft('https://sts.amazonaws.com/', 'POST', Once(), pinned)))


def test_a_signature_in_the_query_leaves_the_fields_alone() -> None:
    made = signed(draft(S3 + '/k?a'), sign_query=True, expires=60, session='T')
    assert made.get('authorization') is None
    assert list(made.fields) == ['host']
    assert made.target.startswith('/k?a&X-Amz-Algorithm=AWS4-HMAC-SHA256&')
    assert '&X-Amz-Expires=60&X-Amz-Security-Token=T&X-Amz-SignedHeaders=host&X-Amz-Signature=' in made.target


def test_a_signature_takes_the_place_of_a_user_in_the_address() -> None:
    basic = [('authorization', 'Basic dTpw')]
    assert proof(signed(draft(S3 + '/k', headers=basic))).startswith('AWS4-')
    assert signed(draft(S3 + '/k', headers=basic), sign_query=True).get('authorization') is None


def test_blanks_within_a_value_count_as_one_and_lines_of_one_name_are_joined() -> None:
    names, lines = aws4.canonical_fields({'x-b': ('X-B', ('  1   2 ', '3')), 'x-a': ('x-a', "it's  'a'")})
    assert (names, lines) == ('x-a;x-b', "x-a:it's 'a'\nx-b:1 2,3\n")


def test_a_key_is_derived_once_a_day_region_and_service_and_few_are_kept() -> None:
    made: Any = signer(GIVEN)
    for number in range(aws4.MAX_KEYS + 3):
        made.sign(draft(f'https://sts.region-name-{number}.amazonaws.com/'), Frozen())
        made.sign(draft(f'https://sts.region-name-{number}.amazonaws.com/'), Frozen())
    assert 0 < len(made._keys) <= aws4.MAX_KEYS
