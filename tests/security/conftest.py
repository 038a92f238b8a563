"""A shop full of canaries: texts and figures that some of its people may never be shown."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from runtime import (
    batches,
    comments,
    definitions,
    documents,
    exports,
    feeds,
    files,
    flows,
    importing,
    listing,
    people,
    powers,
    printing,
    query,
    records,
    roles,
    sharing,
    tasks,
)
from runtime.access import door
from runtime.comments import Said
from runtime.flows import Decision
from runtime.listing import Wishes
from runtime.sharing import About, Wish
from runtime.submit import Sent, submit
from tests.runtime.conftest import SHOP, Shop, make_shop, prepared, shop  # noqa: F401
from tests.web.conftest import Person, app, sign_in  # noqa: F401

FIELD, COLUMN, FIGURE, FILE = "canaryfield", "canarycolumn", "73317331", "canaryfile"
RECORD, TRASHED, LINKED, COMMENT = "canaryrecord", "canarytrashed", "canarylinked", "canarycomment"
MASKED, MASKED_COLUMN = "canarymasked", "canaryveiled"
HIDDEN = (FIELD, COLUMN, FIGURE, FILE, RECORD, TRASHED, LINKED, COMMENT, MASKED, MASKED_COLUMN)
"""Of each a clerk's page must be free: hidden fields, hidden rows, what only those lead to."""

