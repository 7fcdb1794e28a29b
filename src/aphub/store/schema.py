"""Which schema this version of aphub knows, and how a store comes to it."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from aphub.domain.errors import AphubError

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaError(AphubError):
    """The store's schema is not one that this version of aphub can work with."""


def known_revisions() -> list[str]:
    """List the schema versions this aphub knows, newest first: the numbers that its migrations begin with."""
    return sorted((path.name[:4] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py")), reverse=True)


def revision_of(engine: Engine) -> str | None:
    """Give the schema version of a store, or None for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def _config() -> "Config":
    # Nine megabytes that a hub whose schema is right never needs.
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _upgrade(engine: Engine, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - seldom needed, and large

    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


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
    _upgrade(engine, "head")


def migrate_to(engine: Engine, revision: str) -> None:
    """Bring an empty store to one schema version, such as a backup's."""
    _upgrade(engine, revision)


def no_hub_yet() -> SchemaError:
    """Say that there is nothing here, and the two ways in which there may be."""
    mend = "For a new hub: aphub init. After a lost disk: aphub restore"
    return SchemaError("There is no hub in this database yet.", "Nothing was changed.", mend)


def require_known_schema(engine: Engine) -> None:
    """Refuse a store whose schema is missing, older or newer than this version.

    Raises:
        SchemaError: It is; the words say what to do.
    """
    found = revision_of(engine)
    known = known_revisions()
    if found is None:
        raise no_hub_yet()
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
