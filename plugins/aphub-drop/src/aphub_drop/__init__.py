"""Deliver reports as files: over SFTP, or into a mounted folder."""
