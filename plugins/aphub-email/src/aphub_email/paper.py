"""What the page for a school's IT team says about our mail: from whom, by which server, what stands in it, what to allow."""

from aphub.api import ForTheirIt
from aphub_email.settings import EmailConnection, EmailRoute

_SENDS = {
    "attested": "Pupils are named in the message, and a CSV file for machines is attached (.csv).",
    "file": "Pupils stand as initials in the message. A spreadsheet under the school's own password is attached (.xlsx, "
    "encrypted with AES-256). Filters cannot look into it.",
    "smime": "The whole message is signed and encrypted to the school's certificate (S/MIME, smime.p7m). Filters cannot look "
    "into it, and whoever reads the mailbox needs its private key.",
}
_ALLOW = {
    "attested": "Encryption in transit stays demanded for your domain (MTA-STS in enforce mode, or the connector). Tell us "
    "before you change it: we would have to stop naming pupils.",
    "file": "Spreadsheets under a password (.xlsx) from this address are not removed, and not held back in quarantine.",
    "smime": "Messages of the type application/pkcs7-mime (smime.p7m) from this address arrive unchanged: nothing is added "
    "below them, and nothing is removed.",
}


def for_their_it(connection: EmailConnection, route: EmailRoute) -> ForTheirIt:
    """Say what a school's IT team needs to know, and what it is asked to allow."""
    domain = connection.from_address.rpartition("@")[2]
    by = "Microsoft Graph (Exchange Online)" if connection.way == "graph" else connection.host
    facts = (
        ("From", connection.from_address),
        ("To", route.address),
        ("Handed to the mail server", by),
        ("How it leaves us", "TLS 1.2 or newer, verified; without it nothing is sent"),
        ("Headers that mark it", "Auto-Submitted: auto-generated, and X-Aphub-Reference"),
        ("Subject", "never names a pupil"),
        (
            "What is not in it",
            "no links to follow, no pictures from elsewhere, no tracking, no copies to others",
        ),
    )
    allow = (
        (
            f"Messages from {connection.from_address}, where SPF, DKIM or DMARC confirm that they come from {domain}. "
            "Do not allow the address alone: anybody can write it."
        ),
        _ALLOW[route.protection],
        (
            "Automatic messages may reach this mailbox, also several a morning. They help only for an hour or two: a message "
            "that waits in quarantine until the evening is of no use to a child."
        ),
        f"Replies to {connection.from_address} may leave, with their subject as it is.",
    )
    return ForTheirIt(f"Reports about attendance by mail. {_SENDS[route.protection]}", facts, allow)
