"""The whole path in a real browser: sign in, bring the people, the products, the accounts and the pipeline
from files, look at the funnel, and take a quote through its approval, on the desk and on the phone.

Told twice: on a small set made up here, and on the real one where CRM_DATA names its folder.
"""

import csv
import os
import random
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.stories.conftest import Place, Site

PATIENCE = 600_000
"""Milliseconds that an import may take."""
SECTORS = {"medical": "医疗", "retail": "零售", "technolgy": "互联网", "software": "软件", "finance": "金融"}
STAGES = {"Prospecting": "初步沟通", "Engaging": "商务谈判"}
TYPO, MEANT = "GTXPro", "GTX Pro"


@dataclass
class Sales:
    """What the four files hold, counted by plain Python."""

    folder: Path

    def rows(self, name: str) -> list[dict[str, str]]:
        with open(self.folder / f"{name}.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def figures(self) -> dict[str, Any]:
        pipeline = self.rows("sales_pipeline")
        stages = Counter(row["deal_stage"] for row in pipeline)
        won = sum(Decimal(row["close_value"]) for row in pipeline if row["deal_stage"] == "Won")
        return {
            "all": len(pipeline), "won": stages["Won"], "rate": stages["Won"] * 100 / (stages["Won"] + stages["Lost"]),
            "amount": won, "typo": sum(row["product"] == TYPO for row in pipeline),
            "nobody": sum(not row["account"] for row in pipeline),
            **{stage: stages[stage] for stage in STAGES},
        }  # fmt: skip


def made_up(folder: Path) -> Sales:
    """A small set with the quirks of such exports: a product spelt two ways, blank accounts, words of their own."""
    chance = random.Random(7)
    agents = [("Ines Okafor", "Tom Vega", "North"), ("Li Wei", "Tom Vega", "North"), ("Pia Holm", "Zoe Ruiz", "South")]
    goods = [("GTX Pro", "GTX", 4000), ("GTX Lite", "GTX", 500), ("MG One", "MG", 60)]
    firms = ["Alder & Sons", "Birch Ltd", "Cedar, Inc.", "Doughty Oak", "Elmwood"]
    _write(folder, "sales_teams", ["sales_agent", "manager", "regional_office"], agents)
    _write(folder, "products", ["product", "series", "sales_price"], goods)
    sectors = [*SECTORS][: len(firms)]
    _write(
        folder, "accounts", ["account", "sector", "revenue"], [(f, s, 10) for f, s in zip(firms, sectors, strict=True)]
    )
    lines = []
    for n in range(640):
        product, _, price = chance.choice(goods)
        stage = chance.choices(["Won", "Lost", "Engaging", "Prospecting"], [5, 3, 2, 1])[0]
        began = f"2025-{n % 12 + 1:02}-10" if stage != "Prospecting" else ""
        ended = f"2025-{n % 12 + 1:02}-25" if stage in ("Won", "Lost") else ""
        value = {"Won": chance.randint(price - 40, price + 40), "Lost": 0}.get(stage, "")
        said = TYPO if product == MEANT and n % 2 else product
        firm = chance.choice(firms) if n % 6 else ""
        lines.append((f"OPP{n:04}", agents[n % 3][0], said, firm, stage, began, ended, value))
    headings = [
        "opportunity_id",
        "sales_agent",
        "product",
        "account",
        "deal_stage",
        "engage_date",
        "close_date",
        "close_value",
    ]
    _write(folder, "sales_pipeline", headings, lines)
    return Sales(folder)


def _write(folder: Path, name: str, headings: list[str], rows: list[tuple[Any, ...]]) -> None:
    with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([headings, *rows])


def test_from_sign_in_to_the_funnel_and_through_an_approval(
    site: Site, page: Page, phone_page: Page, browser: Any, tmp_path: Path
) -> None:
    tell(site.workspace(), page, phone_page, made_up(tmp_path))


def test_the_same_with_the_real_sales_of_a_hardware_maker(site: Site, page: Page, phone_page: Page) -> None:
    if "CRM_DATA" not in os.environ:
        pytest.skip("CRM_DATA names no folder with the real files")
    sales = Sales(Path(os.environ["CRM_DATA"]).resolve())
    figures = sales.figures()
    assert (figures["won"], f"{figures['rate']:.2f}", figures["amount"]) == (4238, "63.15", 10_005_534)
    assert (figures["typo"], figures["nobody"], figures["all"]) == (1480, 1425, 8800)
    tell(site.workspace(), page, phone_page, sales)


def tell(place: Place, page: Page, phone: Page, sales: Sales) -> None:
    figures = sales.figures()
    team = sales.rows("sales_teams")
    rep, manager = team[0]["sales_agent"], team[0]["manager"]
    place.sign_in(page)
    bring_the_people(page, place.site.base, sales)
    passwords = {who: let_in(page, place, who) for who in (rep, manager)}
    passwords["Nora Finance"] = hire(page, place, "Nora Finance")
    install_the_crm(page, place.site.base, rep, manager, "Nora Finance")
    bring_records(
        page,
        place.site.base,
        "product",
        sales.folder / "products.csv",
        {"name": "product", "list_price": "sales_price"},
    )
    bring_the_accounts(page, place.site.base, sales)
    bring_the_pipeline(page, place.site.base, sales, figures)
    the_funnel_shows(page, place.site.base, figures)
    own = next(row["opportunity_id"] for row in sales.rows("sales_pipeline") if row["sales_agent"] == rep)
    send_a_quote(page, place, rep, passwords[rep], own)
    approve(page, place, manager, passwords[manager], "")
    approve(page, place, "Ada", "", "")
    approve(phone, place, "Nora Finance", passwords["Nora Finance"], "Margin is fine.")
    the_quote_is_approved(page, place, rep, passwords[rep])


# -- people ----------------------------------------------------------------------------------------


def bring_the_people(page: Page, base: str, sales: Sales) -> None:
    """From the administration menu to everybody of the file, with departments and their heads."""
    page.click("#account-button")
    page.click("#account-menu a[href='/members/']")
    page.click("#people-more-button")
    page.click("#people-more a[href='/members/import/']")
    page.set_input_files("#import-file", sales.folder / "sales_teams.csv")
    page.select_option("#import-encoding", "utf-8")
    page.click(".form-actions .primary")
    for column, heading in (("name", "sales_agent"), ("department", "regional_office"), ("head", "manager")):
        expect(page.locator(f"select[name='column:{column}']")).to_have_value(heading)
    page.click("button[value=try]")
    team = sales.rows("sales_teams")
    expect(page.locator("#import .short-scroll tbody tr")).to_have_count(len(team))
    expect(page.locator("#import .note")).to_contain_text(
        str(len({r["sales_agent"] for r in team} | {r["manager"] for r in team}))
    )
    page.click("button[value=import]")
    expect(page.locator("#import-progress h2")).to_have_text("已导入", timeout=PATIENCE)
    page.click("#import-progress .primary")
    page.click(".tabs a[href='/members/departments/']")
    expect(page.locator("#departments .tree li")).to_have_count(len({r["regional_office"] for r in team}))


def let_in(page: Page, place: Place, name: str) -> str:
    """The administrator gives a member an address and a first password."""
    page.goto(f"{place.site.base}/members/?q={name}")
    page.click("tbody tr a.person")
    page.fill("#member-email", address(place, name))
    page.click("form.form .primary")
    page.wait_for_url(f"{place.site.base}/members/")
    page.goto(f"{place.site.base}/members/?q={name}")
    page.click("tbody tr a.person")
    page.click("#let-in")
    return page.locator("#first-password").inner_text()


def hire(page: Page, place: Place, name: str) -> str:
    page.goto(f"{place.site.base}/members/new")
    page.fill("#member-name", name)
    page.fill("#member-email", address(place, name))
    page.click("form.form .primary")
    page.click("#let-in")
    return page.locator("#first-password").inner_text()


def address(place: Place, name: str) -> str:
    return place.admin if name == "Ada" else f"{name.casefold().replace(' ', '.')}@{place.workspace.slug}.example"


def install_the_crm(page: Page, base: str, rep: str, manager: str, finance: str) -> None:
    """Installed from the template centre; then its posts and roles get their people."""
    page.goto(f"{base}/build/")
    page.click("a[href='/templates/']")
    page.click("a[href='/templates/crm/install']")
    expect(page.locator("#slot-director option[selected]")).to_have_text("Ada")
    page.uncheck("[name=sample]")
    page.locator(".form-actions [type=submit]").click()
    page.wait_for_url(f"{base}/build/crm/people")
    expect(page.locator("#slot-director option[selected]")).to_have_text("Ada")
    for role, who in (("sales_rep", rep), ("sales_manager", manager), ("finance", finance)):
        pick(page, f".picker:has(#role-{role})", who)
    page.click("#who .primary")
    page.wait_for_url(re.compile("/a/crm/"))


def pick(page: Page, picker: str, text: str) -> None:
    """Choose in a searchable select, as one does: type, wait, click."""
    box = page.locator(picker)
    box.locator(".ts-control").click()
    box.locator("input").last.press_sequentially(text, delay=5)
    option = box.locator(".ts-dropdown [data-selectable]").filter(has_text=text).first
    option.click()
    shut(page, box)


def shut(page: Page, box: Any) -> None:
    """Leave a select; names that arrive while one leaves may open it once more."""
    for _ in range(20):
        page.locator("h1").first.click()
        page.wait_for_timeout(150)
        if not box.locator(".ts-dropdown").is_visible():
            return
        box.locator("input").last.focus()
        page.keyboard.press("Escape")


# -- records ---------------------------------------------------------------------------------------


def choose_file(page: Page, base: str, table: str, file: Path) -> None:
    page.goto(f"{base}/a/crm/import/{table}/")
    page.set_input_files("#import-file", file)
    page.click(".form-actions .primary")


def map_columns(page: Page, columns: dict[str, str], **matches: str) -> None:
    for path, heading in columns.items():
        page.select_option(f"select[name='column:{path}']", heading)
    for path, match in matches.items():
        page.select_option(f"select[name='match:{path}']", match)


def settle(page: Page, value: str, meaning: str, count: int) -> None:
    """One line of the report is one value of the file, for all its rows."""
    line = page.locator("table.troubles tbody tr").filter(
        has=page.locator("code", has_text=re.compile(f"^{re.escape(value)}$"))
    )
    expect(line.locator("td.number")).to_have_text(f"{count:,}")
    line.locator("select[name=replace_to]").select_option(label=meaning)


def import_all(page: Page, rows: int) -> None:
    """Try, begin, and watch until it is done."""
    page.click("button[value=try]")
    expect(page.locator("button[value=import]")).to_contain_text(f"{rows:,}", timeout=PATIENCE)
    page.click("button[value=import]")
    expect(page.locator("#import-progress progress")).to_be_visible()
    expect(page.locator("#import-progress h2")).to_have_text("已导入", timeout=PATIENCE)
    expect(page.locator("#import-progress .num").first).to_contain_text(f"{rows:,}")


def bring_records(page: Page, base: str, table: str, file: Path, columns: dict[str, str]) -> None:
    choose_file(page, base, table, file)
    map_columns(page, columns)
    with open(file, encoding="utf-8") as lines:
        import_all(page, sum(1 for _ in csv.reader(lines)) - 1)


def bring_the_accounts(page: Page, base: str, sales: Sales) -> None:
    accounts = sales.rows("accounts")
    choose_file(page, base, "customer", sales.folder / "accounts.csv")
    map_columns(page, {"name": "account", "industry": "sector"})
    page.click("button[value=try]")
    expect(page.locator("table.troubles")).to_be_visible()
    sectors = Counter(row["sector"] for row in accounts)
    for sector in page.locator("table.troubles code").all_inner_texts():
        settle(page, sector, SECTORS.get(sector, "其他"), sectors[sector])
    import_all(page, len(accounts))


def bring_the_pipeline(page: Page, base: str, sales: Sales, figures: dict[str, Any]) -> None:
    """Flat rows into opportunities with a line of products; what the file calls otherwise is settled once."""
    choose_file(page, base, "opportunity", sales.folder / "sales_pipeline.csv")
    columns = {
        "name": "opportunity_id", "customer": "account", "owner": "sales_agent", "items.product": "product",
        "stage": "deal_stage", "opened_on": "engage_date", "actual_close": "close_date", "amount": "close_value",
    }  # fmt: skip
    map_columns(page, columns, customer="name", **{"items.product": "name"})
    page.click("button[value=try]")
    expect(page.locator("table.troubles")).to_be_visible(timeout=PATIENCE)
    report = page.locator("#import .note")
    expect(report).to_contain_text(f"{figures['nobody']:,} 行")
    line = page.locator("table.troubles tbody tr").filter(has_text=TYPO)
    expect(line.locator("select[name=replace_to]")).to_have_value(MEANT)  # the nearest is proposed
    settle(page, TYPO, MEANT, figures["typo"])
    for stage, meaning in STAGES.items():
        settle(page, stage, meaning, figures[stage])
    import_all(page, figures["all"])


def the_funnel_shows(page: Page, base: str, figures: dict[str, Any]) -> None:
    page.goto(f"{base}/a/crm/d/funnel/")
    for widget, text in (
        ("won_count", f"{figures['won']:,}"), ("win_rate", f"{figures['rate']:.2f}%"), ("won_amount", f"{figures['amount']:,.0f}"),
    ):  # fmt: skip
        expect(page.locator(f"#widget-{widget}")).to_contain_text(text)
    funnel = page.locator("#widget-funnel_count svg")
    expect(funnel).to_be_visible()
    expect(funnel).to_contain_text("赢单")


# -- the approval ----------------------------------------------------------------------------------


def enter(page: Page, place: Place, name: str, password: str) -> None:
    page.goto("about:blank")  # an answer still on its way would bring the last person's session back
    page.context.clear_cookies()
    place.sign_in(page, address(place, name), **({"password": password} if password else {}))


def send_a_quote(page: Page, place: Place, rep: str, password: str, opportunity: str) -> None:
    """The sales rep quotes an imported opportunity at half the list price, and says why."""
    enter(page, place, rep, password)
    page.click(".tile[href='/a/crm/f/quote_form/new']")
    pick(page, ".picker:has(#f-opportunity)", opportunity)
    if not page.locator("[data-row]").count():
        page.click("[data-row-add]")
    pick(page, "[data-row] [data-column=product] .picker", MEANT)
    page.fill("[data-row] [data-column=price] input", "2000")
    page.locator("[data-row] [data-column=price] input").press("Tab")
    page.fill("#f-discount_reason", "A first order of many.")
    page.select_option("#f-payment_terms", "net_30")
    page.click(".form-actions .primary")
    page.wait_for_url(lambda url: not url.endswith("/new"))


def approve(page: Page, place: Place, who: str, password: str, comment: str) -> None:
    """Whoever has the task finds it on the workbench, opens it and agrees."""
    enter(page, place, who, password)
    page.locator("a.list-item[href^='/tasks/']").first.click()
    expect(page.locator("#form-task")).to_contain_text(MEANT)
    if comment:
        page.fill("#task-comment", comment)
    page.click("button[name=_action][value=approve]")
    page.wait_for_url(lambda url: not re.search("/tasks/.+", url))


def the_quote_is_approved(page: Page, place: Place, rep: str, password: str) -> None:
    enter(page, place, rep, password)
    page.goto(f"{place.site.base}/a/crm/v/all_quotes/")
    expect(page.locator("table.grid tbody tr")).to_contain_text("已批准")
    page.goto(f"{place.site.base}/notices/")
    expect(page.locator("main")).to_contain_text("已批准")
