"""Templates: text with Python in it, compiled to Python.

>>> page = Template("<ul>{% for name in names %}<li>{{ name }}</li>{% end for %}</ul>")
>>> page.generate(names=["Ann", "<Bob>"])
b'<ul><li>Ann</li><li>&lt;Bob&gt;</li></ul>'

Most programs never call this: ``RequestHandler.render`` finds, compiles and renders templates below the
``template_path`` setting.

**Templates are code.** What stands in them runs in the server with all of its rights. Keep them as you
keep your sources, and never compile what a user wrote. Nothing here compiles a string that was not given
to it as a template.

The language
------------

===========================================  =========================================================
``{{ expression }}``                         its value, escaped
``{% raw expression %}``                     its value as it is
``{# ... #}``, ``{% comment ... %}``         nothing
``{{!``  ``{%!``  ``{#!``                    the braces themselves
``{% if c %}``, ``elif``, ``else``           as in Python, to ``{% end %}``; so are the next three
``{% for x in xs %}``, ``else``              with ``{% break %}`` and ``{% continue %}``
``{% while c %}``, ``else``                  likewise
``{% try %}``, ``except E``, ``else``,
``finally``                                  output made before an exception stays
``{% set x = 1 %}``                          a statement, mostly an assignment
``{% import m %}``, ``from m import x``       as in Python; the names are the page's own
``{% block name %} ... {% end %}``           a part that templates which extend this one may replace
``{% extends "base.html" %}``                that template, with the blocks that are defined here
``{% include "part.html" %}``                that template's text, here, with the variables of this place
``{% module Name(...) %}``                   a UI module's output (in handlers only)
``{% apply f %} ... {% end %}``              ``f`` of the output in between, which it gets as bytes
``{% autoescape f %}``                       the escape function of this file and no other; may be ``None``
``{% whitespace single %}``                  how to treat whitespace from here on in this file: ``all``,
                                             ``single`` or ``oneline``, see ``filter_whitespace``
===========================================  =========================================================

``{% end %}`` may say what it ends, as in ``{% end if %}``, ``{% end block title %}`` or ``{% end title %}``;
a wrong label is an error. The body of ``apply`` is a function of its own: what is ``set`` there stays
there, and a loop around it cannot be left from it. A directive ends at the first ``}}`` or ``%}``, even
within a Python string.

Every template knows ``escape`` and ``xhtml_escape``, ``url_escape``, ``json_encode``, ``squeeze``,
``linkify`` and the module ``datetime``; beyond Tornado's also ``json_script`` and ``safe_url``. Names that
start with ``_tt_`` are reserved.

What escaping does and does not do
----------------------------------

``xhtml_escape`` covers the text of elements and attributes *in quotes*, double or single. It is not enough

- in an attribute without quotes: write ``<a title="{{ x }}">``, never ``<a title={{ x }}>``;
- where a URL is expected: ``<a href="{{ safe_url(link) }}">`` refuses ``javascript:`` and the like;
- inside of ``<script>``: put ``{% raw json_script(data, "data") %}`` beside it, and read that element there;
- inside of ``<style>``, comments and the names of tags and attributes: do not put values there.

An object's ``__html__`` is not asked: what is to go out unescaped is marked in the template, by ``raw``.

Errors
------

Whatever is wrong with a template's text is a ``ParseError`` with ``filename`` and ``lineno``; where it is
Python that is wrong, it is also a ``SyntaxError``. An exception while rendering has the template's own
file and line in its traceback, through every ``include`` and ``extends``; so has a ``ParseError``, in ``via``.

Debugging
---------

``Template.code`` is the Python that a template became, each line with the place that it is from; a debugger shows it.
In debug mode, or with the setting ``compiled_template_cache=False``, a page's templates are read anew for each request.

Long pages
----------

``Template.stream`` yields a page piece by piece while it is made, and ``await self.render_stream(...)`` of a handler
sends them so. What leaves early cannot be taken back: an exception then cuts the page short, and there is no ``ETag``.

Rooms: ``parser`` (text to ``nodes``), ``linker`` (files to one program), ``codegen`` (program to Python),
``compiler``, ``runtime`` (what the code calls), ``tracebacks``, and on top ``template`` and ``loader``, the
only one with I/O.
"""

from __future__ import annotations

from gustnado.web.template.errors import ParseError, TemplatePathError, TemplateSyntaxError
from gustnado.web.template.helpers import json_script, safe_url
from gustnado.web.template.loader import BaseLoader, DictLoader, Loader
from gustnado.web.template.template import Template
from gustnado.web.template.whitespace import filter_whitespace

__all__ = [
    # compile and render
    "Template",
    # find
    "BaseLoader",
    "DictLoader",
    "Loader",
    # errors
    "ParseError",
    "TemplatePathError",
    "TemplateSyntaxError",
    # functions
    "filter_whitespace",
    "json_script",
    "safe_url",
]
