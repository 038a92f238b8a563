"""What a process remembers of a workspace between transactions: its people, their roles, the apps at their revisions.

Every workspace has an epoch, which triggers renew when one of these is changed, in the same transaction and by whatever
way. Each transaction asks for it with its first statement: what was read in the same epoch still holds.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, UpdateBase, event, text

from runtime import models, models_people

WATCHED = (
    models.member, models.member_department, models.department, models.role_member, models.slot, models.installation,
    models_people.role_part, models_people.workspace_role,
)  # fmt: skip
MOST = 2_000
"""Workspaces that a process remembers."""

RENEW = """
CREATE OR REPLACE FUNCTION control.renew_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE mark text := TG_TABLE_SCHEMA || pg_current_xact_id();
BEGIN
    IF current_setting('mortise.renewed', true) IS DISTINCT FROM mark THEN
        EXECUTE format('UPDATE %I.epoch SET id = gen_random_uuid()', TG_TABLE_SCHEMA);
        PERFORM set_config('mortise.renewed', mark, true);
    END IF;
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER renew_epoch AFTER INSERT OR UPDATE OR DELETE ON {table}
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION control.renew_epoch()
"""
"""Deferred: whoever changes people meets others who do only in the moment of the commit."""


class Known:
    """The facts that one transaction reads and adds to: shared with others until it changes one of them itself."""

    def __init__(self, facts: dict[Any, Any] | None = None) -> None:
        self.facts = {} if facts is None else facts

    def leave(self) -> None:
        """From now on nothing is shared: what this transaction has changed is there for nobody else before it commits."""
        self.facts = {}


_latest: dict[UUID, tuple[UUID, dict[Any, Any]]] = {}


def of(workspace: UUID, epoch: UUID | None) -> Known:
    """What is known of a workspace in this epoch."""
    if epoch is None:
        return Known()
    kept = _latest.get(workspace)
    if kept is None or kept[0] != epoch:
        if len(_latest) >= MOST:
            _latest.clear()
        kept = _latest[workspace] = (epoch, {})
    return Known(kept[1])


@event.listens_for(Engine, "before_execute")
def _notice(conn: Connection, statement: Any, *rest: Any) -> None:
    """A transaction leaves what is shared as soon as it changes a watched table."""
    if isinstance(statement, UpdateBase) and statement.table in WATCHED and (known := conn.info.get(Known)):
        known.leave()


def watch(conn: Connection) -> None:
    """Give the workspace whose schema is bound its epoch, and the triggers that renew it."""
    conn.execute(text("INSERT INTO epoch SELECT gen_random_uuid() WHERE NOT EXISTS (SELECT FROM epoch)"))
    for table in WATCHED:
        conn.exec_driver_sql(f"DROP TRIGGER IF EXISTS renew_epoch ON {table.name}")
        conn.exec_driver_sql(TRIGGER.format(table=table.name))
