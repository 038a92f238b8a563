"""Starts an installed Mortise on a free port, looks at a few of its pages, and stops it."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

PAGES = ("/healthz", "/static/css/app.css", "/sign-in")
PATIENCE = 180


def main(mortise: str, data: str) -> None:
    import runtime

    assert "site-packages" in str(runtime.__path__[0]), "this is the source tree, not the installed copy"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([mortise, "--data", data, "serve", "--port", str(port)])
    try:
        wait_for(port)
        for page in PAGES:
            with urlopen(f"http://127.0.0.1:{port}{page}", timeout=20) as response:
                print(response.status, page, len(response.read()), "bytes")
    finally:
        server.send_signal(signal.SIGINT)
        status = server.wait(90)
    if status:
        sys.exit("It did not stop cleanly.")
    if list(Path(data).glob("postgres/cluster/postmaster.pid")):
        sys.exit("It left its database running.")


def wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                sys.exit("It does not answer.")
            time.sleep(0.2)


if __name__ == "__main__":
    main(*sys.argv[1:])
