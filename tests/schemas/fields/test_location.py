"""Points: read from a device, from text, from a file; checked against where they should be."""

import pytest

from schemas.errors import BadValue, DefinitionError
from schemas.fields import Reader
from schemas.fields.location import Location
from schemas.options import load

EXAMPLES = [{}, {"center": "31.2304, 121.4737", "radius": 300}, {"by_hand": False, "map": "amap"}]
location = Location(id="site")


@pytest.mark.parametrize(
    "raw",
    [
        "31.230391, 121.473701",
        "31.230391，121.473701",
        {"latitude": "31.230391", "longitude": "121.473701"},
        {"lat": 31.2303911, "lng": 121.4737009},
        '{"latitude": "31.230391", "longitude": "121.473701"}',
    ],
)
def test_a_point_is_read(raw):
    assert location.parse(raw) == {"latitude": "31.230391", "longitude": "121.473701", "text": "31.230391,121.473701"}


def test_a_name_and_the_accuracy_stay_with_the_point():
    value = location.parse({"latitude": "31.2", "longitude": "-0.0000001", "place": "人民广场", "accuracy": 12.34})
    assert value == {"latitude": "31.2", "longitude": "0", "place": "人民广场", "accuracy": "12.3", "text": "31.2,0"}
    assert location.show(value, Reader("zh")) == "人民广场"
    assert location.exported(value, Reader("zh")) == "人民广场 (31.2, 0)"
    assert location.parse("人民广场 (31.2, 0)")["place"] == "人民广场"


@pytest.mark.parametrize(
    "raw",
    [
        "here",
        "91, 10",
        "10, 181",
        {"place": "人民广场"},
        {"latitude": "31"},
        "[1,2]",
        {"latitude": [1], "longitude": 2},
    ],
)
def test_what_is_no_point_is_refused(raw):
    with pytest.raises(BadValue):
        location.parse(raw)


def test_an_inspector_must_be_where_the_shop_is():
    shop = Location(id="site", center="31.2304, 121.4737", radius=300)
    assert list(shop.check(shop.parse("31.2310, 121.4740"))) == []
    assert [str(p) for p in shop.check(shop.parse("31.2404, 121.4737"))] == [
        "This is 1,113 metres away from where it should be."
    ]


def test_a_position_that_is_not_exact_enough_is_told():
    exact = Location(id="site", accuracy=50)
    sent = {"latitude": 31, "longitude": 121}
    assert list(exact.check(exact.parse({**sent, "accuracy": 50}))) == []
    assert len(list(exact.check(exact.parse({**sent, "accuracy": 51})))) == 1


def test_a_map_is_only_linked_to():
    value = location.parse({"latitude": 31.2, "longitude": 121.4, "place": "A&B 店"})
    assert location.address(value) == "https://www.openstreetmap.org/?mlat=31.2&mlon=121.4#map=16/31.2/121.4"
    assert "position=121.4,31.2&name=A%26B%20%E5%BA%97&coordinate=wgs84" in Location(id="x", map="amap").address(value)
    assert Location(id="x", map="none").address(value) == ""


def test_a_centre_that_is_no_point_is_refused():
    with pytest.raises(DefinitionError):
        load(Location, {"id": "site", "center": "Shanghai"})
