from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest

from requite import tour
from tests.docpages import blocks

README = Path(__file__).parent.parent.parent / 'README.md'


def statements(mark: str) -> list[str]:
    """The lines of README's first block with that mark, imports left out; each example there is one line."""
    code = next(block.code for block in blocks(README.read_text(encoding='utf-8')) if block.mark == mark)
    return [line for line in code.splitlines() if line and not line.startswith(('import ', 'from '))]


def test_the_tour_runs_the_examples_of_the_readme_in_their_order() -> None:
    assert [example.source for example in tour.EXAMPLES] == statements('')


@pytest.mark.parametrize('source', [example.source for example in (*tour.EXAMPLES, *tour.MORE)])
def test_python_broken_into_lines_is_the_same_python(source: str) -> None:
    out = io.StringIO()
    tour.Screen(out).source(source)
    assert ast.dump(ast.parse(out.getvalue())) == ast.dump(ast.parse(source))
    assert max(map(len, out.getvalue().splitlines())) <= 79


def test_python_without_a_place_to_break_it_is_still_printed() -> None:
    out = io.StringIO()
    tour.Screen(out).source('x' * 200)
    assert ''.join(out.getvalue().split()) == 'x' * 200


@pytest.mark.parametrize(
    ('example', 'complaint'),
    [
        (tour.Example("request('http://www.google.com/').nothing", ''), 'AttributeError'),
        (tour.Example("request('http://www.example.com/nowhere').response.body", ''), 'the last answer was 404'),
        (tour.Example("request('http://www.example.com/slow', timeout=50)", ''), 'ReadTimeout'),
        (
            tour.Example("request('http://www.google.com/').response.body", '', 'ReadTimeout'),
            'ReadTimeout was expected, not no error',
        ),
    ],
)
def test_an_example_that_does_not_do_what_it_should_makes_the_tour_fail(example: tour.Example, complaint: str) -> None:
    out = io.StringIO()
    assert tour.run(out, [example]) == 1
    assert f'FAILED    {complaint}' in out.getvalue()
    assert out.getvalue().endswith('The tour failed in 1 place, see above.\n')
