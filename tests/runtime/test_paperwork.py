"""A flow prints its record when it is approved, and keeps the file with it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from runtime import files, flows, query, records
from runtime.access import door
from runtime.settings import Settings
from runtime.storage import storage_of
from schemas.app import App
from schemas.options import load
from tests.runtime.conftest import Shop

CONTRACTS: dict[str, Any] = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}],
    "tables": [{"id": "paper", "fields": [
        {"id": "name", "type": "text"}, {"id": "copies", "type": "file"}, {"id": "photos", "type": "image"}]}],
    "documents": [{"id": "slip", "table": "paper", "title": "Slip", "name": "Slip {name}",
                   "blocks": [{"id": "head", "type": "heading", "text": "Agreed: {name}"}]}],
    "flows": [{"id": "print", "trigger": {"button": {"table": "paper", "label": "Print"}},
               "steps": [{"id": "made", "type": "document", "template": "slip", "field": "copies"}]}],
    "access": [
        {"id": "own", "who": {"role": "clerk"}, "table": "paper", "do": ["read", "create", "update"]},
        {"id": "printer", "who": {"flow": "print"}, "table": "paper", "do": ["read", "update"]},
        {"id": "start", "who": {"role": "clerk"}, "flow": "print", "do": ["start"]},
    ],
}  # fmt: skip


def run(shop: Shop, record: UUID) -> list[files.Kept]:
    """The clerk presses the button; gives the files that the record has then."""
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "paper")
        flow = live.inst.app.flow("print")
        assert flow is not None
        flows.press(ctx, live, flow, record)
        held = query.fetch(door(ctx, live), record).values["copies"]
        found = files.listed(ctx, held)
        return [found[id] for id in held]


def test_the_printed_record_is_a_file_of_its_own_and_is_not_doubled(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(CONTRACTS)
    with shop.opened(shop.clerk) as ctx:
        record = records.create(ctx, shop.table(ctx, "paper"), {"name": "Lease"})
    (first,) = run(shop, record)
    assert (first.name, first.media_type) == ("Slip Lease.pdf", "application/pdf")
    (again,) = run(shop, record)
    assert (again.name, again.id != first.id) == (first.name, True)
    with shop.opened(shop.clerk) as ctx:
        opened = files.open_file(ctx, shop.table(ctx, "paper"), record, "copies", again.id)
        with files.content(ctx, storage_of(Settings.read()), opened.id) as kept:
            assert kept.read(5) == b"%PDF-"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"template": "letter"}, "choose a print template of this table"),
        ({"field": "name"}, "choose a field of files"),
        ({"field": "photos"}, "choose a field of files"),
    ],
)
def test_a_step_without_its_template_or_field_is_refused(options: dict[str, str], problem: str) -> None:
    step = {**CONTRACTS["flows"][0]["steps"][0], **options}
    made = load(App, {**CONTRACTS, "flows": [{**CONTRACTS["flows"][0], "steps": [step]}]})
    assert problem in [str(found.message) for found in made.analysis.problems()]
