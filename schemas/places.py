"""China's provinces, cities and districts: what lies in what, and an address taken apart."""

from collections.abc import Iterable, Mapping
from functools import cache

from schemas.divisions import DIVISIONS

PROVINCE, CITY, DISTRICT = "province", "city", "district"
LEVELS = (PROVINCE, CITY, DISTRICT)
SILENT = frozenset({"县", "省直辖县", "自治区直辖县级行政区划", "市辖区"})
"""Names that only gather counties: nobody writes them into an address."""
SHORT = {"内蒙古自治区": "内蒙古", "广西壮族自治区": "广西", "西藏自治区": "西藏", "宁夏回族自治区": "宁夏",
         "新疆维吾尔自治区": "新疆", "香港特别行政区": "香港", "澳门特别行政区": "澳门"}  # fmt: skip
BETWEEN = " \t　,，、;；/|·-—>"

Tree = Mapping[str, Mapping[str, Mapping[str, str]]]


@cache
def tree() -> Tree:
    """Province -> city -> district -> code, by name and in the order of the codes."""
    names = {line[:6]: line[6:] for line in DIVISIONS.split()}
    made: dict[str, dict[str, dict[str, str]]] = {}
    for code, name in names.items():
        province = names[f"{code[:2]}0000"]
        if code.endswith("0000"):
            made[name] = {}
        elif code.endswith("00"):
            made[province][name] = {}
        elif (city := names.get(f"{code[:4]}00")) is not None:
            made[province][city][name] = code
    return made


def provinces() -> list[str]:
    return list(tree())


def cities(province: str | None) -> list[str]:
    return list(tree().get(province or "", ()))


def districts(province: str | None, city: str | None) -> list[str]:
    return list(tree().get(province or "", {}).get(city or "", ()))


def code_of(province: str, city: str, district: str) -> str | None:
    return tree().get(province, {}).get(city, {}).get(district)


def joined(parts: Mapping[str, str]) -> str:
    """The parts as one writes them on an envelope: nothing said twice, nothing that only gathers."""
    province, city, district, detail = (parts.get(name, "") for name in (*LEVELS, "detail"))
    whole = province + ("" if city == province or city in SILENT else city) + district
    return f"{whole} {detail}" if whole and detail[:1].isascii() and detail[:1].isalpha() else whole + detail


def taken_apart(text: str) -> dict[str, str]:
    """The parts of an address that is written as one text; all of it is `detail` where no division is known."""
    province, rest = _first(text, provinces())
    if not province:
        return _from_city(text)
    parts = {PROVINCE: province}
    city, after = _first(rest, cities(province))
    if not city and province in cities(province):  # Beijing lies in Beijing
        city, after = province, rest
    if city and (found := _within(province, city, after)):
        return found
    return _from_district(province, rest) or _with(parts | ({CITY: city} if city else {}), after if city else rest)


def _within(province: str, city: str, rest: str) -> dict[str, str] | None:
    district, after = _first(rest, districts(province, city), whole=True)
    if not district:
        return None
    return _with({PROVINCE: province, CITY: city, DISTRICT: district}, after)


def _from_district(province: str, rest: str) -> dict[str, str] | None:
    """The city that is left out: the only one of the province with the district that is named."""
    found = [parts for city in cities(province) if (parts := _within(province, city, rest))]
    return found[0] if len(found) == 1 else None


def _from_city(text: str) -> dict[str, str]:
    """The province that is left out, where a city stands first that is the only one of its name."""
    for province in provinces():
        city, rest = _first(text, [c for c in cities(province) if c not in SILENT], whole=True)
        if city:
            return _within(province, city, rest) or _with({PROVINCE: province, CITY: city}, rest)
    return _with({}, text)


def _with(parts: dict[str, str], detail: str) -> dict[str, str]:
    return {**parts, "detail": detail} if detail else parts


def _first(text: str, names: Iterable[str], whole: bool = False) -> tuple[str, str]:
    """Which of the names the text begins with, the longest one that fits, and what follows it."""
    spoken = {name: name for name in names}
    if not whole:
        spoken |= {_short(name): name for name in spoken if len(_short(name)) > 1}
    for form in sorted(spoken, key=len, reverse=True):
        if text.startswith(form):
            return spoken[form], text[len(form) :].lstrip(BETWEEN)
    return "", text


def _short(name: str) -> str:
    """How people say a province or a city."""
    return SHORT.get(name) or name.removesuffix("省").removesuffix("市").removesuffix("地区")
