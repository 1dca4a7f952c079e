"""The tests of requite."""

from __future__ import annotations
