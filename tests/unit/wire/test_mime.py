from __future__ import annotations

import subprocess
import sys

import pytest

from requite.wire.mime import guess
from requite.wire.mimetable import GROUPS


@pytest.mark.parametrize(
    ('name', 'type_'),
    [
        ('file.json', 'application/json'),
        ('doodle.png', 'image/png'),
        ('page.html', 'text/html'),
        ('a.jpeg', 'image/jpeg'),
        ('a.gz', 'application/gzip'),
        ('a.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
        ('a.mpg', 'video/mpeg'),
    ],
)
def test_a_file_has_the_type_of_its_extension(name: str, type_: str) -> None:
    assert guess(name) == type_


@pytest.mark.parametrize(
    ('name', 'type_'),
    [
        # Two types of one rank: the later wins over a type that is not an application's, else the earlier stays.
        ('xml', 'application/xml'),
        ('js', 'application/javascript'),
        ('ogg', 'audio/ogg'),
        ('3gpp', 'video/3gpp'),
        # A better source wins, whatever the order.
        ('rtf', 'application/rtf'),
        ('m4a', 'audio/mp4'),
        ('bmp', 'image/bmp'),
        ('sub', 'text/vnd.dvb.subtitle'),
        # application/octet-stream gives way to every other type.
        ('exe', 'application/x-msdos-program'),
        ('dmg', 'application/x-apple-diskimage'),
        ('deb', 'application/x-debian-package'),
        ('bin', 'application/octet-stream'),
    ],
)
def test_of_several_types_the_one_that_nodes_mime_types_takes_is_taken(name: str, type_: str) -> None:
    assert guess(name) == type_


@pytest.mark.parametrize(
    'name', ['png', '.png', 'a.PNG', '/tmp/some.folder/a.png', 'a.tar.png', './.a.png', 'a.png/', '..png']
)
def test_the_extension_is_what_follows_the_last_dot_of_the_last_segment_whatever_its_case(name: str) -> None:
    assert guess(name) == 'image/png'


@pytest.mark.parametrize(
    'name',
    ['', ' ', '.', '..', '...', 'a/..', 'a.', 'a.png.', 'a/png', 'a/.png', 'a.unknown', 'a.json/b', 'constructor'],
)
def test_what_has_no_known_extension_has_no_type(name: str) -> None:
    assert guess(name) is None


def test_every_extension_of_the_table_is_found_and_every_type_has_a_subtype() -> None:
    found = 0
    for prefix, entries in GROUPS.items():
        for entry in entries.split():
            rest, _, extensions = entry.partition(':')
            for extension in extensions.split(','):
                assert guess('a.' + (extension or rest)) == prefix + rest
                assert '/' in prefix + rest
                found += 1
    assert found == 1180


def test_the_table_is_loaded_when_it_is_first_asked_for() -> None:
    lines = (
        'import sys, requite, requite.wire.mime as mime',
        'before = "requite.wire.mimetable" in sys.modules',
        'print(before, mime.guess("a.css"))',
    )
    done = subprocess.run([sys.executable, '-c', '\n'.join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ['False', 'text/css']
