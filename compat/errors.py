"""What goes wrong with a program."""

from __future__ import annotations

__all__ = ["CompatError"]


class CompatError(Exception):
    """A program does not do what it should, or cannot be run on this machine."""
