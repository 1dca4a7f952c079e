"""Which service and region of AWS a host name stands for. Facts of AWS's endpoints, kept as one table."""

from __future__ import annotations

import re

DEFAULT_REGION = 'us-east-1'

S3 = frozenset(('s3', 's3express', 's3-object-lambda', 's3-outposts'))
"""Services whose paths are object keys: escaped once, never normalised; the hash of their content goes along."""

_SUFFIX = re.compile(r'\.(?:amazonaws\.com(?:\.cn)?|api\.aws)\Z')
_REGION = re.compile(r'[a-z]{2,4}(-[a-z]+)+-\d+')
_ON_AWS = re.compile(r'[^.]+\.lambda-url\.([^.]+)\.on\.aws')
_BUCKET = re.compile(r'(.+)\.s3(?:-[a-z0-9-]+)?(?:\.[a-z0-9.-]+)?\.amazonaws\.com(?:\.cn)?')

_OTHER_NAMES = dict(
    pair.split('=')
    for pair in (
        'email=ses mail-manager=ses bedrock-runtime=bedrock bedrock-agent=bedrock bedrock-agent-runtime=bedrock bedrock-data-automation=bedrock '
        'bedrock-data-automation-runtime=bedrock bedrock-agentcore-control=bedrock-agentcore appconfigdata=appconfig appstream2=appstream '
        'cloudhsmv2=cloudhsm cloudsearchdomain=cloudsearch contact-lens=connect forecastquery=forecast ivsrealtime=ivs cassandra-streams=cassandra '
        'identity-chime=chime media-pipelines-chime=chime meetings-chime=chime messaging-chime=chime voice-chime=chime models-v2-lex=lex '
        'runtime-v2-lex=lex marketplace=aws-marketplace agreement-marketplace=aws-marketplace deployment-marketplace=aws-marketplace '
        'discovery-marketplace=aws-marketplace reporting-marketplace=aws-marketplace memory-db=memorydb migrationhub-config=mgh '
        'partnercentral-prm=partnercentral personalize-events=personalize personalize-runtime=personalize pinpoint=mobiletargeting s3-control=s3 '
        'servicecatalog-appregistry=servicecatalog data-signer=signer oidc=sso-oauth '
        'portal.sso=awsssoportal participant.connect=execute-api sms-voice.pinpoint=sms-voice jobs.iot=iot-jobs-data tunneling.iot=IoTSecuredTunneling'
    ).split()
)
"""Hosts that say another name than the one that is signed, by their last label or their last two. (A host that is not here can be helped with ``service``.)"""


def place(host: str) -> tuple[str, str]:
    """The service and the region of a host name, its port left out.

    Of a host that is not AWS's the service is '' and the region us-east-1: that is what Node signs for, and kept; servers that only speak AWS's
    language take it or want ``service`` said.
    """
    host = host.lower().rstrip('.')
    url = _ON_AWS.fullmatch(host)
    if url is not None:
        return 'lambda', url[1]
    found = _SUFFIX.search(host)
    if found is None:
        return '', DEFAULT_REGION
    *rest, last = host[: found.start()].split('.')
    if rest and last == 'dualstack':
        last = rest.pop()
    if rest and _REGION.fullmatch(last):  # dynamodb.eu-west-1.amazonaws.com, s3.dualstack.eu-west-1.amazonaws.com
        name = rest.pop()
        return _signed_as(rest.pop() if name == 'dualstack' and rest else name, last, rest)
    if rest and _REGION.fullmatch(rest[-1]):  # search-x.eu-west-1.es.amazonaws.com
        return _signed_as(last, rest[-1], rest[:-1])
    return _signed_as(last, None, rest)  # iam.amazonaws.com, bucket.s3.amazonaws.com


def bucket(host: str) -> str | None:
    """The bucket that a host name of S3's begins with, None where it names none."""
    found = _BUCKET.fullmatch(host.lower())
    return found[1] if found is not None else None


def _signed_as(name: str, region: str | None, rest: list[str]) -> tuple[str, str]:
    name = name.removesuffix('-fips').removeprefix('fips-')
    if (
        name.startswith('s3-') and name not in S3 and name != 's3-control'
    ):  # s3-eu-west-1, s3-accelerate, s3-website-eu-west-1
        written = name.removeprefix('s3-').removeprefix('website-')
        return 's3', written if _REGION.fullmatch(written) else region or DEFAULT_REGION
    if name.startswith('s3express-'):
        name = 's3express'
    if name == 'iot' and rest and rest[-1].endswith('-ats'):
        name = 'iotdata'
    longer = f'{rest[-1]}.{name}' if rest else ''
    return _OTHER_NAMES.get(longer) or _OTHER_NAMES.get(name, name), region or DEFAULT_REGION
