"""What `importlib.metadata` tells of the Tornado that :mod:`gustnado.tornado` stands for."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import DistributionFinder, MetadataPathFinder
from pathlib import Path

import gustnado.tornado

__all__ = ["TornadoDistribution", "find_distributions"]

METADATA = f"""\
Metadata-Version: 2.1
Name: tornado
Version: {gustnado.tornado.version}
Summary: Gustnado, under the name of Tornado
"""


class TornadoDistribution(importlib.metadata.Distribution):
    """A package ``tornado`` of the version that ``tornado.version`` says, without files of its own."""

    def read_text(self, filename: str) -> str | None:
        """The file of that name in the directory of metadata."""
        return METADATA if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        """Where a file like ``tornado/web.py`` lies."""
        return Path(gustnado.tornado.__path__[0]).parent / str(path)


def find_distributions(context: DistributionFinder.Context) -> list[TornadoDistribution]:
    """What a finder has to say to a question.

    Who asks for a certain directory gets what is there, and who asks for all gets an installed Tornado only once.
    """
    if "path" in vars(context) or (context.name or "tornado").lower() != "tornado":
        return []
    installed = context.name is None and any(
        MetadataPathFinder.find_distributions(DistributionFinder.Context(name="tornado"))
    )
    return [] if installed else [TornadoDistribution()]
