from __future__ import annotations

from gustnado.web.template.nodes import Apply, Block, Control, Expression, File, Text, walk


def test_walk_gives_parents_before_children_in_order_of_the_source():
    file = File("f", "", None)
    inner, last = Expression("x", 1), Text("b", 1)
    block = Block("name", 1, [inner], file)
    control = Control("if", "if y", 1, [block])
    apply = Apply("f", 1, [control, last])
    first = Text("a", 1)
    assert list(walk([first, apply])) == [first, apply, control, block, inner, last]


def test_nodes_are_told_apart_by_identity():
    assert Text("a", 1) != Text("a", 1)
    assert len({Text("a", 1), Text("a", 1)}) == 2
