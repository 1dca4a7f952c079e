"""Interleaved rounds: every client takes its turn in every round, so that a slow minute of the machine falls on all."""

from __future__ import annotations

import contextlib
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from .children import Worker
from .clients import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .server import Target

MICRO = 1e6
FIRST_RUN = 100
"""Requests of the unrecorded run from which the length of a turn is reckoned."""


class Effort(NamedTuple):
    """How much is measured: rounds, seconds of one client's turn, runs of an import, bytes of the big body."""

    rounds: int = 9
    turn: float = 0.25
    imports: int = 15
    big: int = 1 << 30


QUICK = Effort(rounds=3, turn=0.05, imports=5, big=1 << 26)


class Cost(NamedTuple):
    """What one client spends on one scenario: microseconds per request, one figure a round."""

    scenario: str
    client: str
    cpu: tuple[float, ...] = ()
    wall: tuple[float, ...] = ()
    trouble: str | None = None

    @property
    def middle(self) -> float:
        """The median CPU time over the rounds."""
        return median(self.cpu)


def _turn_length(worker: Worker, seconds: float) -> int:
    first = worker.run(FIRST_RUN)
    return FIRST_RUN if first is None else max(FIRST_RUN, round(seconds / first[1]))


def measure(scenario: str, target: Target, effort: Effort, clients: Iterable[str] = tuple(CLIENTS)) -> list[Cost]:
    """The costs of a scenario, a line for each client in the order given; a client that cannot run says why."""
    with contextlib.ExitStack() as stack:
        workers = []
        for client in clients:
            worker = Worker(client, scenario, target)
            stack.callback(worker.close)
            workers.append(worker)
        able = [worker for worker in workers if worker.trouble is None]
        counts = {worker.client: _turn_length(worker, effort.turn) for worker in able}
        figures: dict[str, list[tuple[float, float]]] = {worker.client: [] for worker in able}
        for _ in range(effort.rounds):
            for worker in able:
                if worker.trouble is None and (took := worker.run(counts[worker.client])):
                    figures[worker.client].append(took)
    return [_cost(scenario, worker, figures.get(worker.client, [])) for worker in workers]


def _cost(scenario: str, worker: Worker, figures: list[tuple[float, float]]) -> Cost:
    if worker.trouble is not None:
        return Cost(scenario, worker.client, trouble=worker.trouble)
    cpu = tuple(each * MICRO for each, _ in figures)
    wall = tuple(each * MICRO for _, each in figures)
    return Cost(scenario, worker.client, cpu, wall)
