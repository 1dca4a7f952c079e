"""The clock of the signers: the system's time, and randomness that nobody can foresee."""

from __future__ import annotations


class SystemClock:
    """Seconds since 1970 and texts of random hexadecimal digits; tests put a frozen one in its place."""

    def now(self) -> float:
        """The time in seconds since 1970."""
        from time import time

        return time()

    def nonce(self, size: int) -> str:
        """A text of ``size`` hexadecimal digits from the system's source of randomness."""
        from secrets import token_hex

        return token_hex((size + 1) // 2)[:size]


SYSTEM = SystemClock()
