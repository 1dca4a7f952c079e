"""The harness can fail: clients whose faults are known beforehand get the verdicts that they deserve."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from .child import BodyFailed, make_body
from .hostile import BODY_KINDS, DEFAULT_SERVER, unmapped
from .watch import ROOT

if TYPE_CHECKING:
    from pathlib import Path

served = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not DEFAULT_SERVER.is_file(), reason='the hostile server (../shared/faults/faults.py) is not here'
    ),
    pytest.mark.skipif(
        importlib.util.find_spec('cryptography') is None,
        reason='the package cryptography, which makes the server certificates, is not installed',
    ),
]


def serve(test: Any) -> Any:
    for mark in served:
        test = mark(test)
    return test


def harness(client: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-m', 'tests.faults', '--client', client, *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def verdicts(run: subprocess.CompletedProcess[str], out: Path) -> dict[str, str]:
    assert out.exists(), run.stdout + run.stderr
    return {row['name']: row['verdict'] for row in json.loads(out.read_text())['cases']}


@serve
def test_a_naive_client_is_found_wrong_hanging_and_greedy(tmp_path: Path) -> None:
    out = tmp_path / 'out.json'
    names = 'cl_ok,i103_then_200,gzip_truncated,drip_chunks,infinite_body'
    run = harness('naive', '--name', names, '--json', str(out))
    assert verdicts(run, out) == {
        'cl_ok': 'ok',
        'i103_then_200': 'WRONG',
        'gzip_truncated': 'WRONG',
        'drip_chunks': 'HANG',
        'infinite_body': 'MEM',
    }
    lines = run.stdout.splitlines()
    assert any(line.startswith('HANG drip_chunks: no result after') for line in lines)
    assert lines[-1] == '1 passed, 4 failed'
    assert run.returncode == 1


@serve
def test_malformed_input_taken_without_damage_is_lax_and_fails_the_run(tmp_path: Path) -> None:
    out = tmp_path / 'out.json'
    run = harness('naive', '--name', 'cl_underscore', '--json', str(out))
    assert verdicts(run, out) == {'cl_underscore': 'LAX'}
    assert run.returncode == 1


@serve
@pytest.mark.parametrize(
    ('client', 'verdict', 'text'),
    [
        ('refusing', 'OVERSTRICT', 'ConnectionError: not today'),
        ('raising', 'CRASH', "KeyError: 'an inner matter'"),
        ('dying', 'CRASH', 'the child ended with code 7'),
        ('unfinished', 'CRASH', 'NotImplementedError: not available yet'),
    ],
)
def test_a_client_that_refuses_or_breaks_on_a_plain_exchange_fails(client: str, verdict: str, text: str) -> None:
    run = harness(client, '--name', 'cl_ok,gzip_ok')
    lines = run.stdout.splitlines()
    assert any(line.startswith(f'{verdict} cl_ok: {text}') for line in lines), run.stdout + run.stderr
    assert lines[-1] == '0 passed, 2 failed'
    assert run.returncode == 1


@serve
def test_a_case_whose_declared_need_is_not_met_yet_is_put_off_and_is_no_pass() -> None:
    run = harness('unfinished', '--name', 'cookie_ok', '-v')
    assert 'later: cookie_ok' in run.stdout
    assert run.stdout.splitlines()[-1] == '0 passed, 0 failed'
    assert run.returncode == 0


@serve
def test_a_decent_client_passes_plain_cases() -> None:
    run = harness('urllib3', '--name', 'cl_ok,chunk_ok,gzip_ok,tls_ok,stall_no_response,gzip_bomb_stream,echo_duplex')
    assert run.stdout.splitlines()[-1] == '7 passed, 0 failed', run.stdout + run.stderr
    assert run.returncode == 0


@serve
def test_a_server_file_never_seen_before_is_played(tmp_path: Path) -> None:
    server = tmp_path / 'another.py'
    server.write_text(
        textwrap.dedent("""
            from faults import *
            from faults import FAULTS, raw, full

            FAULTS.clear()
            raw('brand_new', 'novel', full(b'hello'), 'a plain answer', 'ok', then='keep', body=b'hello')
            raw('brand_new_wrong', 'novel', full(b'hello'), 'a plain answer, expected to differ', 'ok', body=b'other')
            raw('brand_new_option', 'novel', full(b''), 'wants what nobody knows', 'ok', body=b'', opts={'moon': 'full'})
        """),
    )
    run = harness('naive', '--server', str(server), '--category', 'novel')
    lines = run.stdout.splitlines()
    assert any(line.startswith('WRONG brand_new_wrong: took 200') for line in lines), run.stdout + run.stderr
    assert "UNMAPPED brand_new_option: the harness has no word for option 'moon'" in lines
    assert lines[-1] == '1 passed, 2 failed'


@serve
def test_a_name_that_does_not_exist_is_refused() -> None:
    run = harness('naive', '--name', 'no_such_case')
    assert run.returncode == 2
    assert 'no such name: no_such_case' in run.stderr


def test_a_missing_server_file_is_refused(tmp_path: Path) -> None:
    run = harness('naive', '--server', str(tmp_path / 'absent.py'))
    assert run.returncode == 2
    assert 'there is no hostile server at' in run.stderr


def test_words_of_a_case_that_the_child_does_not_know_are_named() -> None:
    step = {'method': 'POST', 'url': 'http://h/', 'body': {'kind': 'telepathy', 'size': 1}, 'colour': 'red'}
    case = {'opts': {'timeout': 1, 'auth': 'rune'}, 'steps': [step]}
    assert unmapped(case) == ["auth 'rune'", "step key 'colour'", "body kind 'telepathy'"]


@pytest.mark.parametrize('kind', sorted(BODY_KINDS))
def test_every_known_kind_of_body_can_be_made(kind: str) -> None:
    body = make_body({'kind': kind, 'size': 40_000})
    if kind == 'gen_raise':
        with pytest.raises(BodyFailed):
            list(body)
    elif kind == 'file':
        assert body.read() == b'u' * 40_000
    elif kind in {'bytes', 'str'}:
        assert len(body) == 40_000
    else:
        assert b''.join(body) == b'u' * 40_000
