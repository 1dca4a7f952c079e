"""The documentation: MyST pages, built by `nox -s docs` with every warning an error."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent

project = 'requite'
author = 'The requite authors'
copyright = author
release = re.search(r"__version__ = '(.+)'", (HERE.parent / 'src/requite/_version.py').read_text(encoding='utf-8'))[1]
version = release

extensions = ['myst_parser']
source_suffix = {'.md': 'markdown'}
exclude_patterns = ['_build', 'changes/*']
myst_enable_extensions = ['colon_fence', 'deflist']
myst_heading_anchors = 3

html_theme = 'furo'
html_title = f'requite {release}'
