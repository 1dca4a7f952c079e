"""The option table, and options as values: names, merging, what each option does."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from requite import (
    BodyTooLarge,
    CertificateError,
    DeadlineExceeded,
    HarLog,
    OptionsError,
    Pool,
    ReadTimeout,
    RedirectRefused,
    TLSError,
    TooManyRedirects,
    UnknownOption,
    request,
)
from requite.options import EMPTY, Options, compose, merge, normalise, unknown
from requite.optiontable import NAMES, OPTIONS, Option
from tests.servers import Authority, HttpServer, RawServer, Seen, json_reply, redirect, reply
from tests.wire.middlemen import Tunnels

ROOT = Path(__file__).parent.parent.parent
ALIASED = [option for option in OPTIONS if option.alias]
LATER = [option for option in OPTIONS if option.later]
REFUSED = [option for option in OPTIONS if not option.kind]
READY = [option for option in OPTIONS if option.kind and not option.later]


def named(option: Option) -> str:
    return option.name


def made(outer: Options = EMPTY, **values: Any) -> Options:
    return compose(outer, normalise(values))


# -- names


@pytest.mark.parametrize('option', ALIASED, ids=named)
def test_nodes_spelling_is_the_same_option(option: Option) -> None:
    assert NAMES[option.alias] is NAMES[option.name]


@pytest.mark.parametrize('option', ALIASED, ids=named)
def test_both_spellings_of_an_option_at_once_are_an_error(option: Option) -> None:
    with pytest.raises(UnknownOption, match=option.name) as caught:
        request('http://h/', {option.name: None, option.alias: None})
    assert option.alias in str(caught.value)
    assert isinstance(caught.value, TypeError)


def test_every_name_of_the_contract_is_known() -> None:
    names = (
        'uri url baseUrl method headers qs qsParseOptions qsStringifyOptions useQuerystring body form formData multipart preambleCRLF '
        'postambleCRLF json jsonReviver jsonReplacer auth oauth hawk aws httpSignature jar followRedirect followAllRedirects '
        'followOriginalHttpMethod maxRedirects removeRefererHeader encoding gzip pool agent agentOptions forever timeout deadline maxBody proxy '
        'tunnel proxyHeaderWhiteList proxyHeaderExclusiveList strictSSL rejectUnauthorized ca cert key pfx passphrase ciphers minVersion '
        'localAddress family lookup time har callback agentClass httpModules'
    )
    assert [name for name in names.split() if name not in NAMES] == []


@pytest.mark.parametrize(
    ('typo', 'meant'),
    [
        ('urll', 'url'),
        ('baseURL', 'baseUrl'),
        ('base_uri', 'base_url'),
        ('methd', 'method'),
        ('header', 'headers'),
        ('Headers', 'headers'),
        ('boddy', 'body'),
        ('formdata', 'form_data'),
        ('jsonreviver', 'json_reviver'),
        ('json-replacer', 'json_replacer'),
        ('atuh', 'auth'),
        ('followRedirects', 'followRedirect'),
        ('follow_redirects', 'follow_redirect'),
        ('maxredirects', 'max_redirects'),
        ('remove_refererheader', 'remove_referer_header'),
        ('encodng', 'encoding'),
        ('agentoptions', 'agent_options'),
        ('tiemout', 'timeout'),
        ('timeOut', 'timeout'),
        ('strictSsl', 'strictSSL'),
        ('strict_SSL', 'strict_ssl'),
        ('useQueryString', 'useQuerystring'),
        ('qsParseOption', 'qsParseOptions'),
        ('httpsignature', 'http_signature'),
        ('preambleCrlf', 'preambleCRLF'),
        ('reject_unautorized', 'reject_unauthorized'),
        ('localaddress', 'local_address'),
        ('callbak', 'callback'),
        ('Deadline', 'deadline'),
        # What other libraries call it.
        ('params', 'qs'),
        ('allow_redirects', 'follow_redirect'),
        ('verify', 'strict_ssl'),
    ],
)
def test_a_typo_gets_the_name_that_was_meant(typo: str, meant: str) -> None:
    with pytest.raises(UnknownOption, match=f"there is no option '{typo}'; did you mean '{meant}'"):
        request('http://h/', {typo: 1})


def test_a_name_that_resembles_nothing_gets_no_suggestion() -> None:
    assert 'did you mean' not in str(unknown('klingon'))


def test_a_name_that_is_no_text_is_an_error() -> None:
    with pytest.raises(UnknownOption, match='must be a str, not an int'):
        request('http://h/', {5: 1})  # type: ignore[dict-item]


# -- what is made from the table


def test_the_generated_type_and_page_are_up_to_date() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / 'docs/generate.py', '--check'], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, '')


@pytest.fixture
def generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """docs/generate.py, writing to a folder of the test's own."""
    spec = importlib.util.spec_from_file_location('generate', ROOT / 'docs/generate.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for folder in ('src/requite', 'docs/reference'):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(module, 'ROOT', tmp_path)
    return module


def test_the_check_of_the_generated_files_fails_when_one_is_missing_or_stale(
    generator: ModuleType, tmp_path: Path
) -> None:
    assert generator.main(['--check']) == 1
    assert list(tmp_path.rglob('*.*')) == []
    assert generator.main([]) == 0
    assert generator.main(['--check']) == 0
    page = tmp_path / 'docs/reference/options.md'
    page.write_text(page.read_text(encoding='utf-8') + '\n', encoding='utf-8')
    assert generator.main(['--check']) == 1


def test_the_type_of_the_options_names_each_in_both_spellings() -> None:
    from requite.optiontypes import RequestOptions

    assert set(RequestOptions.__annotations__) == set(NAMES)
    assert RequestOptions.__total__ is False


def test_the_type_of_the_options_costs_nothing_at_import() -> None:
    code = "import sys, requite; sys.exit('requite.optiontypes' in sys.modules)"
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


# -- options as values


def test_options_are_frozen() -> None:
    options = made(uri='http://h/')
    with pytest.raises(AttributeError, match='frozen'):
        options.uri = 'http://other/'
    with pytest.raises(AttributeError, match='frozen'):
        del options.uri


def test_options_know_what_was_given_from_what_is_a_default() -> None:
    options = made(gzip=False)
    assert options.given('gzip')
    assert not options.given('json')


def test_the_repr_of_options_names_them_without_their_values() -> None:
    options = made(auth=('user', 'sekrit'), headers={'authorization': 'sekrit'})
    assert 'sekrit' not in repr(options)
    assert 'auth' in repr(options)


def test_mappings_merge_at_every_depth() -> None:
    outer = made(qs={'a': {'b': {'c': 1, 'd': 2}}, 'x': 1})
    assert made(outer, qs={'a': {'b': {'d': 3}}}).qs == {'a': {'b': {'c': 1, 'd': 3}}, 'x': 1}


def test_lists_replace_one_another() -> None:
    """Node merges them by index: [1, 2, 3] and [9] give [9, 2, 3]."""
    assert made(made(qs={'a': [1, 2, 3]}), qs={'a': [9]}).qs == {'a': [9]}


def test_merging_leaves_both_sides_as_they_were() -> None:
    outer, inner = {'a': {'b': 1}}, {'a': {'c': 2}, 'd': {'e': 3}}
    merged = merge(outer, inner)
    merged['a']['x'] = merged['d']['x'] = 1
    assert (outer, inner) == ({'a': {'b': 1}}, {'a': {'c': 2}, 'd': {'e': 3}})


def test_a_mapping_that_holds_itself_is_an_error_not_an_endless_merge() -> None:
    endless: dict[str, Any] = {}
    endless['a'] = endless
    with pytest.raises(OptionsError, match='512 levels'):
        merge(endless, endless)


def test_headers_merge_without_regard_to_case() -> None:
    options = made(made(headers={'X-Token': 'a', 'B': '1'}), headers={'x-token': 'b'})
    assert options.headers == {'x-token': ('x-token', 'b'), 'b': ('B', '1')}


def test_a_header_that_defaults_take_away_stays_away_under_other_headers() -> None:
    options = made(made(headers={'user-agent': None}), headers={'a': '1'})
    assert options.headers['user-agent'] == ('user-agent', None)


@pytest.mark.parametrize(
    'option',
    [
        'gzip',
        'qs',
        'form',
        'max_redirects',
        'follow_redirect',
        'strict_ssl',
        'deadline',
        'auth',
        'method',
        'ca',
        'max_body',
    ],
)
def test_none_takes_a_default_back(option: str) -> None:
    value: dict[str, Any] = {
        'gzip': True, 'qs': {'a': 1}, 'form': 'a=1', 'max_redirects': 3, 'follow_redirect': False, 'strict_ssl': False, 'deadline': 5,
        'auth': ('a', 'b'), 'method': 'PUT', 'ca': __file__, 'max_body': 5,
    }  # fmt: skip
    outer = made(**{option: value[option]})
    assert getattr(outer, option) != getattr(EMPTY, option)
    assert getattr(made(outer, **{option: None}), option) == getattr(EMPTY, option)


@pytest.mark.parametrize('option', ['strict_ssl', 'reject_unauthorized'])
def test_none_never_switches_the_check_of_certificates_off(option: str) -> None:
    assert made(**{option: None}).tls.verify is True
    assert made(agent_options={'rejectUnauthorized': None}).tls.verify is True
    assert made(**{option: False}).tls.verify is False


def test_none_is_a_value_where_the_documentation_says_so() -> None:
    outer = made(timeout=5000, encoding='latin1')
    inner = made(outer, timeout=None, encoding=None)
    assert (inner.limits.connect, inner.limits.read, inner.encoding) == (None, None, None)


def test_a_uri_in_the_call_replaces_a_url_of_the_defaults_and_the_other_way_round() -> None:
    assert made(made(url='http://a/'), uri='http://b/').uri == 'http://b/'
    inner = made(made(uri='http://a/'), url='http://b/')
    assert (inner.uri, inner.url) == (None, 'http://b/')


def test_nested_keys_merge_across_their_spellings() -> None:
    outer = made(agent_options={'maxSockets': 1, 'keepAlive': False}, qs_stringify_options={'arrayFormat': 'repeat'})
    inner = made(outer, agent_options={'max_sockets': 2}, qs_stringify_options={'array_format': 'brackets'})
    assert inner.agent_options == {'max_sockets': 2, 'keep_alive': False}
    assert inner.qs_stringify_options == {'array_format': 'brackets'}


# -- what each option does: all of the table, so that none can be ignored in silence


def test_every_option_has_an_effect_that_is_tested_or_is_not_available_yet() -> None:
    assert set(EFFECTS) == {option.name for option in READY}


@pytest.mark.parametrize('option', LATER, ids=named)
@pytest.mark.parametrize('spelling', ['name', 'alias'])
def test_an_option_that_comes_later_says_so(option: Option, spelling: str) -> None:
    name = getattr(option, spelling) or option.name
    with pytest.raises(NotImplementedError, match=f"option '{option.name}': .* not available in this version"):
        request('http://h/', {name: 'sekrit'})
    with pytest.raises(NotImplementedError):
        request.defaults({name: {'a': 'b'}})


@pytest.mark.parametrize('option', LATER, ids=named)
@pytest.mark.parametrize('off', [None, False])
def test_an_option_that_comes_later_may_be_off(option: Option, off: object) -> None:
    assert not made(**{option.name: off}).given(option.name)


@pytest.mark.parametrize('option', REFUSED, ids=named)
def test_an_option_without_a_meaning_in_python_names_its_replacement(option: Option) -> None:
    with pytest.raises(OptionsError, match=f"'{option.name}' has no meaning in Python: use a Pool"):
        request('http://h/', {option.alias: object()})


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        yield f'http://127.0.0.1:{listener.getsockname()[1]}/'


def show_uri(server: HttpServer) -> None:
    request(uri=server.url + '/a', url='http://elsewhere/').end()
    assert server.requests[0].target == '/a'


def show_url(server: HttpServer) -> None:
    request(url=server.url + '/a').end()
    assert server.requests[0].target == '/a'


def show_base_url(server: HttpServer) -> None:
    request('/a', base_url=server.url + '/').end()
    assert server.requests[0].target == '/a'


def show_method(server: HttpServer) -> None:
    request(server.url, method='PROPFIND').end()
    assert server.requests[0].method == 'PROPFIND'


def show_headers(server: HttpServer) -> None:
    request(server.url, headers={'X-Caller': 'a', 'user-agent': None}).end()
    assert server.requests[0].header('x-caller') == 'a'
    assert server.requests[0].header('user-agent') is None


def show_qs(server: HttpServer) -> None:
    request(server.url + '/?a=1', qs={'b': {'c': 2}}).end()
    assert server.requests[0].target == '/?a=1&b%5Bc%5D=2'


def show_qs_parse_options(server: HttpServer) -> None:
    request(server.url + '/?a=1;b=2', qs={'c': 3}, qsParseOptions={'delimiter': ';'}).end()
    assert server.requests[0].target == '/?a=1&b=2&c=3'


def show_qs_stringify_options(server: HttpServer) -> None:
    request(server.url, qs={'a': [1, 2]}, qsStringifyOptions={'arrayFormat': 'brackets'}).end()
    assert server.requests[0].target == '/?a%5B%5D=1&a%5B%5D=2'


def show_use_querystring(server: HttpServer) -> None:
    request(server.url, qs={'a': [1, 2]}, use_querystring=True).end()
    assert server.requests[0].target == '/?a=1&a=2'


def show_body(server: HttpServer) -> None:
    request.post(server.url, body=[b'ab', 'c']).end()
    assert server.requests[0].body == b'abc'


def show_form(server: HttpServer) -> None:
    request.post(server.url, form={'a': "it's"}).end()
    assert server.requests[0].body == b'a=it%27s'


def show_form_data(server: HttpServer) -> None:
    request.post(server.url, formData={'a': '1'}).end()
    assert b'form-data; name="a"\r\n\r\n1\r\n' in server.requests[0].body


def show_multipart(server: HttpServer) -> None:
    request.post(server.url, multipart=[{'x-a': 'b', 'body': 'c'}]).end()
    assert b'x-a: b\r\n\r\nc\r\n' in server.requests[0].body


def show_preamble_crlf(server: HttpServer) -> None:
    request.post(server.url, multipart=[], preambleCRLF=True).end()
    assert server.requests[0].body.startswith(b'\r\n--')


def show_postamble_crlf(server: HttpServer) -> None:
    request.post(server.url, multipart=[], postambleCRLF=True).end()
    assert server.requests[0].body.endswith(b'--\r\n')


def show_json(server: HttpServer) -> None:
    assert request.post(server.url, json={'a': 1}).end().body['body'] == '{"a":1}'


def show_json_reviver(server: HttpServer) -> None:
    server.answers = lambda seen: json_reply({'a': 1})
    assert request(server.url, json=True, json_reviver=lambda key, value: 5 if key == 'a' else value).end().body == {
        'a': 5
    }


def show_json_replacer(server: HttpServer) -> None:
    request.post(server.url, json={'a': 1, 'b': 2}, json_replacer=['b']).end()
    assert server.requests[0].body == b'{"b":2}'


def show_auth(server: HttpServer) -> None:
    request(server.url, auth={'bearer': 'abc'}).end()
    assert server.requests[0].header('authorization') == 'Bearer abc'


def show_hawk(server: HttpServer) -> None:
    request(server.url, hawk={'credentials': {'id': 'a', 'key': 'b', 'algorithm': 'sha256'}}).end()
    assert (server.requests[0].header('authorization') or '').startswith('Hawk id="a", ts="')


def show_oauth(server: HttpServer) -> None:
    request(server.url, oauth={'consumer_key': 'a', 'consumer_secret': 'b'}).end()
    assert (server.requests[0].header('authorization') or '').startswith('OAuth oauth_consumer_key="a",')


def show_aws(server: HttpServer) -> None:
    request(server.url, aws={'key': 'a', 'secret': 'b'}).end()
    assert (server.requests[0].header('authorization') or '').startswith('AWS a:')


def show_http_signature(server: HttpServer) -> None:
    request(server.url, httpSignature={'keyId': 'a', 'key': 'b', 'algorithm': 'hmac-sha256'}).end()
    assert (server.requests[0].header('authorization') or '').startswith('Signature keyId="a",')


def show_http_message_signature(server: HttpServer) -> None:
    pytest.importorskip('http_message_signatures', reason='the extra rfc9421 is not installed')
    request(server.url, http_message_signature={'key_id': 'a', 'key': 'b' * 32, 'algorithm': 'hmac-sha256'}).end()
    assert 'keyid="a"' in (server.requests[0].header('signature-input') or '')


def show_signers(server: HttpServer) -> None:
    class Seal:
        def sign(self, draft: Any, clock: Any) -> None:
            draft.set('x-seal', 'signed')

    request(server.url, signers=[Seal()]).end()
    assert server.requests[0].header('x-seal') == 'signed'


def show_netrc(server: HttpServer) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'logins'
        path.write_text('machine 127.0.0.1 login user password pass\n', encoding='utf-8')
        request(server.url, netrc=path).end()
    assert server.requests[0].header('authorization') == 'Basic dXNlcjpwYXNz'


def redirecting(server: HttpServer) -> str:
    server.routes['/from'] = redirect('/to')
    return server.url + '/from'


def show_follow_redirect(server: HttpServer) -> None:
    assert request(redirecting(server)).end().status_code == 200
    assert request(redirecting(server), follow_redirect=False).end().status_code == 302
    assert request(redirecting(server), follow_redirect=lambda response: False).end().status_code == 302


def show_follow_all_redirects(server: HttpServer) -> None:
    assert request.post(redirecting(server)).end().status_code == 302
    assert request.post(redirecting(server), follow_all_redirects=True).end().status_code == 200


def show_follow_original_http_method(server: HttpServer) -> None:
    request.post(redirecting(server), follow_all_redirects=True).end()
    request.post(redirecting(server), follow_all_redirects=True, follow_original_http_method=True).end()
    assert [seen.method for seen in server.requests if seen.path == '/to'] == ['GET', 'POST']


def show_max_redirects(server: HttpServer) -> None:
    server.answers = lambda seen: redirect('/again')
    with pytest.raises(TooManyRedirects):
        request(server.url, max_redirects=2).end()
    assert len(server.requests) == 3


def show_remove_referer_header(server: HttpServer) -> None:
    request(redirecting(server)).end()
    request(redirecting(server), remove_referer_header=True).end()
    assert [seen.header('referer') is None for seen in server.requests if seen.path == '/to'] == [False, True]


def show_redirect_filter(server: HttpServer) -> None:
    with pytest.raises(RedirectRefused):
        request(redirecting(server), redirect_filter=lambda uri: uri.path == '/from').end()
    assert [seen.path for seen in server.requests] == ['/from']


def show_sensitive_headers(server: HttpServer) -> None:
    server.routes['/from'] = redirect(f'http://localhost:{server.port}/to')
    request(server.url + '/from', headers={'x-key': 'a', 'x-b': 'b'}, sensitive_headers=['x-key']).end()
    assert [(seen.header('x-key'), seen.header('x-b')) for seen in server.requests] == [('a', 'b'), (None, 'b')]


def show_encoding(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'\xe9')
    assert request(server.url, encoding='latin1').end().body == 'é'
    assert request(server.url, encoding=None).end().body == b'\xe9'


def show_gzip(server: HttpServer) -> None:
    request(server.url, gzip=True).end()
    assert str(server.requests[0].header('accept-encoding')).startswith('gzip, deflate')


def show_pool(server: HttpServer) -> None:
    request(server.url, pool=False).end()
    assert server.requests[0].header('connection') == 'close'
    mine: dict[str, Any] = {'maxSockets': 3}
    request(server.url, pool=mine).end()
    assert [pool.max_sockets for pool in mine['agents'].values()] == [3]


def show_agent(server: HttpServer) -> None:
    mine = Pool(max_sockets=1)
    for _ in range(2):
        request(server.url, agent=mine).end()
    assert server.connections == 1
    request(server.url, agent=False).end()
    assert server.connections == 2


def show_agent_options(server: HttpServer) -> None:
    for _ in range(2):
        request(server.url, agent_options={'keepAlive': False}).end()
    assert server.connections == 2


def show_forever(server: HttpServer) -> None:
    for _ in range(2):
        request(server.url, agent_options={'keepAlive': False}, forever=True).end()
    assert server.connections == 1


def show_family(server: HttpServer) -> None:
    url = f'http://localhost:{server.port}/'
    assert request(url, family=4).end().ok
    with pytest.raises(OSError):
        request(url, family=6).end()


def show_lookup(server: HttpServer) -> None:
    url = f'http://api.example.test:{server.port}/'
    assert request(url, lookup=lambda host, options: ['127.0.0.1']).end().ok


def show_time(server: HttpServer) -> None:
    assert request(server.url, time=True).end().timings
    assert not request(server.url).end().timings


def show_callback(server: HttpServer) -> None:
    told: list[Any] = []
    request(server.url, callback=lambda error, response, body: told.append((error, response.status_code)))
    assert told == [(None, 200)]


def show_max_body(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'123456')
    with pytest.raises(BodyTooLarge):
        request(server.url, max_body=5).end()
    assert request(server.url, max_body=6).end().body == '123456'


def show_jar(server: HttpServer) -> None:
    jar = request.jar()
    jar.set_cookie('a=1', server.url)
    request(server.url, jar=jar, headers={'cookie': 'own=0'}).end()
    assert server.requests[-1].header('cookie') == 'own=0; a=1'


def show_retry(server: HttpServer) -> None:
    answers = [reply('', 503), reply('', 503)]
    server.answers = lambda seen: answers.pop() if answers else reply('fine')
    assert request(server.url, retry={'limit': 2, 'backoff': 0}).end().attempts == 3


def show_idempotency_key(server: HttpServer) -> None:
    for key in (True, 'mine'):
        request.post(server.url, idempotency_key=key).end()
    made, own = (seen.header('idempotency-key') for seen in server.requests)
    assert len(made or '') >= 32
    assert own == 'mine'


def show_har(server: HttpServer) -> None:
    har = {'url': server.url + '/a', 'method': 'PUT', 'postData': {'mimeType': 'text/plain', 'text': 'x'}}
    request(har=har).end()
    assert [(seen.method, seen.target, seen.body) for seen in server.requests] == [('PUT', '/a', b'x')]


def show_har_log(server: HttpServer) -> None:
    log = HarLog()
    request(server.url, har_log=log).end()
    assert [entry['response']['status'] for entry in log.entries] == [200]


def show_proxy(server: HttpServer) -> None:
    request('http://origin.test/x', proxy=server.url).end()
    assert server.requests[0].target == 'http://origin.test/x'


def show_tunnel(server: HttpServer) -> None:
    with Tunnels() as proxy:
        request(server.url, proxy=proxy.url, tunnel=True).end()
        assert proxy.opened == [server.authority]
    request('https://origin.test/x', proxy=server.url, tunnel=False).end()
    assert [seen.target for seen in server.requests] == ['/', 'https://origin.test/x']


def told(server: HttpServer, **options: Any) -> tuple[bytes, Seen]:
    """What the proxy of a tunnel and the server at its end hear of the headers `accept: a` and `x-b: b`."""
    with Tunnels() as proxy:
        request(server.url, proxy=proxy.url, tunnel=True, headers={'accept': 'a', 'x-b': 'b'}, **options).end()
    return proxy.heads[0], server.requests[-1]


def show_proxy_header_white_list(server: HttpServer) -> None:
    assert b'accept: a' in told(server)[0]
    head, seen = told(server, proxy_header_white_list=['x-b'])
    assert (b'accept' in head, b'x-b: b' in head) == (False, True)
    assert (seen.header('accept'), seen.header('x-b')) == ('a', 'b')


def show_proxy_header_exclusive_list(server: HttpServer) -> None:
    head, seen = told(server, proxy_header_exclusive_list=['x-b'])
    assert b'x-b: b' in head
    assert (seen.header('accept'), seen.header('x-b')) == ('a', None)


class Terminal(io.StringIO):
    """A standard error that says to be a terminal."""

    def isatty(self) -> bool:
        return True


def show_progress(server: HttpServer) -> None:
    server.answers = lambda seen: reply(b'x' * 200_000)
    with contextlib.redirect_stderr(Terminal()) as screen:
        request(server.url, progress=True).end()
    assert 'download' in screen.getvalue()
    with contextlib.redirect_stderr(Terminal()) as screen:
        request(server.url).end()
    assert screen.getvalue() == ''


def show_pipefilter(server: HttpServer) -> None:
    seen: list[Any] = []
    sink = io.BytesIO()
    made = request(
        server.url, pipefilter=lambda response, destination: seen.append((response.status_code, destination))
    )
    made.pipe(sink)
    assert seen == [(200, sink)]
    made = request(server.url, pipefilter=lambda response, destination: seen.append(1))
    made.pipefilter = lambda response, destination: seen.append(2)  # set later, it goes before the option
    made.pipe(sink)
    assert seen[1:] == [2]


ON_A_SERVER: dict[str, Callable[[HttpServer], None]] = {
    name.removeprefix('show_'): function for name, function in globals().items() if name.startswith('show_')
}
EFFECTS = {
    *(*ON_A_SERVER, 'timeout', 'deadline', 'strict_ssl', 'reject_unauthorized', 'ca', 'local_address'),
    *('cert', 'key', 'pfx', 'passphrase', 'ciphers', 'min_version', 'server_hostname', 'assert_fingerprint'),
    'allow_insecure_redirect',
}


@pytest.mark.parametrize('option', ON_A_SERVER)
def test_the_option_has_its_effect(option: str, server: HttpServer) -> None:
    ON_A_SERVER[option](server)


def test_the_options_timeout_and_deadline_have_their_effect(mute: str) -> None:
    with pytest.raises(ReadTimeout):
        request(mute, timeout=50).end()
    with pytest.raises(DeadlineExceeded):
        request(mute, deadline=50).end()


@pytest.mark.parametrize('option', ['strict_ssl', 'reject_unauthorized'])
def test_the_options_of_certificates_have_their_effect(
    option: str, tls_server: HttpServer, authority: Authority
) -> None:
    with pytest.raises(CertificateError):
        request(tls_server.url).end()
    assert request(tls_server.url, {option: False}).end().status_code == 200
    assert request(tls_server.url, {option: True, 'ca': authority.path}).end().status_code == 200


def test_the_options_of_tls_have_their_effect(raw_server: Callable[..., RawServer], authority: Authority) -> None:
    pytest.importorskip('cryptography', reason='cryptography makes the PKCS 12')
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
    from cryptography.x509 import load_pem_x509_certificate

    context, clients = authority.context('localhost', '127.0.0.1', 'other.example'), authority._ca
    context.verify_mode = ssl.CERT_OPTIONAL
    clients.configure_trust(context)
    names: list[str | None] = []
    context.sni_callback = lambda sock, name, _: names.append(name)
    client = clients.issue_cert('me@example.com')
    cert, key = client.cert_chain_pems[0].bytes(), client.private_key_pem.bytes()
    private: Any = load_pem_private_key(key, None)
    sealed = BestAvailableEncryption(b'sekrit')
    pfx = pkcs12.serialize_key_and_certificates(None, private, load_pem_x509_certificate(cert), None, sealed)

    def tell(sock: ssl.SSLSocket, head: bytes) -> None:
        known = bool(sock.getpeercert())
        sock.sendall(
            b'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n' + f'{known} {sock.version()} {sock.cipher()}'.encode()
        )
        sock.unwrap()

    url = raw_server(tell, tls=context).url
    api = request.defaults(ca=authority.pem, pool=False)
    plain = api.get(url).end().body
    assert plain.startswith('False TLSv1.3')
    assert api.get(url, cert=cert, key=key).end().body.startswith('True')
    assert api.get(url, pfx=pfx, passphrase='sekrit').end().body.startswith('True')
    agent = {'maxVersion': 'TLSv1.2'}
    assert 'TLSv1.2' in api.get(url, agent_options=agent).end().body
    chosen = 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305'
    assert 'CHACHA20' in api.get(url, agent_options=agent, ciphers=chosen).end().body
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(TLSError):
        api.get(url, min_version='TLSv1.3').end()
    assert names[-1] is None
    assert api.get(url, server_hostname='other.example').end().ok
    assert names[-1] == 'other.example'
    with pytest.raises(CertificateError, match='its SHA-256 is') as caught:
        api.get(url, assert_fingerprint='0' * 64).end()
    pinned = str(caught.value).partition('SHA-256 is ')[2][:64]
    assert api.get(url, assert_fingerprint=pinned).end().ok


def test_the_option_allow_insecure_redirect_has_its_effect(
    server: HttpServer, tls_server: HttpServer, authority: Authority
) -> None:
    tls_server.answers = lambda seen: redirect(server.url)
    assert request(tls_server.url, ca=authority.path).end().status_code == 200
    with pytest.raises(RedirectRefused):
        request(tls_server.url, ca=authority.path, allow_insecure_redirect=False).end()


@pytest.mark.skipif(
    not sys.platform.startswith('linux'), reason='only Linux has all of 127/8 on its loopback interface'
)
def test_the_option_local_address_has_its_effect(raw_server: Callable[..., RawServer]) -> None:
    peers: list[str] = []

    def answer(sock: socket.socket, head: bytes) -> None:
        peers.append(sock.getpeername()[0])
        sock.sendall(b'HTTP/1.1 204 No Content\r\n\r\n')

    request(raw_server(answer).url, local_address='127.0.0.9').end()
    assert peers == ['127.0.0.9']


# -- the plans that requests with the same defaults share


def test_credentials_set_on_one_request_never_reach_another_with_the_same_defaults(server: HttpServer) -> None:
    """SECURITY T2's kin: what a chain adds to one request is that request's alone."""
    for api in (request, request.defaults(headers={'x-a': '1'})):
        api.get(server.url).auth('user', 'sekrit').end()
        api.get(server.url).set_header('x-secret', 'sekrit').end()
        api.get(server.url).end()
    assert [seen.header('authorization') is None for seen in server.requests] == [False, True, True] * 2
    assert [seen.header('x-secret') for seen in server.requests] == [None, 'sekrit', None] * 2


def test_threads_that_share_defaults_do_not_mix_their_options_up(server: HttpServer) -> None:
    api = request.defaults(headers={'x-a': 'default'})

    def ask(number: int) -> None:
        for _ in range(5):
            told = api.get(server.url, headers={'x-a': str(number)}, json=True).end().body
            assert ['x-a', str(number)] in told['headers']

    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            ask(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
