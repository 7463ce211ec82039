"""XML of unknown origin as a small tree: without entities, and bounded in depth and number."""

from __future__ import annotations

from typing import Final
from xml.parsers import expat

DEPTH_LIMIT: Final = 20
ELEMENT_LIMIT: Final = 1_000_000
TEXT_LIMIT: Final = 10_000  # characters of one element's text that are kept


class XmlFault(ValueError):
    """The document is not one that is read here."""


class Element:
    """An element, its text and its children. Names are without namespaces."""

    __slots__ = ("_length", "_pieces", "children", "name", "namespace")

    def __init__(self, name: str, namespace: str = "") -> None:
        self.name = name
        self.namespace = namespace
        self.children: list[Element] = []
        self._pieces: list[str] = []
        self._length = 0

    def add_text(self, text: str) -> None:
        """More of the text; beyond the limit it is dropped."""
        if self._length < TEXT_LIMIT:
            self._pieces.append(text[: TEXT_LIMIT - self._length])
            self._length += len(text)

    @property
    def text(self) -> str:
        """The text, without white space around it."""
        return "".join(self._pieces).strip()

    def child(self, name: str) -> Element | None:
        """The first child of a name."""
        return next((one for one in self.children if one.name == name), None)

    def all(self, name: str) -> list[Element]:
        """All children of a name."""
        return [one for one in self.children if one.name == name]

    def text_of(self, name: str) -> str:
        """The text of the first child of a name; empty if there is none."""
        one = self.child(name)
        return one.text if one is not None else ""


def parse(document: bytes) -> Element:
    """Read a document. Raises XmlFault."""
    parser = expat.ParserCreate(namespace_separator=" ")
    top = Element("")
    stack = [top]
    count = 0

    def start(name: str, _attributes: object) -> None:
        nonlocal count
        count += 1
        if len(stack) > DEPTH_LIMIT or count > ELEMENT_LIMIT:
            raise XmlFault("the document is too deep or too large")
        namespace, _, local = name.rpartition(" ")
        element = Element(local, namespace)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_name: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        stack[-1].add_text(data)

    def doctype(*_: object) -> None:
        raise XmlFault("the document has a DOCTYPE")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise XmlFault(str(error)) from None
    return top.children[0]
