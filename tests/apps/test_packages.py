"""Every bundled app loads without a problem, survives the way to disk, and calculates what it promises."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builder import bundle
from schemas import filling
from schemas.app import App
from schemas.formula import World
from schemas.options import load

APPS = sorted(bundle.bundled())
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 24, 12, tzinfo=SHANGHAI).astimezone(UTC)


def package_of(app: str) -> dict[str, Any]:
    return bundle.read(bundle.bundled()[app])


@pytest.mark.parametrize("app", APPS)
def test_it_loads_without_errors_or_warnings(app: str) -> None:
    package = package_of(app)
    problems = load(App, package).analysis.problems()
    assert [f"{p.severity} {p}" for p in bundle.in_files(package, problems)] == []


@pytest.mark.parametrize("app", APPS)
def test_it_is_the_same_after_folder_and_zip(app: str, tmp_path: Path) -> None:
    package = package_of(app)
    bundle.write(package, tmp_path)
    assert bundle.read(tmp_path) == package
    assert bundle.read_zip(bundle.zipped(package)) == package


@pytest.mark.parametrize("app", APPS)
def test_its_files_are_laid_out_as_they_would_be_written(app: str) -> None:
    folder = bundle.bundled()[app]
    for name, text in bundle.files_of(package_of(app)).items():
        assert (folder / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("app", APPS)
def test_everything_is_labelled_in_chinese_and_english(app: str) -> None:
    assert list(_unlabelled(package_of(app), app)) == []


def _unlabelled(item: Any, path: str) -> Iterator[str]:
    keyed = dict(enumerate(item)) if isinstance(item, list) else item
    parts = keyed.items() if isinstance(keyed, dict) else ()
    for key, inner in parts:
        if key in ("label", "title", "message", "group", "section") and isinstance(inner, dict):
            if not (inner.get("zh") and inner.get("en")):
                yield f"{path}.{key}"
        else:
            yield from _unlabelled(inner, f"{path}.{key}")


def examples() -> Iterator[Any]:
    for app, folder in bundle.bundled().items():
        for path in sorted((folder / "examples").glob("*.json")):
            for example in json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal):
                yield pytest.param(app, path.stem, example, id=f"{app}-{path.stem}-{example['title']}")


@pytest.mark.parametrize(("app", "table", "example"), list(examples()))
def test_it_calculates_what_it_promises(app: str, table: str, example: dict[str, Any]) -> None:
    """Examples say what a record at noon of 24 November 2026 in Shanghai amounts to."""
    loaded = load(App, package_of(app))
    found = loaded.table(table)
    assert found is not None
    values, errors = filling.parse(found, example["given"], SHANGHAI)
    assert errors == {}
    summed_up = {id: given for id, given in example["given"].items() if found.by_id[id].computed}
    values |= {id: _rollup(given) for id, given in summed_up.items()}
    worked_out = filling.calculate(loaded.analysis, found, values, _world, volatile=True)
    for id, expected in example["then"].items():
        assert _dumped(worked_out[id], expected) == expected


def _world(values: Any, needs: Any, rows: Any) -> World:
    return World(now=NOON, zone=SHANGHAI, answers=dict.fromkeys(needs))


def _rollup(given: Any) -> Any:
    """What other tables would have summed up, as the example gives it."""
    if isinstance(given, str):
        moment = datetime.fromisoformat(given)
        return moment if moment.tzinfo else moment.date()
    return Decimal(given)


def _dumped(value: Any, expected: Any) -> Any:
    if isinstance(expected, list):
        pairs = zip(value, expected, strict=True)
        return [{id: _dumped(row[id], wanted[id]) for id in wanted} for row, wanted in pairs]
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value
