"""What a person running the benchmarks can be told in one message."""

from __future__ import annotations

__all__ = ["HarnessError"]


class HarnessError(Exception):
    """The run cannot go on; the message says what is missing and what to do about it."""
