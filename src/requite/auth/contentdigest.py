"""The fields that prove what the content is: Digest (RFC 3230) and Content-Digest (RFC 9530), both with SHA-256."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING

from requite.errors import InvalidBody

if TYPE_CHECKING:
    from requite.message import Draft
    from requite.options import Options
    from requite.protocols import Body

FIELDS = {'digest': ('Digest', 'SHA-256={}'), 'content-digest': ('Content-Digest', 'sha-256=:{}:')}
"""What is sent for each of the two, by the name that it is listed under."""


def settle(options: Options, body: Body | None, name: str, option: str) -> None:
    """Raises ``InvalidBody`` where the field ``name``, one of ``FIELDS``, has to be computed over a body that can be read only once."""
    if body is not None and not body.replayable and name not in options.headers and not getattr(body, 'pending', False):
        raise _once(FIELDS[name][0], option)


def complete(draft: Draft, name: str, option: str) -> None:
    """Sets the field ``name``, one of ``FIELDS``, where the draft has none: over no content too, which has a hash like any other.

    Raises ``InvalidBody`` for a body that can be read only once: its hash would use it up.
    """
    if name not in draft.fields:
        spelling, form = FIELDS[name]
        draft.set(spelling, form.format(b64encode(_sha256(draft.body, spelling, option)).decode('ascii')))


def _sha256(body: Body | None, field: str, option: str) -> bytes:
    hashing = hashlib.sha256()
    if body is not None:
        if not body.replayable:
            raise _once(field, option)
        for chunk in body.chunks():
            hashing.update(chunk)
    return hashing.digest()


def _once(field: str, option: str) -> InvalidBody:
    return InvalidBody(
        f"option 'body': {option} wants its hash for the field {field}, but it is a stream that can be read only once; "
        f'give bytes, a file or a list, or the field {field} among the headers'
    )
