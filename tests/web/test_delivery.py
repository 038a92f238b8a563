"""How answers travel: packed for who can read it, and kept by browsers as long as they are right."""

import gzip

import brotli
import pytest

from runtime.web.edge import masked, unmasked

FOREVER = "public, max-age=31536000, immutable"


def version_of(app):
    return app.config["STATIC_VERSION"]


UNPACKED = {"br": brotli.decompress, "gzip": gzip.decompress}


@pytest.mark.parametrize(
    ("read", "coding"), [("gzip, deflate, br", "br"), ("gzip, deflate", "gzip"), ("br;q=0, *", "gzip")]
)
def test_a_page_is_packed_for_a_browser_that_reads_it(app, shop, sign_in, read, coding):
    clerk = sign_in(shop, "clerk")
    plain = clerk.get("/")
    packed = clerk.get("/", headers={"Accept-Encoding": read})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == coding
    assert "Accept-Encoding" in packed.vary
    assert "<!doctype html>" in UNPACKED[coding](packed.data).decode()
    assert len(packed.data) < len(plain.data) / 2


def test_a_static_file_is_smaller_still_for_a_browser_that_reads_brotli(app):
    address = f"/static/v-{version_of(app)}/css/app.css"
    sent = {one: app.test_client().get(address, headers={"Accept-Encoding": one}) for one in UNPACKED}
    assert {one: answer.headers["Content-Encoding"] for one, answer in sent.items()} == {one: one for one in UNPACKED}
    assert len({UNPACKED[one](answer.data) for one, answer in sent.items()}) == 1
    assert len(sent["br"].data) < len(sent["gzip"].data)
    assert len({answer.headers["ETag"] for answer in sent.values()}) == 2


def test_a_refusal_of_gzip_is_heard(app):
    answer = app.test_client().get("/sign-in", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "Content-Encoding" not in answer.headers


def test_a_static_file_under_its_version_is_kept_for_a_year(app):
    client = app.test_client()
    answer = client.get(f"/static/v-{version_of(app)}/js/app.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == FOREVER
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"import" in gzip.decompress(answer.data)
    assert answer.mimetype == "text/javascript"


def test_without_the_version_or_with_an_old_one_it_is_asked_for_again(app):
    client = app.test_client()
    for url in ("/static/css/app.css", "/static/v-0123456789ab/css/app.css"):
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-cache"
        assert client.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_pages_name_static_files_with_the_version(app):
    page = app.test_client().get("/sign-in").text
    assert f"/static/v-{version_of(app)}/css/app.css" in page
    assert '"/static/css' not in page


def test_nothing_outside_the_folder_is_served(app):
    client = app.test_client()
    for path in ("../wsgi.py", "%2e%2e/wsgi.py", "css/../../wsgi.py", "css", "nothing.js"):
        assert client.get(f"/static/v-{version_of(app)}/{path}").status_code in (404, 308), path


def test_the_token_of_a_form_differs_with_every_page_and_is_still_the_token(app):
    client = app.test_client()
    pages = [client.get("/sign-in").text for _ in range(2)]
    tokens = [page.split('name="csrf_token" value="')[1].split('"')[0] for page in pages]
    with client.session_transaction() as session:
        assert tokens[0] != tokens[1]
        assert [unmasked(token) for token in tokens] == [session["csrf"]] * 2


def test_what_is_no_masked_token_is_none():
    assert unmasked(masked("secret")) == "secret"
    for sent in ("zz.zz", "00.0000", ".", "ff.ff", "é"):
        assert unmasked(sent) != "secret"
