"""Files of cookies: formats, damage, locks, crashes, and who may read them."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from http.cookiejar import MozillaCookieJar
from pathlib import Path
from typing import Any

import pytest

from requite.cookies import CookieError, CookieJar, CookieStoreError, JSONFileStore, NetscapeFileStore, SQLiteStore
from requite.cookies.stores import files
from requite.wire.uri import parse
from tests.unit.cookies.jars import jar_with, sent

STORES = [JSONFileStore, NetscapeFileStore, SQLiteStore]
DAMAGED = {
    JSONFileStore: [b'{"a": ', b'5', b'{"example.com": 5}', b'{"example.com": {"/": {"a": 5}}}', b'\xff\xfe\xff', b'[' * 100_000, b'{"cookies": [5]}'],
    NetscapeFileStore: [b'no cookies at all\n', b'example.com\tTRUE\t/\tFALSE\tsoon\ta\tb\n', b'example.com\tTRUE\t/\tFALSE\tnan\ta\tb\n'],
    SQLiteStore: [b'this is no database, ' * 100],
}  # fmt: skip


@pytest.mark.parametrize(('kind', 'data'), [(kind, data) for kind, texts in DAMAGED.items() for data in texts])
def test_a_damaged_file_is_an_error_that_names_it_and_leaves_it_untouched(
    kind: Any, data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / 'mine.cookies'
    path.write_bytes(data)
    with pytest.raises(CookieStoreError, match=r'mine\.cookies') as caught:
        kind(path)
    assert isinstance(caught.value, OSError)
    assert path.read_bytes() == data


@pytest.mark.parametrize('name', ['missing.json', 'missing.txt'])
def test_loading_a_missing_file_is_an_error_and_a_store_begins_empty(name: str, tmp_path: Path) -> None:
    with pytest.raises(CookieStoreError, match=rf'{name}.*No such file'):
        CookieJar().load(tmp_path / name)
    assert len(JSONFileStore(tmp_path / name)) == 0


@pytest.mark.parametrize('kind', STORES)
def test_a_folder_that_is_missing_is_an_error(kind: Any, tmp_path: Path) -> None:
    with pytest.raises(CookieStoreError, match='nowhere'):
        CookieJar(kind(tmp_path / 'nowhere' / 'cookies')).set_cookie('a=1', 'https://www.example.com/')


@pytest.mark.parametrize('name', ['jar.json', 'jar', 'jar.txt'])
def test_a_saved_jar_is_loaded_again(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    jar = jar_with('a=1; Path=/x; HttpOnly', 'b=2; Domain=example.com; Secure; Max-Age=90000', now=time.time)
    jar.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = CookieJar().load(path)
    assert sent(again, 'https://www.example.com/x') == 'a=1; b=2'
    assert sent(again, 'https://api.example.com/x') == 'b=2'
    assert [left.name for left in tmp_path.iterdir()] == [name]


def test_cookies_that_wait_for_their_host_wait_in_the_file_too(tmp_path: Path) -> None:
    jar = CookieJar()
    jar.add('a=1')
    jar.save(tmp_path / 'jar.json')
    again = CookieJar().load(tmp_path / 'jar.json')
    assert sent(again, 'http://first.test/') == 'a=1'
    assert sent(again, 'http://second.test/') == ''


def test_p4_a_file_is_replaced_at_once_under_a_name_that_nobody_knows(tmp_path: Path) -> None:
    """SECURITY P4: whoever may write into the folder cannot wait there with a link."""
    path = tmp_path / 'jar.json'
    path.write_text('old')
    path.chmod(0o644)
    reader = path.open()
    files.replace(path, 'new')
    assert (reader.read(), path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ('old', 'new', 0o600)
    reader.close()


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / 'real').mkdir()
    link = tmp_path / 'jar.json'
    link.symlink_to(tmp_path / 'real' / 'jar.json')
    jar_with('a=1', now=time.time).save(link)
    assert link.is_symlink()
    assert sent(CookieJar().load(link)) == 'a=1'


def test_a_file_that_cannot_be_written_is_an_error_and_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / 'jar.json'
    path.mkdir()
    with pytest.raises(CookieStoreError, match='Is a directory'):
        jar_with('a=1').save(path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_now_is_written_with_the_next_change(tmp_path: Path) -> None:
    path = tmp_path / 'cookies.json'
    jar = CookieJar(JSONFileStore(path))
    (tmp_path / 'cookies.json.lock').mkdir()
    with pytest.raises(CookieStoreError, match='cannot be locked'):
        jar.set_cookie('a=1', 'https://www.example.com/')
    (tmp_path / 'cookies.json.lock').rmdir()
    jar.set_cookie('b=2', 'https://www.example.com/')
    assert sent(CookieJar(JSONFileStore(path))) == 'a=1; b=2'


# ---------------------------------------------------------------- JSON


def test_the_json_file_is_that_of_tough_cookie_file_store(tmp_path: Path) -> None:
    path = tmp_path / 'cookies.json'
    CookieJar(JSONFileStore(path)).remember(
        parse('https://www.example.com/'), ['a=1; Path=/x', 'b=2; Domain=example.com']
    )
    data = json.loads(path.read_text())
    assert data['www.example.com']['/x']['a']['value'] == '1'
    assert data['example.com']['/']['b']['hostOnly'] is False
    assert data['www.example.com']['/x']['a']['creation'].endswith('Z')


def test_a_file_that_tough_cookie_file_store_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / 'cookies.json'
    cookie = {
        'key': 'a', 'value': 'é', 'expires': '2999-01-01T00:00:00.000Z', 'domain': 'example.com', 'path': '/', 'hostOnly': False,
        'creation': '2015-10-21T07:28:00.000Z', 'lastAccessed': '2099-10-21T07:28:00.000Z',
    }  # fmt: skip
    bare = {'value': '2'}
    path.write_text(json.dumps({'example.com': {'/': {'a': cookie, 'b': bare}}}, ensure_ascii=False), encoding='utf-8')
    jar = CookieJar(JSONFileStore(path))
    assert sent(jar, 'https://www.example.com/') == 'b=2; a=é'
    assert sent(CookieJar().load(path), 'https://www.example.com/') == 'b=2; a=é'


def test_a_jar_that_tough_cookie_serialised_is_read() -> None:
    text = json.dumps(
        {
            'version': 'tough-cookie@2.5.0',
            'storeType': 'MemoryCookieStore',
            'rejectPublicSuffixes': True,
            'cookies': [
                {
                    'key': 'a',
                    'value': '1',
                    'domain': 'example.com',
                    'path': '/',
                    'hostOnly': True,
                    'creation': '2015-10-21T07:28:00.000Z',
                },
                {'key': 'evil', 'value': '1', 'domain': 'co.uk', 'path': '/', 'hostOnly': False},
                {'key': 'evil', 'value': '1\r\n2', 'domain': 'example.com', 'path': '/', 'hostOnly': True},
                {'key': '__Host-evil', 'value': '1', 'domain': 'example.com', 'path': '/', 'hostOnly': True},
                {'key': 'evil', 'value': 'x' * 5000, 'domain': 'example.com', 'path': '/', 'hostOnly': True},
            ],
        }
    )
    for jar in (CookieJar.from_json(text), CookieJar.from_json(json.loads(text))):
        assert [cookie['key'] for cookie in jar.to_json()['cookies']] == ['a']


def test_c6_a_loaded_cookie_passes_the_same_checks(tmp_path: Path) -> None:
    """SECURITY C6: whoever can write the file cannot set what a server could not."""
    netscape = tmp_path / 'cookies.txt'
    lines = [
        '.co.uk\tTRUE\t/\tFALSE\t0\tbad\t1',
        'x.co.uk\tFALSE\t/\tFALSE\t0\t__Secure-bad\t1',
        'x.co.uk\tFALSE\t/\tFALSE\t0\tbad\ta\x07b',
        'x.co.uk\tFALSE\t/\tFALSE\t0\tgood\t1',
    ]
    netscape.write_text('\n'.join(lines))
    assert sent(CookieJar(NetscapeFileStore(netscape)), 'http://x.co.uk/') == 'good=1'
    assert sent(CookieJar().load(netscape), 'http://x.co.uk/') == 'good=1'


@pytest.mark.parametrize('data', [5, 'x', None, '[5]', '{"cookies": 5}', '[' * 100_000, 'nonsense'])
def test_data_that_is_no_jar_is_an_error(data: Any) -> None:
    with pytest.raises(CookieError):
        CookieJar.from_json(data)


# ---------------------------------------------------------------- Netscape


def test_a_netscape_file_is_read_by_pythons_own_reader(tmp_path: Path) -> None:
    path = tmp_path / 'cookies.txt'
    store = NetscapeFileStore(path)
    CookieJar(store).remember(
        parse('https://www.example.com/'),
        ['a=1; Path=/x; HttpOnly', 'b=2; Domain=example.com; Secure; Max-Age=1000', 'tab\there=1'],
    )
    theirs = MozillaCookieJar(str(path))
    theirs.load(ignore_discard=True, ignore_expires=True)  # it takes curl's 0 of a session cookie for 1970
    found = {cookie.name: (cookie.value, cookie.domain, cookie.path, cookie.secure) for cookie in theirs}
    assert found == {'a': ('1', 'www.example.com', '/x', False), 'b': ('2', '.example.com', '/', True)}


def test_a_netscape_file_of_others_is_read(tmp_path: Path) -> None:
    path = tmp_path / 'cookies.txt'
    path.write_text(
        '# HTTP Cookie File\r\n\r\n# a comment\n.example.com\tTRUE\t/\tFALSE\t22147483647\ta\t1\r\n'
        '#HttpOnly_www.example.com\tFALSE\t/\tTRUE\t22147483647.5\tb\t2\twith a tab\nwww.example.com\tFALSE\t/\tFALSE\t0\tempty\n'
        'www.example.com\tFALSE\t/\tFALSE\t1\tgone\t1\n.127.0.0.1\tTRUE\t/\tFALSE\t0\tip\t1\nwww.example.com\tFALSE\t/\tFALSE\t0\t\tnameless\n'
    )
    jar = CookieJar(NetscapeFileStore(path))
    assert sent(jar) == 'a=1; b=2\twith a tab; empty=; nameless'
    assert sent(jar, 'http://127.0.0.1/') == 'ip=1'


def test_the_bytes_of_a_cookie_survive_a_netscape_file(tmp_path: Path) -> None:
    path = tmp_path / 'cookies.txt'
    jar = CookieJar()
    jar.set_cookie('ü=値', 'http://www.example.com/')
    jar.save(path)
    assert '\tü\t値\n'.encode() in path.read_bytes()
    assert sent(CookieJar().load(path), 'http://www.example.com/') == jar.header(parse('http://www.example.com/'))


# ---------------------------------------------------------------- several processes

WRITER = """
import sys
from requite.cookies import CookieJar, JSONFileStore, NetscapeFileStore, SQLiteStore
store = {'json': JSONFileStore, 'txt': NetscapeFileStore, 'db': SQLiteStore}[sys.argv[1].rpartition('.')[2]]
jar = CookieJar(store(sys.argv[1]))
for number in range(int(sys.argv[3])):
    jar.set_cookie(f'{sys.argv[2]}{number}=1; Max-Age=9999', 'https://www.example.com/')
    print(number, flush=True)
