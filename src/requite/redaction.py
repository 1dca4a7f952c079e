"""What is left out of everything that is shown, logged or saved: credentials in header fields, in addresses and in forms (SECURITY Q9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from requite.wire.uri import Uri

SECRET = frozenset(
    (
        'authorization proxy-authorization cookie set-cookie authentication-info proxy-authentication-info x-amz-security-token signature '
        'api-key apikey x-api-key x-goog-api-key x-functions-key ocp-apim-subscription-key x-auth-token x-access-token x-session-token '
        'x-vault-token private-token job-token x-csrf-token x-xsrf-token'
    ).split()
)
"""Header fields that prove who the caller is, in lower case."""
PARAMETERS = frozenset(
    (
        'accesskey accesstoken apikey assertion auth authorization authtoken bewit clientassertion clientsecret codeverifier csrftoken idtoken jobtoken '
        'jwt oauthsignature oauthtoken oauthtokensecret oauthverifier pass passphrase passwd password privatetoken pwd refreshtoken samlresponse secret '
        'sessionid sessiontoken sig signature token xamzsecuritytoken xamzsignature xgoogsignature'
    ).split()
)
"""The same for parameters of a query or a form; letter case, hyphens and underscores do not count."""
ADDRESSES = frozenset(('location', 'content-location', 'referer'))
HIDDEN = '***'


class Shown:
    """What may be shown: everything with ``secrets``; otherwise no credentials, nor the header fields that ``more`` names in lower case."""

    __slots__ = ('_secret', 'secrets')

    def __init__(self, secrets: bool = False, more: frozenset[str] = frozenset()) -> None:
        self.secrets = secrets
        self._secret = SECRET | more

    def field(self, name: str, value: str) -> str:
        """The value of a field: of credentials only the scheme stays (``Basic ***``), of cookies nothing, of an address what ``link`` leaves."""
        lowered = name.lower()
        if self.secrets:
            return value
        if lowered in ADDRESSES and lowered not in self._secret:
            return self.link(value)
        if lowered not in self._secret:
            return value
        scheme, blank, _ = value.partition(' ')
        return f'{scheme} {HIDDEN}' if blank and lowered.endswith('authorization') and scheme.isalnum() else HIDDEN

    def fields(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """All the fields, each as ``field`` gives it."""
        return [(name, self.field(name, value)) for name, value in pairs]

    def value(self, text: str) -> str:
        """Something that is a secret."""
        return text if self.secrets else HIDDEN

    def address(self, uri: Uri) -> str:
        """An address without userinfo and fragment."""
        return self.link(uri.without_userinfo().without_fragment().href)

    def link(self, text: str) -> str:
        """The text of an address or a reference."""
        if self.secrets:
            return text
        start, hash_mark, fragment = text.partition('#')
        start, mark, query = start.partition('?')
        return _anonymous(start) + mark + self.form(query) + hash_mark + self.form(fragment)

    def form(self, text: str) -> str:
        """Parameters as they stand in a query or a form: ``a=1&token=***``."""
        if self.secrets or '=' not in text:
            return text
        return '&'.join(_hidden(pair) for pair in text.split('&'))


def named(name: str) -> bool:
    """Whether a parameter of that name holds a secret: ``access_token``, ``X-Amz-Signature``, ``user[password]``."""
    last = name.rstrip(']').rpartition('[')[2]
    return last.lower().replace('-', '').replace('_', '') in PARAMETERS


def _anonymous(text: str) -> str:
    """An address or reference up to its query, without the names and passwords before its host."""
    scheme, mark, rest = text.partition('//')
    host, slash, path = rest.partition('/')
    if not mark or '@' not in host or (scheme and not scheme.endswith(':')):
        return text
    return f'{scheme}//{HIDDEN}@{host.rpartition("@")[2]}{slash}{path}'


def _hidden(pair: str) -> str:
    from urllib.parse import unquote

    name, mark, value = pair.partition('=')
    return f'{name}={HIDDEN}' if mark and value and named(unquote(name)) else pair


def is_hidden(name: str, value: str) -> bool:
    """Whether ``value`` is what ``Shown.field`` leaves of a secret, and not worth sending."""
    return value == HIDDEN or (name.lower().endswith('authorization') and value.endswith(f' {HIDDEN}'))


_PLAIN = frozenset(
    'method json time gzip timeout deadline max_body encoding forever follow_redirect follow_all_redirects follow_original_http_method max_redirects '
    'remove_referer_header allow_insecure_redirect strict_ssl reject_unauthorized tunnel family local_address use_querystring progress retry'.split()
)
"""Options whose values hold no secret, where they are plain ones."""
_ADDRESSES = ('base_url', 'uri', 'url')
MOST_SHOWN = 400


def options(given: Mapping[str, Any]) -> str:
    """Options as a wrapper shows them, in one line: plain values, addresses without credentials, the names of headers; of all else the name only."""
    text = ' '.join([f'{name}={_option(name, given[name])}' for name in sorted(given)])
    return text if len(text) <= MOST_SHOWN else f'{text[:MOST_SHOWN]}...'


def _option(name: str, value: Any) -> str:
    if value is None or isinstance(value, bool) or (name in _PLAIN and isinstance(value, (int, float, str))):
        return repr(value)
    if name in _ADDRESSES:
        return _address(str(value))
    if name == 'headers':
        pairs = value if isinstance(value, dict) else dict(value)
        return f'({", ".join([str(key) for key in pairs])})'
    return HIDDEN


def _address(text: str) -> str:
    """An address without userinfo and query, either of which may hold a token."""
    head, question, _ = text.partition('?')
    scheme, slashes, rest = head.partition('//')
    authority, slash, path = rest.partition('/')
    _, at, host = authority.rpartition('@')
    return repr(f'{scheme}{slashes}{HIDDEN + at if at else ""}{host}{slash}{path}{question and "?" + HIDDEN}')


_NOTHING = Shown()
link = _NOTHING.link
"""The text of an address or a reference, as it may be shown."""
field = _NOTHING.field
"""The value of a field as it may be shown."""
fields = _NOTHING.fields
"""Header fields as they may be shown."""
