"""The `mortise` command. Every sub-command is a small function that calls the room which does the work."""

import argparse
import getpass
import logging
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from runtime.resources import VERSION
from runtime.settings import BadSetting, Settings, described_settings
from schemas.messages import say

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from builder.upgrading import Plan
    from runtime.context import Context
    from schemas.flow import Flow

START = """\
Mortise: forms, tables, approvals and dashboards, without code.

  mortise serve                      start everything, on http://127.0.0.1:8000
  mortise serve --first expense      the same, with an app and sample data to try
  mortise workspace add acme "Acme"  make a workspace, one organisation's data
  mortise user add ada@example.org   let somebody in
  mortise install my-app/            install an app
  mortise upgrade my_app my-app/     upgrade an installed app; what was changed here stays
  mortise check my-app/              say everything that is wrong with an app
  mortise formula < cases.jsonl      try formulas, a line of JSON each
  mortise flow scenario.json         play a flow, and see how it stands after each event
  mortise backup today.zip           keep everything in one file
  mortise doctor                     say how this installation is

Settings come from the environment; `mortise settings` lists them all.
"""


class Refused(Exception):
    """A command that cannot be done; the text says why and how to go on."""


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run = Callable[[Settings, argparse.Namespace], int]


# serve and worker


def serve(settings: Settings, options: argparse.Namespace) -> int:
    """Serve web pages and do jobs, until Ctrl-C or SIGTERM.

    Starts the embedded PostgreSQL unless DATABASE_URL is set. In production put a web server with
    TLS in front, set MORTISE_URL to the public address and MORTISE_PROXIES to 1.
    """
    from runtime.processes import announce, refuse_taken_port, supervise, web_command
    from runtime.server import running, start_if_stopped

    refuse_taken_port(settings)
    with running(settings) as url:
        prepare(url)
        welcome = first_start(url, options.first) if options.first else ""
        commands = {"web server": web_command(settings, options.access_log)}
        if not options.no_worker:
            commands["worker"] = [sys.executable, "-m", "cli", "worker"]
        watch = partial(start_if_stopped, settings)
        return supervise(commands, ready=partial(announce, settings, welcome), watch=watch)


def first_start(url: str, app: str) -> str:
    """Fill a new installation with a bundled app and sample data; says who can sign in."""
    from builder.trial import begin, told
    from runtime.workspaces import connect

    engine = connect(url)
    try:
        return told(begin(engine, app))
    finally:
        engine.dispose()


def prepare(url: str) -> None:
    """Make or update what all workspaces share."""
    from runtime import jobs, workspaces

    engine = workspaces.connect(url)
    workspaces.prepare(engine)
    with engine.begin() as conn:
        jobs.install_jobs(conn)
    engine.dispose()


def worker(settings: Settings, options: argparse.Namespace) -> int:
    """Do jobs: mail, timers, imports, recalculation. As many workers as wanted may run, anywhere."""
    from runtime import jobs
    from runtime.server import running

    with running(settings) as url:
        prepare(url)
        jobs.load_rooms()
        jobs.run_worker(url, concurrency=settings.jobs, queues=options.queue)
    return 0


# Workspaces and people


@contextmanager
def database(settings: Settings) -> "Iterator[Engine]":
    """An engine on the running (or just started) and prepared database."""
    from runtime.server import running
    from runtime.workspaces import connect

    with running(settings) as url:
        prepare(url)
        engine = connect(url)
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def workspace_context(settings: Settings, slug: str | None) -> "Iterator[Context]":
    """A transaction in the workspace of this short name, or in the only one there is."""
    from runtime import workspaces

    with database(settings) as engine:
        with engine.connect() as conn:
            known = {workspace.slug: workspace for workspace in workspaces.all_workspaces(conn)}
        if slug is None and len(known) == 1:
            [slug] = known
        if slug not in known:
            names = ", ".join(known) or "none yet; make one with: mortise workspace add acme Acme"
            raise Refused(f"Name a workspace with --workspace. There are: {names}")
        with workspaces.opened(engine, known[slug], origin="command") as ctx:
            yield ctx


def workspace_add(settings: Settings, options: argparse.Namespace) -> int:
    """Make a workspace: the isolated data of one organisation."""
    from runtime import workspaces

    with database(settings) as engine:
        try:
            workspaces.create(engine, options.slug, options.title, options.zone, options.language)
        except (ValueError, KeyError) as err:
            raise Refused(f"The workspace was not made: {err}.") from err
    print(f"Workspace {options.slug} is there. Let somebody in: mortise user add NAME@EXAMPLE.ORG --admin")
    return 0


