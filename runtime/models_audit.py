"""What was done, by whom, when and from where: rows that are only ever added, each sealed with the one before.

The database seals them itself when the transaction commits: whoever writes, and with whatever program.
"""

from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, MetaData, Table, Text, Uuid, event, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from runtime.models import control_metadata, moment, workspace_metadata

KEPT_AT_LEAST = 90
"""Days in which no retention takes an event away."""


def _trail(metadata: MetaData, *more: Column[object]) -> Table:
    return Table(
        "audit",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("number", BigInteger, unique=True, comment="place in the chain, given when the transaction commits"),
        moment("at", nullable=False, index=True),
        Column("kind", Text, nullable=False),
        Column("actor_kind", Text, nullable=False),
        Column("actor_id", Uuid),
        Column("actor_name", Text, nullable=False),
        Column("address", Text),
        Column("agent", Text),
        Column("origin", Text),
        Column("about", Text, nullable=False, comment="what it was done to, as it was called then"),
        Column("about_id", Text),
        Column("details", JSONB, nullable=False),
        Column("previous", LargeBinary, comment="hash of the event before"),
        Column("hash", LargeBinary, comment="SHA-256 of everything above"),
        *more,
    )


workspace_audit = _trail(workspace_metadata)
control_audit = _trail(control_metadata, Column("workspaces", ARRAY(Uuid), comment="whose administrators may read it"))
Index("audit_workspaces", control_audit.c.workspaces, postgresql_using="gin")

SEALED = (
    "jsonb_build_array({number}, encode({previous}, 'hex'), a.id, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),"
    " a.kind, a.actor_kind, a.actor_id, a.actor_name, a.address, a.agent, a.origin, a.about, a.about_id, a.details)::text"
)
"""What a hash is taken of, as text of JSON; the placeholders are the place in the chain and the hash before."""

SEAL = """
CREATE OR REPLACE FUNCTION "{schema}".audit_seal() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE place bigint; last bytea;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(TG_TABLE_SCHEMA || '.audit', 0));
  EXECUTE format('SELECT number + 1, hash FROM %I.audit WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1',
                 TG_TABLE_SCHEMA) INTO place, last;
  EXECUTE format($do$UPDATE %I.audit a SET number = $1, previous = $2, hash = sha256(convert_to({sealed}, 'UTF8'))
                 WHERE a.id = $3$do$, TG_TABLE_SCHEMA) USING coalesce(place, 1), coalesce(last, ''), NEW.id;
  RETURN NULL;
END $body$
"""
GUARD = """
CREATE OR REPLACE FUNCTION "{schema}".audit_guard() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.number := NULL; NEW.previous := NULL; NEW.hash := NULL;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF OLD.number IS NULL AND NEW.number IS NOT NULL
       AND to_jsonb(OLD) - '{{number,previous,hash}}'::text[] = to_jsonb(NEW) - '{{number,previous,hash}}'::text[] THEN
      RETURN NEW;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF current_setting('mortise.audit_retention', true) = 'on' AND OLD.at < now() - interval '{days} days' THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit trail is only added to' USING ERRCODE = 'insufficient_privilege';
END $body$
"""
TRIGGERS = (
    'CREATE CONSTRAINT TRIGGER audit_seal AFTER INSERT ON "{schema}".audit DEFERRABLE INITIALLY DEFERRED'
    ' FOR EACH ROW EXECUTE FUNCTION "{schema}".audit_seal()',
    'CREATE TRIGGER audit_guard BEFORE INSERT OR UPDATE OR DELETE ON "{schema}".audit'
    ' FOR EACH ROW EXECUTE FUNCTION "{schema}".audit_guard()',
    'CREATE TRIGGER audit_stays BEFORE TRUNCATE ON "{schema}".audit'
    ' FOR EACH STATEMENT EXECUTE FUNCTION "{schema}".audit_guard()',
)


def _guarded(table: Table, conn: Connection, **_: object) -> None:
    """Functions and triggers stand in the schema of their table, so that a backup of it holds them."""
    schema = table.schema or conn.scalar(text("SELECT current_schema()"))
    sealed = SEALED.format(number="$1", previous="$2")
    made = [SEAL.format(schema=schema, sealed=sealed), GUARD.format(schema=schema, days=KEPT_AT_LEAST)]
    for statement in (*made, *(trigger.format(schema=schema) for trigger in TRIGGERS)):
        conn.exec_driver_sql(statement, execution_options={"no_parameters": True})


for made in (workspace_audit, control_audit):
    event.listen(made, "after_create", _guarded)
