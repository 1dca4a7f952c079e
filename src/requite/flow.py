"""How far the reading of a body in pieces has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BEING_TOLD = 'a piece of the body is being told this very moment; read on when the listener has returned'


class Flow:
    """What is still to come of a body that is read in pieces.

    It knows nothing of the response that holds it: with a way back, a response that is let go half-read would be a circle of garbage, and keep its
    connection until somebody collects it.
    """

    __slots__ = ('_free', 'decoder', 'pieces')

    def __init__(self, decoder: Any = None, pieces: Iterator[bytes] | None = None) -> None:
        self.decoder = decoder
        self.pieces = pieces
        self._free: list[None] = [None]

    def take(self) -> bool:
        """Whether the caller is the only one who reads; it has to give back."""
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def give_back(self) -> None:
        self._free.append(None)

    @property
    def running(self) -> bool:
        """Whether a piece is being read this very moment."""
        return not self._free
