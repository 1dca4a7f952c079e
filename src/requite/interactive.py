"""The prompt: ``python -m requite``. Here showing a request sends it, as IPython and notebooks do everywhere; ``repr()`` never does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from requite.request import Request
from requite.response import Response

if TYPE_CHECKING:
    from collections.abc import Callable

BANNER = """requite {version}: `request` and `pipe` are here. What you name is sent and shown:
>>> request('http://example.com/')
Ctrl-D leaves."""


def show(value: Any) -> None:
    """The display hook of the prompt: a request is sent and its response shown, a response is shown; anything else as always."""
    if not isinstance(value, (Request, Response)):
        sys.__displayhook__(value)
        return
    print(value._repr_mimebundle_()['text/plain'])
    import builtins

    builtins._ = value  # type: ignore[attr-defined]


def prompt(local: dict[str, Any]) -> int:
    """Opens a prompt with these names, IPython where it is installed and standard input is a terminal; returns the exit status."""
    from requite._version import __version__

    if sys.stdin is None:
        print('requite: a prompt needs a standard input, and there is none; name an address to fetch', file=sys.stderr)
        return 2
    banner = BANNER.format(version=__version__)
    if sys.stdin.isatty():
        try:
            import IPython
        except ImportError:
            pass
        else:
            print(banner.replace('>>> ', 'In [1]: '))
            IPython.start_ipython(argv=['--no-banner'], user_ns=local)
            return 0
    return _plain(local, banner)


def _plain(local: dict[str, Any], banner: str) -> int:
    import code

    try:
        import readline
    except ImportError:
        pass
    else:
        readline.set_completer(completer(local))
        readline.parse_and_bind('tab: complete')
    before, sys.displayhook = sys.displayhook, show
    try:
        code.interact(banner, None, local, '')
    finally:
        sys.displayhook = before
    return 0


def completer(local: dict[str, Any]) -> Callable[[str, int], Any]:
    """Completes names as Python's own completer does, but never sends: of a request that was not sent it knows what a response has."""
    from rlcompleter import Completer

    class Careful(Completer):
        def attr_matches(self, text: str) -> list[str]:
            before = text.rpartition('.')[0]
            if '.response' in before:
                return [
                    f'{before}.{name}'
                    for name in dir(Response)
                    if f'{before}.{name}'.startswith(text) and name[:1] != '_'
                ]
            return super().attr_matches(text)

    return Careful(local).complete
