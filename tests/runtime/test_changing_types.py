"""A field of a table in use becomes another type: what can carry over does, and nothing is lost."""

import threading
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from runtime import changeover, chores, consequences, conversion, definitions, records  # noqa: F401 (chores: what publishing leaves to jobs)
from runtime.jobs import drain_jobs
from runtime.rows import child_values
from schemas.converting import converted
from schemas.errors import BadValue, DefinitionError
from schemas.fields import Reader, field_types
from schemas.options import load, options_of
from tests.runtime.conftest import SHOP, Shop


def package_with(path: str, **field: Any) -> dict[str, Any]:
    """The shop with another field in place of `book.<path>`."""
    made = deepcopy(SHOP)
    made["access"], made["dashboards"] = [], []
    fields = made["tables"][1]["fields"]
    rows, _, column = path.rpartition(".")
    if rows:
        fields = next(f for f in fields if f["id"] == rows)["fields"]
    place = next(n for n, f in enumerate(fields) if f["id"] == column)
    fields[place] = {"id": column, **field}
    return made


def values_of(shop: Shop, field: str) -> list[Any]:
    with shop.opened() as ctx:
        book = shop.table(ctx, "book")
        ids = list(ctx.conn.scalars(book.sql.select().with_only_columns(book.sql.c.id).order_by(book.sql.c.id)))
        found = child_values(ctx, book, ids)
    return [found[id].get(field) for id in ids]


def add(shop: Shop, **values: Any) -> None:
    with shop.opened(shop.boss) as ctx:
        records.create(ctx, shop.table(ctx, "book"), values)


def publish(shop: Shop, package: dict[str, Any]) -> None:
    with shop.opened() as ctx:
        definitions.publish(ctx, "shop", package)


