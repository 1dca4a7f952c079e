"""Options: all that the caller meant, normalised once and frozen.

An ``Options`` keeps its defaults as class attributes and in its instance dict only what was given, so that making one costs next to
nothing and ``given()`` can still tell the two apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import checks, claims, credentials, gathered
from requite.errors import OptionsError, UnknownOption
from requite.gathered import DEFAULT_LIMITS
from requite.optiontable import NAMES
from requite.routes import TLS, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requite.claims import Claim
    from requite.credentials import Credentials
    from requite.protocols import Signer
    from requite.retries import Retry
    from requite.routes import Proxy

VERIFIED = TLS()
MERGED = frozenset('qs form form_data multipart json body agent_options qs_parse_options qs_stringify_options'.split())
"""Options whose mappings are merged into the defaults' instead of replacing them; headers are too, by name."""


class Options:
    """Frozen options of one request; attributes are the canonical names of the option table.

    Five are derived: ``tls`` and ``limits`` gather what several options say, ``connections`` is the pool they name (None: the transport's own,
    False: a connection of its own), ``plans`` remembers what ``prepare.build`` decided for others with the same defaults, ``signed``
    tells that somebody signs.
    """

    uri: Any = None
    url: Any = None
    base_url: str | None = None
    method: str = 'GET'
    headers: dict[str, tuple[str, Any]] = {}
    qs: Mapping[str, Any] | None = None
    qs_parse_options: Mapping[str, Any] | None = None
    qs_stringify_options: Mapping[str, Any] | None = None
    use_querystring: bool = False
    body: Any = None
    form: Any = None
    form_data: Any = None
    multipart: Any = None
    preamble_crlf: bool = False
    postamble_crlf: bool = False
    json: Any = None
    json_reviver: Any = None
    json_replacer: Any = None
    auth: Credentials | None = None
    oauth: Claim | None = None
    hawk: Claim | None = None
    aws: Claim | None = None
    http_signature: Claim | None = None
    http_message_signature: Claim | None = None
    signers: tuple[Signer, ...] | None = None
    netrc: Any = None
    jar: Any = None
    follow_redirect: Any = True
    follow_all_redirects: bool = False
    follow_original_http_method: bool = False
    max_redirects: int = 10
    remove_referer_header: bool = False
    allow_insecure_redirect: bool = True
    redirect_filter: Any = None
    sensitive_headers: frozenset[str] = frozenset()
    encoding: str | None = 'utf-8'
    gzip: bool = False
    pool: Any = None
    agent: Any = None
    agent_options: Mapping[str, Any] | None = None
    forever: bool = False
    timeout: float | dict[str, float | None] | None = None
    deadline: float | None = None
    max_body: int | None = None
    proxy: Proxy | None = None
    tunnel: bool | None = None
    proxy_header_white_list: frozenset[str] | None = None
    proxy_header_exclusive_list: frozenset[str] | None = None
    strict_ssl: bool = True
    reject_unauthorized: bool = True
    ca: tuple[str | bytes, ...] | None = None
    cert: str | bytes | None = None
    key: str | bytes | None = None
    pfx: str | bytes | None = None
    passphrase: str | None = None
    ciphers: str | None = None
    min_version: str | None = None
    server_hostname: str | None = None
    assert_fingerprint: str | None = None
    local_address: str | None = None
    family: int | None = None
    lookup: Any = None
    time: bool = False
    retry: Retry | None = None
    idempotency_key: Any = None
    har_log: Any = None
    progress: bool = False
    pipefilter: Any = None
    callback: Any = None

    tls: TLS = VERIFIED
    limits: Limits = DEFAULT_LIMITS
    connections: Any = None
    plans: dict[Any, Any] | None = {}
    signed: bool = False

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f'options are frozen: make others with compose() instead of setting {name!r}')

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f'options are frozen: make others with compose() instead of deleting {name!r}')

    def given(self, name: str) -> bool:
        """Whether the caller, or a default of the caller's, named this option."""
        return name in self.__dict__

    @property
    def hidden(self) -> frozenset[str]:
        """The header fields whose values are not shown, in lower case: those of ``sensitive_headers``, and those that the signers set."""
        if not self.signed:
            return self.sensitive_headers
        claims: list[Claim | None] = [getattr(self, name) for name in CLAIMS]
        signers = [*(claim.signer for claim in claims if claim is not None), *(self.signers or ())]
        return self.sensitive_headers.union(
            [field.lower() for signer in signers if isinstance(field := getattr(signer, 'field', None), str)]
        )

    def __repr__(self) -> str:
        return f'<Options {" ".join(sorted(self.__dict__))}>'


EMPTY = Options()


def normalise(given: Mapping[str, Any]) -> dict[str, Any]:
    """The checked values by canonical name; raises ``UnknownOption`` and the errors of the checks."""
    values: dict[str, Any] = {}
    for key, value in given.items():
        option = NAMES.get(key)
        if option is None:
            raise unknown(key)
        name = option.name
        if name in values:
            raise UnknownOption(f'option {name!r} was given twice, also as {option.alias!r}; keep one of them')
        values[name] = option.check(name, value)
    return values


