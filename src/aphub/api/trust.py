"""Certificates that were given to us as files: whether they can be read, and have not ended."""

from datetime import datetime
from pathlib import Path

from cryptography import x509


def why_untrusted(path: Path | None, now: datetime, setting: str = "ca_file") -> str:
    """Say why the certificates of a PEM file cannot be trusted now; empty when they can, or where none is given.

    A file whose certificates have all ended trusts nobody; one that is still good is enough.
    """
    if path is None:
        return ""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as exc:
        return f"{setting} {path} cannot be read ({type(exc).__name__}). Check its path and who may read it"
    except ValueError:
        return f"{setting} {path} holds no certificate as PEM. Ask their IT team for the file again"
    last = max(one.not_valid_after_utc for one in found)
    if last <= now:
        return (
            f"the certificates in {setting} {path} ended on {last:%d/%m/%Y}. Ask their IT team for new ones"
        )
    return ""
