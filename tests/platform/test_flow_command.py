"""`mortise flow`: what it prints, and how it answers what cannot be played."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli import main

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide" / "flows.md"


def play(tmp_path: Path, scenario: Any, *options: str) -> int:
    file = tmp_path / "scenario.json"
    file.write_text(scenario if isinstance(scenario, str) else json.dumps(scenario))
    return main(["flow", str(file), *options])


def test_the_example_of_the_guide_comes_out_as_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = re.search(r"```json\n(\{\"name\".*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert example is not None
    assert play(tmp_path, example[1]) == 0
    printed = capsys.readouterr().out
    for part in ("state: running", "token 1: main at boss", "task 3: boss ben", "log 1: started", "state: approved"):
        assert part in printed


def test_what_is_not_as_expected_is_printed_and_told_by_the_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = {"starter": "amy", "members": ["amy"], "flow": {"steps": []}, "expect": {"state": "rejected"}}
    assert play(tmp_path, scenario, "--quiet") == 1
    assert "UNEXPECTED state: ended (expected: rejected)" in capsys.readouterr().out


def test_a_flow_of_an_app_is_played_by_its_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = {"flow": "claim_approval", "starter": "amy", "members": {"amy": {"head": "ben"}, "ben": {}}}
    assert play(tmp_path, scenario, "--app", "expense") == 0
    assert "ben" in capsys.readouterr().out
    assert play(tmp_path, scenario) == 1
    assert "--app" in capsys.readouterr().err
    assert play(tmp_path, {**scenario, "flow": "none"}, "--app", "expense") == 1


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("[1", "not JSON"),
        ([1], "object in JSON"),
        ({"flow": {"steps": [{"id": "a", "type": "aprove"}]}}, "did you mean 'approve'"),
        ({"flow": {}, "evnts": []}, "unknown option 'evnts'"),
        ({"flow": {"steps": []}, "zone": "Mars"}, "no time zone"),
        ({"flow": {"steps": []}, "now": "soon"}, "'soon' is not a date"),
        ({"flow": {"steps": []}, "members": 3}, "'members' is an object"),
        ({"flow": {"steps": []}, "calendar": "XX"}, "no calendar"),
        ({"flow": {"steps": []}, "events": [{"do": "jump"}]}, "no event 'jump'"),
        ({"flow": {"steps": []}, "events": ["ben"]}, "object in JSON"),
    ],
)
def test_what_cannot_be_played_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scenario: Any, words: str
) -> None:
    assert play(tmp_path, scenario) == 1
    assert words in capsys.readouterr().err