def user_add(settings: Settings, options: argparse.Namespace) -> int:
    """Let a person into a workspace, with a password asked for (or made up, without a terminal).

    Who has an account already, in another workspace, keeps name and password.
    """
    from runtime import accounts, membership, people

    with workspace_context(settings, options.workspace) as ctx:
        account = accounts.find_account(ctx.conn, options.email)
        name, password = options.name or options.email.split("@")[0], ""
        if account is None:
            password = chosen_password()
            account = accounts.add_account(ctx.conn, options.email, name, password)
        accounts.join(ctx.conn, account, ctx.workspace.id)
        if not membership.adopt(ctx, options.email, account, options.admin):
            people.add_member(ctx, name, email=options.email, account_id=account, admin=options.admin)
        where = ctx.workspace.title
    print(f"{name} may sign in to {where} as {options.email}.")
    if password and not sys.stdin.isatty():
        print(f"Password: {password}")
    return 0


def chosen_password() -> str:
    if not sys.stdin.isatty():
        return secrets.token_urlsafe(12)
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise Refused("The two passwords differ. Nobody was added.")
    return password


# Apps


def install(settings: Settings, options: argparse.Namespace) -> int:
    """Install an app: a folder, a zip file, or the name of one that comes with Mortise.

    With --sample its sample data too, people and records, to try it out. --slot and --role say who is who in
    it, by e-mail address or name: --slot director=ada@example.org --role finance="Grace Hopper".
    """
    from builder import bundle

    source = bundle.bundled().get(options.app, Path(options.app))
    sample = bundle.sample_in(source) if options.sample else None
    package = bundle.read(source)
    with workspace_context(settings, options.workspace) as ctx:
        slots = bundle.slots_named(ctx, package, pairs("--slot", options.slot))
        installed = bundle.install(ctx, package, options.slug, slots, sample)
        bundle.give_roles(ctx, installed, pairs("--role", options.role))
        where = ctx.workspace.title
    print(f"{installed.slug} is installed in {where}.")
    return 0


def upgrade(settings: Settings, options: argparse.Namespace) -> int:
    """Upgrade an installed app to a newer package: a folder, a zip file, or the name of one that comes with Mortise.

    What was changed here stays; what both sides changed stays as it is here unless --theirs names it (or says all).
    No record and no value is ever deleted. With --dry-run only the plan is printed.
    """
    from builder import bundle, drafts, upgrading

    package = bundle.read(bundle.bundled().get(options.package or options.app, Path(options.package or options.app)))
    with workspace_context(settings, options.workspace) as ctx:
        draft = drafts.open_draft(ctx, options.app)
        first = upgrading.plan(ctx, draft, package, {})
        asked = {item.key for item in first.merge.items if item.asks}
        if strange := [path for path in options.theirs if path != "all" and path not in asked]:
            raise Refused(f"The plan asks nothing about {', '.join(strange)}. See: mortise upgrade --dry-run")
        choices = dict.fromkeys(asked if "all" in options.theirs else options.theirs, "theirs")
        choices |= dict.fromkeys(options.keep, "yours")
        plan = upgrading.plan(ctx, draft, package, choices)
        print_plan(plan)
        if options.dry_run:
            return 0
        upgrading.upgrade(ctx, options.app, package, choices)
        where = ctx.workspace.title
    print(f"{options.app} is upgraded to version {plan.after} in {where}.")
    return 0


def print_plan(plan: "Plan") -> None:
    """One line for everything that an upgrade does; what can be settled with its path."""
    from builder.upgrading import words_of

    for line in plan.lines:
        settled = f" -> {line.item.chosen}" if line.item.asks else ""
        print(f"{line.item.kind:8}  {line.item.key}  ({words_of(line)}){settled}")
    for problem in plan.problems:
        print(f"{problem.severity}: {problem}")
    print(f"{len(plan.lines)} items, {len(plan.merge.conflicts)} conflicts; {plan.kept} changes made here are kept.")


def pairs(option: str, said: Sequence[str]) -> list[tuple[str, str]]:
    """`name=value` as two."""
    for one in said:
        if "=" not in one:
            raise Refused(f"{option} {one!r} is not name=value.")
    return [(one.partition("=")[0], one.partition("=")[2]) for one in said]


