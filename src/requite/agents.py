"""From the ``pool``, ``agent``, ``agent_options`` and ``forever`` options to the ``Pool`` that they name.

The same mapping always names the same connections: it holds them itself, under the key ``'agents'``, as Node's pool object holds its agents. Its ``max_sockets``
bounds all of them together, whatever else their requests ask for (Node makes as many again for each kind of agent: mended).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.errors import InvalidOptionType, OptionsError
from requite.transport.pools import DEFAULT, MOST, Pool, Share

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
    if agent.get('keep_alive') is True:
        del agent['keep_alive']  # as they are without it
    return _named(held, agent) if size is None else _bounded(held, size, agent)


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


def _bounded(held: dict[Any, Pool], size: int, agent: dict[str, Any]) -> Pool:
    """The pool of a mapping that has a size, which is the same for all of its requests; or a share of it, where a request asks for other terms."""
    whole = _named(held, {}, max_sockets=size)
    if whole.max_sockets != min(size, MOST):
        raise OptionsError(
            f"pool['max_sockets'] is {size}, but requests were made with this mapping when it was {whole.max_sockets}; "
            'set it before the first request, or give another mapping'
        )
    agent.pop('max_sockets', None)  # the mapping's counts, as in Node
    return _named(held, agent, whole) if agent else whole


def _named(held: dict[Any, Pool], agent: dict[str, Any], whole: Pool | None = None, **more: Any) -> Pool:
    key = tuple(sorted(agent.items()))
    with _making:
        pool = held.get(key)
        if pool is None:
            pool = held[key] = Pool(**agent, **more) if whole is None else Share(whole, **agent)
    return pool
