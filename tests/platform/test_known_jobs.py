"""Who enqueues a job must know it: the web server does, without a worker beside it."""

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from runtime.settings import Settings
from wsgi import create_app
create_app(Settings.read({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "MORTISE_DATA": sys.argv[1]}))
from runtime.jobs import JOBS
print(*sorted(JOBS))
"""


def test_the_web_server_knows_the_jobs_that_publishing_leaves(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=True)
    assert {"build_indexes", "recalculate", "import_records"} <= set(run.stdout.split())
