"""Files of cookies: formats, damage, locks, crashes, and who may read them."""

from __future__ import annotations

import json
import sqlite3
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
    assert (
        sent(jar, 'https://www.example.com/') == 'a=é; b=2'
    )  # b does not say when it was made: now, as in tough-cookie
    assert sent(CookieJar().load(path), 'https://www.example.com/') == 'a=é; b=2'


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


# ---------------------------------------------------------------- whose file it is, and when its cookies were made


def month_from_now() -> int:
    return int(time.time()) + 30 * 86400


def test_cookies_of_a_netscape_file_survive_every_other_format(tmp_path: Path) -> None:
    """No line says when a cookie was made: what was taken for 1970 ended 400 days later, in 1971."""
    source = tmp_path / 'cookies.txt'
    source.write_text(
        f'www.example.com\tFALSE\t/\tFALSE\t{month_from_now()}\tsid\t1\nwww.example.com\tFALSE\t/\tFALSE\t0\tsess\t2\n'
    )
    jar = CookieJar().load(source)
    jar.set_cookie('late=3', 'https://www.example.com/')
    wanted = 'sid=1; sess=2; late=3'
    assert sent(jar) == wanted
    assert sent(CookieJar.from_json(jar.to_json())) == wanted
    jar.save(tmp_path / 'jar.json')
    assert sent(CookieJar().load(tmp_path / 'jar.json')) == wanted
    for kind, name in ((JSONFileStore, 's.json'), (SQLiteStore, 's.db'), (NetscapeFileStore, 's.txt')):
        with CookieJar(kind(tmp_path / name)).load(source) as filled:
            filled.set_cookie('late=3', 'https://www.example.com/')
        with CookieJar(kind(tmp_path / name)) as again:
            assert sent(again) == wanted
            again.set_cookie('sid=4; Max-Age=1000', 'https://www.example.com/')
            assert sent(CookieJar.from_json(again.to_json())) == 'sid=4; sess=2; late=3'


def test_a_stored_cookie_that_does_not_say_when_it_was_made_lives_on(tmp_path: Path) -> None:
    path = tmp_path / 'cookies.json'
    ends = time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(month_from_now()))
    bare = {'value': '1', 'expires': ends, 'hostOnly': True}
    counted = {'value': '2', 'maxAge': 1000, 'hostOnly': True}
    path.write_text(json.dumps({'www.example.com': {'/': {'a': bare, 'b': counted}}}))
    jar = CookieJar(JSONFileStore(path))
    jar.set_cookie('c=3; Max-Age=99', 'https://www.example.com/')
    again = CookieJar(JSONFileStore(path))
    assert sent(again) == 'a=1; b=2; c=3'
    assert (
        max(cookie.expiry for cookie in again.store.find('www.example.com') if cookie.key == 'b') < time.time() + 1001
    )


@pytest.mark.parametrize('name', ['jar.json', 'jar.txt'])
def test_400_days_are_counted_from_when_a_cookie_was_set_and_a_file_does_not_renew_them(
    name: str, tmp_path: Path
) -> None:
    clock = [time.time() - 300 * 86400]
    jar = CookieJar(now=lambda: clock[0])
    jar.set_cookie('a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT', 'https://www.example.com/')
    jar.save(tmp_path / name)
    (cookie,) = CookieJar().load(tmp_path / name).store.all()
    assert abs(cookie.expiry - time.time() - 100 * 86400) < 60


@pytest.mark.parametrize('stored', [True, False])
def test_no_file_holds_a_cookie_for_longer_than_400_days(stored: bool, tmp_path: Path) -> None:
    path = tmp_path / 'cookies.txt'
    path.write_text('www.example.com\tFALSE\t/\tFALSE\t9999999999\ta\t1\n')
    jar = CookieJar(NetscapeFileStore(path)) if stored else CookieJar().load(path)
    (cookie,) = jar.store.all()
    assert abs(cookie.expiry - time.time() - 400 * 86400) < 60


def test_the_cookies_of_a_socket_come_back_to_that_socket_alone(tmp_path: Path) -> None:
    """SECURITY R11: the host of a socket holds a colon, which is no port."""
    jar = CookieJar()
    jar.set_cookie('sid=secret', 'http://unix:/run/a.sock:/')
    jar.save(tmp_path / 'cookies.txt')
    again = CookieJar().load(tmp_path / 'cookies.txt')
    assert again.get_cookie_string('http://unix:/run/a.sock:/') == 'sid=secret'
    assert again.get_cookie_string('http://unix/') == ''


def test_the_port_that_wget_writes_is_left_out(tmp_path: Path) -> None:
    (tmp_path / 'cookies.txt').write_text('www.example.com:8080\tFALSE\t/\tFALSE\t0\ta\t1\n')
    assert sent(CookieJar().load(tmp_path / 'cookies.txt')) == 'a=1'


def test_p4_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """SECURITY P4."""
    path = tmp_path / 'cookies.db'
    path.touch()
    path.chmod(0o666)
    with CookieJar(SQLiteStore(path)) as jar:
        jar.set_cookie('a=1', 'https://www.example.com/')
        path.chmod(0o666)
        (tmp_path / 'cookies.db-wal').chmod(0o666)
        with CookieJar(SQLiteStore(path)) as second:
            assert sent(second) == 'a=1'
            assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}
            assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize('wal', [True, False])
