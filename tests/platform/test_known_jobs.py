"""Who enqueues a job must know it: the web server does, without a worker beside it, and so does the first day."""

import subprocess
import sys
from pathlib import Path

SERVER = """
import sys
from runtime.settings import Settings
from wsgi import create_app
create_app(Settings.read({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "MORTISE_DATA": sys.argv[1]}))
from runtime.jobs import JOBS
print(*sorted(JOBS))
"""
FIRST_DAY = """
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from builder import bundle, trial
try:
    trial.begin(create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"), *sorted(bundle.bundled())[:1])
except OperationalError:
    from runtime.jobs import JOBS
    print(*sorted(JOBS))
"""


def known(code: str, *arguments: str) -> set[str]:
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_web_server_knows_the_jobs_that_publishing_and_purging_leave(tmp_path: Path) -> None:
    assert {"build_indexes", "recalculate", "import_records", "remove_released_files"} <= known(SERVER, str(tmp_path))


def test_the_first_day_knows_every_job_before_it_installs_anything() -> None:
    assert {"build_indexes", "recalculate", "webhooks.send", "flow_clock", "mail.send"} <= known(FIRST_DAY)
