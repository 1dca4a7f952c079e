"""User and password from a netrc file, for the host that the caller asked for and no other (SECURITY A5).

The file is read when the first request wants it, by Python's own parser, and again when it has changed. A machine matches by the whole host as the address was
parsed, whatever the case; ``default`` matches every host, as in curl. Node's request knows no netrc.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from requite import credentials
from requite.errors import OptionsError

if TYPE_CHECKING:
    from requite.credentials import Credentials
    from requite.wire.uri import Uri

    Logins = dict[str, tuple[str, str]]

NAMES = ('.netrc', '_netrc')
"""What the file in the home folder is called; the second one on Windows, where the first is missing."""
MAX_FILES = 16
_read: dict[str, tuple[tuple[int, int, int], Logins]] = {}


def find(where: str | bool, uri: Uri) -> Credentials | None:
    """What the file has for this host, None where it has nothing; ``where`` is its path, True for the one in the home folder.

    Raises ``OptionsError``, which names the file and the line, where it cannot be used.
    """
    if uri.socket_path is not None:
        return None
    path = where if isinstance(where, str) else _at_home()
    logins = _logins(path, private=where is True)
    host = uri.hostname.lower()
    login = logins.get(host, logins.get('default'))
    if login is None:
        return None
    try:
        return credentials.make('netrc', *login)
    except OptionsError as error:
        why = str(error).removeprefix("option 'netrc': ")
        raise _unusable(path, f'line {_line(path, host if host in logins else None)}: {why}') from None


def _at_home() -> str:
    paths = [os.path.join(os.path.expanduser('~'), name) for name in NAMES]  # noqa: PTH118, PTH111 - this module is met by requests that are in a hurry
    return next((path for path in paths if os.path.exists(path)), paths[0])


def _logins(path: str, private: bool) -> Logins:
    try:
        status = os.stat(path)
    except OSError as error:
        raise _unusable(path, f'cannot be read: {error.strerror}') from None
    # Python's parser asks this of the file in the home folder too, and of nothing else.
    if private and os.name == 'posix' and (status.st_mode & 0o077 or status.st_uid != os.getuid()):
        raise _unusable(path, 'may be read by others than you; run chmod 600 on it')
    state = (status.st_mtime_ns, status.st_size, status.st_ino)
    known = _read.get(path)
    if known is None or known[0] != state:
        if len(_read) >= MAX_FILES:
            _read.clear()
        known = _read[path] = state, _parsed(path)
    return known[1]


def _parsed(path: str) -> Logins:
    import netrc

    # What the parser says may quote a password: only its line number is told.
    try:
        hosts = netrc.netrc(path).hosts
    except netrc.NetrcParseError as error:
        raise _unusable(path, f'line {error.lineno} is not what a netrc file may hold') from None
    except OSError as error:
        raise _unusable(path, f'cannot be read: {error.strerror}') from None
    except ValueError:
        raise _unusable(path, 'is no text') from None
    return {_bare(machine.lower()): (login or '', password or '') for machine, (login, _, password) in hosts.items()}


def _bare(machine: str) -> str:
    """An IPv6 address without the brackets that only stand around it in an address."""
    return machine[1:-1] if machine[:1] == '[' and machine[-1:] == ']' else machine


def _line(path: str, host: str | None) -> int:
    """Where the entry of a host begins; None is ``default``."""
    entry = 'default' if host is None else rf'machine\s+"?\[?{re.escape(host)}\]?"?'
    with open(path, encoding='utf-8', errors='replace') as file:
        text = file.read()
    found = re.search(rf'(?<!\S)({entry})(?!\S)', text, re.IGNORECASE)
    return text.count('\n', 0, found.start() if found else 0) + 1


def _unusable(path: str, why: str) -> OptionsError:
    return OptionsError(f"option 'netrc': {path} {why}; mend the file, or leave the option out")
