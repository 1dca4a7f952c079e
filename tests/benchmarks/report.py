"""The table of a run, in Markdown that reads as well in a terminal, and its place in the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .gates import gate_of
from .scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .imports import ImportCost
    from .memory import MemoryCost
    from .rounds import Cost

BEGIN = '<!-- benchmarks: begin -->'
END = '<!-- benchmarks: end -->'
HEADER = ('what', 'client', 'client CPU', 'lowest to highest', 'wall', 'ratio', 'gate')

Figures = dict[tuple[str, str], float]


class Row(NamedTuple):
    """One line of the table."""

    what: str
    client: str
    cost: str
    spread: str = ''
    wall: str = ''
    ratio: str = ''
    gate: str = ''


def scenario_figures(costs: Sequence[Cost]) -> Figures:
    """The ratios of one scenario's medians: each client against requite, and requite against the raw loop."""
    middles = {cost.client: cost.middle for cost in costs if cost.cpu}
    ours = middles.get('requite')
    if ours is None:
        return {}
    part = costs[0].scenario
    figures = {(part, f'{client}/requite'): value / ours for client, value in middles.items()}
    if 'raw' in middles:
        figures[part, 'requite/raw'] = ours / middles['raw']
    return figures


def import_figures(cost: ImportCost) -> Figures:
    """The ratio of the two imports, and the number of forbidden modules loaded."""
    if cost.missing:
        return {}
    ratio = cost.milliseconds['requite'] / cost.milliseconds['urllib3']
    return {('import', 'requite/urllib3'): ratio, ('import', 'forbidden modules'): float(len(cost.forbidden))}


def memory_figures(costs: Sequence[MemoryCost]) -> Figures:
    """The growth of the peak in bodies, for each client that was measured."""
    return {('memory', f'{cost.client}/body'): cost.ratio for cost in costs if cost.ratio is not None}


def ratio_of(figures: Figures, part: str, figure: str) -> tuple[str, str]:
    """A ratio and the verdict on it, as the table shows them; empty where there is none."""
    value = figures.get((part, figure))
    gate = gate_of(part, figure)
    demand = '' if gate is None else str(gate)
    if value is None:
        return '', f'{demand}: not measured' if demand else ''
    verdict = '' if gate is None else f'{demand}: {"reached" if gate.holds(value) else "MISSED"}'
    return f'{figure} {value:.2f}', verdict


def scenario_rows(costs: Sequence[Cost], figures: Figures) -> list[Row]:
    """A row for each client of a scenario. The row of requite carries its distance from the raw loop."""
    return [_scenario_row(cost, figures) for cost in costs]


def _scenario_row(cost: Cost, figures: Figures) -> Row:
    title = SCENARIOS[cost.scenario].title
    if not cost.cpu:
        figure = 'requite/raw' if cost.client == 'requite' else f'{cost.client}/requite'
        return Row(title, cost.client, 'not measured', gate=ratio_of({}, cost.scenario, figure)[1])
    wall = sorted(cost.wall)[len(cost.wall) // 2]
    spread = f'{min(cost.cpu):.1f} to {max(cost.cpu):.1f}'
    if cost.client == 'raw':
        ratio = gate = ''
    else:
        figure = 'requite/raw' if cost.client == 'requite' else f'{cost.client}/requite'
        ratio, gate = ratio_of(figures, cost.scenario, figure)
    return Row(title, cost.client, f'{cost.middle:.1f} us', spread, f'{wall:.1f} us', ratio, gate)


def import_rows(cost: ImportCost, figures: Figures) -> list[Row]:
    """A row for each module that is imported, and one for the modules that must stay unloaded."""
    rows = []
    for name in ('urllib3', 'requite'):
        spent = cost.milliseconds.get(name)
        shown = 'not measured' if spent is None else f'{spent:.1f} ms'
        ratio, gate = ratio_of(figures, 'import', f'{name}/urllib3')
        rows.append(Row('import', name, shown, ratio=ratio, gate=gate))
    _, gate = ratio_of(figures, 'import', 'forbidden modules')
    shown = ', '.join(cost.forbidden) or 'none' if not cost.missing else 'not measured'
    rows.append(Row('forbidden modules loaded', 'requite', shown, gate=gate))
    return rows


def memory_rows(costs: Iterable[MemoryCost], figures: Figures, size: int) -> list[Row]:
    """A row for each client: growth of the peak over the body's size."""
    rows = []
    for cost in costs:
        _, gate = ratio_of(figures, 'memory', f'{cost.client}/body')
        shown = 'not measured' if cost.ratio is None else f'{cost.ratio:.2f} x body'
        rows.append(Row(f'memory, {size >> 20} MiB', cost.client, shown, gate=gate))
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows under the header, columns aligned."""
    cells = [HEADER, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADER))]
    rule = '|' + '|'.join('-' * (width + 2) for width in widths) + '|'
    head, *rest = (_line(row, widths) for row in cells)
    return '\n'.join([head, rule, *rest])


def _line(row: Iterable[str], widths: Iterable[int]) -> str:
    return '| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + ' |'


def between_markers(page: str, text: str) -> str:
    """The page with everything between its two marker comments replaced; ValueError when it has not both in order."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f'the page needs the lines {BEGIN} and {END}, in this order')
    return f'{before}{BEGIN}\n{text}\n{END}{after}'