def test_the_database_of_another_program_is_an_error_that_names_it_and_is_left_untouched(
    wal: bool, tmp_path: Path
) -> None:
    path = tmp_path / 'theirs.sqlite'
    theirs = sqlite3.connect(path)
    if wal:
        theirs.execute('PRAGMA journal_mode = WAL')
    theirs.execute('CREATE TABLE cookies (host TEXT, name TEXT)')
    theirs.execute('PRAGMA user_version = 12')
    theirs.commit()
    theirs.close()
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(CookieStoreError, match=r'theirs\.sqlite.*another program.*name another file'):
        SQLiteStore(path)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (before, 0o644)
    assert list(tmp_path.iterdir()) == [path]


def amid_a_checkpoint(path: Path, left: Path) -> None:
    """Copies a database as a kill leaves it when the first page of its log was written into it, and nothing else was."""
    wal = Path(f'{path}-wal').read_bytes()
    size = int.from_bytes(wal[8:12], 'big')
    frames = [wal[at : at + 24 + size] for at in range(32, len(wal) - 24 - size + 1, 24 + size)]
    first = [frame[24:] for frame in frames if frame[:4] == b'\0\0\0\1'][-1]
    left.write_bytes(first + path.read_bytes()[size:])
    Path(f'{left}-wal').write_bytes(wal)


def test_a_database_whose_writer_was_killed_amid_a_checkpoint_loses_nothing(tmp_path: Path) -> None:
    with CookieJar(SQLiteStore(tmp_path / 'cookies.db')) as jar:
        for number in range(90):
            jar.set_cookie(f'a={"x" * 500}; Max-Age=9999', f'http://h{number}.com/')
        amid_a_checkpoint(tmp_path / 'cookies.db', tmp_path / 'left.db')
    store = SQLiteStore(tmp_path / 'left.db')
    assert len(store) == 90
    store.close()


def test_the_database_of_another_program_is_refused_even_amid_a_checkpoint(tmp_path: Path) -> None:
    theirs = sqlite3.connect(tmp_path / 'theirs.db')
    theirs.execute('PRAGMA journal_mode = WAL')
    for number in range(20):
        theirs.execute(f'CREATE TABLE t{number} (text)')
    theirs.commit()
    left = tmp_path / 'left.db'
    amid_a_checkpoint(tmp_path / 'theirs.db', left)
    theirs.close()
    before = left.read_bytes(), Path(f'{left}-wal').read_bytes()
    with pytest.raises(CookieStoreError, match=r'left\.db.*another program'):
        SQLiteStore(left)
    assert (left.read_bytes(), Path(f'{left}-wal').read_bytes()) == before


OPENER = """
import sys
from requite.cookies import SQLiteStore
sys.stdin.readline()
for number in range(20):
    SQLiteStore(f'{sys.argv[1]}/{number}.db').close()
"""


def test_processes_that_make_a_database_at_once_all_get_it(tmp_path: Path) -> None:
    openers = [
        subprocess.Popen([sys.executable, '-c', OPENER, str(tmp_path)], stdin=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write('\n')
        opener.stdin.flush()
    for opener in openers:
        opener.communicate(timeout=60)
    assert [opener.returncode for opener in openers] == [0, 0, 0, 0]


def test_p4_a_name_that_sqlite_reads_otherwise_is_a_file_like_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SECURITY P4."""
    monkeypatch.chdir(tmp_path)
    with CookieJar(SQLiteStore('file:x.db')) as jar:
        jar.set_cookie('a=1', 'https://www.example.com/')
        monkeypatch.chdir('/')
        jar.store.close()
        assert sent(jar) == 'a=1', 'the folder of the process may change meanwhile'
    assert [one.name for one in tmp_path.iterdir()] == ['file:x.db']
    assert stat.S_IMODE((tmp_path / 'file:x.db').stat().st_mode) == 0o600
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CookieStoreError, match=r"not in ':memory:'.*without a store"):
        SQLiteStore(':memory:')
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize('number', [10**400, -(10**400)], ids=['beyond', 'before'])
def test_a_number_of_seconds_beyond_all_dates_is_no_damage(number: int, tmp_path: Path) -> None:
    entry = {'key': 'a', 'value': '1', 'domain': 'www.example.com', 'path': '/', 'hostOnly': True, 'maxAge': number}
    entry |= {'creation': '2020-01-01T00:00:00.000Z'}
    wanted = 'a=1' if number > 0 else ''
    assert sent(CookieJar.from_json({'cookies': [entry]}, None)) == wanted
    path = tmp_path / 'cookies.json'
    path.write_text(json.dumps({'www.example.com': {'/': {'a': entry}}}))
    assert sent(CookieJar(JSONFileStore(path))) == wanted


def test_cookies_that_wait_for_their_host_are_missed_in_cookies_txt_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level('DEBUG', 'requite')
    jar = CookieJar(JSONFileStore(tmp_path / 'store.json'))
    jar.add('waiting=secret')
    jar.save(tmp_path / 'jar.txt')
    jar.close()
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "the cookie 'waiting' has no place in cookies.txt: it waits for its first host; save the jar as JSON to keep it",
        'cookies that were added and still wait for their first host are not in the store: 1',
    ]