def import_file(settings: Settings, options: argparse.Namespace) -> int:
    """Import a CSV or Excel file into a table, or members and departments from one.

    MAPPING is a JSON file: a field's path, then {"column": heading, "match": field of the linked table, "values": {said: meant}}.
    Without a mapping the columns that bear a field's name are taken. With --people it is {"name": heading, "department": heading, ...}.
    With --key no (several times for a combination) rows find the records that are there: --mode says what becomes of
    those found and those not, --blank what an empty cell does. Lines with one key are one record.
    """
    import json

    from runtime import importing, importing_people
    from runtime.definitions import installed
    from runtime.sheets import read_sheet
    from runtime.tables import live
    from schemas import importing as mappings

    sheet = read_sheet(options.file.read_bytes(), options.file.name, options.encoding or "")
    wanted = json.loads(options.map.read_text("utf-8")) if options.map else None
    with workspace_context(settings, options.workspace) as ctx:
        if options.into == "people":
            columns = wanted or importing_people.suggest(sheet.headings)
            came = importing_people.import_people(ctx, sheet, columns, options.dry_run)
            print(
                f"{len(came.members)} new members, {len(came.departments)} new departments, {came.known} known already."
            )
            return 0
        app, _, name = options.into.partition(".")
        table = live(ctx, installed(ctx, app), name)
        by = importing.matching_of(
            {"key": options.key, "mode": options.mode, "blank": options.blank} if options.key else None
        )
        key = by.key if by else ()
        chosen = importing.mappings_of(wanted) if wanted else importing.suggest(table, sheet.headings, key)
        if wrong := list(mappings.problems(chosen, table.table, sheet.headings, by)):
            raise Refused("Nothing was imported: " + "; ".join(str(problem.message) for problem in wrong) + ".")
        run = importing.trial if options.dry_run else importing.run_now
        report = run(ctx, table, sheet, chosen, by)
    print(f"{report.sound} of {report.total} rows {'can be' if options.dry_run else 'were'} imported.")
    if by:
        told = ", ".join(f"{report.counts[what]} {what}" for what in ("added", "changed", "unchanged"))
        print(f"Records: {told}. Refused rows: {report.refused}, of which ambiguous: {report.counts['ambiguous']}.")
    for trouble in report.sorted():
        hint = f" (did you mean {trouble.nearest!r}?)" if trouble.nearest else ""
        print(f"  {trouble.count:6} x {trouble.path}: {trouble.message} {trouble.value!r}{hint}, lines {trouble.rows}")
    return 0 if report.sound == report.total else 1


def export(settings: Settings, options: argparse.Namespace) -> int:
    """Write an app as it is published into a folder, or a zip file when the name ends in .zip.

    With --data its records too, in the form of sample data: `mortise install --sample` writes them elsewhere.
    Attachments do not come along; numbers and calculations are made anew.
    """
    from builder import bundle, datapack
    from schemas.errors import NotFound

    with workspace_context(settings, options.workspace) as ctx:
        try:
            package = bundle.export(ctx, options.app)
            data = datapack.export(ctx, options.app) if options.data_too else None
        except NotFound as err:
            raise Refused(f"There is no app {options.app!r} in {ctx.workspace.title}.") from err
    if options.target.suffix == ".zip":
        options.target.write_bytes(bundle.zipped(package, data))
    else:
        bundle.write(package, options.target, data)
    print(f"{options.target} holds {options.app}.")
    return 0


def check(settings: Settings, options: argparse.Namespace) -> int:
    """Say everything that is wrong with an app, with its place; the exit status is 1 if anything is.

    The app is a folder, a zip file, one JSON file that holds all of it, or the name of a bundled one.
    """
    from builder import bundle
    from builder.check import problems_of

    found = problems_of(bundle.bundled().get(str(options.app), options.app))
    for problem in found:
        print(f"{problem.severity}: {problem}")
    errors = sum(problem.severity == "error" for problem in found)
    print(f"{errors} errors, {len(found) - errors} warnings" if found else "Nothing is wrong.")
    return 1 if errors else 0


# Backup


