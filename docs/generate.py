"""Writes what is made from the option table: the type `RequestOptions` and the reference page of the options.

`python docs/generate.py` writes both files; `python docs/generate.py --check` writes nothing and exits with 1 if one of them is not up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from requite.optiontable import OPTIONS, Option

ROOT = Path(__file__).resolve().parent.parent

MAPPING = 'Mapping[str, Any]'
FILE = 'str | bytes | PathLike[str]'
# The Python type of each `kind` in the table; None is added to all of them.
TYPES = {
    '4 or 6': 'int',
    'HTTP method': 'str',
    'Pool or False': 'Pool | bool',
    'True or a JSON value': 'Any',
    'True or a jar': 'Any',
    'bool': 'bool',
    'bool or callable(response)': 'bool | Callable[[Any], bool]',
    'bytes, str, list of them, file, iterable': 'Any',
    'callable': 'Callable[..., Any]',
    'callable(host, options)': 'Callable[[str, Any], Any]',
    'callable(error, response, body)': 'Callable[[Any, Any, Any], Any]',
    'callable(key, value)': 'Callable[[str, Any], Any]',
    'callable(uri)': 'Callable[[Any], bool]',
    'callable(response, destination)': 'Callable[[Any, Any], Any]',
    'callable(key, value) or list of keys': 'Callable[[str, Any], Any] | Sequence[str | int]',
    'int': 'int',
    'int or timedelta': 'int | timedelta',
    'int or mapping': f'int | {MAPPING}',
    'bool or str': 'bool | str',
    'path or HarLog': 'str | PathLike[str] | HarLog',
    'int, timedelta or mapping': f'int | timedelta | {MAPPING}',
    'list': 'Sequence[str]',
    'bool or path': 'bool | str | PathLike[str]',
    'list of objects with sign(draft, clock)': 'Sequence[Any]',
    'list or mapping': f'Sequence[Any] | {MAPPING}',
    'mapping': MAPPING,
    'mapping or (user, password)': f'{MAPPING} | tuple[str, str | None]',
    'mapping or pairs': f'{MAPPING} | Sequence[tuple[str, Any]]',
    'mapping or str': 'Mapping[Any, Any] | str | bytes',
    'mapping, Pool or False': f'{MAPPING} | Pool | bool',
    'path or bytes': FILE,
    'path, PEM or DER': FILE,
    'path, PEM, DER, or a list': f'{FILE} | Sequence[{FILE}]',
    'str': 'str',
    'str or None': 'str',
    'str or parsed URI': 'Any',
}

TYPES_HEAD = '''"""The options of a request as a type, for your own functions that pass them on. Made from the option table by docs/generate.py.

::

    if TYPE_CHECKING:
        from typing_extensions import Unpack

        from requite.optiontypes import RequestOptions

    def fetch(path: str, **options: Unpack[RequestOptions]) -> Request:
        return api.get(path, **options)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta
    from os import PathLike

    from requite.transport.pools import Pool
    from requite.transport.recording import HarLog


class RequestOptions(TypedDict, total=False):
    """Every option, under both of its names; docs/reference/options.md tells what each is for."""

'''

PAGE_HEAD = """# Options

Give them as keywords, or as a mapping after the address. Each has one canonical name; Node's spelling is accepted wherever the canonical one is, but not both
in one place. A name that there is not, a value of the wrong type and a value that cannot be meant are errors of the call: nothing is sent. Unless the text
says otherwise, None means the same as leaving the option out, also where defaults have given it.

"""

LATER_HEAD = """
## Not available yet

These names are known, and their meaning is settled. To use one in this version is a `NotImplementedError`; its "off" values (None, False) are accepted.

"""

REFUSED_HEAD = """
## Without a meaning in Python

"""


def types() -> str:
    """The module `optiontypes`."""
    lines = []
    for option in OPTIONS:
        annotation = TYPES[option.kind] if option.kind else 'None'
        optional = annotation if annotation in ('Any', 'None') else f'{annotation} | None'
        lines += [f'    {name}: {optional}' for name in (option.name, option.alias) if name]
    return TYPES_HEAD + '\n'.join(lines) + '\n'


def page() -> str:
    """The reference page."""
    ready = [option for option in OPTIONS if option.kind and not option.later]
    later = [option for option in OPTIONS if option.later]
    refused = [option for option in OPTIONS if not option.kind]
    head = ['option', "Node's spelling", 'type', 'unit', 'default', 'what it does']
    cells = [
        [code(option.name), code(option.alias), option.kind, option.unit, default(option), option.text]
        for option in ready
    ]
    soon = [[code(option.name), code(option.alias), option.kind, option.text] for option in later]
    never = [[code(option.name), code(option.alias), option.text] for option in refused]
    return (
        PAGE_HEAD
        + table(head, cells)
        + LATER_HEAD
        + table([*head[:3], head[5]], soon)
        + REFUSED_HEAD
        + table([*head[:2], 'instead'], never)
    )


def code(name: str) -> str:
    """A name as code; nothing where there is none."""
    return f'`{name}`' if name else ''


def default(option: Option) -> str:
    """The default as the page shows it: Python values as code, words as words."""
    literal = (
        option.default in ('None', 'True', 'False', '{}') or option.default.startswith("'") or option.default.isdigit()
    )
    return code(option.default) if literal else option.default


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ['---'] * len(head), *rows]
    return ''.join('| ' + ' | '.join(cells) + ' |\n' for cells in lines)


FILES = {'src/requite/optiontypes.py': types, 'docs/reference/options.md': page}


def main(arguments: list[str]) -> int:
    """Writes the files, or with `--check` names those that are not up to date."""
    stale = 0
    for name, make in FILES.items():
        path, text = ROOT / name, make()
        if arguments == ['--check']:
            if not path.is_file() or path.read_text(encoding='utf-8') != text:
                sys.stderr.write(f'{name} is not what the option table says: run python docs/generate.py\n')
                stale = 1
        else:
            path.write_text(text, encoding='utf-8')
    return stale


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
