"""What is checked, in one command: `nox` runs lint, types, docs and tests; `nox -s bench` the benchmarks, `nox -s future` what happens beside urllib3-future.

The tests run against the built wheel on every Python from 3.10 up that is installed; the recorded cases of Node's request
and the hostile server are among them. Arguments after `--` go to pytest: `nox -s tests-3.11 -- -k redirect`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ('3.10', '3.11', '3.12', '3.13', '3.14')
GROUPS = nox.project.load_toml('pyproject.toml')
WHEEL = ROOT / '.nox' / 'wheel'
BUILT: list[str] = []


def installed_pythons() -> list[str]:
    """The versions that can really be run; folders of pyenv's that hold one are put on the PATH, before pyenv's own shims."""
    pyenv = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv')) / 'versions'
    found = []
    for version in PYTHONS:
        folders = sorted(path.parent for path in pyenv.glob(f'{version}.*/bin/python{version}'))
        if not _runs(f'python{version}') and folders:
            os.environ['PATH'] = os.pathsep.join([str(folders[-1]), os.environ.get('PATH', '')])
        if _runs(f'python{version}'):
            found.append(version)
    return found


def _runs(python: str) -> bool:
    # A shim of pyenv's stands on the PATH for versions that are not switched on, and then only fails.
    where = shutil.which(python)
    return bool(where) and subprocess.run([where, '-c', ''], capture_output=True, check=False).returncode == 0


FOUND = installed_pythons()
nox.options.default_venv_backend = 'virtualenv'
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ['lint', 'types', 'docs', 'tests']


def install_groups(session: nox.Session, *groups: str) -> None:
    """The packages of dependency groups of pyproject.toml, without requite itself."""
    if groups:
        session.install(*nox.project.dependency_groups(GROUPS, *groups))


def install_wheel(session: nox.Session, *groups: str) -> None:
    """The wheel and its dependencies, and groups of tools; what is imported is the wheel, never the source tree."""
    install_groups(session, *groups)
    if not BUILT:
        # Built once a run, by the first session that wants it.
        shutil.rmtree(WHEEL, ignore_errors=True)
        session.run('python', '-m', 'pip', 'wheel', '-q', '--no-deps', '-w', str(WHEEL), '.')
        BUILT.extend(map(str, WHEEL.glob('requite-*.whl')))
    session.install(*BUILT)
    # The version stays the same while the code changes: put in what was built now.
    session.install('--force-reinstall', '--no-deps', *BUILT)
    session.run('python', '-c', "import requite; assert 'site-packages' in requite.__file__, requite.__file__")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, and the floors of the house."""
    install_groups(session, 'lint')
    session.install('-e', '.')
    session.run('ruff', 'check', '.')
    session.run('ruff', 'format', '--check', '.')
    session.run('lint-imports', '--no-cache')


@nox.session
def types(session: nox.Session) -> None:
    """The source and the typed examples, strictly."""
    install_groups(session, 'types')
    session.install('-e', '.')
    session.run('mypy', '--strict', 'src', *(['tests/typing'] if (ROOT / 'tests/typing').is_dir() else []))


@nox.session
def docs(session: nox.Session) -> None:
    """The pages that are made of the source, then all of them, every warning an error. (That their code runs is tests/test_docs.py's.)"""
    install_groups(session, 'docs')
    session.install('-e', '.')
    session.run('python', 'docs/generate.py', '--check')
    session.run('sphinx-build', '-W', '--keep-going', '-q', '-b', 'html', 'docs', str(ROOT / '.nox' / 'docs'))
    session.run('towncrier', 'build', '--draft', '--version', 'next', silent=True)


ONCE = ('tests/peers', 'tests/benchmarks', 'tests/load')
"""What other programs answer, and how long things take, is asked on the newest Python only: it is the same on the others."""


@nox.session(python=FOUND)
def tests(session: nox.Session) -> None:
    """Every test, against the wheel; on the newest Python also those with other programs and the bounds of the benchmarks."""
    if session.python == FOUND[-1]:
        install_wheel(session, 'test', 'peers', 'bench')
        left_out = []
    else:
        install_wheel(session, 'test')
        left_out = [f'--ignore={folder}' for folder in ONCE]
    session.run('python', '-m', 'pytest', '-n', '2', '--dist', 'loadgroup', *left_out, *session.posargs)


@nox.session
def future(session: nox.Session) -> None:
    """Beside urllib3-future the import refuses, with the way out; and that way works."""
    _take_back_urllib3(session)  # a run before this one may have left the other one there
    install_wheel(session)
    session.install('niquests')
    session.run('python', 'tests/future.py', 'beside')
    _take_back_urllib3(session)
    session.run('python', 'tests/future.py', 'mended')


def _take_back_urllib3(session: nox.Session) -> None:
    # What the error of the import tells to do. urllib3-future puts itself over urllib3 at every start of Python for as long as it is installed.
    session.run('python', '-m', 'pip', 'uninstall', '-q', '-y', 'urllib3-future', 'niquests')
    session.install('--force-reinstall', '--no-deps', 'urllib3>=2.8,<3')


@nox.session
def bench(session: nox.Session) -> None:
    """The table of docs/explanation/performance.md; wants nginx."""
    install_wheel(session, 'test', 'bench')
    session.run('python', '-m', 'tests.benchmarks', *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Ten minutes of coverage-guided fuzzing, or as many seconds as are given: `nox -s fuzz -- 60`. Never part of a plain `nox`."""
    install_wheel(session)
    session.install('atheris>=2.3')
    session.run('python', '-m', 'tests.properties.atheris_fuzz', *session.posargs)
