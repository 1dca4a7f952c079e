"""The only I/O of the library: a hop goes in, a reply comes out."""

from __future__ import annotations

import re

import urllib3

_version: str = getattr(urllib3, '__version__', 'unknown')

if re.match(r'2\.(?:[89]|\d\d+)\.', _version) is None or hasattr(urllib3, 'AsyncPoolManager'):
    raise ImportError(
        f'requite needs urllib3 >=2.8,<3, but the module urllib3 is {_version}: urllib3-future (which niquests installs) takes the same place; '
        'install requite into an environment of its own, or run `pip uninstall urllib3-future niquests` '
        'and then `pip install --force-reinstall "urllib3>=2.8,<3"`'
    )
