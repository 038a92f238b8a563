"""What the holder of a task sees and writes of its record: the step's field rules instead of their own grants."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from runtime import files, history, records
from runtime.access import Door, Right, door
from runtime.context import Context
from runtime.query import Record, fetch
from runtime.running import Running
from schemas import filling
from schemas.errors import Conflict, InvalidInput, NotFound
from schemas.fields.base import MISSING
from schemas.fields.rows import Rows
from schemas.filling import Values
from schemas.form import Form
from schemas.steps.people import START, PeopleStep
from schemas.text import Sentence


class Sheet:
    """The record of one task, as the task's holder may see and change it."""

    def __init__(self, ctx: Context, run: Running, step: PeopleStep, task: UUID) -> None:
        self.ctx, self.run, self.step, self.live = ctx, run, step, run.live
        self.gate = self._gate()
        self.origin = f"task {task}"

    def _gate(self) -> Door:
        """The starter revises by their own rights; everybody else by the step's."""
        if self.step.id == START:
            return door(self.ctx, self.live)
        record = self.run.its_record
        right = Right(frozenset({"read", "update"}), lambda sql: sql.c.id == record, None, self.right)
        return Door(self.ctx, self.live, [right], free=False)

    def right(self, path: str) -> str:
        """hidden, read or write; a subform with a column that may be written is itself open."""
        found = self.live.table.by_id.get(path)
        if isinstance(found, Rows) and any(self.step.right(f"{path}.{c.id}") == "write" for c in found.fields):
            return "write"
        return self.step.right(path)

    @property
    def form(self) -> Form:
        """The form that the flow began with, else the table's first."""
        app = self.live.inst.app
        named = next((t.submit for t in self.run.flow.trigger if t.submit in app.all_forms), None)
        return app.all_forms[named] if named else app.form_of(self.live.id)

    def record(self) -> Record:
        """The record as the holder sees it. Raises NotFound when it is gone."""
        return fetch(self.gate, self.run.its_record)

    def writable(self) -> bool:
        """Whether there is anything on the form to fill in."""
        return any(self.gate.best(id, "update") == "write" for id in self.form.placed)

    def fixed(self, id: str) -> bool:
        """Whether the step opens only some columns of a subform, so that its rows stay the ones they are."""
        found = self.live.table.by_id.get(id)
        if not isinstance(found, Rows) or self.step.id == START:
            return False
        return any(self.step.right(f"{id}.{c.id}") != "write" for c in found.fields if not c.computed)

    # -- writing -----------------------------------------------------------------------------------

    def refuse_stale(self, seen: int, values: Mapping[str, Any]) -> None:
        """Raises Conflict when a field that the holder sees has been changed since this version."""
        entries = history.of_record(self.ctx, self.live, self.run.its_record, since=seen)
        changed = {id for entry in entries for id in entry.changes}
        visible = sorted(id for id in changed if self.right(id) != "hidden" and self.gate.readable(id))
        if visible:
            record = self.record()
            raise Conflict(visible, {id: record.values.get(id) for id in visible}, record.version)

    def write(self, raw: Mapping[str, Any], seen: int | None, demanding: bool) -> None:
        """Write what the holder filled in. `demanding`: what the step requires must be there.

        Raises InvalidInput with every problem, NotFound when the record is gone.
        """
        offered = {id: value for id, value in raw.items() if self.gate.best(id, "update") == "write"}
        values = self._understood(offered)
        before = dict(self.record().values)
        values = {id: self._own_columns(id, value, before.get(id)) for id, value in values.items()}
        if demanding and (missing := self._missing({**before, **values})):
            raise InvalidInput(missing)
        if values:
            ctx = self.ctx.acting_as(self.ctx.actor, self.origin)
            form = self.form if self.step.id == START else None
            gate = None if self.step.id == START else self.gate
            records.change(ctx, self.live, self.run.its_record, values, seen=seen, form=form, gate=gate)
            files.attach(self.ctx, self.live, self.run.its_record, values)

    def _understood(self, offered: Mapping[str, Any]) -> Values:
        """The values meant. The starter revises by the form, so that what is read-only there takes no answer here."""
        from runtime.submit import Sent, understand

        if self.step.id == START:
            return understand(self.ctx, self.live, Sent(self.form, offered, self.run.its_record))
        values, errors = filling.parse(self.live.table, offered, self.ctx.zone)
        if errors:
            raise InvalidInput(errors)
        return values

    def _own_columns(self, id: str, given: Any, present: Any) -> Any:
        """A subform's rows with only those columns changed that the step lets be written.

        Where some columns are closed, rows can be neither added nor taken away.
        """
        found = self.live.table.by_id[id]
        if not isinstance(found, Rows) or not self.fixed(id):
            return given
        sent = {str(row.get("_id")): row for row in given or ()}
        return [self._merged(found, row, sent.get(str(row["_id"]), {})) for row in self._rows(found, present)]

    def _merged(self, rows: Rows, present: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        open_ones = {c.id for c in rows.fields if self.step.right(f"{rows.id}.{c.id}") == "write"}
        return {**present, **{id: value for id, value in given.items() if id in open_ones}}

    def _rows(self, found: Rows, present: Any) -> list[dict[str, Any]]:
        """The rows as they are stored, hidden columns included, so that these survive the write."""
        from runtime.rows import child_values

        stored = child_values(self.ctx, self.live, [self.run.its_record]).get(self.run.its_record)
        if stored is None:
            raise NotFound
        return list(stored.get(found.id) or ())

    def _missing(self, values: Mapping[str, Any]) -> dict[str, list[Sentence]]:
        """The fields that the step requires and that are blank."""
        missing: dict[str, list[Sentence]] = {}
        for path in self.step.require:
            first, _, column = path.partition(".")
            found = self.live.table.field(path)
            said = found.missing if found is not None else MISSING
            if not column and values.get(first) in (None, []):
                missing[first] = [said]
            for number, row in enumerate(values.get(first) or ()) if column else ():
                if row.get(column) is None:
                    missing[f"{first}[{number}].{column}"] = [said]
        return missing
