"""The three-way merge of packages: what an app was installed from, what it has become here, and what is new.

Pure. Whatever only one side has changed is taken from that side; what both have changed differently is a conflict,
settled by a choice, and until then as it is here. Nothing is left out without being told.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Path = tuple[str, ...]
YOURS, THEIRS = "yours", "theirs"
ALWAYS_THEIRS = {("version",), ("language",)}


class _Absent:
    """What is not there."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Any = _Absent()


@dataclass(frozen=True)
class Item:
    """One thing that an upgrade does: `add`, `change` or `remove`, or a `conflict` to be settled."""

    kind: str
    path: Path
    base: Any
    yours: Any
    theirs: Any
    chosen: str

    @property
    def key(self) -> str:
        return "/".join(self.path)

    @property
    def asks(self) -> bool:
        """Whether a person may choose which side holds."""
        return self.kind in ("conflict", "remove")


@dataclass
class Merge:
    """What comes of a merge, all that it does, and how many of the changes made here it keeps."""

    package: Json = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    @property
    def conflicts(self) -> list[Item]:
        return [item for item in self.items if item.kind == "conflict"]


def merge(
    base: Mapping[str, Any],
    yours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    choices: Mapping[str, str] | None = None,
) -> Merge:
    """Merge what is new into an app. `choices` says by an item's key which side holds."""
    done = Merge()
    made = _Merging(done, choices or {}).value((), dict(base), dict(yours), dict(theirs))
    done.package = deepcopy(made)
    return done


class _Merging:
    def __init__(self, done: Merge, choices: Mapping[str, str]) -> None:
        self.done, self.choices = done, choices

    def value(self, path: Path, base: Any, yours: Any, theirs: Any) -> Any:
        if yours == theirs:
            return yours
        if base == yours:
            return self.taken(path, base, theirs)
        if base == theirs:
            self.done.kept.append(path)
            return yours
        if path in ALWAYS_THEIRS:
            return theirs
        if isinstance(yours, dict) and isinstance(theirs, dict):
            return self.parts(path, base if isinstance(base, dict) else {}, yours, theirs)
        lists = [_by_id(one) for one in (base if base is not ABSENT else [], yours, theirs)]
        if all(one is not None for one in lists):
            return self.listed(path, *lists)  # type: ignore[arg-type]
        return self.conflict(path, base, yours, theirs)

    def parts(self, path: Path, base: Json, yours: Json, theirs: Json) -> Json:
        made = {}
        for name in {**yours, **theirs}:
            sides = (one.get(name, ABSENT) for one in (base, yours, theirs))
            found = self.value((*path, name), *sides)
            if found is not ABSENT:
                made[name] = found
        return made

    def listed(self, path: Path, base: Json, yours: Json, theirs: Json) -> list[Any]:
        """Things with ids, each merged by itself, in an order that both sides' neighbours recognise."""
        made = {}
        for id in {**base, **yours, **theirs}:
            found = self.value((*path, id), *(one.get(id, ABSENT) for one in (base, yours, theirs)))
            if found is not ABSENT:
                made[id] = found
        moved = [id for id in yours if id in base] != [id for id in base if id in yours]
        first, second = ([*yours], [*theirs]) if moved else ([*theirs], [*yours])
        return [made[id] for id in _woven(first, second) if id in made]

    def taken(self, path: Path, base: Any, theirs: Any) -> Any:
        """What only the new package has changed, told piece by piece; what it takes away may be kept."""
        if base is ABSENT:
            return self.told("add", path, base, base, theirs)
        if theirs is ABSENT:
            if not _is_thing(path, base):
                return self.told("change", path, base, base, theirs)
            chosen = self.choices.get("/".join(path), THEIRS)
            self.done.items.append(Item("remove", path, base, base, theirs, chosen))
            return base if chosen == YOURS else ABSENT
        if isinstance(base, dict) and isinstance(theirs, dict) and not _is_text(base):
            made = {n: self.pair((*path, n), base.get(n, ABSENT), theirs.get(n, ABSENT)) for n in {**theirs, **base}}
            return {n: v for n, v in made.items() if v is not ABSENT}
        old, new = _by_id(base), _by_id(theirs)
        if old is not None and new is not None and _things(old, new):
            return self.things(path, old, new)
        return self.told("change", path, base, base, theirs)

    def things(self, path: Path, old: Json, new: Json) -> list[Any]:
        made = {id: self.pair((*path, id), old.get(id, ABSENT), new.get(id, ABSENT)) for id in {**new, **old}}
        return [made[id] for id in _woven([*new], [*old]) if made[id] is not ABSENT]

    def pair(self, path: Path, base: Any, theirs: Any) -> Any:
        return base if base == theirs else self.taken(path, base, theirs)

    def told(self, kind: str, path: Path, base: Any, yours: Any, theirs: Any) -> Any:
        self.done.items.append(Item(kind, path, base, yours, theirs, THEIRS))
        return theirs

    def conflict(self, path: Path, base: Any, yours: Any, theirs: Any) -> Any:
        chosen = self.choices.get("/".join(path), YOURS)
        self.done.items.append(Item("conflict", path, base, yours, theirs, chosen))
        if chosen == THEIRS:
            return theirs
        if path[-1:] == ("layout",) and all(isinstance(one, list) for one in (yours, theirs)):
            known = {*_fields_on(base if base is not ABSENT else []), *_fields_on(yours)}
            return [*yours, *({"row": [f]} for f in dict.fromkeys(_fields_on(theirs)) if f not in known)]
        return yours


def _by_id(value: Any) -> dict[str, Any] | None:
    """A list of things with ids, or of words that each stand in it once, by id; None for any other value."""
    if not isinstance(value, list):
        return None
    found = [item.get("id") if isinstance(item, dict) else item for item in value]
    ids = [id for id in found if isinstance(id, str)]
    if len(set(ids)) < len(value):
        return None
    return dict(zip(ids, value, strict=True))


def _things(*lists: Mapping[str, Any]) -> bool:
    """Whether these are things with options of their own, rather than words."""
    return all(isinstance(item, dict) for one in lists for item in one.values())


def _is_thing(path: Path, value: Any) -> bool:
    return isinstance(value, dict) and value.get("id") == path[-1]


def _is_text(value: Mapping[str, Any]) -> bool:
    """Whether this is a label in several languages, told as one."""
    return all(isinstance(v, str) and len(k) <= 5 for k, v in value.items())


def _woven(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """The first list, with what only the second has behind its neighbour there."""
    made = list(first)
    before: str | None = None
    for id in second:
        if id not in made:
            made.insert(made.index(before) + 1 if before in made else 0, id)
        before = id
    return made


def _fields_on(layout: Any) -> Iterator[str]:
    """The fields of a form's layout, in reading order."""
    if isinstance(layout, list):
        for one in layout:
            yield from _fields_on(one)
    elif isinstance(layout, dict):
        for name, value in layout.items():
            if name == "row" and isinstance(value, list):
                yield from (f for f in value if isinstance(f, str))
            elif name == "rows" and isinstance(value, list):
                yield from (f for row in value if isinstance(row, list) for f in row if isinstance(f, str))
            elif name in ("layout", "tabs"):
                yield from _fields_on(value)
