"""What a request is going to be: the half of the handle that is configured, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from requite import background, configure
from requite.body.source import DeclaredBody
from requite.carries import first
from requite.errors import RequestStateError
from requite.message import AbortSignal
from requite.prepare import build
from requite.sent import SentRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from requite.message import Carry, Hop
    from requite.options import Options
    from requite.wire.uri import Uri

ALIASES = {
    'setHeader': 'set_header',
    'getHeader': 'get_header',
    'hasHeader': 'has_header',
    'removeHeader': 'remove_header',
    'httpSignature': 'http_signature',
    'httpMessageSignature': 'http_message_signature',
    'toJSON': 'to_json',
    'toCurl': 'to_curl',
}
"""Node's spelling of what a request has."""


class Intent:
    """Options that may still be changed, and what they come to. Each method that changes them checks at once and returns the request."""

    hop: Hop | None = None
    _options: Options
    _carry: Carry
    _written: list[bytes] | None = None
    _verb = False
    """True when only the carry knows which verb was called: what is piped in then does not bring its own method."""
    refused = False
    """True after a change that could not be made: unless it is asked for, the request is not sent then."""

    def auth(self, user: Any = None, password: Any = None, send_immediately: Any = True, bearer: Any = None) -> Self:
        """Basic credentials, or with ``bearer`` a token; ``send_immediately=False`` waits for the server's 401."""
        return self._become(configure.auth(self._unsent('auth', 'auth'), user, password, send_immediately, bearer))

    def form(self, data: Any = None) -> Any:
        """The content as ``application/x-www-form-urlencoded``; without ``data`` the ``FormData`` of this request, to ``append`` fields and files to.

        The body is open from then on: the request is sent when it is asked for, not by being let go. Called again it gives the same form, where
        Node forgets the first one.
        """
        if data is not None:
            return self._become(configure.given(self._unsent('form', 'form'), form=data))
        from requite.body.formdata import FormData

        options = self._unsent('form', 'form_data')
        form = options.form_data
        if not isinstance(form, FormData):
            itself = ref(self)  # a cycle would keep the request from being let go
            form = FormData(lambda: _still_unsent(itself)).extend(form or {})
        self._become(configure.replaced(options, form_data=form))
        self._written = []
        return form

    def json(self, value: Any) -> Self:
        """The content as JSON (True: whatever ``body`` is), and the response parsed."""
        return self._become(configure.given(self._unsent('json', 'json'), json=value))

    def qs(self, mapping: Mapping[str, Any], clobber: bool = False) -> Self:
        """The query with ``mapping`` merged in; with ``clobber`` nothing of the query before stays."""
        return self._become(configure.query(self._unsent('qs', 'qs'), mapping, clobber))

    def set_header(self, name: str, value: Any, clobber: bool = True) -> Self:
        """One header set; one that is there keeps its place and spelling. Without ``clobber`` the value is added after a comma."""
        return self._become(configure.header(self._unsent('set_header', 'headers'), name, value, clobber))

    def remove_header(self, name: str) -> Self:
        """One header taken out, in whatever case it was given."""
        return self._become(configure.without_header(self._unsent('remove_header', 'headers'), name))

    def get_header(self, name: str) -> Any:
        """The value of a header as it is, or would be, sent; None where there is none."""
        return {key.lower(): value for key, value in self.headers.items()}.get(name.lower())

    def has_header(self, name: str) -> str | bool:
        """The name of the header as it is sent if there is one, else False."""
        return next((key for key in self.headers if key.lower() == name.lower()), False)

    def multipart(self, parts: Any) -> Self:
        """The content as ``multipart/related``."""
        return self._become(configure.given(self._unsent('multipart', 'multipart'), multipart=parts))

    def oauth(self, options: Any) -> Self:
        """OAuth 1.0a."""
        return self._become(configure.given(self._unsent('oauth', 'oauth'), oauth=options))

    def hawk(self, options: Any) -> Self:
        """Hawk."""
        return self._become(configure.given(self._unsent('hawk', 'hawk'), hawk=options))

    def aws(self, options: Any) -> Self:
        """AWS signatures."""
        return self._become(configure.given(self._unsent('aws', 'aws'), aws=options))

    def http_signature(self, options: Any) -> Self:
        """HTTP signatures."""
        return self._become(configure.given(self._unsent('http_signature', 'http_signature'), http_signature=options))

    def http_message_signature(self, options: Any) -> Self:
        """HTTP message signatures (RFC 9421)."""
        name = 'http_message_signature'
        return self._become(configure.given(self._unsent(name, name), http_message_signature=options))

    def jar(self, jar: Any) -> Self:
        """Cookies."""
        return self._become(configure.given(self._unsent('jar', 'jar'), jar=jar))

    def to_curl(self, secrets: bool = False) -> str:
        """The request as a curl command line for a POSIX shell, as it was, or would be, sent; credentials are hidden unless ``secrets`` is True."""
        from requite.curl import command

        return command(self._draft(), self._options, secrets)

    def _writable(self) -> Options:
        """The options, as long as a body can be begun piece by piece."""
        options = self._unsent('write', 'body')
        json = options.json
        described = options.form is not None or not (
            json is None or json is False or (json is True and options.body is None)
        )
        if options.form_data is not None or options.multipart is not None:
            self.refused = False
            raise RequestStateError(
                'the body is multipart, write() would end up in the middle of it: add a field with .form().append(name, value)'
            )
        if described:
            self.refused = False
            raise RequestStateError(
                'the body is a form or JSON, which write() cannot add to: leave form and json values out, or write nothing'
            )
        self.refused = False
        return options

    def _write_last(self, chunk: Any) -> None:
        """Gives the last piece of the body, here the only one."""
        from requite.body.source import as_bytes

        self._writable()
        self.refused = True
        self._written = [as_bytes(chunk)]
        self.refused = False

    # -- describing

    @property
    def uri(self) -> Uri:
        """The address, after redirects the last one; ``str()`` is its href."""
        return self._carry.uri if self.hop is None else self.hop.uri

    @property
    def method(self) -> str:
        """The method, after redirects the last one."""
        return self._carry.method if self.hop is None else self.hop.method

    @property
    def headers(self) -> dict[str, Any]:
        """The header fields as they were, or would be, sent."""
        return SentRequest(self._draft()).headers

    def to_json(self) -> dict[str, Any]:
        """Node's ``request.toJSON()``: uri, method, headers."""
        return SentRequest(self._draft()).to_json()

    def _draft(self) -> Hop:
        if self.hop is not None:
            return self.hop
        carry = self._carry
        if getattr(carry.body, 'pending', False):
            carry = carry._replace(body=DeclaredBody(carry.body, None))  # its length would send the request in it
        return build(self._options, carry, None, self._options.limits, AbortSignal())

    def _unsent(self, method: str, option: str) -> Options:
        """The options, as long as they can still be changed."""
        if id(self) not in background.UNSENT:
            raise RequestStateError(
                f'the request was sent or aborted already, .{method}() can have no effect any more: '
                f'pass {option}=... in the call, or call .{method}() before .response, .end(), .start() or a callback; for another try, make another request'
            )
        self.refused = True  # until the change is made: what it was to become is not what would be sent
        if self._options.uri is None and self._options.url is None:
            # made from an address alone: only the carry knows it
            options = configure.replaced(self._options, uri=self._carry.uri)
            return configure.replaced(options, method=self._carry.method) if self._verb else options
        return self._options

    def _become(self, options: Options) -> Self:
        self._carry = first(options)
        self._options = options
        self.refused = False
        return self

    def _finish_writing(self, asked: bool = True) -> None:
        written, self._written = self._written, None
        if written:
            before = self._carry.body.chunks() if self._carry.body is not None else ()
            self._become(configure.replaced(self._unsent('end', 'body'), body=[*before, *written]))

    def __getattr__(self, name: str) -> Any:
        if name in ALIASES:
            return getattr(self, ALIASES[name])
        raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')


def _still_unsent(itself: ref[Intent]) -> None:
    """Raises ``RequestStateError`` once the request behind the reference was sent."""
    intent = itself()
    if intent is not None:
        refused = intent.refused
        intent._unsent('form().append', 'form_data')
        intent.refused = refused
