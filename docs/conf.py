"""Configuration of the manual (Sphinx)."""

from __future__ import annotations

import tomllib
from pathlib import Path

project = "Gustnado"
release = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"][
    "version"
]
copyright = "the Gustnado authors"  # a name that Sphinx asks for

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_heading_anchors = 2
html_theme = "furo"
html_title = f"Gustnado {release}"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_default_options = {"members": True, "show-inheritance": True}
