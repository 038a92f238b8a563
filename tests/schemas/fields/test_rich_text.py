from html import escape
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import markup
from schemas.fields import Reader
from tests.schemas.fields.examples import made

EXAMPLES = [{}, {"longest": 20}]
field = made("rich_text")


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '<img src="//spy.example/1.gif">', "<p onclick=alert(1)>x</p>",
        '<a href="javascript:alert(1)">x</a>', '<a href="/\\evil.example">x</a>', '<a href="//evil.example">x</a>',
        '<p style="position:fixed">x</p>',
        '<iframe src="https://evil.example"></iframe>', '<a href="data:text/html,x">x</a>', "<svg><script>1</script></svg>",
        '<p class="dialog">x</p>',
        '<form action="https://evil.example"><input name=a></form>',
    ],
)  # fmt: skip
def test_nothing_that_acts_or_calls_elsewhere_stays(evil):
    kept = field.html(f"<p>text</p>{evil}")
    for word in (
        "script",
        "onerror",
        "onclick",
        "evil",
        "spy",
        "style",
        "<img",
        "iframe",
        "data:",
        "dialog",
        "<form",
        "<input",
    ):
        assert word not in kept
    assert "text" in kept


KEPT = "/pictures/0190f2a4-0000-7000-8000-00000000000a"


def test_a_picture_of_ours_stays_with_its_name_and_size_alone():
    sent = f'<p>a <img src="{KEPT}" alt="plan" width="300" height="20" onerror="x()" style="x" class="y" srcset="//evil 2x"></p>'
    assert field.parse(sent) == f'<p>a <img src="{KEPT}" alt="plan" width="300" height="20"></p>'
    assert markup.pictures(field.parse(sent)) == [UUID(KEPT[-36:])]
    assert field.show(field.parse(sent), Reader()) == "a [plan]"
    assert field.parse(f'<p><img src="{KEPT}"></p>')


@pytest.mark.parametrize(
    "address",
    [
        f"{KEPT}/../../account", f"{KEPT}?x", f"{KEPT}#x", KEPT.upper(), f"//evil.example{KEPT}", f"/{KEPT}", "/pictures/1", "/sign-out",
        "data:image/svg+xml,<svg onload=alert(1)>", "data:image/png;base64,AAAA", "javascript:alert(1)", "blob:https://x/1", "a.svg", "",
    ],
)  # fmt: skip
def test_of_a_picture_at_any_other_address_the_name_stays(address):
    kept = field.parse(f'<p>see <img src="{escape(address)}" alt="<b>chart"></p>')
    assert kept == "<p>see [&lt;b&gt;chart]</p>"


def test_a_picture_from_elsewhere_becomes_a_link_to_it():
    kept = field.parse(
        '<p><img src="https://a.example/x.png?a=1&amp;b=&quot;"> <img src="http://b.example/y.svg" alt="Logo"></p>'
    )
    assert "<img" not in kept
    assert 'href="https://a.example/x.png?a=1&amp;b=%22' in kept or "https://a.example/x.png?a=1&amp;b=" in kept
    assert '<a href="http://b.example/y.svg" rel="noopener noreferrer nofollow">Logo</a>' in kept
    assert markup.safe(kept) == kept


def test_a_drawing_in_the_text_is_not_kept():
    assert "svg" not in field.parse('<p>x</p><svg><image href="https://spy.example"/><script>1</script></svg>')


def test_a_field_without_pictures_keeps_their_names():
    assert made("rich_text", pictures=False).parse(f'<p><img src="{KEPT}" alt="plan"></p>') == "<p>[plan]</p>"


def test_there_may_be_only_so_many_pictures():
    two = "".join(f'<img src="{KEPT[:-1]}{n}">' for n in "bc")
    assert [str(m) for m in made("rich_text", max_pictures=1).check(two)] == ["At most 1 pictures."]
    assert not list(made("rich_text", max_pictures=2).check(two))


def test_what_an_editor_makes_stays():
    html = '<h2>Title</h2><p class="ql-align-center">A <strong>b</strong> <em>c</em></p><ul><li>one</li></ul>'
    assert field.parse(html) == html
    assert 'rel="noopener noreferrer nofollow"' in field.parse('<p><a href="https://example.com">x</a></p>')


def test_plain_lines_become_paragraphs():
    assert field.parse("one\n\n2 < 3 & 4") == "<p>one</p><p><br></p><p>2 &lt; 3 &amp; 4</p>"


@pytest.mark.parametrize("blank", ["<p><br></p>", "<p> </p>", "<script>x</script>", "&nbsp;<p></p>"])
def test_markup_without_a_word_is_nothing(blank):
    assert field.parse(blank) is None


def test_lists_files_and_search_read_the_plain_text():
    html = "<h1>Offer</h1><ul><li>two &amp; three</li><li>four</li></ul>"
    assert field.show(html, Reader()) == "Offer\ntwo & three\nfour"
    assert field.words(html) == field.show(html, Reader())


def test_the_length_is_that_of_the_text():
    short = made("rich_text", longest=5)
    assert not list(short.check("<p><strong>12345</strong></p>"))
    assert [str(m) for m in short.check("<p>123456</p>")] == ["Keep it to 5 characters."]


PIECES = st.sampled_from(
    ["<img ", 'src="', KEPT, '"', "'", ">", "<a href=", "https://x.example/", "alt=", "<p>", "</a>", "&quot;", "<svg>", "<pre>", "\n"]
)  # fmt: skip


@given(st.text() | st.lists(PIECES, max_size=14).map("".join))
def test_safe_is_safe_already(text):
    once = markup.safe(text)
    assert markup.safe(once) == once


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.lists(PIECES, max_size=14).map("".join))
def test_what_is_kept_is_kept_the_same_when_it_is_sent_again(text):
    once = field.parse(text)
    assert field.parse(once) == once
