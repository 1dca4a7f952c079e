"""How the values of options are checked, where one check serves one option alone; what several options share is in ``checks``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from requite import checks, fields, tlschecks
from requite.claims import claim
from requite.credentials import credentials
from requite.errors import InvalidOptionType, OptionsError

if TYPE_CHECKING:
    from collections.abc import Callable


def not_yet(capability: str) -> Callable[[str, Any], Any]:
    """A check for an option that is known but cannot be served yet: only its "off" values pass."""

    def check(name: str, value: Any) -> Any:
        if value is None or value is False:
            return None
        raise NotImplementedError(
            f'option {name!r}: {capability} not available in this version of requite; leave the option out'
        )

    return check


def refused(replacement: str) -> Callable[[str, Any], Any]:
    """A check for an option that has no meaning in Python."""

    def check(name: str, value: Any) -> Any:
        if value is None:
            return None
        raise OptionsError(f'option {name!r} has no meaning in Python: use {replacement} instead')

    return check


def base_url(name: str, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    raise InvalidOptionType(
        f'options.baseUrl must be a string: option {name!r} must be a str, not {checks.kind(value)}'
    )


def auth(name: str, value: Any) -> Any:
    return credentials(name, value)


def signing(name: str, value: Any) -> Any:
    # what the keys mean is checked where signing is known, still within the call
    return claim(name, value)


def signers(name: str, value: Any) -> Any:
    """Objects of the caller's that sign."""
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise checks.wrong_type(name, value, 'a list of objects with sign(draft, clock)')
    for signer in value:
        if isinstance(signer, type) or not callable(getattr(signer, 'sign', None)):
            raise InvalidOptionType(f'option {name!r}: {checks.kind(signer)} has no sign(draft, clock) to call')
    return tuple(value) or None


def netrc(name: str, value: Any) -> Any:
    """True, or the path as a str."""
    if value is None or isinstance(value, bool):
        return value or None
    if isinstance(value, (str, os.PathLike)) and isinstance(os.fspath(value), str) and str(value):
        return os.path.expanduser(value)  # noqa: PTH111 - as everywhere here: pathlib costs the import too much
    raise checks.wrong_type(name, value, 'True or the path of a file')


def jar(name: str, value: Any) -> Any:
    # what a jar must be able to do is checked where jars are known, still within the call
    return None if value is False else value


def anything(name: str, value: Any) -> Any:
    return value


def replacer(name: str, value: Any) -> Any:
    if value is None or callable(value):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(key, (str, int)) for key in value):
        return tuple(value)
    raise checks.wrong_type(name, value, 'a callable (key, value) or a list of the keys to keep')


def query_options(name: str, value: Any) -> Any:
    if value is None:
        return None
    from requite.wire import qsoptions

    return qsoptions.read_options(
        checks.mapping(name, value), qsoptions.PARSE if 'parse' in name else qsoptions.STRINGIFY, name
    )


def form(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (str, bytes)):
        return value
    if hasattr(value, 'items'):
        return dict(value)
    raise checks.wrong_type(name, value, 'a mapping or a str')


def form_data(name: str, value: Any) -> Any:
    if value is None or hasattr(value, 'get_boundary'):  # a FormData
        return value
    if hasattr(value, 'items'):
        return dict(value)
    more = '; for several values of one name give {"name": [1, 2]}' if isinstance(value, (list, tuple)) else ''
    raise InvalidOptionType(f'option {name!r} must be a mapping of names to values, not {checks.kind(value)}{more}')


def multipart(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (list, tuple)):
        return value
    if hasattr(value, 'items'):
        return dict(value)
    raise InvalidOptionType(
        f"option {name!r}: Argument error, options.multipart. It must be a list of parts, or {{'chunked': ..., 'data': [...]}}, "
        f'not {checks.kind(value)}'
    )


def encoding(name: str, value: Any) -> Any:
    if value is None:
        return None
    from requite.wire import text

    return text.check(value)


def follow(name: str, value: Any) -> Any:
    return plain_function(name, value) if callable(value) else checks.boolean(name, value)


def plain_function(name: str, value: Any) -> Any:
    """A callable that answers at once: what an async function gives is true before it was asked anything (SECURITY R8)."""
    checks.function(name, value)
    if checks.deferred(value):
        raise InvalidOptionType(
            f'option {name!r} is an async function or a generator, whose answer nobody awaits; give a plain function'
        )
    return value


