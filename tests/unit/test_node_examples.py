"""docs/how-to/node-examples.md has a twin, which is run, of each example in the documentation of Node's request 2.88.2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docpages import Block, blocks

PAGE = Path(__file__).parent.parent.parent / 'docs' / 'how-to' / 'node-examples.md'

EXAMPLES = [
    'Ask for a page',
    'Stream an answer into a file',
    'Stream a file into a request',
    'Stream one answer into another request',
    'Look at the response on its way',
    'Catch the error of a stream',
    'Serve and take a file',
    'Proxy in three lines',
    'Proxy in one line',
    'Serve through a proxy given once',
    'Send a form in three spellings',
    'Upload fields and files',
    'Append to a form step by step',
    'Send parts that belong together',
    'Log in with Basic, Digest or a token',
    'Log in by the address',
    'Send headers of your own',
    'Sign with OAuth in three legs',
    'Ask over a UNIX socket',
    'Show a client certificate',
    'Show it through agent_options',
    'Choose the version of TLS',
    'Trust an authority of your own',
    'Trust several authorities',
    'Send a HAR request',
    'Defaults of defaults',
    'Make a cookie',
    'Make a jar',
    'Read a header in any case',
    'Tell the two timeouts apart',
    'Save a document with its attachment',
    'Watch a compressed answer arrive',
    'Keep cookies for all requests',
    'Keep cookies in a jar of your own',
    'Put a cookie into a jar',
    'Keep cookies in a file',
    'Look into a jar',
]
"""The examples in Node's order, each by the heading of its twin."""

IN_WORDS = ['Await', 'Methods for the verbs', 'Debug']
"""What Node's documentation tells in words and the page shows too."""

NOT_RUN: dict[str, str] = {}
"""The headings with a block that is not run, and why."""


def sections() -> dict[str, list[Block]]:
    """The blocks under each heading of the page, in order."""
    parts = re.split(r'^## (.+)$', PAGE.read_text(encoding='utf-8'), flags=re.MULTILINE)
    return {heading: list(blocks(text)) for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_there_are_37_examples_in_nodes_order_and_no_other_headings() -> None:
    assert len(EXAMPLES) == len(set(EXAMPLES)) == 37
    assert [heading for heading in sections() if heading not in IN_WORDS] == EXAMPLES


@pytest.mark.parametrize('heading', [*EXAMPLES, *IN_WORDS])
def test_the_twin_is_run(heading: str) -> None:
    marks = [block.mark for block in sections()[heading]]
    assert marks
    assert heading in NOT_RUN or set(marks) == {''}


def test_what_is_not_run_is_a_heading_of_the_page_with_a_reason() -> None:
    assert set(NOT_RUN) <= set(EXAMPLES)
    assert all(NOT_RUN.values())


@pytest.mark.parametrize('heading', [*EXAMPLES, *IN_WORDS])
def test_the_twin_says_what_it_prints(heading: str) -> None:
    assert heading in NOT_RUN or any('# -> ' in block.code for block in sections()[heading])
