"""Files of what is deleted for good leave the storage with it; what somebody else still shows stays."""

import pytest
from sqlalchemy import select, text, update

from runtime import files, models, purging, records
from runtime.definitions import installed
from tests.runtime.pictures_world import picture
from tests.web.test_files import OFFICE, added, got, saved
from tests.web.test_text_pictures import WARD
from tests.web.test_text_pictures import added as added_to_text


@pytest.fixture
def office(make_shop):
    return make_shop(OFFICE)


@pytest.fixture
def ward(make_shop):
    return make_shop(WARD)


def storage_of(person):
    return person.client.application.extensions["storage"]


def purge(place, path):
    with place.opened(place.boss) as ctx:
        purging.purge(ctx, installed(ctx, "shop"), path, path)


def jobs_waiting(ctx):
    jobs = "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE task_name = 'remove_released_files'"
    return ctx.conn.scalar(text(f"{jobs} AND args->'who'->>'workspace' = :id"), {"id": str(ctx.workspace.id)})


def cleared(place, storage):
    """What the job leaves in the storage of the workspace."""
    with place.opened() as ctx:
        files.remove_released(ctx, storage)
        return set(storage.all_keys(ctx.workspace.id))


def test_a_purged_column_takes_its_files_and_thumbnails_along_and_leaves_the_others(office, sign_in):
    manager = sign_in(office, "manager")
    storage = storage_of(manager)
    kept = added(manager, "photos", picture("PNG"), "kept.png").json["id"]
    before = cleared(office, storage)
    gone = added(manager, "items.photo", picture("PNG"), "gone.png").json
    saved(office, manager, photos=kept, **{"items.0.photo": gone["id"], "items.0.what": "door"})
    assert got(manager, gone["thumbnail"]).status_code == 200
    purge(office, "visit.items")
    assert got(manager, gone["thumbnail"]).status_code == 404, "nobody sees it from that moment on"
    with office.opened() as ctx:
        assert jobs_waiting(ctx) == 1
    assert cleared(office, storage) == before
    with office.opened() as ctx:
        assert list(ctx.conn.scalars(select(models.file.c.name))) == ["kept.png"]


def test_a_purged_app_takes_all_its_files_along(office, sign_in):
    manager = sign_in(office, "manager")
    storage = storage_of(manager)
    for field in ("photos", "papers"):
        added(manager, field, picture("PNG"), "a.png")
    saved(office, manager, photos=added(manager, "photos", picture("PNG"), "b.png").json["id"])
    with office.opened(office.boss) as ctx:
        i = models.installation
        ctx.conn.execute(update(i).values(removed_at=ctx.now))
        purging.purge_app(ctx, ctx.conn.scalar(select(i.c.id)))
    assert cleared(office, storage) == set()


def test_a_picture_that_another_table_shows_outlives_the_purge_of_the_first(ward, sign_in):
    manager = sign_in(ward, "manager")
    url = added_to_text(manager, "story").json["url"]
    manager.post("/a/shop/f/visit/new", {"name": "A", "story": f'<img src="{url}">'})
    with ward.opened(ward.boss) as ctx:
        records.create(ctx, ward.table(ctx, "visit"), {"name": "B", "secret": f'<img src="{url}">'})
    purge(ward, "visit.story")
    storage = storage_of(manager)
    assert len(cleared(ward, storage)) == 2, "its bytes and its thumbnail"
    with ward.opened() as ctx:
        [shared] = ctx.conn.scalars(select(models.file.c.id).where(models.file.c.field == "secret"))
        with files.content(ctx, storage, shared) as kept:
            assert kept.read()
    purge(ward, "visit.secret")
    assert cleared(ward, storage) == set()
