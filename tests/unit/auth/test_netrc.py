"""netrc: whose password is found, and what is said of a file that cannot be used."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from requite import OptionsError
from requite.auth.netrc import find
from requite.options import normalise
from requite.wire.uri import parse

FILE = """
machine api.example.com login ann password s3cret
machine EXAMPLE.com
    login bob
    password two-words
machine 127.0.0.1 login ip password p
machine xn--bcher-kva.example login idn password p
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / 'logins'
    file.write_text(FILE)
    return str(file)


def login(path: str | bool, address: str) -> tuple[str | None, str | None] | None:
    found = find(path, parse(address))
    return None if found is None else (found.user, found.password)


@pytest.mark.parametrize(
    ('address', 'user'),
    [
        ('http://api.example.com/', 'ann'),
        ('https://API.Example.COM:8443/x?y', 'ann'),
        ('http://example.com/', 'bob'),
        ('http://127.0.0.1:8000/', 'ip'),
        ('http://b\xfccher.example/', 'idn'),
        ('http://xapi.example.com/', None),
        ('http://x.api.example.com/', None),
        ('http://api.example.com.evil.com/', None),
        ('http://com/', None),
        ('http://evil.com/api.example.com', None),
        ('http://evil.com/?@api.example.com', None),
        ('http://evil.com/#@api.example.com', None),
        ('http://api.example.com@evil.com/', None),
        ('http://unix:/tmp/api.example.com:/', None),
    ],
)
def test_a5_a_machine_is_the_whole_host_and_nothing_else(path: str, address: str, user: str | None) -> None:
    found = login(path, address)
    assert (found and found[0]) == user


def test_a5_a_port_cannot_pass_for_a_host(path: str) -> None:
    # requests took what stands before the colon of "api.example.com:@evil.com" for the host (CVE-2024-47081)
    assert login(path, 'http://api.example.com:@evil.com/') is None


def test_an_entry_may_take_several_lines(path: str) -> None:
    assert login(path, 'http://example.com') == ('bob', 'two-words')


@pytest.mark.skipif(sys.version_info < (3, 11), reason='the parser of Python 3.10 knows no quotes')
def test_a_password_in_quotes_may_hold_blanks(path: str) -> None:
    Path(path).write_text('machine h login a password "two words"\n')
    assert login(path, 'http://h/') == ('a', 'two words')


def test_default_stands_for_every_other_host_as_in_curl(path: str) -> None:
    with open(path, 'a') as file:
        file.write('default login anybody password guest\n')
    assert login(path, 'http://elsewhere.test/') == ('anybody', 'guest')
    assert login(path, 'http://api.example.com/') == ('ann', 's3cret')


def test_a_file_that_changed_is_read_again(path: str) -> None:
    assert login(path, 'http://api.example.com/') == ('ann', 's3cret')
    Path(path).write_text('machine api.example.com login ann password changed2\n')
    assert login(path, 'http://api.example.com/') == ('ann', 'changed2')


@pytest.mark.parametrize(
    'text',
    [
        'machine api.example.com login ann passwort s3cret\n',
        'machine api.example.com login ann password s3cret hunter2\n',
        'machine\n',
        'login ann password s3cret\n',
        '\nhunter2 s3cret\n',
    ],
)
def test_a_file_that_cannot_be_read_names_itself_and_the_line_and_no_secret(path: str, text: str) -> None:
    Path(path).write_text('\n' + text)
    with pytest.raises(
        OptionsError, match=r"option 'netrc': .*logins line \d+ is not what a netrc file may hold"
    ) as got:
        find(path, parse('http://api.example.com/'))
    assert 'hunter2' not in str(got.value)
    assert 's3cret' not in str(got.value)
    assert got.value.__cause__ is None
    assert got.value.__suppress_context__


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match='missing cannot be read: No such file'):
        find(str(tmp_path / 'missing'), parse('http://h/'))
    with pytest.raises(OptionsError, match='cannot be read'):
        find(str(tmp_path), parse('http://h/'))


def test_a_file_that_is_no_text_is_an_error(path: str) -> None:
    Path(path).write_bytes(b'machine a login \xff\xfe\x00 password \xff\n')
    with pytest.raises(OptionsError, match='logins'):
        find(path, parse('http://nowhere.test/')) or pytest.fail('nothing found')


def test_a_name_that_basic_cannot_carry_is_an_error(path: str) -> None:
    Path(path).write_text('machine other login x password y\n\nmachine h\n login a:b\n password s3cret\n')
    with pytest.raises(OptionsError, match='logins line 3: user may not hold a colon') as caught:
        find(path, parse('http://h/'))
    assert 's3cret' not in str(caught.value)
    assert find(path, parse('http://other/')) is not None


def test_the_default_that_basic_cannot_carry_is_told_by_its_line(path: str) -> None:
    Path(path).write_text('machine h login a password b\ndefault login a:b password c\n')
    with pytest.raises(OptionsError, match='line 2: user'):
        find(path, parse('http://elsewhere/'))


@pytest.mark.parametrize('machine', ['::1', '[::1]'])
def test_an_ipv6_address_is_found_with_and_without_its_brackets(path: str, machine: str) -> None:
    Path(path).write_text(f'machine {machine} login ann password b\n')
    found = find(path, parse('http://[::1]:8080/'))
    assert found is not None
    assert found.user == 'ann'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('USERPROFILE', str(tmp_path))
    return tmp_path


def test_true_is_the_file_in_the_home_folder(home: Path) -> None:
    with pytest.raises(OptionsError, match=r'\.netrc cannot be read'):
        find(True, parse('http://h/'))
    file = home / '.netrc'
    file.write_text('machine h login a password b\n')
    file.chmod(0o600)
    assert login(True, 'http://h/') == ('a', 'b')


@pytest.mark.skipif(os.name != 'posix', reason='files have no such permissions here')
def test_a_file_of_the_home_folder_that_others_may_read_is_refused(home: Path) -> None:
    file = home / '.netrc'
    file.write_text('machine h login a password b\n')
    file.chmod(0o644)
    with pytest.raises(OptionsError, match='may be read by others than you; run chmod 600'):
        find(True, parse('http://h/'))
    assert login(str(file), 'http://h/') == ('a', 'b')


def test_the_option_is_true_or_a_path(home: Path) -> None:
    assert normalise({'netrc': True}) == {'netrc': True}
    assert normalise({'netrc': False}) == normalise({'netrc': None}) == {'netrc': None}
    assert normalise({'netrc': '~/mine'}) == normalise({'netrc': Path('~/mine')}) == {'netrc': str(home / 'mine')}
    for wrong in (1, b'x', '', ['x']):
        with pytest.raises(TypeError, match="option 'netrc' must be True or the path of a file"):
            normalise({'netrc': wrong})
