"""Heads on the wire: the request's made and checked in one pass, the response's parsed in one.

Sources: RFC 9112 2 to 5, RFC 9110 5.5 and 5.6.2. Stricter than RFC 9112 2.2 where that says MAY: a bare LF, an obs-fold and a field name followed by white
space are errors, as they are in Node's parser; so are control characters anywhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from requite import errors
from requite.headers import FIELD_VALUE, TOKEN, Headers, join
from requite.transport.faults import malformed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MAX_LINE = 65536
MAX_FIELDS = 1000
MAX_HEAD = 262144

END = b'\r\n\r\n'

_NAME = TOKEN.pattern
_VALUE = r'[^\x00-\x08\x0a-\x1f\x7f]*'

# RFC 9112 3: method SP request-target SP HTTP-version, the target in visible ASCII
_REQUEST_LINE = re.compile(rf'{_NAME} [\x21-\x7e]+ HTTP/1\.1\r\n')

# RFC 9112 4: HTTP-version SP status-code SP [ reason-phrase ]; the second SP is often missing when there is no reason
_STATUS = re.compile(rf'HTTP/(1\.[01]) ([1-5][0-9][0-9])(?: ({_VALUE}))?')

# RFC 9112 5: field-name ":" OWS field-value OWS; the white space around the value is cut off afterwards, lest a pattern go over it twice
_FIELD = re.compile(rf'({_NAME}):({_VALUE})')

_BARE_LF = re.compile(rb'(?<!\r)\n')

Head = tuple[str, int, str, 'list[tuple[str, str]]', Headers]
"""Version (``'1.1'``), status, reason, the fields as they came and the same by lower-cased name."""


class _Sent(dict['tuple[str, str]', bytes]):
    """Field lines that were checked and encoded before: a caller sends most of them again and again."""

    __slots__ = ()

    def __missing__(self, field: tuple[str, str]) -> bytes:
        name, value = field
        if TOKEN.fullmatch(name) is None:
            raise errors.OptionsError(
                f'header name {name!r} is not a token (RFC 9110 5.1): remove the characters that are not allowed'
            )
        if FIELD_VALUE.fullmatch(value) is None:
            raise errors.OptionsError(
                f'the value of header {name!r} holds a control character or one outside Latin-1: remove or encode it'
            )
        line = f'{name}: {value}\r\n'.encode('latin-1')
        if len(line) <= KNOWN_LENGTH and name.lower() not in _SECRET:
            _make_room(self)
            self[field] = line
        return line


KNOWN = 1024
KNOWN_LENGTH = 160
_SECRET = frozenset(
    'authorization cookie proxy-authorization set-cookie authentication-info www-authenticate proxy-authenticate proxy-authentication-info'.split()
)

_sent = _Sent()


def _make_room(known: dict[Any, Any]) -> None:
    if len(known) >= KNOWN:
        known.clear()


def encode(method: str, target: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """A request head as bytes, all of it checked: the last line of defence, whatever the floors above let through.

    Raises ``OptionsError`` for a method or field name that is no token, a target that is not visible ASCII, a value with a control character or one that
    Latin-1 cannot hold (SECURITY Q1, Q2).
    """
    line = f'{method} {target} HTTP/1.1\r\n'
    if _REQUEST_LINE.fullmatch(line) is None:
        raise _unsendable(method)
    return b'%b%b\r\n' % (line.encode('ascii'), b''.join(map(_sent.__getitem__, fields)))


def _unsendable(method: str) -> errors.OptionsError:
    if TOKEN.fullmatch(method) is None:
        return errors.OptionsError(f'method {method!r} is not a token (RFC 9110 9.1): use letters, as in GET')
    return errors.InvalidURI('the request target holds a character other than visible ASCII: percent-encode it')


class _Lines(dict[str, 'tuple[str, str]']):
    """Field lines that were parsed before: a server says most of them again and again."""

    __slots__ = ()

    def __missing__(self, line: str) -> tuple[str, str]:
        return _field(line)


class _Names(dict[str, 'tuple[str, str]']):
    """The same lines with the name in lower case."""

    __slots__ = ()

    def __missing__(self, line: str) -> tuple[str, str]:
        name, value = _field(line)
        return name.lower(), value


class _Statuses(dict[str, 'tuple[str, int, str]']):
    """Status lines that were parsed before."""

    __slots__ = ()

    def __missing__(self, line: str) -> tuple[str, int, str]:
        found = _STATUS.fullmatch(line)
        if found is None or len(line) > MAX_LINE:
            raise _no_status(line)
        version, code, reason = found.groups()
        status = version, int(code), reason or ''
        if len(line) <= KNOWN_LENGTH:
            _make_room(self)
            self[line] = status
        return status


_lines = _Lines()
_names = _Names()
_statuses = _Statuses()


def _field(line: str) -> tuple[str, str]:
    found = _FIELD.fullmatch(line)
    if found is None or len(line) > MAX_LINE:
        check_field(line)
        raise overflow()
    name, value = found.groups()
    lowered = name.lower()
    field = name, value.strip(' \t')
    if len(line) <= KNOWN_LENGTH and lowered not in _SECRET:
        _make_room(_lines)
        _make_room(_names)
        _lines[line] = field
        _names[line] = lowered, field[1]
    return field


def parse(data: bytes, end: int) -> Head:
    """The response head in ``data``, whose blank line (CRLF CRLF) begins at ``end``. Raises ``MalformedResponse`` (SECURITY S8, S9, S12)."""
    lines = data[:end].decode('latin-1').split('\r\n')
    if end > MAX_HEAD or len(lines) > MAX_FIELDS + 1:
        raise overflow()
    status = _statuses[lines.pop(0)]
    fields = list(map(_lines.__getitem__, lines))
    headers = Headers(map(_names.__getitem__, lines))
    if len(headers) != len(fields) or dict.__contains__(headers, 'set-cookie'):
        headers = join(fields)
    return *status, fields, headers


def check_field(line: str) -> None:
    """Raises ``MalformedResponse`` if ``line``, without its CRLF, is no field line."""
    name, colon, value = line.partition(':')
    if '\n' in line:
        raise malformed('HPE_CR_EXPECTED', 'Missing expected CR after header value')
    if not colon or TOKEN.fullmatch(name) is None:
        raise malformed('HPE_INVALID_HEADER_TOKEN', 'Invalid header token')
    if re.fullmatch(_VALUE, value) is None:
        raise malformed('HPE_INVALID_HEADER_TOKEN', 'Invalid header value char')


def _no_status(line: str) -> errors.MalformedResponse:
    if len(line) > MAX_LINE:
        return overflow()
    if not line.startswith('HTTP/'):
        return malformed('HPE_INVALID_CONSTANT', 'Expected HTTP/')
    if re.match(r'HTTP/1\.[01] ', line) is None:
        return malformed('HPE_INVALID_VERSION', 'Invalid HTTP version')
    if '\n' in line:
        return malformed('HPE_CR_EXPECTED', 'Missing expected CR after response line')
    return malformed('HPE_INVALID_STATUS', 'Invalid status code')


def overflow() -> errors.MalformedResponse:
    """More head than anybody needs (SECURITY S9)."""
    return malformed('HPE_HEADER_OVERFLOW', 'Header overflow')


def check_partial(data: bytearray, start: int) -> None:
    """Raises as soon as an unfinished head can no longer become a good one: wrong first bytes, a bound passed, a bare LF at ``start`` or later."""
    if not data.startswith(b'HTTP/'[: len(data)]):
        raise malformed('HPE_INVALID_CONSTANT', 'Expected HTTP/')
    if len(data) > MAX_HEAD or len(data) - data.rfind(b'\r\n') > MAX_LINE:
        raise overflow()
    if _BARE_LF.search(data, start) is not None:
        raise malformed('HPE_CR_EXPECTED', 'Missing expected CR after header line')
