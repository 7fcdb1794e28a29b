"""Which schema this version of aphub knows, and how a store comes to it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from aphub.domain.errors import AphubError


class SchemaError(AphubError):
    """The store's schema is not one that this version of aphub can work with."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def known_revisions() -> list[str]:
    """List the schema versions this aphub knows, newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def revision_of(engine: Engine) -> str | None:
    """Give the schema version of a store, or None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine) -> None:
    """Bring a store to the newest schema this version knows.

    Raises:
        SchemaError: The store was made by a newer aphub.
    """
    found = revision_of(engine)
    known = known_revisions()
    if found is not None and found not in known:
        raise _too_new(found)
    if found == known[0]:
        return
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def migrate_to(engine: Engine, revision: str) -> None:
    """Bring an empty store to one schema version, such as a backup's."""
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def require_known_schema(engine: Engine) -> None:
    """Refuse a store whose schema is missing, older or newer than this version.

    Raises:
        SchemaError: It is; the words say what to do.
    """
    found = revision_of(engine)
    known = known_revisions()
    if found is None:
        raise SchemaError("There is no hub in this database yet.", "Nothing was changed.", "Run: aphub init")
    if found not in known:
        raise _too_new(found)
    if found != known[0]:
        raise SchemaError(
            "This database was made by an older aphub.",
            "Nothing was changed.",
            "Stop the daemon, then run: aphub init --upgrade",
        )


def _too_new(found: str) -> SchemaError:
    return SchemaError(
        f"This database was made by a newer aphub (schema {found}).",
        "Nothing was changed.",
        "Install the newer aphub again.",
    )
