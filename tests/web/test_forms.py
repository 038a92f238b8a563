"""Forms through the Flask client: layout, rules, defaults and what happens when they are sent."""

import json
import re
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from runtime import audit, fills, query, records
from runtime.access import door
from runtime.rows import child_values
from schemas.errors import DefinitionError, InvalidInput
from schemas.form import Form
from schemas.options import load
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


# -- defaults and fills ----------------------------------------------------------------------------


def offer(school, **values):
    with school.opened(school.manager) as ctx:
        lines = [{"what": "Greek", "cost": Decimal(60)}, {"what": "Maths", "cost": Decimal(50), "paid": True}]
        given = {
            "name": "Summer",
            "fee": Decimal(900),
            "advisor": "Mr Bell",
            "secret": "Rich",
            "lines": lines,
            **values,
        }
        return records.create(ctx, school.table(ctx, "offer"), given)


def input_value(page, name):
    found = re.search(rf'name="{re.escape(name)}"[^>]*? value="([^"]*)"', page)
    return found and found[1]


def test_a_form_begins_with_rows_and_with_its_own_defaults(manager):
    page = manager.get(NEW).text
    assert input_value(page, "courses[0].what") == "Latin"


def test_a_default_follows_what_it_reads_until_the_person_fills_it_in(manager):
    rows = json.dumps([{"what": "Latin", "paid": "true", "price": "101"}])
    page = live(manager, {"name": "Ada", "kind": "day", "courses": rows, "bill": "-"}, ["name"])
    assert input_value(page, "bill") == "Ada-day"
    page = live(manager, {"name": "Ada", "kind": "day", "courses": rows, "bill": "mine"}, ["name", "bill"])
    assert input_value(page, "bill") == "mine"


def test_choosing_an_offer_copies_its_values_and_its_lines(school, manager):
    id = offer(school)
    page = live(manager, {"name": "Ada", "kind": "boarder", "room": "1", "offer": str(id)}, ["offer"])
    assert input_value(page, "fee") == "900"
    assert [input_value(page, f"courses[{n}].what") for n in (0, 1)] == ["Greek", "Maths"]
    assert input_value(page, "courses[1].price") == "50"
    assert "data-row-id" not in page


def test_a_link_that_is_filled_in_is_a_choice_too_and_fills_what_is_open(school):
    friend = pupil(school, offer=offer(school))
    with school.opened(school.manager) as ctx:
        made = fills.by_links(ctx, school.table(ctx, "pupil"), {"friend": friend}, ["friend"])
    assert (made["fee"], made["advisor"]) == (Decimal(900), "Ada"), "the nearer link has the say"
    assert [line["what"] for line in made["courses"]] == ["Greek", "Maths"]
    assert {line["seat"] for line in made["courses"]} == {"anywhere"}, "what is not filled has its default"


def test_what_an_offer_filled_in_stays_as_the_person_changed_it(school, manager):
    answers = {"name": "Ada", "kind": "boarder", "room": "1", "fee": "5", "offer": str(offer(school))}
    later = {"_touched": '["offer", "fee"]', "_changed": '["fee"]'}
    page = manager.post("/a/shop/f/enrol/live", {**answers, **later}).text
    assert input_value(page, "fee") == "5"


def test_a_field_that_is_only_shown_is_filled_by_the_server(school, manager):
    id = offer(school)
    page = live(manager, {"name": "Ada", "offer": str(id)}, [])
    assert "Mr Bell" in page
    sent = manager.post(NEW, {"name": "Ada", "phone": "1", "offer": str(id), "advisor": "Forged"})
    assert sent.status_code == 204, sent.text
    assert stored(school, sent.headers["HX-Redirect"].rpartition("/")[2])["advisor"] == "Mr Bell"


def test_nothing_hidden_in_an_offer_is_filled_in(school, sign_in):
    clerk = sign_in(school, "clerk")
    page = live(clerk, {"name": "Ada", "kind": "boarder", "room": "1", "offer": str(offer(school))}, ["offer"])
    assert input_value(page, "fee") == "900"
    assert "Rich" not in page


