"""The jar within an exchange: asked and told on every hop, and never for a stranger."""

from __future__ import annotations

import pytest

from requite import InvalidOptionType, request
from requite.cookies import CookieJar
from requite.cookies import jar as jars
from tests.servers import Answer, HttpServer


def test_a_cookie_of_a_response_goes_with_the_next_request(server: HttpServer) -> None:
    jar = request.jar()
    server.routes['/set'] = Answer(headers=[('set-cookie', 'a=1'), ('set-cookie', 'b=2; Path=/other')])
    api = request.defaults(jar=jar)
    api(server.url + '/set').end()
    api(server.url + '/next').end()
    assert server.requests[-1].header('cookie') == 'a=1'


def test_a_cookie_of_a_redirect_goes_with_the_very_next_hop(server: HttpServer) -> None:
    server.routes['/start'] = Answer(status=302, headers=[('location', '/end'), ('set-cookie', 'seen=1')])
    request(server.url + '/start', jar=request.jar()).end()
    assert server.requests[-1].target == '/end'
    assert server.requests[-1].header('cookie') == 'seen=1'


def test_a_cookie_of_one_host_stays_there_when_a_redirect_leads_to_another(server: HttpServer) -> None:
    """SECURITY C2: the jar is asked anew for each hop."""
    jar = request.jar()
    jar.set_cookie('secret=1', server.url)
    elsewhere = server.url.replace('127.0.0.1', 'localhost') + '/end'
    server.routes['/start'] = Answer(status=302, headers=[('location', elsewhere)])
    request(server.url + '/start', jar=jar, headers={'cookie': 'own=2'}).end()
    assert server.requests[0].header('cookie') == 'own=2; secret=1'
    assert server.requests[-1].header('cookie') is None


def test_jar_true_is_the_jar_of_the_process(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, 'GLOBAL', CookieJar())
    server.routes['/set'] = Answer(headers=[('set-cookie', 'g=1')])
    request(server.url + '/set', jar=True).end()
    request(server.url + '/a', jar=True).end()
    request(server.url + '/b').end()
    assert [seen.header('cookie') for seen in server.requests] == [None, 'g=1', None]


def test_what_is_no_jar_is_refused_by_the_call(server: HttpServer) -> None:
    with pytest.raises(InvalidOptionType, match='jar'):
        request(server.url, jar=5)
    with pytest.raises(InvalidOptionType, match='jar'):
        request.defaults(jar='a')
    assert server.requests == []


def test_wrappers_with_a_jar_ask_it_for_every_request(server: HttpServer) -> None:
    jar = request.jar()
    api = request.defaults(jar=jar)
    api(server.url + '/1').end()
    jar.set_cookie('late=1', server.url)
    api(server.url + '/2').end()
    assert [seen.header('cookie') for seen in server.requests] == [None, 'late=1']


@pytest.mark.parametrize(
    ('own', 'sent'),
    [
        ({'Cookie': ['a=1', 'b=2']}, 'a=1; b=2; j=1'),
        ([('Cookie', 'a=1'), ('cookie', 'b=2')], 'a=1; b=2; j=1'),
        ({'Cookie': ''}, 'j=1'),
        ({'Cookie': ['', 'a=1']}, 'a=1; j=1'),
        ({'Cookie': None}, 'j=1'),
    ],
)
def test_the_callers_cookies_come_first_in_whatever_form_he_gives_them(
    server: HttpServer, own: object, sent: str
) -> None:
    jar = request.jar()
    jar.set_cookie('j=1', server.url)
    request.get(server.url, jar=jar, headers=own).end()  # type: ignore[arg-type]
    assert [value for name, value in server.requests[0].headers if name.lower() == 'cookie'] == [sent]
