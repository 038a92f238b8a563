"""The types of formula values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType

from schemas.messages import Message, say


@dataclass(frozen=True)
class Type:
    """The type of a value.

    `of` is an array's element type, `target` a link's table, `options` the ids that a choice may hold
    (for a text: the only texts it can be, where that is known). A text may have `parts`, each with a type of its
    own: an address its city. As a whole it is a text like any other.
    """

    kind: str
    of: "Type | None" = None
    target: str | None = None
    options: frozenset[str] | None = None
    parts: "Mapping[str, Type] | None" = field(default=None, compare=False, repr=False)

    @property
    def element(self) -> "Type":
        """Of a list the type of what is in it, of anything else the type itself."""
        return self.of if self.kind == "array" and self.of else self


NUMBER = Type("number")
TEXT = Type("text")
BOOLEAN = Type("boolean")
DATE = Type("date")
DATETIME = Type("datetime")
CHOICE = Type("choice")
MEMBER = Type("member")
DEPARTMENT = Type("department")
LINK = Type("link")
ROWS = Type("rows")
BLANK = Type("blank")
ANY = Type("any")
FILE = Type("file")
HTML = Type("html")

HOPS = frozenset({"link", "member", "department"})
MOMENTS = frozenset({"date", "datetime"})


def array_of(element: Type) -> Type:
    return Type("array", of=element)


def link_to(table_id: str) -> Type:
    return Type("link", target=table_id)


def choice_of(ids: "frozenset[str] | set[str] | list[str] | tuple[str, ...]") -> Type:
    return Type("choice", options=frozenset(ids))


MEMBER_FACTS = MappingProxyType(
    {
        "name": TEXT,
        "email": TEXT,
        "phone": TEXT,
        "title": TEXT,
        "external": BOOLEAN,
        "department": DEPARTMENT,
        "departments": array_of(DEPARTMENT),
        "head": MEMBER,
        "roles": array_of(TEXT),
        "headed_departments": array_of(DEPARTMENT),
    }
)
DEPARTMENT_FACTS = MappingProxyType({"name": TEXT, "head": MEMBER, "parent": DEPARTMENT})

WORDS = {
    "number": say("a number"),
    "text": say("a text"),
    "boolean": say("yes or no"),
    "date": say("a date"),
    "datetime": say("a date and time"),
    "choice": say("a choice"),
    "member": say("a member"),
    "department": say("a department"),
    "link": say("a linked record"),
    "rows": say("the rows of a subform"),
    "array": say("a list"),
    "blank": say("nothing"),
    "any": say("any value"),
    "file": say("files"),
    "html": say("formatted text"),
}


def unify(one: Type, other: Type) -> Type | None:
    """The type that both can be read as, or None."""
    if one.kind in ("blank", "any"):
        return other
    if other.kind in ("blank", "any"):
        return one
    kinds = {one.kind, other.kind}
    if kinds == {"text"}:
        return Type("text", options=_both(one, other))
    if kinds == {"choice"}:
        return one if one.options == other.options else Type("choice", options=_both(one, other))
    if kinds == {"choice", "text"}:
        return _choice_or_text(one, other)
    if kinds == {"date", "datetime"}:
        return DATETIME
    if kinds == {"array"} and one.of and other.of:
        element = unify(one.of, other.of)
        return array_of(element) if element else None
    if kinds == {"link"} and one.target and other.target and one.target != other.target:
        return None
    return one if len(kinds) == 1 else None


def _both(one: Type, other: Type) -> frozenset[str] | None:
    return one.options | other.options if one.options is not None and other.options is not None else None


def _choice_or_text(one: Type, other: Type) -> Type:
    choice, text = (one, other) if one.kind == "choice" else (other, one)
    known = choice.options is not None and text.options is not None and text.options <= choice.options
    return choice if known else Type("text", options=_both(one, other))


def stray_option(choice: Type, text: Type) -> Message | None:
    """The refusal of a text that is none of a choice's options."""
    if choice.kind != "choice" or choice.options is None or text.options is None:
        return None
    for stray in sorted(text.options - choice.options):
        near = get_close_matches(stray, choice.options, n=1)
        if near:
            return say("'{option}' is not one of the options (did you mean '{near}'?)", option=stray, near=near[0])
        known = ", ".join(sorted(choice.options))
        return say("'{option}' is not one of the options ({known})", option=stray, known=known)
    return None