def unknown(key: object, known: Mapping[str, Any] = NAMES) -> UnknownOption:
    """The error for a name that no option has, with the nearest one that exists."""
    if not isinstance(key, str):
        return UnknownOption(f'the name of an option must be a str, not {checks.kind(key)}')
    meant = FOREIGN.get(key) or checks.nearest(key, known)
    hint = f'did you mean {meant!r}?' if meant else 'see the reference of options for the names there are'
    return UnknownOption(f'there is no option {key!r}; {hint}')


FOREIGN = {
    'data': 'body',
    'content': 'body',
    'params': 'qs',
    'query': 'qs',
    'files': 'form_data',
    'cookies': 'jar',
    'verify': 'strict_ssl',
    'proxies': 'proxy',
    'allow_redirects': 'follow_redirect',
    'maxSockets': 'pool',
    'max_sockets': 'pool',
    'compress': 'gzip',
}
"""What other libraries call an option."""


def compose(outer: Options, values: dict[str, Any]) -> Options:
    """``values`` (as ``normalise`` gives them) laid over ``outer``: headers and mappings merge, everything else replaces."""
    options = Options()
    merged = options.__dict__
    if outer is not EMPTY:
        merged.update(outer.__dict__)
        if ('uri' in values or 'url' in values) and ('uri' in merged or 'url' in merged):
            merged.pop('uri', None)
            merged.pop('url', None)
    if values.keys() <= _ADDRESS:
        merged.update(values)
        return options
    for name, value in values.items():
        if name == 'headers':
            values[name] = {**outer.headers, **value}
        elif name in MERGED:
            values[name] = merge(merged.get(name), value)
        elif name == 'auth':
            values[name] = credentials.over(name, outer.auth, value)
        elif name == 'sensitive_headers' and value is not None:
            values[name] = outer.sensitive_headers | value
        elif name == 'timeout':
            values[name] = gathered.over(merged, value)
        elif name in CLAIMS:
            values[name] = claims.over(merged.get(name), value)
    merged.update(values)
    _derive(merged, values)
    if not values.keys() <= _SHAPELESS:
        merged['plans'] = None
    return options


def shared(options: Options) -> Options:
    """The same options as defaults of many requests, which then share what is decided once for all of them."""
    others = Options()
    others.__dict__.update(options.__dict__)
    asked_anew = (
        options.jar is not None
        or options.signed
        or options.netrc is not None
        or options.proxy is not None
        or (options.auth is not None and callable(options.auth.bearer))
    )
    others.__dict__['plans'] = None if asked_anew else {}
    return others


_ADDRESS = frozenset(('uri', 'url', 'method'))
_SHAPELESS = _ADDRESS | frozenset(
    'callback encoding timeout deadline max_body follow_redirect follow_all_redirects follow_original_http_method max_redirects remove_referer_header '
    'allow_insecure_redirect redirect_filter sensitive_headers json_reviver qs qs_parse_options qs_stringify_options use_querystring base_url time progress retry har_log'.split()
)
"""Options that have no say in the header fields and the route of a request without content."""


def _derive(merged: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        if value is None and name not in _NONE_MATTERS:
            del merged[name]
    if 'timeout' in values:
        if values.get('deadline') is not None:
            gathered.check_clocks(values['timeout'], values['deadline'])
        merged['limits'] = gathered.limits(values['timeout'])
    elif 'timeout' not in merged and 'timeout' in (merged.get('agent_options') or ()):
        merged['limits'] = gathered.limits(merged['agent_options']['timeout'])
    if not gathered.TLS_SOURCES.isdisjoint(values):
        gathered.check_verification(values)
        merged['tls'] = gathered.tls(merged)
    if not SIGNED.isdisjoint(values):
        merged.pop('signed', None)
        if not SIGNED.isdisjoint(merged):
            merged['signed'] = True


CLAIMS = frozenset(('oauth', 'hawk', 'aws', 'http_signature', 'http_message_signature'))
SIGNED = CLAIMS | {'signers'}
_NONE_MATTERS = frozenset(('timeout', 'encoding', 'body', 'proxy', 'tunnel'))
"""Where None says something: never, bytes, (with json) the JSON value null, no proxy, as the target's scheme wants. Elsewhere it takes a default back."""


def merge(outer: Any, inner: Any) -> Any:
    """Two values of one option: plain mappings merge key by key, at every depth; anything else of ``inner`` replaces (lists too: mended, Node merges them by index)."""
    if type(outer) is not dict or type(inner) is not dict:
        return inner
    merged = dict(outer)
    pairs = [(merged, inner)]
    for _ in range(512):
        if not pairs:
            return merged
        following = []
        for target, source in pairs:
            for key, value in source.items():
                if type(value) is dict:
                    before = target.get(key)
                    target[key] = dict(before) if type(before) is dict else {}
                    following.append((target[key], value))
                else:
                    target[key] = value
        pairs = following
    raise OptionsError('an option is nested more than 512 levels deep; make it flatter')
