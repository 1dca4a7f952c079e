"""The list of docs/explanation/security.md: complete, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / 'docs' / 'explanation' / 'security.md').read_text(encoding='utf-8')
PROVED = dict(re.findall(r'^\| ([A-Z]\d+) \|(.*)\|$', PAGE, re.MULTILINE))
LATER = re.findall(
    r'\b[A-Z]\d+\b',
    ' '.join(re.findall(r'^\| ((?:[A-Z]\d+ ?)+) \| [^`\n]*\|$', PAGE.partition('## Not there yet')[2], re.MULTILINE)),
)
COUNTS = {'R': 15, 'Q': 9, 'S': 14, 'B': 4, 'C': 8, 'A': 6, 'T': 3, 'X': 5, 'D': 4, 'P': 4}
NAMED = re.findall(r'`(tests/[\w/]+\.py)::(\w+)`', PAGE)


def functions(path: str) -> set[str]:
    """The test functions of a file, by name."""
    tree = ast.parse((ROOT / path).read_text(encoding='utf-8'))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith('test_')}


def test_every_property_is_proved_or_waits() -> None:
    every = {f'{area}{number}' for area, count in COUNTS.items() for number in range(1, count + 1)}
    proved = {name for name, row in PROVED.items() if '::' in row}
    assert proved | set(LATER) == every
    assert proved & set(LATER) == set()


@pytest.mark.parametrize('path', sorted({path for path, _ in NAMED}))
def test_the_tests_that_prove_a_property_exist(path: str) -> None:
    assert {name for file, name in NAMED if file == path} - functions(path) == set()


def test_every_proved_property_names_a_test() -> None:
    assert [
        name for name, row in PROVED.items() if name not in LATER and not re.search(r'`tests/[\w/]+\.py::\w+`', row)
    ] == []
