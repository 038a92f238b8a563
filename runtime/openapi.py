"""The API's document (OpenAPI 3.1), made from the schemas that read the bodies and, for an app, from its real fields."""

from collections.abc import Iterable, Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from runtime import api, documents
from runtime.access import Door, door, may_enter
from runtime.context import Context
from runtime.definitions import Installed
from runtime.resources import VERSION
from runtime.tables import LiveTable, live
from schemas import api as bodies
from schemas.api_fields import schema_of_input, schema_of_value, writable
from schemas.fields import Field
from schemas.fields.file import File
from schemas.fields.rich_text import RichText
from schemas.fields.rows import Rows
from schemas.options import schema_of
from schemas.parsers import Flag, Id, Line, Many, Object, Whole, Words
from schemas.text import Text

Json = dict[str, Any]
BASE = "/api/v1"
PROBLEMS = {
    "400": "The request is no JSON that can be read.", "401": "No good token was sent.", "403": "The token may not do this.",
    "404": "There is nothing here, or not for the token.", "409": "Somebody else has changed the same since.",
    "412": "If-Match names another version.", "413": "Too large.", "415": "The body is of another kind.",
    "422": "Some of what was sent cannot be taken; `errors` says what and why.", "429": "Too many requests in this minute.",
}  # fmt: skip
RATES = {
    "RateLimit": "What is left: `\"minute\";r=…;t=…`.", "RateLimit-Policy": "How many requests there are in how many seconds.",
    "X-RateLimit-Limit": "Requests in a minute.", "X-RateLimit-Remaining": "Requests left.",
    "X-RateLimit-Reset": "Seconds until they are new.",
}  # fmt: skip
TEXT: Json = {"type": "string"}
ID: Json = {"type": "string", "format": "uuid"}
ANYTHING: Json = {}


class Document:
    """The parts of a document as they are put together."""

    def __init__(self, title: str, server: str, description: str) -> None:
        self.plugin = MarshmallowPlugin(schema_name_resolver=_name_of)
        self.spec = APISpec(
            title=title, version=VERSION, openapi_version="3.1.0", plugins=[self.plugin],
            info={"description": description}, servers=[{"url": server}], security=[{"token": []}],
        )  # fmt: skip
        _teach(self.plugin)
        self.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer", "bearerFormat": "mrt_…"})
        self.schema("Problem", bodies.Problem)
        for status, words in PROBLEMS.items():
            content = {"application/problem+json": {"schema": ref("Problem")}}
            self.spec.components.response(f"Problem{status}", {"description": words, "content": content})

    def schema(self, name: str, kind: Any) -> Json:
        """A component, once; gives a reference to it."""
        if name not in self.spec.components.schemas:
            if isinstance(kind, dict):
                self.spec.components.schema(name, kind, lazy=False)
            else:
                self.spec.components.schema(name, schema=kind)
        return ref(name)

    def body(self, kind: type[Any]) -> Json:
        """The component of a body that is read by its options."""
        declared: Any = kind
        return self.schema(kind.__name__, schema_of(declared))

    def path(self, path: str, **operations: Json) -> None:
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        for operation in operations.values():
            own = [parameter(name, ID if name in UUIDS else TEXT, "path") for name in names]
            operation["parameters"] = [*own, *operation.get("parameters", ())]
        self.spec.path(path=path, operations=operations)

    def to_dict(self) -> Json:
        return dict(self.spec.to_dict())


UUIDS = {"record", "file", "id"}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _name_of(schema: Any) -> str:
    name = schema if isinstance(schema, str) else getattr(schema, "__name__", type(schema).__name__)
    return str(name).removesuffix("Options")


