"""Who may import whom, and what must not do I/O.

The policy is the data at the head of this file; the tests read the imports of every source file, those in
functions and under ``TYPE_CHECKING`` included. A name that a lower layer needs from a higher one is passed
in, or the thing lies in the wrong layer.
"""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

# This is policy; do not change it to fix a build.
LAYERS = "leaves < events < http < web < (cli, testing, autoreload) < tornado, as_tornado"
LEAVES = ["util", "escape", "log", "options", "errors"]
# Bytes in, events or bytes out: neither these nor the leaves nor anything that they import does I/O. Every
# other module with a .pxd leaves I/O to what it calls, and has no `async def`, which Cython does badly.
SANS_IO = [
    "http.headers",
    "http.cookies",
    "http.dates",
    "http.urls",
    "http.forms",
    "http.multipart",
    "http.limits",
    "http.messages",
    "http.content_decoding",
    "http.content_encoding",
    "http.forwarded",
    "http.proxies",
    "http.proxy_protocol",
    "http.client.auth",
    "http.client.bodies",
    "http.client.cookies",
    "http.client.decompression",
    "http.client.errors",
    "http.client.pool",
    "http.client.prepare",
    "http.client.proxies",
    "http.client.redirects",
    "http.client.request",
    "http.client.response",
    "http.client.settings",
    "http.client.urls",
    "http.h1.body_writer",
    "http.h1.chunked",
    "http.h1.message_parser",
    "http.h1.parser",
    "http.h1.raw_response",
    "http.h1.request_writer",
    "http.h1.response_parser",
    "http.h1.states",
    "http.h1.targets",
    "http.h1.values",
    "http.h1.writer",
    "http.ws.codes",
    "http.ws.deflate",
    "http.ws.errors",
    "http.ws.extensions",
    "http.ws.frames",
    "http.ws.handshake",
    "http.ws.masking",
    "http.ws.messages",
    "http.ws.params",
    "http.ws.prepared",
    "http.ws.protocol",
    "http.ws.xor",
    "web.template.parser",
    "web.template.nodes",
    "web.template.codegen",
]
IO = {"asyncio", "socket", "ssl"}
# End of policy.


def ranks() -> dict[str, int]:
    """Name below ``gustnado`` to height, the lowest first."""
    layers = [layer.strip(" ()").split(", ") for layer in LAYERS.split("<")]
    heights = {name: height for height, names in enumerate(layers) for name in names}
    for leaf in LEAVES:
        heights[leaf] = heights["leaves"]
    # The package itself is a map of the rings: above them, and below nobody but the face.
    heights[""] = heights["__main__"] = heights["cli"]
    return heights


RANKS = ranks()


def room(module: str) -> str:
    """The name in ``RANKS`` under which a dotted name of this package falls."""
    return f"{module}.".split(".")[1]


def imported_at_run_time(source) -> set[str]:
    """Modules that a file imports. The name of a type, for hints only, is not I/O."""
    return {found.module for found in source.imports if not found.typing_only}


def does_io(modules) -> bool:
    return bool({module.split(".")[0] for module in modules} & IO)


def test_every_module_is_in_a_layer(source):
    assert room(source.name) in RANKS


def test_imports_point_downwards(source):
    height = RANKS[room(source.name)]
    upwards = [
        f"line {found.line}: {found.module}"
        for found in source.imports
        if found.module.split(".")[0] == "gustnado" and RANKS[room(found.module)] > height
    ]
    assert not upwards


def test_a_ring_does_not_go_out_by_its_own_door(source):
    ring = f"gustnado.{room(source.name)}"
    if source.name == ring or source.name == "gustnado":
        return
    doors = [
        f"line {found.line}: {found.module}" for found in source.imports if found.module in (ring, "gustnado")
    ]
    assert not doors, "import from the module that defines the name"


def test_the_real_tornado_is_not_imported(source):
    assert "tornado" not in {found.module.split(".")[0] for found in source.imports}


@pytest.mark.parametrize("name", SANS_IO + LEAVES)
def test_sans_io_modules_do_no_io(name, sources):
    """Nor does what they import."""
    reached, waiting = set(), {f"gustnado.{name}"}
    while waiting:
        current = sources[waiting.pop()]
        reached.add(current.name)
        assert not does_io(imported_at_run_time(current)), f"by way of {current.name}"
        waiting |= {module for module in imported_at_run_time(current) if module in sources} - reached
    tree = sources[f"gustnado.{name}"].tree
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]


def test_compiled_modules_leave_io_to_others(compiled_source):
    assert not does_io(imported_at_run_time(compiled_source))
    tree = compiled_source.tree
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]


@pytest.mark.parametrize("name", ["", *LEAVES, "events", "http", "web"])
def test_importing_a_layer_loads_none_above_it(name):
    """In a fresh interpreter. The package itself loads no ring until a name of it is asked for."""
    program = f"import sys, gustnado{'.' * bool(name)}{name}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr
    height = RANKS[name] if name else RANKS["leaves"]
    rooms = {room(module) for module in loaded.stdout.split() if module.startswith("gustnado.")}
    assert not {found for found in rooms if RANKS[found] > height}


@pytest.mark.parametrize(
    "line",
    [
        "from gustnado.web import Application",
        "from gustnado import web",
        "import gustnado.web.application as it",
        "from ..web.application import Application",
        "if TYPE_CHECKING:\n    from gustnado.web.application import Application",
        "def late():\n    import gustnado.web",
        "importlib.import_module('gustnado.web')",
    ],
)
def test_the_reader_of_imports_sees_every_spelling(line, tmp_path, sources):
    """The rule is worth as much as the reader: here each spelling of a forbidden import is found."""
    source = type(sources["gustnado.errors"])(sources["gustnado.http.limits"].path)
    vars(source)["text"] = line
    assert "web" in {room(found.module) for found in source.imports}
