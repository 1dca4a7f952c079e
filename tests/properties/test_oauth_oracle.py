"""OAuth 1.0a beside oauthlib, on requests that nobody thought of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from requite.auth import oauth1signature as signatures
from requite.auth.oauth1 import signer
from requite.message import BytesBody, Carry, Draft
from requite.options import EMPTY
from requite.wire import uri as uris
from requite.wire.qs import encode_component

oracle = pytest.importorskip('oauthlib.oauth1.rfc5849.signature', reason='oauthlib is not installed')

FORM = 'application/x-www-form-urlencoded'
TEXTS = st.text(st.characters(blacklist_categories=['Cs']), max_size=12)
NAMES = TEXTS.filter(lambda name: bool(name) and not name.startswith('oauth_') and name != 'realm')
PAIRS = st.lists(st.tuples(NAMES, TEXTS), max_size=5)
HOSTS = st.sampled_from(['h.test', 'H.Test:80', 'h.test:443', 'h.test:8080', '[::1]', '[::1]:8080'])
PATHS = st.sampled_from(['/', '/a', '/a%20b/', '/%C3%A4/;x=1', '/a//b', '/a+b'])


def urlencoded(pairs: list[tuple[str, str]], plus: bool) -> str:
    text = '&'.join(f'{encode_component(name)}={encode_component(value)}' for name, value in pairs)
    return text.replace('%20', '+') if plus else text


def drafted(method: str, url: str, form: str) -> Draft:
    uri = uris.parse(url)
    draft = Draft(EMPTY, Carry(method, uri, BytesBody(form.encode()) if form else None))
    draft.fields['host'] = ('host', uri.host_field)
    if form:
        draft.fields['content-type'] = ('content-type', FORM)
    return draft


class Fixed:
    """Time and nonce of one request."""

    def now(self) -> float:
        return 1700000000.0

    def nonce(self, size: int) -> str:
        return 'n' * size


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(['GET', 'POST', 'delete']),
    st.sampled_from(['http', 'https']),
    HOSTS,
    PATHS,
    PAIRS,
    PAIRS,
    st.booleans(),
    TEXTS,
    TEXTS,
    st.sampled_from(['HMAC-SHA1', 'HMAC-SHA256']),
    st.sampled_from(['header', 'query', 'body']),
)
def test_the_signature_is_the_one_that_oauthlib_expects(
    method: str,
    scheme: str,
    host: str,
    path: str,
    query: list[tuple[str, str]],
    form: list[tuple[str, str]],
    plus: bool,
    secret: str,
    token_secret: str,
    hashing: str,
    transport: str,
) -> None:
    text = urlencoded(query, plus)
    url = f'{scheme}://{host}{path}' + ('?' + text if text else '')
    body = urlencoded(form, plus)
    if transport == 'body':
        method, body = 'POST', body or 'a=1'
    draft = drafted(method, url, body)
    keys: dict[str, Any] = {'consumer_key': 'c k', 'consumer_secret': secret, 'token': 't&k', 'realm': 'r s'}
    keys |= {'token_secret': token_secret, 'signature_method': hashing, 'transport_method': transport}
    signer(keys).sign(draft, Fixed())
    sent = b''.join(draft.body.chunks()).decode() if draft.body is not None else ''
    # What a server does with it: collect, take the signature out, and make its own.
    headers = {'Authorization': draft.get('authorization')} if transport == 'header' else {}
    where = (draft.uri.query or '', sent if body else '', headers)
    collected = oracle.collect_parameters(*where, exclude_oauth_signature=False)
    proof = dict(collected)['oauth_signature']
    address = f'{scheme}://{draft.get("host")}{urlsplit(url).path}'
    came = SimpleNamespace(http_method=method, uri=address, params=oracle.collect_parameters(*where), signature=proof)
    verify = oracle.verify_hmac_sha1 if hashing == 'HMAC-SHA1' else oracle.verify_hmac_sha256
    assert verify(came, secret, token_secret)
    came.signature = proof[::-1]
    assert not verify(came, secret, token_secret)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=40))
def test_any_octets_can_be_signed_over(octets: bytes) -> None:
    text = signatures.normalized(signatures.pairs(octets))
    assert text.isascii()
    assert signatures.normalized(signatures.pairs(text)) == text
