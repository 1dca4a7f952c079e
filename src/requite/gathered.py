"""What several options say together: how long things may take, and the terms of TLS."""

from __future__ import annotations

from typing import Any

from requite.errors import OptionsError
from requite.routes import TLS, Limits

DEFAULT_LIMITS = Limits(10.0, 300.0)
"""Ten seconds to connect, five minutes of silence."""

_TLS_FIELDS = frozenset(
    'server_hostname min_version max_version ciphers cert key pfx passphrase secure_options'.split()
)
_IDENTITY = frozenset(('cert', 'key', 'pfx'))
TLS_SOURCES = _TLS_FIELDS | {'strict_ssl', 'reject_unauthorized', 'ca', 'agent_options', 'assert_fingerprint'}


def check_clocks(timeout: Any, deadline: float) -> None:
    """What is said in one call must fit together: a clock that could never run out is a mistake. (Beside a timeout of the defaults a deadline may be as short as it likes.)"""
    named = timeout if isinstance(timeout, dict) else {'': timeout}
    for key, seconds in named.items():
        if seconds is not None and seconds > deadline:
            name = f"'timeout'[{key!r}]" if key else "'timeout'"
            raise OptionsError(
                f"option 'deadline' ({deadline * 1000:.0f} ms) is shorter than option {name} ({seconds * 1000:.0f} ms), which so never counts: "
                'raise the one, or lower or leave out the other'
            )


def check_verification(values: dict[str, Any]) -> None:
    """One call cannot want both. (Defaults may say the one and a call the other: False in either accepts any certificate.)"""
    strict, reject = values.get('strict_ssl'), values.get('reject_unauthorized')
    if strict is not None and reject is not None and strict != reject:
        raise OptionsError(
            f"options 'strict_ssl' ({strict}) and 'reject_unauthorized' ({reject}) are two names for one thing and contradict each other; keep one of them"
        )


def over(outer: dict[str, Any], timeout: Any) -> Any:
    """A mapping leaves what it does not name as the defaults have it; a number replaces all."""
    if not isinstance(timeout, dict) or 'timeout' not in outer:
        return timeout
    before = outer['timeout']
    return {**(before if isinstance(before, dict) else {'connect': before, 'read': before}), **timeout}


def limits(timeout: Any) -> Limits:
    """One number is for connecting and for silence alike; a mapping says each, and how long to wait for a free connection."""
    if not isinstance(timeout, dict):
        return Limits(timeout, timeout)
    return Limits(
        timeout.get('connect', DEFAULT_LIMITS.connect),
        timeout.get('read', DEFAULT_LIMITS.read),
        None,
        timeout.get('pool'),
    )


def tls(merged: dict[str, Any]) -> TLS:
    """What all the options say about TLS; those of the request win over the same ones in ``agent_options``."""
    agent = merged.get('agent_options') or {}
    if not _IDENTITY.isdisjoint(name for name, value in merged.items() if value is not None):
        agent = {name: value for name, value in agent.items() if name not in _IDENTITY and name != 'passphrase'}
    said = {name: value for name in _TLS_FIELDS if (value := merged.get(name) or agent.get(name))}
    verify = (
        merged.get('strict_ssl', True)
        and merged.get('reject_unauthorized', True)
        and agent.get('reject_unauthorized', True)
    )
    pinned = merged.get('assert_fingerprint')
    return TLS(bool(verify), merged.get('ca') or agent.get('ca') or (), fingerprint=pinned, **said)