def _teach(plugin: MarshmallowPlugin) -> None:
    """How the parsers of definitions look in JSON Schema."""
    converter: Any = plugin.converter
    teach: Any = plugin.map_to_openapi_type
    assert converter is not None
    for kind, named in ((Id, "string"), (Words, "string"), (Line, "string"), (bodies.Key, "string"), (Flag, "boolean"),
                        (Whole, "integer"), (Many, "array"), (bodies.Answers, "object")):  # fmt: skip
        teach(kind, named, None)

    def told(self: Any, field: Any, ret: Json) -> Json:
        made: Json = {}
        if isinstance(field, Words):
            made["enum"] = [*field.words, *([None] if field.allow_none else [])]
        elif isinstance(field, Whole):
            made |= {"minimum": field.minimum, "maximum": field.maximum}
        elif isinstance(field, Line):
            made["maxLength"] = field.longest
        elif isinstance(field, Many):
            made |= {"maxItems": field.most, "items": self.field2property(field.item)}
        elif isinstance(field, Object):
            declared: Any = field.kind
            made |= self.resolve_nested_schema(schema_of(declared))
        return made

    converter.add_attribute_function(told)


def parameter(name: str, schema: Json, place: str = "query", words: str = "", **more: Any) -> Json:
    made: Json = {"name": name, "in": place, "schema": schema, "required": place == "path", **more}
    return {**made, "description": words} if words else made


def operation(
    id: str, words: str, answer: Json, *, status: str = "200", sent: Json | None = None, problems: Iterable[str] = (),
    parameters: Iterable[Json] = (), tag: str = "", once: bool = False, also: Mapping[str, Json] | None = None,
) -> Json:  # fmt: skip
    """One operation: what is sent, what comes back, and which problems there may be."""
    headers = {name: {"description": words, "schema": TEXT} for name, words in RATES.items()}
    found: Json = {
        status: {"description": words, "content": {"application/json": {"schema": answer}}, "headers": headers}
    }
    for code, schema in (also or {}).items():
        found[code] = {"description": words, "content": {"application/json": {"schema": schema}}}
    for code in sorted({"401", "404", "429", *problems, *(("400", "413", "415", "422") if sent else ())}):
        found[code] = {"$ref": f"#/components/responses/Problem{code}"}
    made: Json = {"operationId": id, "summary": words, "responses": found, "parameters": list(parameters)}
    if tag:
        made["tags"] = [tag]
    if sent is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": sent}}}
    if once:
        key = "Sent again with the same key within two days, the request is done once and answered alike."
        made["parameters"].append(parameter("Idempotency-Key", {"type": "string", "maxLength": 200}, "header", key))
        made["responses"]["422"] = {"$ref": "#/components/responses/Problem422"}
    return made


def whole(ctx: Context, server: str, app: Installed | None = None) -> Json:
    """The document: what is there for everybody, and of an app the tables and fields that the actor may know of."""
    title = api.label(ctx, app.app.title or Text.of(app.slug)) if app else ctx.workspace.title
    made = Document(f"{title}: API", server, DESCRIPTION)
    _common(made)
    for inst in [app] if app else []:
        if may_enter(ctx, inst):
            for table in inst.app.tables:
                source = live(ctx, inst, table.id)
                if api.may_do(door(ctx, source)):
                    _table(ctx, made, source)
    return made.to_dict()


DESCRIPTION = (
    "Every request carries a token: `Authorization: Bearer mrt_…`. Numbers come as text, with all their digits; they may be "
    "sent as numbers or as text. Moments are in UTC. Problems are described as RFC 9457 has it, in the language that "
    "`Accept-Language` asks for."
)


