"""Beside urllib3-future, which niquests installs over the package urllib3: `import requite` refuses, in one text that tells what to do. Run by `nox -s future`."""

from __future__ import annotations

import subprocess
import sys


def imported() -> tuple[int, list[str]]:
    """The exit code of an import by a fresh interpreter, and what it wrote to stderr."""
    done = subprocess.run([sys.executable, '-c', 'import requite'], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.splitlines()


def main(situation: str) -> None:
    """`beside` urllib3-future the import fails, `mended` it does not."""
    code, said = imported()
    if situation == 'mended':
        assert (code, said) == (0, []), said
        return
    import urllib3

    assert not urllib3.__version__.startswith('2.8'), 'urllib3-future is not there: nothing was proved'
    assert code == 1
    assert said[-1].startswith('ImportError: requite needs urllib3 >=2.8,<3, but the module urllib3 is '), said
    for part in ('urllib3-future', 'niquests', 'an environment of its own', 'pip uninstall urllib3-future niquests'):
        assert part in said[-1], said
    assert not any(line.startswith('During handling') for line in said), said  # nothing went wrong before it


if __name__ == '__main__':
    main(sys.argv[1])
