"""The one error table: whatever urllib3, ssl and the socket raise becomes an error of this library, with Node's code.

``explain`` is called from the single ``except`` around a send and the single one around each read of a body. Order matters: an abort explains
everything that follows it, a passed deadline explains a timeout, and urllib3's NewConnectionError and NameResolutionError, which inherit from
urllib3's timeout class by accident, are looked at before anything that asks for a timeout.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from typing import TYPE_CHECKING

from urllib3 import exceptions as urllib3_errors

from requite import errors

if TYPE_CHECKING:
    from requite.message import Hop

CONNECT = 'connect'
TLS = 'tls'
SEND = 'send'
HEAD = 'head'
BODY = 'body'

CERTIFICATE_CODES = {
    2: 'UNABLE_TO_GET_ISSUER_CERT',
    3: 'UNABLE_TO_GET_CRL',
    7: 'CERT_SIGNATURE_FAILURE',
    9: 'CERT_NOT_YET_VALID',
    10: 'CERT_HAS_EXPIRED',
    13: 'ERROR_IN_CERT_NOT_BEFORE_FIELD',
    14: 'ERROR_IN_CERT_NOT_AFTER_FIELD',
    18: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    19: 'SELF_SIGNED_CERT_IN_CHAIN',
    20: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    21: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    22: 'CERT_CHAIN_TOO_LONG',
    23: 'CERT_REVOKED',
    24: 'INVALID_CA',
    25: 'PATH_LENGTH_EXCEEDED',
    26: 'INVALID_PURPOSE',
    27: 'CERT_UNTRUSTED',
    28: 'CERT_REJECTED',
    62: 'ERR_TLS_CERT_ALTNAME_INVALID',
    63: 'ERR_TLS_CERT_ALTNAME_INVALID',
    64: 'ERR_TLS_CERT_ALTNAME_INVALID',
}
"""OpenSSL's X509_V_ERR numbers by the names Node gives them; 62 to 64 are the three kinds of a name that does not match."""

UNKNOWN_NAME = frozenset(
    code for code in (getattr(socket, name, None) for name in ('EAI_NONAME', 'EAI_NODATA')) if code is not None
)

ERRNO_CLASSES: dict[int, type[errors.TransportError]] = {
    errno.ECONNREFUSED: errors.ConnectionRefused,
    errno.ECONNRESET: errors.ConnectionReset,
    errno.ECONNABORTED: errors.ConnectionReset,
    errno.EPIPE: errors.ConnectionBroken,
    errno.ESHUTDOWN: errors.ConnectionBroken,
}
"""Errors of the operating system that have a class of their own; all others are ``ConnectionFailed`` with the name of their number."""

IN_BODY = 'aborted'
HANG_UP = 'socket hang up'


