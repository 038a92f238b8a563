"""Descriptions in definitions: plain text with a little Markdown (bold, italic, struck out, links, lists), as safe markup."""

from functools import lru_cache

from markdown_it import MarkdownIt

from schemas import markup

MARKS = ("emphasis", "strikethrough", "link", "newline", "list", "escape")
_reader = MarkdownIt("zero", {"html": False, "breaks": True, "typographer": False}).enable(list(MARKS))


@lru_cache(maxsize=4_096)
def described(text: str) -> str:
    """The description as HTML; one paragraph alone comes without its tags. Pictures and markup of its own are not read."""
    html = markup.safe(_reader.render(text), pictures=False).strip()
    alone = html.removeprefix("<p>").removesuffix("</p>")
    return alone if html.startswith("<p>") and "<p>" not in alone and alone != html else html
