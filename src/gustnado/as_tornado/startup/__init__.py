"""A directory for ``PYTHONPATH``: Python imports ``sitecustomize`` from it as it starts."""

from __future__ import annotations

__all__: list[str] = []
