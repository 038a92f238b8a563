"""Counts in open browsers, kept up to date: one thread in a process holds the connections of all of them.

A browser's request is answered by the web server with the head of an endless answer; then its connection is taken
from the server, so that it keeps no thread. What changes is heard from the database, whoever changed it and where.
"""

import json
import logging
import os
import selectors
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from runtime import accounts, tasks, workspaces
from runtime.actors import Member
from runtime.context import Workspace
from runtime.signals import CHANNEL

HEARTBEAT = 20.0
LONGEST = 600.0
"""Seconds after which a browser must come again, and show that it is still signed in."""
AGAIN = 2.0
GATHERED = 0.05
"""Seconds in which changes are gathered before they are told."""

Key = tuple[str, UUID]
"""A workspace's schema, and a member there."""

log = logging.getLogger("mortise.live")


def frame(counts: dict[str, int]) -> bytes:
    """Counts as one event of a stream."""
    return b"data: " + json.dumps(counts).encode() + b"\n\n"


def taken_over(sock: socket.socket) -> socket.socket:
    """The connection behind a socket, for us; the socket itself is left with one that has ended."""
    ours = socket.socket(fileno=os.dup(sock.fileno()))
    end, other = socket.socketpair()
    with end, other:
        os.dup2(end.fileno(), sock.fileno())
    return ours


@dataclass(eq=False)
class Listener:
    """One browser: its connection, whose counts it shows, and how its answer is framed."""

    sock: socket.socket
    workspace: Workspace
    member: UUID
    session: bytes
    """The digest of the session that the browser is signed in by."""
    chunked: bool
    until: float = 0
    last: bytes = b""

    @property
    def key(self) -> Key:
        return self.workspace.schema, self.member

    def send(self, body: bytes) -> None:
        """Raises OSError when the browser is gone, or too slow to take it."""
        told = b"%x\r\n%b\r\n" % (len(body), body) if self.chunked else body
        if self.sock.send(told) != len(told):
            raise BlockingIOError


@dataclass
class Hub:
    """All browsers that a process has on the line."""

    engine: Engine
    _new: deque[Listener] = field(default_factory=deque)
    _here: dict[Key, set[Listener]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None
    _wake: tuple[socket.socket, socket.socket] | None = None
    _hears: Any = None
    _ear: int = -1
    _stopping: bool = False

    def join(self, sock: socket.socket, workspace: Workspace, member: UUID, session: bytes, chunked: bool) -> None:
        """Keep this browser up to date from now on, while its session is open; its connection is ours."""
        sock.setblocking(False)
        self._new.append(Listener(sock, workspace, member, session, chunked))
        with self._lock:
            if self._thread is None:
                self._wake = socket.socketpair()
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
        assert self._wake is not None
        with suppress(OSError):
            self._wake[1].send(b".")

    def stop(self) -> None:
        """Let go of every browser: they come again, to whoever serves them next."""
        if self._thread is None or self._wake is None:
            return
        self._stopping = True
        self._wake[1].send(b".")
        self._thread.join()
        for one in [one for there in self._here.values() for one in there]:
            self._drop(one)
        self._deaf()
        self._selector.close()
        for end in self._wake:
            end.close()

    def __len__(self) -> int:
        return sum(map(len, self._here.values()))

    # -- in the hub's own thread -------------------------------------------------------------------

    def _run(self) -> None:
        assert self._wake is not None
        self._wake[0].setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake[0], selectors.EVENT_READ)
        while not self._stopping:
            try:
                self._turn()
            except (psycopg.Error, SQLAlchemyError, OSError) as err:
                log.warning("What changes cannot be heard now: %s", err)
                self._deaf()
                time.sleep(AGAIN)

    def _turn(self) -> None:
        """Wait for something to happen, and tell those whom it concerns."""
        changed: set[Key] = set()
        if self._hears is None:
            self._listen()
            changed |= set(self._here)
        beat = time.monotonic() + HEARTBEAT
        while (left := beat - time.monotonic()) > 0 and not self._stopping:
            self._hear(self._selector.select(GATHERED if changed else left), changed)
            if changed and not self._more():
                self._tell(changed)
                changed.clear()
        self._heartbeat()

    def _listen(self) -> None:
        url = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._hears = psycopg.connect(url, autocommit=True, connect_timeout=5)
        self._hears.execute(f"LISTEN {CHANNEL}")
        self._ear = self._hears.fileno()
        self._selector.register(self._ear, selectors.EVENT_READ)

    def _deaf(self) -> None:
        """The database is away: what happens meanwhile is asked for when it is back."""
        if self._hears is not None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(self._ear)
            with suppress(psycopg.Error):
                self._hears.close()
            self._hears = None

    def _hear(self, ready: list[Any], changed: set[Key]) -> None:
        for key, _ in ready:
            if key.fd == self._ear and key.data is None:
                for said in self._hears.notifies(timeout=0):
                    schema, *members = said.payload.split()
                    changed |= {(schema, UUID(member)) for member in members} & set(self._here)
            elif key.data is None:
                self._wake[0].recv(4096)  # type: ignore[index]
                changed |= self._welcome()
            else:
                self._read(key.data)

    def _more(self) -> bool:
        """Whether more has come meanwhile, which is told together."""
        return bool(self._new)

    def _welcome(self) -> set[Key]:
        """Browsers that have come since: their counts may have changed since their page was made."""
        come = set()
        while self._new:
            one = self._new.popleft()
            one.until = time.monotonic() + LONGEST
            self._here.setdefault(one.key, set()).add(one)
            self._selector.register(one.sock, selectors.EVENT_READ, one)
            come.add(one.key)
        return come

    def _read(self, one: Listener) -> None:
        """A browser has nothing to say: what can be read is its end."""
        try:
            if one.sock.recv(4096):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._drop(one)

    def _tell(self, changed: set[Key]) -> None:
        for key in changed & set(self._here):
            there = self._signed_in(list(self._here[key]))
            if not there:
                continue
            body = frame(self._counts(there[0].workspace, key[1]))
            for one in there:
                if one.last != body:
                    one.last = body
                    self._send(one, body)

    def _signed_in(self, listeners: list[Listener]) -> list[Listener]:
        """Those whose sessions are still open; the others are let go of, and are told nothing more."""
        kept: list[Listener] = []
        with self.engine.connect() as conn:
            for workspace in {one.workspace.id for one in listeners}:
                there = [one for one in listeners if one.workspace.id == workspace]
                found = accounts.still_open(conn, {one.session for one in there}, workspace)
                kept += [one for one in there if one.session in found]
        for one in set(listeners).difference(kept):
            self._drop(one)
        return kept

    def _counts(self, workspace: Workspace, member: UUID) -> dict[str, int]:
        with workspaces.opened(self.engine, workspace, Member(id=member, name="")) as ctx:
            return tasks.counts(ctx)

    def _send(self, one: Listener, body: bytes) -> None:
        try:
            one.send(body)
        except OSError:
            self._drop(one)

    def _drop(self, one: Listener) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(one.sock)
        one.sock.close()
        there = self._here.get(one.key, set())
        there.discard(one)
        if not there:
            self._here.pop(one.key, None)

    def _heartbeat(self) -> None:
        """A sign of life, so that nothing on the way holds the line for dead; who has been here long comes again."""
        now = time.monotonic()
        for one in self._signed_in([one for there in self._here.values() for one in there]):
            if one.until < now:
                self._drop(one)
            else:
                self._send(one, b":\n\n")