def test_a_rule_that_locks_a_field_holds_on_the_server(school, manager):
    sent = manager.post(NEW, {"name": "Ada", "phone": "1", "kind": "day", "remark": "Forged"})
    assert stored(school, sent.headers["HX-Redirect"].rpartition("/")[2]).get("remark") is None
    sent = manager.post(NEW, {"name": "Ada", "phone": "1", "kind": "boarder", "room": "1", "remark": "Free"})
    assert stored(school, sent.headers["HX-Redirect"].rpartition("/")[2])["remark"] == "Free"


def test_a_form_remembers_what_its_sender_sent_last(school, manager, sign_in):
    assert input_value(manager.get(NEW).text, "phone") == ""
    manager.post(NEW, {"name": "Ada", "phone": "555"})
    assert input_value(manager.get(NEW).text, "phone") == "555"
    assert input_value(sign_in(school, "clerk").get(NEW).text, "phone") == ""


# -- sending ---------------------------------------------------------------------------------------


def test_the_message_has_values_and_the_record_is_shown(manager):
    sent = manager.post(NEW, {"name": "Ada <b>", "phone": "1"})
    page = manager.get(sent.headers["HX-Redirect"]).text
    assert "Enrolled Ada &lt;b&gt; as P-001" in page


def test_another_one_begins_with_what_is_to_be_kept(manager):
    sent = manager.post(NEW, {"name": "Ada", "phone": "77", "kind": "day", "_again": "1"})
    page = manager.get(sent.headers["HX-Redirect"]).text
    assert (input_value(page, "name"), input_value(page, "phone")) == ("", "77")
    assert '<option value="day" selected' in page


def test_a_form_may_lead_to_another_form_or_site(manager):
    sent = manager.post("/a/shop/f/express/new", {"name": "Ada & Co/?"})
    assert sent.headers["HX-Redirect"] == "https://example.com/thanks?who=Ada%20%26%20Co%2F%3F"
    assert manager.post("/a/shop/f/slow/new", {"name": "Ada"}).headers["HX-Redirect"] == "/a/shop/f/enrol/new"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "//evil.example", "/\\evil.example", "http://x.example", "https://{name}", "https://a@b/"],
)
def test_an_unsafe_address_is_refused_in_the_definition(url):
    with pytest.raises(DefinitionError):
        load(Form, {"id": "f", "table": "t", "after_submit": {"go": "url", "url": url}})


def test_a_record_is_copied_into_a_new_form(school, manager):
    id = pupil(school, phone="42", kind="day", courses=[{"what": "Art", "paid": True, "price": Decimal(7)}])
    record = manager.get(f"/a/shop/t/pupil/{id}").text
    assert f"/a/shop/f/enrol/new?_copy={id}" in record
    page = manager.get(f"{NEW}?_copy={id}").text
    assert (input_value(page, "name"), input_value(page, "phone")) == ("Ada", "42")
    assert input_value(page, "courses[0].what") == "Art"
    assert "data-row-id" not in page
    assert "P-001" not in page


# -- drafts ----------------------------------------------------------------------------------------


def put(person, url, text):
    with person.client.session_transaction() as session:
        token = session.setdefault("csrf", "token-of-the-test")
    return person.client.put(url, data=text, headers={"X-CSRF-Token": token})


def test_a_draft_is_kept_for_its_person_until_it_is_sent(school, manager, sign_in):
    assert put(manager, "/a/shop/f/enrol/draft", '[["name", "Ada"]]').status_code == 200
    assert "data-draft-saved" in manager.get(NEW).text
    assert manager.get("/a/shop/f/enrol/draft").json["answers"] == [["name", "Ada"]]
    assert sign_in(school, "clerk").get("/a/shop/f/enrol/draft").status_code == 404
    manager.post(NEW, {"name": "Ada", "phone": "1"})
    assert manager.get("/a/shop/f/enrol/draft").status_code == 404


@pytest.mark.parametrize("text", ["", "7", "{}", '[["a"]]', '[["a", 1]]', '[["a", "\\u0000"]]', "[" * 100_000])
def test_what_is_no_draft_is_refused(manager, text):
    assert put(manager, "/a/shop/f/enrol/draft", text).status_code == 422


def test_an_outsider_keeps_no_draft(school, sign_in):
    assert put(sign_in(school, "outsider"), "/a/shop/f/enrol/draft", "[]").status_code == 404


# -- links with values -----------------------------------------------------------------------------


