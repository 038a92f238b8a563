"""A page with every piece of the interface: `python tests/ui/gallery.py 8220`. Tests look at it too."""

import json
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask, Response, make_response, render_template, request, url_for
from flask_babel import Babel
from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from runtime.cells import tone_of  # noqa: E402
from runtime.codes import code_svg  # noqa: E402
from runtime.render import BoundField, BoundRow, Picked  # noqa: E402
from runtime.web import delivery  # noqa: E402
from runtime.web.edge import POLICY, condition_fields, formatted, moment, words  # noqa: E402
from schemas.fields import Reader, field_types  # noqa: E402
from schemas.fields.choice import ChoiceOption  # noqa: E402
from schemas.messages import say  # noqa: E402
from schemas.text import Text  # noqa: E402
from tests.schemas.fields.examples import examples, module_of  # noqa: E402

PEOPLE = [
    ("林晓", "Finance"),
    ("Ada Byron", "Engineering"),
    ("王小明", "Sales"),
    ("Grace Hopper", "Operations"),
]
OPTIONS = (
    ("travel", "Travel", "差旅", "blue"),
    ("meal", "Meals", "餐饮", "orange"),
    ("office", "Office", "办公", "green"),
    ("gift", "Gifts", "礼品", "pink"),
)


def options(tones: Any = OPTIONS) -> tuple[ChoiceOption, ...]:
    return tuple(ChoiceOption(id=id, label=Text.of({"en": en, "zh": zh}), color=tone) for id, en, zh, tone in tones)


def uuid(number: int) -> UUID:
    return UUID(int=number)


def label(en: str, zh: str) -> Text:
    return Text.of({"en": en, "zh": zh})


def field(type: str, id: str, en: str, zh: str, **more: Any) -> Any:
    return field_types.get(type)(id=id, label=label(en, zh), **more)


def bound(found: Any, value: Any = None, name: str = "", **more: Any) -> BoundField:
    names = {uuid(n): person for n, (person, _) in enumerate(PEOPLE, 1)}
    shown = found.show(value, Reader("en", UTC, names))
    return BoundField(field=found, name=name or found.id, value=value, shown=shown, **more)


def picked(*numbers: int) -> list[Picked]:
    return [Picked(str(uuid(n)), PEOPLE[n - 1][0], PEOPLE[n - 1][1], url=f"/record/{n}") for n in numbers]


def columns() -> list[Any]:
    return [
        field("text", "what", "What for", "事由", required=True),
        field("choice", "kind", "Kind", "类别", options=options()),
        field("number", "count", "Count", "数量", decimals=0),
        field("money", "price", "Price", "单价"),
        field("date", "day", "Day", "日期"),
        field("member", "with", "With", "同行人"),
        field("switch", "receipt", "Receipt", "有票"),
    ]


def row(number: int | str, values: list[Any], errors: dict[str, Any] | None = None) -> BoundRow:
    cells = []
    for column, value in zip(columns(), values, strict=True):
        more: dict[str, Any] = {"source": "/pick"} if column.type == "member" else {}
        if column.type == "member" and value:
            more["picked"] = picked(1)
        cells.append(
            bound(
                column,
                value,
                f"items[{number}].{column.id}",
                errors=(errors or {}).get(column.id, ()),
                **more,
            )
        )
    return BoundRow(cells, str(uuid(90 + number)) if isinstance(number, int) else "")


def rows_field() -> BoundField:
    found = field("rows", "items", "Items", "明细", fields=tuple(columns()))
    kept = [
        row(
            0,
            ["Train to Shanghai", "travel", Decimal(2), Decimal("553.50"), date(2026, 11, 20), uuid(1), True],
        ),
        row(
            1,
            ["Dinner with guests", "meal", Decimal(6), Decimal("88"), date(2026, 11, 21), None, False],
            {"price": [say("Must be at most {maximum}.", maximum="80")]},
        ),
    ]
    return BoundField(
        field=found,
        name="items",
        value=[1, 2],
        columns=columns(),
        rows=kept,
        blank_row=row("new", [None] * 7),
    )


def everything() -> list[list[BoundField]]:
    """The types as they are meant to be looked at, and every other one as its own test gives it."""
    shown = curated()
    known = {f.field.type for line in shown for f in line}
    others = [kind.type for kind in field_types if kind.type not in known]
    return [*shown, *([example(type, n) for n in range(len(module_of(type).EXAMPLES))] for type in others)]


def example(type: str, number: int) -> BoundField:
    """The example of that number from the type's test."""
    found = replace(examples(type)[number], id=f"{type}_{number}", label=label(field_types[type].title, type))
    value = found.example()
    kind = found.value_type().of or found.value_type()
    named = kind.kind in ("member", "department", "link", "file")
    return bound(found, value, picked=picked(1) if named else (), source="/pick" if named else "", upload="/upload")


