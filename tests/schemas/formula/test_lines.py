"""`mortise formula`: a line of JSON in, a line of JSON out."""

import json
from datetime import UTC, datetime

import pytest

from schemas.formula.lines import answer

NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"formula": "=A1*2", "values": {"A1": 1.50000000000000000000000001}}', '{"value": 3.00000000000000000000000002}'),
        ('{"formula": "A1+1", "values": {"A1": 9007199254740993}}', '{"value": 9007199254740994}'),
        ('{"formula": "1/0"}', '{"error": "#DIV/0!"}'),
        ('{"formula": "nobody"}', '{"error": "#NAME?"}'),
        ('{"formula": "1+"}', '{"error": "#ERROR!"}'),
        ('{"formula": "a+1", "values": {"a": {"date": "2024-02-28"}}}', '{"value": "2024-02-29"}'),
        ('{"formula": "a", "values": {"a": "2024-02-28"}}', '{"value": "2024-02-28"}'),
        ('{"formula": "SUM(A1:B2)", "values": {"A1": 1, "B2": 2}}', '{"value": 3}'),
        ('{"formula": "SUM(a)", "values": {"a": [[1, 2], [3, null]]}}', '{"value": 6}'),
        ('{"formula": "{1,2;3,4}*2"}', '{"value": [[2, 4], [6, 8]]}'),
        ('{"formula": "a&1", "values": {"a": {"error": "#N/A"}}}', '{"error": "#N/A"}'),
        ('{"formula": "A1", "values": {"A1": null}}', '{"value": null}'),
        ('{"formula": "1=1"}', '{"value": true}'),
        ('{"formula": "\\"\\u5408\\u540c\\""}', '{"value": "合同"}'),
        ('{"formula": "TODAY()", "now": "2026-11-25T20:00:00Z", "zone": "Asia/Shanghai"}', '{"value": "2026-11-26"}'),
        ('{"formula": "a", "values": {"a": {"datetime": "2024-07-01T08:00"}}, "zone": "Asia/Shanghai"}',
         '{"value": "2024-07-01T00:00:00+00:00"}'),
    ],
)  # fmt: skip
def test_a_line_is_answered(line: str, expected: str) -> None:
    assert answer(line, NOW) == expected


def test_blanks_compare_as_in_excel_on_request() -> None:
    line = '{"formula": "A1=0", "values": {"A1": null}}'
    assert (answer(line, NOW), answer(line, NOW, excel=True)) == ('{"value": false}', '{"value": true}')


@pytest.mark.parametrize(
    "line",
    [
        "nonsense", "[1]", "{}", '{"formula": 1}', '{"formula": "1", "value": 1}', '{"formula": "1", "zone": "Nowhere/X"}',
        '{"formula": "1", "zone": "../etc"}', '{"formula": "1", "now": "yesterday"}', '{"formula": "x", "values": {"x": 1e999}}',
        '{"formula": "x", "values": {"x": {"date": "2024-02-30"}}}', '{"formula": "x", "values": {"x": {"day": 1}}}',
        '{"formula": "x", "values": [1]}', '{"formula": "\\ud83d"}', '{"formula": "1", "formula": "2"}', '{"formula": NaN}',
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_says_why_and_the_next_goes_on(line: str) -> None:
    told = json.loads(answer(line, NOW))
    assert told["error"] == "#ERROR!"
    assert told["message"]
