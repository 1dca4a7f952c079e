"""Every error that requite raises: one family, Node's codes, Python's builtins.

::

    RequestError(Exception)
    ├── TransportError
    │   ├── ConnectTimeout            ETIMEDOUT        TimeoutError
    │   ├── ReadTimeout               ESOCKETTIMEDOUT  TimeoutError
    │   ├── DeadlineExceeded          ETIMEDOUT        TimeoutError
    │   ├── PoolTimeout               ETIMEDOUT        TimeoutError
    │   ├── ConnectionRefused         ECONNREFUSED     ConnectionRefusedError
    │   ├── ConnectionReset           ECONNRESET       ConnectionResetError
    │   │   └── ResponseAborted       ECONNRESET, Z_BUF_ERROR
    │   ├── ConnectionBroken          EPIPE            BrokenPipeError
    │   ├── ConnectionFailed          EHOSTUNREACH ... OSError
    │   ├── NameNotFound              ENOTFOUND        OSError
    │   ├── NameTemporarilyUnknown    EAI_AGAIN        OSError
    │   ├── TLSError                  EPROTO           OSError
    │   │   └── CertificateError      CERT_* and kin
    │   └── ProxyError                ECONNRESET       OSError
    │       └── ProxyRefused
    ├── MalformedResponse             HPE_*
    ├── DecodeError                   Z_DATA_ERROR     ValueError
    ├── BodyTooLarge                  EMSGSIZE         ValueError
    ├── OptionsError                                   ValueError
    │   ├── InvalidURI
    │   ├── InvalidProtocol
    │   ├── InvalidBody                                TypeError
    │   ├── UnknownOption                              TypeError
    │   └── InvalidOptionType                          TypeError
    ├── TooManyRedirects
    ├── RedirectRefused
    ├── RequestStateError                              RuntimeError
    └── AbortError

Nothing of urllib3, ssl, zlib or socket ever leaves the library: the transport translates each of their errors into one of these.
"""

from __future__ import annotations

import errno
from typing import Any


class RequestError(Exception):
    """A request went wrong; the root of every error of this library.

    ``code`` is Node's code for the situation (``'ECONNREFUSED'``) or None, ``message`` the sentence, ``request`` the request it
    belongs to (None when the error came before there was one, and after unpickling), ``timings`` the milliseconds known so far or None.
    No attribute and no text ever holds a password, an Authorization or a Cookie header.
    """

    code: str | None = None
    connect: bool | None = None
    request: Any = None
    timings: dict[str, float] | None = None

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        _number(self)

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        code = f' [{self.code}]' if self.code else ''
        return f'<{type(self).__name__}{code} {self.message}>'

    def __reduce__(self) -> tuple[Any, ...]:
        state = {key: value for key, value in self.__dict__.items() if key != 'request'}
        return _restore, (type(self), self.message, state)


def _restore(kind: type[RequestError], message: str, state: dict[str, Any]) -> RequestError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    _number(error)
    return error


def _number(error: RequestError) -> None:
    """Gives an error that is an OSError the ``errno`` of its code, where the system has one."""
    if isinstance(error, OSError):
        error.errno = getattr(errno, error.code or '', None)


class TransportError(RequestError):
    """The exchange with the server failed somewhere between the look-up of its name and the last byte of its answer."""


class ConnectTimeout(TransportError, TimeoutError):
    """No connection within ``timeout`` milliseconds (Node: ETIMEDOUT with ``connect`` true)."""

    code = 'ETIMEDOUT'
    connect = True


class ReadTimeout(TransportError, TimeoutError):
    """The connection stood still for ``timeout`` milliseconds while sending or receiving (Node: ESOCKETTIMEDOUT, ``connect`` false)."""

    code = 'ESOCKETTIMEDOUT'
    connect = False


class DeadlineExceeded(TransportError, TimeoutError):
    """The whole exchange, redirects included, took longer than ``deadline`` milliseconds."""

    code = 'ETIMEDOUT'
    connect = False


