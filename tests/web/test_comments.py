"""Comments on a record: by whom, for whom, and what is told to those who are mentioned."""

from copy import deepcopy
from decimal import Decimal
from io import BytesIO

import pytest

from runtime import records
from tests.runtime.conftest import SHOP


@pytest.fixture
def talked(make_shop):
    """A shop whose clerks may comment on their own books, managers on all, and outsiders only look on."""
    made = deepcopy(SHOP)
    for grant in made["access"]:
        if grant["id"] in ("own", "all_books"):
            grant["do"] = [*grant["do"], "comment"]
    made["access"].append(
        {"id": "look", "who": {"everyone": True}, "table": "book", "do": ["read"], "rows": 'kind = "novel"'}
    )
    return make_shop(made)


def book(shop, **values):
    with shop.opened(shop.boss) as ctx:
        return records.create(ctx, shop.table(ctx, "book"), {"kind": "essay", **values})


def test_a_thread_with_mentions_answers_and_a_file(talked, sign_in):
    id = book(talked, title="Emma", owner=talked.clerk.id, cost=Decimal(1))
    url = f"/a/shop/t/book/{id}/comments"
    clerk, manager, outsider = (sign_in(talked, name) for name in ("clerk", "manager", "outsider"))
    asked = {"body": "Is this <b>right</b>?", "mention": [str(talked.manager.id), str(talked.outsider.id)],
             "file": (BytesIO(b"a proof"), "proof.txt")}  # fmt: skip
    page = clerk.post(url, asked).get_data(as_text=True)
    assert "Is this &lt;b&gt;right&lt;/b&gt;?" in page
    assert "@Manager" in page
    assert "@Outsider" not in page
    assert "Outsider may not see this record, and are told nothing." in page
    told = manager.get("/notices/").get_data(as_text=True)
    assert "Clerk mentioned you in a comment" in told
    assert "right" not in told.partition("Clerk mentioned")[2][:200]
    assert f"/a/shop/t/book/{id}#comments" in told
    assert "mentioned" not in outsider.get("/notices/").get_data(as_text=True)
    comment = page.partition('id="comment-')[2][:36]
    file = page.partition("/comments/files/")[2][:36]
    answered = manager.post(url, {"body": "Yes.", "parent": comment}).get_data(as_text=True)
    assert answered.index("Is this") < answered.index("Yes.")
    assert "Manager answered your comment" in clerk.get("/notices/").get_data(as_text=True)
    with manager.get(f"{url}/files/{file}") as answer:
        assert answer.data == b"a proof"
    assert outsider.get(f"{url}/files/{file}").status_code == 404
    assert clerk.get(f"/a/shop/t/book/{id}").get_data(as_text=True).count("Comments") == 1


def test_only_ones_own_comment_is_changed_or_taken_away_save_by_administrators(talked, sign_in):
    id = book(talked, title="Emma", owner=talked.clerk.id)
    url = f"/a/shop/t/book/{id}/comments"
    clerk, manager, boss = (sign_in(talked, name) for name in ("clerk", "manager", "boss"))
    comment = clerk.post(url, {"body": "First"}).get_data(as_text=True).partition('id="comment-')[2][:36]
    assert manager.post(f"{url}/{comment}", {"body": "Seized"}).status_code == 404
    assert manager.post(f"{url}/{comment}", {"without": "1"}).status_code == 404
    changed = clerk.post(f"{url}/{comment}", {"body": "Second"}).get_data(as_text=True)
    assert "Second" in changed
    assert "edited" in changed
    assert "First" not in changed
    assert clerk.post(url, {"body": "  "}).status_code == 422
    assert clerk.post(f"{url}/{comment}", {"body": "x" * 5_001}).status_code == 422
    assert "Second" not in boss.post(f"{url}/{comment}", {"without": "1"}).get_data(as_text=True)


def test_who_may_not_see_the_record_or_not_comment_finds_nothing(talked, sign_in):
    """A record that moves out of sight takes its comments and its notices' titles along."""
    own = book(talked, title="Emma", owner=talked.clerk.id)
    novel = book(talked, title="Persuasion", owner=talked.manager.id, kind="novel")
    clerk, outsider = sign_in(talked, "clerk"), sign_in(talked, "outsider")
    manager = sign_in(talked, "manager")
    manager.post(f"/a/shop/t/book/{own}/comments", {"body": "For your eyes", "mention": str(talked.clerk.id)})
    assert "For your eyes" in clerk.get(f"/a/shop/t/book/{own}/comments").get_data(as_text=True)
    assert outsider.get(f"/a/shop/t/book/{own}/comments").status_code == 404
    assert outsider.get(f"/a/shop/t/book/{novel}/comments").status_code == 403
    assert outsider.post(f"/a/shop/t/book/{novel}/comments", {"body": "x"}).status_code == 403
    with talked.opened(talked.boss) as ctx:
        records.change(ctx, talked.table(ctx, "book"), own, {"owner": talked.manager.id})
    assert clerk.get(f"/a/shop/t/book/{own}/comments").status_code == 404
    notices = clerk.get("/notices/").get_data(as_text=True)
    assert "Manager mentioned you" in notices
    assert "Emma" not in notices
    assert str(own) not in notices