def formula(settings: Settings, options: argparse.Namespace) -> int:
    """Evaluate formulas that come as lines of JSON on standard input, one answer a line.

    {"formula": "=A1*2", "values": {"A1": 1.5}, "now": "2026-11-25T08:00:00Z"}  gives  {"value": 3.0}
    A date is {"date": "2024-02-29"}, a moment {"datetime": "2024-02-29T08:00"}, a range a list of lists; "zone" names
    the time zone. What has no value gives its error: {"error": "#DIV/0!"}.
    """
    from schemas.formula.lines import answer

    for line in sys.stdin:
        if line.strip():
            print(answer(line, datetime.now(UTC), options.excel), flush=True)
    return 0


def flow(settings: Settings, options: argparse.Namespace) -> int:
    """Play a flow without a database: a scenario in JSON, and how the flow stands after each of its events.

    Prints state, tokens, tasks and log after each event; 1 is returned when something is not as expected.
    """
    from schemas.engine.rehearsal import Rehearsal, report, scenarios
    from schemas.errors import BadValue
    from schemas.source import read_json

    wrong = 0
    try:
        for scenario in scenarios(read_json(options.file.read_bytes(), NO_SCENARIO)):
            play = Rehearsal(scenario, flow_in(options.app, scenario))
            if play.name:
                print(f"# {play.name}")
            for step in play.play():
                wrong += len(step.unexpected)
                if not options.quiet or step.unexpected:
                    print("\n".join(report(play, step)), flush=True)
    except (BadValue, OSError) as err:
        raise Refused(str(err)) from err
    if wrong:
        complain(f"{wrong} not as expected", 1)
    return 1 if wrong else 0


NO_SCENARIO = say("The file is not JSON with a scenario; see: mortise flow --help")


def flow_in(app: Path | None, scenario: object) -> "Flow | None":
    """The flow that a scenario names by its id, in an app's folder; None when it holds its own."""
    from builder import bundle
    from schemas.app import App
    from schemas.options import load

    named = scenario.get("flow") if isinstance(scenario, dict) else None
    if not isinstance(named, str):
        return None
    if app is None:
        raise Refused("The scenario names a flow by its id: say in which app with --app FOLDER.")
    found = load(App, bundle.read(bundle.bundled().get(str(app), app))).flow(named)
    if found is None:
        raise Refused(f"There is no flow '{named}' in {app}.")
    return found


def backup(settings: Settings, options: argparse.Namespace) -> int:
    """Write database and files into one file, while people go on working.

    It holds passwords' hashes and everybody's data: keep it where only you can read it.
    """
    from runtime.backup import backup
    from runtime.server import running

    with running(settings) as url:
        manifest = backup(settings, url, options.file, options.workspace, options.force)
        note_backup(url, "workspace.backed_up", manifest.slugs)
    size = options.file.stat().st_size / 1e6
    held = ", ".join(manifest.slugs) or "no workspace"
    print(f"{options.file} ({size:.1f} MB) holds: {held}; {manifest.files} files")
    return 0


def note_backup(url: str, kind: str, slugs: Sequence[str]) -> None:
    """In the trail of every workspace that the file holds; an older layout has none yet."""
    from runtime import audit, workspaces

    engine = workspaces.connect(url)
    try:
        with engine.begin() as conn:
            known = [w for w in workspaces.all_workspaces(conn) if w.slug in slugs] if audit.kept(conn) else []
            for workspace in known:
                audit.note_server(conn, kind, workspace.slug, workspace.id)
    finally:
        engine.dispose()


def restore(settings: Settings, options: argparse.Namespace) -> int:
    """Bring back what a backup holds: everything, or the one workspace that is in it.

    All or nothing. What exists is replaced only with --force. Stop `mortise serve` first.
    """
    from runtime import audit_trail
    from runtime.backup import restore
    from runtime.server import running

    with running(settings) as url:
        prepare(url)
        manifest = restore(settings, url, options.file, options.force)
        prepare(url)
        audit_trail.forget_anchors(settings, {"control", *manifest.schemas} if manifest.whole else {*manifest.schemas})
        note_backup(url, "workspace.restored", manifest.slugs)
    print(f"Restored {', '.join(manifest.slugs) or 'no workspace'}, as of {manifest.made_at}.")
    return 0


# Assistants


def mcp(settings: Settings, options: argparse.Namespace) -> int:
    """Let an assistant work with records by the Model Context Protocol, with the rights of a token (MORTISE_TOKEN).

    It speaks on standard input and output; with --http it listens, and every caller sends a token of their own.
    It reads and writes records and proposes changes of apps as drafts; it never publishes.
    """
    from importlib.util import find_spec

    from runtime import assistants

    token = os.environ.get("MORTISE_TOKEN", "")
    if find_spec("mcp") is None:
        print("Install what this needs: pip install 'mortise[mcp]'", file=sys.stderr)
        return 1
    if not token and not options.http:
        print("Set MORTISE_TOKEN to a token made on the page of API tokens.", file=sys.stderr)
        return 1
    assistants.run(options.url or settings.public_url, token, http=options.http, host=options.host, port=options.port)
    return 0