def test_a_link_brings_values_along(manager):
    page = manager.get(f"{NEW}?name=Eve&kind=day").text
    assert input_value(page, "name") == "Eve"
    assert 'data-touched="' in page


def locked_link(person, **answers):
    answer = person.post("/a/shop/f/enrol/link", {**answers, "_lock": "1"})
    assert answer.status_code == 200, answer.text
    return answer.json["url"].partition("localhost")[2]


def test_a_locked_value_cannot_be_changed(school, manager, sign_in):
    url = locked_link(manager, name="Eve", phone="9")
    clerk = sign_in(school, "clerk")
    page = clerk.get(url).text
    assert '<div class="computed" id="f-name">Eve' in page
    token = input_value(page, "_with")
    sent = clerk.post(NEW, {"_with": token, "name": "Mallory", "phone": "666"})
    assert sent.status_code == 204, sent.text
    kept = stored(school, sent.headers["HX-Redirect"].rpartition("/")[2])
    assert (kept["name"], kept["phone"]) == ("Eve", "9")


def test_a_link_that_was_tampered_with_is_refused(manager):
    url = locked_link(manager, name="Eve")
    assert manager.get(url[:-3] + "AAA").status_code == 422
    assert manager.post(NEW, {"_with": "x.y", "name": "Eve", "phone": "1"}).status_code == 422
    assert manager.get(url.replace("/enrol/", "/express/")).status_code == 422


# -- options from elsewhere ------------------------------------------------------------------------


def visit(school, who="manager", **values):
    with school.opened(getattr(school, who)) as ctx:
        return records.create(ctx, school.table(ctx, "visit"), values)


def refused(school, **values):
    with pytest.raises(InvalidInput) as err:
        visit(school, **values)
    return set(err.value.errors)


def test_a_city_goes_with_its_province_whoever_writes(school):
    assert visit(school, province="zj", city="hz")
    assert visit(school, city="elsewhere")
    assert refused(school, province="js", city="hz") == {"city"}
    assert refused(school, city="hz") == {"city"}


def test_a_new_province_offers_its_cities_and_takes_the_old_city_back(manager):
    page = live(manager, {"province": "js", "city": "hz"}, ["province"], "visit")
    cities = page[page.index('name="city"') :][:500]
    assert "Nanjing" in cities
    assert "Hangzhou" not in cities
    assert "selected" not in cities


def test_a_street_goes_with_the_part_of_its_own_row(school, manager):
    rows = [{"part": "north", "street": "oak"}, {"part": "south", "street": "oak"}]
    assert refused(school, stops=rows) == {"stops[1].street"}
    page = live(manager, {"stops": json.dumps(rows)}, ["stops"], "visit")
    second = page[page.index('name="stops[1].street"') :][:300]
    assert '"elm"' in second
    assert '"oak"' not in second


def test_options_come_from_the_records_of_another_table(school, manager):
    offer(school), offer(school, name="Winter", advisor="Ms Frost"), offer(school, name="Winter", advisor="Ms Frost")
    asked = "/a/shop/pick/visit/tutor"
    assert [o["text"] for o in manager.get(f"{asked}?with.term=Winter").json] == ["Ms Frost"]
    assert [o["text"] for o in manager.get("/a/shop/pick/visit/tutors").json] == ["Mr Bell", "Ms Frost"]
    assert [o["text"] for o in manager.get("/a/shop/pick/visit/tutors?q=fro").json] == ["Ms Frost"]
    page = manager.get("/a/shop/f/visit/new").text
    assert 'data-source="/a/shop/pick/visit/tutor' in page
    assert 'data-with="term"' in page


def test_an_answer_must_be_among_the_other_tables_whoever_writes(school):
    offer(school)
    assert visit(school, term="Summer", tutor="Mr Bell", tutors=["Mr Bell"])
    assert refused(school, term="Winter", tutor="Mr Bell") == {"tutor"}
    assert refused(school, tutors=["Mr Bell", "Mr Nobody"]) == {"tutors"}


def test_an_answer_that_was_allowed_once_may_stay(school):
    id = offer(school)
    made = visit(school, term="Summer", tutor="Mr Bell")
    with school.opened(school.manager) as ctx:
        records.change(ctx, school.table(ctx, "offer"), id, {"advisor": "Ms New"})
    with school.opened(school.manager) as ctx:
        records.change(ctx, school.table(ctx, "visit"), made, {"province": "zj"})


