"""Schema migrations, run by `aphub.store.schema`."""
