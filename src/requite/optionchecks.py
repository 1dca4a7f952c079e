"""How the values of options are checked, where one check serves one option alone; what several options share is in ``checks``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from requite import checks, fields
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


def certificates(name: str, value: Any) -> Any:
    if value is None:
        return None
    items = value if isinstance(value, (list, tuple)) else (value,)
    for item in items:
        if not isinstance(item, (str, bytes)) and not hasattr(item, '__fspath__'):
            raise checks.wrong_type(name, item, 'a path, PEM text, DER bytes, or a list of them')
        if not isinstance(item, bytes) and '-----BEGIN' not in str(item) and not os.path.isfile(item):
            raise OptionsError(
                f'option {name!r} names {checks.shown(str(item))}, where no file is; give a path, PEM text or DER bytes'
            )
    return tuple(item if isinstance(item, (str, bytes)) else str(item) for item in items)


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
    return value if callable(value) else checks.boolean(name, value)


def header_names(name: str, value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple, set, frozenset)):
        raise checks.wrong_type(name, value, "a list of the names of headers, such as ['x-api-key']")
    return frozenset(fields.header_name(name, key).lower() for key in value)


def timeout(name: str, value: Any) -> Any:
    if hasattr(value, 'items'):
        raise NotImplementedError(
            f'option {name!r}: a mapping of timeouts is not available in this version of requite; give one int of milliseconds'
        )
    return checks.milliseconds(name, value)


_AGENT_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    'keep_alive': checks.boolean,
    'max_sockets': checks.sockets,
    'max_free_sockets': checks.sockets,
    'reject_unauthorized': checks.boolean,
    'ca': certificates,
}
_LATER = 'cert key pfx passphrase ciphers min_version servername secure_protocol secure_options keep_alive_msecs timeout'.split()


def camel(name: str) -> str:
    first, *rest = name.split('_')
    return first + ''.join(word.capitalize() for word in rest)


_AGENT_KEYS = {key: name for name in (*_AGENT_CHECKS, *_LATER) for key in (name, camel(name))}


def agent_options(name: str, value: Any) -> Any:
    if value is None:
        return None
    values: dict[str, Any] = {}
    for key, item in checks.nested(name, value, _AGENT_KEYS).items():
        check = _AGENT_CHECKS.get(key)
        if check is None:
            raise NotImplementedError(
                f'option {name!r}: its key {key!r} is not available in this version of requite; leave it out'
            )
        checked = check(f'{name}[{key!r}]', item)
        if checked is not None:
            values[key] = checked
    return values


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
    if isinstance(value, str) and not value:
        return None
    return not_yet('proxies are')(name, value)
