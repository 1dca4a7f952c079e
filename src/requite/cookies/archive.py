"""A whole jar as data and as a file: what ``to_json``, ``from_json``, ``save`` and ``load`` of a jar do."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from requite._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from requite.cookies.cookie import Cookie


def describe(cookies: Iterable[Cookie], unbound: Iterable[Cookie], store: str) -> dict[str, Any]:
    """A jar as tough-cookie serialises one; cookies that wait for their first host stand apart, where tough-cookie does not look."""
    shown: dict[str, Any] = {
        'version': f'requite@{__version__}',
        'storeType': store,
        'rejectPublicSuffixes': True,
        'cookies': [cookie.to_json() for cookie in cookies],
    }
    waiting = [cookie.to_json() for cookie in unbound]
    return {**shown, 'unbound': waiting} if waiting else shown


def understand(data: Mapping[str, Any] | str | bytes, now: float) -> list[Cookie]:
    """The cookies of a serialised jar, as data or as text, read at ``now``. Raises CookieError for what is none."""
    from requite.cookies.stores import jsonfile

    return jsonfile.read(data, now) if isinstance(data, (str, bytes)) else jsonfile.cookies_of(data, now)


def write(path: str | os.PathLike[str], cookies: Iterable[Cookie], unbound: Iterable[Cookie], store: str) -> None:
    """Writes a jar to a file: Netscape's format for a name that ends in ``.txt``, else JSON."""
    from requite.cookies.stores import files, netscape

    if os.fsdecode(path).lower().endswith('.txt'):
        files.replace(path, netscape.write([*cookies, *unbound]))
    else:
        files.replace(path, json.dumps(describe(cookies, unbound, store), indent=1))


def read(path: str | os.PathLike[str], now: float) -> list[Cookie]:
    """The cookies of a file in any format that is read here, told apart by its first character, read at ``now``."""
    from requite.cookies.stores import files, netscape

    def cookies_in(text: bytes) -> list[Cookie]:
        return understand(text, now) if text.lstrip()[:1] in (b'{', b'[') else netscape.read(text, now)

    return files.read(path, cookies_in)
