"""An app that is exported with its records is the same, records and all, where it is imported and exported again."""

import io
import json
import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

from builder import bundle
from runtime import definitions, records
from runtime.tables import live

YARD = {
    "language": 1, "app": "yard", "version": "1.0.0", "title": "Yard",
    "tables": [
        {"id": "job", "fields": [
            {"id": "no", "type": "serial", "label": "No", "parts": ["J-", {"count": 3}]},
            {"id": "name", "type": "text", "label": "Name"},
            {"id": "crane", "type": "link", "table": "crane", "label": "Crane"},
            {"id": "who", "type": "members", "label": "Who"},
            {"id": "unit", "type": "department", "label": "Unit"},
            {"id": "due", "type": "date", "label": "Due"},
            {"id": "begun", "type": "datetime", "label": "Begun"},
            {"id": "hours", "type": "number", "decimals": 2, "label": "Hours"},
            {"id": "twice", "type": "formula", "formula": "hours * 2", "label": "Twice"},
            {"id": "lines", "type": "rows", "label": "Lines", "fields": [
                {"id": "what", "type": "text", "label": "What"}, {"id": "by", "type": "member", "label": "By"}]},
        ]},
        {"id": "crane", "fields": [{"id": "name", "type": "text", "label": "Name"},
                                   {"id": "kind", "type": "choice", "label": "Kind", "options": [{"id": "big", "label": "Big"}]}]},
    ],
}  # fmt: skip


def install(boss, data):
    sent = boss.post("/templates/", {"file": (io.BytesIO(data), "yard.zip")}, content_type="multipart/form-data")
    home = sent.headers["HX-Redirect"]
    done = boss.post(f"{home}install", {"sample": "1"})
    assert done.status_code == 204, re.findall(r"<code>.*", done.text)
    return done.headers["HX-Redirect"].strip("/").split("/")[1]


def files_in(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_an_app_with_its_records_goes_elsewhere_and_comes_back_the_same(shop, sign_in):
    boss = sign_in(shop, "boss")
    with shop.opened(shop.boss) as ctx:
        bundle.install(ctx, YARD)
    with shop.opened(shop.boss) as ctx:
        inst = definitions.installed(ctx, "yard")
        crane = records.create(ctx, live(ctx, inst, "crane"), {"name": "Goliath", "kind": "big"})
        lift = {
            "name": "Lift the “mast”", "crane": crane, "who": [shop.clerk.id, shop.manager.id], "due": date(2026, 3, 4),
            "begun": datetime(2026, 3, 1, 1, 30, tzinfo=UTC), "hours": Decimal("1.25"),
            "lines": [{"what": "Rope", "by": shop.clerk.id}, {"what": "Hook"}],
        }  # fmt: skip
        records.create(ctx, live(ctx, inst, "job"), lift)

    first = files_in(boss.get("/build/yard/export?data=1").data)
    [job] = first["yard/sample/job.json"]
    assert (job["crane"], job["hours"], job["due"]) == ("@crane_1", "1.25", "2026-03-04")
    assert len(job["who"]) == 2
    assert job["lines"][0]["what"] == "Rope"
    assert first["yard/sample/sample.json"]["tables"] == ["crane", "job"]
    assert not any("sample" in name for name in files_in(boss.get("/build/yard/export").data))

    there = install(boss, boss.get("/build/yard/export?data=1").data)
    assert there != "yard"
    assert files_in(boss.get(f"/build/{there}/export?data=1").data) == first
    assert sign_in(shop, "manager").get("/build/yard/export?data=1").status_code == 404