FIELDS = [
    {"id": "secret", "type": "text"},
    {"id": "papers", "type": "file"},
    {"id": "about", "type": "formula", "formula": "secret & author.name"},
    {"id": "margin", "type": "formula", "formula": "price - cost"},
    {"id": "secret_day", "type": "date"},
    {"id": "secret_kind", "type": "choice", "options": [{"id": "plain"}, {"id": "canaryfield_kind"}]},
    {"id": "phone", "type": "text"},
    {"id": "called", "type": "formula", "formula": "phone & title"},
]
VIEWS = [
    {
        "id": "all",
        "table": "book",
        "columns": ["title", "phone", "called", "author", "secret", "cost", "about", "copies", "flow.state"],
    },
    {"id": "dear", "table": "book", "columns": ["title", "cost"], "sort": ["-cost"]},
    {"id": "some", "table": "book", "columns": ["title"], "filter": 'secret = "canaryfield"'},
    {"id": "lanes", "table": "book", "type": "kanban", "group": "kind", "card": ["secret", "cost", "author", "phone"]},
    {"id": "shut", "table": "book", "type": "kanban", "group": "secret_kind", "card": ["title"]},
    {
        "id": "days",
        "table": "book",
        "type": "calendar",
        "start": "due",
        "color": "secret_kind",
        "card": ["secret", "cost"],
    },
    {"id": "shut_days", "table": "book", "type": "calendar", "start": "secret_day", "card": ["title"]},
    {
        "id": "line",
        "table": "book",
        "type": "gantt",
        "start": "created_at",
        "end": "due",
        "progress": "cost",
        "card": ["author"],
    },
    {"id": "cards", "table": "book", "type": "gallery", "card": ["secret", "cost", "author"]},
    {"id": "writers", "table": "author", "columns": ["name", "worth", "books"]},
    {
        "id": "calls",
        "table": "book",
        "columns": ["title"],
        "filter": 'STARTSWITH(phone, "canarymasked")',
        "sort": ["phone"],
    },
]
WIDGETS = [
    {"id": "by_secret", "type": "bar", "table": "book", "group": ["secret"], "measure": "COUNT()"},
    {"id": "where_secret", "type": "number", "table": "book", "measure": "COUNT()", "filter": 'secret = "canaryfield"'},
    {"id": "if_secret", "type": "number", "table": "book", "measure": 'COUNTIF(secret = "canaryfield")'},
    {
        "id": "dearest",
        "type": "table",
        "table": "book",
        "columns": ["title", "secret", "cost", "author", "phone"],
        "sort": ["-cost"],
    },
    {"id": "by_phone", "type": "bar", "table": "book", "group": ["phone"], "measure": "COUNT()"},
    {"id": "by_author", "type": "pie", "table": "book", "group": ["author"], "measure": "MAX(margin)"},
    {"id": "worths", "type": "ranking", "table": "author", "group": ["name"], "measure": "SUM(worth)"},
    {"id": "funnel", "type": "funnel", "table": "book", "group": ["secret_kind"], "measure": "COUNT()"},
]
CLERK = [
    {"id": "own", "who": {"role": "clerk"}, "table": "book", "rows": "owner = ME()",
     "do": ["read", "create", "update", "delete", "import", "export", "history", "comment", "print", "batch"],
     "fields": {"*": "write", "cost": "hidden", "secret": "hidden", "papers": "hidden", "about": "hidden", "margin": "hidden",
                "by": "hidden", "secret_kind": "hidden", "secret_day": "hidden", "copies.place": "hidden", "due": "read",
                "phone": "replace", "called": "hidden", "copies.note": "mask"}},
    {"id": "novels", "who": {"role": "clerk"}, "table": "book", "do": ["read"], "rows": 'title = "Persuasion"',
     "fields": {"title": "read"}},
    {"id": "authors", "who": {"role": "clerk"}, "table": "author", "do": ["read", "export", "history"],
     "rows": 'name <> "canarylinked"', "fields": {"name": "read"}},
]  # fmt: skip
SECRETS = "{secret} {cost} {about} {margin} {phone} {called} {author.name} {author.worth} {this.secret}"
DOCUMENTS = [
    {"id": "everything", "table": "book", "title": "Everything", "name": "{title}", "head_left": "{secret} {page}", "blocks": [
        {"id": "words", "type": "text", "text": SECRETS},
        {"id": "counted", "type": "text", "text": "{COUNTIF(STARTSWITH(copies.place, \"canar\"))} {copies.place} {copies.note}"},
        {"id": "values", "type": "fields", "show": ["secret", "papers", "cost", "phone", "called", "author", "created_by"]},
        {"id": "rows", "type": "rows", "rows": "copies", "totals": ["count"]},
        {"id": "code", "type": "code", "content": "formula", "formula": "secret & cost", "code": "code128"},
        {"id": "lines", "type": "signatures", "lines": [{"title": "{secret}"}]},
        {"id": "trail", "type": "approvals"}]},
    {"id": "shelf", "table": "author", "blocks": [
        {"id": "books", "type": "linked", "over": "book.author", "columns": ["title", "secret", "cost", "phone"], "totals": ["cost"]}]},
    {"id": "inner", "table": "book", "roles": ["manager"], "blocks": [{"id": "no", "type": "heading", "text": "{no}"}]},
]  # fmt: skip
CHECKED = {
    "id": "checking", "title": "Checking", "trigger": {"button": {"table": "book", "label": "Check"}},
    "steps": [{"id": "look", "type": "approve", "who": {"role": "manager"}},
              {"id": "again", "type": "approve", "who": {"role": "manager"}}],
}  # fmt: skip


def package() -> dict[str, Any]:
    made = deepcopy(SHOP)
    made["tables"][1]["fields"] += deepcopy(FIELDS)
    next(f for f in made["tables"][1]["fields"] if f["id"] == "copies")["fields"].append({"id": "note", "type": "text"})
    made["forms"] = [{"id": id, "table": id} for id in ("book", "author")]
    made["documents"] = deepcopy(DOCUMENTS)
    made["views"], made["flows"] = deepcopy(VIEWS), [deepcopy(CHECKED)]
    made["dashboards"][0]["widgets"] += deepcopy(WIDGETS)
    for grant in made["access"]:
        grant["do"] = [*grant.get("do", ()), *(["comment", "batch"] if grant["id"] == "all_books" else ())]
    kept = [g for g in made["access"] if g["id"] not in {c["id"] for c in CLERK}]
    made["access"] = [*kept, *deepcopy(CLERK)]
    return made


