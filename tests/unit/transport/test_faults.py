"""The one error table: every foreign error becomes one of ours, with Node's code, and no secret in its text."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from typing import Any

import pytest
from urllib3 import exceptions as urllib3_errors

from requite import errors
from requite.message import AbortSignal, Hop
from requite.routes import Limits, Route
from requite.transport import faults


def hop(**given: Any) -> Hop:
    fields = (('host', 'example.com'), ('authorization', 'Basic c2VjcmV0'), ('cookie', 'id=secret'))
    limits = given.pop('limits', Limits(1.5, 0.3))
    route = given.pop('route', Route('http', 'example.com', 80))
    uri: Any = None
    return Hop('GET', uri, '/secret?token=secret', fields, None, route, None, limits, AbortSignal(), **given)


def os_error(name: str) -> OSError:
    return OSError(getattr(errno, name), 'whatever the system says')


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, 'certificate verify failed')
    error.verify_code = code
    error.verify_message = 'the reason'
    return error


TABLE = [
    (TimeoutError(), faults.CONNECT, errors.ConnectTimeout, 'ETIMEDOUT'),
    (TimeoutError(), faults.TLS, errors.ConnectTimeout, 'ETIMEDOUT'),
    (TimeoutError(), faults.SEND, errors.ReadTimeout, 'ESOCKETTIMEDOUT'),
    (BlockingIOError(errno.EAGAIN, ''), faults.HEAD, errors.ReadTimeout, 'ESOCKETTIMEDOUT'),
    (TimeoutError(), faults.BODY, errors.ReadTimeout, 'ESOCKETTIMEDOUT'),
    (os_error('ECONNREFUSED'), faults.CONNECT, errors.ConnectionRefused, 'ECONNREFUSED'),
    (os_error('EHOSTUNREACH'), faults.CONNECT, errors.ConnectionFailed, 'EHOSTUNREACH'),
    (os_error('ENETUNREACH'), faults.CONNECT, errors.ConnectionFailed, 'ENETUNREACH'),
    (os_error('EADDRNOTAVAIL'), faults.CONNECT, errors.ConnectionFailed, 'EADDRNOTAVAIL'),
    (os_error('EMFILE'), faults.CONNECT, errors.ConnectionFailed, 'EMFILE'),
    (OSError('no number'), faults.CONNECT, errors.ConnectionFailed, 'EIO'),
    (os_error('ECONNRESET'), faults.CONNECT, errors.ConnectionReset, 'ECONNRESET'),
    (os_error('ECONNRESET'), faults.HEAD, errors.ConnectionReset, 'ECONNRESET'),
    (os_error('ECONNABORTED'), faults.HEAD, errors.ConnectionReset, 'ECONNRESET'),
    (os_error('ECONNRESET'), faults.BODY, errors.ResponseAborted, 'ECONNRESET'),
    (os_error('EPIPE'), faults.SEND, errors.ConnectionBroken, 'EPIPE'),
    (os_error('EPIPE'), faults.BODY, errors.ResponseAborted, 'ECONNRESET'),
    (socket.gaierror(socket.EAI_NONAME, ''), faults.CONNECT, errors.NameNotFound, 'ENOTFOUND'),
    (socket.gaierror(socket.EAI_FAIL, ''), faults.CONNECT, errors.NameNotFound, 'ENOTFOUND'),
    (socket.gaierror(socket.EAI_AGAIN, ''), faults.CONNECT, errors.NameTemporarilyUnknown, 'EAI_AGAIN'),
    (UnicodeError('label too long'), faults.CONNECT, errors.NameNotFound, 'ENOTFOUND'),
    (ssl.SSLError(1, 'anything'), faults.TLS, errors.TLSError, 'EPROTO'),
    (ssl.SSLError(1, 'bad record mac'), faults.BODY, errors.TLSError, 'EPROTO'),
    (ssl.SSLEOFError(8, ''), faults.TLS, errors.ConnectionReset, 'ECONNRESET'),
    (ssl.SSLEOFError(8, ''), faults.HEAD, errors.ConnectionReset, 'ECONNRESET'),
    (ssl.SSLEOFError(8, ''), faults.BODY, errors.ResponseAborted, 'ECONNRESET'),
    (urllib3_errors.ConnectTimeoutError(), faults.CONNECT, errors.ConnectTimeout, 'ETIMEDOUT'),
    (urllib3_errors.LocationParseError('x'), faults.CONNECT, errors.NameNotFound, 'ENOTFOUND'),
    (urllib3_errors.SSLError('x'), faults.TLS, errors.TLSError, 'EPROTO'),
    (urllib3_errors.HTTPError('x'), faults.CONNECT, errors.ConnectionFailed, None),
]


@pytest.mark.parametrize(
    ('error', 'phase', 'kind', 'code'), TABLE, ids=[f'{type(e).__name__}-{p}-{c}' for e, p, _, c in TABLE]
)
def test_the_table(error: BaseException, phase: str, kind: type[errors.RequestError], code: str | None) -> None:
    explained = faults.explain(error, hop(), phase)
    assert type(explained) is kind
    assert isinstance(explained, errors.RequestError)
    assert explained.code == code


@pytest.mark.parametrize(
    ('number', 'code'),
    [
        (10, 'CERT_HAS_EXPIRED'),
        (9, 'CERT_NOT_YET_VALID'),
        (18, 'DEPTH_ZERO_SELF_SIGNED_CERT'),
        (19, 'SELF_SIGNED_CERT_IN_CHAIN'),
        (20, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
        (21, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
        (62, 'ERR_TLS_CERT_ALTNAME_INVALID'),
        (64, 'ERR_TLS_CERT_ALTNAME_INVALID'),
        (9999, 'CERT_UNTRUSTED'),
    ],
)
def test_certificate_errors_have_nodes_codes(number: int, code: str) -> None:
    explained = faults.explain(certificate_error(number), hop(), faults.TLS)
    assert isinstance(explained, errors.CertificateError)
    assert explained.code == code


def raised_from(error: Exception, cause: BaseException | None) -> Exception:
    error.__cause__ = cause
    return error


def test_urllib3s_errors_that_are_timeouts_by_accident_are_told_from_timeouts() -> None:
    connection: Any = None
    refused = raised_from(urllib3_errors.NewConnectionError(connection, 'x'), os_error('ECONNREFUSED'))
    unknown = raised_from(
        urllib3_errors.NameResolutionError('example.com', connection, socket.gaierror(socket.EAI_NONAME, '')), None
    )
    bare = urllib3_errors.NewConnectionError(connection, 'x')
    assert type(faults.explain(refused, hop(), faults.CONNECT)) is errors.ConnectionRefused
    assert type(faults.explain(unknown, hop(), faults.CONNECT)) is errors.NameNotFound
    assert type(faults.explain(bare, hop(), faults.CONNECT)) is errors.ConnectionFailed


def test_a_passed_deadline_explains_a_timeout() -> None:
    late = hop(limits=Limits(1, 1, time.monotonic() - 0.001))
    for phase in (faults.CONNECT, faults.HEAD, faults.BODY):
        assert type(faults.explain(TimeoutError(), late, phase)) is errors.DeadlineExceeded
    early = hop(limits=Limits(1, 1, time.monotonic() + 60))
    assert type(faults.explain(TimeoutError(), early, faults.HEAD)) is errors.ReadTimeout


@pytest.mark.parametrize(
    'error', [os_error('ECONNRESET'), TimeoutError(), ssl.SSLEOFError(8, ''), errors.ResponseAborted('x')]
)
def test_an_abort_explains_whatever_follows_it(error: BaseException) -> None:
    aborted = hop()
    aborted.signal.abort()
    assert type(faults.explain(error, aborted, faults.BODY)) is errors.AbortError


@pytest.mark.parametrize('error', [KeyboardInterrupt(), ZeroDivisionError(), MemoryError()])
def test_what_is_nobodys_error_comes_back_as_it_is(error: BaseException) -> None:
    assert faults.explain(error, hop(), faults.BODY) is error


def test_texts_name_method_and_host_and_nothing_secret() -> None:
    """Q9."""
    for error, phase, _, _ in TABLE:
        explained = faults.explain(error, hop(), phase)
        assert 'secret' not in str(explained)
        assert 'c2VjcmV0' not in repr(explained)
        assert 'GET' in str(explained)
        assert 'example.com' in str(explained)


def test_our_own_errors_learn_where_they_happened_once() -> None:
    error = faults.malformed('HPE_INVALID_CONSTANT', 'Expected HTTP/')
    first = faults.explain(error, hop(), faults.HEAD)
    assert str(faults.explain(first, hop(), faults.HEAD)) == 'Parse Error: Expected HTTP/ (GET example.com:80)'


def test_a_unix_socket_is_named_by_its_path() -> None:
    route = Route('http', 'unix', 80, None, '/run/x.sock')
    assert faults.place(hop(route=route)) == 'GET unix:/run/x.sock'


def test_timeouts_name_the_option_that_ran_out() -> None:
    assert str(faults.explain(TimeoutError(), hop(), faults.HEAD)).endswith('stood still for 300 ms')
    assert 'within 1500 ms' in str(faults.explain(TimeoutError(), hop(), faults.CONNECT))
    assert faults.explain(TimeoutError(), hop(), faults.CONNECT).connect is True  # type: ignore[attr-defined]
    assert faults.explain(TimeoutError(), hop(), faults.HEAD).connect is False  # type: ignore[attr-defined]
