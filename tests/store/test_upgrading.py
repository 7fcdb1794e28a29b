"""A store of an older aphub comes forward with all that is in it."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from aphub.store.engine import open_store
from aphub.store.schema import SchemaError, known_revisions, migrate_to
from aphub.store.upgrading import upgrade

OLD = "0001"
TASK = text(
    "INSERT INTO tasks (provider_id, task_id, ref, kind, subject, words, due_at, state, raised_at) "
    "VALUES (1, 7, 'AAAA1111', 'phone_school', 'RB-AAAA1111-1', 'Phone them.', :at, 'open', :at)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request, tmp_path):
    """Give a store as the first release made it, with a task in it."""
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'hub.db'}" if sqlite else request.getfixturevalue("empty_postgres_url")
    engine = create_engine(url)
    migrate_to(engine, OLD)
    with engine.begin() as connection:
        connection.execute(TASK, {"at": 1_772_530_200_000_000 if sqlite else "2026-03-03 09:30:00+00"})
    engine.dispose()
    return url


def words_in(url: str) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        said = list(connection.execute(text("SELECT words FROM tasks")).scalars())
    engine.dispose()
    return said


def test_older_store_is_refused_until_somebody_brings_it_forward(old_url):
    with pytest.raises(SchemaError, match="older aphub") as refused:
        open_store(old_url)
    assert refused.value.mend.endswith("aphub init --upgrade")
    done = upgrade(old_url)
    assert (done.before, done.after) == (OLD, known_revisions()[0])
    open_store(old_url).close()
    assert words_in(old_url) == ["Phone them."]
    assert upgrade(old_url).copy is None


def test_sqlite_store_is_kept_as_it_was_for_its_owner_alone(tmp_path):
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    engine = create_engine(url)
    migrate_to(engine, OLD)
    engine.dispose()
    copy = upgrade(url).copy
    assert copy == Path(f"{make_url(url).database}.{OLD}")
    assert stat.S_IMODE(copy.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    with pytest.raises(SchemaError, match="older aphub"):
        open_store(f"sqlite:///{copy}")


def test_an_earlier_copy_is_not_written_over(tmp_path):
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    engine = create_engine(url)
    migrate_to(engine, OLD)
    engine.dispose()
    (tmp_path / f"hub.db.{OLD}").write_text("kept")
    with pytest.raises(SchemaError, match="earlier upgrade"):
        upgrade(url)
    assert (tmp_path / f"hub.db.{OLD}").read_text() == "kept"
