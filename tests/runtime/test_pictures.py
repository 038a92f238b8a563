"""Pictures are looked into before they are kept: nothing that harms, nothing that gives a person away."""

import io

import pytest
from PIL import Image

from runtime import pictures
from runtime.metadata import without_notes
from tests.runtime.pictures_world import animation, bomb, photograph, picture

FORMATS = ("jpg", "jpeg", "png", "gif", "webp")


def opened(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_picture_gets_a_small_one(kind):
    found = pictures.examine(picture(kind, (1200, 900)), FORMATS)
    assert found.kind == kind
    assert opened(found.thumbnail).size == (480, 360)
    assert opened(found.body).size == (1200, 900)


def test_a_photograph_on_its_side_is_shown_upright():
    found = pictures.examine(photograph((60, 40)), FORMATS)
    assert opened(found.thumbnail).size == (40, 60)
    assert opened(found.body).getexif()[0x0112] == 6


def test_the_place_where_a_photograph_was_taken_is_removed_but_not_a_pixel_changes():
    body = photograph()
    found = pictures.examine(body, FORMATS)
    assert found.position == "31.23028, 121.47361"
    assert dict(opened(found.body).getexif().get_ifd(0x8825)) == {}
    assert b"Exif" in found.body
    assert opened(found.body).tobytes() == opened(body).tobytes()


def test_the_place_stays_where_it_is_wanted():
    found = pictures.examine(photograph(), FORMATS, keep_notes=True)
    assert opened(found.body).getexif().get_ifd(0x8825)[1] == "N"


def test_what_a_phone_hangs_behind_a_picture_is_cut_off():
    body = photograph()
    assert without_notes(body + photograph() + b"secret", "JPEG") == without_notes(body, "JPEG")


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_notes_are_taken_out_of_other_formats_too(kind):
    notes = Image.Exif()
    notes[0x010E] = "where I live"
    body = picture(kind, exif=notes)
    assert b"where I live" in body
    clean = without_notes(body, kind)
    assert b"where I live" not in clean
    assert opened(clean).tobytes() == opened(body).tobytes()


def test_a_progressive_picture_survives_the_cleaning():
    body = picture(size=(300, 200), progressive=True, exif=Image.Exif())
    assert opened(without_notes(body, "JPEG")).tobytes() == opened(body).tobytes()


def test_an_animation_keeps_moving():
    found = pictures.examine(animation(), FORMATS)
    assert opened(found.body).n_frames == 3
    assert opened(found.thumbnail).format == "WEBP"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (bomb(), "too many pixels"),
        (picture(size=(400, 300))[:900], "damaged"),
        (picture("PNG", (400, 300))[:150], "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a picture"),
        (b"%PDF-1.7 a paper", "not a picture"),
        (picture("BMP"), "not a picture"),
        (b"\xff\xd8\xff", "not a picture"),
    ],
)
def test_what_cannot_be_shown_is_refused(body, reason):
    with pytest.raises(pictures.BadPicture) as refused:
        pictures.examine(body, FORMATS)
    assert reason in str(refused.value.reason)


def test_a_format_that_is_not_asked_for_is_refused_whatever_its_name():
    with pytest.raises(pictures.BadPicture):
        pictures.examine(picture("PNG"), ("jpg",))
    assert pictures.examine(picture("PNG"), FORMATS).named("照片.jpg") == "照片.png"


def test_a_large_picture_is_made_smaller_and_written_on():
    found = pictures.examine(photograph((1600, 1200)), FORMATS)
    drawn = pictures.redrawn(found, 400, ["2026-11-25 09:30", "王小明"])
    image = opened(drawn.body)
    assert image.size == (300, 400)
    assert image.getcolors(100_000) is None or len(image.getcolors(100_000)) > 10
    assert 0x8825 not in image.getexif()


def test_nothing_is_drawn_anew_without_a_reason():
    found = pictures.examine(picture(), FORMATS)
    assert pictures.redrawn(found, 400, []) is found
