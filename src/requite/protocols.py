"""The seams of the library: small protocols that are passed in, each with at most two methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from requite.message import AbortSignal, Draft


class Body(Protocol):
    """The content of a request.

    ``length`` is in bytes, None when it is not known before the end (it is then sent chunked); ``replayable`` tells whether
    ``chunks()`` may be asked for again, from the beginning; ``headers`` are fields that describe the content, used where the caller gave none.
    """

    @property
    def length(self) -> int | None: ...
    @property
    def replayable(self) -> bool: ...
    @property
    def headers(self) -> tuple[tuple[str, str], ...]: ...
    def chunks(self) -> Iterator[bytes]: ...


class Transport(Protocol):
    """Sends one hop and returns the head of the answer, its body still to be read. ``pool`` is what a hop uses that names none."""

    pool: Any

    def send(self, hop: Any) -> Any: ...


class Watch(Protocol):
    """Who sees an exchange happen: the handle that people hold.

    ``listening`` tells whether anybody wants the events at all, ``counting`` whether anybody wants to know how far the content has come.
    """

    signal: AbortSignal
    hop: Any

    @property
    def listening(self) -> bool: ...
    @property
    def counting(self) -> bool: ...
    def event(self, name: str, *arguments: Any) -> None: ...


class Stage(Protocol):
    """Where the listeners of a request are called that another thread sends."""

    def call(self, listener: Any, arguments: tuple[Any, ...], /) -> None: ...
    def here(self) -> Any:
        """Stands for both threads: it equals the ``get_ident()`` of the one that sends and of the one that listens."""


class Signer(Protocol):
    """Adds proof of identity to a ``message.Draft`` whose content, fields and target are final otherwise; only called for origins that the caller named.

    An optional attribute ``field`` names (in lower case) the field that it sets: where the caller wrote that by hand, it is not called. An optional method
    ``settle(options, body)`` sees the options and the content at the call, and raises where it could not sign them. An optional method ``answer(hop, reply)`` sees each reply to what it signed: it gives the ``Signer`` that signs the request once more, or a reply to take the place of this one
    (which watches its content as it is read), or None, and raises a ``RequestError`` for a reply that must not be believed.
    """

    def sign(self, draft: Draft, clock: Clock) -> None: ...


class Clock(Protocol):
    """Time and randomness of the signers; tests freeze it so that every published vector can be reproduced."""

    def now(self) -> float: ...
    def nonce(self, size: int) -> str: ...


class Sink(Protocol):
    """Where a pipe ends."""

    def write(self, data: bytes, /) -> object: ...
    def close(self) -> object: ...


class Source(Protocol):
    """Where a pipe begins: ``read(n)`` gives at most n bytes, and none at its end."""

    def read(self, size: int, /) -> bytes: ...