"""


@pytest.mark.parametrize('name', ['cookies.json', 'cookies.txt', 'cookies.db'])
def test_several_processes_lose_nothing_of_one_another(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    writers = [
        subprocess.Popen([sys.executable, '-c', WRITER, path, who, '25'], stdout=subprocess.DEVNULL) for who in 'abc'
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(CookieJar().load(path) if name != 'cookies.db' else SQLiteStore(path)) == 75


@pytest.mark.parametrize('name', ['cookies.json', 'cookies.db'])
def test_what_was_set_survives_a_kill(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    with subprocess.Popen(
        [sys.executable, '-c', WRITER, path, 'a', '170'], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line == '20\n':
                writer.kill()
                break
        last = max([20, *(int(line) for line in writer.stdout)])
    store = SQLiteStore(path) if name == 'cookies.db' else JSONFileStore(path)
    assert len(store) >= last + 1


def test_a_fork_gets_a_connection_of_its_own(tmp_path: Path) -> None:
    program = (
        'import os, sys\nfrom requite.cookies import CookieJar, SQLiteStore\n'
        'jar = CookieJar(SQLiteStore(sys.argv[1]))\njar.set_cookie("a=1", "https://www.example.com/")\n'
        'child = os.fork()\njar.set_cookie("child=1" if child == 0 else "parent=1", "https://www.example.com/")\n'
        'jar.close()\nif child: assert os.waitpid(child, 0)[1] == 0\n'
    )
    subprocess.run([sys.executable, '-W', 'error', '-c', program, str(tmp_path / 'x.db')], check=True)
    store = SQLiteStore(tmp_path / 'x.db')
    assert sorted(cookie.key for cookie in store.all()) == ['a', 'child', 'parent']
    store.close()


def test_a_fork_while_another_thread_uses_the_jar_does_not_lock_it_for_ever() -> None:
    program = (
        'import os, threading\nfrom requite.cookies import CookieJar\njar = CookieJar()\nheld, done = threading.Event(), threading.Event()\n'
        'def hold():\n    with jar._lock:\n        held.set(); done.wait(30)\n'
        'thread = threading.Thread(target=hold); thread.start(); held.wait()\nchild = os.fork()\n'
        'if child == 0:\n    jar.set_cookie("a=1", "https://www.example.com/"); os._exit(len(jar))\n'
        'done.set(); thread.join()\nassert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1\n'
    )
    # Python 3.12 warns of every fork with threads.
    subprocess.run([sys.executable, '-W', 'ignore::DeprecationWarning', '-c', program], check=True, timeout=30)


def test_a_damaged_row_is_an_error_that_names_the_database(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / 'mine.db')
    jar = CookieJar(store)
    jar.set_cookie('a=1', 'https://www.example.com/')
    store._ask("UPDATE cookies SET cookie = '{'")
    store._cache.clear()
    with pytest.raises(CookieStoreError, match=r'mine\.db.*not JSON'):
        jar.get_cookies('https://www.example.com/')
    store.close()
