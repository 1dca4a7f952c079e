"""Which proxy a request goes through, and who is told what: no sockets."""

from __future__ import annotations

import os
from typing import Any

import pytest

from requite import OptionsError, proxies, request
from requite.carries import first
from requite.message import AbortSignal, Hop
from requite.options import EMPTY, compose, normalise
from requite.prepare import build
from requite.routes import TLS, Proxy, Route
from requite.wire import uri as uris

PROXY = 'http://proxy.test:3128'
EVERY = {'HTTP_PROXY': PROXY, 'HTTPS_PROXY': PROXY}


def bypassed(address: str, listed: str) -> bool:
    return proxies.bypassed(uris.parse(address), listed)


def chosen(address: str, **variables: str) -> str | None:
    found = proxies.from_variables(uris.parse(address), variables)
    return None if found is None else found.host


def hop(address: str, **given: Any) -> Hop:
    options = compose(EMPTY, normalise({'uri': address, **given}))
    return build(options, first(options), None, options.limits, AbortSignal())


class TestNoProxy:
    """X2."""

    @pytest.mark.parametrize(
        ('host', 'item'),
        [
            ('example.com', 'example.com'),
            ('example.com', 'EXAMPLE.Com'),
            ('example.com', '.example.com'),
            ('example.com', '*.example.com'),
            ('example.com', '*example.com'),
            ('example.com', 'com'),
            ('www.example.com', 'example.com'),
            ('www.example.com', '.example.com'),
            ('www.example.com', '*.example.com'),
            ('a.b.example.com', 'example.com'),
            ('www.example.com', 'example.com.'),
            ('www.example.com.', 'example.com'),
            ('www.example.com.', '.example.com.'),
            ('WWW.EXAMPLE.COM', 'example.com'),
            ('example.com.example.com', 'example.com'),
            ('localhost', 'localhost'),
            ('localhost.', 'localhost'),
            ('bücher.test', 'bücher.test'),
            ('www.bücher.test', 'BÜCHER.test'),
            ('bücher.test', 'xn--bcher-kva.test'),
            ('anything.test', '*'),
            ('127.0.0.1', '*'),
            ('[::1]', '*'),
        ],
    )
    def test_x2_a_name_exempts_itself_and_what_is_below_it(self, host: str, item: str) -> None:
        assert bypassed(f'http://{host}/', item)
        assert bypassed(f'http://{host}/', f'other.test, {item}')
        assert bypassed(f'http://{host}/', f'x:1 {item}\ty')

    @pytest.mark.parametrize(
        ('host', 'item'),
        [
            ('google.com', 'oogle.com'),
            ('notexample.com', 'example.com'),
            ('notexample.com', '.example.com'),
            ('notexample.com', '*.example.com'),
            ('example.com.evil.test', 'example.com'),
            ('example.com', 'www.example.com'),
            ('example.com', 'example'),
            ('example.com', 'e'),
            ('example.com', '.'),
            ('example.com', ''),
            ('example.com', ','),
            ('example.com', '*.'),
            ('example.com', 'exam*.com'),
            ('example.com', 'http://example.com'),
            ('1.2.3.4', '2.3.4'),
            ('1.2.3.4', '.4'),
            ('1.2.3.4', '*.4'),
            ('1.2.3.4', '1.2.3'),
            ('1.2.3.40', '1.2.3.4'),
            ('[::1]', '1'),
        ],
    )
    def test_x2_nothing_else_is_exempt(self, host: str, item: str) -> None:
        assert not bypassed(f'http://{host}/', item)

    @pytest.mark.parametrize(
        ('address', 'item', 'wanted'),
        [
            ('http://example.com/', 'example.com:80', True),
            ('https://example.com/', 'example.com:443', True),
            ('https://example.com/', 'example.com:80', False),
            ('http://example.com:8080/', 'example.com:8080', True),
            ('http://www.example.com:8080/', '.example.com:8080', True),
            ('http://example.com:8080/', '*.example.com:8080', True),
            ('http://example.com:8080/', 'example.com', True),
            ('http://example.com:8080/', 'example.com:80', False),
            ('http://example.com/', 'example.com:', True),
            ('http://example.com/', 'example.com:x', False),
            ('http://127.0.0.1:81/', '127.0.0.1:81', True),
            ('http://127.0.0.1:81/', '127.0.0.1:82', False),
            ('http://127.0.0.1:81/', '127.0.0.0/8:81', True),
            ('http://[::1]:81/', '[::1]:81', True),
            ('http://[::1]:81/', '[::1]:82', False),
            ('http://[::1]:81/', '[::1]', True),
            ('http://a.test:81/', '*:81', True),
            ('http://127.0.0.1:81/', '*:81', True),
            ('http://a.test:81/', '*:82', False),
        ],
    )
    def test_x2_a_port_limits_an_item_to_itself(self, address: str, item: str, wanted: bool) -> None:
        assert bypassed(address, item) is wanted

    @pytest.mark.parametrize(
        ('host', 'item', 'wanted'),
        [
            ('10.1.2.3', '10.0.0.0/8', True),
            ('11.1.2.3', '10.0.0.0/8', False),
            ('10.1.2.3', '10.1.2.3/8', True),  # the bits of the host are of no interest
            ('192.168.1.1', '192.168.0.0/255.255.0.0', True),
            ('10.1.2.3', '10.1.2.3', True),
            ('10.1.2.3', '10.1.2.3/32', True),
            ('10.1.2.3', '0.0.0.0/0', True),
            ('10.1.2.3', '10.0.0.0/33', False),
            ('10.1.2.3', '10.0.0.0/x', False),
            ('ten.test', '10.0.0.0/8', False),
            ('[::1]', '::1', True),
            ('[::1]', '[::1]', True),
            ('[0:0:0:0:0:0:0:1]', '::1', True),
            ('[::2]', '::1', False),
            ('[fe80::7]', 'fe80::/10', True),
            ('[fe80::7]', '[fe80::]/10', True),
            ('[2001:db8::7]', 'fe80::/10', False),
            ('[2001:db8::7]', '0.0.0.0/0', False),
            ('10.1.2.3', '::/0', False),
            ('[::ffff:10.1.2.3]', '10.1.2.3', True),
            ('[::ffff:a01:203]', '10.0.0.0/8', True),
            ('10.1.2.3', '::ffff:10.1.2.3', True),
            ('10.1.2.3', '[::ffff:10.0.0.0]/104', True),
            ('11.1.2.3', '[::ffff:10.0.0.0]/104', False),
            ('[::ffff:10.1.2.3]', '::ffff:10.0.0.0/104', True),
        ],
    )
    def test_x2_addresses_are_compared_as_addresses(self, host: str, item: str, wanted: bool) -> None:
        """CIDR, IPv6 in every spelling, IPv4 within IPv6."""
        assert bypassed(f'http://{host}/', item) is wanted


