"""What a callable that makes requests is besides that: the classes that can be reached through it, how it is shown, copied and pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import agents
from requite.options import Options, shared
from requite.request import Request
from requite.response import Response
from requite.transport import pooled
from requite.transport.pools import Pool

if TYPE_CHECKING:
    from typing_extensions import Self

    from requite.protocols import Transport

_OF_THIS_PROCESS = ('plans', 'connections')
"""What options hold that another process has to find for itself."""


class Wrapper:
    """Defaults, and what they are good for. It never changes: copies of it are itself, and so share its jar and its connections."""

    Request = Request
    Response = Response
    Pool = Pool

    _defaults: Options
    _raw: dict[str, Any]
    _requester: Any
    _transport: Transport

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Everything that was given, credentials too; not the connections: a process has one pool for each configuration."""
        kept = {name: value for name, value in self._defaults.__dict__.items() if name not in _OF_THIS_PROCESS}
        transport = None if self._transport is pooled.DEFAULT else self._transport
        return _restored, (
            type(self),
            kept,
            'connections' in self._defaults.__dict__,
            self._raw,
            self._requester,
            transport,
        )

    def __repr__(self) -> str:
        from requite import redaction

        named = redaction.options(self._raw)
        return f'<request with defaults {named}>' if named else '<request>'


def _restored(
    kind: Any, kept: dict[str, Any], connects: bool, raw: dict[str, Any], requester: Any, transport: Transport | None
) -> Any:
    options = Options()
    options.__dict__.update(kept)
    if connects:
        pool = agents.pool_of(options)
        options.__dict__['connections'] = False if pool is None else pool
    return kind(shared(options), raw, requester, transport or pooled.DEFAULT)
