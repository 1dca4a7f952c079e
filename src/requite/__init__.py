"""requite: Node's ``request`` for Python.

``request`` makes requests, ``request.defaults()`` makes callables like it, and every error is a ``RequestError``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import debugging
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

debugging.by_environment()
request = Requests()
"""The callable that makes requests with no defaults but the built-in ones."""

if TYPE_CHECKING:
    from requite.aiopipe import apipe
    from requite.piping import pipe
    from requite.transport.recording import HarLog
    from requite.wire.jsondoc import DROP


def __getattr__(name: str) -> Any:
    """``pipe``, ``apipe``, ``HarLog``, ``DROP``, ``asgi``, ``otel``, ``testing`` and ``wsgi`` on first use: who pipes nothing, sends no JSON and runs no server does not pay for them."""
    if name == 'pipe':
        from requite.piping import pipe

        return pipe
    if name == 'HarLog':
        from requite.transport.recording import HarLog

        return HarLog
    if name == 'DROP':
        from requite.wire.jsondoc import DROP

        return DROP
    if name == 'apipe':
        from requite.aiopipe import apipe

        return apipe
    if name in ('asgi', 'otel', 'testing', 'wsgi'):
        from importlib import import_module

        return import_module(f'requite.{name}')  # `from requite import wsgi` would ask here again, without end
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


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
    'HarLog',
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
    'apipe',
    'pipe',
    'request',
]
