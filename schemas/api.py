"""What programs send to the API and get from it: bodies as they are read, answers as the document describes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema
from marshmallow import fields as ma

from schemas.errors import DefinitionError, InvalidInput, NotFound
from schemas.messages import Message, say
from schemas.options import load, option
from schemas.parsers import Flag, Id, Line, Many, Object, Whole, Words, refuse

MOST_AT_ONCE = 1_000
MOST_FIELDS = 2_000
LARGEST_PAGE = 1_000
OPERATIONS = ("create", "update", "upsert", "delete", "restore")
DECISIONS = ("approve", "reject", "return", "submit", "save", "answer", "transfer", "delegate", "take_back")


class Answers(ma.Field[dict[str, Any]]):
    """Values by field id; what they mean is each field's own to say."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise refuse(say("expected an object"))
        if len(value) > MOST_FIELDS:
            raise refuse(say("at most {n} items", n=MOST_FIELDS))
        return {str(name)[:200]: given for name, given in value.items()}


class Package(Answers):
    """A whole definition, or a part of one."""


class Key(ma.Field[str]):
    """A record's or a member's id."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= 80:
            raise refuse(say("expected an id"))
        return value


# -- bodies ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Write:
    """A new record, or what changes in one. `version` is the one that was read; a `form` adds its rules."""

    fields: dict[str, Any] = option(Answers(required=True), "Fields")
    version: int | None = option(Whole(1, 2_000_000_000, allow_none=True), "Version")
    form: str | None = option(Id(allow_none=True), "Form")


@dataclass(frozen=True, kw_only=True)
class Upsert:
    """Change the one record whose `key` fields have these values, or add it."""

    key: tuple[str, ...] = option(Many(Id(), most=5, required=True), "Key")
    fields: dict[str, Any] = option(Answers(required=True), "Fields")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if not self.key:
            yield "key", say("name the fields of the key")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One of a batch."""

    op: str = option(Words(*OPERATIONS, required=True), "Operation")
    id: str | None = option(Key(allow_none=True), "Record")
    key: tuple[str, ...] = option(Many(Id(), most=5), "Key", ())
    fields: dict[str, Any] | None = option(Answers(allow_none=True), "Fields")
    version: int | None = option(Whole(1, 2_000_000_000, allow_none=True), "Version")
    form: str | None = option(Id(allow_none=True), "Form")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if self.op in ("update", "delete", "restore") and self.id is None:
            yield "id", say("name the record")
        if self.op in ("create", "update", "upsert") and self.fields is None:
            yield "fields", say("give the fields")
        if self.op == "upsert" and not self.key:
            yield "key", say("name the fields of the key")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Up to 1,000 operations in order. `atomic`: all of them, or none."""

    operations: tuple[Operation, ...] = option(Many(Object(Operation), most=MOST_AT_ONCE, required=True), "Operations")
    atomic: bool = option(Flag(), "All or nothing", False)


@dataclass(frozen=True, kw_only=True)
class Decide:
    """What becomes of a task. `to` is a step to return to, or the member to transfer or delegate it to."""

    action: str = option(Words(*DECISIONS, required=True), "Action")
    comment: str = option(Line(), "Comment", "")
    to: str = option(Line(80), "To", "")
    fields: dict[str, Any] = option(Answers(), "Fields", None)
    version: int | None = option(Whole(1, 2_000_000_000, allow_none=True), "Version")


@dataclass(frozen=True, kw_only=True)
class Redraft:
    """An app's draft, whole (`package`) or part by part (`parts`: `tables/claim` and its JSON, null to take it out)."""

    package: dict[str, Any] | None = option(Package(allow_none=True), "Package")
    parts: dict[str, Any] | None = option(Package(allow_none=True), "Parts")
    counter: int | None = option(Whole(0, 2_000_000_000, allow_none=True), "Counter")
    note: str = option(Line(200), "Note", "")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if (self.package is None) == (self.parts is None):
            yield "", say("give either the package or parts of it")


@dataclass(frozen=True, kw_only=True)
class Publish:
    """Make the draft what everybody works with."""

    note: str = option(Line(200), "Note", "")


