"""The shape of the house, held by reading the source: floors, cycles, sizes, names, and who may import what.

Each rule is a function that takes a parsed package and gives the sentences of what breaks it, so that every rule is also
shown to fail on a small bad tree (the second half of this file). The floors are read from import-linter's contract in
pyproject.toml; import-linter checks them too, over indirect imports, and this file checks what it cannot: the order inside
a package that is being built, sizes, and lazy imports.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / 'src' / 'requite'

MODULE_LINES = 300
FUNCTION_LINES = 50
PARAMETERS = 7
FORBIDDEN_NAMES = {'utils', 'util', 'helpers', 'helper', 'common', 'manager', 'base', 'misc'}

# Modules that are data rather than code, with the reason why they may be longer.
DATA_MODULES: dict[str, str] = {}

# Imported inside the function that needs them: each would cost `import requite` more than the whole of requite does.
HEAVY = {
    'asyncio', 'mohawk', 'httpsig_cffi', 'requests_toolbelt', 'requests_aws4auth', 'requests', 'cryptography', 'publicsuffixlist',
    'rich', 'IPython', 'redis', 'sqlite3', 'truststore', 'http_message_signatures', 'brotli', 'brotlicffi', 'zstandard',
    'concurrent', 'multiprocessing', 'http.cookiejar', 'urllib.request',
}  # fmt: skip
# What only the transport may touch: everything above it speaks of hops and replies.
SOCKETS = {'urllib3', 'ssl', 'socket', 'select', 'selectors'}


class Import(NamedTuple):
    """One import statement: the full name of what is imported, its line, and whether it runs only when a function does."""

    name: str
    line: int
    lazy: bool


class Module(NamedTuple):
    """One module of a package: its name below the package ('' is the package itself), its syntax tree and its text."""

    name: str
    path: Path
    tree: ast.Module
    lines: int

    @property
    def is_package(self) -> bool:
        return self.path.name == '__init__.py'


class Package:
    """A package read from disk: every module, with the imports that really happen (not those for type checkers)."""

    def __init__(self, root: Path) -> None:
        self.name = root.name
        self.modules = {module.name: module for module in _read(root)}
        self.imports = {module.name: list(self._imports(module)) for module in self.modules.values()}

    def _imports(self, module: Module) -> Iterator[Import]:
        for node, lazy in _import_nodes(module.tree, lazy=False):
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, node.lineno, lazy) for alias in node.names)
            else:
                yield from self._from_imports(module, node, lazy)

    def _from_imports(self, module: Module, node: ast.ImportFrom, lazy: bool) -> Iterator[Import]:
        base = node.module or ''
        if node.level:
            here = [self.name, *filter(None, module.name.split('.'))]
            above = here[: len(here) - node.level + module.is_package]
            base = '.'.join([*above, *filter(None, [node.module])])
        for alias in node.names:
            full = f'{base}.{alias.name}'
            # `from package import module` imports the module; `from module import name` imports the module before it.
            yield Import(full if self.own(full) == full.partition('.')[2] else base, node.lineno, lazy)

    def own(self, name: str) -> str | None:
        """The module of this package that a full name stands for, by its name below the package; None for foreign ones."""
        head, _, rest = name.partition('.')
        if head != self.name:
            return None
        return rest if rest in self.modules else ''

    def edges(self) -> Iterator[tuple[Module, Import, str]]:
        """Every import of one own module by another: who, the statement, whom."""
        for name, imports in self.imports.items():
            for statement in imports:
                target = self.own(statement.name)
                if target is not None and target != name:
                    yield self.modules[name], statement, target


def _read(root: Path) -> Iterator[Module]:
    for path in sorted(root.rglob('*.py')):
        text = path.read_text(encoding='utf-8')
        parts = path.relative_to(root).with_suffix('').parts
        name = '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)
        yield Module(name, path, ast.parse(text, str(path)), text.count('\n'))


def _import_nodes(node: ast.AST, *, lazy: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, lazy
        elif isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.dump(child.test):
            for other in child.orelse:
                yield from _import_nodes(ast.Module([other], []), lazy=lazy)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _import_nodes(child, lazy=lazy or inside)


def _pyproject() -> dict[str, list[str]]:
    contracts = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['tool']['importlinter'][
        'contracts'
    ]
    return {contract['id']: contract.get('layers') or contract.get('modules') for contract in contracts}


def floors() -> dict[str, int]:
    """The floor of each module and room directly below the package, 0 at the bottom; the package itself is a face (the top)."""
    layers = _pyproject()['floors']
    places = {}
    for number, layer in enumerate(reversed(layers)):
        for entry in layer.replace('|', ':').split(':'):
            places[entry.strip(' ()')] = number
    places[''] = len(layers) - 1
    return places


def off_the_map(package: Package, places: dict[str, int]) -> list[str]:
    """Modules that have no floor."""
    tops = {name.partition('.')[0] for name in package.modules}
    return [f'{top} has no floor: give it one in pyproject.toml' for top in sorted(tops) if top not in places]


def upward_imports(package: Package, places: dict[str, int]) -> list[str]:
    """Imports of a higher floor; `__init__` may be named by none but the faces."""
    found = []
    for module, statement, target in package.edges():
        here, there = (places.get(name.partition('.')[0], 0) for name in (module.name, target))
        inside = bool(target) and module.name.partition('.')[0] == target.partition('.')[0]
        if there > here and not inside:
            found.append(
                f'{module.path.name}:{statement.line} {module.name} (floor {here}) imports {target or "the package"} (floor {there})'
            )
    return found


def cycles(package: Package) -> list[str]:
    """Circles of imports, lazy ones included: a module and what it needs must be readable one after the other."""
    graph: dict[str, set[str]] = {name: set() for name in package.modules}
    for module, _, target in package.edges():
        graph[module.name].add(target)
    found, done = [], set()

    def visit(name: str, trail: list[str]) -> None:
        if name in trail:
            found.append(' -> '.join([*trail[trail.index(name) :], name]))
        elif name not in done:
            for target in sorted(graph[name]):
                visit(target, [*trail, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return found


def too_big(package: Package) -> list[str]:
    """Modules, functions and parameter lists over the bounds."""
    found = []
    for module in package.modules.values():
        if module.lines > MODULE_LINES and module.name not in DATA_MODULES:
            found.append(f'{module.name} has {module.lines} lines, at most {MODULE_LINES}')
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found += _too_big_function(module, node)
    return found


def _too_big_function(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    where = f'{module.name}:{node.lineno} {node.name}'
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if length > FUNCTION_LINES:
        yield f'{where} has {length} lines, at most {FUNCTION_LINES}'
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    count = len([name for name in names if name not in ('self', 'cls')])
    if count > PARAMETERS:
        yield f'{where} has {count} parameters, at most {PARAMETERS}'


def forbidden_names(package: Package) -> list[str]:
    """Modules whose name says nothing."""
    return [f'{name}: say what it does' for name in package.modules if FORBIDDEN_NAMES & set(name.split('.'))]


def undocumented(package: Package) -> list[str]:
    """Modules without a docstring."""
    return [
        f'{name or "__init__"} has no docstring'
        for name, module in package.modules.items()
        if not ast.get_docstring(module.tree)
    ]


def eager_heavy_imports(package: Package) -> list[str]:
    """Heavy packages imported when the module is, instead of when they are needed."""
    return [
        f'{name}:{statement.line} imports {statement.name} at import time'
        for name, imports in package.imports.items()
        for statement in imports
        if not statement.lazy and _is_one_of(statement.name, HEAVY)
    ]


def socket_imports(package: Package) -> list[str]:
    """Sockets, TLS and urllib3 outside the transport."""
    return [
        f'{name}:{statement.line} imports {statement.name}: only the transport may'
        for name, imports in package.imports.items()
        for statement in imports
        if name.partition('.')[0] != 'transport' and _is_one_of(statement.name, SOCKETS)
    ]


def _is_one_of(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f'{package}.') for package in packages)


@pytest.fixture(scope='module')
def requite_source() -> Package:
    """The package as it stands in the source tree."""
    return Package(SOURCE)


def test_every_module_has_its_floor(requite_source: Package) -> None:
    assert off_the_map(requite_source, floors()) == []


def test_imports_only_go_down(requite_source: Package) -> None:
    assert upward_imports(requite_source, floors()) == []


def test_no_import_goes_round_in_a_circle(requite_source: Package) -> None:
    assert cycles(requite_source) == []


def test_every_room_that_must_be_independent_is_in_the_contract(requite_source: Package) -> None:
    rooms = {name for name in ('body', 'auth', 'cookies', 'transport') if name in requite_source.modules}
    assert set(_pyproject()['rooms']) == {f'requite.{name}' for name in rooms}


def test_modules_functions_and_parameter_lists_stay_small(requite_source: Package) -> None:
    assert too_big(requite_source) == []


def test_a_module_that_may_be_long_is_there_and_long(requite_source: Package) -> None:
    assert [
        name
        for name in DATA_MODULES
        if name not in requite_source.modules or requite_source.modules[name].lines <= MODULE_LINES
    ] == []


def test_no_module_has_a_name_that_says_nothing(requite_source: Package) -> None:
    assert forbidden_names(requite_source) == []


def test_every_module_has_a_docstring(requite_source: Package) -> None:
    assert undocumented(requite_source) == []


def test_heavy_packages_are_imported_on_first_use(requite_source: Package) -> None:
    assert eager_heavy_imports(requite_source) == []


def test_only_the_transport_touches_sockets_tls_and_urllib3(requite_source: Package) -> None:
    assert socket_imports(requite_source) == []


@pytest.fixture(scope='module')
def loaded() -> set[str]:
    """The modules that a fresh interpreter has loaded after `import requite`."""
    program = 'import sys, requite; print(*sys.modules)'
    return set(
        subprocess.run([sys.executable, '-c', program], check=True, capture_output=True, text=True).stdout.split()
    )


@pytest.mark.parametrize(
    'heavy', ['asyncio', 'cryptography', 'requests', 'mohawk', 'requests_toolbelt', 'publicsuffixlist', 'sqlite3']
)
def test_importing_requite_does_not_load(heavy: str, loaded: set[str]) -> None:
    assert 'requite' in loaded
    assert heavy not in loaded


# The rules themselves: each of them is shown a tree that breaks it.


def tree(root: Path, **modules: str) -> Package:
    """A package 'bad' on disk, its modules given as text; a double underscore in a name is a folder."""
    package = root / 'bad'
    for name, text in {'__init__': '"""Bad."""\n', **modules}.items():
        path = package.joinpath(*(['__init__'] if name == '__init__' else name.split('__'))).with_suffix('.py')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
    return Package(package)


PLACES = {'': 2, 'face': 2, 'room': 1, 'word': 0, 'transport': 1}


@pytest.mark.parametrize(
    'text',
    [
        'from . import face',
        'from .face import f',
        'import bad.face',
        'from bad.face import f',
        'def f():\n    from bad import face',
        'from bad import nothing',
    ],
)
def test_the_rule_sees_an_import_that_goes_up(tmp_path: Path, text: str) -> None:
    assert len(upward_imports(tree(tmp_path, word=text, face=''), PLACES)) == 1


@pytest.mark.parametrize(
    'text', ['from . import word', 'from .word import w', 'import os', 'from bad.room.deep import d']
)
def test_the_rule_lets_an_import_go_down(tmp_path: Path, text: str) -> None:
    assert upward_imports(tree(tmp_path, face=text, word='', room__deep=''), PLACES) == []


def test_the_rule_sees_a_relative_import_from_inside_a_room(tmp_path: Path) -> None:
    package = tree(
        tmp_path,
        room__deep='from ..face import f\nfrom .side import s\nfrom ..word import w',
        room__side='',
        face='',
        word='',
    )
    assert [text.split(' imports ')[1] for text in upward_imports(package, PLACES)] == ['face (floor 2)']


def test_the_rule_leaves_imports_for_type_checkers_alone(tmp_path: Path) -> None:
    text = (
        'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .face import f\nelse:\n    from .room import r\n'
    )
    package = tree(tmp_path, word=text, face='', room='')
    assert len(upward_imports(package, PLACES)) == 1
    assert 'imports room' in upward_imports(package, PLACES)[0]


def test_the_rule_sees_a_module_without_a_floor(tmp_path: Path) -> None:
    assert off_the_map(tree(tmp_path, attic=''), PLACES) == ['attic has no floor: give it one in pyproject.toml']


def test_the_rule_sees_a_circle(tmp_path: Path) -> None:
    package = tree(tmp_path, a='from . import b', b='def f():\n    from . import c', c='import bad.a')
    assert 'a -> b -> c -> a' in cycles(package)


def test_the_rule_sees_what_is_too_big(tmp_path: Path) -> None:
    long = 'def long():\n' + '    pass\n' * 50
    wide = 'def wide(self, a, b, /, c, d, e, f, *, g, h): ...\ndef fits(self, a, b, c, d, e, f, g): ...\n'
    found = too_big(tree(tmp_path, long=long, wide=wide, huge='#\n' * 301))
    assert sorted(text.split(' has ')[1] for text in found) == [
        '301 lines, at most 300',
        '51 lines, at most 50',
        '8 parameters, at most 7',
    ]


def test_the_rule_sees_names_that_say_nothing_and_missing_docstrings(tmp_path: Path) -> None:
    package = tree(tmp_path, wire__utils='')
    assert forbidden_names(package) == ['wire.utils: say what it does']
    assert undocumented(package) == ['wire.utils has no docstring']


def test_the_rule_sees_a_heavy_package_at_import_time_only(tmp_path: Path) -> None:
    package = tree(
        tmp_path,
        a='import asyncio.events\ntry:\n    from requests import get\nexcept ImportError: ...\ndef f(): import mohawk',
    )
    assert [text.split()[2] for text in eager_heavy_imports(package)] == ['asyncio.events', 'requests']


def test_the_rule_sees_sockets_outside_the_transport(tmp_path: Path) -> None:
    package = tree(
        tmp_path, face='def f(): import ssl\nfrom urllib3.util import Url', transport__pools='import socket, urllib3'
    )
    assert len(socket_imports(package)) == 2
