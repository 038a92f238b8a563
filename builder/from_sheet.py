"""Forms made from the sheets of a file: what each column becomes, and the rows as the first records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from builder import changes, drafts
from builder.layout import place
from builder.parts import Json, Parts, fresh, word_of
from runtime import definitions, importing
from runtime.context import Context
from runtime.sheets import Sheet, read_sheet, sheet_names
from runtime.tables import live
from schemas import recognition
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.recognition import Column, Names

UNBOUND = UUID(int=1)
"""In place of an installation, for a file of which tables are yet to be made."""
KEPT_AS = "sheets"
MOST_SHEETS = 20
MOST_FIELDS = 200
LOOKED_AT = 20_000
"""Rows by which columns are recognised."""
PASTED = "pasted.tsv"


@dataclass(frozen=True)
class Choice:
    """What somebody says of one column: left out, how it is called, what it becomes, whether it is a column of the subform."""

    used: bool = True
    label: str = ""
    kind: str = ""
    required: bool = False
    inner: bool = False


@dataclass(frozen=True)
class Plan:
    """One sheet as a form to be: its columns as recognised, with what was chosen for each."""

    sheet: str
    title: str
    columns: Sequence[Column]
    choices: Sequence[Choice]
    key: str
    """The heading whose field is the title of records, and under which the lines of a subform come together."""
    rows: int
    made: bool = True
    details: str = ""
    """The title of the subform."""

    @property
    def used(self) -> list[tuple[Column, Choice]]:
        return [(column, choice) for column, choice in zip(self.columns, self.choices, strict=True) if choice.used]

    @property
    def divided(self) -> bool:
        return any(choice.inner for _, choice in self.used)


# -- the file --------------------------------------------------------------------------------------


def keep(ctx: Context, name: str, content: bytes, encoding: str = "") -> UUID:
    """Keep a file until it has become forms. Raises InvalidInput where it cannot be read."""
    for sheet in sheet_names(content, name)[:1]:
        read_sheet(content, name, encoding, sheet)
    return importing.keep(ctx, UNBOUND, KEPT_AS, name, content, encoding)


def kept(ctx: Context, id: UUID) -> Any:
    """The actor's own file. Raises NotFound."""
    found = importing.run_of(ctx, id)
    if (found.installation_id, found.table_id) != (UNBOUND, KEPT_AS):
        raise NotFound
    return found


def sheets_of(run: Any) -> dict[str, Sheet]:
    """The sheets that hold rows, by name; those of a file that has only one are nameless."""
    content, found = bytes(run.content), {}
    names = sheet_names(content, run.file_name)
    if len(names) > MOST_SHEETS:
        raise InvalidInput({"file": [say("The file has more than {n} sheets. Split it.", n=MOST_SHEETS)]})
    for name in names:
        try:
            found[name] = read_sheet(content, run.file_name, run.encoding, name)
        except InvalidInput:
            if len(names) == 1:
                raise
    return found


# -- the plan --------------------------------------------------------------------------------------


def names_of(ctx: Context) -> Names:
    return Names(importing.people_by_name(ctx, "member"), importing.people_by_name(ctx, "department"))


def plan(ctx: Context, name: str, sheet: str, content: Sheet, names: Names, choices: Sequence[Choice] = ()) -> Plan:
    """What a sheet would become. Raises InvalidInput where it has too many columns."""
    if len(content.headings) > MOST_FIELDS:
        raise InvalidInput({"file": [say("The file has more than {n} columns.", n=MOST_FIELDS)]})
    chosen = list(choices) or [Choice(label=heading) for heading in content.headings]
    looked = content.rows[:LOOKED_AT]
    columns = [
        recognition.column(heading, [row.get(heading) for row in looked], ctx.zone, names, choice.kind)
        for heading, choice in zip(content.headings, chosen, strict=True)
    ]
    if not choices:
        chosen = [replace(choice, used=column.filled > 0) for choice, column in zip(chosen, columns, strict=True)]
    title = sheet if sheet and not sheet.casefold().startswith("sheet") else name.rpartition(".")[0]
    return Plan(sheet, title[:80], columns, chosen, key_of(columns), len(content.rows))


