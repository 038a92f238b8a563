"""Forms through the Flask client: layout, rules, defaults and what happens when they are sent."""

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
