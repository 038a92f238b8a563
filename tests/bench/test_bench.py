"""The bench runs: every benchmark once, on few records, with both ways doing what they say."""

import pytest

from bench.__main__ import main
from bench.measure import Pair, Result, Timing
from bench.registry import all_known
from bench.report import as_markdown


def test_every_benchmark_runs_and_prints_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--records", "300", "--rounds", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert lines[0].split()[:2] == ["ours", "by"]
    assert len(lines) > len(all_known())


def test_an_unknown_benchmark_is_refused_with_the_names_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "imported" in capsys.readouterr().err


def test_a_goal_is_met_by_processor_time() -> None:
    slow, quick = Timing([0.004, 0.004], own=0.008), Timing([0.004, 0.004], own=0.002)
    result = Result(Pair("a thing", print, print, goal=3), slow, quick)
    assert (result.ratio, result.met) == (4, False)
    assert "3x MISSED" in as_markdown([result])
