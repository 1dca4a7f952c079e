"""The command line: ``requite [METHOD] URL [ITEM ...]``, ``requite tour`` and ``requite proxy PORT TARGET``.

The exit status tells scripts what kind of thing went wrong; whatever goes wrong is one line on standard error.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

OK, HTTP_ERROR, USAGE, CONNECTION, TLS, TIMEOUT, RESPONSE, OUTPUT = range(8)
INTERRUPTED, PIPE_CLOSED = 130, 141
"""What a shell reports of a program that SIGINT (2) or SIGPIPE (13) ended: 128 and the number."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status; ``argv`` are the arguments (default: those of the process)."""
    from requite import clihelp

    arguments = clihelp.read(lambda message: complain(message, USAGE), argv)
    try:
        if arguments.help or not (sys.argv[1:] if argv is None else argv):
            return _help()
        if arguments.words == ['tour']:
            return _tour(arguments)
        if arguments.words[:1] == ['proxy']:
            return _proxy(arguments)
        return _fetch(arguments)
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


def status_of(error: Exception) -> int:
    """The exit status for what an exchange failed with."""
    from requite import errors

    # A body that broke off is a connection that was reset, and every timeout is a transport error: the narrow ones come first.
    table = (
        (TimeoutError, TIMEOUT),
        (errors.TLSError, TLS),
        (errors.ResponseAborted, RESPONSE),
        (errors.TransportError, CONNECTION),
        (OSError, OUTPUT),  # a jar that cannot be written, a file that cannot be read on
        (NotImplementedError, USAGE),
    )
    return next((status for kind, status in table if isinstance(error, kind)), RESPONSE)


def _help() -> int:
    from requite import clihelp

    clihelp.parser(lambda message: complain(message, USAGE)).print_help()
    sys.stdout.flush()
    return OK


def _tour(arguments: Namespace) -> int:
    if arguments.output is not None:
        return complain('the tour writes no file: leave -o out', USAGE)
    from requite import tour

    status = tour.run(sys.stdout)
    sys.stdout.flush()
    return status


def _proxy(arguments: Namespace) -> int:
    from requite import cliproxy, cliwords
    from requite.errors import RequestError

    try:
        cliproxy.run(arguments)
    except (RequestError, NotImplementedError) as error:
        return complain(cliwords.said(error), USAGE)
    except OSError as error:
        return complain(f'cannot listen on {arguments.words[1]}: {error.strerror}', CONNECTION)
    return OK


def _fetch(arguments: Namespace) -> int:
    from requite import clifetch
    from requite.download import OutputError
    from requite.errors import RequestError

    try:
        clifetch.run(arguments)
    except clifetch.Refused as error:
        return complain(str(error), USAGE)
    except clifetch.Answered as error:
        return complain(str(error), HTTP_ERROR)
    except OutputError as error:
        return complain(str(error), OUTPUT)
    except BrokenPipeError as error:
        if not isinstance(error, RequestError):
            raise
        return complain(str(error), status_of(error))
    except (RequestError, NotImplementedError, OSError) as error:
        return complain(str(error), status_of(error))
    return OK


def _silence() -> None:
    """Has what is left in the buffer of standard output go nowhere, so that the interpreter does not stumble over it when it ends."""
    import os

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