def read_body(kind: type[Any], json: Any) -> Any:
    """The body that this JSON is. Raises InvalidInput with every problem at its path."""
    try:
        return load(kind, json)
    except DefinitionError as err:
        errors: dict[str, list[Any]] = {}
        for problem in err.problems:
            errors.setdefault(problem.path, []).append(problem.message)
        raise InvalidInput(errors) from err


def read_word(text: str) -> str:
    """An id from an address. Raises NotFound."""
    if len(text) > 80:
        raise NotFound
    return text


# -- answers (for the document) --------------------------------------------------------------------


def described(field: ma.Field[Any], words: str) -> ma.Field[Any]:
    field.metadata = {**field.metadata, "description": words}
    return field


class ProblemPart(Schema):
    path = described(ma.String(required=True), "Of the field: `amount`, `items[2].price`; empty for the whole.")
    message = described(ma.String(required=True), "In the language that Accept-Language asks for.")


class Problem(Schema):
    """RFC 9457 problem details."""

    type = described(ma.String(required=True), "A word for the kind of problem, as a relative address.")
    title = ma.String(required=True)
    status = ma.Integer(required=True)
    detail = ma.String()
    errors = ma.List(ma.Nested(ProblemPart))
    version = described(ma.Integer(), "Of a conflict: the present version.")
    character = described(ma.Integer(), "Of a formula: where it is wrong, from 1.")


class System(Schema):
    id = ma.UUID(required=True)
    version = described(ma.Integer(required=True), "Send it with a change; also the ETag.")
    title = ma.String(required=True)
    created_at = ma.DateTime(required=True, allow_none=True)
    created_by = ma.UUID(required=True, allow_none=True)
    updated_at = ma.DateTime(required=True, allow_none=True)
    updated_by = ma.UUID(required=True, allow_none=True)
    flow_state = ma.String(required=True, allow_none=True)
    masked = described(ma.Dict(keys=ma.String(), values=ma.String()), "Of fields that the reader sees as a mask only.")


class Result(Schema):
    index = ma.Integer(required=True)
    op = ma.String(required=True)
    status = described(ma.Integer(required=True), "As that of a request of its own: 200, 201, 404, 422 ...")
    id = ma.UUID()
    version = ma.Integer()
    problem = ma.Nested(Problem)


class BatchResult(Schema):
    results = ma.List(ma.Nested(Result), required=True)
    done = ma.Integer(required=True)
    failed = ma.Integer(required=True)


class Done(Schema):
    id = ma.UUID(required=True)


class File(Schema):
    id = described(ma.UUID(required=True), "Give it as the value of the field; unused it is removed after two days.")
    name = ma.String(required=True)
    size = ma.Integer(required=True)
    media_type = ma.String(required=True)


class Change(Schema):
    field = ma.String(required=True)
    before = ma.Raw(allow_none=True)
    after = ma.Raw(allow_none=True)


class HistoryEntry(Schema):
    version = ma.Integer(required=True)
    action = ma.String(required=True)
    at = ma.DateTime(required=True)
    actor_kind = ma.String(required=True)
    actor = ma.UUID(required=True, allow_none=True)
    actor_name = ma.String(required=True)
    origin = ma.String(required=True, allow_none=True)
    changes = ma.List(ma.Nested(Change), required=True)


class History(Schema):
    entries = ma.List(ma.Nested(HistoryEntry), required=True)


class Task(Schema):
    id = ma.UUID(required=True)
    run = ma.UUID(required=True)
    app = ma.String(required=True)
    table = ma.String(required=True)
    record = ma.UUID(required=True)
    title = ma.String(required=True)
    flow = ma.String(required=True)
    flow_title = ma.String(required=True)
    step = ma.String(required=True)
    step_title = ma.String(required=True)
    state = ma.String(required=True)
    starter = ma.String(required=True)
    at = ma.DateTime(required=True)
    ended_at = ma.DateTime(required=True, allow_none=True)


