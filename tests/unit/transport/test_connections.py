"""Which urllib3 this stands on, and what of it that urllib3 does not promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from requite.routes import TLS, Route
from requite.transport.connections import URLLIB3_PRIVATE, Plain, PlainPool, Secure, SecurePool, factory


@pytest.mark.parametrize('name', URLLIB3_PRIVATE)
def test_the_private_names_of_urllib3_are_still_there(name: str) -> None:
    module, kind, attribute = name.split('.')
    owner = getattr(getattr(urllib3, module), kind)
    made = owner('localhost', 1)
    assert hasattr(made, attribute)


def test_urllib3s_pools_make_our_connections() -> None:
    plain = factory(Route('http', 'example.com', 81))
    secure = factory(Route('https', 'example.com', 443, TLS(server_hostname='other.example')))
    assert isinstance(plain, PlainPool)
    assert isinstance(secure, SecurePool)
    one, other = plain._new_conn(), secure._new_conn()
    assert isinstance(one, Plain)
    assert isinstance(other, Secure)
    assert (one.host, one.port) == ('example.com', 81)
    assert other.server_hostname == 'other.example'


@pytest.mark.parametrize(
    'text',
    ["__version__ = '2.14.900'\nclass AsyncPoolManager: pass", "__version__ = '1.26.0'", "__version__ = '3.0.0'"],
)
def test_another_urllib3_is_refused_with_a_clear_text(text: str, tmp_path: Path) -> None:
    """urllib3-future takes the place of urllib3 when it is installed."""
    package = tmp_path / 'urllib3'
    package.mkdir()
    (package / '__init__.py').write_text(f'{text}\n')
    for name in ('connection', 'connectionpool', 'exceptions'):
        (package / f'{name}.py').write_text('class HTTPConnection: pass\nclass HTTPSConnection: pass\n')
    script = f'import sys; sys.path.insert(0, {str(tmp_path)!r}); import requite.transport.connections'
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert 'requite needs urllib3 >=2.8,<3' in done.stderr
