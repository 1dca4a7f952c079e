"""How the options of TLS are checked: certificates, keys, versions and names. That a key fits its certificate is found out where both are loaded."""

from __future__ import annotations

import os
from typing import Any

from requite import checks
from requite.errors import InvalidOptionType, OptionsError


def certificates(name: str, value: Any) -> Any:
    if value is None:
        return None
    items = value if isinstance(value, (list, tuple)) else (value,)
    if not items:
        raise OptionsError(
            f'option {name!r} is empty, so that nobody could be trusted; leave it out to trust as the system does'
        )
    for item in items:
        if not isinstance(item, (str, bytes)) and not hasattr(item, '__fspath__'):
            raise checks.wrong_type(name, item, 'a path, PEM text, DER bytes, or a list of them')
        if not isinstance(item, bytes) and '-----BEGIN' not in str(item) and not os.path.isfile(item):
            raise OptionsError(
                f'option {name!r} names {checks.shown(str(item))}, where no file is; give a path, PEM text or DER bytes'
            )
    return tuple(item if isinstance(item, (str, bytes)) else str(item) for item in items)


def identity(name: str, value: Any) -> Any:
    """A certificate or a private key: a path, PEM text or bytes."""
    if value is None or isinstance(value, bytes):
        return value or None
    if not isinstance(value, str) and not hasattr(value, '__fspath__'):
        raise InvalidOptionType(f'option {name!r} must be a path, PEM text or DER bytes, not {checks.kind(value)}')
    text = os.fsdecode(value)
    if '-----BEGIN' not in text and not os.path.isfile(text):
        where = f' {checks.shown(text)}, where no file is' if _is_path(name, value) else ' no file that is there'
        raise OptionsError(f'option {name!r} names{where}; give a path, PEM text or DER bytes')
    return text


def _is_path(name: str, value: Any) -> bool:
    """Whether a text that is no file can be shown: a certificate is no secret; a key may have lost the lines around it, and then is one."""
    if name == 'cert' or not isinstance(value, str):
        return True
    ends = value.lower().endswith(('.pem', '.key', '.crt', '.cer', '.der', '.p12', '.pfx', '.p8'))
    return '\n' not in value and len(value) < 256 and (ends or value.startswith(('/', './', '../', '~')))


def passphrase(name: str, value: Any) -> Any:
    """Never shown in an error."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode('utf-8', 'surrogateescape')
    raise InvalidOptionType(f'option {name!r} must be a str, not {checks.kind(value)}')


def tls_version(name: str, value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str) or value not in VERSIONS:
        raise OptionsError(f'option {name!r} must be one of {", ".join(VERSIONS)}, not {checks.shown(value)}')
    return value


VERSIONS = ('TLSv1.2', 'TLSv1.3')
METHODS = {
    'TLSv1_2_method': 'TLSv1.2',
    'TLS_method': None,
    'TLS_client_method': None,
    'SSLv23_method': None,
    'SSLv23_client_method': None,
}
"""What ``secureProtocol`` of OpenSSL means: one version alone, or any."""


def secure_protocol(name: str, value: Any) -> Any:
    if value is None:
        return None
    key = value.replace('_client_method', '_method') if isinstance(value, str) else ''
    if key not in METHODS:
        raise OptionsError(f'option {name!r}: {checks.shown(value)} is not available; use min_version instead')
    return METHODS[key]


def server_hostname(name: str, value: Any) -> Any:
    text = checks.text(name, value)
    if text is None:
        return None
    from requite.wire.host import normalise

    try:
        return normalise(text)
    except ValueError:
        raise OptionsError(f'option {name!r} must be the name of a host, not {checks.shown(value)}') from None


def fingerprint(name: str, value: Any) -> Any:
    text = checks.text(name, value)
    if text is None:
        return None
    digits = text.replace(':', '').replace(' ', '').lower()
    if len(digits) != 64 or any(digit not in '0123456789abcdef' for digit in digits):
        raise OptionsError(
            f'option {name!r} must be a SHA-256: 64 hexadecimal digits, as `openssl x509 -fingerprint -sha256` prints them'
        )
    return digits
