"""Files as bodies: how long they are, and that what they give is what is sent."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite import InvalidBody, RequestStateError
from requite.body import formdata
from requite.body.source import DeclaredBody, FileBody, IterableBody, is_text, tells_its_kind

CONTENT = b'x' * 100_000 + b'end'


def packed(folder: Path) -> Path:
    path = folder / 'a.txt.gz'
    path.write_bytes(gzip.compress(CONTENT))
    return path


def zipped(folder: Path) -> Any:
    with zipfile.ZipFile(folder / 'a.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('a.txt', CONTENT)
    with zipfile.ZipFile(folder / 'a.zip') as archive:
        return archive.open('a.txt')


def other(folder: Path, module: Any) -> Any:
    (folder / 'a').write_bytes(module.compress(CONTENT))
    return module.open(folder / 'a')


class Wrapper:
    """Gives more than the file it wraps, and passes all else on to it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._left = b''

    def read(self, size: int = -1) -> bytes:
        self._left += b''.join(b'%c\n' % byte for byte in self._file.read(size))
        given, self._left = self._left[:size], self._left[size:]
        return given

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


UNPACKING: dict[str, Callable[[Path], Any]] = {
    'gzip': lambda folder: gzip.open(packed(folder)),  # noqa: SIM115 - the test closes it
    'gzip over memory': lambda folder: gzip.open(io.BytesIO(gzip.compress(CONTENT))),  # noqa: SIM115
    'gzip with a buffer': lambda folder: io.BufferedReader(gzip.open(packed(folder))),  # type: ignore[type-var] # noqa: SIM115
    'bz2': lambda folder: other(folder, bz2),
    'lzma': lambda folder: other(folder, lzma),
    'zip': zipped,
}


@pytest.mark.parametrize('kind', UNPACKING)
@pytest.mark.parametrize('read', [0, 5])
def test_a_file_that_unpacks_another_has_no_length_and_goes_out_whole(kind: str, read: int, tmp_path: Path) -> None:
    with UNPACKING[kind](tmp_path) as file:
        file.read(read)
        body = FileBody(file)
        assert (body.length, body.replayable) == (None, True)
        assert b''.join(body.chunks()) == b''.join(body.chunks()) == CONTENT[read:]


def test_a_field_that_unpacks_another_is_whole_and_not_of_its_kind(tmp_path: Path) -> None:
    with gzip.open(packed(tmp_path)) as file:
        form = formdata.FormData().append('f', file)
        assert form.length is None
        data = b''.join(form.chunks())
    assert CONTENT in data
    assert b'Content-Type: application/octet-stream' in data


def test_what_has_the_descriptor_of_another_file_has_no_length(tmp_path: Path) -> None:
    (tmp_path / 'a').write_bytes(b'y' * 5)
    with (tmp_path / 'a').open('rb') as file:
        body = FileBody(Wrapper(file))
        assert body.length is None
        assert b''.join(body.chunks()) == b'y\n' * 5


def test_what_gives_more_than_it_said_is_an_error_and_not_cut() -> None:
    with pytest.raises(InvalidBody, match='gives more than the 5 bytes'):
        list(FileBody(Wrapper(io.BytesIO(b'y' * 5))).chunks())


def tarred(folder: Path) -> Any:
    (folder / 'b.txt').write_bytes(CONTENT)
    with tarfile.open(folder / 'a.tgz', 'w:gz') as archive:
        archive.add(folder / 'b.txt', 'b.txt')
    return tarfile.open(folder / 'a.tgz').extractfile('b.txt')


def written(file: Any) -> Any:
    file.write(CONTENT)
    file.seek(0)
    return file


MEASURED: dict[str, Callable[[Path], Any]] = {
    'memory': lambda folder: io.BytesIO(CONTENT),
    'a file': lambda folder: written((folder / 'a').open('w+b')),
    'a file without buffer': lambda folder: written((folder / 'a').open('w+b', buffering=0)),
    'a temporary file': lambda folder: written(tempfile.NamedTemporaryFile()),  # noqa: SIM115 - the test closes it
    'a spooled file': lambda folder: written(tempfile.SpooledTemporaryFile()),  # noqa: SIM115
    'a spooled file on disk': lambda folder: written(tempfile.SpooledTemporaryFile(max_size=10)),  # noqa: SIM115
    'a file in an archive': tarred,
}


