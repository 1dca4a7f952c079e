"""Pipes: from a source to a destination in one line."""

from __future__ import annotations

from typing import Any

from requite.intent import Intent


def pipe(source: Any, destination: Any) -> Any:
    """Copies ``source`` to ``destination`` and returns the destination."""
    for end in (source, destination):
        if isinstance(end, Intent):
            end.refused = True
    raise NotImplementedError('pipes are not available in this version of requite; pass the source as body, or iterate over the response')
