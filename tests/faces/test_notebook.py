"""A notebook that is executed shows what a reader will see in it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import requite
from tests.faces.test_prompt import PNG
from tests.servers import HttpServer, closed_port, json_reply, reply

MISSING = [name for name in ('nbclient', 'nbformat', 'ipykernel') if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f'not installed: {", ".join(MISSING)}')

# In a process of its own: the client of a kernel leaves sockets and loops to the garbage collector, with warnings.
EXECUTE = """
import json, sys
import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
cells = json.load(sys.stdin)
notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
notebook.metadata['kernelspec'] = {'name': 'python3', 'display_name': 'Python 3', 'language': 'python'}
NotebookClient(notebook, timeout=60, kernel_name='python3', allow_errors=True).execute()
nbformat.validate(notebook)
print('NOTEBOOK' + json.dumps([cell['outputs'] for cell in notebook.cells]))
"""


def execute(folder: Path, *cells: str) -> list[list[Any]]:
    """The outputs of each cell."""
    kernel = folder / 'share' / 'jupyter' / 'kernels' / 'python3'
    kernel.mkdir(parents=True)
    spec = {
        'argv': [sys.executable, '-m', 'ipykernel_launcher', '-f', '{connection_file}'],
        'display_name': 'Python 3',
        'language': 'python',
    }
    (kernel / 'kernel.json').write_text(json.dumps(spec))
    environment = {
        **os.environ, 'PYTHONPATH': str(Path(requite.__file__).parent.parent), 'HOME': str(folder), 'IPYTHONDIR': str(folder / 'ipython'),
        'JUPYTER_PATH': str(folder / 'share' / 'jupyter'), 'JUPYTER_RUNTIME_DIR': str(folder / 'runtime'), 'JUPYTER_PLATFORM_DIRS': '1',
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', EXECUTE], input=json.dumps([textwrap.dedent(cell) for cell in cells]), env=environment,
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[list[Any]] = json.loads(done.stdout.partition('NOTEBOOK')[2])
    return found


def test_a_notebook_shows_requests_once_each_and_awaits_them(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/json'] = json_reply({'name': 'Ada'}, set_cookie='sid=hunter2')
    server.routes['/png'] = reply(PNG, content_type='image/png')
    server.routes['/missing'] = reply('no such page', 404, content_type='text/html')
    first, again, assigned, displayed, several, picture, missing, failed, awaited, pool, quiet = execute(
        tmp_path,
        f"from requite import request\nmade = request.get('{server.url}/json', json=True)\nmade",
        'made',
        f"kept = request.post('{server.url}/kept')",
        'display(made, made.response)',
        '[made, kept]',
        f"request.get('{server.url}/png')",
        f"request.get('{server.url}/missing')",
        f"request.get('http://127.0.0.1:{closed_port()}/')",
        f"response = await request.get('{server.url}/awaited')\nresponse.status_code",
        'request.defaults(auth=("me", "hunter2"))',
        f"request.get('{server.url}/quiet');",
    )
    [result] = first
    assert result['output_type'] == 'execute_result'
    data = result['data']
    assert set(data) == {'text/plain', 'text/html', 'image/svg+xml'}
    assert data['text/plain'].startswith('HTTP/1.1 200 OK')
    assert '<b>name</b> <code>&quot;Ada&quot;</code>' in data['text/html']
    assert again[0]['data'] == data
    assert assigned == []
    assert [shown['data'] for shown in displayed] == [data, data]
    assert several[0]['data'].keys() == {'text/plain'}
    assert '(not sent)' in several[0]['data']['text/plain']
    assert picture[0]['data']['image/png']
    assert '<b>HTTP/1.1 404 ' in missing[0]['data']['text/html']
    assert 'no such page' in missing[0]['data']['text/html']
    assert 'ConnectionRefused: ' in failed[0]['data']['text/plain']
    assert awaited[0]['data']['text/plain'] == '200'
    assert pool[0]['data']['text/plain'] == '<request with defaults auth=***>'
    assert quiet == []
    everything = json.dumps(
        [first, again, assigned, displayed, several, picture, missing, failed, awaited, pool, quiet]
    )
    assert 'hunter2' not in everything
    assert 'Traceback' not in everything
    targets = [seen.target for seen in server.requests]
    assert sorted(targets) == ['/awaited', '/json', '/kept', '/missing', '/png', '/quiet']
