"""Where the time of an exchange went, drawn: as lines of text for a terminal, as SVG for a notebook. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

STEPS = (
    ('socket', 'wait', '#9aa0a6'),
    ('lookup', 'name', '#4caf50'),
    ('connect', 'tcp', '#ff9800'),
    ('tls', 'tls', '#ab47bc'),
    ('response', 'first byte', '#1e88e5'),
    ('end', 'download', '#00acc1'),
)
"""The moment that ends each step, the step's name, and its colour."""
WIDTH = 48
ROW, LABEL, DRAWN = 18, 80, 420

Bar = tuple[str, str, float, float]
"""Name, colour, and when it began and ended in milliseconds."""


class Moments(dict[str, float]):
    """Node's ``timings``: each step in milliseconds since the hop began. ``str()`` draws them; so does a notebook."""

    def waterfall(self, width: int = WIDTH) -> str:
        """The steps as lines of text, a bar each; ``width`` is that of the longest bar in characters."""
        return text(self, width)

    def __str__(self) -> str:
        return text(self)

    def _repr_svg_(self) -> str:
        return svg(self)


def bars(moments: Mapping[str, float]) -> list[Bar]:
    """The steps that took place, in order."""
    found: list[Bar] = []
    last = 0.0
    for moment, name, colour in STEPS:
        at = moments.get(moment)
        if at is None:
            continue
        if at > last or moment in ('response', 'end'):
            found.append((name, colour, last, max(at, last)))
        last = max(at, last)
    return found


def text(moments: Mapping[str, float], width: int = WIDTH) -> str:
    """One line a step: its name, its bar, and how long it took."""
    drawn = bars(moments)
    total = drawn[-1][3] if drawn else 0.0
    scale = width / total if total > 0 else 0.0
    lines = []
    for name, _, start, end in drawn:
        before = min(int(start * scale), width - 1)
        length = max(1, min(round((end - start) * scale), width - before))
        lines.append(f'{name:<10} {" " * before}{"█" * length}{" " * (width - before - length)} {end - start:>9.1f} ms')
    lines.append(f'{"total":<10} {" " * width} {total:>9.1f} ms')
    return '\n'.join(lines)


def svg(moments: Mapping[str, float]) -> str:
    """The same as a small picture; every text in it is ours."""
    drawn = bars(moments)
    total = drawn[-1][3] if drawn else 0.0
    scale = DRAWN / total if total > 0 else 0.0
    height = ROW * len(drawn) + 4
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + DRAWN + 90}" height="{height}" '
        'font-family="sans-serif" font-size="11" role="img" aria-label="timings">'
    )
    parts = [opening]
    for row, (name, colour, start, end) in enumerate(drawn):
        top, left, length = row * ROW + 2, LABEL + start * scale, max(1.0, (end - start) * scale)
        parts.append(f'<text x="{LABEL - 6}" y="{top + 12}" text-anchor="end" fill="currentColor">{name}</text>')
        parts.append(f'<rect x="{left:.1f}" y="{top}" width="{length:.1f}" height="{ROW - 4}" fill="{colour}"/>')
        parts.append(
            f'<text x="{left + length + 4:.1f}" y="{top + 12}" fill="currentColor">{end - start:.1f} ms</text>'
        )
    return ''.join((*parts, '</svg>'))
