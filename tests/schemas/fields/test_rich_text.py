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
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '<img src="https://spy.example/1.gif">', "<p onclick=alert(1)>x</p>",
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


@given(st.text())
def test_safe_is_safe_already(text):
    once = markup.safe(text)
    assert markup.safe(once) == once
