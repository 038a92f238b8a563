import hashlib
import io
from pathlib import Path
from uuid import uuid4

import pytest

from runtime.settings import Settings
from runtime.storage import Storage, TooLarge, file_key, storage_of


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return storage_of(Settings.read({"MORTISE_DATA": str(tmp_path)}))


def test_what_is_put_can_be_opened(storage: Storage) -> None:
    key, content = file_key(uuid4(), uuid4()), b"receipt" * 300_000
    stored = storage.put(key, io.BytesIO(content))
    assert stored.size == len(content)
    assert stored.digest == hashlib.sha256(content).hexdigest()
    with storage.open(key) as file:
        assert file.read() == content


def test_what_is_too_large_leaves_nothing(storage: Storage) -> None:
    key = file_key(uuid4(), uuid4())
    with pytest.raises(TooLarge):
        storage.put(key, io.BytesIO(b"x" * 11), most=10)
    assert list(storage.all_keys()) == []
    with pytest.raises(FileNotFoundError):
        storage.open(key)
    assert storage.put(key, io.BytesIO(b"x" * 10), most=10).size == 10


def test_keys_of_one_workspace(storage: Storage) -> None:
    ours, theirs = uuid4(), uuid4()
    keys = sorted(file_key(ours, uuid4()) for _ in range(3))
    for key in [*keys, file_key(theirs, uuid4())]:
        storage.put(key, io.BytesIO(b""))
    assert sorted(storage.all_keys(ours)) == keys
    assert len(list(storage.all_keys())) == 4


def test_deleting_twice_is_fine(storage: Storage) -> None:
    key = file_key(uuid4(), uuid4())
    storage.put(key, io.BytesIO(b"receipt"))
    storage.delete(key)
    storage.delete(key)
    assert list(storage.all_keys()) == []


ID = "01932f00-0000-7000-8000-000000000001"


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/b", f"{ID}/../{ID}", f"{ID}/{ID}/..", ID, ""])
def test_a_key_never_leaves_the_folder(storage: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="not the key"):
        storage.open(key)
