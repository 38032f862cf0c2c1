"""Remote elements (xlink, 5.5): which are asked for, and what stands in their place once they have come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cushion_player.errors import ManifestError, ManifestSyntaxError
from cushion_player.manifest.guard import Base
from cushion_player.manifest.reading import Need, NeedKind, Notes
from cushion_player.manifest.xml_tree import Node, parse_xml

NOTHING = "urn:mpeg:dash:resolve-to-zero:2013"
MAX_DEPTH = 5
"""Remote elements that lead to remote elements."""
MAX_LINKS = 100
"""Of one manifest, over all rounds."""
_LINKABLE = ("Period", "AdaptationSet", "EventStream", "SegmentList", "Preselection", "ServiceDescription", "BaseURL")


@dataclass(frozen=True, slots=True)
class Link:
    """A remote element that has not come yet."""

    need: Need
    node: Node
    is_required: bool
    """actuate="onLoad": the presentation is not complete without it."""


def find_links(root: Node, base: Base, known: Sequence[Link], notes: Notes) -> tuple[Node, tuple[Link, ...]]:
    """The tree without elements that resolve to nothing, and its links. Those that are known keep their need."""
    root = _without_nothing(root)
    by_node = {id(link.node): link for link in known}
    links: list[Link] = []
    for node, where in _places(root):
        href = node.local("href")
        if href is None or node.tag not in _LINKABLE:
            continue
        old = by_node.get(id(node))
        if old is not None:
            links.append(old)
            continue
        try:
            url = base.resolve(href, f"{where}@xlink:href")
        except ManifestError as exc:
            notes.repair(f"a remote element was left out: {exc}", where, "5.5.3: what it stands for is used")
            continue
        if url in node.chain or len(node.chain) >= MAX_DEPTH:
            why = "it leads back to itself" if url in node.chain else f"more than {MAX_DEPTH} lead to one another"
            notes.repair("a remote element was left out", where, why)
            continue
        if len(links) == MAX_LINKS:
            notes.repair(f"remote elements after the first {MAX_LINKS} were left out", where, "no more are followed")
            break
        need = Need(NeedKind.XLINK, url, None, f"the remote {node.tag} {where}")
        links.append(Link(need, node, (node.local("actuate") or "").lower() == "onload"))
    return root, tuple(links)


def fill_in(root: Node, link: Link, text: str) -> Node:
    """The tree with what was fetched in place of a link: any number of elements of the same name.

    Raises ManifestError kinds when it is something else.
    """
    found = parse_xml(text, fragments=True).children
    if any(item.tag != link.node.tag for item in found):
        names = ", ".join(sorted({item.tag[:40] for item in found}))
        raise ManifestSyntaxError(f"{link.need.label} is {names}, not {link.node.tag}", location=link.need.url)
    for item in found:
        for node in item.walk():
            node.chain = (*link.node.chain, link.need.url)
    return replace_node(root, link.node, found)


def unlinked(root: Node, link: Link) -> Node:
    """The tree with the element as it stands, without its link (5.5.3: when the remote one cannot be had)."""
    plain = link.node.copy()
    plain.attrib = {
        key: value for key, value in plain.attrib.items() if key.rpartition(":")[2] not in ("href", "actuate")
    }
    return replace_node(root, link.node, [plain])


def replace_node(root: Node, old: Node, new: Sequence[Node]) -> Node:
    """A tree in which `new` stands in the place of `old`; everything else is shared."""
    if root is old:
        return new[0] if new else root
    for index, item in enumerate(root.children):
        if item is old:
            copied = root.copy()
            copied.children[index : index + 1] = new
            return copied
    for index, item in enumerate(root.children):
        changed = replace_node(item, old, new)
        if changed is not item:
            copied = root.copy()
            copied.children[index] = changed
            return copied
    return root


def _places(root: Node) -> list[tuple[Node, str]]:
    """Elements that may be links, with their paths, in document order."""
    found: list[tuple[Node, str]] = []
    stack = [(root, root.tag)]
    while stack:
        node, where = stack.pop()
        found.append((node, where))
        counts: dict[str, int] = {}
        below: list[tuple[Node, str]] = []
        for item in node.children:
            if item.tag in _LINKABLE or item.tag == "Representation":
                index = counts[item.tag] = counts.get(item.tag, -1) + 1
                below.append((item, f"{where}/{item.tag}[{index}]"))
        stack.extend(reversed(below))
    return found


def _without_nothing(node: Node) -> Node:
    if not node.children:
        return node
    if not any(item.local("href") == NOTHING or item.tag in _LINKABLE for item in node.children):
        return node
    children = [_without_nothing(item) for item in node.children if item.local("href") != NOTHING]
    if all(new is old for new, old in zip(children, node.children, strict=False)) and len(children) == len(
        node.children
    ):
        return node
    copied = node.copy()
    copied.children = children
    return copied