class TestVariables:
    """Which of them counts."""

    @pytest.mark.parametrize(
        ('address', 'variables', 'wanted'),
        [
            ('http://a.test/', {'HTTP_PROXY': 'one:1', 'http_proxy': 'two:2'}, 'one'),
            ('http://a.test/', {'http_proxy': 'two:2'}, 'two'),
            ('http://a.test/', {'HTTP_PROXY': '', 'http_proxy': 'two:2'}, 'two'),
            ('http://a.test/', {'HTTP_PROXY': '  '}, None),
            ('http://a.test/', {'HTTPS_PROXY': 'one:1'}, None),
            ('https://a.test/', {'HTTPS_PROXY': 'one:1', 'HTTP_PROXY': 'two:2'}, 'one'),
            ('https://a.test/', {'https_proxy': 'one:1', 'HTTP_PROXY': 'two:2'}, 'one'),
            ('https://a.test/', {'HTTP_PROXY': 'two:2'}, 'two'),
            ('https://a.test/', {'http_proxy': 'two:2'}, 'two'),
            ('http://a.test/', {'HTTP_PROXY': 'one:1', 'NO_PROXY': 'a.test'}, None),
            ('http://a.test/', {'HTTP_PROXY': 'one:1', 'no_proxy': 'a.test'}, None),
            ('http://a.test/', {'HTTP_PROXY': 'one:1', 'NO_PROXY': 'b.test', 'no_proxy': 'a.test'}, 'one'),
            ('http://a.test/', {'HTTP_PROXY': 'one:1', 'NO_PROXY': '', 'no_proxy': 'a.test'}, None),
            ('http://a.test/', {'ALL_PROXY': 'one:1'}, None),
        ],
    )
    def test_the_variables_are_asked_in_nodes_order(
        self, address: str, variables: dict[str, str], wanted: str | None
    ) -> None:
        assert chosen(address, **variables) == wanted

    def test_x2_under_cgi_a_client_cannot_name_the_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A client's Proxy header becomes HTTP_PROXY there (CVE-2016-1000110)."""
        cgi = {'REQUEST_METHOD': 'GET', 'HTTP_PROXY': 'evil:1'}
        for address in ('http://a.test/', 'https://a.test/'):
            assert chosen(address, **cgi) is None
            assert chosen(address, **cgi, http_proxy='own:2') == 'own'
        assert chosen('https://a.test/', **cgi, HTTPS_PROXY='own:2') == 'own'
        monkeypatch.setattr(os, 'name', 'nt')  # where both names are one variable
        assert chosen('http://a.test/', **{**cgi, 'http_proxy': 'evil:1'}) is None

    def test_the_environment_is_read_again_when_it_changes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        uri = uris.parse('http://a.test/')
        assert proxies.silent()
        assert proxies.choose(EMPTY, uri) is None
        monkeypatch.setenv('NO_PROXY', 'b.test')
        assert proxies.silent()  # of no interest where there is nothing to be exempt from
        for value in ('one:1', 'two:2'):
            monkeypatch.setenv('http_proxy', value)
            assert not proxies.silent()
            found = proxies.choose(EMPTY, uri)
            assert found is not None
            assert f'{found.host}:{found.port}' == value
            assert proxies.choose(EMPTY, uris.parse('http://b.test/')) is None
        monkeypatch.setenv('NO_PROXY', 'a.test')
        assert proxies.choose(EMPTY, uri) is None
        monkeypatch.delenv('NO_PROXY')
        monkeypatch.setenv('HTTP_PROXY', 'three:3')
        assert proxies.choose(EMPTY, uri) == Proxy('http', 'three', 3)
        monkeypatch.setenv('REQUEST_METHOD', 'GET')
        assert proxies.choose(EMPTY, uri) == Proxy('http', 'two', 2)

    def test_what_was_decided_is_remembered_within_bounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv('HTTP_PROXY', PROXY)
        for number in range(proxies.MOST_DECISIONS + 50):
            assert proxies.choose(EMPTY, uris.parse(f'http://h{number}.test/')) is not None
        assert len(proxies._decided) <= proxies.MOST_DECISIONS

    def test_explicit_beats_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv('HTTP_PROXY', PROXY)
        monkeypatch.setenv('NO_PROXY', '*')
        assert hop('http://a.test/').route.proxy is None
        assert hop('http://a.test/', proxy='own.test:1').route.proxy == Proxy('http', 'own.test', 1)
        monkeypatch.delenv('NO_PROXY')
        for none in (None, '', False):
            assert hop('http://a.test/', proxy=none).route.proxy is None
        assert hop('http://a.test/').route.proxy == Proxy('http', 'proxy.test', 3128)

    def test_plans_of_defaults_know_when_a_proxy_appears(self, monkeypatch: pytest.MonkeyPatch) -> None:
        defaults = compose(EMPTY, normalise({'headers': {'x-a': '1'}, 'uri': 'http://a.test/'}))

        def planned() -> Route:
            return build(defaults, first(defaults), None, defaults.limits, AbortSignal()).route

        assert planned().proxy is None
        monkeypatch.setenv('http_proxy', PROXY)
        assert planned().proxy is not None
        monkeypatch.delenv('http_proxy')
        assert planned().proxy is None

    def test_a_bad_variable_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv('https_proxy', 'ftp://ann:s3cret@proxy.test')
        with pytest.raises(OptionsError, match="environment variable 'https_proxy' knows http") as caught:
            hop('https://a.test/')
        assert 's3cret' not in str(caught.value)


