"""Another request, or its response, as the content of a part: it is asked for when its length is needed, and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite.content import Content
from requite.errors import InvalidBody, RequestStateError

if TYPE_CHECKING:
    from collections.abc import Iterator

BODILESS = frozenset((204, 304))


def is_one(value: Any) -> bool:
    """Whether it is a request or a response of this library; sends nothing."""
    return isinstance(value, Content) or is_request(value)


def is_request(value: Any) -> bool:
    """Whether it is a request: told by what its class has, since this floor does not know it, and to ask it for ``response`` would send it."""
    kind = type(value)
    return hasattr(kind, 'response') and hasattr(kind, 'to_curl')


def path_of(value: Any) -> str:
    """The path that the content comes from, without query."""
    uri = value.uri if is_request(value) else value.request.uri
    return uri.pathname or ''


class RemoteBody:
    """The body of a response. A request is sent at the first of: its length is asked for, or its bytes; until then it is ``pending``.

    The length is the response's own content-length; unknown where there is none, and where content codings are undone. A body that was collected
    before lies in memory, and may be sent again; one of which a piece was read is an error, for the rest is not the whole.
    """

    __slots__ = ('_asked', '_length', '_place', '_value', 'headers')

    def __init__(self, value: Any, place: str) -> None:
        self._value = value
        self._place = place
        self._asked = False
        self._length: int | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        if not is_request(value):
            self._whole()

    @property
    def pending(self) -> bool:
        """Whether asking for the length would send a request, or wait for one."""
        return not self._asked and is_request(self._value) and self._value._response is None

    @property
    def length(self) -> int | None:
        if not self._asked:
            response = self._whole()
            self._length = len(response.content) if self._collected() else _stated(response)
            self._asked = True
        return self._length

    @property
    def replayable(self) -> bool:
        return not self.pending and self._collected()

    def bind(self, thread: int | None) -> None:
        """Says which thread alone can read the response to its end, while that one waits to send it on; None: any may again."""
        if not self.pending:
            self._response()._hop.signal.bound = thread

    def chunks(self) -> Iterator[bytes]:
        response = self._whole()
        if self._collected():
            yield response.content
            return
        promised = left = self.length
        for piece in response:
            if left is not None:
                left -= len(piece)
                if left < 0:
                    break
            yield piece
        if left:
            raise InvalidBody(
                f'{self._place} is a response of another length than its content-length of {promised} bytes'
            )

    def _response(self) -> Any:
        return self._value.response if is_request(self._value) else self._value

    def _whole(self) -> Any:
        """The response, as long as nothing of its body is gone."""
        response = self._response()
        if response._content is None and response._streaming is not None:
            raise RequestStateError(
                f'{self._place} is a response whose body was read, or sent, before; read its .content first to send it as often as needed'
            )
        return response

    def _collected(self) -> bool:
        return self._response()._content is not None


def _stated(response: Any) -> int | None:
    if response.request.method == 'HEAD' or response.status_code in BODILESS:
        return 0
    stated = response.headers.get('content-length')
    decoded = response._options.gzip and 'content-encoding' in response.headers
    if decoded or not isinstance(stated, str) or not stated.isascii() or not stated.isdigit():
        return None
    return int(stated)
