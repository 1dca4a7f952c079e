"""Listeners by event name, as Node's EventEmitter calls them: in the order they were added, with the event's arguments.

Threads may add listeners while another one makes the events happen. Nothing is lost and nothing comes twice: whether an event is over is asked under the
lock under which the listeners of an event are picked, and who makes an event happen changes the state of the request before it emits.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.protocols import Stage

EVENTS = frozenset(
    'hop request socket redirect response data end complete error abort close drain pipe progress retry'.split()
)

FINAL = frozenset('response end complete error close'.split())
"""Events that come once in a request's life."""


class Emitter:
    """The listeners of one request. What a listener raises reaches whoever made the event happen, never another listener.

    ``raised`` is the last exception that came out of a listener: whoever sends the request can tell it from a failure of the exchange. ``stage``, where
    there is one, calls the listeners on the thread on which they belong.
    """

    __slots__ = ('_listeners', '_lock', 'raised', 'stage')

    def __init__(self, stage: Stage | None = None) -> None:
        self.stage = stage
        self._listeners: dict[str, list[tuple[Callable[..., Any], bool, Any]]] = {}
        self._lock = RLock()
        self.raised: BaseException | None = None

    def add(
        self,
        event: str,
        listener: Callable[..., Any],
        once: bool = False,
        past: Callable[[str], tuple[Any, ...] | None] | None = None,
    ) -> None:
        """Has ``listener`` called on ``event``, with ``once`` only the first time.

        ``past`` gives the arguments of an event that is over, else None; the listener is then called at once, and again only for what is still to come.
        """
        with self._lock:
            gone = None if past is None else past(event)
            if gone is None or not (once or event in FINAL):
                seen = gone[0] if gone else None
                self._listeners.setdefault(event, []).append((listener, once, seen))
        if gone is not None:
            listener(*gone)

    def put_first(self, event: str, listener: Callable[..., Any]) -> None:
        """Has ``listener`` called before those that are there already."""
        with self._lock:
            self._listeners.setdefault(event, []).insert(0, (listener, False, None))

    def remove(self, event: str, listener: Callable[..., Any]) -> None:
        """Takes the newest entry of ``listener`` away again; nothing happens when there is none."""
        with self._lock:
            entries = self._listeners.get(event, [])
            for index in range(len(entries) - 1, -1, -1):
                if entries[index][0] == listener:
                    del entries[index]
                    return

    def has(self, event: str) -> bool:
        """Whether anybody listens to ``event``."""
        return bool(self._listeners.get(event))

    def emit(self, event: str, *arguments: Any) -> bool:
        """Calls the listeners of ``event``; False when there are none. One that was removed by an earlier listener is still called, as in Node."""
        with self._lock:
            entries = self._listeners.get(event)
            if not entries:
                return False
            picked = tuple(entries)
            if event in FINAL:
                entries.clear()
            else:
                entries[:] = [entry for entry in entries if not entry[1]]
        for listener, _, seen in picked:
            if seen is not None and arguments and seen is arguments[0]:
                continue  # it was added in the moment between the event and its announcement, and has been called
            try:
                if self.stage is None:
                    listener(*arguments)
                else:
                    self.stage.call(listener, arguments)
            except BaseException as error:
                self.raised = error
                raise
        return True
