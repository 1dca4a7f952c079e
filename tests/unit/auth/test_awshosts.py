"""What host names of AWS say."""

from __future__ import annotations

import pytest

from requite.auth.awshosts import bucket, place


@pytest.mark.parametrize(
    ('host', 'service', 'region'),
    [
        ('s3.amazonaws.com', 's3', 'us-east-1'),
        ('b.s3.amazonaws.com', 's3', 'us-east-1'),
        ('B.S3.eu-west-1.AmazonAWS.com.', 's3', 'eu-west-1'),
        ('s3-eu-west-1.amazonaws.com', 's3', 'eu-west-1'),
        ('b.s3.dualstack.eu-west-1.amazonaws.com', 's3', 'eu-west-1'),
        ('b.s3-accelerate.dualstack.amazonaws.com', 's3', 'us-east-1'),
        ('b.s3-accelerate.amazonaws.com', 's3', 'us-east-1'),
        ('s3.cn-north-1.amazonaws.com.cn', 's3', 'cn-north-1'),
        ('b.s3express-use1-az4.us-east-1.amazonaws.com', 's3express', 'us-east-1'),
        ('iam.amazonaws.com', 'iam', 'us-east-1'),
        ('sts-fips.us-gov-west-1.amazonaws.com', 'sts', 'us-gov-west-1'),
        ('search-x.us-west-2.es.amazonaws.com', 'es', 'us-west-2'),
        ('x.us-west-2.aoss.amazonaws.com', 'aoss', 'us-west-2'),
        ('x.execute-api.eu-central-1.amazonaws.com', 'execute-api', 'eu-central-1'),
        ('email.us-east-1.amazonaws.com', 'ses', 'us-east-1'),
        ('bedrock-runtime.us-east-1.amazonaws.com', 'bedrock', 'us-east-1'),
        ('x-ats.iot.eu-west-1.amazonaws.com', 'iotdata', 'eu-west-1'),
        ('portal.sso.eu-west-1.amazonaws.com', 'awsssoportal', 'eu-west-1'),
        ('x.lambda-url.eu-west-1.on.aws', 'lambda', 'eu-west-1'),
        ('ec2.eu-west-1.api.aws', 'ec2', 'eu-west-1'),
        ('127.0.0.1', '', 'us-east-1'),
        ('amazonaws.com', '', 'us-east-1'),
        ('s3.eu-west-1.amazonaws.com.evil.example', '', 'us-east-1'),
        ('evilamazonaws.com', '', 'us-east-1'),
    ],
)
def test_a_host_names_its_service_and_region(host: str, service: str, region: str) -> None:
    assert place(host) == (service, region)


@pytest.mark.parametrize(
    ('host', 'name'),
    [
        ('b.s3.amazonaws.com', 'b'),
        ('a.b.s3-us-west-2.amazonaws.com', 'a.b'),
        ('b.s3.dualstack.eu-west-1.amazonaws.com', 'b'),
        ('s3.amazonaws.com', None),
        ('s3.eu-west-1.amazonaws.com', None),
        ('b.example.com', None),
    ],
)
def test_a_host_of_s3_may_name_the_bucket(host: str, name: str | None) -> None:
    assert bucket(host) == name
