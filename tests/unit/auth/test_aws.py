"""The keys of ``aws``: what they may be, and what is said when they are wrong."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest

from requite import OptionsError, request
from requite.auth.aws import presigned, signer
from requite.auth.aws2 import Version2
from requite.auth.aws4 import Version4
from requite.claims import claim, over
from requite.errors import InvalidOptionType, UnknownOption

from .drafts import Frozen, draft

KEY, SECRET, TOKEN = 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', 'AQoDYXdzEPT//////wEXAMPLE=='
GIVEN = {'key': KEY, 'secret': SECRET}
V4 = {**GIVEN, 'sign_version': 4}


@pytest.mark.parametrize(
    ('version', 'kind'), [(None, Version2), (2, Version2), ('2', Version2), (4, Version4), ('4', Version4)]
)
def test_version_2_signs_unless_version_4_is_asked_for_as_a_number_or_as_text(version: Any, kind: type) -> None:
    assert isinstance(signer({**GIVEN, 'sign_version': version}), kind)


@pytest.mark.parametrize(
    ('given', 'error', 'text'),
    [
        ({}, OptionsError, "key is missing; give 'key'"),
        ({'key': KEY}, OptionsError, 'secret is missing'),
        ({'secret': SECRET}, OptionsError, 'key is missing'),
        ({'key': '', 'secret': SECRET}, OptionsError, 'key is empty'),
        ({'key': KEY, 'secret': None}, OptionsError, 'secret is missing'),
        ({'key': 7, 'secret': SECRET}, InvalidOptionType, 'key must be a str, not an int'),
        ({'key': KEY, 'secret': SECRET.encode()}, InvalidOptionType, 'secret must be a str, not a bytes'),
        ({'key': 'AK ID', 'secret': SECRET}, OptionsError, 'key must be visible ASCII'),
        ({'key': 'AKID\r\nx: y', 'secret': SECRET}, OptionsError, 'key must be visible ASCII'),
        ({'key': KEY, 'secret': SECRET + '\n'}, OptionsError, 'secret has a blank or line break'),
        ({'key': KEY, 'secret': 'a\ud800'}, OptionsError, 'secret has'),
        ({**GIVEN, 'session': ''}, OptionsError, 'session is empty'),
        ({**GIVEN, 'session': 'a b'}, OptionsError, 'session must be visible ASCII'),
        ({**GIVEN, 'sign_version': 3}, OptionsError, 'sign_version must be 2 or 4, not 3'),
        ({**GIVEN, 'sign_version': True}, OptionsError, 'sign_version must be 2 or 4, not True'),
        ({**GIVEN, 'sign_version': 'four'}, OptionsError, 'sign_version must be 2 or 4, not a str'),
        ({**GIVEN, 'bucket': 'a/b'}, OptionsError, 'bucket must be the name alone'),
        ({**GIVEN, 'region': 'eu-west-1'}, OptionsError, "region belongs to version 4; add 'sign_version': 4"),
        ({**GIVEN, 'service': 's3'}, OptionsError, 'service belongs to version 4'),
        ({**GIVEN, 'sign_query': True}, OptionsError, 'sign_query belongs to version 4'),
        (
            {**V4, 'region': 'eu west'},
            OptionsError,
            "region may hold letters, digits, '-', '_' and '.' only, such as 'eu-west-1'",
        ),
        ({**V4, 'service': 's3/x'}, OptionsError, 'service may hold'),
        ({**V4, 'sign_query': 1}, InvalidOptionType, 'sign_query must be True or False, not 1'),
        ({**V4, 'expires': 60}, OptionsError, "expires belongs to a signature in the query; add 'sign_query': True"),
        ({**V4, 'sign_query': True, 'expires': '60'}, InvalidOptionType, 'expires must be an int of seconds'),
        ({**V4, 'sign_query': True, 'expires': 0}, OptionsError, 'expires must be from 1 to 604800'),
        ({**V4, 'sign_query': True, 'expires': 604801}, OptionsError, 'not 604801'),
        ({**GIVEN, 'buckett': 'b'}, UnknownOption, "did you mean 'bucket'?"),
        ({**GIVEN, 'accessKeyId': 'b'}, UnknownOption, "did you mean 'key'?"),
        ({**GIVEN, 'sessionToken': 'b'}, UnknownOption, "did you mean 'session'?"),
        ({**GIVEN, 'zzzzzzz': 'b'}, UnknownOption, 'it takes key, secret, session, bucket'),
    ],
)
def test_wrong_keys_are_errors_at_the_call_that_show_no_secret(given: dict[str, Any], error: type, text: str) -> None:
    with pytest.raises(error, match=re.escape(text)) as raised:
        request('http://unreachable.invalid/', aws=given)
    assert "option 'aws'" in str(raised.value)
    assert SECRET not in repr(raised.value) + str(raised.value)


def test_keys_of_the_call_go_over_those_of_the_defaults_and_none_takes_one_back() -> None:
    outer = claim('aws', {**GIVEN, 'session': TOKEN})
    inner = over(outer, claim('aws', {'signVersion': 4, 'session': None}))
    assert inner is not None
    made = draft('https://s3.amazonaws.com/')
    signer(inner.given).sign(made, Frozen())
    assert made.get('x-amz-security-token') is None
    assert (made.get('authorization') or '').startswith('AWS4-')
    with pytest.raises(OptionsError, match='secret is missing'):
        request.defaults(aws=GIVEN)('http://a.test/', aws={'secret': None})


def test_no_secret_stands_in_any_repr() -> None:
    given = {**V4, 'session': TOKEN}
    made = signer(given)
    shown = repr([claim('aws', given), made, vars(made), signer(GIVEN), vars(signer(GIVEN))])
    assert SECRET not in shown
    assert TOKEN not in shown


def test_no_secret_stands_in_an_error_that_signing_raises() -> None:
    with pytest.raises(OptionsError, match='x-amz-date must be like') as raised:
        signer(V4).sign(draft(headers=[('x-amz-date', 'today')]), Frozen())
    told = repr(raised.value) + str(pickle.loads(pickle.dumps(raised.value)))
    assert SECRET not in told
    assert KEY not in told


def test_an_address_is_signed_for_others_without_anything_being_sent() -> None:
    url = presigned('https://b.s3.eu-west-1.amazonaws.com/my file.txt?x=1', {**GIVEN, 'expires': 60}, clock=Frozen())
    head, _, query = url.partition('?')
    assert head == 'https://b.s3.eu-west-1.amazonaws.com/my%20file.txt'
    assert query.startswith(
        'x=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20140105%2Feu-west-1%2Fs3%2Faws4_request'
        '&X-Amz-Date=20140105T213140Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature='
    )
    assert SECRET not in url
    with pytest.raises(OptionsError, match='belongs to version 4'):
        presigned('https://b.s3.amazonaws.com/', {**GIVEN, 'sign_version': 2})


def test_the_session_of_a_presigned_address_is_in_it_and_fields_that_must_be_sent_are_named() -> None:
    url = presigned(
        'https://b.s3.amazonaws.com/k', {**GIVEN, 'session': TOKEN}, 'PUT', {'Content-Type': 'text/plain'}, Frozen()
    )
    assert '&X-Amz-Expires=3600&X-Amz-Security-Token=AQoDYXdzEPT%2F%2F%2F%2F%2F%2FwEXAMPLE%3D%3D&' in url
    assert '&X-Amz-SignedHeaders=content-type%3Bhost&' in url
