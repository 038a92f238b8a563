"""Edits of an app's navigation: lines and folders added, moved, named, coloured, taken away.

A line's place is the numbers of the lines that lead to it: `2.0` is the first in the third, `""` the navigation itself.
"""

from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy
from typing import Any

from builder.parts import Json, Parts, replaced
from schemas.errors import InvalidInput
from schemas.messages import say
from schemas.navigation import TARGETS

DEEPEST = 3
"""Folders within folders that the builder makes; deeper ones of a file are kept."""
KINDS = {"view": "views", "form": "forms", "dashboard": "dashboards", "flow": "flows"}
"""What a line may open, with the name of its kind among the parts."""
GONE = say("This line is no longer there.")


def entries_of(parts: Parts) -> list[Json]:
    """The navigation as it is; an app that has not been arranged shows its dashboards and views."""
    return list(parts["manifest"].get("navigation") or everything(parts))


def everything(parts: Parts) -> list[Json]:
    boards = [{"dashboard": id} for id in parts["order/dashboards"]]
    listed = {parts[f"views/{id}"].get("table") for id in parts["order/views"]}
    made = [id for id in parts["order/tables"] if id not in listed and id not in parts["order/views"]]
    return [*boards, *({"view": id} for id in (*parts["order/views"], *made))]


def kind_of(entry: Json) -> str:
    """What a line leads to: view, form, dashboard, flow, link; or folder."""
    if "items" not in entry:
        return next((kind for kind in TARGETS if entry.get(kind)), "folder")
    return "folder"


def walk(entries: Sequence[Json], place: str = "") -> Iterator[tuple[str, Json]]:
    """Every line with its place."""
    for number, entry in enumerate(entries):
        own = f"{place}.{number}".lstrip(".")
        yield own, entry
        yield from walk(entry.get("items") or (), own)


def entry_at(parts: Parts, place: str) -> Json:
    """The line at a place. Raises InvalidInput where there is none."""
    found = dict(walk(entries_of(parts))).get(place)
    if found is None:
        raise InvalidInput({"": [GONE]})
    return found


def unlisted(parts: Parts) -> dict[str, list[str]]:
    """The ids of what could be opened from the navigation and is not in it, by kind."""
    lines = [entry for _, entry in walk(entries_of(parts))]
    return {
        kind: [id for id in parts[f"order/{many}"] if all(line.get(kind) != id for line in lines)]
        for kind, many in KINDS.items()
    }


# -- edits -----------------------------------------------------------------------------------------


def add(parts: Parts, kind: str, target: Any, beside: str = "") -> tuple[Parts, str]:
    """A new line: into the folder that is chosen (`beside`), behind the line that is, else at the end. Gives its place.

    `target` is an id; for a folder its name. Raises InvalidInput for what there is not.
    """
    made, entry = _opened(parts), _new(parts, kind, target)
    chosen = dict(walk(_top(made))).get(beside)
    if chosen is not None and kind_of(chosen) == "folder" and _deep(beside) + (kind == "folder") <= DEEPEST:
        chosen.setdefault("items", []).append(entry)
    elif chosen is not None:
        _list_at(made, beside.rpartition(".")[0]).insert(_last(beside) + 1, entry)
    else:
        _top(made).append(entry)
    return made, _place_of(made, entry)


def _new(parts: Parts, kind: str, target: Any) -> Json:
    if kind == "folder":
        return {"group": target, "items": []}
    if kind == "link":
        return {"link": "https://", "title": target}
    if kind not in KINDS or f"{KINDS[kind]}/{target}" not in parts:
        raise InvalidInput({"": [say("This is no longer there.")]})
    return {kind: target}