def timeout(name: str, value: Any) -> Any:
    """One number for connecting and for silence, or a mapping that says each."""
    if not hasattr(value, 'items'):
        return checks.milliseconds(name, value)
    keys = {key: key for key in ('connect', 'read', 'pool')}
    return {
        key: checks.milliseconds(f'{name}[{key!r}]', item) for key, item in checks.nested(name, value, keys).items()
    }


_AGENT_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    'keep_alive': checks.boolean,
    'max_sockets': checks.sockets,
    'max_free_sockets': checks.sockets,
    'reject_unauthorized': checks.boolean,
    'ca': tlschecks.certificates,
    'cert': tlschecks.identity,
    'key': tlschecks.identity,
    'pfx': tlschecks.identity,
    'passphrase': tlschecks.passphrase,
    'ciphers': checks.text,
    'min_version': tlschecks.tls_version,
    'max_version': tlschecks.tls_version,
    'servername': tlschecks.server_hostname,
    'secure_protocol': tlschecks.secure_protocol,
    'secure_options': checks.count,
    'keep_alive_msecs': checks.count,
    'timeout': checks.milliseconds,
}


def camel(name: str) -> str:
    first, *rest = name.split('_')
    return first + ''.join(word.capitalize() for word in rest)


_AGENT_KEYS = {key: name for name in _AGENT_CHECKS for key in (name, camel(name))}


def agent_options(name: str, value: Any) -> Any:
    if value is None:
        return None
    values: dict[str, Any] = {}
    for key, item in checks.nested(name, value, _AGENT_KEYS).items():
        checked = _AGENT_CHECKS[key](f'{name}[{key!r}]', item)
        if key == 'servername':
            values['server_hostname'] = checked
        elif key == 'secure_protocol':
            if checked is not None:
                values.update(min_version=checked, max_version=checked)
        else:
            values[key] = checked
    return {key: item for key, item in values.items() if item is not None}


def pool(name: str, value: Any) -> Any:
    if isinstance(value, (str, bytes, int)) and value is not False:
        raise checks.wrong_type(name, value, 'a Pool or False' if name == 'agent' else 'a mapping, a Pool or False')
    return value


def local_address(name: str, value: Any) -> Any:
    address = checks.text(name, value)
    if address is None:
        return None
    from ipaddress import ip_address

    try:
        ip_address(address)
    except ValueError:
        raise OptionsError(
            f'option {name!r} must be the IP address of an interface of this machine, not {checks.shown(value)}'
        ) from None
    return address


def proxy(name: str, value: Any) -> Any:
    from requite.proxyaddress import parse

    return parse(name, value)


def field_names(name: str, value: Any) -> Any:
    """Names of header fields, in lower case."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not hasattr(value, '__iter__'):
        raise checks.wrong_type(name, value, 'a list of names of headers')
    return frozenset(fields.header_name(name, item).lower() for item in value)


def family(name: str, value: Any) -> Any:
    """4, 6, or None (and Node's 0) for both."""
    if value is None or (value == 0 and not isinstance(value, bool)):
        return None
    if isinstance(value, bool) or value not in (4, 6):
        raise checks.wrong_type(name, value, '4 or 6')
    return value


def lookup(name: str, value: Any) -> Any:
    """A callable that can tell connections apart: those that were found by it are shared by nobody else."""
    checks.function(name, value)
    try:
        hash(value)
    except TypeError:
        raise InvalidOptionType(f'option {name!r} must be hashable: give a function') from None
    return value


def retry(name: str, value: Any) -> Any:
    from requite.retries import retry as checked

    return checked(name, value)


def idempotency_key(name: str, value: Any) -> Any:
    """True, or the key itself."""
    if value is None or isinstance(value, bool):
        return value or None
    if not isinstance(value, str):
        raise checks.wrong_type(name, value, 'True or a str')
    if not value.strip():
        raise OptionsError(f'option {name!r} is empty; give True for one that is made for each request')
    return fields.header_value(name, 'idempotency-key', value)


def har_log(name: str, value: Any) -> Any:
    """A path or a HarLog."""
    if value is None or (callable(getattr(value, 'add', None)) and hasattr(value, 'secrets')):
        return value
    if isinstance(value, (str, os.PathLike)) and str(value):
        return os.fspath(value)
    raise checks.wrong_type(name, value, 'the path of a file or a HarLog')
