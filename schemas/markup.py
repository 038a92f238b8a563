"""Formatted text: what people may write, made safe, and the plain text in it."""

import re
from html import escape
from html.parser import HTMLParser

import nh3

TAGS = {
    "p",
    "br",
    "strong",
    "b",
    "em",
    "i",
    "u",
    "s",
    "blockquote",
    "pre",
    "code",
    "h1",
    "h2",
    "h3",
    "ol",
    "ul",
    "li",
    "a",
    "span",
    "hr",
}
ATTRIBUTES = {
    "a": {"href"},
    "p": {"class"},
    "li": {"class"},
    "h1": {"class"},
    "h2": {"class"},
    "h3": {"class"},
    "blockquote": {"class"},
}
CLASSES = re.compile(r"ql-(align-(center|right|justify)|indent-[1-8])")
LEADS = re.compile(r"(https?://[^/\\\s]|mailto:[^/\\\s]|tel:[+0-9])", re.IGNORECASE)
BLOCKS = {"p", "br", "li", "h1", "h2", "h3", "blockquote", "pre", "hr", "ul", "ol"}
TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


def safe(html: str) -> str:
    """Only the tags of formatted text; links lead to the web, a mailbox or a telephone. Pictures are left out."""
    return nh3.clean(
        html.replace("\xa0", " ").replace("&nbsp;", " "), tags=TAGS, attributes=ATTRIBUTES, attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel"}, link_rel="noopener noreferrer nofollow", strip_comments=True,
    )  # fmt: skip


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        return " ".join(c for c in value.split() if CLASSES.fullmatch(c)) or None
    if name == "href":
        return value if LEADS.match(value.strip()) else None
    return value


def of_plain(text: str) -> str:
    """Lines as paragraphs, for what was written without an editor."""
    return "".join(f"<p>{escape(line, quote=False) or '<br>'}</p>" for line in text.strip().splitlines())


def formatted(text: str) -> str:
    """What was sent, safe: markup as such, plain text as paragraphs."""
    return safe(text if TAG.search(text) else of_plain(text))


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain(html: str) -> str:
    """The text alone, a line for each block."""
    reader = _Plain()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)