def test_nobody_chooses_from_what_they_may_not_read(school, sign_in):
    offer(school)
    assert sign_in(school, "outsider").get("/a/shop/pick/visit/tutors").json == []
    with pytest.raises(InvalidInput):
        visit(school, "outsider", tutors=["Mr Bell"])


# -- buttons ---------------------------------------------------------------------------------------


def test_a_button_opens_a_form_with_values_of_the_record(school, manager):
    id = pupil(school, kind="boarder", room="1", phone="42")
    assert "Enrol a sibling" in manager.get(f"/a/shop/t/pupil/{id}").text
    assert "/press/sibling" in manager.get("/a/shop/v/pupil/").text
    opened = manager.get(f"/a/shop/t/pupil/{id}/press/sibling")
    page = manager.get(opened.headers["Location"]).text
    assert '<div class="computed" id="f-phone">42' in page
    assert '<option value="day" selected' in page


def test_a_button_is_pressed_only_where_it_is_offered(school, manager, sign_in):
    id = pupil(school, kind="day")
    assert "Enrol a sibling" not in manager.get(f"/a/shop/t/pupil/{id}").text
    assert manager.get(f"/a/shop/t/pupil/{id}/press/sibling").status_code == 403
    assert manager.get(f"/a/shop/t/pupil/{id}/press/name").status_code == 404
    assert sign_in(school, "outsider").get(f"/a/shop/t/pupil/{id}/press/sibling").status_code == 404


def test_a_button_starts_its_flow(school, manager):
    id = pupil(school)
    page = manager.get(f"/a/shop/t/pupil/{id}").text
    assert f'hx-post="/a/shop/t/pupil/{id}/press/check"' in page
    assert manager.post(f"/a/shop/t/pupil/{id}/press/check").status_code == 204
    assert "Ada" in manager.get("/tasks/").text
    assert manager.post(f"/a/shop/t/pupil/{id}/press/check").status_code == 403


def test_a_button_that_opens_a_form_may_ask_first(make_shop, sign_in):
    package = deepcopy(SCHOOL)
    next(f for f in package["tables"][2]["fields"] if f["id"] == "sibling")["confirm"] = "Really a sibling?"
    school = make_shop(package)
    id = pupil(school, kind="boarder", room="1")
    page = sign_in(school, "manager").get(f"/a/shop/t/pupil/{id}").text
    assert '/press/sibling" data-confirm="Really a sibling?"' in page


def test_a_button_in_a_row_opens_a_form_with_the_values_of_its_row(school, manager, sign_in):
    id = pupil(
        school, courses=[{"what": "Latin", "price": Decimal(10)}, {"what": "Greek", "paid": True, "price": Decimal(20)}]
    )
    page = manager.get(f"/a/shop/t/pupil/{id}").text
    address = re.findall(rf"/a/shop/t/pupil/{id}/press/courses.again\?row=[0-9a-f-]{{36}}", page)
    assert len(address) == 1  # the paid one offers none
    assert address[0] in manager.get(f"/a/shop/f/enrol/{id}").text
    opened = manager.get(manager.get(address[0]).headers["Location"]).text
    assert '<div class="computed" id="f-phone">20' in opened
    assert "Ada: Latin" in opened
    paid = re.findall(r"press/courses.doubt\?row=([0-9a-f-]{36})", page)[1]
    refused = [f"courses.again?row={paid}", "courses.again", f"courses.again?row={id}", f"courses.what?row={paid}"]
    codes = [manager.get(f"/a/shop/t/pupil/{id}/press/{path}").status_code for path in refused]
    assert codes == [403, 404, 404, 404]
    assert sign_in(school, "outsider").get(address[0]).status_code == 404


def test_a_button_in_a_row_starts_its_flow_with_what_the_row_says(school, manager, sign_in):
    id = pupil(school, courses=[{"what": "Latin", "price": Decimal(10)}])
    page = manager.get(f"/a/shop/t/pupil/{id}").text
    address = re.search(rf'hx-post="(/a/shop/t/pupil/{id}/press/courses.doubt\?row=[0-9a-f-]+)"', page)
    assert sign_in(school, "outsider").post(address[1]).status_code == 404
    assert manager.post(address[1]).status_code == 204
    assert "Latin is doubted" in manager.get(f"/a/shop/t/pupil/{id}").text
    assert "Ada" in manager.get("/tasks/").text
    assert manager.post(address[1]).status_code == 403


