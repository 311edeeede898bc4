"""The HTTP client: requests out, responses in, over connections that are kept."""

from __future__ import annotations

__all__: list[str] = []
