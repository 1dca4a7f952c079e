"""The half of the handle that nobody waits for: started, let go, or still unsent when the interpreter ends; and who is told when it comes to nothing."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any
from weakref import ref

from requite import background
from requite.background import UNTOLD
from requite.errors import AbortError, RequestError, RequestNotSentWarning
from requite.sending import Sending
from requite.watched import NEW, RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable


class Unattended(Sending):
    """A request on its own."""

    inherited = False
    """True in a forked child for what the parent had not sent yet: unasked, that is the parent's to send."""
    _made: Any

    def _run_alone(self) -> None:
        """Performs the exchange in a worker."""
        self._alone(self._run_and_call_back)

    def _run_and_call_back(self) -> None:
        self._run(True)
        self._call_back()

    def _alone(self, task: Callable[[], None]) -> None:
        """Does ``task`` with nobody waiting; a failure is kept for whoever asks."""
        try:
            task()
        except Exception as error:  # noqa: BLE001 - kept for whoever asks, or logged
            if error is not self._error:
                self._report(error)
        failure = self._error
        if failure is not None and not self._told and not isinstance(failure, AbortError):
            if isinstance(failure, RequestError):
                failure.__traceback__ = failure.__context__ = None  # its frames would keep the request alive
            UNTOLD[id(self)] = ref(self)

    @property
    def made_at(self) -> str:
        """The file and line that made the request."""
        return '{}:{}'.format(*self._place())

    def _place(self) -> tuple[str, int]:
        code, offset = self._made
        line = next(
            (line for start, end, line in code.co_lines() if start <= offset < end and line), code.co_firstlineno
        )
        return code.co_filename, line

    def send_let_go(self) -> None:
        """Sends a request that nobody holds any more, or tells of its failure if it was sent; that goes to its listeners, else to the ``requite`` logger."""
        if self._state is NEW:
            try:
                self._run(True)
            except BaseException as error:
                self._report(error)
                if not isinstance(error, Exception):
                    raise
                return
        if self._error is not None and not self._told and not isinstance(self._error, AbortError):
            self._report(self._error)

    def send_at_exit(self) -> None:
        """Sends a request that is still held when the interpreter ends."""
        if background.claim(self) and not self.refused:
            if self._written is not None:
                self._warn('its body is still open: call end() after the last write() or append()')
            else:
                self.send_let_go()

    def tell(self) -> None:
        """Tells, once, that nothing came of the request and nobody knows."""
        if UNTOLD.pop(id(self), None) is None or self._told:
            return
        if self._state is RUNNING:
            self._abandon()
        elif isinstance(self._error, AbortError):
            self._warn('it had been aborted')
        elif self._error is not None:
            background.let_go(self)

    def _report(self, error: BaseException) -> None:
        self._told = True
        trace = (
            None if isinstance(error, RequestError) else error
        )  # the caller's own code wants its line, an error of ours has a text
        text = '%r, made at %s, failed and nobody listens: %s: %s'
        logging.getLogger('requite').error(text, self, self.made_at, type(error).__name__, error, exc_info=trace)

    def _warn(self, reason: str) -> None:
        warnings.warn_explicit(
            RequestNotSentWarning(f'{self!r} was let go and is not sent, {reason}'), None, *self._place()
        )

    def _abandon(self) -> None:
        raise NotImplementedError
