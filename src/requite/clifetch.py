"""Sends what a command line asks for, and puts the answer where it belongs."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requite import cliprogress, clirequest, cliwords, download
from requite.api import Requests
from requite.errors import MalformedResponse, OptionsError, RequestError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from requite.cliaddress import Wanted
    from requite.clishow import Screen
    from requite.message import Hop
    from requite.redaction import Shown
    from requite.request import Request
    from requite.response import Response
    from requite.resume import Part


class Refused(Exception):
    """Something is wrong with what is asked for; nothing was sent."""


class Answered(Exception):
    """A server answered with 400 or more."""


class Job:
    """One request of a command line."""

    def __init__(self, arguments: Namespace, asked: Wanted) -> None:
        self.arguments = arguments
        self.asked = asked
        self.path = arguments.output or asked.output
        self.headless = arguments.headers or asked.method == 'HEAD'
        if self.headless and (self.path is not None or arguments.download or arguments.resume):
            raise OptionsError(
                'only the head is asked for: there is no body for a file; leave -o, --download and --continue out'
            )
        self.named = arguments.download and self.path is None
        self.to_stdout = not self.named and self.path in (None, '-')
        self.screen = self._screen()

    def _screen(self) -> Screen | None:
        """Where heads are shown: with the body where people see that, or else on standard error if they were asked for."""
        arguments = self.arguments
        visible = self.to_stdout and sys.stdout is not None and sys.stdout.isatty()
        plain = visible and not arguments.body
        if sys.stdout is not None and (self.headless or self.asked.head or plain or (visible and arguments.verbose)):
            return _screen(sys.stdout)
        return _screen(sys.stderr) if arguments.verbose and sys.stderr is not None else None

    @property
    def _shown(self) -> Shown:
        from requite.redaction import Shown

        return Shown(self.arguments.secrets)

    @property
    def visible(self) -> bool:
        """Whether the body itself is seen on a terminal."""
        return self.to_stdout and sys.stdout is not None and sys.stdout.isatty()

    def request(self, more: dict[str, str] | None = None) -> Request:
        """The request, not sent yet; ``more`` are header fields besides."""
        asked = self.asked
        options: dict[str, Any] = {'gzip': True, 'encoding': None, **asked.options}
        if asked.url is not None:
            options['uri'] = asked.url
        if asked.method is not None:
            options['method'] = asked.method
        if more:
            options['headers'] = {**more, **dict(options.get('headers') or {})}
        request = Requests()(options)
        if self.arguments.verbose and self.screen is not None:
            request.on('request', self._sent)
            request.on('redirect', lambda: self._received(request.response))
        if request._carry.body is not None and cliprogress.watched():
            cliprogress.show_upload(request)
        return request

    def _sent(self, hop: Hop) -> None:
        from requite import clishow

        assert self.screen is not None
        self.screen.write([*clishow.request_head(hop, self._shown), *clishow.sent_body(hop, self._shown)])

    def _received(self, response: Response) -> None:
        if self.screen is not None:
            from requite import clishow

            self.screen.write(clishow.response_head(response, self._shown))

    def prepare(self) -> Callable[[], None]:
        """What does it, after everything was checked that can be before anything is sent."""
        if self.arguments.resume:
            part = self._part()
            self.request().refused = True  # made only to be checked
            return lambda: self._go_on(part)
        output = None if self.named or self.headless else download.target(self.path)
        request = self.request()
        if 'aws' in self.asked.options:
            request.headers  # noqa: B018 - signs, and complains where that cannot be done
        if self.arguments.curl or self.arguments.offline:
            return lambda: self._show(request)
        return lambda: self._deliver(request, output)

    def _deliver(self, request: Request, output: download.Output | None) -> None:
        """Sends the request and writes the answer; raises ``Answered`` for one of 400 or more, after its page went to standard output."""
        with request as response:
            self._received(response)
            if self.headless:
                if self.arguments.timings:
                    _read_up(response)
            elif self.visible:
                from requite import clishow

                clishow.show_body(response, _screen(sys.stdout))
            elif response.ok or (output is not None and output.takes_errors):
                self._copy(response, output)
            self._timings(response)
            if not response.ok:
                kept = (
                    ''
                    if self.headless or (output is not None and output.takes_errors)
                    else f'; {self.path} was not written'
                )
                raise Answered(_answer(request, response) + ('; no file was written' if self.named else kept))

    def _copy(self, response: Response, output: download.Output | None) -> None:
        name = None
        if output is None:
            from requite import resume

            name = resume.free_name(response, Path())
            output = download.target(name)
        output.open()
        try:
            cliprogress.pour(response, output, download.announced(response))
            output.keep()
        finally:
            output.discard()
        if name is not None:
            _note(f'saved as {name}')

    def _part(self) -> Part:
        from requite import resume

        if self.path is None or self.path == '-':
            raise OptionsError('--continue needs the file that it goes on with: -o FILE')
        if self.asked.method not in (None, 'GET') or self.asked.options.get('body') is not None:
            raise OptionsError('--continue is for GET only')
        return resume.Part(self.path, str(self.asked.url))

    def _go_on(self, part: Part) -> None:
        """Goes on with a download that broke off."""
        path = str(self.path)
        if part.there and not part.exists:
            _note(f'{path} is here already, and whole; leave --continue out to fetch it again')
            return
        output = download.Output(part, path)
        output.open()
        try:
            self._continue(part, output)
        finally:
            output.discard()
            if part.exists:
                _note(f'{download.amount(part.size)} are kept in {path}.part; the same command goes on from there')

    def _continue(self, part: Part, output: download.Output) -> None:
        """Asks for the rest, once for all of it where that is not to be had, and on as long as a server sends less than the rest."""
        from requite import resume

        verdict = ''
        while True:
            before, refused = part.size, verdict == resume.AGAIN
            request = self.request(part.fields())
            with request as response:
                self._received(response)
                if not response.ok and response.status_code != 416:
                    raise Answered(f'{_answer(request, response)}; {self.path} was not written')
                verdict = part.judge(response)
                if verdict == resume.AGAIN:
                    if refused:
                        raise MalformedResponse('the server answers with parts that were not asked for')
                    part.forget()
                    continue
                if verdict != resume.WHOLE:
                    cliprogress.pour(response, output, part.total, part.size)
                if verdict == resume.GO_ON and part.total is not None and before < part.size < part.total:
                    continue
                output.keep()
                self._timings(response)
                return

    def _timings(self, response: Response) -> None:
        if self.arguments.timings and response.timings is not None and sys.stderr is not None:
            from shutil import get_terminal_size

            width = max(16, min(get_terminal_size().columns, 100) - 26)
            before = '\n' if self.visible else ''
            _screen(sys.stderr).plain(f'{before}{response.timings.waterfall(width)}\n')

    def _show(self, request: Request) -> None:
        """Prints the request instead of sending it."""
        request.refused = True
        if self.arguments.curl:
            print(request.to_curl(self.arguments.secrets))
            sys.stdout.flush()
        else:
            self._offline(request._draft())

    def _offline(self, hop: Hop) -> None:
        from requite import clishow

        screen = _screen(sys.stdout)
        screen.write(clishow.request_head(hop, self._shown))
        if screen.terminal:
            screen.write(clishow.sent_body(hop, self._shown))
        elif hop.body is not None:
            for piece in hop.body.chunks():
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()


def run(arguments: Namespace) -> None:
    """Does what the arguments say; raises ``Refused`` before anything is sent, then ``RequestError``, ``Answered`` and ``download.OutputError``."""
    with ExitStack() as opened:
        try:
            task = Job(arguments, clirequest.wanted(arguments, opened)).prepare()
        except (RequestError, NotImplementedError) as error:
            raise Refused(cliwords.said(error)) from None
        with download.cleaning_up_when_terminated():
            task()


def _screen(stream: Any) -> Screen:
    from requite.clishow import Screen

    return Screen(stream)


def _note(text: str) -> None:
    if sys.stderr is not None:
        from requite.clishow import harmless

        print(f'requite: {harmless(text)}', file=sys.stderr)


def _read_up(response: Response) -> None:
    for _ in response:
        pass


def _answer(request: Request, response: Response) -> str:
    return f'{request.uri.redacted()} was answered {response.status_code} {response.status_message}'.rstrip()
