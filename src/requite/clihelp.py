"""The words of the command line: its arguments, and what ``--help`` says of them."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, NoReturn

from requite._version import __version__

if TYPE_CHECKING:
    from argparse import Action, Namespace
    from collections.abc import Callable, Sequence

USE = """\
requite [METHOD] URL [ITEM ...]
       requite tour
       requite proxy PORT TARGET"""
ABOUT = """\
Node's request for Python, on the command line.

  requite example.com                      the page, coloured on a terminal
  requite example.com/disk.iso -o disk.iso into a file, with a progress bar
  requite api.example.com/users name=Ada   POST {"name": "Ada"}
  requite PUT :8080/users/1 age:=36        to this machine, port 8080
  requite example.com/up photo@me.png      upload a file as a form does
  requite example.com -v                   what was sent, what came back
  requite tour                             see what the library does
  requite proxy 8080 example.com           a proxy in front of a site

METHOD is GET, or POST where there is something to send. A URL without a
scheme is http, one that begins with a colon is on this machine.

items, after the URL:
  name=value     a field of a JSON object (or of a form: --form)
  name:=json     a field that is a number, true, null, a list, an object
  name=@file     the text of a file, name:=@file its JSON
  name@file      a file, uploaded as multipart/form-data; name@file;type=x/y
  @file          the file is the whole content; @- is standard input
  name==value    into the query of the URL
  Name:value     a header; Name: leaves one out, Name; sends it empty
  A backslash takes the meaning from : = and @, as in 'a\\:b=c'."""
CLOSING = """\
The body goes to standard output, byte by byte as it comes, when that is a
file or a pipe. On a terminal the head is shown too, JSON is laid out, and
nothing that a server sends can steer the terminal. Compressed answers are
asked for and unpacked. FILE appears when it is whole, and not before.

exit status:
  0   done
  1   the server answered 400 or more (its page goes to standard output, but
      never replaces a FILE)
  2   the command line, the URL or a file that it names is wrong; nothing was
      sent
  3   no connection: unknown name, refused, reset; a port that is taken
  4   TLS: the certificate is not acceptable, or the handshake failed
  5   a timeout
  6   the answer is not usable: malformed, cut short, undecodable, or redirects
      that lead nowhere
  7   FILE, the jar or standard output cannot be written
  130 interrupted, 141 the reader of standard output has gone

In Python:  from requite import request; print(request(URL).response.body)"""


class Parser(ArgumentParser):
    """Complains in one line."""

    complain: Callable[[str], int]

    def error(self, message: str) -> NoReturn:
        sys.exit(self.complain(f'{message} (requite --help tells more)'))


class Formatter(RawDescriptionHelpFormatter):
    """Names the value of an option once: ``-o, --output FILE``."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=24)

    def _format_action_invocation(self, action: Action) -> str:
        value = f' {action.metavar}' if action.nargs != 0 and isinstance(action.metavar, str) else ''
        return ', '.join(action.option_strings) + value


def parser(complain: Callable[[str], int]) -> Parser:
    """What reads the arguments; ``complain`` tells what is wrong with them and gives the exit status."""
    made = Parser(
        prog='requite',
        usage=USE,
        description=ABOUT,
        epilog=CLOSING,
        formatter_class=Formatter,
        allow_abbrev=False,
        add_help=False,
    )
    made.complain = complain
    made.add_argument('words', nargs='*', help=SUPPRESS)
    for add in (_sending, _answering, _proving, _travelling, _telling):
        add(made)
    return made


def read(complain: Callable[[str], int], argv: Sequence[str] | None) -> Namespace:
    """The arguments; options may stand between the items."""
    return parser(complain).parse_intermixed_args(argv)


