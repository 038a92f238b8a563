"""Members and departments from a file: made where they are new, matched by name or e-mail where they are not."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import xlsxwriter
from sqlalchemy import insert, select, update

from runtime import audit, importing, models, people
from runtime.actors import unlimited
from runtime.context import Context
from runtime.ids import new_id
from runtime.jobs import enqueue, job
from runtime.models_importing import import_run
from runtime.people import Directory
from runtime.sheets import Sheet, read_sheet
from schemas.errors import Denied, InvalidInput
from schemas.formats import FORMATS
from schemas.importing import fold_key
from schemas.messages import Message, say

NAMES: dict[str, tuple[Message, tuple[str, ...]]] = {
    "name": (say("Name"), ("姓名", "名字", "成员", "员工", "员工姓名", "sales_agent", "agent", "employee", "member", "full_name")),
    "email": (say("E-mail"), ("邮箱", "电子邮箱", "电子邮件", "e-mail", "mail", "email_address")),
    "phone": (say("Phone"), ("手机", "手机号", "电话", "联系电话", "mobile", "telephone")),
    "title": (say("Job title"), ("职务", "职位", "岗位", "job_title", "position")),
    "department": (say("Department"), ("部门", "所属部门", "大区", "regional_office", "office", "team", "unit")),
    "head": (say("Head of the department"), ("上级", "主管", "部门主管", "负责人", "直属上级", "manager", "boss", "supervisor")),
}  # fmt: skip
"""What a file may say of a member: the words for it, and what such columns are often called."""

COLUMNS = tuple(NAMES)
APART = UUID(int=0)
"""Stands for the app in runs of this import: members belong to no app."""
CHUNK = 200
MOST_LINES = 500
LONGEST = 120


@dataclass
class Line:
    """What becomes of one row: `new`, `known` or `out`, with what is said of it."""

    number: int
    said: dict[str, str]
    outcome: str
    notes: list[Message] = field(default_factory=list)


@dataclass
class Arrivals:
    """What the file brings."""

    members: list[str] = field(default_factory=list)
    departments: list[str] = field(default_factory=list)
    known: int = 0
    skipped: list[int] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def suggest(headings: Sequence[str]) -> dict[str, str]:
    """The columns that obviously belong to a fact, by its name or one of its usual ones."""
    folded = {_plain(h): h for h in headings}
    found: dict[str, str] = {}
    for column, (words, usual) in NAMES.items():
        names = (_plain(n) for n in (column, words.text, *usual))
        heading = next((folded[n] for n in names if n in folded and folded[n] not in found.values()), None)
        if heading is not None:
            found[column] = heading
    return found


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def import_people(
    ctx: Context, sheet: Sheet, columns: Mapping[str, str], dry: bool = False, rows: slice = slice(None)
) -> Arrivals:
    """Make the members and departments of a file; `columns` names the heading of each of COLUMNS that it has.

    A department that a head is named for gets them as its head where it has none. Raises InvalidInput.
    """
    refuse(sheet.headings, columns)
    arriving = _Arriving(ctx, dry)
    for number, row in list(enumerate(sheet.rows, 2))[rows]:
        arriving.take(number, {c: _text(row[h]) for c, h in columns.items() if row.get(h) is not None})
    return arriving.found


def _text(value: Any) -> str:
    return " ".join(str(value).split())


def refuse(headings: Sequence[str], columns: Mapping[str, str]) -> None:
    """Raises InvalidInput when these columns say nothing of members."""
    if "name" not in columns:
        raise InvalidInput({"": [say("Choose the column with the members' names.")]})
    for column, heading in columns.items():
        if column not in COLUMNS or heading not in headings:
            raise InvalidInput({"": [say("the file has no column '{name}'", name=heading)]})


class _Arriving:
    """Goes through a file's rows with what is there already, and what earlier rows have brought."""

    def __init__(self, ctx: Context, dry: bool) -> None:
        self.ctx, self.dry, self.found = ctx, dry, Arrivals()
        self.by_name: dict[str, list[tuple[UUID, str]]] = {}
        self.by_email: dict[str, UUID] = {}
        m = models.member
        for row in ctx.conn.execute(select(m.c.id, m.c.name, m.c.email).where(m.c.left_at.is_(None))):
            self._remember(row.id, row.name, row.email or "")
        self.units: dict[tuple[str, ...], UUID] = {(fold_key(u.name),): u.id for u in Directory.of(ctx).units.values()}
        self.units |= {_path_of(ctx, u.id): u.id for u in Directory.of(ctx).units.values()}

    def _remember(self, id: UUID, name: str, email: str) -> None:
        self.by_name.setdefault(fold_key(name), []).append((id, email.casefold()))
        if email:
            self.by_email[email.casefold()] = id

    def take(self, number: int, said: dict[str, str]) -> None:
        line = Line(number, said, "out")
        self.found.lines.append(line)
        if wrong := _wrong(said):
            line.notes.append(wrong)
            self.found.skipped.append(number)
            return
        units = [self._unit(path, line) for path in re.split(r"[;；]", said.get("department", ""))]
        unit, *others = units
        id = self._known(said)
        line.outcome = "known" if id else "new"
        if id:
            self.found.known += 1
        else:
            self._add(said, unit, others)
        if head := said.get("head", ""):
            self._lead(unit, head, line)

    def _known(self, said: Mapping[str, str]) -> UUID | None:
        """By e-mail, else by name; another address under the same name is another person."""
        email = said.get("email", "").casefold()
        if email in self.by_email:
            return self.by_email[email]
        same = self.by_name.get(fold_key(said["name"]), [])
        return next((id for id, other in same if not email or not other), None)

    def _add(self, said: Mapping[str, str], unit: UUID | None, others: Sequence[UUID | None] = ()) -> UUID:
        self.found.members.append(said["name"])
        facts = {k: v for k, v in said.items() if k in ("phone", "title")}
        email = said.get("email", "").casefold()
        id = (
            new_id()
            if self.dry
            else people.add_member(self.ctx, said["name"], department_id=unit, email=email or None, **facts)
        )
        self._remember(id, said["name"], email)
        for other in {other for other in others if other and other != unit} if not self.dry else ():
            self.ctx.conn.execute(insert(models.member_department).values(member_id=id, department_id=other))
        return id

    def _unit(self, text: str, line: Line) -> UUID | None:
        """The department of a path such as `Sales / East`, made with those above it where it is new."""
        id: UUID | None = None
        names = [part.strip() for part in re.split(r"[/／>\\]", text) if part.strip()]
        for depth in range(1, len(names) + 1):
            key = tuple(fold_key(n) for n in names[:depth])
            if key not in self.units:
                name = names[depth - 1][:LONGEST]
                self.found.departments.append(name)
                line.notes.append(say("new department {name}", name=name))
                self.units[key] = new_id() if self.dry else people.add_department(self.ctx, name, id)
            id = self.units[key]
        return id

    def _lead(self, unit: UUID | None, name: str, line: Line) -> None:
        head = self._known({"name": name})
        if head is None:
            head = self._add({"name": name}, unit)
            line.notes.append(say("new member {name}, their head", name=name))
        d = models.department
        if unit is not None and not self.dry:
            self.ctx.conn.execute(update(d).where(d.c.id == unit, d.c.head_id.is_(None)).values(head_id=head))
            Directory.of(self.ctx).forget()


