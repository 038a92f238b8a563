"""Serial numbers: drawn from counters that are locked as they are raised, so that no number is given twice."""

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from runtime import models
from runtime.context import Context
from runtime.tables import LiveTable
from schemas.fields.serial import Serial


def draw(ctx: Context, live: LiveTable, field: Serial, count: int) -> list[str]:
    """The next `count` numbers of a serial field, in order. A transaction that fails leaves a gap."""
    today = ctx.today
    c = models.serial_counter
    first = field.counter.start
    values = {
        "installation_id": live.inst.id, "path": f"{live.id}.{field.id}", "period": field.period(today), "last": first + count - 1,
    }  # fmt: skip
    raised = insert(c).values(values)
    raised = raised.on_conflict_do_update(
        index_elements=[c.c.installation_id, c.c.path, c.c.period],
        set_={"last": func.greatest(c.c.last, first - 1) + count},
    )
    last = ctx.conn.scalar(raised.returning(c.c.last)) or 0
    return [field.compose(number, today) for number in range(last - count + 1, last + 1)]
