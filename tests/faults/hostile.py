"""Loads the hostile server from whatever file is named and picks the cases; nothing here knows a single fault."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEFAULT_SERVER = Path(__file__).resolve().parents[3] / 'shared' / 'faults' / 'faults.py'

# The words of the server's language that the child knows how to act on. A case that uses another word cannot be
# played faithfully, so it is reported instead of being passed by luck.
OPTIONS = frozenset(
    (
        *('timeout', 'deadline', 'pause', 'stream_limit'),
        *('ca', 'ca_file', 'auth', 'jar', 'follow_all'),
        *('proxy', 'proxy_auth', 'proxy_url'),
    )
)
STEP_KEYS = frozenset(('method', 'url', 'headers', 'body', 'followup'))
BODY_KEYS = frozenset(('kind', 'size'))
BODY_KINDS = frozenset(('bytes', 'str', 'list', 'file', 'gen', 'gen_raise'))
AUTH_SCHEMES = frozenset(('digest', 'basic'))


class Unusable(Exception):
    """The run cannot start: no such file, a package is missing, nothing selected."""


def load(path: Path) -> Any:
    """The server's module, run from ``path``; what it imports may lie beside it or beside the default server."""
    if not path.is_file():
        raise Unusable(f'there is no hostile server at {path}; name one with --server FILE')
    for folder in (DEFAULT_SERVER.parent, path.resolve().parent):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location('hostile_server', path)
    if spec is None or spec.loader is None:
        raise Unusable(f'{path} is not a Python file')
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        raise Unusable(f'{path.name} needs the package {error.name}: install it') from error
    missing = [name for name in ('FAULTS', 'FaultServer', 'case', 'judge') if not hasattr(module, name)]
    if missing:
        raise Unusable(f'{path} is not a hostile server: it has no {", ".join(missing)}')
    return module


@contextlib.contextmanager
def serving(module: Any) -> Iterator[Any]:
    """A started server, stopped and swept away at the end."""
    server = module.FaultServer().start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(getattr(server, 'tmp', ''), ignore_errors=True)


def pick(module: Any, categories: Iterable[str], names: Iterable[str]) -> list[Any]:
    """The faults that were asked for, in the server's order; all of them when nothing was asked for."""
    faults = [fault for fault in module.FAULTS.values() if fault.cat != 'internal']
    wanted_categories, wanted_names = set(categories), set(names)
    _refuse_unknown('category', wanted_categories, {fault.cat for fault in faults})
    _refuse_unknown('name', wanted_names, {fault.name for fault in faults})
    picked = [
        fault
        for fault in faults
        if (not wanted_categories or fault.cat in wanted_categories)
        and (not wanted_names or fault.name in wanted_names)
    ]
    if not picked:
        raise Unusable('no case has both that category and that name')
    return picked


def _refuse_unknown(what: str, wanted: set[str], known: set[str]) -> None:
    if wanted - known:
        few = f'; known: {", ".join(sorted(known))}' if len(known) < 40 else ''
        raise Unusable(f'no such {what}: {", ".join(sorted(wanted - known))}{few}')


def unmapped(case: dict[str, Any]) -> list[str]:
    """What the case asks for in words that the child does not know, as short texts."""
    options = case['opts']
    unknown = [f'option {key!r}' for key in options if key not in OPTIONS]
    if options.get('auth') and options['auth'] not in AUTH_SCHEMES:
        unknown.append(f'auth {options["auth"]!r}')
    for step in case['steps']:
        unknown += [f'step key {key!r}' for key in step if key not in STEP_KEYS]
        body = step.get('body')
        if isinstance(body, dict):
            unknown += [f'body key {key!r}' for key in body if key not in BODY_KEYS]
            if body.get('kind') not in BODY_KINDS:
                unknown.append(f'body kind {body.get("kind")!r}')
    return unknown
