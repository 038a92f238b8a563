"""How rows of a file find records, without any database."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from schemas import filling, importing
from schemas.errors import DefinitionError
from schemas.importing import Target
from schemas.matching import Matching, edits, key_of, natural, problems
from schemas.options import load
from schemas.table import Table

ZONE = ZoneInfo("Asia/Shanghai")
BOOK = load(
    Table,
    {
        "id": "book",
        "fields": [
            {"id": "no", "type": "serial", "parts": ["B-", {"count": 4}]},
            {"id": "title", "type": "text"},
            {"id": "shelf", "type": "number", "decimals": 0},
            {"id": "about", "type": "long_text"},
            {"id": "place", "type": "address"},
            {
                "id": "copies",
                "type": "rows",
                "fields": [{"id": "room", "type": "text"}, {"id": "count", "type": "number"}],
                "keys": [{"fields": ["room"]}],
            },
        ],
        "keys": [{"fields": ["title", "shelf"]}],
    },
)


def test_a_key_compares_as_unique_values_do_and_has_no_blank_part():
    assert key_of(BOOK, ["title", "shelf"], {"title": " EMMA ", "shelf": "2"}, ZONE) == ("emma", Decimal(2))
    assert key_of(BOOK, ["title"], {"title": "Straße"}, ZONE) != key_of(BOOK, ["title"], {"title": "STRASSE"}, ZONE)
    assert key_of(BOOK, ["no"], {"no": "b-0001"}, ZONE) == ("b-0001",)
    assert key_of(BOOK, ["title", "shelf"], {"title": "Emma", "shelf": ""}, ZONE) is None
    assert key_of(BOOK, ["shelf"], {"shelf": "two"}, ZONE) is None


def test_the_key_that_suggests_itself_is_of_what_the_file_gives():
    assert natural(BOOK, ["no", "title", "shelf"]) == ("no",)
    assert natural(BOOK, ["title", "shelf"]) == ("title", "shelf")
    assert natural(BOOK, ["title"]) == ()


def test_a_key_names_fields_that_can_be_one_and_have_a_column():
    said = [str(p.message) for p in problems(Matching(key=("about", "title", "nothing")), BOOK, ["about"])]
    assert said == [
        "records cannot be found by 'about'",
        "choose a column for 'title', by which records are found",
        "records cannot be found by 'nothing'",
    ]
    with pytest.raises(DefinitionError):
        load(Matching, {"key": []})
    with pytest.raises(DefinitionError):
        load(Matching, {"key": ["title"], "mode": "replace"})


@pytest.mark.parametrize(("blank", "kept"), [("keep", {}), ("clear", {"about": ""})])
def test_an_empty_cell_keeps_or_clears_and_the_key_only_finds(blank, kept):
    by = Matching(key=("no", "title"), blank=blank)
    assert (
        edits(BOOK, by, {"no": "B-0001", "title": "EMMA", "about": ""}, {"title": "Emma", "about": "x"}, ZONE) == kept
    )


def test_rows_that_say_the_same_stay_the_rows_that_they_are():
    before = {
        "copies": [{"_id": "1", "room": "Hall", "count": Decimal(2)}, {"_id": "2", "room": "Attic", "count": None}]
    }
    raw = {"copies": [{"room": "Yard", "count": "5"}, {"room": "ATTIC", "count": "6"}]}
    made = edits(BOOK, Matching(key=("no",)), raw, before, ZONE)["copies"]
    assert [row.get("_id") for row in made] == [None, "2"]
    assert made[1]["count"] == "6"


def test_a_part_of_an_address_leaves_the_other_parts_alone():
    place = BOOK.by_id["place"].parse({"province": "浙江省", "city": "杭州市", "detail": "文三路"})
    made = edits(BOOK, Matching(key=("no",)), {"place": {"detail": "文二路", "city": ""}}, {"place": place}, ZONE)
    after = BOOK.by_id["place"].parse(made["place"])
    assert (after["city"], after["detail"]) == ("杭州市", "文二路")


def test_lines_with_one_key_are_one_record_wherever_they_stand():
    mappings = {id: Target(column=id) for id in ("title", "shelf", "copies.room")}
    lines = [
        {"title": "Emma", "shelf": "1", "copies.room": "Hall"},
        {"title": "Sense", "shelf": "1", "copies.room": None},
        {"title": "emma", "shelf": "1.0", "copies.room": "Attic"},
        {"title": None, "shelf": "1", "copies.room": "x"},
        {"title": None, "shelf": "1", "copies.room": "x"},
    ]
    groups = importing.by_record(BOOK, mappings, lines, Matching(key=("title", "shelf")), ZONE)
    assert [[number for number, _ in group] for group in groups] == [[2, 4], [3], [5], [6]]
    whole = importing.gather(BOOK, mappings, [row for _, row in groups[0]], {})
    assert whole.raw["copies"] == [{"room": "Hall"}, {"room": "Attic"}]
    assert whole.lines == {"copies": [0, 1]}


def test_lines_of_one_record_that_contradict_each_other_are_told():
    mappings = {id: Target(column=id) for id in ("no", "title", "about")}
    rows = [{"no": "1", "title": "Emma", "about": None}, {"no": "1", "title": "Emily", "about": "late"}]
    whole = importing.gather(BOOK, mappings, rows, {})
    assert list(whole.missing) == ["title"]
    assert whole.missing["title"][0] == 1
    assert whole.raw["about"] == "late"


def test_many_lines_are_gathered_as_each_alone_would_be():
    mappings = {"title": Target(column="Title", values={"E.": "Emma"}), "shelf": Target(column="shelf")}
    lines = [
        {"Title": "E.", "shelf": "North"},
        {"Title": "", "shelf": "north , SOUTH"},
        {"Title": "Sense", "shelf": "West"},
    ]
    found = {"shelf": {"north": "1", "south": "2"}}
    many = importing.gather_many(BOOK, mappings, [[line] for line in lines], found)
    assert many == [importing.gather(BOOK, mappings, [line], found) for line in lines]
    assert [list(one.missing) for one in many] == [[], [], ["shelf"]]


def test_many_records_are_read_as_each_alone_would_be():
    answers = [
        {"title": "Emma", "shelf": "1", "copies": [{"room": "Hall"}], "unknown": 1},
        {"title": None, "shelf": "2.0", "copies": None, "unknown": 2},
        {"title": ["a list"], "shelf": 3, "copies": [{"room": ["no"]}], "unknown": 3},
        {"title": "Emma", "shelf": "none", "copies": "no rows", "unknown": 4},
    ]
    for many in (answers, [*answers, {"title": "other fields"}], []):
        assert filling.parse_many(BOOK, many, ZONE) == [filling.parse(BOOK, raw, ZONE) for raw in many]
