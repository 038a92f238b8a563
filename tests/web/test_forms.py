"""Forms through the Flask client: layout, rules, defaults and what happens when they are sent."""

import json
from typing import Any

import pytest

from runtime import records
from tests.forms_world import SCHOOL

NEW = "/a/shop/f/enrol/new"


@pytest.fixture
def school(make_shop):
    return make_shop(SCHOOL)


@pytest.fixture
def manager(school, sign_in):
    return sign_in(school, "manager")


def pupil(school, **values):
    with school.opened(school.manager) as ctx:
        return records.create(ctx, school.table(ctx, "pupil"), {"name": "Ada", **values})


def stored(school, record: Any) -> dict[str, Any]:
    from runtime.query import fetch

    with school.opened(school.boss) as ctx:
        from runtime.access import door

        return dict(fetch(door(ctx, school.table(ctx, "pupil")), record).values)


# -- layout ----------------------------------------------------------------------------------------


def test_a_form_has_tabs_widths_notes_and_folded_sections(manager):
    page = manager.get(NEW).text
    assert page.count('role="tab"') == 3
    assert "We never call at night." in page
    assert 'placeholder="As in the passport"' in page
    assert 'class="field span-9" id="f-name-field"' in page
    folded = page[page.index('<details class="section"') :]
    assert "Numbers" in folded[: folded.index("</summary>")]
    assert " open" not in folded[: folded.index(">")]


def test_a_tab_and_a_folded_section_with_a_problem_are_marked_and_opened(manager):
    page = manager.post(NEW, {"name": "Ada"}).text
    tab = page[page.index('aria-controls="part-1-contact"') :]
    assert 'class="wrong"' in tab[: tab.index("</button>")]
    assert '<details class="section" open' in page
    other = page[page.index('aria-controls="part-1-living"') :]
    assert 'class="wrong"' not in other[: other.index("</button>")]


def test_the_record_page_is_laid_out_as_its_form(school, manager):
    id = pupil(school, phone="123 4567", kind="boarder", room="7")
    page = manager.get(f"/a/shop/t/pupil/{id}").text
    assert "facts-tab-1-living" in page
    assert 'class="fact span-9"' in page
    assert page.index("Living") < page.index("Contact") < page.index("123 4567")


def test_the_record_page_leaves_out_blank_fields_that_the_form_hides(school, manager):
    blank, kept = pupil(school, kind="day"), pupil(school, kind="day", room="7")
    assert "<dt>Room</dt>" not in manager.get(f"/a/shop/t/pupil/{blank}").text
    assert "<dt>Room</dt>" in manager.get(f"/a/shop/t/pupil/{kept}").text


# -- rules -----------------------------------------------------------------------------------------


def live(person, answers, touched=(), form="enrol"):
    body = {"_touched": json.dumps(list(touched)), "_changed": json.dumps(list(touched)), **answers}
    answer = person.post(f"/a/shop/f/{form}/live", body)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_what_a_rule_hides_is_carried_along_and_comes_back(manager):
    hidden = live(manager, {"name": "Ada", "kind": "day", "room": "7"}, ["kind"])
    assert 'name="room"' not in hidden
    assert "&#34;room&#34;: &#34;7&#34;" in hidden
    again = live(manager, {"name": "Ada", "kind": "boarder", "_carried": '{"room": "7"}'}, ["kind"])
    assert 'name="room" value="7"' in again.replace('aria-required="true" ', "")


def test_what_a_rule_hides_is_cleared_when_it_is_sent(school, manager):
    sent = manager.post(NEW, {"name": "Ada", "kind": "day", "_carried": '{"room": "7"}', "phone": "1"})
    assert sent.status_code == 204, sent.text
    assert stored(school, sent.headers["HX-Redirect"].rpartition("/")[2]).get("room") is None


def test_a_price_hidden_in_one_row_is_neither_shown_nor_asked_for(school, manager):
    rows = [{"what": "Latin", "paid": "true", "price": "9"}, {"what": "Greek", "paid": "false", "price": "5"}]
    page = live(manager, {"name": "Ada", "courses": json.dumps(rows)}, ["courses"])
    assert '<input type="hidden" name="courses[1].price" value="5">' in page
    assert page.count('type="hidden" name="courses[0].price"') == 0
    assert 'name="courses[0].price"' in page
    answer = manager.post(NEW, {"name": "Ada", "phone": "1", "courses": json.dumps([*rows, {"paid": "true"}])})
    assert answer.status_code == 422
    assert 'href="#f-courses-2--price"' in answer.text
    assert 'href="#f-courses-1--price"' not in answer.text


def test_an_option_that_is_no_longer_offered_is_taken_back(school, manager):
    page = live(manager, {"name": "Ada", "kind": "day", "meals": "full"}, ["kind"])
    meals = page[page.index('name="meals"') :][:600]
    assert '"full"' not in meals
    assert '"lunch"' in meals
    answer = manager.post(NEW, {"name": "Ada", "kind": "day", "meals": "full", "phone": "1"})
    assert answer.status_code == 422
    assert "This cannot be chosen here at present." in answer.text


@pytest.mark.parametrize("carried", ["[1]", "{", "7", '{"room": {"a": 1}}', '{"courses": "x"}'])
def test_strange_things_carried_along_do_no_harm(manager, carried):
    assert manager.post(NEW, {"name": "Ada", "_carried": carried}).status_code == 422
    assert manager.post("/a/shop/f/enrol/live", {"name": "Ada", "_carried": carried}).status_code == 200
