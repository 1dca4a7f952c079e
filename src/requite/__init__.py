"""requite: Node's ``request`` for Python.

``request`` makes requests, ``request.defaults()`` makes callables like it, and every error is a ``RequestError``.
"""

from __future__ import annotations

from requite._version import __version__
from requite.api import Requests
from requite.errors import (
    AbortError,
    BodyTooLarge,
    CertificateError,
    ConnectionBroken,
    ConnectionFailed,
    ConnectionRefused,
    ConnectionReset,
    ConnectTimeout,
    DeadlineExceeded,
    DecodeError,
    InvalidBody,
    InvalidOptionType,
    InvalidProtocol,
    InvalidURI,
    MalformedResponse,
    NameNotFound,
    NameTemporarilyUnknown,
    OptionsError,
    PoolTimeout,
    ProxyError,
    ProxyRefused,
    ReadTimeout,
    RedirectRefused,
    RequestError,
    RequestNotSentWarning,
    RequestStateError,
    ResponseAborted,
    TLSError,
    TooManyRedirects,
    TransportError,
    UnknownOption,
)
from requite.request import Request
from requite.response import Response
from requite.transport.pools import Pool
from requite.wire.jsondoc import DROP

request = Requests()
"""The callable that makes requests with no defaults but the built-in ones."""

__all__ = [
    'DROP',
    'AbortError',
    'BodyTooLarge',
    'CertificateError',
    'ConnectTimeout',
    'ConnectionBroken',
    'ConnectionFailed',
    'ConnectionRefused',
    'ConnectionReset',
    'DeadlineExceeded',
    'DecodeError',
    'InvalidBody',
    'InvalidOptionType',
    'InvalidProtocol',
    'InvalidURI',
    'MalformedResponse',
    'NameNotFound',
    'NameTemporarilyUnknown',
    'OptionsError',
    'Pool',
    'PoolTimeout',
    'ProxyError',
    'ProxyRefused',
    'ReadTimeout',
    'RedirectRefused',
    'Request',
    'RequestError',
    'RequestNotSentWarning',
    'RequestStateError',
    'Requests',
    'Response',
    'ResponseAborted',
    'TLSError',
    'TooManyRedirects',
    'TransportError',
    'UnknownOption',
    '__version__',
    'request',
]
