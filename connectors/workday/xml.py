"""XML of Workday Web Services: safe to read, small to write. Namespace `urn:com.workday/bsvc`."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, SubElement

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

NAMESPACE = "urn:com.workday/bsvc"
WD = f"{{{NAMESPACE}}}"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
MAX_CHARACTERS = 64 * 1024 * 1024
"""A longer answer is not read: a page of 999 workers has some megabytes."""


class NotXml(ValueError):
    """A text is not XML that may be read; the message says why."""


class MissingElement(LookupError):
    """An element that must be there is not; the message is its path."""


def parsed(text: str) -> Element:
    """The root of an XML text. Raises `NotXml`, also for a document type or entities of its own."""
    if len(text) > MAX_CHARACTERS:
        raise NotXml(f"the answer has {len(text)} characters; ask for smaller pages")
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise NotXml(f"not XML: {error}") from None
    return root


def local_name(node: Element) -> str:
    """The name of an element without its namespace."""
    return node.tag.rpartition("}")[2]


def text_of(node: Element, path: str) -> str:
    """The text at `path` without blanks around it; empty where there is none."""
    return (node.findtext(path) or "").strip()


def wd_path(path: str) -> str:
    """`A/B` with every step in Workday's namespace."""
    return "/".join(step if step in (".", "") else f"{WD}{step}" for step in path.split("/"))


def at(node: Element | None, path: str) -> str:
    """Text at a path of Workday's elements; empty where there is none."""
    return "" if node is None else text_of(node, wd_path(path))


def needed(node: Element, path: str) -> str:
    """Text at a path of Workday's elements. Raises `MissingElement` where there is none."""
    found = at(node, path)
    if not found:
        raise MissingElement(path.replace("/", "."))
    return found


def child(node: Element | None, path: str) -> Element | None:
    """The first element at a path of Workday's elements."""
    return None if node is None else node.find(wd_path(path))


def children(node: Element | None, path: str) -> Iterator[Element]:
    """All elements at a path of Workday's elements, in order."""
    return iter(()) if node is None else iter(node.findall(wd_path(path)))


def reference(node: Element | None, *types: str) -> str:
    """The id of the first of `types` that a reference element holds; empty where it holds none."""
    held = {one.get(f"{WD}type", ""): (one.text or "").strip() for one in children(node, "ID")}
    return next((held[kind] for kind in types if held.get(kind)), "")


def is_true(text: str) -> bool:
    """xsd:boolean."""
    return text in ("true", "1")


def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """A further element in Workday's namespace; its attributes are in that namespace too."""
    node = SubElement(parent, f"{WD}{name}", {f"{WD}{key}": value for key, value in attributes.items()})
    node.text = text
    return node
