"""A request as the package http-message-signatures looks at it, with the method and the target that are sent whatever the package would say to them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requite.message import Draft

_UNTAKEN = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]|%(?![0-9A-Fa-f]{2})")


class Message:
    """A draft as the package looks at requests. The authority is that of the Host field, which is what the server has (RFC 9421 2.2.3).

    The package refuses methods and targets that can be sent: ``method`` and ``url`` are in a spelling that it takes, ``sent`` are both as they are signed.
    """

    __slots__ = ('headers', 'method', 'sent', 'url')

    def __init__(self, draft: Draft) -> None:
        self.sent = str(draft.method), draft.target
        self.method = self.sent[0].upper()
        target = _UNTAKEN.sub(lambda found: f'%{ord(found[0]):02X}', draft.target)
        self.url = f'{draft.uri.scheme}://{draft.get("host")}{target}'
        self.headers = Fields(draft.fields)


@cache
def resolver(package: Any) -> Any:
    """The package's reader of components, but for those that tell the method and the target: they are what is sent."""

    class Sent(package.HTTPSignatureComponentResolver):  # type: ignore[misc]
        def get_method(self) -> str:
            return str(self.message.sent[0])

        def get_request_target(self) -> str:
            return str(self.message.sent[1])

        def get_target_uri(self) -> str:
            return f'{self.url_parts.scheme}://{self.url_parts.authority}{self.message.sent[1]}'

        def get_path(self) -> str:
            return str(self.message.sent[1].partition('?')[0])

        def get_query(self) -> str:
            return f'?{self.message.sent[1].partition("?")[2]}'

    return Sent


class Fields:
    """The fields of a draft, line by line, and apart from them what the package adds."""

    __slots__ = ('_fields', 'made')

    def __init__(self, fields: Mapping[str, tuple[str, Any]]) -> None:
        self._fields = fields
        self.made: dict[str, str] = {}

    def items(self) -> Iterator[tuple[str, str]]:
        for name, value in self._fields.values():
            if isinstance(value, str):
                yield name, value
            else:
                yield from ((name, line) for line in value)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._fields.values()])

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._fields

    def __setitem__(self, name: str, value: str) -> None:
        self.made[name] = value

    def __delitem__(self, name: str) -> None:
        raise KeyError(name)  # there is nothing of the package's to take out
