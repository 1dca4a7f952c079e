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
    from requite.message import Hop

MAX_LINE = 65536
MAX_FIELDS = 1000
MAX_HEAD = 262144

END = b'\r\n\r\n'

_NAME = TOKEN.pattern
_VALUE = r'[^\x00-\x08\x0a-\x1f\x7f]*'

# RFC 9112 3: method SP request-target SP HTTP-version CRLF *( field-line CRLF ) CRLF; Latin-1 is the widest that has bytes
_REQUEST = re.compile(rf'{_NAME} [\x21-\x7e]+ HTTP/1\.1\r\n(?:{_NAME}: {FIELD_VALUE.pattern}\r\n)*\r\n')

# RFC 9112 4: HTTP-version SP status-code SP [ reason-phrase ]; the second SP is often missing when there is no reason
_STATUS = re.compile(rf'HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ({_VALUE}))?(?=\r\n)')

# RFC 9112 5: field-name ":" OWS field-value OWS. The look-ahead makes a value with a control character no match at all, and since a line is only looked for
# after a CRLF, the number of matches falls short of the number of lines as soon as one of them is no field. Nothing here can backtrack over more than a line.
_FIELD = re.compile(rf'\r\n({_NAME}):[ \t]?({_VALUE})(?=\r\n)')

_BARE_LF = re.compile(rb'(?<!\r)\n')

Head = tuple[str, int, str, 'list[tuple[str, str]]', Headers]
"""Version (``'1.1'``), status, reason, the fields as they came and the same by lower-cased name."""


def encode(hop: Hop) -> bytes:
    """The request head of ``hop`` as bytes, checked as a whole: the last line of defence, whatever the floors above let through.

    Raises ``OptionsError`` for a method or field name that is no token, a target that is not visible ASCII, a value with a control character or one that
    Latin-1 cannot hold (SECURITY Q1, Q2).
    """
    fields = hop.fields
    lines = [name + ': ' + value for name, value in fields]
    text = f'{hop.method} {hop.target} HTTP/1.1\r\n' + '\r\n'.join(lines) + ('\r\n\r\n' if lines else '\r\n')
    if _REQUEST.fullmatch(text) is None or text.count('\r\n') != len(lines) + 2:
        raise _unsendable(hop)
    return text.encode('latin-1')


def _unsendable(hop: Hop) -> errors.OptionsError:
    if TOKEN.fullmatch(hop.method) is None:
        return errors.OptionsError(f'method {hop.method!r} is not a token (RFC 9110 9.1): use letters, as in GET')
    if re.fullmatch(r'[\x21-\x7e]+', hop.target) is None:
        return errors.InvalidURI('the request target holds a character other than visible ASCII: percent-encode it')
    for name, value in hop.fields:
        if TOKEN.fullmatch(name) is None:
            return errors.OptionsError(f'header name {name!r} is not a token (RFC 9110 5.1): remove the characters that are not allowed')
        if FIELD_VALUE.fullmatch(value) is None:
            return errors.OptionsError(f'the value of header {name!r} holds a control character or one outside Latin-1: remove or encode it')
    return errors.OptionsError('the request head is not well-formed')


def parse(data: bytes, end: int) -> Head:
    """The response head in ``data``, whose blank line (CRLF CRLF) begins at ``end``. Raises ``MalformedResponse`` (SECURITY S8, S9, S12)."""
    text = data[: end + 2].decode('latin-1')
    status = _STATUS.match(text)
    if status is None:
        raise _no_status(text)
    fields = _FIELD.findall(text, status.end())
    if len(fields) != text.count('\r\n') - 1 or len(fields) > MAX_FIELDS or end > MAX_LINE:
        _check(text, status.end())
    if '  ' in text or ' \r' in text or '\t' in text:
        fields = [(name, value.strip(' \t')) for name, value in fields]
    headers = Headers()
    for name, value in fields:
        headers[name.lower()] = value
    if len(headers) != len(fields) or 'set-cookie' in headers:
        headers = join(fields)
    minor, code, reason = status.groups()
    return '1.' + minor, int(code), reason or '', fields, headers


def _check(text: str, start: int) -> None:
    """Raises for the first line that is too long or no field; returns when all are well (a long head may be)."""
    lines = text[start + 2 : -2].split('\r\n') if len(text) > start + 2 else []
    if len(lines) > MAX_FIELDS or len(text) > MAX_HEAD or start > MAX_LINE:
        raise overflow()
    for line in lines:
        if len(line) > MAX_LINE:
            raise overflow()
        check_field(line)


def check_field(line: str) -> None:
    """Raises ``MalformedResponse`` if ``line``, without its CRLF, is no field line."""
    name, colon, value = line.partition(':')
    if '\n' in line:
        raise malformed('HPE_CR_EXPECTED', 'Missing expected CR after header value')
    if not colon or TOKEN.fullmatch(name) is None:
        raise malformed('HPE_INVALID_HEADER_TOKEN', 'Invalid header token')
    if re.fullmatch(_VALUE, value) is None:
        raise malformed('HPE_INVALID_HEADER_TOKEN', 'Invalid header value char')


def _no_status(text: str) -> errors.MalformedResponse:
    line = text.partition('\r\n')[0]
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
