"""Deviations that hold for a situation and not for one case: told by what the server of a case sends, so that new recordings meet them too.

Each rule takes the case (with its placeholders) and Node's result, and gives the decision for it, or None where the situation is another one.
A decision of ``decided`` goes before.
"""

from __future__ import annotations

import base64
import importlib.util
import zlib
from typing import TYPE_CHECKING, Any

from .decision import PLAIN, Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[[dict[str, Any], dict[str, Any]], Decision | None]

HAS_BROTLI = bool(importlib.util.find_spec('brotli') or importlib.util.find_spec('brotlicffi'))


def decide(case: dict[str, Any], want: dict[str, Any]) -> Decision | None:
    """The decision that the situation of the case asks for."""
    if 'seq' in case or case.get('quirk'):
        return None
    return next((decision for rule in RULES if (decision := rule(case, want)) is not None), None)


def odd_status(case: dict[str, Any], want: dict[str, Any]) -> Decision | None:
    """Node gives back any status; here one beyond 599 is an error."""
    if any(answer.get('status', 200) > 599 for answer in _answers(case, want)):
        reason = 'a status beyond 599 is an error (SECURITY S12)'
        return Decision(reason, error='MalformedResponse', sent=len(want['requests']))
    return None


def cut_coding(case: dict[str, Any], want: dict[str, Any]) -> Decision | None:
    """Node gives back what a compressed stream held before it was cut; here that is an error."""
    answers = _answers(case, want)
    if not answers or not _asks_for_gzip(case) or 'body_b64' not in answers[-1]:
        return None
    coding = _header(answers[-1], 'content-encoding').strip().lower()
    if not _is_cut(coding, base64.b64decode(answers[-1]['body_b64'])):
        return None
    reason = 'a compressed body that is cut or broken is an error (SECURITY S1)'
    return Decision(reason, error=('ResponseAborted', 'DecodeError'), sent=len(want['requests']))


def long_head(case: dict[str, Any], want: dict[str, Any]) -> Decision | None:
    """Node refuses a head of more than 16 KiB; here a line may have 64 KiB, and all of it 256 KiB."""
    answers = _answers(case, want)
    if _code(want) != 'HPE_HEADER_OVERFLOW' or not answers or 'raw' in answers[-1]:
        return None
    fields = [*answers[-1].get('headers', []), ['content-length', str(len(answers[-1].get('body', '').encode()))]]
    if any(len(name) + len(value) > 65000 for name, value in fields) or len(fields) > 1000:
        return None
    return _answered(
        'a line may have 64 KiB (SECURITY S9)', answers[-1].get('status', 200), fields, answers[-1].get('body', '')
    )


def surplus(case: dict[str, Any], want: dict[str, Any]) -> Decision | None:
    """Node reports bytes after a complete answer as an error of that answer; here they cost the connection only."""
    answers = _answers(case, want)
    if _code(want) != 'HPE_INVALID_CONSTANT' or 'response' not in want['outcomes'][-1].get('events', []):
        return None
    head, _, rest = answers[-1].get('raw', '').partition('\r\n\r\n') if answers else ('', '', '')
    line, *lines = head.split('\r\n')
    fields = [[name.lower(), value.strip()] for name, _, value in (field.partition(':') for field in lines)]
    length = next((value for name, value in fields if name == 'content-length'), '')
    if not length.isdigit() or len(rest) <= int(length):
        return None
    reason = 'what follows a complete answer costs the connection, not the answer (SECURITY S4)'
    return _answered(reason, int(line.split(' ')[1]), fields, rest[: int(length)])


def two_locations(case: dict[str, Any], want: dict[str, Any]) -> Decision | None:
    """Node follows the first of two Locations; here two different ones are an error."""
    for index, answer in enumerate(_answers(case, want)[:-1]):
        locations = {value for name, value in answer.get('headers', []) if name.lower() == 'location'}
        if len(locations) > 1:
            return Decision(
                "two different Locations are nobody's redirect (SECURITY R11)", error='InvalidURI', sent=index + 1
            )
    return None


RULES: tuple[Rule, ...] = (odd_status, cut_coding, long_head, surplus, two_locations)


def _answers(case: dict[str, Any], want: dict[str, Any]) -> list[dict[str, Any]]:
    """The scripted answers that were given, in the order of the requests."""
    answers: list[dict[str, Any]] = (case.get('server') or [])[: len(want['requests'])]
    return answers


def _asks_for_gzip(case: dict[str, Any]) -> bool:
    return any(given.get('gzip') for given in (case.get('options', {}), *case.get('defaults', ())))


def _header(answer: dict[str, Any], wanted: str) -> str:
    return next((value for name, value in answer.get('headers', []) if name.lower() == wanted), '')


def _code(want: dict[str, Any]) -> Any:
    return (want['outcomes'][-1].get('error') or {}).get('code') if want['outcomes'] else None


def _is_cut(coding: str, body: bytes) -> bool:
    if not body:
        return False
    if coding == 'br' and HAS_BROTLI:
        return not _is_whole_brotli(body)
    if coding not in ('gzip', 'deflate'):
        return False
    reader = zlib.decompressobj(31 if coding == 'gzip' else 15)
    try:
        reader.decompress(body)
    except zlib.error:
        return False
    return not reader.eof


def _is_whole_brotli(body: bytes) -> bool:
    try:
        import brotli
    except ImportError:
        import brotlicffi as brotli
    try:
        brotli.decompress(body)
    except brotli.error:
        return False
    return True


def _answered(reason: str, status: int, fields: list[list[str]], body: str) -> Decision:
    response = {
        'statusCode': status,
        'headers': {name.lower(): value for name, value in fields},
        'body': {'type': 'string', 'value': body},
    }
    return Decision(reason, changes={'outcomes.0': {'calls': 1, 'events': PLAIN, 'response': response}})
