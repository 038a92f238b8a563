"""A form sent twice at the same moment makes one record."""

from threading import Barrier, Thread

from runtime import query
from runtime.access import door
from runtime.query import Listing


def test_two_copies_at_once_make_one_record_and_lead_to_it(shop, sign_in, app):
    manager = sign_in(shop, "manager")
    cookies = manager.client._cookies
    start, answers = Barrier(4), []

    def send() -> None:
        client = app.test_client()
        client._cookies = dict(cookies)
        start.wait()
        headers = {"X-CSRF-Token": "token-of-the-test", "HX-Request": "true"}
        with client.session_transaction() as session:
            session["csrf"] = "token-of-the-test"
        answers.append(client.post("/a/shop/f/book/new", data={"title": "Once", "_once": "same"}, headers=headers))

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {204}
    assert len({a.headers["HX-Redirect"] for a in answers}) == 1
    with shop.opened(shop.manager) as ctx:
        assert query.total(door(ctx, shop.table(ctx, "book")), Listing()) == (1, True)


def test_another_person_s_same_key_is_another_submission(shop, sign_in):
    first = sign_in(shop, "manager").post("/a/shop/f/book/new", {"title": "A", "_once": "k"})
    second = sign_in(shop, "boss").post("/a/shop/f/book/new", {"title": "B", "_once": "k"})
    assert first.headers["HX-Redirect"] != second.headers["HX-Redirect"]


def test_what_nobody_has_been_shown_does_not_pile_up_in_the_cookie(shop, sign_in):
    browser = sign_in(shop, "manager")
    for title in "ABCDEFGH":
        assert browser.post("/a/shop/f/book/new", {"title": title}).status_code == 204
    with browser.client.session_transaction() as kept:
        assert len(kept["_flashes"]) == 5
