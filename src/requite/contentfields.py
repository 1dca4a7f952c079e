"""The fields that describe the content and frame it: its type, and its length or that it is chunked. Pure; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite.body import pick
from requite.body.source import DeclaredBody
from requite.errors import OptionsError

if TYPE_CHECKING:
    from requite.message import Draft
    from requite.protocols import Body


def content_type(draft: Draft) -> None:
    if draft.body is None:
        return
    for name, value in draft.body.headers:
        if value == pick.FORM and not _is_form(draft.fields.get(name)):
            draft.fields[name] = (name, value)
        elif value[:10].lower() == 'multipart/':
            # always this one: the caller's cannot know the boundary, or is in it already
            draft.fields[name] = (draft.fields.get(name, (name,))[0], value)
        draft.default(name, value)


def _is_form(field: tuple[str, Any] | None) -> bool:
    return field is not None and str(field[1]).lower().startswith(pick.FORM)


def content_length(draft: Draft) -> None:
    body, fields = draft.body, draft.fields
    if body is None and 'transfer-encoding' in fields:
        raise OptionsError("option 'headers': transfer-encoding announces a body that is not there; leave it out")
    _refuse_own_framing(fields)
    if body is None:
        if draft.carry.method != 'GET' and 'content-length' not in fields:
            fields['content-length'] = ('content-length', '0')
        elif 'content-length' in fields and fields['content-length'][1] != '0':
            raise OptionsError("option 'headers': content-length announces a body that is not there; leave it out")
        return
    stated = fields.get('content-length')
    if stated is not None:
        draft.body = declared(body, stated[1])
    elif body.length is None:
        fields['transfer-encoding'] = ('transfer-encoding', 'chunked')
    elif 'transfer-encoding' in fields:
        draft.body = DeclaredBody(body, None)
    else:
        fields['content-length'] = ('content-length', str(body.length))


def _refuse_own_framing(fields: dict[str, tuple[str, Any]]) -> None:
    coding = fields.get('transfer-encoding')
    if coding is None:
        return
    if str(coding[1]).lower() != 'chunked':
        raise OptionsError(f"option 'headers': transfer-encoding can only be 'chunked', not {coding[1]!r}")
    if 'content-length' in fields:
        raise OptionsError(
            "option 'headers': content-length and transfer-encoding exclude each other (RFC 9112 6.2); leave one out"
        )


def declared(body: Body, value: Any) -> Body:
    """The body with the length that a Content-Length of the caller's states; raises ``OptionsError`` where the two disagree."""
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 18:
        raise OptionsError(
            f"option 'headers': content-length must be one number of bytes, not {value!r}; leave it out to have it set"
        )
    length = int(value)
    if body.length is None:
        return DeclaredBody(body, length)
    if body.length != length:
        raise OptionsError(
            f"option 'headers': content-length is {length} but the body has {body.length} bytes; leave it out to have it set"
        )
    return body
