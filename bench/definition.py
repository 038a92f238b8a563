"""The app that is measured: a table of 20 fields, the buyers it links to, and tables of formulas for imports."""

from typing import Any

STAGES = ("new", "talking", "offered", "testing", "won", "lost")
SOURCES = ("web", "fair", "friend", "phone")
PRIORITIES = ("low", "normal", "high")
TAGS = ("export", "repeat", "urgent", "sample", "large")
LABELS = {
    "new": "新建", "talking": "沟通中", "offered": "已报价", "testing": "试样", "won": "赢单", "lost": "输单", "web": "官网",
    "fair": "展会", "friend": "转介绍", "phone": "来电", "low": "低", "normal": "普通", "high": "高", "export": "外贸",
    "repeat": "复购", "urgent": "加急", "sample": "样品", "large": "大单",
}  # fmt: skip


def _choice(id: str, ids: tuple[str, ...], type: str = "choice") -> dict[str, Any]:
    return {"id": id, "type": type, "options": [{"id": o, "label": {"en": o.title(), "zh": LABELS[o]}} for o in ids]}


PARCEL: dict[str, Any] = {
    "id": "parcel",
    "title_formula": "name",
    "fields": [
        {"id": "name", "type": "text", "required": True},
        {"id": "code", "type": "text"},
        {"id": "city", "type": "text"},
        {"id": "phone", "type": "text", "format": "phone"},
        {"id": "email", "type": "text", "format": "email"},
        {"id": "note", "type": "long_text"},
        {"id": "amount", "type": "money", "minimum": 0},
        {"id": "price", "type": "money"},
        {"id": "quantity", "type": "number", "decimals": 0, "minimum": 0, "maximum": 100000},
        {"id": "chance", "type": "number", "decimals": 0, "percent": True},
        _choice("stage", STAGES),
        _choice("source", SOURCES),
        _choice("priority", PRIORITIES),
        _choice("tags", TAGS, "choices"),
        {"id": "owner", "type": "member"},
        {"id": "department", "type": "department"},
        {"id": "buyer", "type": "link", "table": "buyer"},
        {"id": "due", "type": "date"},
        {"id": "contacted", "type": "datetime"},
        {"id": "active", "type": "switch"},
    ],
}
BUYER: dict[str, Any] = {
    "id": "buyer",
    "title_formula": "name",
    "fields": [
        {"id": "name", "type": "text", "required": True},
        {"id": "booked", "type": "rollup", "over": "booking.buyer", "aggregate": "sum", "value": "total"},
        {"id": "keeper", "type": "member"},
    ],
}
BOOKING: dict[str, Any] = {
    "id": "booking",
    "title_formula": "number",
    "fields": [
        {"id": "number", "type": "text", "required": True},
        {"id": "buyer", "type": "link", "table": "buyer"},
        {"id": "quantity", "type": "number", "decimals": 0},
        {"id": "price", "type": "money"},
        {"id": "rebate", "type": "number", "decimals": 2},
        {"id": "day", "type": "date"},
        {"id": "goods", "type": "formula", "formula": "quantity * price", "decimals": 2},
        {"id": "off", "type": "formula", "formula": "ROUND(goods * rebate, 2)", "decimals": 2},
        {"id": "tax", "type": "formula", "formula": "ROUND((goods - off) * 0.13, 2)", "decimals": 2},
        {"id": "total", "type": "formula", "formula": "goods - off + tax", "decimals": 2},
        {
            "id": "size",
            "type": "formula",
            "formula": 'IF(total >= 100000, "large", IF(total >= 10000, "middle", "small"))',
        },
    ],
}
LIST: dict[str, Any] = {
    "id": "won",
    "table": "parcel",
    "title": "Won",
    "columns": [f["id"] for f in PARCEL["fields"]],
    "filter": 'stage = "won"',
    "sort": ["-amount"],
    "page_size": 50,
}
BOARD: dict[str, Any] = {
    "id": "figures",
    "widgets": [{"id": "by_stage", "type": "bar", "table": "parcel", "group": ["stage"], "measure": "SUM(amount)"}],
}
ALL = ["read", "create", "update", "delete", "import", "export", "history"]