class TestHops:
    """What is sent where."""

    def test_without_a_tunnel_the_connection_leads_to_the_proxy(self) -> None:
        made = hop('http://ann:x@a.test:81/b?c', proxy='http://u:p@proxy.test:3128')
        assert (made.target, made.connect) == ('http://a.test:81/b?c', None)
        assert made.route[:4] == ('http', 'proxy.test', 3128, None)
        assert dict(made.fields)['proxy-authorization'] == 'Basic dTpw'
        assert not made.route.once

    def test_a_tunnel_leads_to_the_origin(self) -> None:
        made = hop('https://a.test/b', proxy='http://u:p@proxy.test:3128', headers={'accept': 'x', 'x-a': '1'})
        assert made.target == '/b'
        assert made.connect == (('accept', 'x'), ('proxy-authorization', 'Basic dTpw'))
        assert 'proxy-authorization' not in dict(made.fields)
        assert made.route[:4] == ('https', 'a.test', 443, TLS())
        assert (made.route.proxy_tls, made.route.once) == (None, False)
        assert hop('http://a.test/', proxy=PROXY, tunnel=True).route.once

    def test_the_proxy_is_spoken_to_without_what_is_the_origins_business(self) -> None:
        """T3."""
        options = {'server_hostname': 'x.test', 'assert_fingerprint': 'ab' * 32, 'strict_ssl': False}
        for tunnel in (True, False):
            made = hop('https://a.test/', proxy='https://proxy.test', tunnel=tunnel, **options)
            outer = made.route.proxy_tls if tunnel else made.route.tls
            assert outer == TLS(verify=False)
            if tunnel:
                assert made.route.tls is not None
                assert (made.route.tls.server_hostname, made.route.tls.fingerprint) == ('x.test', 'ab' * 32)

    def test_what_only_the_proxy_is_told_keeps_tunnels_apart(self) -> None:
        made = [
            hop('https://a.test/', proxy=PROXY, headers={'proxy-authorization': 'a', 'accept': 'x'}),
            hop('https://a.test/', proxy=PROXY, headers={'proxy-authorization': 'b', 'accept': 'x'}),
            hop('https://a.test/', proxy=PROXY, headers={'proxy-authorization': 'b', 'accept': 'y'}),
        ]
        assert made[0].route != made[1].route == made[2].route
        assert hash(hop('https://a.test/', proxy=PROXY, headers={'proxy-authorization': ['a', 'b']}).route)

    def test_socks_is_a_tunnel_without_connect(self) -> None:
        for address in ('http://a.test/', 'https://a.test/'):
            made = hop(address, proxy='socks5h://u:p@proxy.test', headers={'proxy-authorization': 'x'})
            assert (made.target, made.connect) == ('/', None)
            assert 'proxy-authorization' not in dict(made.fields)
            assert (made.route.host, made.route.once) == ('a.test', False)

    def test_x1_what_is_for_proxies_goes_nowhere_without_one(self) -> None:
        made = hop(
            'http://a.test/',
            headers={'Proxy-Authorization': 'x', 'x-team': 'y'},
            proxy_header_exclusive_list=['X-Team'],
        )
        assert not {'Proxy-Authorization', 'x-team'} & dict(made.fields).keys()

    def test_x3_a_line_break_cannot_reach_connect(self) -> None:
        with pytest.raises(OptionsError):
            hop('https://a.test/', proxy=PROXY, headers={'proxy-authorization': 'a\r\nx: y'})
        with pytest.raises(OptionsError):
            hop('https://a.test%0d%0ax/', proxy=PROXY)
        assert proxies.authority(uris.parse('https://[::1]/')) == '[::1]:443'


