"""What follows from an app's definitions, asked by several at once."""

import threading

from schemas.analysis import Analysis
from schemas.app import App
from schemas.options import load

BOOKS = {
    "language": 1, "app": "shop", "title": "Shop",
    "tables": [{"id": "book", "fields": [
        {"id": "price", "type": "number"}, {"id": "twice", "type": "formula", "formula": "price * 2"},
    ]}],
}  # fmt: skip


def test_two_who_look_at_an_app_for_the_first_time_are_no_circle(monkeypatch):
    both, asked = threading.Barrier(2, timeout=10), []
    compute = Analysis._formula_facts

    def slow(analysis, *args):
        both.wait()
        return compute(analysis, *args)

    monkeypatch.setattr(Analysis, "_formula_facts", slow)
    app = load(App, BOOKS)
    analysis, table = Analysis(app), app.tables[0]

    def look():
        asked.append(analysis.type_of(table, table.by_id["twice"]).kind)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == ["number", "number"]
