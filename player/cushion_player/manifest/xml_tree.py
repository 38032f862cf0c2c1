"""XML through expat, straight into small nodes: what is hostile is refused while it is being read.

The rows of SegmentTimeline and SegmentList (`S`, `SegmentURL`) are kept as attribute lists, not as nodes: a manifest
has tens of thousands of them. Names are local names, whatever the namespace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Protocol
from xml.parsers import expat

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature

MAX_ELEMENTS = 500_000
MAX_DEPTH = 64
MAX_ATTRIBUTES = 256
"""Of one element."""
MAX_TAG_BYTES = 256 * 1024
MAX_DIGITS = 20
_PIECE_BYTES = 64 * 1024
_COUNTED = 1 << 20
ROWS_OF = {"SegmentTimeline": "S", "SegmentList": "SegmentURL"}
"""Elements whose children become rows. With a namespace prefix they become nodes, until `_gather_rows`."""


class Derived(Protocol):
    """What a reader made of rows, kept with them: it follows when rows change."""

    def spliced(self, at: int, removed: int, rows: list[list[str]]) -> Derived | None:
        """The same after `removed` rows from `at` gave way to others; None when it must be made anew."""
        ...


class Node:
    """An element. `rows`: its S or SegmentURL children, each a flat list of names and values.

    A tree is never changed after it was read: edits copy the nodes on the way to what changes.
    """

    __slots__ = ("_named", "attrib", "chain", "children", "columns", "prefix", "rows", "source", "span", "tag", "text")

    def __init__(self, tag: str, attrib: dict[str, str], source: bytes = b"", start: int = 0) -> None:
        self.tag = tag
        self.attrib = attrib
        self.children: list[Node] = []
        self.rows: list[list[str]] | None = None
        self.text = ""
        self.source = source
        self.span = (start, start)
        self.prefix = ""
        self.chain: tuple[str, ...] = ()
        """URLs of the remote documents it came through (xlink)."""
        self.columns: Derived | None = None
        """What a reader derived from `rows`, kept for the next reading."""
        self._named: dict[str, list[Node]] | None = None
        """Children by name, from the first time one is asked for."""

    def get(self, name: str, default: str = "") -> str:
        return self.attrib.get(name, default)

    def local(self, name: str) -> str | None:
        """An attribute by local name (`href` of xlink)."""
        attrib = self.attrib
        if name in attrib:
            return attrib[name]
        ending = ":" + name
        for key in attrib:
            if key.endswith(ending):
                return attrib[key]
        return None

    def child(self, name: str) -> Node | None:
        """The first child of a name."""
        found = self.all(name)
        return found[0] if found else None

    def all(self, name: str) -> Sequence[Node]:
        """The children of a name, in document order."""
        if not self.children:
            return ()
        if self._named is None:
            self._named = {}
            for item in self.children:
                self._named.setdefault(item.tag, []).append(item)
        return self._named.get(name, ())

    def walk(self) -> Iterator[Node]:
        """It and everything beneath, in document order."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def xml(self) -> str:
        """As written, from its opening tag to its closing one."""
        return self.source[self.span[0] : self.span[1]].decode("utf-8", "replace")

    def inner_xml(self) -> str:
        """What is between its tags, as written; "" when nothing or only spaces are."""
        whole = self.xml()
        opening = whole.find(">", _end_of_tag(whole))
        closing = whole.rfind("</")
        return whole[opening + 1 : closing].strip() if 0 <= opening < closing else ""

    def copy(self) -> Node:
        """A node of its own with the same children."""
        node = Node(self.tag, dict(self.attrib), self.source)
        node.children = list(self.children)
        node.rows = list(self.rows) if self.rows is not None else None
        node.text, node.span, node.prefix = self.text, self.span, self.prefix
        node.columns, node.chain = self.columns, self.chain
        return node


def _end_of_tag(text: str) -> int:
    """Where the `>` of the opening tag is to be looked for: behind its quoted values."""
    quote = ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == ">":
            return at
    return len(text)


def parse_xml(text: str, *, fragments: bool = False) -> Node:
    """The root of a document; of `fragments`, a node around all of its elements (xlink may deliver several).

    Raises ManifestSyntaxError with line and column, UnsupportedManifestFeature past a limit: at once, not at the end.
    """
    stripped = text.lstrip() if text[:1].isspace() else text
    lines_before = text.count("\n", 0, len(text) - len(stripped))
    _check_proportions(stripped)
    try:
        data = stripped.encode()
    except UnicodeEncodeError as exc:
        raise ManifestSyntaxError("not well-formed XML: a lone surrogate", location="line 1") from exc
    if fragments:
        if stripped.startswith("<?xml"):
            data = data[data.find(b"?>") + 2 :]
        data = b"<fragments>" + data + b"</fragments>"
    return _Parser(data, lines_before).parse()


def _gather_rows(node: Node) -> None:
    """Turn prefixed S and SegmentURL children into rows too."""
    name = ROWS_OF[node.tag]
    found = [list(chain.from_iterable(item.attrib.items())) for item in node.children if item.tag == name]
    if found:
        node.rows = [*(node.rows or []), *found]
        node.children = [item for item in node.children if item.tag != name]