@pytest.mark.parametrize('kind', MEASURED)
def test_the_length_of_other_files_is_known(kind: str, tmp_path: Path) -> None:
    with MEASURED[kind](tmp_path) as file:
        file.read(3)
        body = FileBody(file)
        assert (body.length, body.replayable) == (len(CONTENT) - 3, True)
        assert b''.join(body.chunks()) == CONTENT[3:]


def test_the_name_of_a_member_tells_its_kind_and_that_of_a_packed_file_does_not(tmp_path: Path) -> None:
    with zipped(tmp_path) as member, gzip.open(packed(tmp_path)) as file, packed(tmp_path).open('rb') as plain:
        assert [tells_its_kind(each) for each in (member, file, plain)] == [True, False, True]


def test_a_file_closed_meanwhile_is_named_with_its_place() -> None:
    file = io.BytesIO(b'abc')
    body = FileBody(file, "field 'f'")
    file.close()
    for reading in (body.check, lambda: next(body.chunks())):
        with pytest.raises(InvalidBody, match=r"^field 'f': the file was closed before"):
            reading()


def test_codecs_between_bytes_give_no_text(tmp_path: Path) -> None:
    path = tmp_path / 'a'
    path.write_bytes(codecs.encode(CONTENT, 'zlib'))
    with codecs.open(str(path), 'rb', 'zlib') as file:
        assert not is_text(file)
        assert b''.join(FileBody(file).chunks()) == CONTENT
    with codecs.open(str(path), 'rb', 'utf-8') as file:
        assert is_text(file)


# ---------------------------------------------------------------- iterables


class Counted:
    """Counts how often its pieces were asked for; `give` makes each iterator."""

    def __init__(self, give: Callable[[int], Iterator[Any]]) -> None:
        self.give = give
        self.asked = 0

    def __iter__(self) -> Iterator[Any]:
        self.asked += 1
        return self.give(self.asked)


def test_an_iterable_is_asked_for_its_pieces_once_for_each_time_that_it_is_sent() -> None:
    pieces = Counted(lambda _: iter([b'a', b'b']))
    body = DeclaredBody(IterableBody(pieces), 2)
    assert (body.replayable, pieces.asked) == (True, 0)
    assert (b''.join(body.chunks()), pieces.asked) == (b'ab', 1)
    assert (body.replayable, body.replayable, pieces.asked) == (True, True, 2)
    assert (b''.join(body.chunks()), pieces.asked) == (b'ab', 2)
    assert (b''.join(body.chunks()), pieces.asked) == (b'ab', 3)


def refusing(asked: int) -> Iterator[bytes]:
    if asked > 1:
        raise RuntimeError('consumed')
    return iter([b'a', b'b'])


def breaking(asked: int) -> Iterator[bytes]:
    if asked > 1:
        raise OSError('gone')
    yield from (b'a', b'b')


ONCE: dict[str, Callable[[int], Iterator[bytes]] | None] = {
    'the same': None,
    'empty': lambda asked: iter([b'a', b'b'] if asked == 1 else []),
    'refuses': refusing,
    'breaks': breaking,
}


@pytest.mark.parametrize('asks', [True, False])
@pytest.mark.parametrize('how', ONCE)
def test_r14_what_gives_its_pieces_once_is_sent_whole_and_not_again(how: str, asks: bool) -> None:
    same = iter([b'a', b'b'])
    body = IterableBody(Counted(ONCE[how] or (lambda _: same)))
    assert b''.join(body.chunks()) == b'ab'
    if asks:
        assert not body.replayable
    with pytest.raises(RequestStateError, match='used up'):
        next(iter(body.chunks()))
    assert not body.replayable


@pytest.mark.parametrize('pieces', [[], [b''], [b'a', 'b']])
def test_a_list_is_sent_again_however_little_it_holds(pieces: list[Any]) -> None:
    body = IterableBody(pieces)
    first = b''.join(body.chunks())
    assert body.replayable
    assert b''.join(body.chunks()) == first


def test_an_iterator_can_be_sent_once_and_says_so_before() -> None:
    body = IterableBody(iter([b'a']))
    assert not body.replayable
    assert b''.join(body.chunks()) == b'a'
    with pytest.raises(RequestStateError, match='used up'):
        next(iter(body.chunks()))