@dataclass
class Guarded:
    """A shop with its people's browsers, and the ids of everything that stands in an address.

    `own` and `foreign` are books that the clerk may and may not see; `ids` are all of an address's values by name,
    or by route and name where a route has use for few of them.
    """

    shop: Shop
    app: Flask
    own: UUID
    foreign: UUID
    trashed: UUID
    author: UUID
    hidden_author: UUID
    mine: UUID
    ids: dict[str, list[str]] = field(default_factory=dict)

    @property
    def forbidden(self) -> set[str]:
        """What the clerk and the outsider may not know of: records, tasks, runs, files, others' imports."""
        others = {
            *self.ids["id"],
            *self.ids["run"],
            self.ids["comment"][1],
            self.ids["comments.download.file"][1],
            self.ids["batch"][0],
            self.ids["printing.stop.run"][0],
            self.ids["exports.stop.run"][0],
        } - {
            str(self.mine),
            str(UUID(int=7)),
            "nonsense",
        }
        return {str(self.foreign), str(self.trashed), str(self.hidden_author), *others}

    @property
    def earnest_ids(self) -> dict[str, list[str]]:
        """The ids without people: who walks through every door must not send themselves away."""
        return {name: values for name, values in self.ids.items() if not name.startswith(PEOPLE)}

    @property
    def foreign_ids(self) -> dict[str, list[str]]:
        """The ids without what is the clerk's own."""
        own = {str(self.own), str(self.mine)}
        return {name: [value for value in values if value not in own] for name, values in self.ids.items()}


PEOPLE = ("members.", "members_leaving.", "departments.", "workspace_roles.", "avatars.", "administrators.")
"""The doors about people: each gets ids of people, departments and roles in place of others."""


def _people(ctx: Any, shop: Shop) -> dict[str, list[str]]:  # noqa: F811
    """The outsider administers an app and a department of their own: of all else they may know and do nothing more."""
    side = definitions.publish(ctx, "side", {"language": 1, "app": "side", "tables": [{"id": "note", "fields": []}]})
    annex = people.add_department(ctx, "Annex")
    role = roles.save(ctx, None, "Leaders", "", [])
    powers.give(ctx, shop.outsider.id, "app", side.id, ["design", "publish", "rights"])
    powers.give(ctx, shop.outsider.id, "department", annex, ["members"], ["shop.clerk"])
    members = [str(shop.boss.id), str(shop.manager.id), str(UUID(int=7))]
    found = {f"{name}.id": members for name in (
        "members.show", "members.change", "members.set_avatar", "members.give_role", "members.access", "avatars.show",
        "members_leaving.ask", "members_leaving.leave", "members_leaving.come_back", "members_leaving.export",
        "members_leaving.erase",
    )}  # fmt: skip
    units = [str(next(iter(people.Directory.of(ctx).units))), str(UUID(int=7))]
    found |= {f"departments.{name}.id": units for name in ("show", "change", "merge", "remove")}
    return {**found, **{f"workspace_roles.{name}.id": [str(role)] for name in ("show", "change", "remove")}}


LINKS = (
    (About("fill", "book"), {"uses": {"title": "ask", "papers": "ask"}}),
    (About("lookup", "all"), {"columns": ["title"], "keys": ["secret"]}),
    (About("view", "writers"), {"columns": ["books"]}),
    (About("dashboard", "figures"), {"word": "nobody"}),
)