def _sending(made: ArgumentParser) -> None:
    group = made.add_argument_group('what is sent')
    flag = group.add_argument
    flag('-j', '--json', action='store_true', help='ask for JSON, even where none is sent')
    flag('-f', '--form', action='store_true', help='name=value as an HTML form sends it')
    flag('--multipart', action='store_true', help='the same as multipart/form-data, even without a file')
    flag('--raw', metavar='TEXT', help='TEXT is the whole content')
    flag('-I', '--head', action='store_true', help='only ask for the head')
    flag('--from-curl', metavar='LINE', help="send what this curl command line would: 'curl ...'")
    flag('--har', metavar='FILE', help='send the (first) request of a HAR file')


def _answering(made: ArgumentParser) -> None:
    group = made.add_argument_group('where the answer goes')
    flag = group.add_argument
    flag('-o', '--output', metavar='FILE', help='write the body to FILE; - is standard output')
    flag(
        '-d', '--download', action='store_true', help='into a file, named by the server or the URL; never over another'
    )
    flag(
        '-c',
        '--continue',
        dest='resume',
        action='store_true',
        help='go on with a download that broke off, with -o FILE; what is here stays until it is whole',
    )
    flag('-b', '--body', action='store_true', help='on a terminal: the body only')
    flag('--headers', action='store_true', help='the head only')
    flag(
        '-v',
        '--verbose',
        action='store_true',
        help='the heads of requests and answers too; on standard error where the body goes elsewhere',
    )
    flag('--secrets', action='store_true', help='do not hide passwords and cookies in heads and curl lines')


def _proving(made: ArgumentParser) -> None:
    group = made.add_argument_group('who you are')
    flag = group.add_argument
    flag('-a', '--auth', metavar='USER[:PASS]', help='Basic; without PASS you are asked for it')
    flag('--digest', action='store_true', help='with --auth: Digest, never Basic')
    flag('--bearer', metavar='TOKEN', help='a token')
    flag('--netrc', action='store_true', help='user and password from ~/.netrc')
    flag(
        '--aws',
        action='store_true',
        help='sign for AWS, version 4: keys of --auth KEY:SECRET, or of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    )
    flag('--aws-service', metavar='NAME', help='where the host does not say it: s3, sts ...')
    flag('--aws-region', metavar='NAME', help='the same; else AWS_REGION')
    flag('--jar', metavar='FILE', help='send and keep cookies: cookies.txt, .json or .db')
    flag('--cert', metavar='FILE', help='your TLS certificate')
    flag('--key', metavar='FILE', help='its private key')


def _travelling(made: ArgumentParser) -> None:
    group = made.add_argument_group('on the way')
    flag = group.add_argument
    flag(
        '--follow',
        dest='follow',
        action='store_true',
        default=None,
        help='follow redirects after POST and its kin too (after GET they always are)',
    )
    flag('--no-follow', dest='follow', action='store_false', default=None, help='follow none')
    flag('--max-redirects', metavar='N', type=int, help='at most so many (default: 10)')
    flag('--proxy', metavar='URL', help="http://, https:// or socks5://; '' for none")
    flag('--verify', metavar='HOW', help='no: any certificate is good; FILE: those in it')
    flag(
        '--timeout',
        metavar='MS',
        type=int,
        help='milliseconds to wait for the connection (default: 10000), and for each next byte (300000)',
    )
    flag('--deadline', metavar='MS', type=int, help='milliseconds for everything')
    flag('--retry', metavar='N', type=int, help='send again what failed for the moment; GET, PUT and DELETE only')


def _telling(made: ArgumentParser) -> None:
    group = made.add_argument_group('to look at it')
    flag = group.add_argument
    flag('--offline', action='store_true', help='print the request and send nothing')
    flag('--curl', action='store_true', help='print it as a curl command line and send nothing')
    flag('--timings', action='store_true', help='where the time went, on standard error')
    flag('--har-log', metavar='FILE', help='add what passed to a HAR file')
    flag('-h', '--help', action='store_true', help='this')
    flag('--version', action='version', version=f'requite {__version__}', help='its version')
