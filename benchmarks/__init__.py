"""Measurements of aphub against the raw floor and against what a user would pick instead, side by side in one run."""
