"""A school's enrolment office: the app by which the tests try what forms can do."""

from typing import Any

SCHOOL: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
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
                    {"id": "double", "type": "formula", "label": "Double", "formula": "price * 2"}]},
                {"id": "sum", "type": "formula", "label": "Sum", "formula": "SUM(courses.price)"},
                {"id": "bill", "type": "text", "label": "Bill"},
            ],
        },
    ],
    "forms": [
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
            ],
            "widths": {"name": "3/4", "kind": "1/4"},
            "require": ["phone"],
            "rules": [
                {"when": "kind = \"boarder\"", "show": ["room"], "require": ["room"], "when_hidden": "clear"},
                {"when": "kind = \"day\"", "offer": {"meals": ["none", "lunch"]}},
                {"when": "NOT(ISBLANK(room))", "show": ["fee"], "when_hidden": "clear"},
                {"when": "paid", "require": ["courses.price"]},
                {"when": "NOT(paid)", "hide": ["courses.price"], "when_hidden": "clear"},
                {"when": "sum > 100", "show": ["bill"]},
            ],
        },
    ],
    "access": [
        {"id": "all", "who": {"role": "manager"}, "table": "pupil", "do": ["read", "create", "update", "delete"]},
        {"id": "some", "who": {"role": "clerk"}, "table": "pupil", "do": ["read", "create", "update"]},
    ],
}  # fmt: skip
