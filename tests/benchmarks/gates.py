"""What requite has to reach, in one table, and the judgement of figures against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

TOLERANCE = 0.0
"""The share of what is demanded that a figure may fall short by. Nothing: the limit itself is the gate."""


GROWTH = 8
"""MiB by which the peak of the process may grow while a body passes through, whatever its size."""


class Gate(NamedTuple):
    """One figure that must be at least, or at most, its limit."""

    part: str
    figure: str
    limit: float
    at_least: bool
    optional: bool = False
    """Whether it is no miss where the figure could not be measured: npm's packages are not ours to install."""

    def __str__(self) -> str:
        return f'{"at least" if self.at_least else "at most"} {self.limit:g}'

    def holds(self, value: float, slack: float = TOLERANCE) -> bool:
        """Whether a figure reaches the gate; with a slack of 0.5, half of what is demanded will do."""
        share = 1 - slack
        return value >= self.limit * share if self.at_least else value * share <= self.limit


GATES = (
    Gate('small', 'requests/requite', 13, at_least=True),
    Gate('small', 'httpx/requite', 8, at_least=True),
    Gate('small', 'urllib3/requite', 4, at_least=True),
    Gate('small', 'requite/raw', 3.5, at_least=False),
    Gate('rich', 'requests/requite', 10, at_least=True),
    Gate('rich', 'httpx/requite', 8, at_least=True),
    Gate('rich', 'urllib3/requite', 3, at_least=True),
    Gate('tls', 'urllib3/requite', 4, at_least=True),
    Gate('timings', 'microseconds added', 3, at_least=False),
    Gate('threads', 'requite/urllib3, 8 threads', 2.5, at_least=True),
    Gate('threads', 'requite/requests, 8 threads', 7, at_least=True),
    Gate('threads', 'requite/urllib3, 32 threads', 2.5, at_least=True),
    Gate('threads', 'requite/requests, 32 threads', 7, at_least=True),
    Gate('threads', 'connections above the limit', 0, at_least=False),
    Gate('import', 'requite/urllib3', 1.2, at_least=False),
    Gate('import', 'forbidden modules', 0, at_least=False),
    Gate('memory', 'requite/body', 1.1, at_least=False),
    Gate('download', 'requite/raw', 1.6, at_least=False),
    Gate('download', 'node request/requite', 9, at_least=True, optional=True),
    Gate('download', 'requite growth', GROWTH, at_least=False),
    Gate('upload', 'requite/curl', 1.3, at_least=False),
    Gate('upload', 'requite growth', GROWTH, at_least=False),
    Gate('encode', 'toolbelt/requite', 2.5, at_least=True),
    Gate('form', 'requite growth', GROWTH, at_least=False),
    Gate('through', 'requite growth', GROWTH, at_least=False),
    Gate('echo', 'requite wall', 5, at_least=False),
    Gate('echo', 'requite TLS wall', 5, at_least=False),
    Gate('echo', 'requite growth', GROWTH, at_least=False),
)


def gate_of(part: str, figure: str) -> Gate | None:
    """The gate of a figure, or None where nothing is demanded."""
    return next((gate for gate in GATES if (gate.part, gate.figure) == (part, figure)), None)


def missed(figures: Mapping[tuple[str, str], float], parts: Container[str], slack: float = TOLERANCE) -> list[str]:
    """A line for each gate of the given parts that a figure misses, or that has no figure: unmeasured is not reached."""
    lines = []
    for gate in GATES:
        if gate.part not in parts:
            continue
        value = figures.get((gate.part, gate.figure))
        if value is None and gate.optional:
            continue
        if value is None:
            lines.append(f'{gate.part} {gate.figure}: {gate}, not measured')
        elif not gate.holds(value, slack):
            lines.append(f'{gate.part} {gate.figure}: {gate}, measured {value:.2f}')
    return lines