class PoolTimeout(TransportError, TimeoutError):
    """Every connection that the pool may open was busy for ``timeout={'pool': milliseconds}``; the text tells which lines of your program hold them.

    Without that bound requests wait for their turn, and ``deadline`` ends it with ``DeadlineExceeded``.
    """

    code = 'ETIMEDOUT'
    connect = True


class ConnectionRefused(TransportError, ConnectionRefusedError):
    """Nobody listens at that address and port."""

    code = 'ECONNREFUSED'


class ConnectionReset(TransportError, ConnectionResetError):
    """The peer closed or reset the connection before its answer had begun (Node: "socket hang up")."""

    code = 'ECONNRESET'


class ResponseAborted(ConnectionReset):
    """The answer broke off within its body: fewer bytes than promised, a chunk cut, a compressed stream without its end."""


class ConnectionBroken(TransportError, BrokenPipeError):
    """The peer closed the connection while the request was still being sent."""

    code = 'EPIPE'


class ConnectionFailed(TransportError, OSError):
    """The operating system could not make or keep the connection; ``code`` is its own name for why (EHOSTUNREACH, EADDRNOTAVAIL)."""


class NameNotFound(TransportError, OSError):
    """There is no host of that name."""

    code = 'ENOTFOUND'


class NameTemporarilyUnknown(TransportError, OSError):
    """The name service did not answer; asking again may help."""

    code = 'EAI_AGAIN'


class TLSError(TransportError, OSError):
    """TLS failed: the handshake, a record, or a connection that ended without close_notify."""

    code = 'EPROTO'


class CertificateError(TLSError):
    """The certificate of the peer is not acceptable; ``code`` says why in Node's words (CERT_HAS_EXPIRED ...)."""

    code = 'CERT_UNTRUSTED'


class ProxyError(TransportError, OSError):
    """The proxy could not be reached or did not do its part."""

    code = 'ECONNRESET'


class ProxyRefused(ProxyError):
    """The proxy answered CONNECT with something else than 200; ``status_code`` is what it said, ``fields`` the header fields that came with it."""

    status_code: int | None = None
    fields: tuple[tuple[str, str], ...] = ()


class MalformedResponse(RequestError):
    """What the server sent is not an HTTP response that may be trusted; ``code`` is one of Node's HPE_* codes."""

    code = 'HPE_INVALID_CONSTANT'


class DecodeError(RequestError, ValueError):
    """The content coding of the body is broken, or there are too many of them."""

    code = 'Z_DATA_ERROR'


class BodyTooLarge(RequestError, ValueError):
    """The body grew over ``max_body`` bytes."""

    code = 'EMSGSIZE'


class OptionsError(RequestError, ValueError):
    """Something that was asked for cannot be meant: an option (raised by the call itself, before anything is sent), or where a server redirects to."""


class InvalidURI(OptionsError):
    """The address is missing, relative without ``base_url``, or not a URI (Node: "Invalid URI")."""


class InvalidProtocol(OptionsError):
    """The scheme of the address is neither http nor https (Node: "Invalid protocol")."""


class InvalidBody(OptionsError, TypeError):
    """The body is none of the things that can be sent, or may not be sent with this method."""


class UnknownOption(OptionsError, TypeError):
    """There is no option of that name, or it was given in both its spellings."""


class InvalidOptionType(OptionsError, TypeError):
    """An option has a value of the wrong type; raised by the call itself."""


class TooManyRedirects(RequestError):
    """More redirects than ``max_redirects`` (Node: "Exceeded maxRedirects")."""


class RedirectRefused(RequestError):
    """A hop that may not be made: ``redirect_filter`` or ``allow_insecure_redirect=False`` forbids it, or it needs a body again that was a stream.

    A redirect to another scheme is ``InvalidProtocol``, one to a socket ``InvalidURI``.
    """


class RequestStateError(RequestError, RuntimeError):
    """The request cannot do that any more (it was sent), or not yet; the text says what to do instead."""


class AbortError(RequestError):
    """The request was aborted by its own side, and somebody asks for what it did not become."""


class RequestNotSentWarning(RuntimeWarning):
    """A request was let go that could not be sent: its body was still open, or it had been aborted."""
