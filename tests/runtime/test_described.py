"""A description says what it says, a little of it in bold; nothing in it runs, and nothing is fetched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.described import described
from schemas import markup


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Plain words.", "Plain words."),
        ("", ""),
        ("3 * 4 * 5 and a_b_c", "3 * 4 * 5 and a_b_c"),
        ("**Important**: by *Friday*", "<strong>Important</strong>: by <em>Friday</em>"),
        ("~~old~~ new", "<s>old</s> new"),
        ("first\nsecond", "first<br>\nsecond"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("# no heading", "# no heading"),
    ],
)
def test_what_is_written_is_shown(text: str, html: str) -> None:
    assert described(text) == html


def test_links_lead_to_the_web_in_the_open() -> None:
    html = described("See [the rules](https://rules.example/a).")
    assert 'href="https://rules.example/a"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    "text", ["<script>x()</script>", "<b onclick=x()>b</b>", "[x](javascript:x())", "![p](https://a.example/p.png)", "<img src=x>"]
)
def test_nothing_runs_and_nothing_is_fetched(text: str) -> None:
    html = described(text)
    for word in ("<script", "<b ", "<img", "javascript:x()\""):
        assert word not in html


def test_a_list_is_a_list() -> None:
    assert described("Bring:\n\n- a pen\n- paper").count("<li>") == 2


@given(st.text())
def test_whatever_is_written_comes_out_safe(text: str) -> None:
    html = described(text)
    assert markup.safe(html, pictures=False).strip() == html.strip()
