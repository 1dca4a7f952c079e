"""URIs, from here: the value :class:`Uri` and the functions that make one.

``parse`` reads a caller's text, ``coerce`` and ``from_parts`` what else an option may hold, ``resolve`` a Location, ``join_base`` applies ``base_url``,
``redact`` makes text fit for errors and logs.
"""

from __future__ import annotations

from requite.wire.urijoin import coerce, from_parts, join_base, resolve
from requite.wire.uriparse import redact
from requite.wire.urivalue import Uri, parse

__all__ = ['Uri', 'coerce', 'from_parts', 'join_base', 'parse', 'redact', 'resolve']
