"""What pytest loads by entry point, so that a plugin author needs no conftest."""