def curated() -> list[list[BoundField]]:
    many = options([(f"o{n}", f"Option {n}", f"选项{n}", "teal") for n in range(20)])
    f = field
    return [
        [
            bound(
                f("text", "title", "Title", "标题", required=True, help=label("Short and clear", "简短明了")),
                "Visit to a supplier",
                required=True,
            ),
            bound(
                f("text", "phone", "Phone", "电话", format="phone"),
                "138",
                raw="138",
                errors=[say("Enter a phone number, such as 138 0013 8000.")],
            ),
        ],
        [bound(f("long_text", "reason", "Reason", "说明"), "First line\nSecond line")],
        [
            bound(f("number", "days", "Days", "天数", decimals=1, unit=label("days", "天")), Decimal("2.5")),
            bound(f("number", "share", "Share", "比例", percent=True, decimals=1), Decimal("0.125")),
            bound(f("money", "amount", "Amount", "金额"), Decimal("12345.60")),
        ],
        [
            bound(f("date", "day", "Day", "日期"), date(2026, 11, 24)),
            bound(f("datetime", "at", "Moment", "时间"), datetime(2026, 11, 24, 9, 30, tzinfo=UTC)),
            bound(f("switch", "urgent", "Urgent", "紧急"), True),
        ],
        [
            bound(f("choice", "kind", "Kind", "类别", options=options()), "meal"),
            bound(
                f(
                    "choice",
                    "kind_radio",
                    "Kind as radio",
                    "类别（单选）",
                    options=options(),
                    display="radio",
                ),
                "travel",
            ),
            bound(
                f(
                    "choice",
                    "kind_chips",
                    "Kind as chips",
                    "类别（标签）",
                    options=options(),
                    display="chips",
                ),
                "office",
            ),
        ],
        [
            bound(f("choice", "long", "Long list", "长列表", options=many), "o3"),
            bound(f("choices", "tags", "Tags", "标签", options=options(), display="dropdown"), ["meal", "gift"]),
            bound(f("choices", "tags_chips", "Tags as chips", "标签（多选）", options=options()), ["travel"]),
        ],
        [bound(f("choices", "boxes", "Boxes", "复选", options=options(), display="checkboxes"), ["office"])],
        [
            bound(f("member", "owner", "Owner", "负责人"), uuid(1), picked=picked(1), source="/pick"),
            bound(f("department", "team", "Department", "部门"), uuid(2), picked=picked(2), source="/pick"),
            bound(f("link", "book", "Book", "图书", table="book"), uuid(3), picked=picked(3), source="/pick"),
        ],
        [
            bound(f("serial", "number", "Number", "编号", parts=()), "EX-2026-0007", readonly=True),
            bound(f("formula", "total", "Total", "合计"), Decimal("1635.00"), readonly=True),
            bound(f("rollup", "average", "Average", "平均"), Decimal("817.5"), readonly=True),
            bound(f("text", "locked", "Locked", "只读"), "Cannot be changed", readonly=True),
            bound(f("group", "stock", "Stock", "库存", table="book"), uuid(3), picked=picked(3), readonly=True),
        ],
        [
            bound(
                f("file", "papers", "Papers", "附件", help=label("Photos or PDF", "照片或 PDF")),
                [uuid(1)],
                picked=[Picked(str(uuid(1)), "发票 0042.pdf", url="/files/1", size=183_211)],
                upload="/upload",
            )
        ],
        [rows_field()],
    ]


def navigation() -> list[dict[str, Any]]:
    return [
        {"title": "Overview", "url": "#", "icon": "dashboard", "current": False},
        {
            "title": "Expenses",
            "items": [
                {"title": "Claims", "url": "/", "icon": "receipt", "current": True, "count": 12},
                {"title": "报销单明细", "url": "#", "icon": "table", "current": False},
            ],
        },
        {"title": "Library", "items": [{"title": "Books", "url": "#", "icon": "book", "current": False}]},
    ]


def lines() -> list[dict[str, Any]]:
    states = [("approved", "green"), ("draft", "gray"), ("in approval", "amber"), ("rejected", "red")]
    return [
        {
            "id": n,
            "number": f"EX-2026-{n:04}",
            "title": ["差旅报销：上海供应商拜访", "Team dinner", "Office chairs"][n % 3],
            "owner": PEOPLE[n % 4][0],
            "state": states[n % 4],
            "amount": f"¥{n * 1234.5:,.2f}",
            "day": f"2026-11-{n % 28 + 1:02}",
        }
        for n in range(1, 31)
    ]


