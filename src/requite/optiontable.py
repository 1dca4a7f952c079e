"""The one table of options: their names, types, units, defaults, what they do, and how a value is checked.

The aliases, did-you-mean, the ``RequestOptions`` type and the reference page are all made from it (``docs/generate.py`` writes the last two).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from requite import checks, fields
from requite.credentials import credentials
from requite.errors import InvalidOptionType, OptionsError

if TYPE_CHECKING:
    from collections.abc import Callable


class Option(NamedTuple):
    """One option: ``alias`` is Node's spelling where it differs, ``kind`` its Python type, ``unit`` what a number counts, ``later`` what is missing for it yet."""

    name: str
    alias: str
    kind: str
    unit: str
    default: str
    text: str
    check: Callable[[str, Any], Any]
    later: str = ''


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


def _base_url(name: str, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    raise InvalidOptionType(
        f'options.baseUrl must be a string: option {name!r} must be a str, not {checks.kind(value)}'
    )


def _auth(name: str, value: Any) -> Any:
    return credentials(name, value)


def _jar(name: str, value: Any) -> Any:
    # what a jar must be able to do is checked where jars are known, still within the call
    return None if value is False else value


def _anything(name: str, value: Any) -> Any:
    return value


def _replacer(name: str, value: Any) -> Any:
    if value is None or callable(value):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(key, (str, int)) for key in value):
        return tuple(value)
    raise checks.wrong_type(name, value, 'a callable (key, value) or a list of the keys to keep')


def _query_options(name: str, value: Any) -> Any:
    if value is None:
        return None
    from requite.wire import qsoptions

    return qsoptions.read_options(
        checks.mapping(name, value), qsoptions.PARSE if 'parse' in name else qsoptions.STRINGIFY, name
    )


def _certificates(name: str, value: Any) -> Any:
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


def _form(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (str, bytes)):
        return value
    if hasattr(value, 'items'):
        return dict(value)
    raise checks.wrong_type(name, value, 'a mapping or a str')


def _form_data(name: str, value: Any) -> Any:
    if value is None or hasattr(value, 'get_boundary'):  # a FormData
        return value
    if hasattr(value, 'items'):
        return dict(value)
    more = '; for several values of one name give {"name": [1, 2]}' if isinstance(value, (list, tuple)) else ''
    raise InvalidOptionType(f'option {name!r} must be a mapping of names to values, not {checks.kind(value)}{more}')


def _multipart(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (list, tuple)):
        return value
    if hasattr(value, 'items'):
        return dict(value)
    raise InvalidOptionType(
        f"option {name!r}: Argument error, options.multipart. It must be a list of parts, or {{'chunked': ..., 'data': [...]}}, "
        f'not {checks.kind(value)}'
    )


def _encoding(name: str, value: Any) -> Any:
    if value is None:
        return None
    from requite.wire import text

    return text.check(value)


def _follow(name: str, value: Any) -> Any:
    return value if callable(value) else checks.boolean(name, value)


def _timeout(name: str, value: Any) -> Any:
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
    'ca': _certificates,
}
_LATER = 'cert key pfx passphrase ciphers min_version servername secure_protocol secure_options keep_alive_msecs timeout'.split()


def _camel(name: str) -> str:
    first, *rest = name.split('_')
    return first + ''.join(word.capitalize() for word in rest)


_AGENT_KEYS = {key: name for name in (*_AGENT_CHECKS, *_LATER) for key in (name, _camel(name))}


def _agent_options(name: str, value: Any) -> Any:
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


def _pool(name: str, value: Any) -> Any:
    if isinstance(value, (str, bytes, int)) and value is not False:
        raise checks.wrong_type(name, value, 'a Pool or False' if name == 'agent' else 'a mapping, a Pool or False')
    return value


def _local_address(name: str, value: Any) -> Any:
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


def _proxy(name: str, value: Any) -> Any:
    if isinstance(value, str) and not value:
        return None
    return not_yet(_PROXY)(name, value)


_SIGNER = 'this way of signing is'
_PROXY = 'proxies are'
_TLS = 'client certificates and TLS details are'

