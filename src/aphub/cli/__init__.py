"""The command line: one small module a group of verbs, loaded when it is used."""

from aphub.cli.root import main

__all__ = ["main"]