def _check_proportions(text: str) -> None:
    """Refuse too many elements, and a tag without end, before anything is read: every element has a `<` of its own."""
    left = 2 * MAX_ELEMENTS
    for at in range(0, len(text), _COUNTED):
        found = text.count("<", at, at + _COUNTED)
        left -= found
        if left < 0:
            raise UnsupportedManifestFeature(
                f"more than {MAX_ELEMENTS} elements are not read", location=f"character {at + _COUNTED}"
            )
        if not found and len(text) - at >= _COUNTED:
            last = text.rfind("<", 0, at)
            if not text.startswith("<!", last) and text.find(">", last, at + _COUNTED) < 0:
                raise UnsupportedManifestFeature(
                    f"a tag of more than {_COUNTED >> 10} kB is not read", location=f"character {last}"
                )


class _Parser:
    def __init__(self, data: bytes, lines_before: int) -> None:
        self.data = data
        self.lines_before = lines_before
        self.parser = expat.ParserCreate("utf-8")

    def parse(self) -> Node:
        parser, data = self.parser, self.data
        root = Node("", {})
        stack = [root]
        names = [""]
        texts: list[list[str]] = [[]]
        row = ""
        """The name of what becomes a row where we are."""
        add_row = list[list[str]]().append
        ended: list[str] = []
        """What ended since the first row: among rows a list takes note of it, without Python between.

        Names; where rows follow one another without a space, closing tags as written, because expat then has
        nothing to tell of empty ones.
        """

        def start(name: str, attributes: list[str]) -> None:
            nonlocal row, add_row
            if name == row:
                add_row(attributes)
                return
            if row:
                leave_rows()
            parent = stack[-1]
            if parent.rows is not None and name == ROWS_OF.get(parent.tag):
                row, add_row = name, parent.rows.append
                add_row(attributes)
                parser.CharacterDataHandler = None
                if data.startswith(b"<", data.find(b">", parser.CurrentByteIndex) + 1):
                    parser.EndElementHandler = None
                    parser.DefaultHandler = ended.append
                else:
                    parser.EndElementHandler = ended.append
                return
            if len(attributes) > 2 * MAX_ATTRIBUTES:
                raise self._refusal(f"an element with {len(attributes) // 2} attributes")
            if len(stack) > MAX_DEPTH:
                raise self._refusal(f"elements nested more than {MAX_DEPTH} deep")
            prefix, _, local = name.rpartition(":")
            node = Node(local, dict(zip(attributes[::2], attributes[1::2], strict=True)), data, parser.CurrentByteIndex)
            node.prefix = prefix
            if name in ROWS_OF:
                node.rows = []
            parent.children.append(node)
            stack.append(node)
            names.append(name)
            texts.append([])

        def end(name: str) -> None:
            if name != names[-1]:
                return  # a row's
            node = close()
            at = parser.CurrentByteIndex
            is_empty = data.startswith(b"/>", at - 2) and not node.children
            node.span = (node.span[0], at if is_empty else data.find(b">", at) + 1)

        def close() -> Node:
            node = stack.pop()
            names.pop()
            node.text = "".join(texts.pop())
            if node.prefix and node.tag in ROWS_OF:
                _gather_rows(node)
            return node

        def leave_rows() -> None:
            nonlocal row
            now = parser.CurrentByteIndex
            for item in ended:
                name = item[2:-1].strip() if item.startswith("</") else item
                if name == names[-1]:
                    node = close()
                    node.span = (node.span[0], data.find(b">", data.rfind(f"</{name}".encode(), 0, now)) + 1)
            ended.clear()
            row = ""
            parser.DefaultHandler = None
            parser.EndElementHandler = end
            parser.CharacterDataHandler = characters

        def characters(text: str) -> None:
            texts[-1].append(text)

        def doctype(*_: object) -> None:
            raise ManifestSyntaxError(
                "DOCTYPE declarations are refused in a manifest",
                location=f"line {parser.CurrentLineNumber + self.lines_before}",
            )

        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = characters
        parser.StartDoctypeDeclHandler = doctype
        parser.EntityDeclHandler = doctype
        try:
            self._feed()
        except expat.ExpatError as exc:
            reason = expat.errors.messages.get(exc.code, str(exc))
            raise ManifestSyntaxError(
                f"not well-formed XML: {reason}",
                location=f"line {exc.lineno + self.lines_before}, column {exc.offset + 1}",
            ) from exc
        except (ValueError, OverflowError, UnicodeError) as exc:
            raise ManifestSyntaxError(f"not well-formed XML: {exc}", location=self._place()) from exc
        if row:
            leave_rows()
        return root.children[0]

    def _feed(self) -> None:
        """Hand the data over in pieces, and look between them whether one tag has grown out of all proportion."""
        data, parser = self.data, self.parser
        at, size = 0, _PIECE_BYTES
        while at < len(data):
            parser.Parse(data[at : at + size], False)
            at += size
            token = parser.CurrentByteIndex
            open_bytes = at - token
            if open_bytes > MAX_TAG_BYTES and data.startswith(b"<", token) and not data.startswith(b"<!", token):
                raise self._refusal(f"a tag of more than {MAX_TAG_BYTES >> 10} kB")
            size = max(_PIECE_BYTES, open_bytes) if open_bytes < 1 << 20 else 4 << 20
        parser.Parse(b"", True)

    def _refusal(self, what: str) -> UnsupportedManifestFeature:
        return UnsupportedManifestFeature(f"{what} is not read", location=self._place())

    def _place(self) -> str:
        return f"line {self.parser.CurrentLineNumber + self.lines_before}"
