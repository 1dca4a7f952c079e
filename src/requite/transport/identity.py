"""Who we are to a server: the client certificate and its private key, from PEM, DER or PKCS 12, out of a text, bytes or a file.

``ssl`` reads them from files only: what did not come from one is handed over through memory where the system can do that, else through a file
that nobody else can read or guess the name of (SECURITY P4).
"""

from __future__ import annotations

import os
import re
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from requite import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requite.routes import TLS

PEM = b'-----BEGIN'


def load(context: ssl.SSLContext, settings: TLS) -> None:
    """Gives ``context`` the certificate and key of ``settings``. Raises ``OptionsError`` that names the option which cannot be used."""
    secret = None if settings.passphrase is None else settings.passphrase.encode('utf-8', 'surrogateescape')
    if settings.pfx is not None:
        if settings.cert is not None or settings.key is not None:
            raise errors.OptionsError("options 'pfx' and 'cert' would each say who we are: keep one of them")
        text = _from_pfx(_content('pfx', settings.pfx), secret)
    elif settings.cert is None and settings.key is None:
        raise errors.OptionsError(
            "option 'passphrase' opens nothing: give the 'key' and 'cert', or the 'pfx', that it is for"
        )
    elif settings.cert is None:
        raise errors.OptionsError("option 'key' is of no use without 'cert': give the certificate too")
    else:
        text = _certificate(_content('cert', settings.cert))
        if settings.key is not None:
            text += b'\n' + _key(_content('key', settings.key), secret)
    _hand_over(context, text, secret)


def _hand_over(context: ssl.SSLContext, text: bytes, secret: bytes | None) -> None:
    def ask() -> bytes:
        # without this, OpenSSL would ask the terminal
        if secret is None:
            raise errors.OptionsError("option 'key' is encrypted: give its 'passphrase'")
        return secret

    try:
        with _file_of(text) as path:
            context.load_cert_chain(path, password=ask)
    except errors.OptionsError:
        raise
    except ssl.SSLError as error:
        raise errors.OptionsError(_trouble(error, text)) from None
    except ValueError:
        raise errors.OptionsError("option 'passphrase' is too long for OpenSSL") from None


def _trouble(error: ssl.SSLError, text: bytes) -> str:
    """What to say of PEM that OpenSSL would not take as certificate and key."""
    if 'MISMATCH' in (error.reason or '').upper():
        return "options 'cert' and 'key' do not belong together: give the private key of this certificate"
    certificates = re.findall(rb'-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?', text, re.DOTALL)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=b''.join(certificates).decode('latin-1'))
    except (ssl.SSLError, ValueError):
        return "option 'cert' holds no certificate that can be read: give PEM, DER or the path of a file"
    if b'PRIVATE KEY' not in text:
        return "option 'cert' comes without its private key: give it as 'key'"
    if b'ENCRYPTED' in text:
        return "option 'key' cannot be decrypted: is the 'passphrase' right?"
    return "option 'key' holds no private key that can be read: give PEM, DER or the path of a file"


def _content(name: str, value: str | bytes) -> bytes:
    """What was given, or what the file holds that was named."""
    if isinstance(value, bytes):
        return value
    if PEM.decode() in value:
        return value.encode()
    try:
        with open(value, 'rb') as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else 'that is no path'
        raise errors.OptionsError(f'option {name!r} names a file that cannot be read ({reason}): {value!r}') from None


def _certificate(content: bytes) -> bytes:
    if PEM in content:
        return content
    return ssl.DER_cert_to_PEM_cert(content).encode()


def _key(content: bytes, secret: bytes | None) -> bytes:
    """A private key as PEM that OpenSSL reads; a DER one is taken apart by its owner's passphrase and put together with the same."""
    if PEM in content:
        return content
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as forms

    for each in dict.fromkeys((secret, None)):  # a passphrase that is not needed does no harm, as with PEM
        try:
            key = forms.load_der_private_key(content, each)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        sealed = forms.BestAvailableEncryption(each) if each else forms.NoEncryption()
        return key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, sealed)
    raise errors.OptionsError(
        "option 'key' is no private key that can be read: give PEM, DER or the path of a file, and its 'passphrase' if it has one"
    )


def _from_pfx(content: bytes, secret: bytes | None) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        key, certificate, others = pkcs12.load_key_and_certificates(content, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise errors.OptionsError(
            "option 'pfx' cannot be read: give PKCS 12 as bytes or the path of a file, and its 'passphrase'"
        ) from None
    if key is None or certificate is None:
        raise errors.OptionsError("option 'pfx' must hold a certificate together with its private key")
    chain = b''.join(item.public_bytes(forms.Encoding.PEM) for item in (certificate, *others))
    return chain + key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())


@contextmanager
def _file_of(content: bytes) -> Iterator[str]:
    """The path of a file with this content, for as long as the context lasts."""
    if hasattr(os, 'memfd_create') and os.access('/proc/self/fd', os.X_OK):
        descriptor = os.memfd_create('identity')
        try:
            os.write(descriptor, content)
            yield f'/proc/self/fd/{descriptor}'
        finally:
            os.close(descriptor)
        return
    import tempfile

    descriptor, path = tempfile.mkstemp()
    try:
        with open(descriptor, 'wb') as file:
            file.write(content)
        yield path
    finally:
        os.remove(path)  # noqa: PTH107 - a path object is of no use here
