"""The benchmark of Cookie headers still runs, and cookies of other sites still cost nothing."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from .cookies import BEGIN, CLIENTS, END, MOST, Cost, measure, table, too_dear, written


def here(client: str) -> str:
    """A client, or a skip where it is not installed."""
    if client in ('httpx', 'aiohttp') and find_spec(client) is None:
        pytest.skip(f'{client} is not installed')
    return client


@pytest.mark.parametrize('client', CLIENTS)
@pytest.mark.parametrize('own', [3, 150])  # aiohttp keeps no more than 150 of a domain
def test_every_library_sends_the_same_cookies(client: str, own: int) -> None:
    header = CLIENTS[here(client)](40, own)()
    assert sorted(header.split('; ')) == sorted(f'own{number}=value{number}' for number in range(own))


@pytest.mark.timing
def test_ten_thousand_cookies_of_other_sites_cost_a_header_little() -> None:
    (cost,) = measure(10_000, 3, ['requite'], rounds=3)
    assert cost.middle < MOST * 4  # a busy machine; the gate of the benchmark is MOST itself


@pytest.mark.timing
@pytest.mark.parametrize('client', ['http.cookiejar', 'httpx', 'aiohttp'])
def test_requite_needs_less_than_the_others(client: str) -> None:
    ours, theirs = measure(1_000, 3, ['requite', here(client)], rounds=3)
    assert ours.middle < theirs.middle


def test_the_table_has_a_line_a_size_and_the_gate_names_what_is_too_dear() -> None:
    costs = [Cost(10, 3, 'requite', 4.0), Cost(10, 3, 'httpx', 80.0), Cost(10_000, 3, 'requite', 11.0)]
    assert table(costs).splitlines()[2:] == ['| 10 | 3 | 4.0 us | 80.0 us |', '| 10,000 | 3 | 11.0 us |']
    assert too_dear(costs) == ['11.0 us with 10,000 cookies of other sites, at most 10']


def test_the_table_is_written_between_its_markers() -> None:
    assert written(f'a\n{BEGIN}\nold\n{END}\nb\n', 'new') == f'a\n{BEGIN}\n\nnew\n\n{END}\nb\n'
    with pytest.raises(ValueError, match='there is no'):
        written('a page without', 'new')
