"""The API's door to documents: a record as a file, by a print template or without one."""

from typing import Any

from flask import request

from runtime import api, documents
from runtime.api_writing import record_id
from runtime.context import Context
from runtime.documents import Made
from runtime.web.api_edge import BASE, blueprint, worked
from runtime.web.files import storage
from runtime.web.printing import sent

bp = blueprint("printing")


@bp.get(f"{BASE}/apps/<app>/tables/<table>/records/<record>/document")
def document(app: str, table: str, record: str) -> Any:
    """A record as a PDF, or a Word or Excel file filled in."""

    def story(ctx: Context) -> Made:
        source = api.table_of(ctx, app, table)
        template = documents.template(ctx, source, request.args.get("template", ""))
        return documents.make(ctx, storage(), source, [record_id(record)], template)

    return sent(worked(story))
