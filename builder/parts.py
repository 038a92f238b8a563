"""A package in parts, as drafts keep it, and what every edit does with them.

The parts of a package are its objects by `kind/id` (`tables/claim`), their order (`order/tables`), the `manifest`,
and a `bin` of deleted fields by table, which is not part of the package.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from schemas.errors import NotFound

Json = dict[str, Any]
KINDS = ("tables", "forms", "views", "flows", "dashboards", "documents", "access")


class Parts(dict[str, Any]):
    """The parts by name. Asking for one that is not there raises NotFound."""

    def __missing__(self, name: str) -> Any:
        raise NotFound


def split(package: Mapping[str, Any]) -> Parts:
    return Parts(deepcopy(dict(apart(package))))


def apart(package: Mapping[str, Any]) -> Parts:
    """The same parts to look at only: they are the package's own, and nothing may be changed in them."""
    parts = Parts(manifest={k: v for k, v in package.items() if k not in KINDS}, bin={})
    for kind in KINDS:
        items = package.get(kind) or []
        parts[f"order/{kind}"] = [item["id"] for item in items]
        parts.update({f"{kind}/{item['id']}": item for item in items})
    return parts


def join(parts: Mapping[str, Any]) -> Json:
    package: Json = dict(deepcopy(parts["manifest"]))
    for kind in KINDS:
        order = parts.get(f"order/{kind}") or []
        if order:
            package[kind] = [deepcopy(parts[f"{kind}/{id}"]) for id in order]
    return package


def fresh(base: str, taken: Any) -> str:
    """An id that is not taken: `base`, or with the next number."""
    names = set(taken)
    if base not in names:
        return base
    number = max((int(m[1]) for n in names if (m := re.fullmatch(re.escape(base) + r"_(\d+)", n))), default=1) + 1
    return f"{base}_{number}"


def word_of(title: str, otherwise: str) -> str:
    """An id from a title where it has Latin letters, else a plain word."""
    word = re.sub(r"[^a-z0-9]+", "_", title.casefold().encode("ascii", "ignore").decode()).strip("_")[:30]
    return word if re.match(r"[a-z]", word) else otherwise


def numbered(title: Any) -> Any:
    """A title, or each of its languages, as the second of that name."""
    if isinstance(title, str):
        return f"{title} 2"
    return {language: f"{text} 2" for language, text in title.items()}


def put(parts: Parts, kind: str, item: Json) -> None:
    order = parts.setdefault(f"order/{kind}", [])
    if item["id"] not in order:
        parts[f"order/{kind}"] = [*order, item["id"]]
    parts[f"{kind}/{item['id']}"] = item


def take(parts: Parts, kind: str, id: str) -> None:
    parts.pop(f"{kind}/{id}", None)
    parts[f"order/{kind}"] = [i for i in parts[f"order/{kind}"] if i != id]


def replaced(item: Json, options: Mapping[str, Any]) -> Json:
    return {k: v for k, v in {**item, **options}.items() if v is not None}


def of_table(parts: Parts, kind: str, table: str) -> list[Json]:
    return [parts[f"{kind}/{i}"] for i in parts.get(f"order/{kind}", ()) if parts[f"{kind}/{i}"].get("table") == table]