def _path_of(ctx: Context, id: UUID) -> tuple[str, ...]:
    return tuple(fold_key(name) for name in _names_of(ctx, id))


def _names_of(ctx: Context, id: UUID) -> list[str]:
    """A department's name after those of the ones it lies in."""
    names: list[str] = []
    units = Directory.of(ctx).units
    unit = units.get(id)
    while unit and len(names) < 50:
        names.insert(0, unit.name)
        unit = units.get(unit.parent) if unit.parent else None
    return names


def _wrong(said: Mapping[str, str]) -> Message | None:
    """Why a row cannot be taken."""
    if not said.get("name"):
        return say("There is no name in this row.")
    if any(len(text) > LONGEST for text in said.values()):
        return say("at most {n} characters", n=LONGEST)
    email = said.get("email", "")
    return FORMATS["email"].problem(email) if email else None


# -- the same file again ---------------------------------------------------------------------------


def exported(ctx: Context) -> bytes:
    """Every member who is here, with the headings that an import understands, as a workbook."""
    m, directory = models.member, Directory.of(ctx)
    query = select(m).where(m.c.left_at.is_(None), m.c.external.is_(False)).order_by(m.c.name, m.c.id)
    people = list(ctx.conn.execute(query))
    known = directory.persons(row.id for row in people)
    heads = {p.id: p.name for p in directory.persons(u.head for u in directory.units.values()).values()}
    book = xlsxwriter.Workbook(out := io.BytesIO(), {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("members")
    bold = book.add_format({"bold": True})
    sheet.set_column(0, len(NAMES) - 1, 24)
    paths = {u: " / ".join(_names_of(ctx, u)) for u in directory.units}
    for place, (words, usual) in enumerate(NAMES.values()):
        sheet.write_string(0, place, usual[0] if ctx.language == "zh" else words.text, bold)
    for number, row in enumerate(people, 1):
        unit = directory.units.get(row.department_id)
        person = known[row.id]
        places = "; ".join(paths[u] for u in person.departments if u in paths)
        head = heads.get(unit.head, "") if unit and unit.head else ""
        for place, text in enumerate((row.name, row.email, row.phone, row.title, places, head)):
            sheet.write_string(number, place, text or "")
    book.close()
    return out.getvalue()


# -- runs ------------------------------------------------------------------------------------------


def begin(ctx: Context, name: str, content: bytes, encoding: str = "", sheet: str = "") -> UUID:
    """Keep an uploaded file with the columns that suggest themselves. Raises InvalidInput."""
    read = read_sheet(content, name, encoding, sheet)
    known = {"headings": read.headings, "mapping": suggest(read.headings), "total": len(read.rows)}
    return importing.keep(ctx, APART, "members", name, content, encoding, sheet=sheet, **known)


def save_columns(ctx: Context, run: Any, columns: Mapping[str, str]) -> None:
    """Raises InvalidInput naming what is wrong with them."""
    ctx.conn.execute(update(import_run).where(import_run.c.id == run.id).values(mapping=dict(columns)))
    refuse(run.headings, columns)


def start(ctx: Context, run: Any) -> None:
    """Leave the work to a job."""
    begun = update(import_run).where(import_run.c.id == run.id, import_run.c.state == "mapping")
    if ctx.conn.execute(begun.values(state="waiting", report=None)).rowcount:
        audit.note(ctx, "member.imported", run.file_name, run.id)
        enqueue(ctx, "import_people", {"run": str(run.id)})


@job("import_people", chunked=True, failed=importing.give_up)
def import_people_in_chunks(opened: Callable[[], AbstractContextManager[Context]], run: str) -> None:
    """The job: a chunk in a transaction, with the progress written in the same one."""
    while _next_chunk(opened, UUID(run)):
        pass


def _next_chunk(opened: Callable[[], AbstractContextManager[Context]], id: UUID) -> bool:
    with opened() as ctx:
        row = ctx.conn.execute(select(import_run).where(import_run.c.id == id).with_for_update()).one_or_none()
        if row is None or row.state not in ("waiting", "running"):
            return False
        if not unlimited(ctx.actor):
            raise Denied(say("Only administrators import members."))
        done = row.done + row.refused
        if row.cancel or done >= row.total:
            importing.end(ctx, id, "cancelled" if row.cancel else "done")
            return False
        came = import_people(ctx, importing.sheet_of(row), row.mapping, rows=slice(done, done + CHUNK))
        kept = {"done": row.done + len(came.lines) - len(came.skipped), "refused": row.refused + len(came.skipped)}
        told = _tell(row.report or {}, came)
        ctx.conn.execute(update(import_run).where(import_run.c.id == id).values(**kept, state="running", report=told))
    return True


def _tell(before: Mapping[str, Any], came: Arrivals) -> dict[str, Any]:
    """What has come so far, as JSON."""
    left_out = [
        {"row": line.number, "text": note.text, "values": dict(note.values)}
        for line in came.lines
        if line.outcome == "out"
        for note in line.notes
    ]
    return {
        "members": before.get("members", 0) + len(came.members),
        "departments": before.get("departments", 0) + len(came.departments),
        "known": before.get("known", 0) + came.known,
        "out": (before.get("out", []) + left_out)[:MOST_LINES],
    }