def _common(made: Document) -> None:
    def shown(kind: Any) -> Json:
        return made.schema(kind.__name__, kind)

    after, limit = parameter("after", TEXT, words="`next` of the page before."), parameter("limit", SIZE)
    made.path(f"{BASE}/me", get=operation("me", "Who the token acts as", shown(bodies.Me), tag="workspace"))
    made.path(
        f"{BASE}/apps", get=operation("apps", "The apps that the token reaches", shown(bodies.Apps), tag="workspace")
    )
    made.path(f"{BASE}/apps/{{app}}", get=operation("app", "An app and its tables", shown(bodies.App), tag="workspace"))
    made.path(f"{BASE}/apps/{{app}}/tables/{{table}}",
              get=operation("table", "A table and its fields", shown(bodies.TableFacts), tag="workspace"))  # fmt: skip
    made.path(f"{BASE}/members", get=operation("members", "Members by name", shown(bodies.Members), tag="people",
              parameters=[parameter("q", TEXT), limit, after], problems=("403", "422")))  # fmt: skip
    made.path(f"{BASE}/departments", get=operation("departments", "The tree of departments", shown(bodies.Departments),
              tag="people", problems=("403",)))  # fmt: skip
    state = parameter("state", {"type": "string", "enum": ["todo", "decided"]})
    made.path(f"{BASE}/tasks", get=operation("tasks", "The tasks of the token's member", shown(bodies.Tasks), tag="tasks",
              parameters=[state, after], problems=("403", "422")))  # fmt: skip
    made.path(
        f"{BASE}/tasks/{{id}}",
        get=operation("task", "A task with its record", shown(bodies.TaskDetail), tag="tasks", problems=("403",)),
    )
    made.path(f"{BASE}/tasks/{{id}}/decision", post=operation(
        "decide", "Approve, reject, return, submit, save or transfer", shown(bodies.Decided), sent=made.body(bodies.Decide),
        tag="tasks", problems=("403", "409"), once=True))  # fmt: skip
    _definitions(made)


def _definitions(made: Document) -> None:
    def shown(kind: Any) -> Json:
        return made.schema(kind.__name__, kind)

    path, tag = f"{BASE}/apps/{{app}}", "definitions"
    made.path(
        f"{path}/definition",
        get=operation(
            "definition", "The published definition", shown(bodies.DefinitionOut), tag=tag, problems=("403",)
        ),
    )
    made.path(
        f"{path}/draft",
        get=operation("draft", "The draft, what it would change, and its problems", shown(bodies.Draft), tag=tag, problems=("403",)),
        patch=operation("redraft", "Change the draft; nothing is published", shown(bodies.Draft), sent=made.body(bodies.Redraft),
                        tag=tag, problems=("403", "409"), once=True),
    )  # fmt: skip
    made.path(f"{path}/publish", post=operation(
        "publish", "Make the draft what everybody works with", shown(bodies.Published), sent=made.body(bodies.Publish), tag=tag,
        problems=("403", "409"), once=True))  # fmt: skip


SIZE: Json = {"type": "integer", "minimum": 1, "maximum": bodies.LARGEST_PAGE, "default": api.PAGE}
YES: Json = {"type": "string", "enum": ["true", "false"]}


# -- a table -------------------------------------------------------------------------------------------


