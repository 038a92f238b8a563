"""The doors to dashboards."""

from decimal import Decimal

from runtime import records


def test_a_dashboard_is_drawn_and_its_figures_lead_to_records(shop, sign_in):
    with shop.opened(shop.manager) as ctx:
        records.create(ctx, shop.table(ctx, "book"), {"title": "Emma", "price": Decimal(5)})
    manager = sign_in(shop, "manager")
    page = manager.get("/a/shop/d/figures/")
    assert page.status_code == 200
    assert "data-chart" in page.text
    assert "Emma" in manager.get("/a/shop/d/figures/kinds/records?key=novel").text
    assert "Emma" not in manager.get("/a/shop/d/figures/kinds/records?key=essay").text
    assert manager.fragment("/a/shop/d/figures/kinds").status_code == 200


def test_a_dashboard_that_is_not_granted_is_not_there(shop, sign_in):
    assert sign_in(shop, "outsider").get("/a/shop/d/figures/").status_code == 404
    assert sign_in(shop, "clerk").get("/a/shop/d/figures/").status_code == 200