# A row a line: it is read as a table.
# fmt: off
OPTIONS: tuple[Option, ...] = (
    Option('uri', '', 'str or parsed URI', '', 'required', 'The address: absolute, or relative to `base_url`.', _anything),
    Option('url', '', 'str or parsed URI', '', '', 'The same as `uri`, which wins where both are given.', _anything),
    Option('base_url', 'baseUrl', 'str', '', 'None', 'Put before a relative `uri`, joined with exactly one slash.', _base_url),
    Option('method', '', 'str', '', "'GET'", 'The method; standard ones are sent in upper case, others as given.', checks.http_method),
    Option('headers', '', 'mapping or pairs', '', '{}', 'Header fields, sent in your order and case; the value None removes a default.', fields.header_fields),
    Option('qs', '', 'mapping', '', 'None', 'Merged into the query, nested as `a[b]=c` and `a[0]=b`.', checks.mapping),
    Option('qs_parse_options', 'qsParseOptions', 'mapping', '', 'None', 'How an existing query is read.', _query_options),
    Option('qs_stringify_options', 'qsStringifyOptions', 'mapping', '', 'None', 'How the query, and a form, is written.', _query_options),
    Option('use_querystring', 'useQuerystring', 'bool', '', 'False', 'The flat codec: lists as repeated keys, no nesting.', checks.boolean),
    Option('body', '', 'bytes, str, list of them, file, iterable', '', 'None', 'The content. With `json=True` any JSON value.', _anything),
    Option('form', '', 'mapping or str', '', 'None', 'The content as `application/x-www-form-urlencoded`.', _form),
    Option('form_data', 'formData', 'mapping', '', 'None', 'The content as `multipart/form-data`.', _form_data),
    Option('multipart', '', 'list or mapping', '', 'None', 'The content as `multipart/related`.', _multipart),
    Option('preamble_crlf', 'preambleCRLF', 'bool', '', 'False', 'A line break before the first boundary of `multipart`.', checks.boolean),
    Option('postamble_crlf', 'postambleCRLF', 'bool', '', 'False', 'A line break after the last boundary of `multipart`.', checks.boolean),
    Option('json', '', 'True or a JSON value', '', 'None', 'Content as JSON, `accept: application/json`, and the response parsed where it parses.', _anything),
    Option('json_reviver', 'jsonReviver', 'callable(key, value)', '', 'None', 'Called for every value of a parsed response, innermost first.', checks.function),
    Option('json_replacer', 'jsonReplacer', 'callable(key, value) or list of keys', '', 'None', 'Called for every value before it is written as JSON.', _replacer),
    Option('auth', '', 'mapping or (user, password)', '', 'None', '`user`, `pass`, `sendImmediately` (True), `bearer` (a str, or a callable that returns one), `digest` (True: never Basic).', _auth),
    Option('oauth', '', 'mapping', '', 'None', 'OAuth 1.0a.', not_yet(_SIGNER), 'signers'),
    Option('hawk', '', 'mapping', '', 'None', 'Hawk.', not_yet(_SIGNER), 'signers'),
    Option('aws', '', 'mapping', '', 'None', 'AWS signatures, version 2 and 4.', not_yet(_SIGNER), 'signers'),
    Option('http_signature', 'httpSignature', 'mapping', '', 'None', 'HTTP signatures (draft-cavage).', not_yet(_SIGNER), 'signers'),
    Option('jar', '', 'True or a jar', '', 'False', 'Cookies are kept and sent: True for the global jar, or `request.jar()`.', _jar),
    Option('follow_redirect', 'followRedirect', 'bool or callable(response)', '', 'True', 'Follow redirects of GET and other safe methods.', _follow),
    Option('follow_all_redirects', 'followAllRedirects', 'bool', '', 'False', 'Follow redirects of every method.', checks.boolean),
    Option('follow_original_http_method', 'followOriginalHttpMethod', 'bool', '', 'False', 'Keep the method and the content where a redirect would turn them into a GET.', checks.boolean),
    Option('max_redirects', 'maxRedirects', 'int', '', '10', 'How many redirects are followed; one more is `TooManyRedirects`.', checks.count),
    Option('remove_referer_header', 'removeRefererHeader', 'bool', '', 'False', 'Do not set `referer` on redirects.', checks.boolean),
    Option('encoding', '', 'str or None', '', "'utf-8'", 'How the body becomes text; None leaves it as bytes.', _encoding),
    Option('gzip', '', 'bool', '', 'False', 'Ask for a compressed response and decode it: gzip and deflate, br and zstd where installed.', checks.boolean),
    Option('pool', '', 'mapping, Pool or False', '', 'global pool', 'Whose connections are used: `max_sockets`, or a `Pool`. The same object shares connections; False is a connection of its own.', _pool),
    Option('agent', '', 'Pool or False', '', 'None', 'A `Pool`; False is a connection of its own.', _pool),
    Option('agent_options', 'agentOptions', 'mapping', '', 'None', '`keepAlive`, `maxSockets`, `ca`, `rejectUnauthorized` of the connections.', _agent_options),
    Option('forever', '', 'bool', '', 'False', 'Connections kept alive whatever `agent_options` say, apart from those of other requests.', checks.boolean),
    Option('timeout', '', 'int or timedelta', 'milliseconds', '10 s, 300 s', 'To connect, and between bytes; None is never. Not given: 10 s to connect, 300 s idle.', _timeout),
    Option('deadline', '', 'int or timedelta', 'milliseconds', 'None', 'For the whole exchange, redirects included.', checks.milliseconds),
    Option('max_body', 'maxBody', 'int', 'bytes', 'None', 'The largest body that is collected in memory, after decoding.', checks.count),
    Option('proxy', '', 'str', '', 'None', 'A proxy.', _proxy, 'proxies'),
    Option('tunnel', '', 'bool', '', 'None', 'CONNECT through the proxy.', not_yet(_PROXY), 'proxies'),
    Option('proxy_header_white_list', 'proxyHeaderWhiteList', 'list', '', 'None', 'Headers that the proxy sees too.', not_yet(_PROXY), 'proxies'),
    Option('proxy_header_exclusive_list', 'proxyHeaderExclusiveList', 'list', '', 'None', 'Headers that only the proxy sees.', not_yet(_PROXY), 'proxies'),
    Option('strict_ssl', 'strictSSL', 'bool', '', 'True', 'Certificates must be valid; False accepts any.', checks.boolean),
    Option('reject_unauthorized', 'rejectUnauthorized', 'bool', '', 'True', "The same under Node's other name; False in either accepts any certificate.", checks.boolean),
    Option('ca', '', 'path, PEM, DER, or a list', '', 'system', "Certificates to trust instead of the system's.", _certificates),
    Option('cert', '', 'path, PEM or DER', '', 'None', 'The client certificate.', not_yet(_TLS), 'TLS details'),
    Option('key', '', 'path, PEM or DER', '', 'None', 'Its private key.', not_yet(_TLS), 'TLS details'),
    Option('pfx', '', 'path or bytes', '', 'None', 'Both in PKCS 12.', not_yet(_TLS), 'TLS details'),
    Option('passphrase', '', 'str', '', 'None', 'For `key` or `pfx`.', not_yet(_TLS), 'TLS details'),
    Option('ciphers', '', 'str', '', 'None', 'Cipher suites, as OpenSSL names them.', not_yet(_TLS), 'TLS details'),
    Option('min_version', 'minVersion', 'str', '', "'TLSv1.2'", 'The oldest TLS version.', not_yet(_TLS), 'TLS details'),
    Option('local_address', 'localAddress', 'str', '', 'None', 'The local interface to connect from.', _local_address),
    Option('family', '', '4 or 6', '', 'None', 'The address family.', not_yet('choosing the address family is'), 'sockets'),
    Option('lookup', '', 'callable', '', 'None', 'Your own name look-up.', not_yet('your own name look-up is'), 'sockets'),
    Option('time', '', 'bool', '', 'False', 'Measure: `timings`, `timing_phases`, `elapsed_time`.', checks.boolean),
    Option('har', '', 'mapping', '', 'None', 'A HAR 1.2 request becomes options.', not_yet('HAR is'), 'HAR'),
    Option('callback', '', 'callable(error, response, body)', '', 'None', 'Sends at once and is called exactly once.', checks.function),
    Option('agent_class', 'agentClass', '', '', '', 'A `Pool` in `pool`.', refused('a Pool in the option pool')),
    Option('http_modules', 'httpModules', '', '', '', 'A `Pool` in `pool`.', refused('a Pool in the option pool')),
)
# fmt: on

NAMES: dict[str, Option] = {option.name: option for option in OPTIONS}
NAMES.update({option.alias: option for option in OPTIONS if option.alias})
