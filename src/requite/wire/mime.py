"""The content type of a file by its extension: the same on every machine, and the same that Node's ``request`` gives.

Python's own ``mimetypes`` reads what is installed on the machine, so that one file gets one type here and another there; this module has
a table of its own (mime-db 1.52), which is loaded when the first extension is asked for.
"""

from __future__ import annotations

import os

_types: dict[str, str] = {}


def guess(path_or_name: str) -> str | None:
    """The content type of a file name, a path, or an extension alone; None where the extension is unknown.

    ``'report.PDF'``, ``'/a/report.pdf'``, ``'.pdf'`` and ``'pdf'`` all give ``'application/pdf'``. A hidden file below a folder
    (``'a/.json'``) has no extension. As npm's mime-types: a bare word is taken for an extension. No charset is added.
    """
    if not _types:
        _load()
    return _types.get(_extension(path_or_name))


def _extension(path: str) -> str:
    # A bare word is an extension, and so is a hidden file's name when no folder stands before it: hence the 'x.'.
    path = 'x.' + path
    if os.sep != '/':
        path = path.replace(os.sep, '/')
    name = path.rstrip('/').rpartition('/')[2]
    before, _, extension = name.rpartition('.')
    return extension.lower() if before and name != '..' else ''


def _load() -> None:
    from requite.wire.mimetable import GROUPS

    types = {}
    for prefix, entries in GROUPS.items():
        for entry in entries.split():
            rest, _, extensions = entry.partition(':')
            for extension in extensions.split(','):
                types[extension or rest] = prefix + rest
    # Filled in one step: another thread sees no table or the whole one.
    _types.update(types)
