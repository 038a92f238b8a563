"""Addresses: parts that lie in one another, read from parts or from one text."""

import pytest

from schemas import places
from schemas.errors import BadValue
from schemas.fields import Reader
from schemas.fields.address import Address

EXAMPLES = [{}, {"format": "city"}, {"format": "province"}, {"format": "district", "abroad": False}]
address = Address(id="address")
SHENZHEN = {"province": "广东省", "city": "深圳市", "district": "南山区", "detail": "科技园1号"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("广东省深圳市南山区科技园1号", SHENZHEN),
        ("广东深圳南山区科技园1号", SHENZHEN),
        ("深圳市南山区科技园1号", SHENZHEN),
        ("广东省 / 深圳市 / 南山区 / 科技园1号", SHENZHEN),
        ("广东省南山区科技园1号", SHENZHEN),
        ("北京市朝阳区建国路88号", {"province": "北京市", "city": "北京市", "district": "朝阳区", "detail": "建国路88号"}),
        ("北京朝阳区", {"province": "北京市", "city": "北京市", "district": "朝阳区"}),
        ("上海市上海市浦东新区", {"province": "上海市", "city": "上海市", "district": "浦东新区"}),
        ("重庆市城口县", {"province": "重庆市", "city": "县", "district": "城口县"}),
        ("湖北省仙桃市", {"province": "湖北省", "city": "省直辖县", "district": "仙桃市"}),
        ("新疆维吾尔自治区乌鲁木齐市天山区", {"province": "新疆维吾尔自治区", "city": "乌鲁木齐市", "district": "天山区"}),
        ("吉林省吉林市船营区", {"province": "吉林省", "city": "吉林市", "district": "船营区"}),
        ("广东省", {"province": "广东省"}),
        ("350 Fifth Avenue, New York", {"detail": "350 Fifth Avenue, New York"}),
    ],
)  # fmt: skip
def test_a_text_is_taken_apart(text, parts):
    value = address.parse(text)
    assert {k: v for k, v in value.items() if k not in ("text", "code")} == parts


def test_parts_of_a_file_may_be_short():
    assert address.parse(
        {"province": "广东", "city": "深圳", "district": "南山区", "detail": "科技园1号"}
    ) == address.parse(SHENZHEN)
    assert address.parse({"province": "北京市", "district": "朝阳区"})["city"] == "北京市"


def test_every_division_is_read_again_from_its_text():
    for province, cities in places.tree().items():
        for city, known in cities.items():
            for district in list(known)[:3]:
                parts = {"province": province, "city": city, "district": district}
                again = places.taken_apart(places.joined(parts))
                assert again == parts, places.joined(parts)


def test_the_whole_is_said_once_and_has_the_divisions_code():
    value = address.parse('{"province": "北京市", "city": "北京市", "district": "朝阳区", "detail": "建国路88号"}')
    assert value["text"] == "北京市朝阳区建国路88号"
    assert value["code"] == "110105"
    assert address.show(value, Reader("en")) == value["text"]


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"province": "广东省"}, "Choose the city."),
        ({"province": "广东省", "city": "深圳市"}, "Choose the district."),
        ({"province": "广东省", "city": "杭州市"}, "There is no '杭州市' there."),
        ({"province": "Atlantis"}, "There is no 'Atlantis' there."),
        ({"province": "广东省", "city": "中山市", "detail": "x" * 301}, "Keep it to 300 characters."),
    ],
)
def test_what_does_not_fit_together_is_told(parts, problem):
    assert problem in [str(p) for p in address.check(address.parse(parts))]


def test_only_what_is_asked_for_must_be_there():
    assert list(Address(id="a", format="province").check({"province": "广东省", "text": "广东省"})) == []
    assert list(address.check(address.parse("香港特别行政区中西区皇后大道中1号"))) == []


def test_an_address_abroad_is_refused_where_it_may_not_be():
    value = address.parse("350 Fifth Avenue, New York")
    assert list(address.check(value)) == []
    assert [str(p) for p in Address(id="a", abroad=False).check(value)] == ["Choose the province."]


def test_what_is_no_address_is_refused():
    for raw in ('{"province":', ["广东省"], {"province": ["广东省"]}):
        with pytest.raises(BadValue):
            address.parse(raw)
