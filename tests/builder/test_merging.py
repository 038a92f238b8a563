"""Merging packages: whichever side changes something, it is kept or told; the plain cases give back the plain side."""

from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from builder.merging import ABSENT, merge

IDS = st.sampled_from(["a", "b", "c", "d"])
WORDS = st.sampled_from(["x", "y", "z"])
FIELDS = st.lists(
    st.fixed_dictionaries({"id": IDS, "type": WORDS}, optional={"label": st.dictionaries(st.sampled_from(["zh", "en"]), WORDS)}),
    unique_by=lambda f: f["id"], max_size=4,
)  # fmt: skip
TABLES = st.lists(
    st.fixed_dictionaries(
        {"id": IDS, "fields": FIELDS},
        optional={"title": WORDS, "keys": st.lists(IDS, unique=True), "at": st.lists(st.integers(0, 3), max_size=3)},
    ),
    unique_by=lambda t: t["id"], max_size=3,
)  # fmt: skip
PACKAGES = st.fixed_dictionaries(
    {"app": st.just("club")}, optional={"tables": TABLES, "title": WORDS, "version": WORDS}
)


def leaves(value, path=()):
    """Every scalar of a package by its path; things in lists by their ids."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and all(isinstance(i, dict) and "id" in i for i in value):
        for inner in value:
            yield from leaves(inner, (*path, inner["id"]))
    elif isinstance(value, list) and all(isinstance(i, str) for i in value):
        yield from ((*path, i) for i in value)
    else:
        yield (*path, str(value))


@settings(max_examples=150, deadline=None)
@given(PACKAGES, PACKAGES, PACKAGES)
def test_the_laws_of_merging(base, yours, theirs):
    before = deepcopy((base, yours, theirs))
    assert merge(base, base, theirs).package == theirs
    assert merge(base, yours, base).package == yours
    assert merge(base, yours, yours).package == yours
    done = merge(base, yours, theirs)
    assert (base, yours, theirs) == before
    told = [item.path for item in done.items]
    result = set(leaves(done.package))
    # what only they have added, and what only we have added, is there or told of
    for added in (set(leaves(theirs)) - set(leaves(base)), set(leaves(yours)) - set(leaves(base))):
        for leaf in added - result:
            assert any(leaf[: len(path)] == path for path in told) or leaf[0] in ("version", "language"), leaf
    # what has gone although both still had it was never there to lose
    for leaf in set(leaves(yours)) & set(leaves(theirs)) - result:
        assert any(leaf[: len(path)] == path for path in told), leaf


@settings(max_examples=80, deadline=None)
@given(PACKAGES, PACKAGES, PACKAGES)
def test_whatever_asks_can_be_settled_either_way(base, yours, theirs):
    asked = [item for item in merge(base, yours, theirs).items if item.asks]
    for side in ("yours", "theirs"):
        done = merge(base, yours, theirs, {item.key: side for item in asked})
        assert {item.key: item.chosen for item in done.items if item.asks} == {item.key: side for item in asked}


BASE = {
    "app": "club", "version": "1.0.0",
    "tables": [{"id": "person", "fields": [
        {"id": "name", "type": "text", "label": {"zh": "名称", "en": "Name"}}, {"id": "phone", "type": "text"},
        {"id": "fax", "type": "text"}]}],
    "forms": [{"id": "f", "table": "person", "layout": [{"row": ["name", "phone"]}, {"row": ["fax"]}]}],
    "views": [{"id": "all", "table": "person", "columns": ["name", "phone", "fax"]}],
}  # fmt: skip


def changed(change):
    made = deepcopy(BASE)
    change(made)
    return made


def test_both_sides_changes_of_different_things_are_all_there():
    def here(app):
        app["tables"][0]["fields"][0]["label"]["zh"] = "人员"
        app["tables"][0]["fields"].insert(1, {"id": "tier", "type": "choice"})
        app["views"][0]["columns"] = ["name", "tier", "phone", "fax"]

    def there(app):
        app["version"] = "1.1.0"
        app["tables"][0]["fields"][0]["label"]["en"] = "Person"
        app["tables"][0]["fields"].append({"id": "mail", "type": "text"})
        app["views"][0]["columns"].append("mail")

    done = merge(BASE, changed(here), changed(there))
    assert done.conflicts == []
    fields = done.package["tables"][0]["fields"]
    assert [f["id"] for f in fields] == ["name", "tier", "phone", "fax", "mail"]
    assert fields[0]["label"] == {"zh": "人员", "en": "Person"}
    assert done.package["views"][0]["columns"] == ["name", "tier", "phone", "fax", "mail"]
    assert done.package["version"] == "1.1.0"


def test_what_both_changed_differently_is_a_conflict_and_stays_as_it_is_here_until_settled():
    yours = changed(lambda app: app["tables"][0]["fields"][1].update(type="barcode"))
    theirs = changed(lambda app: app["tables"][0]["fields"][1].update(type="number"))
    done = merge(BASE, yours, theirs)
    assert [(c.key, c.yours, c.theirs) for c in done.conflicts] == [
        ("tables/person/fields/phone/type", "barcode", "number")
    ]
    assert done.package == yours
    assert merge(BASE, yours, theirs, {"tables/person/fields/phone/type": "theirs"}).package == theirs


def test_what_is_taken_away_there_but_changed_here_stays_and_is_asked_about():
    yours = changed(lambda app: app["tables"][0]["fields"][2].update(type="barcode"))
    theirs = changed(lambda app: app["tables"][0]["fields"].pop())
    done = merge(BASE, yours, theirs)
    assert [(c.key, c.theirs) for c in done.conflicts] == [("tables/person/fields/fax", ABSENT)]
    assert done.package == yours


def test_what_is_taken_away_there_may_be_kept_here():
    theirs = changed(lambda app: app["tables"][0]["fields"].pop())
    done = merge(BASE, BASE, theirs)
    assert [(i.kind, i.key) for i in done.items] == [("remove", "tables/person/fields/fax")]
    assert merge(BASE, BASE, theirs, {"tables/person/fields/fax": "yours"}).package == BASE


def test_new_fields_find_a_place_on_a_form_that_was_rearranged_here():
    yours = changed(lambda app: app["forms"][0].update(layout=[{"row": ["fax"]}, {"row": ["phone", "name"]}]))
    theirs = changed(lambda app: app["forms"][0]["layout"].append({"section": "More", "rows": [["mail"]]}))
    done = merge(BASE, yours, theirs)
    assert done.package["forms"][0]["layout"] == [{"row": ["fax"]}, {"row": ["phone", "name"]}, {"row": ["mail"]}]
    assert [c.path[-1] for c in done.conflicts] == ["layout"]
