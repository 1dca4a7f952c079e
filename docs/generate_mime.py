"""Writes `src/requite/wire/mimetable.py`, the table of content types by file extension, from the data of npm's mime-db.

    npm pack mime-db@1.52.0
    python docs/generate_mime.py mime-db-1.52.0.tgz

`--check` after the archive writes nothing and exits with 1 if the table is not up to date. Where several types claim an extension, one
is chosen as npm's mime-types 2.1 does, so that a file gets the content type that Node's `request` gives it: the later type wins if its
source is preferred (IANA, then no source, then Apache, then nginx); of equals the later one wins, unless the earlier is an application
type; `application/octet-stream` always gives way.
"""

from __future__ import annotations

import json
import sys
import tarfile
import textwrap
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parent.parent / 'src' / 'requite' / 'wire' / 'mimetable.py'
PREFERENCE = {'nginx': 0, 'apache': 1, None: 2, 'iana': 3}
# What many types begin with is written once. The longest that fits is taken.
PREFIXES = (
    'application/vnd.ms-',
    'application/vnd.',
    'application/x-',
    'application/',
    'audio/',
    'image/',
    'text/',
    'video/',
    '',
)

HEAD = '''"""Content types by file extension, as data: made from {name} {version} by docs/generate_mime.py; :mod:`requite.wire.mime` reads it.

What stands after the prefix of a group is ``rest:extension,extension``; an extension that is empty is spelled like the rest.
"""

from __future__ import annotations

GROUPS = {{
'''


def chosen(database: dict[str, Any]) -> dict[str, str]:
    """Extension to type, each extension with the one type that mime-types gives it."""
    types: dict[str, str] = {}
    for type_, entry in database.items():
        for extension in entry.get('extensions', ()):
            if extension not in types or _wins(database, type_, types[extension]):
                types[extension] = type_
    return types


def _wins(database: dict[str, Any], later: str, earlier: str) -> bool:
    if earlier == 'application/octet-stream':
        return True
    held, offered = (PREFERENCE[database[type_].get('source')] for type_ in (earlier, later))
    return held < offered or (held == offered and not earlier.startswith('application/'))


def text(types: dict[str, str], name: str, version: str) -> str:
    """The module's text."""
    by_type: dict[str, list[str]] = {}
    for extension, type_ in sorted(types.items()):
        by_type.setdefault(type_, []).append(extension)
    groups: dict[str, list[str]] = {prefix: [] for prefix in PREFIXES}
    for type_, extensions in sorted(by_type.items()):
        prefix = next(prefix for prefix in PREFIXES if type_.startswith(prefix))
        rest = type_.removeprefix(prefix)
        groups[prefix].append(rest + ':' + ','.join('' if extension == rest else extension for extension in extensions))
    parts = [HEAD.format(name=name, version=version)]
    for prefix, entries in groups.items():
        lines = textwrap.wrap(' '.join(entries), 120, break_long_words=False, break_on_hyphens=False)
        parts.append(f'    {prefix!r}: """\n' + ''.join(f'{line}\n' for line in lines) + '""",\n')
    return ''.join(parts) + '}\n'


def read(archive: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """mime-db's data and its package description, from the archive that `npm pack` makes."""
    found = []
    with tarfile.open(archive) as files:
        for name in ('package/db.json', 'package/package.json'):
            file = files.extractfile(name)
            assert file is not None
            found.append(json.loads(file.read()))
    database, package = found
    return database, package


def main(arguments: list[str]) -> int:
    database, package = read(Path(arguments[0]))
    wanted = text(chosen(database), package['name'], package['version'])
    if '--check' in arguments:
        return int(wanted != TABLE.read_text(encoding='utf-8'))
    TABLE.write_text(wanted, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