# Looking


def show_settings(settings: Settings, options: argparse.Namespace) -> int:
    """List every setting: its name in the environment, its default, what it means, and what is set."""
    for known in described_settings():
        present = os.environ.get(known.name, "")
        shown = "(set, not shown)" if present and known.private else present
        print(f"{known.name}{f' = {shown}' if shown else ''}\n    {known.meaning}")
        print(f"    Default: {known.default or 'empty'}")
    return 0


def doctor(settings: Settings, options: argparse.Namespace) -> int:
    """Say how this installation is; the exit status is 1 if something needs you.

    With --recalculate it also works stored calculations out anew and tells those that differ: of a sample of each
    table's records, or with `--recalculate all` of all of them. Nothing is changed.
    """
    from runtime.health import examine

    findings = examine(settings, options.recalculate)
    for finding in findings:
        print(f"{'ok  ' if finding.well else 'LOOK'}  {finding.text}")
    return 0 if all(finding.well for finding in findings) else 1


# The command line


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("mortise", description=START, formatter_class=argparse.RawTextHelpFormatter)
    top.add_argument("--version", action="version", version=f"Mortise {VERSION}")
    top.add_argument("--data", type=Path, metavar="FOLDER", help="data folder, instead of MORTISE_DATA")
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    s = command(commands, "serve", serve)
    s.add_argument("--port", help="instead of MORTISE_PORT")
    s.add_argument("--host", help="instead of MORTISE_HOST; 0.0.0.0 for everybody")
    s.add_argument("--first", metavar="APP", help="fill a new installation with this app and its sample data")
    s.add_argument("--no-worker", action="store_true", help="jobs are done by `mortise worker` elsewhere")
    s.add_argument("--access-log", action="store_true", help="print a line for every request")
    m = command(commands, "mcp", mcp)
    m.add_argument("--url", help="where Mortise is; MORTISE_URL, or this machine, when not given")
    m.add_argument("--http", action="store_true", help="listen (streamable HTTP) instead of standard input and output")
    m.add_argument("--host", default="127.0.0.1", help="to listen on")
    m.add_argument("--port", type=int, default=8765, help="to listen on")
    w = command(commands, "worker", worker)
    w.add_argument("--queue", action="append", help="only jobs of this queue; may be repeated")

    spaces = group(commands, "workspace", "Workspaces of this installation.")
    a = command(spaces, "add", workspace_add)
    a.add_argument("slug", help="short name of a-z, 0-9 and -")
    a.add_argument("title")
    a.add_argument("--zone", default="Asia/Shanghai", help="its time zone (%(default)s)")
    a.add_argument("--language", default="zh", choices=["zh", "en"])
    users = group(commands, "user", "People who may sign in.")
    u = command(users, "add", user_add)
    u.add_argument("email")
    u.add_argument("--name")
    u.add_argument("--workspace", metavar="SLUG", help="needed when there are several")
    u.add_argument("--admin", action="store_true", help="may build apps and sees everything")

    i = command(commands, "install", install)
    i.add_argument("app", metavar="FOLDER|ZIP|NAME")
    i.add_argument("--slug", help="short name in addresses, instead of the app's own")
    i.add_argument("--workspace", metavar="SLUG", help="needed when there are several")
    i.add_argument("--sample", action="store_true", help="with its sample data, from a folder or bundled app")
    i.add_argument(
        "--slot", action="append", default=[], metavar="NAME=WHO", help="who fills a slot of the app; may be repeated"
    )
    i.add_argument(
        "--role", action="append", default=[], metavar="NAME=WHO", help="who has a role in it; may be repeated"
    )
    n = command(commands, "upgrade", upgrade)
    n.add_argument("app", help="short name of the installed app")
    n.add_argument(
        "package",
        nargs="?",
        default="",
        metavar="FOLDER|ZIP|NAME",
        help="the newer package; its own name when left out",
    )
    n.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")
    n.add_argument(
        "--theirs", action="append", default=[], metavar="PATH", help="take the new version's side; all for every one"
    )
    n.add_argument("--keep", action="append", default=[], metavar="PATH", help="keep what the new version takes away")
    n.add_argument("--workspace", metavar="SLUG", help="needed when there are several")
    f = command(commands, "import", import_file)
    f.add_argument("into", metavar="APP.TABLE|people")
    f.add_argument("file", type=Path)
    f.add_argument("--map", type=Path, metavar="MAPPING")
    f.add_argument("--encoding", choices=["utf-8", "gb18030"])
    f.add_argument("--key", action="append", default=[], metavar="FIELD", help="find records by this; may be repeated")
    f.add_argument(
        "--mode", choices=["both", "update", "add"], default="both", help="with --key: change and add (both)"
    )
    f.add_argument(
        "--blank", choices=["keep", "clear"], default="keep", help="with --key: what an empty cell does (keep)"
    )
    f.add_argument("--dry-run", action="store_true", help="only say what would be imported")
    f.add_argument("--workspace", metavar="SLUG", help="needed when there are several")
    e = command(commands, "export", export)
    e.add_argument("app", help="short name of the installed app")
    e.add_argument("target", type=Path, metavar="FOLDER|ZIP")
    e.add_argument("--data", dest="data_too", action="store_true", help="with its records")
    e.add_argument("--workspace", metavar="SLUG", help="needed when there are several")
    c = command(commands, "check", check)
    c.add_argument("app", type=Path, metavar="FOLDER|ZIP|FILE|NAME")
    m = command(commands, "formula", formula)
    m.add_argument("--excel", action="store_true", help='blanks compare as in Excel: equal to 0, "" and FALSE')
    w = command(commands, "flow", flow)
    w.epilog = scenario_format()
    w.add_argument("file", type=Path, metavar="FILE")
    w.add_argument("--app", type=Path, metavar="FOLDER|ZIP|FILE|NAME", help="where a flow named by its id is found")
    w.add_argument("--quiet", action="store_true", help="print only what is not as expected")
    for name, run in (("backup", backup), ("restore", restore)):
        b = command(commands, name, run)
        b.add_argument("file", type=Path)
        b.add_argument("--force", action="store_true", help="replace what exists")
        if name == "backup":
            b.add_argument("--workspace", metavar="SLUG", help="only this one")
    d = command(commands, "doctor", doctor)
    d.add_argument(
        "--recalculate", nargs="?", const="sample", choices=["sample", "all"],
        help="work stored calculations out anew, of a sample of records or of all, and tell what differs",
    )  # fmt: skip
    command(commands, "settings", show_settings)
    return top


