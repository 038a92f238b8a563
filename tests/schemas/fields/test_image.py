"""Pictures: which are taken."""

from schemas.fields.image import Image

EXAMPLES = [
    {},
    {"camera": "only", "max_files": 1, "watermark": ["time", "person"], "longest_side": 1600},
    {"endings": ["png"]},
]


def test_a_drawing_that_could_run_scripts_is_refused_by_its_name():
    for name in ("a.svg", "a.html", "a", "a.jpg.exe"):
        assert Image(id="photos").refusal(name) is not None
    assert Image(id="photos").refusal("照片.JPG") is None


def test_formats_can_be_fewer_but_not_others():
    assert Image(id="photos", endings=("png",)).accepted == ("png",)
    assert Image(id="photos", endings=()).accepted == ("jpg", "jpeg", "png", "gif", "webp")
