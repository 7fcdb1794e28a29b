"""What every test of the project shares, those of the plugins too."""

pytest_plugins = ["tests.house.run_report"]
