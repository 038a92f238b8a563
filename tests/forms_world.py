"""A school's enrolment office: the app by which the tests try what forms can do."""

from typing import Any

SCHOOL: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {
            "id": "offer",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text"},
                {"id": "fee", "type": "money"},
                {"id": "advisor", "type": "text"},
                {"id": "secret", "type": "text"},
                {"id": "lines", "type": "rows", "fields": [
                    {"id": "what", "type": "text"}, {"id": "cost", "type": "money"},
                    {"id": "paid", "type": "switch", "default": True}]},
            ],
        },
        {
            "id": "visit",
            "fields": [
                {"id": "province", "type": "choice", "options": [{"id": "zj"}, {"id": "js"}]},
                {"id": "city", "type": "choice", "depends_on": "province", "options": [
                    {"id": "hz", "label": "Hangzhou", "of": ["zj"]}, {"id": "nj", "label": "Nanjing", "of": ["js"]},
                    {"id": "elsewhere", "label": "Elsewhere"}]},
                {"id": "term", "type": "text"},
                {"id": "tutor", "type": "choice",
                 "source": {"table": "offer", "field": "advisor", "where": "name = this.term"}},
                {"id": "tutors", "type": "choices", "source": {"table": "offer", "field": "advisor"}},
                {"id": "stops", "type": "rows", "fields": [
                    {"id": "part", "type": "choice", "options": [{"id": "north"}, {"id": "south"}]},
                    {"id": "street", "type": "choice", "depends_on": "part", "options": [
                        {"id": "oak", "of": ["north"]}, {"id": "elm", "of": ["south"]}]}]},
            ],
        },
        {
            "id": "pupil",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text", "required": True, "label": "Name", "placeholder": "As in the passport"},
                {"id": "kind", "type": "choice", "label": "Kind", "options": [{"id": "day"}, {"id": "boarder"}]},
                {"id": "room", "type": "text", "label": "Room"},
                {"id": "meals", "type": "choice", "label": "Meals",
                 "options": [{"id": "none"}, {"id": "lunch"}, {"id": "full"}]},
                {"id": "fee", "type": "money", "label": "Fee"},
                {"id": "phone", "type": "text", "label": "Phone"},
                {"id": "remark", "type": "long_text", "label": "Remark"},
                {"id": "courses", "type": "rows", "label": "Courses", "fields": [
                    {"id": "what", "type": "text", "label": "What"},
                    {"id": "paid", "type": "switch", "label": "Paid"},
                    {"id": "price", "type": "money", "label": "Price"},
                    {"id": "double", "type": "formula", "label": "Double", "formula": "price * 2"},
                    {"id": "again", "type": "button", "label": "Another like it", "action": "form", "form": "enrol",
                     "formula": "NOT(paid)", "set": {"phone": "=TEXT(price * 2, \"0\")", "remark": "=name & \": \" & what"},
                     "lock": ["phone"]},
                    {"id": "doubt", "type": "button", "label": "Doubt it", "flow": "checking",
                     "set": {"remark": "=what & \" is doubted\""}}]},
                {"id": "sum", "type": "formula", "label": "Sum", "formula": "SUM(courses.price)"},
                {"id": "bill", "type": "text", "label": "Bill", "default": "=name & \"-\" & kind"},
                {"id": "no", "type": "serial", "parts": ["P-", {"count": 3}]},
                {"id": "offer", "type": "link", "table": "offer", "label": "Offer", "fill": {
                    "fee": "fee", "advisor": "advisor", "remark": "secret",
                    "courses": "lines", "courses.price": "lines.cost"}},
                {"id": "advisor", "type": "text", "label": "Advisor"},
                {"id": "friend", "type": "link", "table": "pupil", "fill": {"offer": "offer", "advisor": "name"}},
                {"id": "sibling", "type": "button", "label": "Enrol a sibling", "action": "form", "form": "enrol",
                 "formula": "kind = \"boarder\"", "set": {"phone": "=phone", "kind": "day"}, "lock": ["phone"]},
                {"id": "check", "type": "button", "label": "Have it checked", "flow": "checking"},
            ],
        },
    ],
    "forms": [
        {"id": "visit", "table": "visit", "layout": [{"row": ["province", "city", "term"]}, {"row": ["tutor", "tutors"]},
                                                     {"row": ["stops"]}]},
        {
            "id": "enrol",
            "table": "pupil",
            "title": "Enrol",
            "layout": [
                {"row": ["name", "kind"]},
                {"tabs": [
                    {"id": "living", "tab": "Living", "layout": [{"row": ["room", "meals"]}, {"row": ["fee"]}]},
                    {"id": "contact", "tab": "Contact", "layout": [
                        {"note": "We never call at night.", "id": "quiet"},
                        {"section": "Numbers", "id": "numbers", "folded": True, "rows": [["phone"]]}]},
                    {"id": "classes", "tab": "Classes", "layout": [
                        {"row": ["courses"]}, {"row": ["sum"]}, {"row": ["bill"]}]}]},
                {"divider": True},
                {"row": ["remark"]},
                {"row": ["offer", "advisor"]},
            ],
            "readonly": ["advisor"],
            "remember": ["phone"],
            "widths": {"name": "3/4", "kind": "1/4"},
            "require": ["phone"],
            "rules": [
                {"when": "kind = \"boarder\"", "show": ["room"], "require": ["room"], "when_hidden": "clear"},
                {"when": "kind = \"day\"", "offer": {"meals": ["none", "lunch"]}},
                {"when": "NOT(ISBLANK(room))", "show": ["fee"], "when_hidden": "clear"},
                {"when": "paid", "require": ["courses.price"]},
                {"when": "NOT(paid)", "hide": ["courses.price"], "when_hidden": "clear"},
                {"when": "sum > 100", "show": ["bill"]},
                {"when": "kind = \"day\"", "readonly": ["remark"]},
            ],
            "defaults": {"courses": [{"what": "Latin", "paid": False}]},
            "after_submit": {"message": "Enrolled {name} as {no}", "again": True, "keep": ["kind", "phone"]},
        },
        {
            "id": "express", "table": "pupil", "layout": [{"row": ["name"]}],
            "after_submit": {"go": "url", "url": "https://example.com/thanks?who={name}"},
        },
        {
            "id": "slow", "table": "pupil", "layout": [{"row": ["name"]}], "after_submit": {"go": "form", "form": "enrol"},
        },
    ],
    "flows": [
        {"id": "checking", "trigger": {"button": {"table": "pupil", "label": "Check"}},
         "steps": [{"id": "look", "type": "approve", "who": {"role": "manager"}}]},
    ],
    "access": [
        {"id": "visits", "who": {"everyone": True}, "table": "visit", "do": ["read", "create", "update"]},
        {"id": "offers", "who": {"role": "manager"}, "table": "offer", "do": ["read", "create", "update"]},
        {"id": "offers_too", "who": {"role": "clerk"}, "table": "offer", "do": ["read"],
         "fields": {"*": "read", "secret": "hidden"}},
        {"id": "all", "who": {"role": "manager"}, "table": "pupil", "do": ["read", "create", "update", "delete"]},
        {"id": "some", "who": {"role": "clerk"}, "table": "pupil", "do": ["read", "create", "update"]},
    ],
}  # fmt: skip
