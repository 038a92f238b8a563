"""What the bundled apps take over from one record into another."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from builder import bundle
from runtime import definitions, filling, query
from runtime.access import door
from runtime.context import Context
from runtime.prefill import read
from runtime.pressing import press
from runtime.tables import live

Trial = Callable[[str], AbstractContextManager[Context]]


def test_a_contract_begun_from_a_quote_has_its_lines_and_total(trial: Trial) -> None:
    app = next(id for id, at in bundle.bundled().items() if (at / "tables" / "quote.json").exists())
    with trial(app) as ctx:
        inst = definitions.installed(ctx, app)
        quotes, contracts = live(ctx, inst, "quote"), live(ctx, inst, "contract")
        listed = query.page(door(ctx, quotes), query.Listing(("quote_no", "make_contract")))
        quote = next(r.id for r in listed.records if r["make_contract"] is True)
        url = press(ctx, quotes, quote, "make_contract", "form", "secret")
        link = read("secret", app, "contract_form", url.partition("_with=")[2])
        begun = filling.blank(ctx, contracts, inst.app.all_forms["contract_form"], given_by=link)
        there = query.fetch(door(ctx, quotes), quote).values
        assert begun.values["quote"] == quote
        assert begun.values["amount"] == there["total"]
        taken = [(row["product"], row["quantity"], row["price"]) for row in begun.values["items"]]
        assert taken == [(row["product"], row["quantity"], row["price"]) for row in there["items"]]
        assert not any("_id" in row for row in begun.values["items"])
