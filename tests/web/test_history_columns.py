"""History hides the columns of a subform that are hidden from its reader."""

from copy import deepcopy

from runtime import records
from tests.runtime.conftest import SHOP


def test_a_hidden_column_is_not_told_by_the_history(make_shop, sign_in):
    package = deepcopy(SHOP)
    own = next(g for g in package["access"] if g["id"] == "own")
    own["do"] = [*own["do"], "history"]
    own["fields"] = {"*": "write", "copies.place": "hidden"}
    shop = make_shop(package)
    with shop.opened(shop.manager) as ctx:
        rows = [{"place": "Canary Hall", "count": 2}]
        id = records.create(ctx, shop.table(ctx, "book"), {"title": "Emma", "owner": shop.clerk.id, "copies": rows})
    assert "Canary Hall" in sign_in(shop, "manager").fragment(f"/a/shop/t/book/{id}/history").text
    told = sign_in(shop, "clerk").fragment(f"/a/shop/t/book/{id}/history")
    assert told.status_code == 200
    assert "Emma" in told.text
    assert "Canary Hall" not in told.text
