"""Edits of print templates: made, set, and their blocks added, set, copied, moved and taken away."""

import base64
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from builder.parts import Json, Parts, fresh, put, replaced, take, word_of
from schemas.attached import LARGEST
from schemas.document import FILES
from schemas.documents import block_types
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

MADE = ("page", *FILES)


def the_document(parts: Parts, document: str) -> Json:
    """The template's JSON. Raises NotFound."""
    found = parts.get(f"documents/{document}")
    if found is None:
        raise NotFound
    return dict(found)


def the_block(parts: Parts, document: str, block: str) -> Json:
    """A block's JSON. Raises NotFound."""
    found = next((b for b in the_document(parts, document).get("blocks") or () if b["id"] == block), None)
    if found is None:
        raise NotFound
    return dict(found)


def add_document(parts: Parts, title: str, table: str, made: str = "page") -> tuple[Parts, str]:
    """A new template for a table; a page begins with what the table has. Gives its id. Raises InvalidInput."""
    title = title.strip()[:80]
    if not title:
        raise InvalidInput({"title": [say("Give the template a name.")]})
    if f"tables/{table}" not in parts:
        raise InvalidInput({"table": [say("Choose a form.")]})
    if made not in MADE:
        raise InvalidInput({"made": [say("Choose what the template is made from.")]})
    changed = deepcopy(parts)
    id = fresh(word_of(title, "print"), changed.get("order/documents", []))
    item: Json = {"id": id, "table": table, "title": title}
    begun = {"blocks": beginning(title, changed[f"tables/{table}"]["fields"])} if made == "page" else {"made": made}
    put(changed, "documents", {**item, **begun})
    return changed, id


def beginning(title: str, fields: Sequence[Json]) -> list[Json]:
    """The blocks of a new page: its title, the fields, a table for each subform."""
    braced = title.replace("{", "{{").replace("}", "}}")
    blocks: list[Json] = [{"id": "heading", "type": "heading", "text": braced, "align": "center"}]
    values = block_types["fields"].starts_with(fields)
    if values["show"]:
        blocks.append({"id": "fields", "type": "fields", **values})
    for n, subform in enumerate(f for f in fields if f["type"] == "rows"):
        begun = block_types["rows"].starts_with([subform])
        blocks.append({"id": f"rows_{n + 1}" if n else "rows", "type": "rows", **begun})
    return blocks


def remove_document(parts: Parts, document: str) -> Parts:
    the_document(parts, document)
    made = deepcopy(parts)
    take(made, "documents", document)
    return made


def copy_document(parts: Parts, document: str) -> tuple[Parts, str]:
    """The same template under another id, behind the others."""
    found = the_document(parts, document)
    made = deepcopy(parts)
    id = fresh(document, made["order/documents"])
    put(made, "documents", {**deepcopy(found), "id": id})
    return made, id


def change_document(parts: Parts, document: str, options: Mapping[str, Any]) -> Parts:
    made = deepcopy(parts)
    made[f"documents/{document}"] = replaced(the_document(parts, document), options)
    return made


# -- blocks ----------------------------------------------------------------------------------------


def add_block(parts: Parts, document: str, type: str, after: str = "") -> tuple[Parts, str]:
    """A new block behind another one, or at the end, sound at once where the table has what it needs. Gives its id."""
    if type not in block_types:
        raise InvalidInput({"": [block_types.unknown(type)]})
    found = the_document(parts, document)
    blocks = list(found.get("blocks") or ())
    fields = parts[f"tables/{found['table']}"]["fields"]
    item = {"id": fresh(type, [b["id"] for b in blocks]), "type": type, **block_types[type].starts_with(fields)}
    if type == "linked":
        item |= _linked_beginning(parts, found["table"])
    place = next((n + 1 for n, b in enumerate(blocks) if b["id"] == after), len(blocks))
    return _with_blocks(parts, document, [*blocks[:place], item, *blocks[place:]]), item["id"]


def _linked_beginning(parts: Parts, table: str) -> Json:
    """The first table that links here, with its first columns."""
    for id in parts["order/tables"]:
        fields = parts[f"tables/{id}"]["fields"]
        link = next((f["id"] for f in fields if f["type"] in ("link", "links") and f.get("table") == table), None)
        if link:
            columns = [f["id"] for f in fields if f["id"] != link and f["type"] not in ("rows", "query", "button")][:5]
            return {"over": f"{id}.{link}", "columns": columns}
    return {}


def change_block(parts: Parts, document: str, block: str, options: Mapping[str, Any]) -> Parts:
    the_block(parts, document, block)
    blocks = the_document(parts, document)["blocks"]
    return _with_blocks(parts, document, [replaced(b, options) if b["id"] == block else b for b in blocks])


def copy_block(parts: Parts, document: str, block: str) -> tuple[Parts, str]:
    """The same block again, right behind."""
    item = the_block(parts, document, block)
    blocks = the_document(parts, document)["blocks"]
    id = fresh(block, [b["id"] for b in blocks])
    place = next(n for n, b in enumerate(blocks) if b["id"] == block) + 1
    return _with_blocks(parts, document, [*blocks[:place], {**deepcopy(item), "id": id}, *blocks[place:]]), id


def remove_block(parts: Parts, document: str, block: str) -> Parts:
    the_block(parts, document, block)
    return _with_blocks(parts, document, [b for b in the_document(parts, document)["blocks"] if b["id"] != block])


def move_block(parts: Parts, document: str, block: str, position: int) -> Parts:
    """Put a block at another place among the others."""
    item = the_block(parts, document, block)
    rest = [b for b in the_document(parts, document)["blocks"] if b["id"] != block]
    place = max(0, min(position, len(rest)))
    return _with_blocks(parts, document, [*rest[:place], item, *rest[place:]])


def _with_blocks(parts: Parts, document: str, blocks: list[Json]) -> Parts:
    made = deepcopy(parts)
    made[f"documents/{document}"] = {**made[f"documents/{document}"], "blocks": blocks}
    return made


# -- files -----------------------------------------------------------------------------------------


def attached(name: str, data: bytes) -> Json:
    """An uploaded file as a definition keeps it. Raises InvalidInput for one that is empty or too large."""
    if not data:
        raise InvalidInput({"": [say("Choose a file.")]})
    if len(data) > LARGEST:
        raise InvalidInput({"": [say("The file is larger than {n} MB.", n=1)]})
    return {"name": name[-180:], "content": base64.b64encode(data).decode()}


def attach(parts: Parts, document: str, block: str, option: str, file: Json | None) -> Parts:
    """Give a template (or one of its blocks) a file, or take it away with None. Raises NotFound for another option."""
    if block:
        if option != "image":
            raise NotFound
        return change_block(parts, document, block, {option: file})
    if option not in ("logo", "file"):
        raise NotFound
    return change_document(parts, document, {option: file})
