"""An app's texts go to a translator as a file, come back, and change nothing else."""

import io
from copy import deepcopy

import pytest

from builder import bundle, languages
from builder.parts import join, split
from schemas.errors import InvalidInput
from tests.web.test_revisions import CLUB


def test_every_label_is_there_under_its_place_and_nothing_else():
    found = {label.path: label.words for label in languages.labels(CLUB)}
    assert found["tables/person/fields/fax/label"] == {"zh": "传真", "en": "Fax"}
    assert found["views/all/title"] == {"": "Everybody"}
    assert not any("type" in path.split("/")[-1] or "columns" in path for path in found)


def test_a_translation_changes_its_text_alone_and_an_unknown_line_is_told():
    texts = {"tables/person/fields/fax/label": "Facsimile", "views/all/title": "All", "views/gone/title": "Gone",
             "tables/person/title": " "}  # fmt: skip
    parts, count, strange = languages.translated(split(CLUB), "en", texts)
    wanted = deepcopy(CLUB)
    wanted["tables"][0]["fields"][1]["label"]["en"] = "Facsimile"
    wanted["views"][0]["title"] = {"zh": "Everybody", "en": "All"}
    assert join(parts) == wanted
    assert (count, strange) == (2, ["views/gone/title"])


@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_file_that_comes_back_as_it_went_changes_nothing(code):
    for folder in bundle.bundled().values():
        package = bundle.read(folder)
        texts = languages.from_csv(languages.to_csv(package, code))
        parts, count, strange = languages.translated(split(package), code, texts)
        assert (join(parts), count, strange) == (package, 0, [])
        assert len(texts) > 50


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n"])
def test_what_is_no_such_file_is_refused_in_words(data):
    with pytest.raises(InvalidInput):
        languages.from_csv(data)


def test_a_designer_fills_in_texts_and_takes_over_a_file(shop, sign_in):
    boss = sign_in(shop, "boss")
    with shop.opened(shop.boss) as ctx:
        bundle.install(ctx, CLUB)
    assert "Fax" in boss.get("/build/club/languages?language=en&part=tables/person").text
    boss.post("/build/club/languages", {"language": "en", "text:tables/person/fields/fax/label": "Telefax"})
    file = boss.get("/build/club/languages/file?language=en").data.decode("utf-8-sig").replace("Fee", "Dues")
    sent = boss.post("/build/club/languages/file", {"language": "en", "file": (io.BytesIO(file.encode()), "en.csv")},
                     content_type="multipart/form-data")  # fmt: skip
    assert sent.status_code == 204
    boss.post("/build/club/publish", {})
    page = boss.get("/a/club/v/all/").text
    assert "Telefax" in page
    assert "Dues" in page
    assert boss.get("/build/club/languages?language=xx").status_code == 404
    assert sign_in(shop, "manager").get("/build/club/languages").status_code == 404
