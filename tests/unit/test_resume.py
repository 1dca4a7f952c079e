from __future__ import annotations

import time
from pathlib import Path

import pytest

from requite import request, resume
from requite.response import Response
from requite.transport.memory import MemoryReply


def response(status: int = 200, url: str = 'http://h.example/a%20b/disk.iso?x=/y', **fields: str) -> Response:
    """An answer to a GET of the address."""
    made = request(url)
    made.refused = True
    named = [(name.replace('_', '-'), value) for name, value in fields.items()]
    return Response(MemoryReply(status, named), made._draft(), made._options)


@pytest.mark.parametrize(
    ('wanted', 'safe'),
    [
        ('disk.iso', 'disk.iso'),
        ('../../etc/passwd', 'passwd'),
        ('C:\\Windows\\x.exe', 'x.exe'),
        ('.bashrc', 'bashrc'),
        ('-rf', 'rf'),
        ('a\x1b[2J\n.txt', 'a_[2J_.txt'),
        ('a:b|c?.txt', 'a_b_c_.txt'),
        ('gpj.\u202eexe', 'gpj._exe'),
        ('d\xe9j\xe0 vu.txt', 'd\xe9j\xe0 vu.txt'),
        ('..', ''),
        ('a/', ''),
        ('x' * 500, 'x' * 120),
    ],
)
def test_a_server_names_a_file_and_no_more(wanted: str, safe: str) -> None:
    assert resume.safe_name(wanted) == safe


@pytest.mark.parametrize(
    ('answer', 'name'),
    [
        (response(), 'disk.iso'),
        (response(content_disposition='attachment; filename="a b.txt"'), 'a b.txt'),
        (response(content_disposition='attachment; filename=a.txt'), 'a.txt'),
        (response(content_disposition='attachment; filename="../\\"x.txt"'), '_x.txt'),
        (response(content_disposition="attachment; filename=x; filename*=UTF-8''d%C3%A9j%C3%A0.txt"), 'd\xe9j\xe0.txt'),
        (response(content_disposition='inline'), 'disk.iso'),
        (response(url='http://h.example/', content_type='text/html; charset=utf-8'), 'index.html'),
        (response(url='http://h.example/'), 'index'),
        (response(url='http://h.example/%2e%2e%2fx'), 'x'),
    ],
)
def test_a_file_is_named_by_the_server_or_by_its_address(answer: Response, name: str, tmp_path: Path) -> None:
    assert resume.free_name(answer, tmp_path) == name


def test_p1_a_hostile_name_is_read_in_linear_time(tmp_path: Path) -> None:
    """P1: every pattern that is run on foreign text is linear."""
    began = time.process_time()
    resume.free_name(response(content_disposition='filename="' * 100_000), tmp_path)
    assert time.process_time() - began < 5


def test_no_file_that_is_there_gets_its_name_taken(tmp_path: Path) -> None:
    (tmp_path / 'disk.iso').touch()
    (tmp_path / 'disk-1.iso').symlink_to('nowhere')
    assert resume.free_name(response(), tmp_path) == 'disk-2.iso'


DATE = {'last_modified': 'Mon, 23 Nov 2026 08:00:00 GMT'}


@pytest.mark.parametrize(
    ('fields', 'asked'),
    [
        ({'etag': '"v1"'}, '"v1"'),
        ({'etag': '"v1"', **DATE, 'date': 'Mon, 23 Nov 2026 08:00:01 GMT'}, '"v1"'),
        ({**DATE, 'date': 'Mon, 23 Nov 2026 08:00:01 GMT'}, DATE['last_modified']),
        ({'etag': 'W/"v1"', **DATE, 'date': 'Mon, 23 Nov 2026 09:00:00 GMT'}, None),
        ({**DATE, 'date': DATE['last_modified']}, None),
        (DATE, None),
        ({}, None),
        ({'etag': 'v1'}, None),
        ({'etag': '"v1"', 'content_encoding': 'gzip'}, None),
    ],
)
def test_only_a_strong_validator_makes_a_download_one_that_can_go_on(
    fields: dict[str, str], asked: str | None, tmp_path: Path
) -> None:
    """RFC 9110 13.1.5: If-Range takes a strong entity tag, or a date that is older than the answer."""
    part = resume.Part(str(tmp_path / 'x'), 'http://h/')
    part.begin()
    assert part.fields() == {'accept-encoding': 'identity'}
    assert part.judge(response(**fields)) == resume.ANEW
    part.write(b'12345')
    part.discard()
    assert (tmp_path / 'x.part').exists() == (asked is not None)
    again = resume.Part(str(tmp_path / 'x'), 'http://h/')
    again.begin()
    assert again.fields().get('if-range') == asked
    assert again.fields().get('range') == (None if asked is None else 'bytes=5-')
    again.discard()