# -- rows that nobody filled in wholly --------------------------------------------------------------


def test_a_row_has_its_columns_defaults_whoever_writes(school):
    with school.opened(school.manager) as ctx:
        table = school.table(ctx, "offer")
        id = records.create(ctx, table, {"name": "Spring", "lines": [{"what": "Art"}, {"what": "PE", "paid": None}]})
        first = child_values(ctx, table, [id])[id]["lines"]
        assert [row["paid"] for row in first] == [True, None]
        kept = [{"_id": row["_id"], "what": row["what"]} for row in first]
        records.change(ctx, table, id, {"lines": [*kept, {"what": "Music"}]})
        assert [row["paid"] for row in child_values(ctx, table, [id])[id]["lines"]] == [True, None, True]


# -- combinations that may occur once ---------------------------------------------------------------


def test_a_combination_occurs_once_under_every_way_of_writing(make_shop):
    package = deepcopy(SCHOOL)
    package["tables"][0]["keys"] = [{"fields": ["name", "advisor"], "message": "Name and advisor are taken together"}]
    school = make_shop(package)
    twice = {"name": "Summer", "advisor": "Mr Bell"}
    with school.opened(school.boss) as ctx:
        table = school.table(ctx, "offer")
        first = records.create(ctx, table, twice)
        other = records.create(ctx, table, {**twice, "advisor": "Ms Frost"})
        for write in (
            lambda: records.create(ctx, table, twice),
            lambda: records.change(ctx, table, other, {"advisor": "mr bell"}),
        ):
            with pytest.raises(InvalidInput) as err:
                write()
            assert [m.in_language("en") for m in err.value.errors["name"]] == ["Name and advisor are taken together"]
        drafts = records.create_many(
            ctx, table, [twice, {"name": "New", "advisor": "A"}, {"name": "New", "advisor": "A"}]
        )
        assert [bool(d.errors) for d in drafts] == [True, False, True]
        records.trash(ctx, table, [first])
        records.create(ctx, table, twice)
    with school.opened(school.boss) as ctx, pytest.raises(InvalidInput) as err:
        records.restore(ctx, school.table(ctx, "offer"), [first])
    assert set(err.value.errors) == {"name"}


def test_a_form_notes_the_address_it_was_filled_in_from(make_shop, sign_in):
    shop = make_shop({
        "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
        "tables": [{"id": "visit", "fields": [{"id": "name", "type": "text"}, {"id": "from", "type": "text", "default": "=IP()"}]}],
        "access": [{"id": "all", "who": {"role": "clerk"}, "table": "visit", "do": ["read", "create"]}],
    })  # fmt: skip
    clerk = sign_in(shop, "clerk")
    assert input_value(clerk.get("/a/shop/f/visit/new").text, "from") == "127.0.0.1"
    audit.come_from("", "")  # as where no request is answered
    with shop.opened(shop.clerk) as ctx:
        id = records.create(ctx, shop.table(ctx, "visit"), {"name": "by a job"})
        assert query.fetch(door(ctx, shop.table(ctx, "visit")), id).values["from"] is None


@pytest.mark.parametrize(("score", "said"), [("9", "Well done, Ada!"), ("5", "Passed."), ("1", "Try again.")])
def test_what_is_said_when_it_is_sent_depends_on_the_answers(make_shop, sign_in, score, said):
    hints = [{"when": "score >= 8", "message": "Well done, {name}!"}, {"when": "score >= 5", "message": "Passed."}]
    shop = make_shop({
        "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
        "tables": [{"id": "quiz", "fields": [{"id": "name", "type": "text"}, {"id": "score", "type": "number"}]}],
        "forms": [{"id": "quiz", "table": "quiz", "layout": [{"row": ["name", "score"]}],
                   "after_submit": {"message": "Try again.", "hints": hints}}],
        "access": [{"id": "all", "who": {"role": "clerk"}, "table": "quiz", "do": ["read", "create"]}],
    })  # fmt: skip
    clerk = sign_in(shop, "clerk")
    sent = clerk.post("/a/shop/f/quiz/new", {"name": "Ada", "score": score})
    assert said in clerk.get(sent.headers["HX-Redirect"]).text