CHARTS: list[dict[str, Any]] = [
    {
        "kind": "bar",
        "categories": ["Travel", "Meals", "Office", "Gifts"],
        "series": [{"name": "Amount", "values": [4200, 2600, 1800, 640]}],
        "unit": "¥",
        "urls": ["/#a", None, None, None],
    },
    {
        "kind": "line",
        "categories": ["Jul", "Aug", "Sep", "Oct", "Nov"],
        "series": [{"name": "2025", "values": [3, 5, 4, 8, 9]}, {"name": "2026", "values": [4, 7, 9, 8, 12]}],
        "area": True,
        "smooth": True,
    },
    {
        "kind": "pie",
        "categories": ["Travel", "Meals", "Office", "Gifts"],
        "series": [{"name": "Amount", "values": [42, 26, 18, 6]}],
        "colors": ["blue", "orange", "green", "pink"],
    },
    {
        "kind": "funnel",
        "categories": ["Asked", "Quoted", "Ordered", "Delivered"],
        "series": [{"name": "Orders", "values": [120, 80, 46, 40]}],
    },
    {
        "kind": "funnel",
        "categories": ["初步沟通", "Quoted", "Ordered", "Delivered"],
        "series": [{"name": "Orders", "values": [9, 3, 6, 33]}],
        "colors": ["gray", "blue", "indigo", "green"],
    },
]


def create_app() -> Flask:
    """The gallery as a little application with our own policy."""
    app = Flask("gallery", static_folder=None, template_folder=str(ROOT / "templates"))
    delivery.install(app, ROOT / "static")
    app.jinja_env.loader = ChoiceLoader(
        [FileSystemLoader(Path(__file__).parent / "templates"), FileSystemLoader(ROOT / "templates")]
    )
    app.secret_key = "gallery"
    language = lambda: request.cookies.get("language", "en")  # noqa: E731
    Babel(app, locale_selector=language, default_translation_directories=str(ROOT / "runtime" / "translations"))
    app.jinja_env.filters.update(words=words, moment=moment, code_svg=code_svg, absolute=str, tone_of=tone_of, described=formatted)
    app.add_url_rule("/divisions.json", "places.divisions", lambda: {})
    app.jinja_env.globals.update(
        condition_fields=condition_fields,
        icon_sheet=lambda: url_for("static", filename="icons.svg"),
        script_words=lambda: Markup(render_template("_words.html")),
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(
        lambda: {
            "me": {"id": "1", "name": "林晓", "tone": "", "language": language(), "is_admin": True},
            "navigation": navigation(),
            "navigation_settings": [{"title": "App settings", "url": "#", "icon": "settings", "current": False}],
            "app_title": "Expense claims",
            "counts": {"tasks": 3, "notices": 120},
            "csrf_token": lambda: "token",
        }
    )

    @app.after_request
    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.get("/")
    def home() -> str:
        return render_template("gallery.html", fields=everything(), lines=lines(), charts=CHARTS)

    @app.get("/list")
    def grid() -> str:
        return render_template("gallery_list.html", lines=lines())

    @app.get("/record/<int:number>")
    def record(number: int) -> str:
        template = "gallery_record.html" if "HX-Request" in request.headers else "gallery_list.html"
        return render_template(template, line=lines()[number - 1], lines=lines(), fields=everything())

    @app.get("/form")
    def form() -> str:
        return render_template("gallery_form.html", fields=everything(), problems=[])

    @app.post("/form")
    def send() -> tuple[str, int]:
        problems = [("f-title", label("Title", "标题"), say("Please fill this in."))]
        return render_template("gallery_form_body.html", fields=everything(), problems=problems), 422

    @app.post("/live")
    def live() -> str:
        fields = everything()
        total = sum(
            Decimal(r.get("count") or 0) * Decimal(r.get("price") or 0)
            for r in json.loads(request.form.get("items", "[]"))
        )
        fields[8][1] = bound(field("formula", "total", "Total", "合计"), total, readonly=True)
        return render_template("gallery_form_body.html", fields=fields, problems=[])

    @app.get("/pick")
    def pick() -> Any:
        asked = request.args.get("q", "").lower()
        return [
            {"id": str(uuid(n)), "text": name, "note": note}
            for n, (name, note) in enumerate(PEOPLE, 1)
            if asked in name.lower()
        ]

    @app.post("/upload")
    def upload() -> Any:
        return {"id": str(uuid(7)), "text": request.files["file"].filename, "url": "/files/7"}

    @app.post("/columns")
    def columns_of_person() -> tuple[str, int]:
        return "", 204

    @app.get("/dialog")
    def dialog() -> Response:
        return make_response(render_template("gallery_dialog.html"))

    @app.get("/sign-in")
    def sign_in() -> str:
        return render_template("gallery_plain.html")

    @app.get("/missing")
    def missing() -> tuple[str, int]:
        return render_template(
            "error.html", title="Not found", message="There is nothing here, or not for you.", status=404
        ), 404

    return app


if __name__ == "__main__":
    create_app().run("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8220)
