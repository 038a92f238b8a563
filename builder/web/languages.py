"""The texts of an app by language: a page to fill them in, and a file for a translator."""

import io
from typing import Any

from flask import Blueprint, render_template, request, send_file

from builder import drafts, languages
from builder.parts import Parts
from builder.web.apps import CHANGED, about, counter_sent, designer
from runtime.web.edge import go, tell, work
from runtime.web.frame import frame
from schemas.errors import Conflict, InvalidInput, NotFound
from schemas.messages import say
from schemas.text import LANGUAGES

bp = Blueprint("build_languages", __name__)
LARGEST = 5_000_000


def _language() -> str:
    code = request.values.get("language", "en")
    if code not in LANGUAGES:
        raise NotFound
    return code


@bp.get("/build/<app>/languages")
def index(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        grouped = languages.parts_of(languages.labels(draft.package))
        chosen = request.args.get("part", "")
        chosen = chosen if chosen in grouped else next(iter(grouped), "")
        code = _language()
        missing = {
            key: sum(not one.words.get(code) and not one.words.get("") for one in found)
            for key, found in grouped.items()
        }
        frame(ctx)
        return render_template(
            "builder/languages.html", grouped=grouped, chosen=chosen, code=code, codes=LANGUAGES, missing=missing,
            **about(ctx, draft),
        )  # fmt: skip


@bp.post("/build/<app>/languages")
def save(app: str) -> Any:
    """Take over what was filled in on the page."""
    texts = {n.removeprefix("text:"): v for n, v in request.form.items() if n.startswith("text:")}
    count, _ = _take(app, texts)
    tell(say("{n} texts were changed in the draft.", n=count))
    return go(f"/build/{app}/languages?language={_language()}&part={request.form.get('part', '')[:90]}")


@bp.get("/build/<app>/languages/file")
def export(app: str) -> Any:
    """Everything that the app says, as a file for a translator."""
    code = _language()
    with work() as ctx:
        designer(ctx)
        body = languages.to_csv(drafts.open_draft(ctx, app).package, code)
    return send_file(io.BytesIO(body), mimetype="text/csv", as_attachment=True, download_name=f"{app}-{code}.csv")


@bp.post("/build/<app>/languages/file")
def take(app: str) -> Any:
    """Take over a translator's file."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput({"file": [say("Choose the file of texts.")]})
    count, strange = _take(app, languages.from_csv(file.read(LARGEST)))
    tell(say("{n} texts were changed in the draft.", n=count))
    if strange:
        tell(say("{n} lines name nothing in this app: {first}", n=len(strange), first=strange[0][:100]), "warn")
    return go(f"/build/{app}/languages?language={_language()}")


def _take(app: str, texts: dict[str, str]) -> tuple[int, list[str]]:
    code = _language()
    made: dict[str, Any] = {}

    def change(parts: Parts) -> Parts:
        parts, made["count"], made["strange"] = languages.translated(parts, code, texts)
        return parts

    try:
        with work() as ctx:
            designer(ctx)
            drafts.edit(ctx, app, counter_sent(), say("Texts in {language}", language=code), change)
    except Conflict as err:
        raise InvalidInput({"": [CHANGED]}) from err
    return made["count"], made["strange"]
