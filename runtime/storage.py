"""The bytes of uploaded files: put, opened, deleted by key, in a folder."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol
from uuid import UUID

from runtime.settings import Settings

KEY = re.compile(r"[0-9a-f-]{36}/[0-9a-f-]{36}")
CHUNK = 1 << 20


class TooLarge(Exception):
    """There are more bytes than allowed; nothing was kept."""


@dataclass(frozen=True)
class Stored:
    """What was put: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    digest: str


class Storage(Protocol):
    """What keeps bytes by key. Bytes never change: a new content has a new key."""

    def put(self, key: str, stream: IO[bytes], most: int | None = None) -> Stored:
        """Keep all of a stream. Raises TooLarge past `most` bytes."""

    def open(self, key: str) -> IO[bytes]:
        """Raises FileNotFoundError for an unknown key."""

    def delete(self, key: str) -> None:
        """Nothing happens for an unknown key."""

    def all_keys(self, workspace: UUID | None = None) -> Iterator[str]:
        """Every key, or those of one workspace."""

    def put_at(self, key: str) -> datetime | None:
        """When the bytes were put; None for an unknown key."""


def file_key(workspace: UUID, file: UUID) -> str:
    return f"{workspace}/{file}"


def storage_of(settings: Settings) -> Storage:
    return Folder(settings.data / "files")


@dataclass(frozen=True)
class Folder:
    """Storage in a folder: one per workspace, in it 256 more so that none grows too full."""

    root: Path

    def put(self, key: str, stream: IO[bytes], most: int | None = None) -> Stored:
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            stored = write(draft, stream, most)
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
        return stored

    def open(self, key: str) -> IO[bytes]:
        return open(self.path(key), "rb")

    def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def all_keys(self, workspace: UUID | None = None) -> Iterator[str]:
        for path in sorted(self.root.glob(f"{workspace or '*'}/*/*")):
            if path.suffix != ".part":
                yield f"{path.parts[-3]}/{path.name}"

    def put_at(self, key: str) -> datetime | None:
        try:
            return datetime.fromtimestamp(self.path(key).stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def path(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not the key of a file")
        workspace, file = key.split("/")
        return self.root / workspace / file[-2:] / file


def write(path: Path, stream: IO[bytes], most: int | None) -> Stored:
    """Write a stream durably and say what it was."""
    digest, size = hashlib.sha256(), 0
    with open(path, "xb", opener=private) as file:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if most is not None and size > most:
                raise TooLarge
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Stored(size, digest.hexdigest())


def private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
