"""The request that was really sent, as the response and the handle show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requite.message import Hop
    from requite.wire.uri import Uri


class SentRequest:
    """What was really sent last: the request behind a response, after all redirects."""

    __slots__ = ('_default_port', '_hop')

    def __init__(self, hop: Hop, default_port: bool = True) -> None:
        self._hop = hop
        self._default_port = default_port

    @property
    def method(self) -> str:
        """The method of the last hop, in the caller's spelling."""
        return getattr(self._hop.method, 'spelling', self._hop.method)

    @property
    def uri(self) -> Uri:
        """The address of the last hop; ``str()`` is its href."""
        return self._hop.uri

    @property
    def href(self) -> str:
        """The address of the last hop as a str."""
        return self._hop.uri.href

    @property
    def headers(self) -> dict[str, Any]:
        """The header fields that were sent, names as on the wire; repeated ones as a list."""
        fields: dict[str, Any] = {}
        for name, value in self._hop.fields:
            if name in fields:
                before = fields[name]
                fields[name] = [*(before if isinstance(before, list) else [before]), value]
            else:
                fields[name] = value
        return fields

    def to_json(self) -> dict[str, Any]:
        """Node's ``request.toJSON()``: uri, method, headers; a Host that requite itself set is left out."""
        headers = self.headers
        if headers.get('host') == self._hop.uri.host_field:
            del headers['host']
        length = headers.get('content-length')
        if isinstance(length, str) and length.isdigit():
            headers['content-length'] = int(length)
        return {'uri': self._hop.uri.to_json(self._default_port), 'method': self.method, 'headers': headers}

    def __getattr__(self, name: str) -> Any:
        if name == 'toJSON':
            return self.to_json
        raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')

    def __repr__(self) -> str:
        return f'<SentRequest {self.method} {self.uri.redacted()}>'
