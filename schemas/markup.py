"""Formatted text: what people may write, made safe, and the plain text in it."""

import re
from collections.abc import Mapping
from html import escape, unescape
from html.parser import HTMLParser
from uuid import UUID

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
    "img",
}
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
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
PICTURE = re.compile(r"/pictures/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
"""The only address that a picture in a text may have: one of ours, behind which its reader's rights are asked."""
SHOWN = re.compile(r'<img(?: [a-z]+="[^"]*")*>')
"""A picture as `nh3` writes it."""
PART = re.compile(r' ([a-z]+)="([^"]*)"')
LONGEST_NAME = 200


def safe(html: str, pictures: bool = True) -> str:
    """Only the tags of formatted text; links lead to the web, a mailbox or a telephone, pictures are files of ours.

    A picture from elsewhere becomes a link to it, and one that was written into the text itself its name in brackets:
    nothing is fetched from a stranger when somebody reads.
    """
    clean = _clean(html)
    settled = SHOWN.sub(lambda found: _settled(found[0], pictures), clean)
    return clean if settled == clean else _clean(settled)


def _clean(html: str) -> str:
    clean = nh3.clean(
        html.replace("\xa0", " ").replace("&nbsp;", " "), tags=TAGS, attributes=ATTRIBUTES, attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel"}, link_rel="noopener noreferrer nofollow", strip_comments=True,
    )  # fmt: skip
    return clean.replace("<pre>\n", "<pre>\n\n")  # of two line breaks there, whoever reads it drops the first


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        return " ".join(c for c in value.split() if CLASSES.fullmatch(c)) or None
    if name == "href":
        return value if LEADS.match(value.strip()) else None
    if name == "src":
        return value if PICTURE.fullmatch(value) or re.match(r"https?://[^/\\\s]", value) else None
    if name in ("width", "height"):
        return value if re.fullmatch(r"[1-9][0-9]{0,3}", value) else None
    return value[:LONGEST_NAME] if name == "alt" else value


def _settled(image: str, pictures: bool) -> str:
    """A cleaned picture as it may stay."""
    parts = {name: unescape(value) for name, value in PART.findall(image)}
    source, name = parts.get("src", ""), " ".join(parts.get("alt", "").split())
    if PICTURE.fullmatch(source):
        return image if pictures else escape(f"[{name or NAMELESS}]")
    if source:
        return f'<a href="{escape(source)}">{escape(name or source)}</a>'
    return escape(f"[{name or NAMELESS}]")


NAMELESS = "\U0001f5bc"
"""Stands for a picture without a name where only text can stand."""


def pictures(html: str) -> list[UUID]:
    """The files that a text shows, each once."""
    return [UUID(id) for id in dict.fromkeys(PICTURE.findall(html))] if "/pictures/" in html else []


def renamed(html: str, ids: Mapping[UUID, UUID]) -> str:
    """The same text with other files in the place of these."""
    return PICTURE.sub(lambda found: f"/pictures/{ids.get(UUID(found[1]), UUID(found[1]))}", html)


def picture_address(id: UUID) -> str:
    return f"/pictures/{id}"


def of_plain(text: str) -> str:
    """Lines as paragraphs, for what was written without an editor."""
    return "".join(f"<p>{escape(line, quote=False) or '<br>'}</p>" for line in text.strip().splitlines())


def formatted(text: str, pictures: bool = True) -> str:
    """What was sent, safe: markup as such, plain text as paragraphs. It stays the same when it is sent again."""
    clean = safe(text if TAG.search(text) else of_plain(text), pictures)
    return clean if not clean or TAG.search(clean) else f"<p>{clean}</p>"


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")
        elif tag == "img":
            self.parts.append(f"[{dict(attrs).get('alt') or NAMELESS}]")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain(html: str) -> str:
    """The text alone, a line for each block and a picture by its name."""
    reader = _Plain()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)