def key_of(columns: Sequence[Column]) -> str:
    """The heading of what names a record: the first text that is always there and always another, else the first text."""
    names = [c for c in columns if c.kind in ("text", "code") and c.filled]
    found = next((c for c in names if c.distinct), None) or next(iter(names or columns))
    return found.heading


def problems(plan: Plan) -> list[Any]:
    """What is to be mended before a form can be made of it."""
    used = plan.used
    found: list[Any] = []
    if not used:
        found.append(say("Keep at least one column, or leave the sheet out."))
    if not plan.title.strip():
        found.append(say("Give the form a name."))
    if plan.divided:
        keys = [choice for column, choice in used if column.heading == plan.key]
        if not keys or keys[0].inner or all(choice.inner for _, choice in used):
            found.append(say("The column that names a record must be kept, and cannot be part of the subform."))
    return found


# -- the form --------------------------------------------------------------------------------------


def add_table(parts: Parts, plan: Plan, preset: str) -> tuple[Parts, str, dict[str, str]]:
    """A table with a field for each column; gives the parts, the form's id, and the heading of each field's path."""
    made, form = changes.add_form(parts, plan.title.strip(), preset)
    table = made[f"tables/{form}"]
    headings: dict[str, str] = {}
    fields: list[Json] = []
    inner: list[Json] = []
    taken = {"details"}
    for column, choice in plan.used:
        id = fresh(word_of(choice.label or column.heading, f"field_{len(headings) + 1}"), taken)
        taken.add(id)
        field = {"id": id, "label": choice.label or column.heading, **column.definition}
        field |= {"required": True} if choice.required else {}
        headings[f"details.{id}" if choice.inner else id] = column.heading
        (inner if choice.inner else fields).append(field)
    if inner:
        fields.append(
            {"id": "details", "type": "rows", "label": plan.details or {"zh": "明细", "en": "Details"}, "fields": inner}
        )
    key = next((id for id, heading in headings.items() if heading == plan.key), next(iter(headings)))
    table |= {"fields": fields, "title_formula": key}
    made[f"forms/{form}"]["layout"] = []
    for field in fields:
        place(made, form, field["id"], "")
    shown = [f["id"] for f in fields if f["type"] not in changes.NOT_LISTED][: changes.MOST_COLUMNS]
    made[f"views/{form}"]["columns"] = [*shown, *changes.LIST_ENDS]
    return made, form, headings


@dataclass(frozen=True)
class Made:
    """A form that was made of a sheet, and the run that brings in its rows, if it does."""

    form: str
    run: UUID | None = None


def make(
    ctx: Context, run: Any, slug: str, plans: Sequence[Plan], preset: str, rows: bool = True, publish: bool = True
) -> list[Made]:  # fmt: skip
    """Forms in the app's draft, published and filled where asked. Raises DefinitionError, InvalidInput, Denied, Conflict."""
    forms: list[tuple[Plan, str, dict[str, str]]] = []

    def added(parts: Parts) -> Parts:
        for one in plans:
            parts, form, headings = add_table(parts, one, preset)
            forms.append((one, form, headings))
        return parts

    drafts.edit(ctx, slug, None, say("Made forms from '{name}'", name=run.file_name), added)
    if not publish:
        return [Made(form) for _, form, _ in forms]
    drafts.publish(ctx, slug, "")
    made = [
        Made(form, _bring_in(ctx, run, slug, one, form, headings) if rows else None) for one, form, headings in forms
    ]
    importing.discard(ctx, run)
    return made


def _bring_in(ctx: Context, run: Any, slug: str, plan: Plan, form: str, headings: Mapping[str, str]) -> UUID:
    source = live(ctx, definitions.installed(ctx, slug), form)
    id = importing.begin(ctx, source, run.file_name, bytes(run.content), run.encoding, plan.sheet)
    begun = importing.run_of(ctx, id)
    mapping = {path: {"column": heading, **_found_by(plan, heading)} for path, heading in headings.items()}
    by = (
        {"mode": "add", "key": [path for path, heading in headings.items() if heading == plan.key]}
        if plan.divided
        else None
    )
    importing.save_mapping(ctx, begun, mapping, by)
    importing.start(ctx, importing.run_of(ctx, id))
    return id


def _found_by(plan: Plan, heading: str) -> Json:
    people = any(c.heading == heading and c.kind in ("member", "department") for c, _ in plan.used)
    return {"match": "name"} if people else {}