class TaskDetail(Task):
    actions = ma.List(ma.String(), required=True)
    return_to = ma.List(ma.String(), required=True)
    version = ma.Integer(required=True)
    fields = ma.Dict(keys=ma.String(), values=ma.Raw(allow_none=True), required=True)  # type: ignore[assignment]
    writable = ma.List(ma.String(), required=True)


class Tasks(Schema):
    tasks = ma.List(ma.Nested(Task), required=True)
    next = ma.String(required=True, allow_none=True)


class Decided(Schema):
    run = ma.UUID(required=True)
    state = ma.String(required=True)


class Member(Schema):
    id = ma.UUID(required=True)
    name = ma.String(required=True)
    email = ma.String(required=True, allow_none=True)
    phone = ma.String(required=True, allow_none=True)
    title = ma.String(required=True, allow_none=True)
    department = ma.UUID(required=True, allow_none=True)
    departments = ma.List(ma.UUID(), required=True)


class Members(Schema):
    members = ma.List(ma.Nested(Member), required=True)
    next = ma.String(required=True, allow_none=True)


class Department(Schema):
    id = ma.UUID(required=True)
    name = ma.String(required=True)
    parent = ma.UUID(required=True, allow_none=True)
    head = ma.UUID(required=True, allow_none=True)


class Departments(Schema):
    departments = ma.List(ma.Nested(Department), required=True)


class TableName(Schema):
    id = ma.String(required=True)
    title = ma.String(required=True)
    may = ma.List(ma.String(), required=True)
    url = ma.String(required=True)


class App(Schema):
    id = ma.String(required=True)
    title = ma.String(required=True)
    revision = ma.Integer(required=True)
    tables = ma.List(ma.Nested(TableName), required=True)
    openapi = ma.String(required=True)


class Apps(Schema):
    apps = ma.List(ma.Nested(App), required=True)


class Option(Schema):
    id = ma.String(required=True)
    label = ma.String(required=True)


class FieldFacts(Schema):
    id = ma.String(required=True)
    label = ma.String(required=True)
    type = ma.String(required=True)
    value = described(ma.Raw(required=True), "JSON Schema of its values.")
    required = ma.Boolean(required=True)
    unique = ma.Boolean(required=True)
    writable = ma.Boolean(required=True)
    computed = ma.Boolean(required=True)
    sortable = ma.Boolean(required=True)
    help = ma.String()
    options = ma.List(ma.Nested(Option))
    table = described(ma.String(), "Of a link: where it leads.")
    fields = described(ma.List(ma.Raw()), "Of a subform: its columns, in the same form.")  # type: ignore[assignment]
    example = ma.Raw(allow_none=True)


class TableFacts(Schema):
    id = ma.String(required=True)
    app = ma.String(required=True)
    title = ma.String(required=True)
    may = ma.List(ma.String(), required=True)
    fields = ma.List(ma.Nested(FieldFacts), required=True)  # type: ignore[assignment]
    forms = ma.List(ma.String(), required=True)


class Me(Schema):
    kind = ma.String(required=True)
    id = ma.UUID(required=True)
    name = ma.String(required=True)
    workspace = ma.String(required=True)
    token = ma.String(required=True)
    scope = ma.Raw(required=True)
    language = ma.String(required=True)
    zone = ma.String(required=True)


class DefinitionOut(Schema):
    app = ma.String(required=True)
    revision = ma.Integer(required=True)
    package = ma.Dict(keys=ma.String(), values=ma.Raw(allow_none=True), required=True)


class Draft(Schema):
    app = ma.String(required=True)
    revision = ma.Integer(required=True)
    counter = described(ma.Integer(required=True), "Send it with a change, so that nobody else's is overwritten.")
    package = ma.Dict(keys=ma.String(), values=ma.Raw(allow_none=True), required=True)
    changes = ma.List(ma.String(), required=True)
    problems = ma.List(ma.Nested(ProblemPart), required=True)


class Published(Schema):
    app = ma.String(required=True)
    revision = ma.Integer(required=True)
    underway = described(
        ma.Boolean(required=True), "Whether a type changes on a large table: the change ends as a job."
    )
