"""XML patches (RFC 5261), as MPD Patch uses them: add, replace and remove, at what a small XPath selects.

A patch makes a new tree; what it does not touch is shared with the old one. Rows (S, SegmentURL) are selected like
elements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.xml_tree import ROWS_OF, Node

MAX_OPERATIONS = 10_000
_STEP = re.compile(
    r"""/(?:@(?P<attribute>[\w.:-]+)|(?P<text>text\(\)(?:\[1\])?)|(?P<name>\*|[\w.:-]+)(?P<predicates>(?:\[[^\]]*\])*))"""
)
_PREDICATE = re.compile(
    r"""\[\s*(?:(?P<position>\d{1,9})|(?P<last>last\(\))|@(?P<name>[\w.:-]+)\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'))\s*\]"""
)
_POSITIONS = ("append", "prepend", "before", "after")


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    """"" for a row's or element's attribute or text, which is the last step."""
    position: int | None = None
    """Counted from 1; 0 is last()."""
    conditions: tuple[tuple[str, str], ...] = ()
    attribute: str = ""
    is_text: bool = False


@dataclass(slots=True)
class _Draft:
    """A tree that is being changed: which nodes are its own already."""

    root: Node
    own: set[int] = field(default_factory=set[int])

    def path(self, indices: list[int]) -> Node:
        """The node at child indices from the root, it and its ancestors copied as far as they are still shared."""
        node = self.root = self._owned(self.root)
        for index in indices:
            child = self._owned(node.children[index])
            node.children[index] = child
            node = child
        return node

    def _owned(self, node: Node) -> Node:
        if id(node) in self.own:
            return node
        copied = node.copy()
        self.own.add(id(copied))
        return copied


def apply_patch(root: Node, patch: Node) -> Node:
    """The tree after every operation of a patch, in order. Raises ManifestError kinds with the operation's place."""
    draft = _Draft(root)
    operations = [item for item in patch.children if item.tag in ("add", "replace", "remove")]
    if len(operations) > MAX_OPERATIONS:
        raise UnsupportedManifestFeature(f"a patch of more than {MAX_OPERATIONS} operations", location="Patch")
    for index, operation in enumerate(operations):
        _apply(draft, operation, f"Patch/{operation.tag}[{index}]")
    return draft.root


def _apply(draft: _Draft, operation: Node, where: str) -> None:
    steps = _parse(operation.get("sel").strip(), where)
    last = steps[-1]
    is_leaf = bool(last.attribute) or last.is_text
    elements = steps[:-1] if is_leaf else steps
    indices, row = _find(draft.root, elements, where)
    if is_leaf:
        _apply_to_leaf(draft, operation, indices, row, last, where)
    elif operation.tag == "add":
        _add(draft, operation, indices, row, where)
    elif row is not None:
        new = _new_rows(operation, where) if operation.tag == "replace" else []
        _splice(draft.path(indices), row, 1, new)
    else:
        parent = draft.path(indices[:-1])
        if not indices:
            raise ManifestSyntaxError("the root element can be neither replaced nor removed", location=where)
        _forget(parent)
        parent.children[indices[-1] : indices[-1] + 1] = operation.children if operation.tag == "replace" else []


def _apply_to_leaf(
    draft: _Draft, operation: Node, indices: list[int], row: int | None, leaf: _Step, where: str
) -> None:
    """Replace or remove an attribute or the text of an element."""
    if operation.tag == "add":
        raise ManifestSyntaxError("an attribute is added with @type", location=where)
    value = operation.text.strip() if operation.tag == "replace" else None
    node = draft.path(indices)
    if row is not None:
        _set_in_row(node, row, leaf.attribute, value, where)
        return
    _forget(node)
    if leaf.is_text:
        node.text = value or ""
        return
    key = next((name for name in node.attrib if _same(name, leaf.attribute)), None)
    if key is None:
        raise ManifestSyntaxError(f"there is no attribute {leaf.attribute[:40]!r} to change", location=where)
    if value is None:
        del node.attrib[key]
    else:
        node.attrib[key] = value


def _add(draft: _Draft, operation: Node, indices: list[int], row: int | None, where: str) -> None:
    kind = operation.get("type")
    if kind.startswith("@"):
        node = draft.path(indices)
        if row is not None:
            _set_in_row(node, row, kind[1:], operation.text.strip(), where)
        else:
            _forget(node)
            node.attrib[kind[1:]] = operation.text.strip()
        return
    if kind:
        raise UnsupportedManifestFeature(f"a patch that adds {kind[:40]!r}", location=where)
    position = operation.get("pos", "append")
    if position not in _POSITIONS:
        raise ManifestSyntaxError(f"pos {position[:40]!r} is none of {', '.join(_POSITIONS)}", location=where)
    if position in ("before", "after"):
        at = row if row is not None else indices[-1] if indices else None
        if at is None:
            raise ManifestSyntaxError("nothing can stand beside the root element", location=where)
        at += position == "after"
        if row is not None:
            _splice(draft.path(indices), at, 0, _new_rows(operation, where))
            return
        parent = draft.path(indices[:-1])
        _insert(parent, operation, at, where)
        return
    node = draft.path(indices)
    if row is not None:
        raise ManifestSyntaxError("a row holds no elements", location=where)
    _insert(node, operation, 0 if position == "prepend" else len(node.children), where, position == "prepend")


def _insert(parent: Node, operation: Node, at: int, where: str, is_first: bool = False) -> None:
    """Put the operation's elements into a node; S and SegmentURL join its rows."""
    row_name = ROWS_OF.get(parent.tag)
    new = [item for item in operation.children if item.tag != row_name]
    if row_name is not None and len(new) < len(operation.children):
        begin = 0 if is_first else len(parent.rows or ())
        _splice(parent, begin, 0, _new_rows(operation, where, row_name))
    if new:
        _forget(parent)
        parent.children[at:at] = new
    elif operation.text.strip():
        parent.text = operation.text.strip()


def _splice(node: Node, at: int, removed: int, rows: list[list[str]]) -> None:
    """Change a node's rows, and what was derived from them."""
    if node.rows is None:
        node.rows = []
    node.rows[at : at + removed] = rows
    if node.columns is not None:
        node.columns = node.columns.spliced(at, removed, rows)


def _forget(node: Node) -> None:
    node.source = b""


def _new_rows(operation: Node, where: str, name: str = "") -> list[list[str]]:
    if any(item.children for item in operation.children):
        raise ManifestSyntaxError("a row holds no elements", location=where)
    return [
        [part for pair in item.attrib.items() for part in pair]
        for item in operation.children
        if not name or item.tag == name
    ]


def _set_in_row(node: Node, row: int, name: str, value: str | None, where: str) -> None:
    old = node.rows[row] if node.rows is not None else []
    attributes = dict(zip(old[::2], old[1::2], strict=True))
    if value is None:
        if name not in attributes:
            raise ManifestSyntaxError(f"there is no attribute {name[:40]!r} to remove", location=where)
        del attributes[name]
    else:
        attributes[name] = value
    _splice(node, row, 1, [[part for pair in attributes.items() for part in pair]])


# --------------------------------------------------------------------------- selectors


def _parse(selector: str, where: str) -> list[_Step]:
    if not selector.startswith("/"):
        selector = "/" + selector
    steps: list[_Step] = []
    at = 0
    while at < len(selector):
        found = _STEP.match(selector, at)
        if found is None:
            raise UnsupportedManifestFeature(f"the selector {selector[:120]!r}", location=where)
        at = found.end()
        if found["attribute"] or found["text"]:
            if at != len(selector) or not steps:
                raise ManifestSyntaxError(f"the selector {selector[:120]!r} goes on after a value", location=where)
            steps.append(_Step("", attribute=_local(found["attribute"] or ""), is_text=bool(found["text"])))
            return steps
        steps.append(_step(found["name"], found["predicates"], selector, where))
    return steps


def _step(name: str, predicates: str, selector: str, where: str) -> _Step:
    position: int | None = None
    conditions: list[tuple[str, str]] = []
    at = 0
    while at < len(predicates):
        found = _PREDICATE.match(predicates, at)
        if found is None:
            raise UnsupportedManifestFeature(f"the selector {selector[:120]!r}", location=where)
        at = found.end()
        if found["name"]:
            value = found["double"] if found["double"] is not None else found["single"]
            conditions.append((_local(found["name"]), value))
        else:
            position = 0 if found["last"] else int(found["position"])
    return _Step(_local(name), position, tuple(conditions))


def _find(root: Node, steps: list[_Step], where: str) -> tuple[list[int], int | None]:
    """Child indices from the root to the one element that is selected, and the row within it when it is one."""
    first = steps[0]
    if first.name not in (root.tag, "*") or not _holds(root.attrib, first.conditions):
        raise ManifestSyntaxError(f"nothing is selected by {first.name[:40]!r}", location=where)
    node, indices = root, list[int]()
    for index, step in enumerate(steps[1:], 1):
        if step.name == ROWS_OF.get(node.tag) and node.rows:
            if index != len(steps) - 1:
                raise ManifestSyntaxError("a row holds no elements", location=where)
            return indices, _find_row(node.rows, step, where)
        found = [
            at
            for at, item in enumerate(node.children)
            if step.name in (item.tag, "*") and _holds(item.attrib, step.conditions)
        ]
        at = _one(found, step, where)
        indices.append(at)
        node = node.children[at]
    return indices, None


def _find_row(rows: list[list[str]], step: _Step, where: str) -> int:
    if not step.conditions:
        return _one(range(len(rows)), step, where)
    found: list[int] = []
    for at, row in enumerate(rows):
        if all(
            any(row[i] == name and row[i + 1] == value for i in range(0, len(row), 2))
            for name, value in step.conditions
        ):
            found.append(at)
    return _one(found, step, where)


def _one(found: list[int] | range, step: _Step, where: str) -> int:
    """The one that a step means (4.1: a selector must find exactly one)."""
    if step.position is not None and len(found) >= max(step.position, 1):
        return found[step.position - 1]
    if step.position is None and len(found) == 1:
        return found[0]
    count = len(found)
    raise ManifestSyntaxError(f"{step.name[:40]!r} selects {count or 'no'} elements, not one", location=where)


def _holds(attributes: dict[str, str], conditions: tuple[tuple[str, str], ...]) -> bool:
    return all(
        any(_same(name, wanted) and text == value for name, text in attributes.items()) for wanted, value in conditions
    )


def _same(name: str, wanted: str) -> bool:
    return name == wanted or name.endswith(":" + wanted)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
