"""What every store does alike, played to each of them."""

from __future__ import annotations

import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite.cookies import (
    Cookie,
    CookieJar,
    CookieStoreError,
    JSONFileStore,
    MemoryStore,
    NetscapeFileStore,
    SQLiteStore,
)
from requite.cookies.stores import Store
from requite.wire.uri import parse
from tests.unit.cookies.jars import sent

Maker = Callable[[], Any]


@pytest.fixture(scope='session')
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of this test run, on a port of its own."""
    pytest.importorskip('redis', reason='the package redis is not installed (the extra requite[redis])')
    program = shutil.which('redis-server')
    if program is None:
        pytest.skip('redis-server is not installed (Debian: apt-get install redis-server)')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    folder = str(tmp_path_factory.mktemp('redis'))
    options = ['--port', str(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as server:
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(('127.0.0.1', port)) == 0:
                        break
                time.sleep(0.05)
            yield f'redis://127.0.0.1:{port}/0'
        finally:
            server.terminate()


@pytest.fixture(params=['memory', 'json', 'netscape', 'sqlite', 'redis'])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Maker]:
    """Makes one store again and again: each sees what the one before has kept (but for memory, which is one)."""
    made: list[Any] = []
    memory = MemoryStore()
    kinds: dict[str, Maker] = {
        'memory': lambda: memory,
        'json': lambda: JSONFileStore(tmp_path / 'cookies.json'),
        'netscape': lambda: NetscapeFileStore(tmp_path / 'cookies.txt'),
        'sqlite': lambda: SQLiteStore(tmp_path / 'cookies.db'),
        'redis': lambda: redis_store(request.getfixturevalue('redis_url'), tmp_path),
    }

    def maker() -> Any:
        made.append(kinds[request.param]())
        return made[-1]

    yield maker
    for store in made:
        getattr(store, 'close', int)()


def redis_store(url: str, folder: Path) -> Any:
    """A store in that server, apart from those of other tests."""
    from requite.cookies import RedisStore

    return RedisStore(url, prefix=f'test:{folder.name}')


def test_what_one_jar_keeps_the_next_one_sends(make: Maker) -> None:
    jar = CookieJar(make())
    values = [
        'sid=42; HttpOnly',
        'all=1; Domain=example.com; Path=/x; Secure; Max-Age=1000',
        'c=café; Path=/',
        'nameless',
        'empty=',
    ]
    jar.remember(parse('https://www.example.com/'), values)
    again = CookieJar(make())
    for one in (jar, again):
        assert sent(one, 'https://www.example.com/x') == 'all=1; sid=42; c=café; nameless; empty='
        assert sent(one, 'https://api.example.com/x') == 'all=1'
        assert len(one) == 5
    kept = {cookie.key: cookie for cookie in again.get_cookies('https://www.example.com/x')}
    assert kept['sid'].http_only
    assert kept['sid'].host_only
    assert kept['sid'].expires is None
    assert kept['all'].secure
    assert abs(kept['all'].expiry - time.time() - 1000) < 100


def test_a_changed_and_a_deleted_cookie_are_so_for_the_next_jar(make: Maker) -> None:
    CookieJar(make()).remember(parse('https://www.example.com/'), ['a=1', 'b=2', 'c=3'])
    CookieJar(make()).remember(parse('https://www.example.com/'), ['a=4', 'b=; Max-Age=0'])
    assert sent(CookieJar(make())) == 'a=4; c=3'


def test_two_jars_see_what_the_other_keeps(make: Maker) -> None:
    one, other = CookieJar(make()), CookieJar(make())
    one.set_cookie('a=1', 'https://www.example.com/')
    assert sent(other) == 'a=1'
    other.set_cookie('b=2', 'https://www.example.com/')
    one.set_cookie('c=3', 'https://www.example.com/')
    assert sent(one) == 'a=1; b=2; c=3'
    assert sent(other) == 'a=1; b=2; c=3'


def test_a_hosts_own_cookie_and_one_for_all_below_it_are_both_kept(make: Maker) -> None:
    CookieJar(make()).remember(parse('https://www.example.com/'), ['a=own', 'a=all; Domain=www.example.com'])
    assert sent(CookieJar(make())) == 'a=own; a=all'
    assert sent(CookieJar(make()), 'https://sub.www.example.com/') == 'a=all'


def test_an_expired_cookie_leaves_the_store(make: Maker) -> None:
    store = make()
    jar = CookieJar(store)
    jar.set_cookie('a=1; Max-Age=100', 'https://www.example.com/')
    later = CookieJar(make(), now=lambda: time.time() + 1000)
    assert sent(later) == ''
    assert len(later) == 0
    assert len(CookieJar(make())) == 0


def test_c4_a_store_is_bounded_as_the_jar_is(make: Maker) -> None:
    """SECURITY C4."""
    jar = CookieJar(make(), most=6, most_of_a_domain=3)
    jar.remember(parse('https://www.example.com/'), [f'c{number}=1' for number in range(10)])
    for number in range(10):
        jar.set_cookie('a=1', f'https://host{number}.org/')
    assert len(CookieJar(make())) == 6


def test_c6_odd_names_are_plain_data(make: Maker) -> None:
    """SECURITY C6: no key of a store means anything but itself."""
    odd = ['__proto__=1', '__class__=2', "' OR 1=1 --", '%s=4', '../../x=5', '*=6', 'ü=7', '"q"=8']
    CookieJar(make()).remember(parse('https://__proto__.example.com/'), odd)
    assert sent(CookieJar(make()), 'https://__proto__.example.com/') == '; '.join(odd)


def test_a_store_does_what_its_protocol_says(make: Maker) -> None:
    store: Store = make()
    first = Cookie('a', '1', domain='example.com', host_only=True, path='/', creation=1.0)
    second = Cookie('a', '2', domain='example.org', host_only=True, path='/', creation=2.0)
    for cookie in (first, second, first.replace(None, '3')):
        store.put(cookie)
        getattr(store, 'commit', int)()
    assert [cookie.value for cookie in store.find('example.com')] == ['3']
    assert list(store.find('com')) == []
    assert [cookie.value for cookie in store.all()] == ['3', '2']
    assert len(store) == 2
    store.remove(first)
    store.remove(first)
    getattr(store, 'commit', int)()
    assert (len(store), list(store.find('example.com'))) == (1, [])


def test_files_are_for_their_owner_alone(make: Maker, tmp_path: Path) -> None:
    CookieJar(make()).set_cookie('a=1', 'https://www.example.com/')
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert set(modes.values()) <= {0o600}, modes


def test_a_missing_package_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from requite.cookies import RedisStore

    monkeypatch.setitem(sys.modules, 'redis', None)
    with pytest.raises(CookieStoreError, match=r'pip install requite\[redis\]'):
        RedisStore('redis://127.0.0.1/')


def test_a_redis_server_that_is_gone_is_an_error_of_the_store() -> None:
    pytest.importorskip('redis', reason='the package redis is not installed (the extra requite[redis])')
    from requite.cookies import RedisStore

    store = RedisStore('redis://127.0.0.1:1/')
    try:
        with pytest.raises(CookieStoreError, match='ConnectionError'):
            CookieJar(store).set_cookie('a=1', 'https://www.example.com/')
    finally:
        store.close()
