"""The kit for authors of plugins: what every delivery adapter promises, as tests to inherit."""
