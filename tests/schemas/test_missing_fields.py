"""A field is taken away, or hidden from a flow: every place that reads it says so when the app is to be published."""

import copy

import pytest

from runtime import definitions
from schemas.errors import DefinitionError
from schemas.uses import uses_of

APP = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}],
    "tables": [
        {
            "id": "visit",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text"},
                {"id": "worth", "type": "number"},
                {"id": "day", "type": "date"},
                {"id": "client", "type": "link", "table": "client"},
                {"id": "double", "type": "formula", "formula": "worth * 2"},
                {"id": "go", "type": "button", "action": "form", "form": "visit_form", "set": {"worth": "worth + 1"}},
            ],
            "checks": [{"id": "some", "formula": "worth >= 0", "message": "Too little"}],
        },
        {
            "id": "client",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text"},
                {"id": "sum", "type": "rollup", "over": "visit.client", "aggregate": "sum", "value": "worth"},
                {"id": "visits", "type": "query", "table": "visit", "where": "worth > 1", "columns": ["name", "worth"]},
                {"id": "last", "type": "link", "table": "visit"},
                {"id": "last_worth", "type": "lookup", "path": "last.worth"},
            ],
        },
    ],
    "forms": [{"id": "visit_form", "table": "visit", "layout": [{"row": ["name", "worth"]}],
               "rules": [{"when": "worth > 5", "require": ["name"]}]}],
    "views": [{"id": "all", "type": "grid", "table": "visit", "columns": ["name", "worth", "double"], "filter": "worth > 0",
               "sort": ["-worth"]}],
    "dashboards": [{"id": "board", "widgets": [
        {"id": "one", "type": "number", "table": "visit", "measure": "SUM(worth)"},
        {"id": "two", "type": "bar", "table": "visit", "group": ["double"], "measure": "COUNT()"},
        {"id": "three", "type": "table", "table": "visit", "columns": ["name"], "sort": ["-worth"]},
        {"id": "four", "type": "number", "table": "visit", "measure": "COUNT()", "filter": "worth > 1"}]}],
    "flows": [{"id": "look", "trigger": {"created": "client"}, "steps": [
        {"id": "found", "type": "find", "table": "visit", "take": "many", "where": "worth > 1", "sort": ["-worth"]},
        {"id": "total", "type": "find", "table": "visit", "take": "sum", "value": "worth", "where": "client = this"},
        {"id": "add", "type": "create", "table": "visit", "set": {"worth": "3"}}]}],
    "access": [{"id": "looks", "who": {"flow": "look"}, "table": "visit", "do": ["read", "create"]},
               {"id": "own", "who": {"role": "clerk"}, "table": "visit", "do": ["read"], "rows": "worth < 100"}],
}  # fmt: skip
READERS = {
    "tables[0].fields[4].formula", "tables[0].fields[5].set.worth", "tables[0].checks[0].formula", "tables[1].fields[1].value",
    "tables[1].fields[2].where", "tables[1].fields[2].columns", "tables[1].fields[4].path", "forms[0].layout[0]",
    "forms[0].rules[0].when", "views[0].columns", "views[0].filter", "views[0].sort", "dashboards[0].widgets[0].measure",
    "dashboards[0].widgets[2].sort[0]", "dashboards[0].widgets[3].filter", "flows[0].steps[0].where",
    "flows[0].steps[0].sort[0]", "flows[0].steps[1].value", "flows[0].steps[2].set.worth", "access[1].rows",
}  # fmt: skip


def complaints(change):
    package = copy.deepcopy(APP)
    change(package)
    try:
        definitions.load_app(package)
    except DefinitionError as err:
        return {p.path: str(p.message) for p in err.problems if p.severity == "error"}
    return {}


def take_away(package):
    fields = package["tables"][0]["fields"]
    fields[1] = {"id": "other", "type": "number"}


def test_the_app_itself_is_sound():
    assert complaints(lambda package: None) == {}


def test_every_reader_of_a_field_that_is_gone_complains_by_its_name():
    told = complaints(take_away)
    missed = {place for place in READERS if not any(path.startswith(place) or place.startswith(path) for path in told)}
    assert missed == set()
    assert all("worth" in told[path] for path in told if path.startswith("flows"))


def test_what_rests_on_a_faulty_formula_does_not_hide_the_fault():
    def spoil(package):
        package["tables"][0]["fields"][4]["formula"] = "nothing_like_it * 2"

    assert list(complaints(spoil)) == ["tables[0].fields[4].formula"]


def test_a_flow_that_looks_for_what_its_rights_hide_is_told_before_it_fails():
    told = complaints(lambda package: package["access"][0].update(fields={"*": "write", "worth": "hidden"}))
    assert {"flows[0].steps[0].where", "flows[0].steps[0].sort", "flows[0].steps[1].value"} <= set(told)
    assert (
        told["flows[0].steps[0].where"] == "the flow may not read 'worth': show it in the flow's access rule on 'visit'"
    )


@pytest.mark.parametrize("place", ["flows[0].steps[0].where", "flows[0].steps[1].value", "flows[0].steps[2].set.worth"])
def test_the_steps_of_flows_are_among_the_uses_of_a_field_of_another_table(place):
    assert place in uses_of(definitions.load_app(APP))["visit", "worth"]
