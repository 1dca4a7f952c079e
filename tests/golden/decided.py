"""Where requite is meant to do something else than Node's request did: the case's id, the reason, and what happens instead.

Every entry is checked. A case that is flagged as a quirk in the corpus and not listed here is counted apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .decision import PLAIN, SERVER, Decision, answered

_BASE = 'http://127.0.0.1:{{port}}'
_GZIPPED = {'type': 'string', 'value': 'gzip \u00e9 text ' * 3}
_ON_SOCKET = ['host', '{{unix}}']
_NO_BODY = ['request', 'response', 'end', 'complete']
_FORM_BODY = '--{{boundary}}\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n--{{boundary}}--\r\n'
_MULTIPART = [['content-type', 'multipart/form-data; boundary={{boundary}}'], ['content-length', '{{content-length}}']]
_KEPT_BODY = {'requests.1.body': 'data', 'headers.1.content-type': 'text/plain'}
_EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
_HELLO_SHA256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
_SIGNED_SHA256 = re.compile(r'^AWS4-HMAC-SHA256 .*SignedHeaders=[a-z0-9;-]*x-amz-content-sha256')
_DIGEST_SHA256 = re.compile(r'^Digest (?=.*algorithm=SHA-256)(?=.*digest-response:mismatch)')
"""The recorder verifies MD5 only: a response that it can verify is no SHA-256."""
_HAWK_EXT = re.compile(r'^Hawk (?=.*ext="a \\"b\\" )(?=.*mac="DGlVyrK/CBDkRH07eKaPyqQs/fjUkKmNlQ5xwV8mEUk=")')
"""The MAC over an ext of which every backslash is escaped."""


def _aborted(*events: str) -> dict[str, object]:
    return {'outcomes': [{'calls': 0, 'events': [*events, 'abort']}]}


def _not_followed(status: int) -> dict[str, object]:
    entry = answered(target='/start', status=status, headers={'location': '/end'}, came={'type': 'string', 'value': ''})
    entry['outcomes'][0]['events'] = _NO_BODY
    if status != 304:
        entry['outcomes'][0]['response']['headers']['content-length'] = '0'
    return entry


_ARGS = {
    'args-method-lowercase-get': Decision(
        'a GET in lower case announces no body', changes={'headers.0.content-length': None}
    ),
    'args-whatwg-url': Decision(
        'request.uri has the same fields whatever kind of URL was given',
        changes={
            'outcomes.0.response.request.uri': {
                'href': _BASE + '/p?q=1',
                'path': '/p?q=1',
                'port': '{{port}}',
                'query': 'q=1',
            }
        },
    ),
    'args-head-method-lowercase-body': Decision(
        'a body on HEAD is an error in any spelling of the method', error='InvalidBody'
    ),
    'args-uri-unicode': Decision(
        'text beyond ASCII goes out percent-encoded as UTF-8',
        changes=answered(target='/caf%C3%A9/%E6%97%A5%E6%9C%AC?q=%C3%BC'),
    ),
}

_BODY = {
    'body-array-unicode': Decision(
        'the length counts bytes', changes={'requests.0.body': 'h\u00e9x', 'headers.0.content-length': '4'}
    ),
    'body-number': Decision(
        'a body of the wrong type is an error before anything is sent (SECURITY Q5)', error='InvalidBody'
    ),
    'body-object': Decision('a mapping as body needs json=True (SECURITY Q5)', error='InvalidBody'),
    'body-user-transfer-encoding': Decision(
        'never both content-length and chunked (SECURITY Q3)', changes={'headers.0.content-length': None}
    ),
    'form-bytes': Decision('bytes are an urlencoded form as they are', changes={'requests.0.body': 'a=1'}),
    'json-zero': Decision(
        'any JSON value given as json is the body',
        changes={
            'requests.0.body': '0',
            'headers.0.accept': 'application/json',
            'headers.0.content-type': 'application/json',
            'outcomes.0.response.body': {'type': 'json', 'value': 6},
        },
    ),
    'json-empty-string': Decision(
        'any JSON value given as json is the body',
        changes={
            'requests.0.body': '""',
            'headers.0.accept': 'application/json',
            'headers.0.content-type': 'application/json',
            'outcomes.0.response.body': {'type': 'json', 'value': 6},
        },
    ),
    'json-true-body-json-text': Decision('as in Node: with json=True the body is a value, and text is a string'),
    'json-response-bom': Decision(
        'a byte order mark is not part of JSON',
        changes={'outcomes.0.response.body': {'type': 'json', 'value': {'a': 1}}},
    ),
    'json-response-big-number': Decision(
        'integers are exact in Python',
        changes={'outcomes.0.response.body': {'type': 'json', 'value': {'n': 12345678901234567890}}},
    ),
}

_QUERIES = {
    'qs-empty-object': Decision('an empty qs changes nothing', changes={'target.0': '/?a=b+c&e'}),
    'qs-uri-hash': Decision(
        'the query goes before the fragment', changes={'requests.0.target': '/p?a=1', 'uri': _BASE + '/p?a=1#frag'}
    ),
    'qs-string': Decision('qs is a mapping; text belongs into the uri', error='OptionsError'),
    'qs-querystring-special': Decision('as in Node: with use_querystring nested values are empty'),
    'baseurl-query-uri': Decision('a query is appended to the base as it is', changes={'target.0': '/api?a=1'}),
    'baseurl-base-with-query': Decision('the query of the base stays a query', changes={'target.0': '/api/x?k=1'}),
    'baseurl-uri-contains-scheme': Decision(
        'only a scheme at the beginning makes a uri absolute', changes=answered(target='/x?u=http://y')
    ),
    'defaults-headers-case-conflict': Decision('as in Node: the value of the call wins whatever the spelling'),
    'defaults-qs-array-merge': Decision('a list replaces the default list', changes={'target.0': '/?a%5B0%5D=x'}),
    'defaults-options-verb-missing': Decision(
        'what defaults() gives has every verb',
        changes=answered('OPTIONS', fields=[['a', '1'], ['content-length', '0']]),
    ),
    'headers-null-value': Decision('None removes a header (API.md 3)', changes={'headers.0.x-n': None}),
    'headers-duplicate-case': Decision(
        'what the caller gives is sent, both of them',
        changes={
            'requests.0.headers': [['X-Dup', '1'], ['x-dup', '2'], ['host', SERVER]],
            'outcomes.0.response.request.headers': {'x-dup': ['1', '2']},
        },
    ),
}

_FORMS = {
    'formdata-boolean': Decision('a value of the wrong type is an error before anything is sent', error='OptionsError'),
    'formdata-undefined': Decision(
        'a value that is left out in Python is not there',
        changes=answered('POST', '/up', fields=_MULTIPART, body=_FORM_BODY % ('name="a"', '1')),
    ),
    'formdata-filename-quote': Decision(
        'quotes in file names are escaped as browsers do (SECURITY Q6)',
        changes={'requests.0.body': _FORM_BODY % ('name="f"; filename="a%22b.txt"\r\nContent-Type: text/plain', 'abc')},
    ),
    'formdata-name-quote': Decision(
        'quotes in names are escaped (SECURITY Q6)', changes={'requests.0.body': _FORM_BODY % ('name="a%22b"', '1')}
    ),
    'formdata-object': Decision('a mapping as value needs a value in it', error='OptionsError'),
    'formdata-content-length-header': Decision(
        'a length that cannot be right is an error (SECURITY Q3)', error='OptionsError'
    ),
    'formdata-redirect-307-followall': Decision(
        'a form of values can be sent again (SECURITY R14)',
        changes={
            'requests': [
                {
                    'method': 'POST',
                    'target': target,
                    'headers': [*_MULTIPART, *referer, ['host', SERVER]],
                    'body': body,
                }
                for body in [_FORM_BODY % ('name="a"', '1')]
                for target, referer in (('/up', []), ('/b', [['referer', _BASE + '/up']]))
            ],
            'outcomes.0.no_outcome': None,
            'outcomes.0.calls': 1,
            'outcomes.0.events': ['request', 'redirect', *PLAIN],
            'outcomes.0.response.statusCode': 200,
            'outcomes.0.response.headers': {'content-type': 'text/plain', 'content-length': '2'},
            'outcomes.0.response.body': {'type': 'string', 'value': 'ok'},
        },
    ),
    'multipart-body-missing': Decision('a part without body is an error before anything is sent', error='OptionsError'),
    'multipart-not-array': Decision(
        'multipart without parts is an error before anything is sent', error='OptionsError'
    ),
}

_AUTH = {
    'auth-basic-false-maxredirects-0': Decision(
        'the answer to a challenge is no redirect',
        changes={
            'requests': [
                {'method': 'GET', 'target': '/protected', 'headers': [['host', SERVER], *more]}
                for more in ([], [['authorization', 'Basic dGVzdDp0ZXN0aW5nMg=='], ['referer', _BASE + '/protected']])
            ],
            'outcomes': [
                {
                    'calls': 1,
                    'events': ['request', 'redirect', *PLAIN],
                    'response': {
                        'statusCode': 200,
                        'headers': {'content-type': 'text/plain', 'content-length': '2'},
                        'body': {'type': 'string', 'value': 'ok'},
                    },
                }
            ],
        },
    ),
    'auth-uri-bad-percent': Decision('credentials that cannot be decoded are an error of the uri', error='InvalidURI'),
    'auth-uri-double-decoded': Decision(
        'credentials are decoded once', changes={'headers.0.authorization': 'Basic dXNlcjphJTQxYg=='}
    ),
    'auth-bearer-false-basic-challenge': Decision(
        'credentials answer only the scheme that they were given for (SECURITY A4)',
        changes=answered(
            target='/protected',
            status=401,
            headers={'www-authenticate': 'Basic realm="Private"', 'content-length': '6'},
            came={'type': 'string', 'value': 'denied'},
        ),
    ),
    'auth-invalid-pass': Decision(
        'a password of None is one that was not given',
        changes=answered(target='/protected', fields=[['authorization', 'Basic dTo=']]),
    ),
    'auth-empty-object': Decision('an error of the credentials stops the request', error='OptionsError'),
    'auth-chain-undefined': Decision(
        'an error of the credentials stops the request', error=('OptionsError', 'TypeError')
    ),
    'auth-digest-md5-sess-no-qop': Decision(
        'MD5-sess always has a cnonce (RFC 7616)', changes={'headers.1.authorization': re.compile(r'^Digest .*cnonce=')}
    ),
    'auth-digest-sha256': Decision(
        'SHA-256 is computed as claimed', changes={'headers.1.authorization': _DIGEST_SHA256}
    ),
    'auth-digest-user-quote': Decision(
        'quotes are escaped (SECURITY A2)', changes={'headers.1.authorization': re.compile(r'username="a\\"b"')}
    ),
    'auth-digest-lowercase': Decision(
        'parameter names have no case', changes={'headers.1.authorization': re.compile(r'^Digest .*realm="r"')}
    ),
    'auth-digest-spaces': Decision(
        'blanks around = are allowed', changes={'headers.1.authorization': re.compile(r'^Digest .*realm="r"')}
    ),
    'auth-digest-basic-first': Decision(
        'the strongest scheme of all is answered', changes={'headers.1.authorization': re.compile(r'^Digest ')}
    ),
    'auth-redirect-cross-port': Decision(
        'another port is another origin (SECURITY R1)', changes={'headers.1.authorization': None}
    ),
    'auth-redirect-post-cross-host-307-followall': Decision(
        'no credentials for an origin that the caller did not name (SECURITY R1)',
        changes={'headers.1.authorization': None},
    ),
    'auth-redirect-uri-credentials': Decision(
        'no credentials in referer and history (SECURITY R5, Q9)',
        changes={
            'headers.1.referer': _BASE + '/a',
            'outcomes.0.redirects': [{'statusCode': 302, 'redirectUri': _BASE + '/b'}],
        },
    ),
    'auth-redirect-location-credentials': Decision(
        'no credentials in the history (SECURITY Q9)',
        changes={'outcomes.0.redirects': [{'statusCode': 302, 'redirectUri': _BASE + '/b'}]},
    ),
    'auth-redirect-uri-credentials-cross-host': Decision(
        'no credentials in referer (SECURITY R5)', changes={'headers.1.referer': _BASE + '/a'}
    ),
}

_SIGNERS = {
    'oauth-existing-authorization': Decision(
        'a header written by hand wins over any signer', changes={'headers.0.authorization': 'x'}
    ),
    'oauth-body-transport-get': Decision('an error of the options stops the request', error='OptionsError'),
    'oauth-body-hash-plaintext': Decision('an error of the options stops the request', error='OptionsError'),
    'oauth-redirect-cross-host-307': Decision(
        'another origin gets no signature (SECURITY R4)', changes={'headers.1.authorization': None}
    ),
    'hawk-ext-quotes': Decision('a line break cannot stand in a header', error='OptionsError'),
    'hawk-ext-escape': Decision(
        'what is signed is escaped as what is sent', changes={'headers.0.authorization': _HAWK_EXT}
    ),
    'hawk-bad-algorithm': Decision('an unknown algorithm is an error', error='OptionsError'),
    'aws-v2-date-header': Decision(
        'the date of the caller is kept and signed',
        changes={
            'headers.0.date': 'Tue, 27 Mar 2007 19:36:42 +0000',
            'headers.0.authorization': re.compile(r'^AWS AKIAIOSFODNN7EXAMPLE:'),
        },
    ),
    'aws-v2-qs': Decision(
        'AWS signs the names that override fields of the answer, and S3 refuses what Node sends',
        changes={'headers.0.authorization': 'AWS AKIAIOSFODNN7EXAMPLE:BH8AsajAblq/OH29fm+0mEd+dyk='},
    ),
    'aws-v2-redirect-cross-host': Decision(
        'another origin gets no signature (SECURITY R4)',
        changes={'headers.1.authorization': None, 'headers.1.date': None},
    ),
    'aws-v4-put-body': Decision(
        'the hash that is signed is sent',
        changes={'headers.0.x-amz-content-sha256': _HELLO_SHA256, 'headers.0.authorization': _SIGNED_SHA256},
    ),
    'aws-v4-host-s3': Decision(
        'the hash that is signed is sent',
        changes={'headers.0.x-amz-content-sha256': _EMPTY_SHA256, 'headers.0.authorization': _SIGNED_SHA256},
    ),
    'aws-v4-host-header': Decision(
        'region and service come from the Host that is sent',
        changes={'headers.0.authorization': re.compile(r'^AWS4-HMAC-SHA256 .*/us-east-1/dynamodb/aws4_request')},
    ),
}

_REDIRECTS = {
    'redirect-get-304': Decision('304 is no redirect', changes=_not_followed(304)),
    'redirect-get-305': Decision('305 is no redirect (RFC 9110 15.4.6)', changes=_not_followed(305)),
    'redirect-post-308-all': Decision(
        '308 keeps method and body (RFC 9110 15.4.9)',
        changes={'requests.1.method': 'POST', 'requests.1.body': 'data', 'outcomes.0.response.request.method': 'POST'},
    ),
    'redirect-post-301-original': Decision('a method that is kept keeps its body', changes=_KEPT_BODY),
    'redirect-post-303-original': Decision(
        '303 always means GET (RFC 9110 15.4.4)',
        changes={'requests.1.method': 'GET', 'outcomes.0.response.request.method': 'GET'},
    ),
    'redirect-put-302-original': Decision('a method that is kept keeps its body', changes=_KEPT_BODY),
    'redirect-patch-302-original': Decision('a method that is kept keeps its body', changes=_KEPT_BODY),
    'redirect-post-308-original': Decision('a method that is kept keeps its body', changes=_KEPT_BODY),
    'redirect-two-locations': Decision(
        "two different Locations are nobody's redirect (SECURITY R11)", error='InvalidURI', sent=1
    ),
    'redirect-fragment-in-uri': Decision(
        'a fragment is inherited (RFC 9110 10.2.2) and never in referer',
        changes={
            'headers.1.referer': _BASE + '/start',
            'uri': _BASE + '/end#keep',
            'outcomes.0.redirects': [{'statusCode': 302, 'redirectUri': _BASE + '/end#keep'}],
        },
    ),
    'redirect-utf8-location': Decision(
        'UTF-8 in Location goes out percent-encoded (SECURITY R10)',
        changes={
            'target.1': '/caf%C3%A9',
            'outcomes.0.redirects': [{'statusCode': 302, 'redirectUri': _BASE + '/caf%C3%A9'}],
        },
    ),
    'redirect-cross-host-custom-headers': Decision(
        'a cookie header stays with the origin it was given for (SECURITY R1)', changes={'headers.1.cookie': None}
    ),
    'redirect-custom-host-header-307': Decision(
        'a Host header stays with the origin it was given for', changes={'headers.1.host': 'localhost:{{port}}'}
    ),
    'cookies-on-redirect-cross-host-preset': Decision(
        'the jar is asked anew for each hop (SECURITY C2)', changes={'headers.1.cookie': None}
    ),
    'cookies-on-redirect-deleted': Decision(
        'the jar is asked anew for each hop (SECURITY C2)', changes={'headers.1.cookie': None}
    ),
    'cookies-domain-localhost': Decision(
        'localhost is no public suffix for itself', changes={'headers.1.cookie': 'a=1; b=2'}
    ),
    'cookies-malformed': Decision('an empty Set-Cookie is no cookie', changes={'headers.1.cookie': 'ok=1'}),
    'proxy-env-redirect': Decision(
        'the environment is asked for each hop',
        changes={
            'requests.1.on': 'proxy',
            'requests.1.target': 'http://origin.test:{{port}}/x',
        },
    ),
    'unix-qs': Decision(
        'a URI shows its default port the same way whether it has a query or not',
        changes={'outcomes.0.response.request.uri.port': '80'},
    ),
    'unix-no-path': Decision(
        'the href of a socket ends in its path, / where none was given',
        changes={'outcomes.0.response.request.uri.href': 'http://unix{{unix}}:/'},
    ),
    'unix-redirect': Decision(
        'a relative redirect stays on the socket that the caller named; none leads to another one (SECURITY R7)',
        changes={
            'requests.1': {
                'method': 'GET',
                'target': '/q',
                'on': 'unix',
                'headers': [_ON_SOCKET, ['referer', 'http://localhost/p']],
            },
            'outcomes': [
                {
                    **answered()['outcomes'][0],
                    'events': ['request', 'redirect', *PLAIN],
                    'response': {
                        'statusCode': 200,
                        'headers': {'content-type': 'text/plain', 'content-length': '2'},
                        'body': {'type': 'string', 'value': 'ok'},
                    },
                    'redirects': [{'statusCode': 302, 'redirectUri': 'http://unix:{{unix}}:/q'}],
                }
            ],
        },
    ),
}

_DECODING = {
    'encoding-gzip-x-gzip': Decision('x-gzip is gzip (SECURITY B3)', changes={'outcomes.0.response.body': _GZIPPED}),
    'encoding-gzip-double': Decision(
        'a list of codings is undone (SECURITY B3)',
        changes={'outcomes.0.response.body': {'type': 'string', 'value': 'x'}},
    ),
    'encoding-deflate-raw': Decision(
        'deflate without its wrapper is accepted (SECURITY B3)',
        changes=answered(
            fields=[['accept-encoding', 'gzip, deflate']],
            headers={'content-encoding': 'deflate', 'content-length': '18'},
            came=_GZIPPED,
        ),
    ),
    'encoding-charset-ignored': Decision('as in Node: encoding says how text is read, utf-8 unless given (API.md 3)'),
    'encoding-unknown': Decision('an unknown encoding is an error at the call', error='OptionsError'),
    'encoding-bom-utf-8': Decision(
        'both spellings of utf-8 are one', changes={'outcomes.0.response.body': {'type': 'string', 'value': 'bom'}}
    ),
    'encoding-gzip-truncated': Decision(
        'a stream cut short is an error (SECURITY S1)', error='ResponseAborted', code='Z_BUF_ERROR', sent=1
    ),
    'encoding-gzip-truncated-half': Decision(
        'a stream cut short is an error (SECURITY S1)', error='ResponseAborted', code='Z_BUF_ERROR', sent=1
    ),
}
_ERRORS = {
    'errors-timeout-negative': Decision('a negative timeout is an error at the call', error='OptionsError'),
    'errors-timeout-string': Decision('a timeout as text is an error at the call', error='OptionsError'),
    'errors-abort-on-response': Decision(
        'abort() gives the abort event and no callback', changes=_aborted('request', 'response')
    ),
    'errors-destroy-waiting': Decision('there is abort() and no destroy()', changes=_aborted('request')),
    'errors-status-101': Decision('101 is an error (SECURITY S10)', error='MalformedResponse', sent=1),
    'errors-status-999': Decision('a status beyond 599 is an error (SECURITY S12)', error='MalformedResponse', sent=1),
    'errors-huge-header': Decision(
        'a line may have 64 KiB (SECURITY S9)',
        changes=answered(headers={'x-huge': 'a' * 20000, 'content-length': '1'}, came={'type': 'string', 'value': 'x'}),
    ),
    'errors-extra-bytes': Decision(
        'what follows a complete answer costs the connection, not the answer (SECURITY S4)',
        changes=answered(headers={'content-length': '2'}),
    ),
}

_PIPES = {
    'pipe-file-no-method': Decision('a body is always framed, on GET too', changes={'requests.0.body': 'x'}),
    'pipe-with-auth-challenge': Decision('a stream cannot be sent again (SECURITY R14)', error='RequestError', sent=1),
    'pipe-out-http-gzip': Decision(
        'the length of the compressed body is not that of the decoded one', changes={'outcomes.0.piped.headers': []}
    ),
    'har-headers': Decision(
        'every header of the HAR is sent',
        changes={
            'requests.0.headers': [['x-a', '1'], ['X-B', '2'], ['x-a', '3'], ['host', SERVER]],
            'outcomes.0.response.request.headers.x-a': ['1', '3'],
        },
    ),
    'har-form-text': Decision(
        'text of a form is the form',
        changes={
            'requests.0.body': 'foo=bar',
            'headers.0.content-type': 'application/x-www-form-urlencoded',
        },
    ),
    'har-override': Decision(
        'options override the HAR, as documented',
        changes={
            'requests.0.method': 'PUT',
            'headers.0.b': 'opt',
            'outcomes.0.response.request.method': 'PUT',
        },
    ),
}

DECIDED: dict[str, Decision] = {
    **_ARGS,
    **_BODY,
    **_QUERIES,
    **_FORMS,
    **_AUTH,
    **_SIGNERS,
    **_REDIRECTS,
    **_DECODING,
    **_ERRORS,
    **_PIPES,
}
"""Every decision by the id of its case."""


LATER: dict[str, Callable[[dict[str, Any], dict[str, Any]], bool]] = {}
"""What a version without the capability answers without an error, told by case and expectation. Such a case counts as later while it fails."""
