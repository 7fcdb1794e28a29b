"""A summary's files: the paper as an accessible PDF and as a workbook, both under the school's password unless attested."""

import io

from aphub.api import AphubError, Outbound
from aphub_email.workbook import XLSX, locked_workbook

File = tuple[str, str, bytes]
"""Media type, ending, content."""


def summary_files(outbound: Outbound, *, attested: bool) -> list[File]:
    """Make the files; the PDF only where one can be made, the workbook always.

    Raises:
        AphubError: A file password is missing.
    """
    rendering, message, password = outbound.rendering, outbound.message, outbound.file_password
    if not attested and not password:
        raise AphubError(
            "There is no file password for this school",
            "The summary was not prepared",
            "Set one, and tell it to the school by phone, never by email",
        )
    workbook = rendering.render("summary-xlsx", message, named=True)
    files = [(XLSX, "xlsx", workbook if attested else locked_workbook(workbook, password))]
    if "summary-pdf" in rendering.by_name:
        paper = rendering.render("summary-pdf", message, named=True)
        files.insert(0, ("application/pdf", "pdf", paper if attested else locked_pdf(paper, password)))
    return files


def locked_pdf(content: bytes, password: str) -> bytes:
    """Lock a PDF with AES-256 (ISO 32000-2, revision 6); its tags stay, and screen readers may read them."""
    import pikepdf  # noqa: PLC0415 - only for summaries, and slow to load

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as paper:
        paper.save(out, encryption=pikepdf.Encryption(user=password, owner=password, R=6))
    return out.getvalue()