@pytest.fixture
def part(tmp_path: Path) -> resume.Part:
    """Five bytes of ten, of version v1."""
    first = resume.Part(str(tmp_path / 'x'), 'http://h/')
    first.begin()
    first.judge(response(etag='"v1"', content_length='10'))
    first.write(b'12345')
    first.discard()
    again = resume.Part(str(tmp_path / 'x'), 'http://h/')
    again.begin()
    return again


@pytest.mark.parametrize(
    ('answer', 'verdict'),
    [
        (response(206, content_range='bytes 5-9/10'), resume.GO_ON),
        (response(206, content_range='bytes 5-9/10', etag='"v1"'), resume.GO_ON),
        (response(206, content_range='bytes 5-9/10', etag='"v2"'), resume.AGAIN),
        (response(206, content_range='bytes 4-9/10'), resume.AGAIN),
        (response(206, content_range='bytes 5-9/11'), resume.AGAIN),
        (response(206, content_range='items 5-9/10'), resume.AGAIN),
        (response(206, content_type='multipart/byteranges; boundary=x'), resume.AGAIN),
        (response(206, content_range='bytes 5-9/10', content_encoding='gzip'), resume.AGAIN),
        (response(416, content_range='bytes */5'), resume.WHOLE),
        (response(416, content_range='bytes */5', etag='"v2"'), resume.AGAIN),
        (response(416, content_range='bytes */10'), resume.AGAIN),
        (response(416), resume.AGAIN),
        (response(200, etag='"v2"'), resume.ANEW),
    ],
)
def test_an_answer_is_added_only_where_it_is_the_rest_of_the_same(
    answer: Response, verdict: str, part: resume.Part
) -> None:
    assert part.judge(answer) == verdict
    part.discard()


def test_a_part_of_another_address_is_not_gone_on_with(part: resume.Part, tmp_path: Path) -> None:
    part.discard()
    other = resume.Part(str(tmp_path / 'x'), 'http://h/other')
    other.begin()
    assert 'range' not in other.fields()
    other.discard()


@pytest.mark.parametrize('note', ['', '{', '[]', '{"validator": 5}', '[' * 100_000])
def test_a_damaged_note_is_no_note(note: str, part: resume.Part, tmp_path: Path) -> None:
    part.discard()
    (tmp_path / 'x.part.json').write_text(note)
    again = resume.Part(str(tmp_path / 'x'), 'http://h/')
    again.begin()
    assert 'range' not in again.fields()
    again.discard()


def test_p4_a_part_that_somebody_else_put_there_is_not_written_through(tmp_path: Path) -> None:
    """P4: no link in a folder of others leads what is written elsewhere."""
    (tmp_path / 'precious').write_text('precious')
    (tmp_path / 'x.part').symlink_to('precious')
    with pytest.raises(OSError):
        resume.Part(str(tmp_path / 'x'), 'http://h/').begin()
    assert (tmp_path / 'precious').read_text() == 'precious'


def test_two_processes_do_not_write_one_part(part: resume.Part, tmp_path: Path) -> None:
    pytest.importorskip('fcntl')
    other = resume.Part(str(tmp_path / 'x'), 'http://h/')
    with pytest.raises(BlockingIOError, match='another process is writing'):
        other.begin()
    other.discard()
    part.discard()
    assert (tmp_path / 'x.part').read_bytes() == b'12345'
