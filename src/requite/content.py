"""The body of a response: collected or in pieces, content codings undone, and the events that go with it."""

from __future__ import annotations

from io import BytesIO
from threading import Event, get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

from requite.errors import BodyTooLarge, RequestError, RequestStateError
from requite.flow import BEING_TOLD, Flow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requite.emitter import Emitter
    from requite.headers import Headers
    from requite.message import Hop, Reply
    from requite.options import Options

PIECE = 262144
"""The largest piece that is given at a time, in bytes."""


class Content:
    """What a response holds besides its head. Reading it twice is no harm once it was collected; pieces come only once."""

    status_code: int
    headers: Headers
    _reply: Reply
    _hop: Hop
    _options: Options
    _content: bytes | None = None
    _emitter: Emitter | None = None
    _bar: Any = None
    _streaming: Any = None
    _value: Any = None
    _clock: tuple[float, float, dict[str, float]] | None = None
    """With ``time=True``: when the exchange and its last hop began, and the marks of that hop."""
    _stopped: float | None = None
    _with_body = False
    _watch: Callable[[RequestError], None] | None = None
    _fault: RequestError | None = None
    _left = b''
    _position = 0
    _incremental: Any = None
    _tried = False
    _ended = False

    @property
    def content(self) -> bytes:
        """The whole body as bytes, content codings undone; read now if it was not yet."""
        if self._content is None:
            self._collect()
        return self._content  # type: ignore[return-value]

    @property
    def text(self) -> str:
        """The whole body as text in ``encoding`` (UTF-8 where that is None)."""
        from requite.wire import text

        return text.decode(self.content, self._options.encoding or 'utf-8')

    @property
    def body(self) -> Any:
        """The whole body as the options ask for it: parsed JSON, text, or bytes. JSON that does not parse stays text; without content it is None."""
        value = self._value
        if value is None:
            value = self._value = self._as_asked()
        return value

    def json(self, reviver: Any = None) -> Any:
        """The whole body parsed as JSON, whatever the options say; raises ``ValueError`` when it is none."""
        from requite.wire.jsondoc import loads

        return loads(self.content, reviver or self._options.json_reviver)

    def read(self, size: int | None = -1) -> bytes:
        """At most ``size`` bytes of the body as they come, all of the rest with -1; ``b''`` at the end."""
        size = -1 if size is None else size
        whole = size < 0
        if self._content is None and (self._streaming == () or (whole and self._streaming is None)):
            self._collect()
        if self._content is not None:
            start = self._position
            self._position = len(self._content) if whole else min(start + size, len(self._content))
            return self._content[start : self._position]
        if whole:
            return b''.join(self)
        flow = self._stream()
        if self._left:
            data, self._left = self._left[:size], self._left[size:]
            return data
        data = self._read_on(flow)
        data, self._left = data[:size], data[size:]
        return data

    def __iter__(self) -> Iterator[bytes]:
        """The body in pieces as they come, content codings undone; of a collected body what was not read yet."""
        if self._content is not None or self._streaming == ():
            if rest := self.read():
                yield rest
            return
        if self._left:
            data, self._left = self._left, b''
            yield data
        flow = self._stream()
        while piece := self._read_on(flow):
            yield piece

    def _as_asked(self) -> Any:
        options = self._options
        content = self.content
        if options.json is not None and options.json is not False:
            if not content:
                return None
            try:
                return self.json()
            except ValueError:
                pass  # as in Node: what does not parse stays text
        if options.encoding is None:
            return content
        if options.encoding == 'utf-8' and content[:3] != b'\xef\xbb\xbf':
            return content.decode('utf-8', 'replace')
        from requite.wire import text

        return text.decode(content, options.encoding)

    def _collect(self) -> None:
        if self._reply.complete and self._streaming is None and self._emitter is None and not self._options.gzip:
            self._take()
            return
        stage = None if self._emitter is None else self._emitter.stage
        ident = get_ident() if stage is None else stage.here()
        if self.__dict__.setdefault('_reader', ident) != ident:
            self._await()
            return
        try:
            self._read_whole()
        finally:
            self._tried = True
            waiting = self.__dict__.get('_waiting')
            if waiting is not None:
                waiting.set()

    def _take(self) -> None:
        """The body that came together with the head; nobody has to wait for it."""
        if self._fault is not None:
            raise self._fault
        try:
            content = self._reply.collect(self._options.max_body)
        except RequestError as error:
            self._failed(error)
        self._streaming = ()
        self._content = content
        if self._clock is not None:
            self._finish()

    def _await(self) -> None:
        """Waits for another thread that is collecting the body."""
        waiting = self.__dict__.setdefault('_waiting', Event())
        if not self._tried:
            waiting.wait()
        if self._fault is not None:
            raise self._fault
        if self._content is None:
            raise RequestStateError(
                'another thread read the body in pieces, or was interrupted while it read it; only one can'
            )

    def _read_whole(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._streaming is not None:
            raise RequestStateError(
                'the body was read in pieces already, or its reading is going on or was broken off; ask for .body first, or join the pieces yourself'
            )
        self._streaming = ()
        decoder = self._decoder() if self._options.gzip else None
        limit = self._options.max_body
        if decoder is None and self._emitter is None:
            try:
                content = self._reply.collect(limit)
            except RequestError as error:
                self._failed(error)
            self._content = content
            self._collected(content)
            return
        whole = (
            BytesIO()
        )  # grows in place and gives its bytes away: a list of pieces would be held twice while it is joined
        flow = Flow(decoder)
        while (piece := self._step(flow)) is not None:
            if limit is not None and whole.tell() + len(piece) > limit:
                self._reply.abort()
                self._failed(BodyTooLarge(f'the body is larger than max_body={limit} bytes'))
            whole.write(piece)
        self._content = whole.getvalue()
        self._finish()

    def _collected(self, content: bytes) -> None:
        """Tells who began to listen in another thread while the body was collected, and stops the clock."""
        if self._emitter is not None and content:
            self._announce(content)
        if self._emitter is not None or self._clock is not None:
            self._finish()

    def _stream(self) -> Flow:
        if self._fault is not None:
            raise self._fault
        flow: Flow | None = self._streaming
        if flow is None:
            flow = self._streaming = Flow()
        elif flow.running:
            raise RequestStateError(BEING_TOLD)
        return flow

    def _read_on(self, flow: Flow) -> bytes:
        """The next piece of a body that is read in pieces; ``b''`` at the end."""
        if not flow.take():
            raise RequestStateError(BEING_TOLD)
        try:
            piece = None if self._ended else self._step(flow)
            if piece is None and not self._ended:
                self._finish()
        finally:
            flow.give_back()
        return piece or b''

    def _decoder(self) -> Any:
        coding = self.headers.get('content-encoding')
        if not self._options.gzip or not coding or self._hop.method == 'HEAD' or self.status_code in (204, 304):
            return None
        from requite.wire import decode

        return decode.decoder_for(str(coding))

    def _step(self, flow: Flow) -> bytes | None:
        """The next decoded piece, announced as a ``data`` event; None at the end."""
        try:
            if flow.pieces is None:
                flow.pieces = self._received(flow.decoder or self._decoder())
            piece = next(flow.pieces, None)
            if piece is not None and self._emitter is not None:
                self._announce(piece)
                self._hop.signal.check()
        except Exception as error:  # noqa: BLE001 - raised again
            self._reply.abort()
            self._failed(error)
        return piece

    def _received(self, decoder: Any) -> Iterator[bytes]:
        read: Callable[[int], bytes] = self._reply.read
        if self._emitter is not None and self._emitter.has('progress'):
            from requite.progress import received

            read = received(self, self._emitter)
        if decoder is None:
            return iter(lambda: read(PIECE), b'')
        from requite.wire.decode import pieces

        return pieces(read, decoder, PIECE)

    def _announce(self, piece: bytes) -> None:
        if not self._emitter.has('data'):  # type: ignore[union-attr]
            return
        if self._options.given('encoding') and self._options.encoding is not None:
            from requite.wire import text

            if self._incremental is None:
                self._incremental = text.Incremental(self._options.encoding)
            self._emitter.emit('data', self._incremental.feed(piece))  # type: ignore[union-attr]
        else:
            self._emitter.emit('data', piece)  # type: ignore[union-attr]

    def _finish(self) -> None:
        self._ended = True
        if self._clock is not None:
            self._stopped = perf_counter()
        incremental, self._incremental = self._incremental, None
        emitter = self._emitter
        if emitter is None:
            return
        if incremental is not None and (rest := incremental.end()):
            emitter.emit('data', rest)
        emitter.emit('end')
        emitter.emit('complete', *((self, self.body) if self._with_body else (self,)))
        emitter.emit('close')

    def _failed(self, error: Exception) -> NoReturn:
        # not ours: from a listener, or from the body that is still being sent
        self._fault = error if isinstance(error, RequestError) else RequestStateError('broken off by an error before')
        if self._clock is not None:
            from requite.timings import Timings

            self._fault.timings = Timings(*self._clock, perf_counter()).timings()
        if self._watch is not None and isinstance(error, RequestError):
            self._watch(error)
        raise error
