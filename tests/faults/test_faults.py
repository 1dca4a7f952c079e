"""The hostile server against requite, a category a test: no wrong answer, no hang, no flood of memory, nothing over-strict."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from .hostile import DEFAULT_SERVER
from .watch import ROOT

pytestmark = [
    pytest.mark.timing,
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        not DEFAULT_SERVER.is_file(), reason='the hostile server (../shared/faults/faults.py) is not here'
    ),
    pytest.mark.skipif(
        importlib.util.find_spec('cryptography') is None,
        reason='the package cryptography, which makes the server certificates, is not installed',
    ),
]


@pytest.mark.parametrize(
    'category',
    [
        'connection',
        'framing',
        'chunked',
        'head',
        'interim',
        'encoding',
        'redirect',
        'auth',
        'upload',
        'tls',
        'cookie',
        'proxy',
    ],
)
def test_requite_gives_the_right_answer_or_a_clean_error_to_every_fault_of(category: str) -> None:
    command = [sys.executable, '-m', 'tests.faults', '--category', category]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    passed = int(run.stdout.splitlines()[-1].split()[0])
    assert passed > 0, 'every case was put off'