def _table(ctx: Context, made: Document, source: LiveTable) -> None:
    """What there is of one table, as far as the actor may do it."""
    gate, tag = door(ctx, source), api.label(ctx, source.table.title or Text.of(source.id))
    record, sent = _components(ctx, made, gate)
    name, path = source.id, f"{BASE}/apps/{source.inst.slug}/tables/{source.id}"
    back: Json = {"anyOf": [record, made.schema("Done", bodies.Done)]}
    write = {"400", "403", "409"}
    at: Json = {}
    if gate.may("read"):
        page = {"type": "object", "required": ["records", "next"], "properties": {
            "records": {"type": "array", "items": record}, "next": {"type": ["string", "null"]}, "total": {"type": "integer"},
            "names": NAMES}}  # fmt: skip
        at["get"] = operation(
            f"{name}_list",
            "List records",
            page,
            tag=tag,
            parameters=_list_parameters(ctx, gate),
            problems=("403", "422"),
        )
    if gate.may("create"):
        at["post"] = operation(
            f"{name}_create",
            "Add a record",
            back,
            status="201",
            sent=_write(made, sent),
            tag=tag,
            problems=write,
            once=True,
        )
    if at:
        made.path(f"{path}/records", **at)
    one: Json = {}
    if gate.may("read"):
        chosen = [parameter("fields", TEXT), parameter("expand", {"type": "string", "enum": ["names"]})]
        one["get"] = operation(f"{name}_read", "Read a record", record, tag=tag, parameters=chosen, problems=("422",))
    if gate.may("update"):
        match = parameter("If-Match", TEXT, "header", 'The only version to be changed, as `"3"`.')
        one["patch"] = operation(f"{name}_change", "Change the fields that are sent", back, sent=_write(made, sent), tag=tag,
                                 parameters=[match], problems=write | {"412"}, once=True)  # fmt: skip
    if gate.may("delete"):
        one["delete"] = operation(f"{name}_delete", "Put a record into the trash", made.schema("Done", bodies.Done), tag=tag,
                                  problems=write, once=True)  # fmt: skip
    if one:
        made.path(f"{path}/records/{{record}}", **one)
    _more(made, gate, path, tag, sent, back)


def _more(made: Document, gate: Door, path: str, tag: str, sent: Json, back: Json) -> None:
    name, write = gate.live.id, ("400", "403", "409")
    if gate.may("delete"):
        made.path(f"{path}/records/{{record}}/restore", post=operation(
            f"{name}_restore", "Take a record out of the trash", back, tag=tag, problems=(*write, "422"), once=True))  # fmt: skip
    if gate.may("read") and (gate.may("create") or gate.may("update")):
        keyed: Json = {"type": "object", "required": ["key", "fields"], "additionalProperties": False, "properties": {
            "key": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 5}, "fields": sent}}  # fmt: skip
        made.path(f"{path}/upsert", post=operation(
            f"{name}_upsert", "Change the record that a key finds, or add it", back, sent=keyed, tag=tag, problems=write,
            once=True, also={"201": back}))  # fmt: skip
    if any(gate.may(a) for a in ("create", "update", "delete")):
        made.path(f"{path}/batch", post=operation(
            f"{name}_batch", "Do up to 1,000 operations, each with its own result", made.schema("BatchResult", bodies.BatchResult),
            sent=made.body(bodies.Batch), tag=tag, problems=write, once=True))  # fmt: skip
    if gate.may("history"):
        made.path(f"{path}/records/{{record}}/history", get=operation(
            f"{name}_history", "Who changed what and when", made.schema("History", bodies.History), tag=tag,
            problems=("403",)))  # fmt: skip
    if gate.may("print"):
        printed = operation(f"{name}_document", "A record as a PDF, or a Word or Excel file filled in", {}, tag=tag, parameters=[
            parameter("template", {"type": "string", "enum": _templates(gate)}, words="A print template; none for all fields.")],
            problems=("403", "422"))  # fmt: skip
        printed["responses"]["200"]["content"] = {kind: {"schema": {}} for kind in documents.KINDS}
        made.path(f"{path}/records/{{record}}/document", get=printed)
    if files := [f.id for f in gate.live.table.fields if _takes_files(f) and api.known(gate, f.id)]:
        _files(made, path, tag, name, files)


def _templates(gate: Door) -> list[str]:
    """The print templates that the actor may use, and the way to print without one."""
    return [documents.PLAIN, *(d.id for d in documents.templates(gate.ctx, gate.live))]


def _takes_files(field: Field) -> bool:
    return isinstance(field, File) or (isinstance(field, RichText) and field.pictures)


