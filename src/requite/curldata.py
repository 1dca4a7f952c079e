"""The content of a curl command line: ``-d`` and its kin, ``-F``, ``--json``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote_plus

from requite import cliitems
from requite.errors import OptionsError

if TYPE_CHECKING:
    from contextlib import ExitStack

KINDS = frozenset('data data-ascii data-raw data-binary data-urlencode form form-string json'.split())
_BROKEN = re.compile(rb'[\r\n\0]')
_SETTING = re.compile(r';\s*(type|filename|headers|encoder)=("(?:[^"\\]|\\.)*"|[^;]*)')


class Data(NamedTuple):
    """The content as options, the fields that go with it, and as text where it could stand in a query."""

    options: dict[str, Any]
    headers: list[tuple[str, str | None]]
    text: str | None = None


def read(given: list[tuple[str, str]], opened: ExitStack) -> Data:
    """The content of the options in their order; raises ``OptionsError``."""
    if not given:
        return Data({}, [], '')
    parts = [name.startswith('form') for name, _ in given]
    if all(parts):
        return Data({'form_data': _form(given, opened)}, [])
    if any(parts):
        raise OptionsError('curl: --form and --data do not go together; keep one of them')
    body = b''
    for at, (name, value) in enumerate(given):
        body += (b'' if name == 'json' or not at else b'&') + _piece(name, value)
    if any(name == 'json' for name, _ in given):
        return Data({'body': body}, [('content-type', 'application/json'), ('accept', 'application/json')])
    return Data(
        {'body': body}, [('content-type', 'application/x-www-form-urlencoded')], body.decode('utf-8', 'surrogateescape')
    )


def _piece(name: str, value: str) -> bytes:
    if name == 'data-urlencode':
        return _encoded(value)
    if value.startswith('@') and name != 'data-raw':
        content = _content(f'curl --{name} {value}', value[1:])
        return _BROKEN.sub(b'', content) if name in ('data', 'data-ascii') else content
    return value.encode('utf-8', 'surrogateescape')


def _encoded(value: str) -> bytes:
    """``content``, ``=content``, ``name=content``, ``@file`` or ``name@file``: the content is escaped, blanks as ``+``, the name is not."""
    found = re.search('[=@]', value)
    if found is None:
        return quote_plus(value).encode()
    name, content = value[: found.start()], value[found.end() :]
    data = (
        _content(f'curl --data-urlencode {value}', content)
        if found[0] == '@'
        else content.encode('utf-8', 'surrogateescape')
    )
    return f'{name}{"=" if name else ""}{quote_plus(data)}'.encode('utf-8', 'surrogateescape')


def _content(what: str, path: str) -> bytes:
    if path == '-':
        return sys.stdin.buffer.read()
    return Path(cliitems.there(what, path)).read_bytes()


def _form(given: list[tuple[str, str]], opened: ExitStack) -> Any:
    from requite.body.formdata import FormData

    form = FormData()
    for kind, value in given:
        name, equals, content = value.partition('=')
        if not equals:
            raise OptionsError(f'curl: --form {value!r} is none; write name=value or name=@file')
        if kind == 'form-string' or content[:1] not in ('@', '<'):
            text, settings = (content, {}) if kind == 'form-string' else _settings(content)
            form.append(name, text.strip('"') if kind == 'form' and text[:1] == '"' else text, settings or None)
            continue
        path, settings = _settings(content[1:])
        what = f'curl --form {name}={content[:1]}{path}'
        if content[0] == '<':
            form.append(name, cliitems.text_of(what, path.strip('"')), settings or None)
        else:
            file = Path(cliitems.there(what, path.strip('"'))).open('rb')  # noqa: SIM115
            form.append(name, opened.enter_context(file), settings or None)
    return form


def _settings(content: str) -> tuple[str, dict[str, Any]]:
    """What stands before ``;type=...;filename=...``, and what these say."""
    made: dict[str, Any] = {}
    first = _SETTING.search(content)
    if first is None:
        return content, made
    for key, value in _SETTING.findall(content[first.start() :]):
        plain = re.sub(r'\\(.)', r'\1', value[1:-1]) if value[:1] == '"' else value
        if key not in ('type', 'filename'):
            raise OptionsError(f'curl: ;{key}= in --form has no meaning here; leave it out')
        made['contentType' if key == 'type' else 'filename'] = plain
    return content[: first.start()], made
