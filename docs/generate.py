"""Writes the reference of definitions, and the parts of the guides that are read from the code, between their markers."""

import re
from pathlib import Path

from runtime.settings import settings_table
from schemas.engine.rehearsal import FORMAT
from schemas.reference import reference

GUIDE = Path(__file__).parent / "guide"
PARTS = {
    ("deploy.md", "settings"): settings_table,
    ("flows.md", "scenario"): lambda: f"```text\n{FORMAT}```",
}


def fill(text: str, name: str, part: str) -> str:
    marked = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
    return marked.sub(lambda found: f"{found[1]}{part}{found[2]}", text)


def main() -> None:
    (GUIDE.parent / "definitions.md").write_text(reference(), "utf-8")
    for (file, name), make in PARTS.items():
        path = GUIDE / file
        path.write_text(fill(path.read_text(), name, make()))


if __name__ == "__main__":
    main()