def _files(made: Document, path: str, tag: str, name: str, fields: list[str]) -> None:
    binary: Json = {"application/octet-stream": {"schema": {}}}
    up = operation(f"{name}_upload", "Keep a file for a field; a record then takes it by its id", made.schema("File", bodies.File),
                   status="201", tag=tag, parameters=[parameter("name", TEXT, words="Of the file.")],
                   problems=("403", "413", "422"))  # fmt: skip
    up["requestBody"] = {"required": True, "content": binary}
    down = operation(f"{name}_download", "The bytes of a record's file", {}, tag=tag)
    down["responses"]["200"]["content"] = binary
    known: Json = {"type": "string", "enum": fields}
    for where, method, made_of in (
        (f"{path}/files/{{field}}", "post", up),
        (f"{path}/records/{{record}}/files/{{field}}/{{file}}", "get", down),
    ):
        made.path(where, **{method: made_of})
        for given in made_of["parameters"]:
            if given["name"] == "field":
                given["schema"] = known


NAMES: Json = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "What the ids in it are called.",
}


def _components(ctx: Context, made: Document, gate: Door) -> tuple[Json, Json]:
    """The record of a table and what may be sent for it."""
    source, analysis = gate.live, gate.live.analysis
    shown: Json = {}
    taken: Json = {}
    for found in source.table.fields:
        kind = analysis.type_of(source.table, found)
        words = {"title": api.label(ctx, found.label or Text.of(found.id))}
        if gate.may("read") and gate.shown([found.id]) and found.type != "query":
            shown[found.id] = {**_value(gate, found, kind), **words}
        if writable(found) and api.may_fill(gate, found.id):
            columns = (
                [(c, analysis.type_of(source.table, c, found)) for c in found.fields if writable(c)]
                if isinstance(found, Rows)
                else None
            )
            taken[found.id] = {**schema_of_input(found, kind, columns), **words}
    made.schema("System", bodies.System)
    fields: Json = {"type": "object", "additionalProperties": False, "properties": shown}
    system = made.spec.components.schemas["System"]
    about = {**system["properties"], "fields": made.schema(f"{source.id}_fields", fields), "names": NAMES}
    record: Json = {
        "type": "object",
        "additionalProperties": False,
        "required": [*system["required"], "fields"],
        "properties": about,
    }
    sent: Json = {"type": "object", "additionalProperties": False, "properties": taken}
    return made.schema(f"{source.id}_record", record), made.schema(f"{source.id}_input", sent)


def _value(gate: Door, found: Any, kind: Any) -> Json:
    """What comes back for a field; a subform with the columns that may be seen."""
    if not isinstance(found, Rows):
        return schema_of_value(found, kind)
    table, analysis = gate.live.table, gate.live.analysis
    columns = {
        c.id: schema_of_value(c, analysis.type_of(table, c, found))
        for c in found.fields
        if api.known(gate, f"{found.id}.{c.id}")
    }
    line = {"type": "object", "additionalProperties": False, "properties": {"_id": TEXT, **columns}}
    return {"type": ["array", "null"], "items": line}


def _write(made: Document, sent: Json) -> Json:
    made.body(bodies.Write)
    return {"type": "object", "required": ["fields"], "additionalProperties": False, "properties": {
        "fields": sent, "version": {"type": ["integer", "null"], "minimum": 1, "maximum": 2_000_000_000},
        "form": {"type": ["string", "null"]}}}  # fmt: skip


def _list_parameters(ctx: Context, gate: Door) -> list[Json]:
    return [
        parameter("filter", TEXT, words='A formula over the fields, such as `price > 100`; texts in double quotes.'),
        parameter("sort", TEXT, words="Fields by which to order, a `-` before those that fall: `-price,title`."),
        parameter("fields", TEXT, words="The fields to give, separated by commas."), parameter("q", TEXT, words="Words to search for."),
        parameter("limit", SIZE), parameter("after", TEXT, words="`next` of the page before."),
        parameter("total", YES, words="Whether to count all of them."),
        parameter("trash", YES, words="Those in the trash instead."),
        parameter("expand", {"type": "string", "enum": ["names"]}, words="Also what the ids are called."),
    ]  # fmt: skip
