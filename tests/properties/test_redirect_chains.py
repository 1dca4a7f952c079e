"""Chains of redirects that nobody thought of: what proves who the caller is stays with the origin that was named, on whatever way.

SECURITY R1, R2, R3, R5, R8, R9, R13, R14, C2. The transport gives canned replies; everything above it is real.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite import RedirectRefused, Requests, TooManyRedirects
from requite.cookies import CookieJar
from requite.message import Hop
from requite.transport.memory import MemoryTransport

ORIGINS = [
    'https://one.test',
    'http://one.test',
    'https://one.test:8443',
    'https://two.test',
    'http://www.one.test',
    'http://[::1]:8080',
]
STATUSES = [301, 302, 303, 307, 308]
SECRETS = ['authorization', 'cookie', 'x-api-key']
FOR_A_PROXY = 'proxy-authorization'  # there is none here, so that not even the first hop needs it


class Step(NamedTuple):
    """One redirect: its status, the origin it leads to (None: relative), and whether its path gives userinfo."""

    status: int
    origin: str | None
    userinfo: bool


STEPS = st.lists(
    st.builds(Step, st.sampled_from(STATUSES), st.sampled_from([*ORIGINS, None]), st.booleans()), max_size=8
)


def leading(steps: list[Step]) -> MemoryTransport:
    """A transport that plays the redirects, each of which also sets a cookie, and then answers."""

    def answer(hop: Hop) -> Any:
        turn = len(transport.hops) - 1
        if turn >= len(steps):
            return (200, [], b'there')
        step = steps[turn]
        origin = step.origin or ''
        if step.userinfo and origin:
            origin = origin.replace('://', '://planted:secret@')
        fields = [('Location', f'{origin}/{turn + 1}#part{turn}'), ('Set-Cookie', f's{turn}=1; Path=/')]
        return (step.status, fields, b'elsewhere' * 9)

    transport = MemoryTransport(answer)
    return transport


def fields(hop: Hop) -> dict[str, str]:
    return {name.lower(): value for name, value in hop.fields}


@given(
    st.sampled_from(ORIGINS),
    STEPS,
    st.sampled_from(['GET', 'POST', 'PUT', 'HEAD']),
    st.sampled_from(['header', 'auth', 'userinfo', 'bearer']),
)
def test_r1_r2_r3_secrets_stay_with_the_origin_that_was_named(
    start: str, steps: list[Step], method: str, how: str
) -> None:
    transport = leading(steps)
    request = Requests(transport=transport)
    headers = [
        ('COOKIE', 'own=1'),
        ('Proxy-Authorization', 'x'),
        ('X-Api-Key', 'k'),
        ('x-api-KEY', 'l'),
        ('x-mine', '1'),
    ]
    settings: dict[str, Any] = {'follow_all_redirects': True, 'sensitive_headers': ['X-API-key']}
    if how == 'header':
        headers.append(('AUTHORIZATION', 'secret'))
    elif how != 'userinfo':
        settings['auth'] = ('user', 'secret') if how == 'auth' else {'bearer': 'secret'}
    address = start.replace('://', '://user:secret@') if how == 'userinfo' else start
    request(address + '/0', settings, method=method, headers=headers).end()
    assert len(transport.hops) == len(steps) + 1
    left = False
    for hop in transport.hops:
        left = left or hop.uri.origin != transport.hops[0].uri.origin
        sent = [name for name in SECRETS if name in fields(hop)]
        assert sent == ([] if left else SECRETS)
        assert FOR_A_PROXY not in fields(hop) or not left
        assert fields(hop)['x-mine'] == '1'


@given(st.sampled_from(ORIGINS), STEPS)
def test_r5_no_referer_tells_what_it_must_not(start: str, steps: list[Step]) -> None:
    transport = leading(steps)
    Requests(transport=transport)(start + '/0#mine', headers={'referer': start + '/private'}).end()
    for before, hop in zip(transport.hops, transport.hops[1:], strict=False):
        referer = fields(hop).get('referer')
        if before.uri.scheme == 'https' and hop.uri.scheme == 'http':
            assert referer is None
        else:
            assert referer == before.uri.without_userinfo().without_fragment().href
        assert '#' not in hop.target


@given(st.sampled_from(ORIGINS), STEPS)
def test_c2_the_jar_is_asked_anew_for_every_hop(start: str, steps: list[Step]) -> None:
    transport, jar, beside = leading(steps), CookieJar(), CookieJar()
    Requests(transport=transport)(start + '/0', jar=jar).end()
    for turn, hop in enumerate(transport.hops):
        assert fields(hop).get('cookie', '') == beside.header(hop.uri)
        if turn < len(steps):
            beside.remember(hop.uri, [f's{turn}=1; Path=/'])
    assert jar.to_json()['cookies'] != [] or not steps


@given(st.sampled_from(ORIGINS), STEPS, st.sampled_from(['POST', 'PUT', 'PATCH']), st.booleans())
def test_r13_r14_content_goes_whole_or_not_at_all(start: str, steps: list[Step], method: str, once: bool) -> None:
    transport = leading(steps)
    body: Any = iter([b'con', b'tent']) if once else b'content'
    call = Requests(transport=transport)(
        start, method=method, body=body, follow_all_redirects=True, headers={'content-type': 'a/b'}
    )
    kept = 0
    while kept < len(steps) and steps[kept].status in (307, 308):
        kept += 1
    if once and kept:
        with pytest.raises(RedirectRefused):
            call.end()
        assert transport.bodies == [b'content']
        return
    call.end()
    assert transport.bodies == [b'content'] * (kept + 1) + [b''] * (len(steps) - kept)
    for turn, hop in enumerate(transport.hops):
        assert hop.method == (method if turn <= kept else 'GET')
        assert ('content-type' in fields(hop)) is (turn <= kept)
        assert 'transfer-encoding' not in fields(hop) or turn <= kept


@given(st.sampled_from(ORIGINS), STEPS, st.sets(st.sampled_from(ORIGINS)))
def test_r8_nothing_is_sent_to_what_a_filter_refuses(start: str, steps: list[Step], allowed: set[str]) -> None:
    transport = leading(steps)
    asked: list[Any] = []

    def decides(uri: Any) -> bool:
        asked.append(uri)
        return any(uri.href.startswith(f'{one}/') for one in allowed)

    way = [start]
    for step in steps:
        way.append(step.origin or way[-1])
    call = Requests(transport=transport)(start + '/0', redirect_filter=lambda uri: decides(uri.without_userinfo()))
    first = next((turn for turn, one in enumerate(way) if one not in allowed), None)
    if first is None:
        call.end()
    else:
        with pytest.raises(RedirectRefused):
            call.end()
    assert len(transport.hops) == (len(way) if first is None else first)
    assert len(asked) == (len(way) if first is None else first + 1)


@given(st.sampled_from(ORIGINS), STEPS)
def test_r8_https_is_never_left_where_that_is_forbidden(start: str, steps: list[Step]) -> None:
    transport = leading(steps)
    call = Requests(transport=transport)(start, allow_insecure_redirect=False)
    try:
        call.end()
    except RedirectRefused:
        assert transport.hops[-1].uri.scheme == 'https'
    schemes = [hop.uri.scheme for hop in transport.hops]
    assert schemes == sorted(schemes)


@given(STEPS, st.integers(0, 8))
def test_r9_no_more_redirects_than_were_allowed(steps: list[Step], most: int) -> None:
    transport = leading(steps)
    call = Requests(transport=transport)('https://one.test/', max_redirects=most)
    if len(steps) > most:
        with pytest.raises(TooManyRedirects):
            call.end()
    else:
        assert [entry.status_code for entry in call.end().redirects] == [step.status for step in steps]
    assert len(transport.hops) == min(len(steps), most) + 1
