"""The first carry: what the caller meant (address, query, content), settled at the call so that wrong arguments are errors there. Pure; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requite.body import pick
from requite.contentfields import declared
from requite.errors import InvalidBody, InvalidOptionType, InvalidProtocol, InvalidURI
from requite.message import Carry
from requite.prepare import from_netrc, jar_of
from requite.proxies import settle
from requite.wire import uri as uris

if TYPE_CHECKING:
    from requite.options import Options
    from requite.wire.uri import Uri


def first(options: Options) -> Carry:
    """What the caller meant, as the carry of the first hop; raises ``InvalidURI``, ``InvalidBody`` and other ``OptionsError``."""
    address = options.uri
    try:
        uri = (
            uris.parse(address) if type(address) is str and address and options.base_url is None else _address(options)
        )
    except (InvalidURI, InvalidProtocol) as error:
        raise _with_fix(error) from None
    method = options.method
    if _SETTLED_HERE.isdisjoint(options.__dict__):
        return Carry(method, uri, None)
    if options.qs is not None:
        uri = _with_query(uri, options)
    if options.proxy is not None:
        settle(options, uri)
    if options.jar is not None:
        jar_of(options)
    if options.netrc is not None:
        from_netrc(options, uri)
    body = pick.pick(options)
    if options.signed:
        from requite.auth import signing

        signing.settle(options, body)
    if body is not None and 'content-length' in options.headers and not getattr(body, 'pending', False):
        declared(body, options.headers['content-length'][1])
    if method == 'HEAD' and body is not None:
        raise InvalidBody(
            f'HTTP HEAD requests MUST NOT include a request body. Leave {_body_option(options)!r} out, or use another method'
        )
    return Carry(method, uri, body)


def addressed(method: str, address: str) -> Carry:
    """The carry of a request that is whole with its address."""
    try:
        return Carry(method, uris.parse(address), None)
    except (InvalidURI, InvalidProtocol) as error:
        raise _with_fix(error) from None


_SETTLED_HERE = frozenset(('body', 'form', 'form_data', 'multipart', 'json', 'qs', 'jar', 'netrc', 'signed', 'proxy'))


def _body_option(options: Options) -> str:
    return next(name for name in ('form_data', 'multipart', 'json', 'form', 'body') if options.given(name))


def _with_fix(error: InvalidURI | InvalidProtocol) -> InvalidURI | InvalidProtocol:
    if not error.message.startswith('Invalid'):
        return error
    return type(error)(
        f"{error.message}; give option 'uri' as http://host/path or https://host/path, or as a path together with base_url"
    )


def _address(options: Options) -> Uri:
    value = options.uri if options.uri is not None else options.url
    base = options.base_url
    if base is None:
        if value is None or value == '':
            raise InvalidURI("options.uri is a required argument; give the address as the first argument or as 'uri'")
        return uris.parse(value) if type(value) is str else uris.coerce(value)
    if not isinstance(base, str):
        raise InvalidOptionType(f'options.baseUrl must be a string; option base_url is a {type(base).__name__}')
    if not isinstance(value, str):
        raise InvalidOptionType(
            'options.uri must be a string when using options.baseUrl; give a path such as "/users", or no base_url'
        )
    return uris.parse(uris.join_base(base, value))


def _with_query(uri: Uri, options: Options) -> Uri:
    from requite.wire.qs import merge

    query = merge(
        uri.query or '',
        options.qs or {},
        options.qs_parse_options,
        options.qs_stringify_options,
        options.use_querystring,
    )
    return uri.with_query(query) if query else uri