class TestAtTheCall:
    """What cannot go together is an error before anything is sent, and names what to change."""

    @pytest.mark.parametrize('scheme', ['socks4', 'socks4a', 'socks5', 'socks5h', 'socks'])
    def test_tunnel_with_socks(self, scheme: str) -> None:
        with pytest.raises(
            OptionsError, match="option 'tunnel': a SOCKS proxy is a tunnel already; leave the option out"
        ):
            request('http://a.test/', proxy=f'{scheme}://proxy.test', tunnel=True)
        hop('http://a.test/', proxy=f'{scheme}://proxy.test', tunnel=False)

    def test_a_unix_socket_with_a_proxy(self) -> None:
        wanted = "option 'proxy': a unix socket is reached without a proxy; give proxy=None"
        with pytest.raises(OptionsError, match=wanted):
            request('http://unix:/run/x:/', proxy=PROXY)
        ask = request.defaults(proxy=PROXY)
        with pytest.raises(OptionsError, match=wanted):
            ask('http://unix:/run/x:/')
        assert hop('http://unix:/run/x:/', proxy=None).route.socket_path == '/run/x'

    @pytest.mark.parametrize('name', ['proxy_header_white_list', 'proxy_header_exclusive_list'])
    @pytest.mark.parametrize('value', ['accept', b'accept', 5, [1], ['a b'], ['']])
    def test_lists_of_names_that_are_none(self, name: str, value: Any) -> None:
        with pytest.raises((OptionsError, TypeError), match=name):
            request('http://a.test/', **{name: value})
