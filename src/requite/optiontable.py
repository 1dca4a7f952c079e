"""The one table of options: their names, types, units, defaults, what they do, and how a value is checked.

The aliases, did-you-mean, the ``RequestOptions`` type and the reference page are all made from it (``docs/generate.py`` writes the last two).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from requite import checks, fields, tlschecks
from requite import optionchecks as own

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


# A row a line: it is read as a table.
# fmt: off
OPTIONS: tuple[Option, ...] = (
    Option('uri', '', 'str or parsed URI', '', 'required', 'The address: absolute, or relative to `base_url`.', own.anything),
    Option('url', '', 'str or parsed URI', '', '', 'The same as `uri`, which wins where both are given.', own.anything),
    Option('base_url', 'baseUrl', 'str', '', 'None', 'Put before a relative `uri`, joined with exactly one slash.', own.base_url),
    Option('method', '', 'str', '', "'GET'", 'The method; standard ones are sent in upper case, others as given.', checks.http_method),
    Option('headers', '', 'mapping or pairs', '', '{}', 'Header fields, sent in your order and case; the value None removes a default.', fields.header_fields),
    Option('qs', '', 'mapping', '', 'None', 'Merged into the query, nested as `a[b]=c` and `a[0]=b`.', checks.mapping),
    Option('qs_parse_options', 'qsParseOptions', 'mapping', '', 'None', 'How an existing query is read.', own.query_options),
    Option('qs_stringify_options', 'qsStringifyOptions', 'mapping', '', 'None', 'How the query, and a form, is written.', own.query_options),
    Option('use_querystring', 'useQuerystring', 'bool', '', 'False', 'The flat codec: lists as repeated keys, no nesting.', checks.boolean),
    Option('body', '', 'bytes, str, list of them, file, iterable', '', 'None', 'The content. With `json=True` any JSON value.', own.anything),
    Option('form', '', 'mapping or str', '', 'None', 'The content as `application/x-www-form-urlencoded`.', own.form),
    Option('form_data', 'formData', 'mapping', '', 'None', 'The content as `multipart/form-data`.', own.form_data),
    Option('multipart', '', 'list or mapping', '', 'None', 'The content as `multipart/related`.', own.multipart),
    Option('preamble_crlf', 'preambleCRLF', 'bool', '', 'False', 'A line break before the first boundary of `multipart`.', checks.boolean),
    Option('postamble_crlf', 'postambleCRLF', 'bool', '', 'False', 'A line break after the last boundary of `multipart`.', checks.boolean),
    Option('json', '', 'True or a JSON value', '', 'None', 'Content as JSON, `accept: application/json`, and the response parsed where it parses.', own.anything),
    Option('json_reviver', 'jsonReviver', 'callable(key, value)', '', 'None', 'Called for every value of a parsed response, innermost first.', checks.function),
    Option('json_replacer', 'jsonReplacer', 'callable(key, value) or list of keys', '', 'None', 'Called for every value before it is written as JSON.', own.replacer),
    Option('auth', '', 'mapping or (user, password)', '', 'None', '`user`, `pass`, `sendImmediately` (True), `bearer` (a str, or a callable that returns one), `digest` (True: never Basic).', own.auth),
    Option('oauth', '', 'mapping', '', 'None', 'OAuth 1.0a: `consumer_key`, `consumer_secret` or `private_key`, `token`, `token_secret`, `signature_method`, `transport_method`, `body_hash`, `realm`, ...', own.signing),
    Option('hawk', '', 'mapping', '', 'None', 'Hawk: `credentials` (`id`, `key`, `algorithm`), `ext`, `app`, `dlg`, `payload` (True: the content as it is sent), `verify` (True: the server proves itself too), ...', own.signing),
    Option('aws', '', 'mapping', '', 'None', 'AWS signatures: `key`, `secret`, `session`, `bucket`, `sign_version` (2, or 4 with `service`, `region`, `sign_query` and `expires`).', own.signing),
    Option('http_signature', 'httpSignature', 'mapping', '', 'None', 'HTTP signatures (draft-cavage): `keyId`, `key`, `passphrase`, `algorithm`, `headers`, ...', own.signing),
    Option('http_message_signature', 'httpMessageSignature', 'mapping', '', 'None', 'HTTP message signatures (RFC 9421), with the extra `requite[rfc9421]`: `key_id`, `key`, `passphrase`, `algorithm`, `components`, ...', own.signing),
    Option('signers', '', 'list of objects with sign(draft, clock)', '', 'None', 'Your own ways of signing, in their order, after those above.', own.signers),
    Option('netrc', '', 'bool or path', '', 'False', 'User and password from `~/.netrc`, or from the file named, for the host asked for.', own.netrc),
    Option('jar', '', 'True or a jar', '', 'False', 'Cookies are kept and sent: True for the global jar, or `request.jar()`.', own.jar),
    Option('follow_redirect', 'followRedirect', 'bool or callable(response)', '', 'True', 'Follow redirects of GET and other safe methods.', own.follow),
    Option('follow_all_redirects', 'followAllRedirects', 'bool', '', 'False', 'Follow redirects of every method.', checks.boolean),
    Option('follow_original_http_method', 'followOriginalHttpMethod', 'bool', '', 'False', 'Keep the method and the content where a redirect would turn them into a GET.', checks.boolean),
    Option('max_redirects', 'maxRedirects', 'int', '', '10', 'How many redirects are followed; one more is `TooManyRedirects`.', checks.count),
    Option('remove_referer_header', 'removeRefererHeader', 'bool', '', 'False', 'Do not set `referer` on redirects.', checks.boolean),
    Option('allow_insecure_redirect', 'allowInsecureRedirect', 'bool', '', 'True', 'False: a redirect from https to http is `RedirectRefused`.', checks.boolean),
    Option('redirect_filter', 'redirectFilter', 'callable(uri)', '', 'None', 'Asked before each hop, the first one too, where it is about to go; unless it says True that is `RedirectRefused`.', own.plain_function),
    Option('sensitive_headers', 'sensitiveHeaders', 'list', '', '[]', 'Names of headers of yours that no redirect takes to another origin, like `authorization`; added to those of the defaults.', own.field_names),
    Option('encoding', '', 'str or None', '', "'utf-8'", 'How the body becomes text; None leaves it as bytes.', own.encoding),
    Option('gzip', '', 'bool', '', 'False', 'Ask for a compressed response and decode it: gzip and deflate, br and zstd where installed.', checks.boolean),
    Option('pool', '', 'mapping, Pool or False', '', 'global pool', 'Whose connections are used: `max_sockets`, or a `Pool`. The same object shares connections; False is a connection of its own.', own.pool),
    Option('agent', '', 'Pool or False', '', 'None', 'A `Pool`; False is a connection of its own.', own.pool),
    Option('agent_options', 'agentOptions', 'mapping', '', 'None', 'Of the connections: `keepAlive`, `keepAliveMsecs`, `maxSockets`, `maxFreeSockets`, `timeout`, and for TLS `ca`, `cert`, `key`, `pfx`, `passphrase`, `ciphers`, `minVersion`, `maxVersion`, `servername`, `secureProtocol`, `secureOptions`, `rejectUnauthorized`.', own.agent_options),
    Option('forever', '', 'bool', '', 'False', 'Connections kept alive whatever `agent_options` say, apart from those of other requests.', checks.boolean),
    Option('timeout', '', 'int, timedelta or mapping', 'milliseconds', '10 s, 300 s', 'To connect, and between bytes; None is never. Not given: 10 s to connect, 300 s idle. A mapping says each: `connect`, `read`, and `pool`, the wait for a free connection.', own.timeout),
    Option('deadline', '', 'int or timedelta', 'milliseconds', 'None', 'For the whole exchange, redirects included.', checks.milliseconds),
    Option('max_body', 'maxBody', 'int', 'bytes', 'None', 'The largest body that is collected in memory, after decoding.', checks.count),
    Option('proxy', '', 'str or parsed URI', '', 'environment', "A proxy: `http://`, `https://`, `socks5://`, `socks5h://`, `socks4://` or `socks4a://`, userinfo as credentials. None or `''`: no proxy, whatever HTTP_PROXY, HTTPS_PROXY and NO_PROXY say.", own.proxy),
    Option('tunnel', '', 'bool', '', 'for https', 'CONNECT through the proxy; False asks it with the whole address, https too.', checks.boolean),
    Option('proxy_header_white_list', 'proxyHeaderWhiteList', 'list', '', "Node's", 'Names of headers that CONNECT repeats for the proxy.', own.field_names),
    Option('proxy_header_exclusive_list', 'proxyHeaderExclusiveList', 'list', '', 'None', 'Names of headers that only the proxy of a tunnel sees, Proxy-Authorization besides.', own.field_names),
    Option('strict_ssl', 'strictSSL', 'bool', '', 'True', 'Certificates must be valid; False accepts any.', checks.boolean),
    Option('reject_unauthorized', 'rejectUnauthorized', 'bool', '', 'True', "The same under Node's other name; False in either accepts any certificate.", checks.boolean),
    Option('ca', '', 'path, PEM, DER, or a list', '', 'system', "Certificates to trust instead of the system's.", tlschecks.certificates),
    Option('cert', '', 'path, PEM or DER', '', 'None', 'The client certificate, with its chain; only the origin that you name sees it.', tlschecks.identity),
    Option('key', '', 'path, PEM or DER', '', 'None', 'Its private key; may stand in `cert` too.', tlschecks.identity),
    Option('pfx', '', 'path or bytes', '', 'None', 'Both in PKCS 12.', tlschecks.identity),
    Option('passphrase', '', 'str', '', 'None', 'For `key` or `pfx`.', tlschecks.passphrase),
    Option('ciphers', '', 'str', '', "OpenSSL's", 'Cipher suites up to TLS 1.2, as OpenSSL names them.', checks.text),
    Option('min_version', 'minVersion', 'str', '', "'TLSv1.2'", 'The oldest TLS version that is spoken.', tlschecks.tls_version),
    Option('server_hostname', 'serverHostname', 'str', '', 'the host', 'The name that the server is asked for, and that its certificate must be for; `servername` in `agent_options`.', tlschecks.server_hostname),
    Option('assert_fingerprint', 'assertFingerprint', 'str', '', 'None', 'The SHA-256 of the one certificate that is accepted, in hexadecimal digits; besides `strict_ssl`, not in its place.', tlschecks.fingerprint),
    Option('local_address', 'localAddress', 'str', '', 'None', 'The local interface to connect from.', own.local_address),
    Option('family', '', '4 or 6', '', 'None', 'Only addresses of this version of IP.', own.family),
    Option('lookup', '', 'callable(host, options)', '', 'None', 'Your own name look-up: returns an IP address or a list of them.', own.lookup),
    Option('retry', '', 'int or mapping', '', 'None', 'How often what failed for the moment is sent again; a mapping says `limit`, `methods`, `statuses`, `backoff`, `max_backoff`, `max_retry_after` (milliseconds), `jitter`, `budget`.', own.retry),
    Option('idempotency_key', 'idempotencyKey', 'bool or str', '', 'None', 'Sent as Idempotency-Key (True makes one for each request), so that `retry` may repeat a method that is not idempotent.', own.idempotency_key),
    Option('har_log', 'harLog', 'path or HarLog', '', 'None', 'Where each hop is written as an entry of a HAR 1.2 log, without credentials.', own.har_log),
    Option('time', '', 'bool', '', 'False', 'Measure: `timings`, `timing_phases`, `elapsed_time`.', checks.boolean),
    Option('progress', '', 'bool', '', 'False', 'A bar on the terminal for what is sent and received, drawn by rich or tqdm where installed; nothing where stderr is no terminal.', checks.boolean),
    Option('pipefilter', '', 'callable(response, destination)', '', 'None', 'Called when the response is piped, after status and headers went over and before the first byte does.', own.plain_function),
    Option('har', '', 'mapping', '', 'None', 'A HAR 1.2 request (or a whole log: its first entry) becomes options; those that are given beside it win.', own.anything),
    Option('callback', '', 'callable(error, response, body)', '', 'None', 'Sends at once and is called exactly once.', own.plain_function),
    Option('agent_class', 'agentClass', '', '', '', 'A `Pool` in `pool`.', own.refused('a Pool in the option pool')),
    Option('http_modules', 'httpModules', '', '', '', 'A `Pool` in `pool`.', own.refused('a Pool in the option pool')),
)
# fmt: on

NAMES: dict[str, Option] = {option.name: option for option in OPTIONS}
NAMES.update({option.alias: option for option in OPTIONS if option.alias})