def move(parts: Parts, place: str, to: str, position: int) -> tuple[Parts, str]:
    """A line at another place, in the folder `to` or at the top. Gives its new place."""
    if f"{to}.".startswith(f"{place}."):
        raise InvalidInput({"": [say("A folder cannot be put into itself.")]})
    made = _opened(parts)
    source, target = _list_at(made, place.rpartition(".")[0]), _list_at(made, to)
    if _last(place) >= len(source):
        raise InvalidInput({"": [GONE]})
    entry = source.pop(_last(place))
    if _deep(to) + _height(entry) > DEEPEST and to:
        raise InvalidInput({"": [say("Folders may lie in folders up to {n} deep.", n=DEEPEST)]})
    target.insert(max(0, min(position, len(target))), entry)
    return made, _place_of(made, entry)


def insert(parts: Parts, kind: str, target: str, to: str, position: int) -> tuple[Parts, str]:
    """A new line at a place: what was dragged in. Gives its place."""
    made, entry = _opened(parts), _new(parts, kind, target)
    _list_at(made, to).insert(max(0, position), entry)
    return made, _place_of(made, entry)


def change(parts: Parts, place: str, options: Json) -> Parts:
    """Options of a line replaced; only one line may be where the app begins."""
    made = _opened(parts)
    if options.get("home"):
        for _, line in walk(_top(made)):
            line.pop("home", None)
    entry = dict(walk(_top(made))).get(place)
    if entry is None:
        raise InvalidInput({"": [GONE]})
    changed = replaced(entry, options)
    entry.clear()
    entry.update(changed)
    return made


def remove(parts: Parts, place: str) -> Parts:
    """A line taken away; what lies in a folder comes out of it, in its place."""
    made = _opened(parts)
    holder = _list_at(made, place.rpartition(".")[0])
    if not place or _last(place) >= len(holder):
        raise InvalidInput({"": [GONE]})
    entry = holder[_last(place)]
    holder[_last(place) : _last(place) + 1] = entry.get("items") or []
    return made


# -- what goes with other edits ---------------------------------------------------------------------


def without_lines(parts: Parts, kind: str, ids: Collection[str]) -> Parts:
    """The lines of the navigation that open one of these taken out, and folders that are empty for it."""
    made = Parts(parts)
    kept = list(_kept_lines(made["manifest"].get("navigation") or [], kind, ids))
    made["manifest"] = {**made["manifest"], "navigation": kept}
    return made


def _kept_lines(entries: list[Json], kind: str, ids: Collection[str]) -> Iterator[Json]:
    for entry in entries:
        if entry.get("items"):
            inner = list(_kept_lines(entry["items"], kind, ids))
            if inner:
                yield {**entry, "items": inner}
        elif entry.get(kind) not in ids:
            yield entry


# -- places ----------------------------------------------------------------------------------------


def _opened(parts: Parts) -> Parts:
    """A copy with the navigation written out."""
    made = deepcopy(parts)
    made["manifest"]["navigation"] = deepcopy(entries_of(parts))
    return made


def _top(parts: Parts) -> list[Json]:
    return parts["manifest"]["navigation"]  # type: ignore[no-any-return]


def _list_at(parts: Parts, place: str) -> list[Json]:
    """The lines of a folder, or those at the top."""
    if not place:
        return _top(parts)
    folder = dict(walk(_top(parts))).get(place)
    if folder is None or kind_of(folder) != "folder":
        raise InvalidInput({"": [GONE]})
    return folder.setdefault("items", [])  # type: ignore[no-any-return]


def _place_of(parts: Parts, entry: Json) -> str:
    return next(place for place, one in walk(_top(parts)) if one is entry)


def _last(place: str) -> int:
    last = place.rpartition(".")[2]
    return int(last) if last.isdecimal() else 1_000_000


def _deep(place: str) -> int:
    return len(place.split(".")) if place else 0


def _height(entry: Json) -> int:
    """How many folders lie in one another from here on."""
    if kind_of(entry) != "folder":
        return 0
    return 1 + max((_height(inner) for inner in entry.get("items") or ()), default=0)
