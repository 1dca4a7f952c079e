"""A download that goes on where it broke off (RFC 9110 14: Range, 13.1.5: If-Range), and what a file is called that nobody named."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from requite.errors import MalformedResponse, OptionsError
from requite.sinks import WholeFile

if TYPE_CHECKING:
    from pathlib import Path

    from requite.response import Response

GO_ON, ANEW, WHOLE, AGAIN = 'go on', 'anew', 'whole', 'again'
"""What to do with an answer: add it to what is here, write it from the beginning, take what is here for the whole, or ask once more, for all of it."""
_RANGE = re.compile(r'bytes (\d+)-(\d+)/(\d+|\*)')
_NOT_NAMES = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]')
LONGEST = 2048
"""Characters of a Content-Disposition that are read."""
EXTENSIONS = {
    'text/html': '.html',
    'application/json': '.json',
    'text/plain': '.txt',
    'application/xml': '.xml',
    'text/csv': '.csv',
}


class Part(WholeFile):
    """``FILE.part``, put in the place of FILE when it is whole; ``FILE.part.json`` beside it holds by what the server knows it again.

    It is kept when a download breaks off, unless the server gave nothing to know it by: a part of one version and the rest of another would be no file at all.
    """

    def __init__(self, path: str, url: str) -> None:
        super().__init__(path)
        if not self.replaces:
            raise OptionsError(f'--continue: {path!r} is no file that could be continued; leave --continue out')
        self.there = self._place.exists()
        self._beside = self._place.with_name(self._place.name + '.part')
        self._note = self._place.with_name(self._place.name + '.part.json')
        self._url = hashlib.sha256(url.encode('utf-8', 'surrogatepass')).hexdigest()
        self._known: dict[str, Any] = {}
        self.size = 0
        self.total: int | None = None

    @property
    def exists(self) -> bool:
        """Whether something is here already."""
        return self._beside.exists()

    def begin(self, source: Any = None) -> None:
        """Takes the part for itself; raises ``OSError`` where it is somebody else's, or another process writes it."""
        if self._file is not None:
            return
        handle = os.open(
            self._beside, os.O_RDWR | os.O_CREAT | getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_BINARY', 0), 0o666
        )
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or (hasattr(os, 'geteuid') and found.st_uid != os.geteuid()):
                raise PermissionError(1, f'{self._beside.name} beside it belongs to somebody else')
            _lock(handle, self._beside.name)
        except OSError:
            os.close(handle)
            raise
        self._file = os.fdopen(handle, 'r+b')
        self._known = self._read() if found.st_size else {}
        self.size = found.st_size if self._known.get('validator') else 0
        self._file.seek(self.size)

    def fields(self) -> dict[str, str]:
        """The header fields that ask for the rest; none where nothing is here, or nothing to know it by."""
        if not self.size:
            return {'accept-encoding': 'identity'}
        return {'accept-encoding': 'identity', 'range': f'bytes={self.size}-', 'if-range': self._known['validator']}

    def judge(self, response: Response) -> str:
        """What to do with an answer below 400, or a 416."""
        asked = self.size
        if response.status_code == 416:
            found = re.fullmatch(r'bytes \*/(\d+)', str(response.headers.get('content-range') or ''))
            return WHOLE if asked and found and int(found[1]) == asked and self._same(response) else AGAIN
        if response.status_code != 206:
            self._restart(response)
            return ANEW
        found = _RANGE.fullmatch(str(response.headers.get('content-range') or ''))
        if not asked or found is None or int(found[1]) != asked or 'content-encoding' in response.headers:
            return AGAIN
        self.total = None if found[3] == '*' else int(found[3])
        return GO_ON if self._same(response) and self._known.get('total') in (None, self.total) else AGAIN

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._file.flush()  # what is here stays here, whatever ends this process
        self.size += len(piece)

    def keep(self) -> None:
        if self.total is not None and self.size != self.total:
            raise MalformedResponse(f'the server says that the whole is {self.total} bytes, and sent {self.size}')
        super().keep()
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError:
            pass  # what was not written is asked for again
        if not self.size or not self._known.get('validator'):
            self.forget()

    def forget(self) -> None:
        """Throws away what is here."""
        self.size = 0
        self._known = {}
        if self._file is not None and not self._file.closed:
            self._file.seek(0)
            self._file.truncate()
            return
        self._beside.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _same(self, response: Response) -> bool:
        """Whether an answer does not say itself that it is of another version."""
        etag = response.headers.get('etag')
        validator = str(self._known['validator'])
        return etag is None or validator[:1] != '"' or etag == validator

    def _restart(self, response: Response) -> None:
        self.forget()
        length = response.headers.get('content-length')
        coded = 'content-encoding' in response.headers
        self.total = None if length is None or coded else int(str(length))
        validator = None if coded else _validator(response)
        if validator is None:
            self._note.unlink(missing_ok=True)
            return
        self._known = {'url': self._url, 'validator': validator, 'total': self.total}
        handle = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, 'O_NOFOLLOW', 0), 0o600)
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            json.dump(self._known, file)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._note.read_text(encoding='utf-8'))
        except (OSError, ValueError, RecursionError):
            return {}
        usable = isinstance(known, dict) and isinstance(known.get('validator'), str) and known.get('url') == self._url
        return known if usable else {}


def _lock(handle: int, name: str) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BlockingIOError(11, f'another process is writing {name}') from None


def _validator(response: Response) -> str | None:
    """What If-Range may hold: a strong entity tag, or a date that is one because the answer is younger (RFC 9110 8.8.2.2)."""
    from requite.wire import httpdate

    etag = response.headers.get('etag')
    if isinstance(etag, str):
        return etag if re.fullmatch('"[\x21\x23-\x7e]*"', etag) else None
    changed, sent = response.headers.get('last-modified'), response.headers.get('date')
    if not isinstance(changed, str) or not isinstance(sent, str):
        return None
    then, now = httpdate.parse(changed), httpdate.parse(sent)
    return changed if then is not None and now is not None and now > then else None


def free_name(response: Response, folder: Path) -> str:
    """A name for the body that no file in the folder has: the server's own, the last one in the path of the address, or one for its type."""
    name = safe_name(_disposed(response) or unquote(str(response.request.uri.pathname or '')).rpartition('/')[2])
    if not name:
        kind = str(response.headers.get('content-type') or '').partition(';')[0].strip().lower()
        name = 'index' + EXTENSIONS.get(kind, '')
    stem, dot, extension = name.partition('.')
    found, number = name, 0
    while (folder / found).exists() or (folder / found).is_symlink():
        number += 1
        found = f'{stem}-{number}{dot}{extension}'
    return found


def safe_name(name: str) -> str:
    """What may be the name of a file of what a server wants it to be: no folders, no hidden files, nothing that a terminal or a shell could take amiss."""
    name = name.replace('\\', '/').rpartition('/')[2]
    name = ''.join(char if char.isprintable() else '_' for char in _NOT_NAMES.sub('_', name))
    return name.strip(' .-')[:120]


def _disposed(response: Response) -> str:
    """The name in Content-Disposition (RFC 6266), the extended one first."""
    value = response.headers.get('content-disposition')
    if not isinstance(value, str):
        return ''
    value = value[:LONGEST]
    extended = re.search(r"filename\*\s*=\s*(utf-8|iso-8859-1)'[^']*'([^;\s]+)", value, re.IGNORECASE)
    if extended:
        return unquote(extended[2], extended[1], 'replace')
    plain = re.search(r'filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', value, re.IGNORECASE)
    return '' if plain is None else re.sub(r'\\(.)', r'\1', plain[1] or '') or plain[2] or ''
