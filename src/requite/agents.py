"""From the ``pool``, ``agent``, ``agent_options`` and ``forever`` options to the ``Pool`` that they name.

The same mapping always names the same connections: it holds them itself, under the key ``'agents'``, as Node's pool object holds its agents.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.errors import InvalidOptionType
from requite.transport.pools import DEFAULT, Pool

if TYPE_CHECKING:
    from requite.options import Options

_KEYS = {'maxSockets': 'max_sockets', 'max_sockets': 'max_sockets'}
_SIZES = ('keep_alive', 'max_sockets', 'max_free_sockets', 'keep_alive_msecs')
_shared: dict[Any, Pool] = {}
_making = threading.Lock()


def pool_of(options: Options) -> Pool | None:
    """The pool whose connections the request uses; None for a connection of its own."""
    chosen = options.pool if options.agent is None else options.agent
    if chosen is False:
        return None
    if isinstance(chosen, Pool):
        return chosen
    if options.agent is not None:
        raise checks.wrong_type('agent', chosen, 'a Pool or False')
    if chosen is not None and not isinstance(chosen, MutableMapping):
        if isinstance(chosen, Mapping):
            raise InvalidOptionType(
                "option 'pool' must be a mapping that can hold the connections; this one cannot be changed, use a dict"
            )
        raise checks.wrong_type('pool', chosen, 'a mapping, a Pool or False')
    agent = {key: value for key, value in (options.agent_options or {}).items() if key in _SIZES}
    if options.forever:
        agent['keep_alive'] = True
    if chosen is None:
        return _named(_shared, agent) if agent else DEFAULT
    held, size = _held(chosen)
    return _named(held, {'max_sockets': size, **agent} if size is not None else agent)


def _held(mapping: MutableMapping[str, Any]) -> tuple[dict[Any, Pool], int | None]:
    """The pools that a ``pool`` mapping holds, and the number of sockets that it asks for."""
    given = checks.nested('pool', {key: mapping[key] for key in mapping if key != 'agents'}, _KEYS)
    size = checks.count("pool['max_sockets']", given.get('max_sockets'))
    if not isinstance(mapping.get('agents', {}), dict):
        raise checks.wrong_type(
            "pool['agents']", mapping['agents'], 'left to requite, which keeps its connections there'
        )
    with _making:
        held = mapping.setdefault('agents', {})
    return held, size


def _named(held: dict[Any, Pool], agent: dict[str, Any]) -> Pool:
    key = tuple(sorted(agent.items()))
    with _making:
        pool = held.get(key)
        if pool is None:
            pool = held[key] = Pool(**agent)
    return pool
