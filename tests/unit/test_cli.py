from __future__ import annotations

import io
from pathlib import Path

import pytest

from requite import cli, errors
from requite.cookies import CookieStoreError
from requite.download import amount, describe


@pytest.mark.parametrize(
    ('kind', 'status'),
    [
        (errors.NameNotFound, 3),
        (errors.NameTemporarilyUnknown, 3),
        (errors.ConnectionRefused, 3),
        (errors.ConnectionReset, 3),
        (errors.ConnectionBroken, 3),
        (errors.ConnectionFailed, 3),
        (errors.ProxyError, 3),
        (errors.TLSError, 4),
        (errors.CertificateError, 4),
        (errors.ConnectTimeout, 5),
        (errors.ReadTimeout, 5),
        (errors.DeadlineExceeded, 5),
        (errors.PoolTimeout, 5),
        (errors.ResponseAborted, 6),
        (errors.MalformedResponse, 6),
        (errors.DecodeError, 6),
        (errors.TooManyRedirects, 6),
        (errors.RedirectRefused, 6),
        (errors.InvalidProtocol, 6),
        (CookieStoreError, 7),
    ],
)
def test_the_exit_status_tells_the_class_of_the_failure(kind: type[errors.RequestError], status: int) -> None:
    assert cli.status_of(kind('went wrong')) == status


@pytest.mark.parametrize(
    ('size', 'shown'),
    [
        (0, '0 B'),
        (999, '999 B'),
        (1000, '1.0 kB'),
        (999_949, '999.9 kB'),
        (999_950, '1.0 MB'),
        (5_250_000_000, '5.2 GB'),
        (10**15, '1000000.0 GB'),
    ],
)
def test_amounts_are_in_powers_of_1000(size: float, shown: str) -> None:
    assert amount(size) == shown


def test_the_progress_shows_a_percentage_only_when_the_size_is_known() -> None:
    assert describe(500_000, 2_000_000, 0.5) == ' 25%  500.0 kB of 2.0 MB  1.0 MB/s'
    assert describe(500_000, None, 0.5) == '500.0 kB  1.0 MB/s'


def test_the_progress_of_nothing_in_no_time_divides_by_no_zero() -> None:
    assert describe(0, 0, 0.0) == '0 B'
    assert describe(0, None, 0.0) == '0 B'


