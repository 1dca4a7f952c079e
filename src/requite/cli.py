"""The command line: ``requite tour`` and ``requite URL [-o FILE]``.

The exit status tells scripts what kind of thing went wrong; whatever goes wrong is one line on standard error.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

OK, HTTP_ERROR, USAGE, CONNECTION, TLS, TIMEOUT, RESPONSE, OUTPUT = range(8)
INTERRUPTED, PIPE_CLOSED = 130, 141
"""What a shell reports of a program that SIGINT (2) or SIGPIPE (13) ended: 128 and the number."""

USE = """\
requite tour
       requite URL [-o FILE] [--timeout MS]"""
ABOUT = """\
Node's request for Python, on the command line.

  requite tour                             see what it does, on this machine
  requite https://example.com/             fetch to standard output
  requite example.com/disk.iso -o disk.iso fetch into a file"""
CLOSING = """\
Redirects are followed. Compressed answers are asked for and unpacked. The body
is written as it comes; FILE appears when it is whole, and not before. Progress
is shown when standard error is a terminal that the body does not go to.

exit status:
  0   done
  1   the server answered 400 or more (its page goes to standard output, but
      never replaces a FILE)
  2   the command line or the URL is wrong; nothing was sent
  3   no connection: unknown name, refused, reset
  4   TLS: the certificate is not acceptable, or the handshake failed
  5   a timeout
  6   the answer is not usable: malformed, cut short, undecodable, or redirects
      that lead nowhere
  7   FILE or standard output cannot be written
  130 interrupted, 141 the reader of standard output has gone

In Python:  from requite import request; print(request(URL).response.body)"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status; ``argv`` are the arguments (default: those of the process)."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        if arguments.target is None:
            return _help(parser)
        if arguments.target == 'tour':
            return _tour(parser, arguments.output)
        return _fetch(arguments.target, arguments.output, arguments.timeout)
    except KeyboardInterrupt:
        return complain('interrupted', INTERRUPTED)
    except BrokenPipeError:
        _silence()
        return PIPE_CLOSED


def complain(message: str, status: int) -> int:
    """Prints one line on standard error and gives ``status`` back; characters that could steer a terminal become question marks."""
    if sys.stderr is not None:
        line = ''.join(character if character.isprintable() else '?' for character in message)
        print(f'requite: {line}', file=sys.stderr)
    return status


def with_scheme(url: str) -> str:
    """The URL as it was meant: ``example.com/x`` and ``localhost:8080`` are ``http://...``."""
    import re

    if not url or re.match('[A-Za-z][A-Za-z0-9+.-]*://', url):
        return url
    return f'http:{url}' if url.startswith('//') else f'http://{url}'


def status_of(error: Exception) -> int:
    """The exit status for what an exchange failed with."""
    from requite import errors

    # A body that broke off is a connection that was reset, and every timeout is a transport error: the narrow ones come first.
    table = (
        (TimeoutError, TIMEOUT),
        (errors.TLSError, TLS),
        (errors.ResponseAborted, RESPONSE),
        (errors.TransportError, CONNECTION),
        (NotImplementedError, USAGE),
    )
    return next((status for kind, status in table if isinstance(error, kind)), RESPONSE)


def _parser() -> ArgumentParser:
    from argparse import ArgumentParser, RawDescriptionHelpFormatter
    from typing import NoReturn

    from requite._version import __version__

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            sys.exit(complain(f'{message} (requite --help tells more)', USAGE))

    parser = Parser(
        prog='requite',
        usage=USE,
        description=ABOUT,
        epilog=CLOSING,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        'target',
        nargs='?',
        metavar='URL',
        help="the address; without a scheme it is http. The word 'tour' starts the tour",
    )
    parser.add_argument('-o', '--output', metavar='FILE', help='write the body to FILE, - is standard output')
    parser.add_argument(
        '--timeout',
        metavar='MS',
        type=int,
        help='milliseconds to wait for the connection (default: 10000), and for each next byte (300000)',
    )
    parser.add_argument('--version', action='version', version=f'requite {__version__}')
    return parser


def _help(parser: ArgumentParser) -> int:
    parser.print_help()
    sys.stdout.flush()
    return OK


def _tour(parser: ArgumentParser, output: str | None) -> int:
    if output is not None:
        parser.error('the tour writes no file: leave -o out')
    from requite import tour

    status = tour.run(sys.stdout)
    sys.stdout.flush()
    return status


def _fetch(url: str, output: str | None, timeout: int | None) -> int:
    """Fetches ``url`` into the file ``output`` (None and '-': standard output)."""
    from requite import download
    from requite.api import Requests
    from requite.errors import OptionsError, RequestError

    try:
        target = download.target(output)
        client = Requests() if timeout is None else Requests().defaults(timeout=timeout)
        request = client.get(with_scheme(url), gzip=True, encoding=None)
    except (OptionsError, NotImplementedError, download.UsageError) as error:
        return complain(str(error), USAGE)
    try:
        with download.cleaning_up_when_terminated(), request as response:
            if response.ok or target.takes_errors:
                download.copy(response, target)
            if response.ok:
                return OK
            kept = '' if target.takes_errors else f'; {output} was not written'
            return complain(
                f'{request.uri.redacted()} was answered {response.status_code} {response.status_message}'.rstrip()
                + kept,
                HTTP_ERROR,
            )
    except (RequestError, NotImplementedError) as error:
        return complain(str(error), status_of(error))
    except download.OutputError as error:
        return complain(str(error), OUTPUT)


def _silence() -> None:
    """Has what is left in the buffer of standard output go nowhere, so that the interpreter does not stumble over it when it ends."""
    import os

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
