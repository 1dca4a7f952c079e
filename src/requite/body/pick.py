"""Which option becomes the content, and how: the precedence that Node documents.

``multipart`` over everything, ``json`` as a value over ``form``, ``form`` over ``body``; with ``json=True`` the body is any JSON value. (Node sends a json
value under the form's content type when both are given: mended, the json value brings its own.) ``form_data`` goes with none of them: Node sends both, one
into the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.body.flowing import FlowingBody
from requite.body.source import BODY, DeclaredBody, IterableBody, as_bytes
from requite.errors import InvalidBody, OptionsError
from requite.message import BytesBody

if TYPE_CHECKING:
    from requite.options import Options
    from requite.protocols import Body

JSON_TYPE = (('content-type', 'application/json'),)
FORM = 'application/x-www-form-urlencoded'
FORM_TYPE = (('content-type', FORM),)


def pick(options: Options) -> Body | None:
    """The content that the options ask for, or None; raises ``InvalidBody`` for what cannot be sent."""
    if type(options.body) is DeclaredBody:
        return options.body  # what was piped in is sent as it is, under json=True too
    json = options.json
    if options.form_data is not None:
        return _form_data(options)
    if options.multipart is not None:
        return _related(options)
    if json is not None and json is not True and json is not False:
        return _json(json, options)
    if options.form is not None:
        return _form(options)
    if json is True and options.given('body'):
        if isinstance(options.body, str) and _declares_form(options):
            from requite.body import urlencoded

            return BytesBody(urlencoded.encode(options.body))
        return _json(options.body, options)
    if options.body is None:
        return None
    return of(options.body)


def of(value: Any, place: str = BODY) -> Body | None:
    """Any value of the ``body`` option as a body; an empty str or bytes is an empty body (None for ``''``, as in Node). ``place`` says in errors where it was given."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return BytesBody(bytes(value))
    if isinstance(value, str):
        return BytesBody(as_bytes(value, place)) if value else None
    if isinstance(value, (list, tuple)):
        return BytesBody(b''.join([as_bytes(piece, place) for piece in value]))
    if isinstance(content := getattr(value, '_content', None), bytes):
        return BytesBody(content)  # a response that was collected: as often as needed
    if hasattr(value, 'read') and not isinstance(value, type):
        return FlowingBody(value, place)
    if hasattr(value, 'tobytes') and not isinstance(value, type):
        return BytesBody(value.tobytes())
    if hasattr(value, '__iter__') and not isinstance(value, type) and not isinstance(value, (Mapping, AbstractSet)):
        asked = callable(getattr(value, 'pipe', None))
        if asked:
            value.refused = True  # a request: it is sent with the one whose body it is, or not at all
        return IterableBody(value, once=asked, place=place)
    said, fix = ('', '')
    if place == BODY:
        said, fix = 'Argument error, options.body. ', '; pass json=True to send it as JSON'  # Node's words
    if isinstance(value, os.PathLike):
        fix = "; open it: open(path, 'rb')"
    elif isinstance(value, type):
        fix = '; give an object, not its class'
    elif hasattr(value, '__aiter__'):
        fix = '; an asynchronous iterable is piped in a coroutine: await apipe(it, request.post(...))'
    raise InvalidBody(
        f'{place}: {said}It must be bytes, str, a list of them, a binary file or an iterable of bytes, not {checks.kind(value)}{fix}'
    )


def _json(value: Any, options: Options) -> Body:
    from requite.wire import jsondoc

    return BytesBody(jsondoc.dumps(value, options.json_replacer), JSON_TYPE)


def _form(options: Options) -> Body:
    from requite.body import urlencoded

    return BytesBody(urlencoded.encode(options.form, options.qs_stringify_options, options.use_querystring), FORM_TYPE)


def _form_data(options: Options) -> Body:
    others = [name for name in ('multipart', 'form', 'body') if getattr(options, name) is not None]
    if options.json is not None and options.json is not True and options.json is not False:
        others.append('json')
    if others:
        raise OptionsError(f"options 'form_data' and {others[0]!r} would each be the content; leave one of them out")
    from requite.body import formdata

    return formdata.encode(options.form_data)


def _related(options: Options) -> Body:
    from requite.body import related

    field = options.headers.get('content-type')
    content_type = field[1] if field is not None and isinstance(field[1], str) else None
    return related.encode(options.multipart, content_type, options.preamble_crlf, options.postamble_crlf)


def _declares_form(options: Options) -> bool:
    field = options.headers.get('content-type')
    return field is not None and isinstance(field[1], str) and field[1].lower().startswith(FORM)
