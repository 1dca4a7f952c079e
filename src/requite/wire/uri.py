"""URIs, from here: the value :class:`Uri` and the functions that make one.

``parse`` reads a caller's text, ``coerce`` and ``from_parts`` what else an option may hold, ``resolve`` a Location, ``join_base`` applies ``base_url``,
``redact`` makes text fit for errors and logs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite.wire.uriparse import redact
from requite.wire.urivalue import Uri, parse

if TYPE_CHECKING:
    from requite.wire.urijoin import coerce, from_parts, join_base, resolve

__all__ = ['Uri', 'coerce', 'from_parts', 'join_base', 'parse', 'redact', 'resolve']


def __getattr__(name: str) -> Any:
    """What combines texts is loaded on first use: an absolute address needs none of it."""
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from requite.wire import urijoin

    return getattr(urijoin, name)