def _public(ctx: Any) -> dict[str, list[str]]:
    """Public links by which nothing of what the canaries stand for can be seen, though an administrator made them."""
    inst = definitions.installed(ctx, "shop")
    made = [sharing.make(ctx, inst, about, Wish("Fair", settings)) for about, settings in LINKS]
    tokens = [*(sharing.token(ctx, sharing.one(ctx, inst, id)) for id in made), "nonsense"]
    doors = ("show", "one", "live_values", "send", "look_up", "unlock", "thanks", "pick", "upload", "download")
    keyed = ("thanks_with_key", "answer", "live_answer", "change_answer")
    found = {f"public.{name}.token": tokens for name in (*doors, *keyed)}
    own = {f"links.{name}.id": [str(made[0]), str(UUID(int=7))] for name in ("show", "change", "switch", "remove")}
    offered = {f"centre.{name}.key": ["expense", "nonsense"] for name in ("show", "ask")}
    return {**found, **own, **offered, "key": ["nonsense"]}


@pytest.fixture
def guarded(make_shop: Callable[..., Shop], app: Flask) -> Guarded:  # noqa: F811
    shop = make_shop(package())  # noqa: F811
    with shop.opened(shop.manager) as ctx:
        author, book = shop.table(ctx, "author"), shop.table(ctx, "book")
        writer, hidden = (records.create(ctx, author, {"name": name}) for name in ("Jane", LINKED))
        field, storage = "papers", app.extensions["storage"]
        papers = [
            files.upload(ctx, storage, book, field, f"{FILE}{n}.txt", BytesIO(FILE.encode())).id for n in range(2)
        ]
        rows = [{"place": COLUMN, "count": Decimal(1), "note": f"{MASKED_COLUMN} 12345"}]
        secrets = {
            "secret": FIELD,
            "phone": f"{MASKED} 12345",
            "secret_kind": "canaryfield_kind",
            "copies": rows,
            "price": Decimal(80_000_000),
        }
    with shop.opened() as ctx:
        own = records.create(
            ctx,
            shop.table(ctx, "book"),
            {"title": "Emma", "owner": shop.clerk.id, "author": hidden, "cost": Decimal(FIGURE), **secrets},
        )
        foreign = records.create(
            ctx, shop.table(ctx, "book"), {"title": RECORD, "owner": shop.manager.id, "author": writer, **secrets}
        )
        trashed = records.create(ctx, shop.table(ctx, "book"), {"title": TRASHED, "owner": shop.manager.id})
        records.create(
            ctx, shop.table(ctx, "book"), {"title": "Persuasion", "owner": shop.manager.id, "author": writer, **secrets}
        )
        records.trash(ctx, shop.table(ctx, "book"), [trashed])
    with shop.opened(shop.manager) as ctx:
        live = shop.table(ctx, "book")
        for id, paper in ((own, papers[0]), (foreign, papers[1])):
            submit(ctx, live, Sent(live.inst.app.form_of("book"), {"papers": [str(paper)]}, id))
        run = flows.press(ctx, live, live.inst.app.flow("checking"), foreign)
    with shop.opened(shop.manager) as ctx:
        live = shop.table(ctx, "book")
        for id, words in ((own, "For all"), (foreign, COMMENT)):
            comments.add(
                ctx,
                storage,
                live,
                id,
                Said(
                    words,
                    mentions=[shop.clerk.id] if id == foreign else [],
                    uploads=[("note.txt", BytesIO(words.encode()))],
                ),
            )
        spoken = {t.author: t for t in comments.listed(ctx, live, foreign)}["Manager"]
        heard = comments.listed(ctx, live, own)[0]
    with shop.opened(shop.manager) as ctx:
        done = tasks.listed(ctx, tasks.Asked())[0][0].id
        flows.decide(ctx, Decision(done, "approve", COMMENT, "", {}, None))
    with shop.opened(shop.manager) as ctx:
        second = tasks.listed(ctx, tasks.Asked())[0][0].id
        flows.press(ctx, shop.table(ctx, "book"), live.inst.app.flow("checking"), own)
    with shop.opened(shop.manager) as ctx:
        first = next(line.id for line in tasks.listed(ctx, tasks.Asked())[0] if line.id != second)
    with shop.opened(shop.clerk) as ctx:
        assert query.allowed(door(ctx, shop.table(ctx, "book")), own, "update")
        assert not query.allowed(door(ctx, shop.table(ctx, "book")), foreign, "read")
        calendar = feeds.make(ctx).rpartition("/")[2].removesuffix(".ics")
        mine = importing.begin(
            ctx, shop.table(ctx, "book"), "books.csv", f"Title,Author\nMaria,{LINKED[:-1]}\n".encode()
        )
    with shop.opened(shop.boss) as ctx:
        theirs = importing.begin(
            ctx, shop.table(ctx, "book"), f"{FILE}.csv", f"Title,Author,{FIELD}\n{RECORD},Jane,{FIELD}\n".encode()
        )
        busy = batches.begin(ctx, shop.table(ctx, "book"), "change", [foreign], {"secret": FIELD})
        live = shop.table(ctx, "book")
        printed = printing.begin(ctx, live, [foreign], documents.template(ctx, live, "everything"), "/")
        listed = listing.show(ctx, live.inst, live.inst.app.all_views["all"], Wishes(), base="/")
        sent_away = exports.begin(ctx, listed, "csv", {}, "/")
    prints = {f"exports.{name}.run": [str(sent_away), str(UUID(int=7))] for name in ("progress", "finished", "stop")}
    prints |= {f"printing.{name}.run": [str(printed), str(UUID(int=7))] for name in ("progress", "finished", "stop")}
    unknown = str(UUID(int=7))
    tables = ["author", "book", "none"]
    books = [str(own), str(foreign), str(trashed), str(writer), str(hidden), unknown, "nonsense", "new"]
    things = {
        "app": ["shop", "none"], "table": tables, "table_id": tables, "other": tables, "record": books,
        "view": [*(v["id"] for v in VIEWS), "book", "author", "none"], "form": ["book", "author", "none"],
        "document": ["everything", "none"], "dashboard": ["figures", "none"], "board": ["figures", "none"],
        "widget": [w["id"] for w in package()["dashboards"][0]["widgets"]] + ["none"],
        "field": ["papers", "secret", "title", "none"], "link": ["author", "title", "none"],
        "path": ["author", "secret", "copies.place", "none"], "kind": ["member", "department", "none"],
        "id": [*map(str, (first, second, done)), str(run), *map(str, papers), unknown, "nonsense"],
        "forms.download.id": [*map(str, papers), unknown, "nonsense"],
        "token": ["nonsense"],
        "run": [str(mine), str(theirs), unknown, "nonsense"],
        "comment": [str(heard.id), str(spoken.id), unknown],
        "comments.download.file": [str(heard.files[0].id), str(spoken.files[0].id), unknown],
        "batch": [str(busy), unknown], "action": ["change", "trash", "none"],
        "hook": [unknown, "nonsense"], "delivery": [unknown], "act": ["pause", "resume", "test", "remove", "none"],
        "role": ["clerk", "none"],
        "file": [*map(str, papers), unknown, "nonsense"], "api_files.download.field": ["papers", "secret"],
        "api_files.download.record": [str(own), str(foreign), unknown],
        "flow": ["checking", "none"], "grant": ["own", "none"], "secret": ["none"],
        "verb": ["withdraw", "end", "retry", "skip", "urge", "take-back", "none"],
        **{f"tasks.{name}.act": ["transfer", "delegate", "add_signer", "copy", "comment"] for name in ("ask", "do_ask")},
        "workspace": [shop.workspace.slug, "none"], "name": [calendar, "nonsense"], **prints,
    }  # fmt: skip
    with shop.opened() as ctx:
        things |= _people(ctx, shop)
    with shop.opened(shop.boss) as ctx:
        things |= _public(ctx)
    return Guarded(shop, app, own, foreign, trashed, writer, hidden, mine, things)