def sheet_fields(count: int) -> list[dict[str, Any]]:
    """Texts, numbers and formulas over them, in turns."""
    made: list[dict[str, Any]] = []
    for n in range(count // 3):
        made.append({"id": f"text_{n}", "type": "text"})
        made.append({"id": f"number_{n}", "type": "number", "decimals": 2})
        made.append(
            {"id": f"twice_{n}", "type": "formula", "formula": f"number_{n} * 2 + SUM(lines.worth)", "decimals": 2}
        )
    return made


SHEET: dict[str, Any] = {
    "id": "sheet",
    "fields": [
        *sheet_fields(60),
        {
            "id": "lines",
            "type": "rows",
            "fields": [
                {"id": "goods", "type": "text"},
                {"id": "count", "type": "number", "decimals": 0},
                {"id": "price", "type": "money"},
                {"id": "worth", "type": "formula", "formula": "count * price", "decimals": 2},
            ],
        },
    ],
    "checks": [{"id": "some", "formula": "SUM(lines.worth) >= 0", "message": "Too little"}],
}
SHEET_FORM: dict[str, Any] = {
    "id": "filled",
    "table": "sheet",
    "layout": [{"row": [f["id"]]} for f in SHEET["fields"]],
    "rules": [{"when": f"number_{n} > 100", "show": [f"text_{n}"]} for n in range(10)],
}
SELLER = (
    "owner = ME()", "department = ME().department", 'AND(stage = "won", priority = "high")', "buyer.keeper = ME()",
)  # fmt: skip
"""The rows that a seller sees: three rules about the record itself, one that follows a link."""
CLAIM: dict[str, Any] = {
    "id": "claim", "title_formula": "title",
    "fields": [{"id": "title", "type": "text"}, {"id": "amount", "type": "money"}, {"id": "note", "type": "text"}],
}  # fmt: skip
REMINDER: dict[str, Any] = {
    "id": "reminder", "title_formula": "title",
    "fields": [{"id": "title", "type": "text"}, {"id": "at", "type": "datetime"}, {"id": "state", "type": "text"}],
}  # fmt: skip
FLOWS: list[dict[str, Any]] = [
    {"id": "approved", "trigger": {"created": "claim"}, "steps": [
        {"id": "manager", "type": "approve", "who": {"role": "manager"}, "fields": {"*": "read"}}]},
    {"id": "reminded", "trigger": {"created": "reminder"}, "steps": [
        {"id": "nap", "type": "wait", "until": "at"}, {"id": "woken", "type": "update", "set": {"state": "\"woken\""}}]},
]  # fmt: skip
PACKAGE: dict[str, Any] = {
    "language": 1,
    "app": "desk",
    "title": "Desk",
    "roles": [{"id": "manager"}, {"id": "rep"}, {"id": "seller"}],
    "tables": [PARCEL, BUYER, BOOKING, SHEET, CLAIM, REMINDER],
    "flows": FLOWS,
    "forms": [SHEET_FORM],
    "views": [LIST],
    "dashboards": [BOARD],
    "access": [
        *({"id": f"all_{t}", "who": {"role": "manager"}, "table": t, "do": ALL} for t in ("parcel", "buyer", "booking", "sheet")),
        {"id": "look", "who": {"role": "manager"}, "dashboard": "figures"},
        {"id": "claims", "who": [{"role": "rep"}, {"role": "manager"}], "table": "claim", "do": ["read", "create"]},
        {"id": "reminders", "who": {"role": "rep"}, "table": "reminder", "do": ["read", "create"]},
        {"id": "wakes", "who": {"flow": "reminded"}, "table": "reminder", "do": ["read", "update"]},
        {"id": "own", "who": {"role": "rep"}, "table": "parcel", "do": ALL, "rows": 'OR(owner = ME(), stage <> "lost")',
         "fields": {"*": "write", "chance": "hidden"}},
        {"id": "buyers", "who": {"role": "rep"}, "table": "buyer", "do": ["read"]},
        *({"id": f"seller_{n}", "who": {"role": "seller"}, "table": "parcel", "do": ["read"], "rows": rows}
          for n, rows in enumerate(SELLER)),
        {"id": "seller_looks", "who": {"role": "seller"}, "dashboard": "figures"},
        {"id": "seller_buyers", "who": {"role": "seller"}, "table": "buyer", "do": ["read"]},
    ],
}  # fmt: skip