def test_a_complaint_is_one_line_that_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.complain('answered 500 \x1b[31mred\r\nand more', 1) == 1
    assert capsys.readouterr().err == 'requite: answered 500 ?[31mred??and more\n'


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['http://127.0.0.1:1/', '--deadline', '-1'], 'deadline'),
        (['http://127.0.0.1:1/', '--retry', '1000'], 'retry'),
        (['http://127.0.0.1:1/', '--proxy', 'ftp://x'], 'proxy'),
        (['http://127.0.0.1:1/', 'X:a\nb'], "option 'headers'"),
        (['http://127.0.0.1:1/', 'bad name:x'], "may not hold ' ' after 'bad'"),
        (['http://127.0.0.1:1/', 'a@missing'], "'a@missing': cannot read 'missing': No such file or directory"),
        (['http://127.0.0.1:1/', 'a:=nope'], 'what follows := is not JSON'),
        (['http://127.0.0.1:1/', '--har-log', 'no/such/log'], '--har-log'),
        (['http://127.0.0.1:1/', '--jar', '/dev/null/x'], '--jar'),
        (['http://127.0.0.1:1/', '--verify', __file__], 'ca'),
        (['http://127.0.0.1:1/', '--cert', __file__], 'cert'),
        (['http://127.0.0.1:1/', '--aws', '-a', ':s'], '--aws needs keys'),
        (['http://127.0.0.1:1/', '-I', '-o', 'file'], 'only the head is asked for'),
        (['http://127.0.0.1:1/', '--headers', '-d'], 'only the head is asked for'),
        (['http://127.0.0.1:1/', '-c'], '--continue needs the file'),
        (['http://127.0.0.1:1/', '-c', '-o', 'file', 'a=b'], '--continue is for GET only'),
        (['http://127.0.0.1:1/', '-a', 'me'], 'there is no password'),
        (['http://h/', '--from-curl', 'curl h'], 'leave the other one out'),
        (['--from-curl', 'curl --nonsense h'], '--nonsense has no meaning here'),
        (['--from-curl', "curl h -o $'a\\0b'"], 'NUL'),
        (['--har', 'missing'], "cannot read 'missing'"),
        (['--har', __file__], 'it is not JSON'),
        (['proxy', '8080'], 'write: requite proxy PORT TARGET'),
        (['proxy', 'eighty', 'h'], "'eighty' is no port"),
        (['proxy', '0', 'http://['], 'Invalid URI'),
        (['proxy', '0', 'h?a=b'], 'has a query'),
        (['http://127.0.0.1:1/', '\udcff=\udcff'], 'UTF-8'),
        (['http://127.0.0.1:1/', 'a:\udcff'], 'is not text in UTF-8'),
        (['http://127.0.0.1:1/', '-f', 'a=\udcff'], 'is not text in UTF-8'),
        (['http://127.0.0.1:1/', 'a==\udcff'], 'is not text in UTF-8'),
        (['http://127.0.0.1:1/', '--raw', '\udcff'], "'--raw' is not text in UTF-8"),
        (['http://127.0.0.1:1/\udcff'], 'Invalid URI'),
        (['http://127.0.0.1:1/', '-a', 'a:\udcff'], 'auth'),
        (['http://127.0.0.1:1/', '--bearer', '\udcff'], 'auth'),
        (['http://127.0.0.1:1/', '\udcff@\udcfe'], 'is not text in UTF-8'),
        (['http://127.0.0.1:1/', 'a@\udcfe'], 'cannot read'),
    ],
)
def test_what_cannot_be_meant_is_2_and_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens on port 1: sending anything would be another status."""
    monkeypatch.setattr('sys.stdin', io.StringIO())
    assert cli.main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ''
    (line,) = told.err.splitlines()
    assert line.startswith('requite: ')
    assert said in line


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['--from-curl', ''], 'there is no address'),
        (['--har', ''], "'--har' names no file"),
        (['-o', 'x'], 'there is no address'),
        (['--timings', '-v'], 'there is no address'),
        (['--from-curl', 'curl h', '--har', 'x'], 'keep one of them'),
    ],
)
def test_flags_without_an_address_are_an_error_and_not_the_help(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ''
    assert shown.err.count('\n') == 1
    assert said in shown.err


def test_nothing_at_all_is_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert 'exit status:' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (
            ['h', '--timeout', '0'],
            '--timeout must be more than 0 milliseconds, not 0; write milliseconds, or leave it out',
        ),
        (['h', '--deadline', '0'], '--deadline must be'),
        (['http://'], 'Invalid URI "http://"; write it like https://example.com/path'),
        (['ftp://h'], 'write it like https://example.com/path'),
        (['h', 'f@nope'], 'name a file that is there, or for text write f=nope'),
        (['h', 'f=@nope'], 'or for text write f=\\@nope'),
        (['h', '--cert', 'nope'], "'--cert': cannot read 'nope': No such file or directory; name a file that is there"),
        (['h', '--cert', __file__], '--cert holds no certificate that can be read: name a file of PEM or DER'),
        (['h', 'host:'], 'write Host:NAME'),
    ],
)
def test_errors_are_in_the_words_of_the_command_line_and_say_how_to_mend_it(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    for word in ('None', "option 'uri'", 'base_url', 'json.load'):
        assert word not in error


def test_a_har_of_a_list_and_a_file_that_is_no_json_say_how_to_mend_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'list').write_text('[]')
    (tmp_path / 'bad').write_text('{bad')
    assert cli.main(['--har', str(tmp_path / 'list')]) == 2
    assert '--har must be a JSON object with a HAR request or a log, not a list; save one' in capsys.readouterr().err
    assert cli.main(['h', f'a:=@{tmp_path}/bad']) == 2
    error = capsys.readouterr().err
    assert 'line 1 column 2' in error
    assert f'send it as text: a=@{tmp_path}/bad' in error
