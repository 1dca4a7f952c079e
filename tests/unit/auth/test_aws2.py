"""Version 2 on drafts: AWS's rules where Node's request has others."""

from __future__ import annotations

from typing import Any

import pytest

from requite.auth import aws2
from requite.auth.aws import signer
from requite.message import Draft

from .drafts import DATE, Frozen, draft

GIVEN = {'key': 'AKIDEXAMPLE', 'secret': 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'}


def signed(made: Draft, **keys: Any) -> Draft:
    signer({**GIVEN, **keys}).sign(made, Frozen())
    return made


def proof(text: str) -> str:
    return f'AWS AKIDEXAMPLE:{aws2.signature(GIVEN["secret"], text)}'


def test_the_date_is_set_and_signed() -> None:
    made = signed(draft('http://h/k'))
    assert made.get('date') == DATE
    assert made.get('authorization') == proof(f'GET\n\n\n{DATE}\n/k')


def test_a_date_of_the_callers_is_kept_where_node_writes_over_it() -> None:
    made = signed(draft('http://h/k', headers=[('Date', 'Tue, 27 Mar 2007 19:36:42 +0000')]))
    assert made.get('date') == 'Tue, 27 Mar 2007 19:36:42 +0000'
    assert made.get('authorization') == proof('GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/k')


def test_x_amz_date_goes_before_date_and_leaves_its_line_empty() -> None:
    made = signed(draft('http://h/k', headers=[('X-Amz-Date', DATE)]))
    assert made.get('date') is None
    assert made.get('authorization') == proof(f'GET\n\n\n\nx-amz-date:{DATE}\n/k')
    both = signed(draft('http://h/k', headers=[('X-Amz-Date', DATE), ('date', 'whatever')]))
    assert both.get('authorization') == made.get('authorization')


def test_the_token_of_a_session_is_sent_and_signed_where_node_leaves_it_out() -> None:
    made = signed(draft('http://h/k'), session='TOKEN')
    assert made.get('x-amz-security-token') == 'TOKEN'
    assert made.get('authorization') == proof(f'GET\n\n\n{DATE}\nx-amz-security-token:TOKEN\n/k')


def test_fields_are_sorted_by_name_and_not_by_line_as_in_node() -> None:
    fields = {'x-amz-meta-a-b': ('', '1'), 'x-amz-meta-a': ('', ('2', ' 3 ')), 'x-amzn-trace-id': ('', 'no')}
    assert aws2.amazon_fields(fields) == 'x-amz-meta-a:2,3\nx-amz-meta-a-b:1\n'


@pytest.mark.parametrize(
    ('target', 'bucket', 'resource'),
    [
        ('/', None, '/'),
        ('/k', 'b', '/b/k'),
        ('/a%20b;%2f', 'b', '/b/a%20b;%2f'),
        ('/k?prefix=a&max-keys=2', None, '/k'),
        ('/k?versionId=3&acl&x', None, '/k?acl&versionId=3'),
        ('/k?tagging&lifecycle&delete&cors', None, '/k?cors&delete&lifecycle&tagging'),
        ('/k?response-content-type=text%2Fplain&x=y', 'b', '/b/k?response-content-type=text/plain'),
        ('/k?uploadId=a%2Bb%3D', None, '/k?uploadId=a+b='),
    ],
)
def test_the_resource_holds_every_sub_resource_that_aws_names_sorted_and_unescaped(
    target: str, bucket: str | None, resource: str
) -> None:
    assert aws2.resource(target, bucket) == resource


def test_the_bucket_is_read_from_a_host_of_s3_unless_it_is_given() -> None:
    with_host = signed(draft('http://my.bucket.s3.eu-west-1.amazonaws.com/k'))
    assert with_host.get('authorization') == proof(f'GET\n\n\n{DATE}\n/my.bucket/k')
    given = signed(draft('http://my.bucket.s3.eu-west-1.amazonaws.com/k'), bucket='other')
    assert given.get('authorization') == proof(f'GET\n\n\n{DATE}\n/other/k')


@pytest.mark.parametrize(
    ('now', 'text'),
    [
        (0, 'Thu, 01 Jan 1970 00:00:00 GMT'),
        (951782400.9, 'Tue, 29 Feb 2000 00:00:00 GMT'),
        (1440938160, 'Sun, 30 Aug 2015 12:36:00 GMT'),
    ],
)
def test_the_date_is_written_as_http_writes_it_whatever_the_locale(now: float, text: str) -> None:
    assert aws2.http_date(now) == text