def scenario_format() -> str:
    from schemas.engine.rehearsal import FORMAT

    return FORMAT


def command(commands: Commands, name: str, run: Run) -> argparse.ArgumentParser:
    """A sub-command whose help is its function's docstring."""
    words = (run.__doc__ or "").replace("\n    ", "\n")
    style = argparse.RawDescriptionHelpFormatter
    made = commands.add_parser(name, help=words.splitlines()[0], description=words, formatter_class=style)
    made.set_defaults(run=run)
    return made


def group(commands: Commands, name: str, words: str) -> Commands:
    made = commands.add_parser(name, help=words, description=words)
    return made.add_subparsers(metavar="COMMAND", required=True)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    for option in ("data", "port", "host"):
        if getattr(options, option, None):
            # In the environment, so that web server and worker see it too.
            os.environ[f"MORTISE_{option.upper()}"] = str(getattr(options, option))
    try:
        status: int = options.run(Settings.read(), options)
        return status
    except BadSetting as err:
        return complain(f"{err}\nSee: mortise settings", 2)
    except KeyboardInterrupt:
        return 130
    except Exception as err:
        if not expected(err):
            raise
        return complain(str(err), 1)


def expected(err: Exception) -> bool:
    """Whether the error's own words tell a person what to do."""
    from psycopg import OperationalError
    from sqlalchemy.exc import OperationalError as WrappedError

    from runtime.backup import BackupError
    from runtime.processes import PortTaken
    from runtime.programs import ServerError
    from schemas.errors import DefinitionError, InvalidInput, NotFound

    ours = (Refused, PortTaken, BackupError, ServerError, DefinitionError, InvalidInput, NotFound)
    return isinstance(err, (*ours, OperationalError, WrappedError, PermissionError))


def complain(text: str, status: int) -> int:
    print(f"mortise: {text}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
