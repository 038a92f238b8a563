"""What the bundled apps take over from one record into another."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from builder import bundle
from runtime import definitions, filling, query, records
from runtime.access import door
from runtime.context import Context
from runtime.prefill import read
from runtime.pressing import press
from runtime.tables import live
from schemas.fields.link import Link

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


def test_a_quote_takes_lines_and_person_of_what_it_is_chosen_for(trial: Trial) -> None:
    app = next(id for id, at in bundle.bundled().items() if (at / "tables" / "quote.json").exists())
    with trial(app) as ctx:
        inst = definitions.installed(ctx, app)
        quotes = live(ctx, inst, "quote")
        link = next(f for f in quotes.table.fields if isinstance(f, Link) and "items" in f.fill)
        source = quotes.sibling(link.table)
        listed = query.page(door(ctx, source), query.Listing(("items", "contact"))).records
        full = next(r for r in listed if r["items"] and r["contact"])
        begun = filling.blank(ctx, quotes, inst.app.all_forms["quote_form"])
        chosen = filling.as_sent(ctx, begun, {link.id: str(full.id)}, {link.id}, {link.id})
        there = query.fetch(door(ctx, source), full.id).values
        taken = [(row["product"], row["quantity"], row["price"]) for row in chosen.values["items"]]
        assert taken == [(row["product"], row["quantity"], row["price"]) for row in there["items"]]
        assert chosen.values["contact"] == full["contact"]
        empty = records.create(ctx, source, {**there, "name": "Empty", "items": None})
        typed = [{"product": str(there["items"][0]["product"]), "quantity": "3"}]
        kept = filling.as_sent(ctx, begun, {link.id: str(empty), "items": typed}, {link.id}, {link.id})
        assert [row["quantity"] for row in kept.values["items"]] == [3]