def test_texts_become_numbers_and_return_as_they_were(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop({**SHOP, "access": []})
    for title in ("1,200", "7 copies", "0.50"):
        add(shop, title=title)
    publish(shop, package_with("title", type="number"))
    assert values_of(shop, "title") == [Decimal(1200), None, Decimal("0.5")]
    with shop.opened(shop.boss) as ctx:
        book = shop.table(ctx, "book")
        first = ctx.conn.scalar(book.sql.select().with_only_columns(book.sql.c.id).order_by(book.sql.c.id).limit(1))
        records.change(ctx, book, first, {"title": Decimal(9)})
    publish(shop, package_with("title", type="text"))
    assert values_of(shop, "title") == ["9", "7 copies", "0.50"], "only what was written since is converted"


def test_what_one_person_did_to_a_choice_is_there_as_text_and_as_several(make_shop: Callable[..., Shop]) -> None:
    labelled = [{"id": "novel", "label": {"en": "A novel"}}, {"id": "essay"}]
    shop = make_shop(package_with("kind", type="choice", options=labelled))
    add(shop, title="Emma", kind="novel")
    publish(shop, package_with("kind", type="text"))
    assert values_of(shop, "kind") == ["A novel"]
    publish(shop, package_with("kind", type="choices", options=labelled))
    assert values_of(shop, "kind") == [["novel"]]
    publish(shop, package_with("kind", type="choice", options=labelled))
    assert values_of(shop, "kind") == ["novel"]


def test_names_become_members_and_links(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop({**SHOP, "access": []})
    with shop.opened(shop.boss) as ctx:
        jane = records.create(ctx, shop.table(ctx, "author"), {"name": "Jane"})
    for title in ("Jane", "clerk", "Nobody"):
        add(shop, title=title)
    publish(shop, package_with("title", type="member"))
    assert values_of(shop, "title") == [None, shop.clerk.id, None]
    publish(shop, package_with("title", type="text"))
    publish(shop, package_with("title", type="link", table="author"))
    assert values_of(shop, "title") == [jane, None, None]


def test_a_column_of_a_subform_changes_too(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop({**SHOP, "access": []})
    add(shop, title="Emma", copies=[{"place": "12", "count": Decimal(1)}, {"place": "attic", "count": Decimal(2)}])
    publish(shop, package_with("copies.place", type="number"))
    assert [row["place"] for row in values_of(shop, "copies")[0]] == [Decimal(12), None]


def test_what_makes_no_sense_is_refused_by_name(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop({**SHOP, "access": []})
    with pytest.raises(DefinitionError, match="book.author"):
        publish(shop, package_with("author", type="link", table="book"))


def test_a_large_table_changes_beside_people_s_work(make_shop: Callable[..., Shop], database_url: str) -> None:
    shop = make_shop({**SHOP, "access": []})
    with shop.opened(shop.boss) as ctx:
        records.create_many(ctx, shop.table(ctx, "book"), [{"title": str(n)} for n in range(3_000)])
    wanted = package_with("title", type="number")
    with shop.opened(shop.boss) as ctx:
        assert changeover.takes_long(ctx, "shop", definitions.load_app(wanted))
        changeover.begin(ctx, "shop", wanted)
    with shop.opened(shop.boss) as ctx, pytest.raises(DefinitionError, match="being changed"):
        definitions.publish(ctx, "shop", wanted)
    slowest, written, stop = [0.0], [0], threading.Event()

    def write() -> None:
        while not stop.is_set():
            began = datetime.now(UTC)
            with shop.opened(shop.boss) as ctx:
                book = shop.table(ctx, "book")
                title = "5000" if book.table.by_id["title"].type == "text" else Decimal(5000)
                records.create(ctx, book, {"title": title})
            slowest[0] = max(slowest[0], (datetime.now(UTC) - began).total_seconds())
            written[0] += 1

    from runtime.retry import attempt

    writer = threading.Thread(target=lambda: attempt(write))
    writer.start()
    try:
        errors = drain_jobs(database_url)
    finally:
        stop.set()
        writer.join()
    assert not errors
    titles = values_of(shop, "title")
    assert sorted(t for t in titles if t != 5000) == [Decimal(n) for n in range(3_000)]
    assert titles.count(Decimal(5000)) == written[0] > 0, "what was written meanwhile is there"
    assert slowest[0] < 2


def test_a_cancelled_change_leaves_everything_as_it_was(make_shop: Callable[..., Shop], database_url: str) -> None:
    shop = make_shop({**SHOP, "access": []})
    add(shop, title="12")
    with shop.opened(shop.boss) as ctx:
        run = changeover.begin(ctx, "shop", package_with("title", type="number"))
        changeover.cancel(ctx, run)
    assert not drain_jobs(database_url)
    assert values_of(shop, "title") == ["12"]
    with shop.opened(shop.boss) as ctx:
        assert changeover.run_of(ctx, run).state == "cancelled"
        definitions.publish(ctx, "shop", package_with("title", type="number"))
    assert values_of(shop, "title") == [Decimal(12)]


OPTIONS = [{"id": "a", "label": "Alpha"}, {"id": "b", "label": "Beta"}]
READER = Reader("en")


def made(type: str, **options: Any) -> Any:
    return load(field_types.get(type), {"id": "x", **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "value", "expected"),
    [
        (made("number"), made("money", currency="CNY"), Decimal("1.5"), Decimal("1.50")),
        (made("money", currency="CNY"), made("text"), Decimal("1200.50"), "¥1,200.50"),
        (made("date"), made("datetime"), date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC)),
        (made("datetime"), made("date"), datetime(2026, 1, 2, 23, tzinfo=UTC), date(2026, 1, 2)),
        (made("text"), made("date"), "2026/1/2", date(2026, 1, 2)),
        (made("text"), made("choice", options=OPTIONS), "beta", "b"),
        (made("text"), made("choices", options=OPTIONS), "Alpha、Beta", ["a", "b"]),
        (made("choices", options=OPTIONS), made("text"), ["a", "b"], "Alpha, Beta"),
        (made("switch"), made("text"), True, "Yes"),
        (made("text"), made("switch"), "是", True),
        (made("text"), made("long_text"), "x", "x"),
    ],
)
def test_a_value_reads_as_the_other_type(old: Any, new: Any, value: Any, expected: Any) -> None:
    assert converted(old, new, value, READER) == expected


def _plain(kind: Any) -> Any:
    needs = {"options": OPTIONS, "table": "x", "parts": [{"count": 4}], "fields": [{"id": "y", "type": "text"}]}
    known = {o.name for o in options_of(kind)}
    try:
        return load(kind, {"id": "x", **{k: v for k, v in needs.items() if k in known}})
    except DefinitionError:
        return None


KINDS = [kind for kind in map(_plain, field_types) if kind is not None and not kind.computed]


@pytest.mark.parametrize("old", KINDS, ids=lambda k: k.type)
def test_a_type_becomes_every_other_or_says_why_not(old: Any) -> None:
    for new in KINDS:
        told = outcome(old, new)
        assert told is not None or old.example() is None, new.type


def outcome(old: Any, new: Any) -> Any:
    try:
        return converted(old, new, old.example(), READER)
    except BadValue as err:
        return str(err.message)


def test_a_rehearsal_tries_the_most_frequent_values_and_says_how_many_it_has_not_seen(
    make_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop({**SHOP, "access": []})
    for title in ("7", "7", "x", "x", "x", "8", "9"):
        add(shop, title=title)
    with shop.opened(shop.boss) as ctx:
        inst = definitions.installed(ctx, "shop")
        changes = conversion.checked(inst.app, definitions.load_app(package_with("title", type="number")))
        (whole,) = conversion.rehearse(ctx, inst, changes)
        monkeypatch.setattr(conversion, "MOST_LOOKED_AT", 2)
        (partly,) = conversion.rehearse(ctx, inst, changes)
        after = definitions.load_app(package_with("title", type="number"))
        told = [str(c.message) for c in consequences.consequences(ctx, inst, after)]
    assert (whole.filled, whole.kept, whole.unseen, whole.lost["x"][0]) == (7, 4, 0, 3)
    assert (partly.filled, partly.kept, partly.unseen) == (5, 2, 2)
    assert "2 of the 5 values looked at carry over; 2 more" in told[0]
