"""The recordings: cases, expectations and the recording server that comes with them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PLACES = (Path(__file__).resolve().parent / 'data', ROOT.parent / 'shared' / 'golden')
"""Where the recordings are looked for when none are named: a copy beside this file, then the material beside the repository."""


class Absent(Exception):
    """The recordings, or the recorder that belongs to them, are not on this machine."""


class Corpus(NamedTuple):
    """``cases`` in their order, what is ``wanted`` by id, the ``keys`` that cases name (PEM text), and the ``recorder`` module."""

    cases: list[dict[str, Any]]
    wanted: dict[str, dict[str, Any]]
    keys: dict[str, str]
    recorder: ModuleType


def load(corpus: Path | None = None, expected: Path | None = None, recorder: Path | None = None) -> Corpus:
    """Reads a corpus and its expectations; raises ``Absent`` with the reason when one of the files is not there."""
    corpus = corpus or _look_for('corpus-open.json')
    expected = expected or _look_for('expected-open.json', corpus.parent)
    recorder = recorder or _look_for('recorder.py', corpus.parent)
    for path in (corpus, expected, recorder):
        if not path.is_file():
            raise Absent(f'no file {path}')
    described = json.loads(corpus.read_text('utf-8'))
    wanted = {entry['id']: entry for entry in json.loads(expected.read_text('utf-8'))['expected']}
    cases = described['cases']
    missing = [case['id'] for case in cases if case['id'] not in wanted]
    if missing:
        raise Absent(f'{expected} has no expectation for {len(missing)} cases of {corpus}, the first is {missing[0]}')
    return Corpus(cases, wanted, _keys(described.get('keys', {}), cases), _module(recorder))


def areas(cases: Iterable[dict[str, Any]]) -> list[str]:
    """The areas of the cases, each once, in the order in which they come."""
    return list(dict.fromkeys(case['area'] for case in cases))


def _look_for(name: str, *nearer: Path) -> Path:
    for place in (*nearer, *PLACES):
        if (place / name).is_file():
            return place / name
    raise Absent(f'{name} is in none of {", ".join(str(place) for place in (*nearer, *PLACES))}')


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location('golden_recorder', path)
    if spec is None or spec.loader is None:
        raise Absent(f'{path} cannot be imported')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _keys(described: dict[str, Any], cases: list[dict[str, Any]]) -> dict[str, str]:
    if '"$key"' not in json.dumps(cases):
        return {}
    return {name: _pem(numbers) if isinstance(numbers, dict) else numbers for name, numbers in described.items()}


def _pem(numbers: dict[str, Any]) -> str:
    """The PEM text (PKCS 1) of an RSA key that is described by its primes and its public exponent."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    p, q, e = (int(numbers[part], 0) if isinstance(numbers[part], str) else numbers[part] for part in 'pqe')
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    private = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return text.decode('ascii')
