"""At a prompt showing a request sends it, once; whatever else looks at one does not."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

import requite
from requite import interactive, request, shown
from tests.servers import Answer, HttpServer, closed_port, json_reply, reply

SOURCE = str(Path(requite.__file__).parent.parent)
PNG = bytes.fromhex(
    '89504e470d0a1a0a0000000d4948445200000001000000010806000000'
    '1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082'
)


def needs(module: str) -> Any:
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f'{module} is not installed')


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        'PYTHONPATH': SOURCE,
        'IPYTHONDIR': str(folder / 'ipython'),
        'HOME': str(folder),
        'TERM': 'dumb',
        'PYTHON_BASIC_REPL': '1',
    }


def child(folder: Path, script: str, *arguments: str) -> str:
    path = folder / 'script.py'
    path.write_text(textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, '-W', 'error', str(path), *arguments], env=environment(folder), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, '')
    return done.stdout


# -- what is shown


def test_a_shown_request_is_sent_once(server: HttpServer) -> None:
    server.routes['/'] = json_reply({'name': 'Ada', 'tags': ['a', {'b': None}]}, 201, set_cookie='sid=hunter2')
    made = request.post(server.url, body='x')
    first, second = made._repr_mimebundle_(), made._repr_mimebundle_(include={'text/plain'}, exclude=None)
    assert len(server.requests) == 1
    assert first == second == made.response._repr_mimebundle_()
    text = first['text/plain']
    assert text.startswith('HTTP/1.1 201 ')
    assert '"name": "Ada"' in text
    assert 'content-type: application/json' in text
    html = first['text/html']
    assert html.startswith('<div><b>HTTP/1.1 201 ')
    assert '<summary>{} 2</summary>' in html
    assert '<b>name</b> <code>&quot;Ada&quot;</code>' in html
    assert first['image/svg+xml'].startswith('<svg ')
    assert first['image/svg+xml'] in html
    assert 'hunter2' not in str(first)


def test_time_false_is_respected(server: HttpServer) -> None:
    assert 'image/svg+xml' not in request.get(server.url, time=False)._repr_mimebundle_()


def test_a_picture_is_shown_as_one(server: HttpServer) -> None:
    server.routes['/'] = reply(PNG, content_type='image/png')
    bundle = request.get(server.url)._repr_mimebundle_()
    import base64

    assert base64.b64decode(bundle['image/png']) == PNG
    assert f'<img src="data:image/png;base64,{bundle["image/png"]}"' in bundle['text/html']
    assert f'({len(PNG)} bytes of image/png)' in bundle['text/plain']


@pytest.mark.parametrize('kind', ['image/svg+xml', 'text/html'])
def test_what_could_run_scripts_is_shown_as_text(server: HttpServer, kind: str) -> None:
    server.routes['/'] = reply('<script>alert(1)</script>', content_type=kind, x_evil='<script>')
    bundle = request.get(server.url, time=False)._repr_mimebundle_()
    assert '<script' not in bundle['text/html']
    assert '&lt;script&gt;alert(1)' in bundle['text/html']
    assert set(bundle) == {'text/plain', 'text/html'}


def test_nothing_that_is_shown_steers_a_terminal(server: HttpServer) -> None:
    server.routes['/'] = reply(
        b'\x1b[2J\x07\xc2\x9b31m\xe2\x80\xaexx', content_type='text/plain', **{'x-a': 'b\x9b31m'}
    )
    made = request.get(server.url)
    text = made._repr_mimebundle_()['text/plain']
    assert not set(text) & set('\x1b\x07\x9b\u202e')
    assert not set(repr(made)) & set('\x1b\x07\x9b')


@pytest.mark.parametrize(
    'answer',
    [
        reply('long ' * 100_000, content_type='text/plain'),
        json_reply([{'key' * 50: 'value' * 50}] * 5000),
        json_reply({'k': 'v' * 100_000}),
        reply('[' * 900 + ']' * 900, content_type='application/json'),
        reply('[' * 100_000, content_type='application/json'),
        reply('x', **{f'x-field-{n}': 'y' * 500 for n in range(60)}),
        reply(b'\xff' * 10_000),
    ],
)
def test_text_has_its_bound_whatever_the_server_sends(server: HttpServer, answer: Answer) -> None:
    server.routes['/'] = answer
    bundle = request.get(server.url)._repr_mimebundle_()
    assert 20 < len(bundle['text/plain']) <= 2048
    assert len(re.sub('<[^>]*>|&[a-z]+;', '', bundle['text/html'])) <= 2 * 2048 + 400


def test_a_body_that_is_long_or_endless_is_not_read(raw_server: Any) -> None:
    def answer(sock: Any, head: bytes) -> None:
        kind = b'content-length: 99999999' if b' /long' in head else b'content-type: text/event-stream'
        sock.sendall(b'HTTP/1.1 200 OK\r\n' + kind + b'\r\n\r\ndata: 1\n\n')
        sock.recv(1)

    server = raw_server(answer)
    made = request.get(server.url + '/long')
    assert '99999999 bytes long and was not read' in made._repr_mimebundle_()['text/plain']
    made.response.close()
    made = request.get(server.url + '/events')
    assert 'was not read: .lines(), .events()' in made._repr_mimebundle_()['text/plain']
    assert next(made.response.events()).data == '1'
    assert 'in pieces' in made._repr_mimebundle_()['text/html'] or 'for ever' in made._repr_mimebundle_()['text/html']
    made.response.close()


def test_a_body_that_breaks_off_is_told(raw_server: Any) -> None:
    server = raw_server(lambda sock, head: sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort'))
    text = request.get(server.url)._repr_mimebundle_()['text/plain']
    assert text.startswith('HTTP/1.1 200 OK')
    assert '(ResponseAborted: ' in text


def test_a_request_that_fails_shows_its_error_in_a_line() -> None:
    made = request.get(f'http://me:hunter2@127.0.0.1:{closed_port()}/')
    for _ in range(2):
        bundle = made._repr_mimebundle_()
        assert re.fullmatch(r'<Request GET http://\*\*\*@127.*\(failed\)>\nConnectionRefused: .*', bundle['text/plain'])
        assert 'ConnectionRefused' in bundle['text/html']
    aborted = request.get('http://h/')
    aborted.abort()
    assert '\nAbortError: ' in aborted._repr_mimebundle_()['text/plain']


def test_a_request_that_is_under_way_is_waited_for(server: HttpServer) -> None:
    server.routes['/'] = lambda seen: (time.sleep(0.1), reply('late'))[1]
    assert request.get(server.url).start()._repr_mimebundle_()['text/plain'].endswith('late')
    assert len(server.requests) == 1


# -- what looks and does not send


def test_reprs_are_one_line_with_what_matters(server: HttpServer) -> None:
    server.routes['/'] = reply('hello', content_type='text/html; charset=utf-8')
    made = request.get(server.url.replace('//', '//me:hunter2@'), time=True)
    host = server.url.removeprefix('http://').removesuffix('/')
    assert repr(made) == f'<Request GET http://***@{host}/ (not sent)>'
    response = made.response
    assert repr(response) == f'<Response GET http://***@{host}/ 200 text/html (body not read)>'
    response = made.end()
    assert re.fullmatch(rf'<Response GET http://\*\*\*@{host}/ 200 text/html 5 B \d+ ms>', repr(response))
    assert repr(made) == repr(response).replace('Response', 'Request')


def test_a_wrapper_shows_its_defaults_without_secrets() -> None:
    api = request.defaults(
        base_url='https://me:hunter2@h/v1', json=True, timeout=500, auth=('me', 'hunter2'), headers={'X-Token': 'hunter2'}, qs={'key': 'hunter2'},
        passphrase='hunter2', body='hunter2', jar=True, proxy=None,
    )  # fmt: skip
    assert repr(api) == (
        "<request with defaults auth=*** base_url='https://***@h/v1' body=*** headers=(X-Token) jar=True json=True passphrase=*** "
        'proxy=None qs=*** timeout=500>'
    )
    assert repr(request) == '<request>'
    assert len(repr(request.defaults(headers={f'x-{n}': 'y' for n in range(1000)}))) < 500


def test_completion_lists_the_snake_case_names_that_are_for_users(server: HttpServer) -> None:
    made = request.get(server.url)
    listed = [name for name in dir(made) if name[0] != '_']
    assert {'abort', 'auth', 'end', 'headers', 'on', 'pipe', 'set_header', 'start', 'to_curl', 'uri', 'write'} <= set(
        listed
    )
    assert not {'response', 'give', 'tell', 'send_let_go', 'inherited', 'refused', 'setHeader', 'toJSON'} & set(listed)
    assert [name for name in listed if name != name.lower()] == []
    response = made.end()
    assert 'response' in dir(made)
    for value in (request, response):
        assert [name for name in dir(value) if name[0] != '_' and name != name.lower()] in (
            [],
            ['Pool', 'Request', 'Response'],
        )


def test_the_completer_of_the_prompt_never_sends(server: HttpServer) -> None:
    pytest.importorskip('rlcompleter')
    complete = interactive.completer({'req': request.get(server.url), 'request': request})

    def offered(text: str) -> list[str]:
        found = []
        while (name := complete(text, len(found))) is not None:
            found.append(name)
        return found

    assert 'req.response.body' in offered('req.response.b')
    assert 'req.set_header(' in offered('req.set')
    assert any(name.startswith('request.get(') for name in offered('request.g'))
    offered('req.'), offered('req.response.'), offered('req.response.body.')
    assert server.requests == []


def test_looking_neither_sends_nor_loads_what_shows(server: HttpServer, tmp_path: Path) -> None:
    script = """
        import logging, pprint, reprlib, sys, traceback
        from requite import request
        made = request.get(sys.argv[1])
        for look in (repr, str, pprint.pformat, reprlib.repr, '{}'.format, '%s'.__mod__, dir, vars, bool, hash):
            look(made)
        logging.getLogger().addHandler(logging.NullHandler())
        logging.error('%r', made)
        try:
            made.nothing
        except AttributeError as error:
            traceback.TracebackException.from_exception(error, capture_locals=True)
        print(sorted({'requite.shown', 'requite.interactive', 'IPython', 'code', 'html'} & set(sys.modules)))
        made.abort()
        import warnings
        warnings.simplefilter('ignore')
    """
    assert child(tmp_path, script, server.url) == '[]\n'
    assert server.requests == []


@needs('rich')
def test_rich_looks_without_sending(server: HttpServer) -> None:
    import rich
    from rich.console import Console
    from rich.pretty import pretty_repr

    made = request.get(server.url)
    with open(os.devnull, 'w') as nowhere:
        console = Console(file=nowhere)
        rich.inspect(made, console=console, all=True)
        console.print(made, [made], {'a': made})
    assert pretty_repr([made]) == f'[{made!r}]'
    assert server.requests == []


# -- the prompt itself


def test_the_prompt_reads_from_a_pipe(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/'] = reply('hello')
    typed = f"made = request('{server.url}')\nmade\nmade\n_\n[made]\nprint(made)\n1 + 1\npipe\nrequest('http://127.0.0.1:{closed_port()}')\n1 / 0\n"
    done = subprocess.run(
        [sys.executable, '-m', 'requite'],
        input=typed,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.count('HTTP/1.1 200 OK\n') == 3
    assert done.stdout.count('<Request GET') == 3
    assert '\nConnectionRefused: ' in done.stdout
    assert '>>> 2\n' in done.stdout
    assert '<function pipe' in done.stdout
    assert 'ZeroDivisionError' in done.stderr
    assert '`request` and `pipe` are here' in done.stderr
    assert len(server.requests) == 1


def test_what_is_assigned_at_the_prompt_is_sent_when_it_ends(server: HttpServer, tmp_path: Path) -> None:
    typed = f"made = request.post('{server.url}')\n"
    done = subprocess.run(
        [sys.executable, '-m', 'requite'],
        input=typed,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert 'HTTP/1.1' not in done.stdout
    assert [seen.method for seen in server.requests] == ['POST']


@pytest.mark.skipif(os.name == 'nt', reason='sh closes the standard input')
def test_a_prompt_without_a_standard_input_says_so(tmp_path: Path) -> None:
    command = ['sh', '-c', '"$0" -m requite <&-', sys.executable]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.startswith('requite: a prompt needs a standard input')
    assert done.stderr.count('\n') == 1


@needs('pexpect')
def test_the_prompt_of_a_terminal_without_ipython(server: HttpServer, tmp_path: Path) -> None:
    import pexpect

    server.routes['/'] = reply('hello')
    program = "import sys; sys.modules['IPython'] = None; sys.argv[1:] = []; import runpy; runpy.run_module('requite', run_name='__main__', alter_sys=True)"
    prompt = pexpect.spawn(
        sys.executable, ['-c', program], env=environment(tmp_path), encoding='utf-8', timeout=30, dimensions=(40, 200)
    )
    try:
        prompt.expect('Ctrl-D leaves')
        prompt.expect('>>> ')
        prompt.sendline(f"request('{server.url}')")
        prompt.expect('HTTP/1.1 200 OK')
        prompt.expect('hello')
        prompt.expect('>>> ')
        prompt.send('request.def\t')
        prompt.expect(r'request\.defaults\(')
        prompt.send('\x15')
        prompt.sendeof()
        prompt.expect(pexpect.EOF)
    finally:
        prompt.close(force=True)
    assert len(server.requests) == 1


@needs('IPython')
@needs('pexpect')
def test_the_prompt_is_ipython_where_it_is_installed(server: HttpServer, tmp_path: Path) -> None:
    import pexpect

    server.routes['/'] = reply('hello')
    env = environment(tmp_path)
    prompt = pexpect.spawn(
        sys.executable, ['-m', 'requite'], env=env, encoding='utf-8', timeout=60, dimensions=(40, 200)
    )
    try:
        prompt.expect(r'In .*\[.*1.*\]: ')
        prompt.send(f"request('{server.url}')\r")
        prompt.expect('HTTP/1.1 200 OK')
        prompt.expect('hello')
        prompt.expect(r'In .*\[.*2.*\]: ')
        prompt.send('exit\r')
        prompt.expect(pexpect.EOF)
    finally:
        prompt.close(force=True)
    assert len(server.requests) == 1


@needs('IPython')
def test_ipython_shows_anywhere_and_inspects_and_completes_without_sending(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/'] = reply('hello')
    script = """
        import sys, warnings
        warnings.simplefilter('default')
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        def run(cell):
            print('>', cell)
            shell.run_cell(cell, store_history=True).raise_error()
        run(f'from requite import request; made = request.get({sys.argv[1]!r})')
        for jedi in (True, False):
            shell.Completer.use_jedi = jedi
            for text in ('made.', 'made.re', 'made.response.', 'made.response.bo', 'made.end().', 'request.'):
                with warnings.catch_warnings():
                    warnings.simplefilter('ignore')
                    print(text, len(list(shell.Completer.completions(text, len(text)))) >= 0)
        run('made?')
        run('%whos')
        run('[made]')
        run('made.get_header("x")')
        print('SO FAR')
        run('made')
        run('made')
        run('made.response')
        run('request.get(made.uri);')
        run('del made')
    """
    out = child(tmp_path, script, server.url)
    before, after = out.split('SO FAR')
    assert 'HTTP/1.1' not in before
    assert '<Request GET' in before
    assert after.count('HTTP/1.1 200 OK') == 3
    assert len(server.requests) == 2


def test_bounds_are_what_the_pages_say() -> None:
    assert (shown.MOST_TEXT, shown.MOST_READ) == (2048, 4194304)
