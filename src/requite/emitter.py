"""Listeners by event name, as Node's EventEmitter calls them: in the order they were added, with the event's arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = frozenset('request socket redirect response data end complete error abort close drain pipe'.split())


class Emitter:
    """The listeners of one request. What a listener raises reaches whoever made the event happen, never another listener."""

    __slots__ = ('_listeners',)

    def __init__(self) -> None:
        self._listeners: dict[str, list[tuple[Callable[..., Any], bool]]] = {}

    def add(self, event: str, listener: Callable[..., Any], once: bool = False) -> None:
        """Has ``listener`` called on ``event``, with ``once`` only the first time."""
        self._listeners.setdefault(event, []).append((listener, once))

    def remove(self, event: str, listener: Callable[..., Any]) -> None:
        """Takes the newest entry of ``listener`` away again; nothing happens when there is none."""
        entries = self._listeners.get(event, [])
        for index in range(len(entries) - 1, -1, -1):
            if entries[index][0] == listener:
                del entries[index]
                return

    def has(self, event: str) -> bool:
        """Whether anybody listens to ``event``."""
        return bool(self._listeners.get(event))

    def emit(self, event: str, *arguments: Any) -> bool:
        """Calls the listeners of ``event``; False when there are none."""
        entries = self._listeners.get(event)
        if not entries:
            return False
        for entry in tuple(entries):
            if entry[1]:
                entries.remove(entry)
            entry[0](*arguments)
        return True
