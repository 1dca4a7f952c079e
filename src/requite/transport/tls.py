"""TLS contexts: one for each distinct ``routes.TLS``, made once and kept.

Verification is on unless asked otherwise, against the system's store or against ``ca`` alone; TLS 1.2 is the oldest version spoken; names are matched against
subjectAltName only (no common name); ALPN offers http/1.1 (SECURITY T1, T2). A bare end of the TCP connection is never taken for the end of the data (S2).
"""

from __future__ import annotations

import os
import ssl
import sys
from typing import TYPE_CHECKING, Any

from urllib3.util.ssl_ import create_urllib3_context

from requite import errors

if TYPE_CHECKING:
    from requite.routes import TLS

MAX_CONTEXTS = 128

_contexts: dict[Any, ssl.SSLContext] = {}

VERSIONS = {'TLSv1.2': ssl.TLSVersion.TLSv1_2, 'TLSv1.3': ssl.TLSVersion.TLSv1_3}
"""The versions that are spoken; the ones before them are broken (RFC 8996), and no option brings them back (SECURITY T1)."""


_OF_VERSIONS = int(
    ssl.OP_NO_SSLv2 | ssl.OP_NO_SSLv3 | ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1 | ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
)


def context(settings: TLS) -> ssl.SSLContext:
    """The context for ``settings``. Raises ``OptionsError`` when a certificate, a version or a cipher list cannot be used.

    Files are looked at each time: what was replaced since is read again, and holds for the connections made from now on.
    """
    files = (*settings.ca, settings.cert, settings.key, settings.pfx)
    key = settings, tuple(_stamp(item) for item in files if item is not None)
    found = _contexts.get(key)
    if found is None:
        found = _make(settings)
        if hasattr(found, '_ctx_lock'):
            return found  # truststore's: locked for as long as one handshake takes, so that each connection needs one of its own
        while len(_contexts) >= MAX_CONTEXTS:
            _contexts.pop(next(iter(_contexts)), None)
        _contexts[key] = found
    return found


def _stamp(item: str | bytes) -> tuple[int, int] | None:
    """What tells that a file was replaced."""
    if isinstance(item, bytes) or '-----BEGIN' in item:
        return None
    try:
        status = os.stat(item)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _make(settings: TLS) -> ssl.SSLContext:
    asking = settings.verify and not settings.ca
    made = _asking_the_system() if asking and _is_the_systems_business() else None
    loaded = made is not None
    made = made or create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if settings.verify else ssl.CERT_NONE)
    _restrict(made, settings)
    # Python tells OpenSSL 3 to take a bare FIN for an orderly end; a cut body would look whole
    made.options &= ~getattr(ssl, 'OP_IGNORE_UNEXPECTED_EOF', 0)
    if asking and not loaded:
        made.load_default_certs()
    for item in settings.ca:
        _trust(made, item)
    if not (settings.cert is settings.key is settings.pfx is settings.passphrase is None):
        from requite.transport import identity

        identity.load(made, settings)
    return made


def _is_the_systems_business() -> bool:
    """Whether the system has a store of its own that OpenSSL cannot read, or keeps it where this OpenSSL does not look."""
    if sys.platform in ('win32', 'darwin'):
        return True
    known = ssl.get_default_verify_paths()
    return not known.cafile and (not known.capath or not os.listdir(known.capath))  # noqa: PTH208 - as elsewhere: pathlib costs the import too much


def _asking_the_system() -> ssl.SSLContext | None:
    """A context that asks the operating system whom to trust, where the package truststore is installed."""
    try:
        import truststore
    except ImportError:
        return None
    made: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.hostname_checks_common_name = False
    made.set_alpn_protocols(['http/1.1'])
    return made


def _restrict(made: ssl.SSLContext, settings: TLS) -> None:
    if settings.ciphers is not None:
        made.set_ciphers(_ciphers(settings.ciphers))
    least = _version('min_version', settings.min_version or 'TLSv1.2')
    most = _version('max_version', settings.max_version or 'TLSv1.3')
    # Python would rather not hear of versions among OpenSSL's options
    if settings.secure_options & ssl.OP_NO_TLSv1_2:
        least = ssl.TLSVersion.TLSv1_3
    if settings.secure_options & ssl.OP_NO_TLSv1_3:
        most = ssl.TLSVersion.TLSv1_2
    if most < least:
        raise errors.OptionsError(
            "options 'min_version', 'max_version', 'secure_protocol' and 'secure_options' leave no version of TLS: keep one of them"
        )
    made.minimum_version = least
    if most != ssl.TLSVersion.TLSv1_3:
        made.maximum_version = most
    try:
        made.options |= settings.secure_options & ~_OF_VERSIONS
    except (OverflowError, ValueError):
        raise errors.OptionsError("option 'secure_options' holds no options of OpenSSL: add up ssl.OP_...") from None


def _version(option: str, name: str) -> ssl.TLSVersion:
    if name not in VERSIONS:
        raise errors.OptionsError(f'option {option!r}: there is no {name!r}; there are {", ".join(VERSIONS)}')
    return VERSIONS[name]


def _ciphers(text: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(text)
    except (ssl.SSLError, ValueError):
        raise errors.OptionsError(
            f"option 'ciphers': {text!r} names no cipher of this OpenSSL: see `openssl ciphers`"
        ) from None
    return text


def _trust(made: ssl.SSLContext, item: str | bytes) -> None:
    try:
        if isinstance(item, bytes):
            made.load_verify_locations(cadata=item.decode('ascii') if b'-----BEGIN' in item else item)
        elif '-----BEGIN' in item:
            made.load_verify_locations(cadata=item)
        else:
            _trust_file(made, item)
    except (OSError, ValueError) as error:
        what = 'the given text' if not isinstance(item, str) or '-----BEGIN' in item else repr(item)
        raise errors.OptionsError(
            f"option 'ca': {what} holds no certificate that can be read ({error}): give PEM text, DER bytes or the path of a file"
        ) from None


def _trust_file(made: ssl.SSLContext, path: str) -> None:
    with open(path, 'rb') as file:
        content = file.read()
    made.load_verify_locations(cadata=content.decode('ascii', 'replace') if b'-----BEGIN' in content else content)
