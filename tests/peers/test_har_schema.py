"""What requite writes as HAR, checked against the schema of HAR 1.2 that the world uses (npm's har-schema)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from requite import HarLog, RequestError, request
from tests.servers import Answer, Authority, HttpServer, closed_port, redirect, reply

from .npm import npm_folder


@pytest.fixture(scope='module')
def check() -> Any:
    """Raises for what is no HAR."""
    jsonschema = pytest.importorskip('jsonschema', reason='jsonschema checks what a schema says')
    registry = pytest.importorskip('referencing', reason='jsonschema comes with it')
    folder = npm_folder('har-schema@2.0.0') / 'node_modules' / 'har-schema' / 'lib'
    schemas = {path.name: json.loads(path.read_text(encoding='utf-8')) for path in folder.glob('*.json')}
    known = registry.Registry().with_resources(
        (name, registry.Resource.from_contents({**schema, '$id': name})) for name, schema in schemas.items()
    )
    validator = jsonschema.Draft6Validator(
        {**schemas['har.json'], '$id': 'har.json'},
        registry=known,
        format_checker=jsonschema.Draft6Validator.FORMAT_CHECKER,
    )
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({'log': {'version': '1.2', 'creator': {'name': 'x', 'version': '1'}, 'entries': [{}]}})
    return validator.validate


def answers(seen: Any) -> Answer | None:
    if seen.path == '/busy':
        return reply('busy', 503, retry_after='0')
    if seen.path == '/closed':
        return None
    routes = {
        '/redirect': redirect('/there?a=1'),
        '/packed': Answer(200, {'content-encoding': 'gzip', 'content-type': 'text/plain'}, gzip.compress(b'hello')),
        '/broken': Answer(200, {'content-encoding': 'gzip'}, b'nonsense'),
        '/binary': reply(bytes(range(256)), content_type='image/png'),
        '/cookies': Answer(200, [('set-cookie', 'a=1; Path=/; Expires=x'), ('set-cookie', 'b'), ('x', '')], ''),
        '/none': Answer(204, {}, ''),
        '/same': Answer(304, {'etag': '"x"'}, ''),
        '/large': reply(b'x' * 5_000_000),
    }
    return routes.get(seen.path, reply('fine', content_type='text/plain'))


@pytest.mark.parametrize('secrets', [True, False])
def test_every_entry_is_what_the_schema_says(
    server: HttpServer, tls_server: HttpServer, authority: Authority, tmp_path: Path, check: Any, secrets: bool
) -> None:
    server.answers = tls_server.answers = answers
    path = tmp_path / 'log.har'
    check(HarLog().to_json())
    log = HarLog(path, secrets)
    check(json.loads(path.read_text(encoding='utf-8')))
    api = request.defaults(har_log=log, retry={'limit': 1, 'backoff': 0}, encoding=None)
    for name in ('redirect', 'packed', 'broken', 'binary', 'cookies', 'none', 'same', 'large', 'busy', 'closed', ''):
        for method in ('GET', 'HEAD', 'POST'):
            try:
                api(f'{server.url}/{name}?q=%20&q&token=t', method=method, gzip=name == 'broken').end()
            except RequestError:
                continue
    api.post(server.url, form={'a': '1'}, auth=('a', 'b')).end()
    api.post(server.url, json={'a': 'é'}, headers={'Cookie': 'a=1; b'}).end()
    api.post(server.url, body=b'\x00\xff').end()
    api.post(server.url, body=iter([b'a'])).end()
    api.put(server.url, form_data={'a': '1'}).end()
    with api.get(server.url + '/large') as response:
        response.read(1)
    api.get(tls_server.url, ca=authority.path).end()
    with pytest.raises(RequestError):
        api.get(f'http://127.0.0.1:{closed_port()}/').end()
    whole = json.loads(path.read_text(encoding='utf-8'))
    check(whole)
    assert len(whole['log']['entries']) > 45