class CallersError(Exception):
    """Carries what the caller's own code raised (the iterator of a body, a listener) past everything that explains the errors of connections."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def malformed(code: str, reason: str) -> errors.MalformedResponse:
    """An answer that breaks HTTP, worded as Node does (``Parse Error: Invalid header token``)."""
    return errors.MalformedResponse(f'Parse Error: {reason}', code)


def cut_short() -> errors.ResponseAborted:
    """The connection ended within the body."""
    return errors.ResponseAborted(IN_BODY)


def too_large(limit: int) -> errors.BodyTooLarge:
    """The body is more than the caller wants to hold."""
    return errors.BodyTooLarge(f'the body is larger than max_body, {limit} bytes')


def explain(error: BaseException, hop: Hop, phase: str) -> BaseException:
    """What to raise instead of ``error``, which came up in ``phase`` (one of this module's constants) of ``hop``.

    Errors of this library are given method and host and handed back; foreign ones are looked up in the table. What is none of ours and none
    of the transport's (a KeyboardInterrupt, the exception of a body iterator) comes back as it is. No userinfo and no field ever enters a text.
    """
    if hop.signal.aborted and isinstance(error, (OSError, errors.TransportError, ValueError)):
        return errors.AbortError(f'aborted: {place(hop)}')
    if isinstance(error, errors.RequestError):
        return _located(error, hop)
    translated = _from_urllib3(error, hop, phase) or _from_os(error, hop, phase)
    return error if translated is None else translated


def place(hop: Hop) -> str:
    """Method and host of a hop, for error texts: ``GET 127.0.0.1:8080``; never userinfo, path or query."""
    route = hop.route
    if route.socket_path:
        return f'{hop.method} unix:{route.socket_path}'
    return f'{hop.method} {route.host}:{route.port}'


def timed_out(hop: Hop, phase: str) -> errors.TransportError:
    """The error for a clock that ran out: the deadline's if that has passed, else the one of ``phase``."""
    limits = hop.limits
    if limits.deadline is not None and time.monotonic() >= limits.deadline:
        return errors.DeadlineExceeded(f'ETIMEDOUT: {place(hop)} was not done by its deadline')
    if phase in (CONNECT, TLS):
        what = 'no connection to' if phase == CONNECT else 'no TLS handshake with'
        return errors.ConnectTimeout(
            f'ETIMEDOUT: {what} {hop.route.host}:{hop.route.port}{_within(limits.connect)} ({hop.method})'
        )
    return errors.ReadTimeout(f'ESOCKETTIMEDOUT: {place(hop)} stood still{_within(limits.read, " for")}')


def _within(seconds: float | None, word: str = ' within') -> str:
    return '' if seconds is None else f'{word} {seconds * 1000:.0f} ms'


def _located(error: errors.RequestError, hop: Hop) -> errors.RequestError:
    suffix = f' ({place(hop)})'
    if not error.message.endswith(suffix) and hop.route.host not in error.message:
        error.message += suffix
        error.args = (error.message,)
    return error


def _from_urllib3(error: BaseException, hop: Hop, phase: str) -> errors.RequestError | None:
    if not isinstance(error, urllib3_errors.HTTPError):
        return None
    cause = error.__cause__ or error.__context__
    if isinstance(error, urllib3_errors.NameResolutionError):
        return _from_os(cause, hop, CONNECT) if isinstance(cause, OSError) else _name_error(0, hop)
    if isinstance(error, urllib3_errors.NewConnectionError):
        known = _from_os(cause, hop, CONNECT) if isinstance(cause, OSError) else None
        return known or errors.ConnectionFailed(f'connect failed: {place(hop)}')
    if isinstance(error, urllib3_errors.LocationParseError):
        return _name_error(0, hop)
    if isinstance(error, urllib3_errors.TimeoutError):
        return timed_out(hop, phase)
    if isinstance(error, urllib3_errors.SSLError):
        return (_from_os(cause, hop, phase) if isinstance(cause, OSError) else None) or _tls_error(error, hop)
    return errors.ConnectionFailed(f'{type(error).__name__}: {place(hop)}')


def _from_os(error: BaseException | None, hop: Hop, phase: str) -> errors.RequestError | None:
    if isinstance(error, socket.gaierror):
        return _name_error(error.errno or 0, hop)
    if isinstance(error, UnicodeError) and phase == CONNECT:
        return _name_error(0, hop)
    if isinstance(error, ssl.SSLError):
        return _from_ssl(error, hop, phase)
    if isinstance(error, (TimeoutError, BlockingIOError)):
        return timed_out(hop, phase)
    if isinstance(error, OSError):
        return _by_errno(error, hop, phase)
    return None


def _by_errno(error: OSError, hop: Hop, phase: str) -> errors.RequestError:
    number = error.errno or 0
    name = errno.errorcode.get(number, 'EIO')
    kind = ERRNO_CLASSES.get(number, errors.ConnectionFailed)
    if phase == BODY and kind in (errors.ConnectionReset, errors.ConnectionBroken):
        return errors.ResponseAborted(f'{IN_BODY} ({place(hop)})')
    call = {CONNECT: 'connect', TLS: 'handshake', SEND: 'write'}.get(phase, 'read')
    return kind(f'{call} {name}: {place(hop)}', 'ECONNRESET' if kind is errors.ConnectionReset else name)


def _name_error(number: int, hop: Hop) -> errors.RequestError:
    if number == socket.EAI_AGAIN:
        return errors.NameTemporarilyUnknown(f'getaddrinfo EAI_AGAIN {hop.route.host} ({hop.method})')
    return errors.NameNotFound(f'getaddrinfo ENOTFOUND {hop.route.host} ({hop.method})')


def _from_ssl(error: ssl.SSLError, hop: Hop, phase: str) -> errors.RequestError:
    if isinstance(error, ssl.SSLCertVerificationError):
        code = CERTIFICATE_CODES.get(error.verify_code, 'CERT_UNTRUSTED')
        return errors.CertificateError(f'{error.verify_message.rstrip(".")} [{code}] ({place(hop)})', code)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        if phase == BODY:
            return errors.ResponseAborted(f'{IN_BODY}: the TLS connection ended without close_notify ({place(hop)})')
        if phase == TLS:
            return errors.ConnectionReset(f'disconnected before the TLS connection was established ({place(hop)})')
        return errors.ConnectionReset(f'{HANG_UP} ({place(hop)})')
    return _tls_error(error, hop)


def _tls_error(error: BaseException, hop: Hop) -> errors.TLSError:
    reason = getattr(error, 'reason', None)
    words = reason.lower().replace('_', ' ') if isinstance(reason, str) else 'TLS failed'
    return errors.TLSError(f'EPROTO: {words} ({place(hop)})')
