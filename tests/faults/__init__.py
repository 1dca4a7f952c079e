"""Runs requite against the hostile server: every fault must end in the right answer or in an error of requite's own, in time and in little memory.

``python -m tests.faults [--server FILE] [--category A,B] [--name N,..] [--json OUT] [-v]`` from the root of the repository.
"""

from __future__ import annotations
