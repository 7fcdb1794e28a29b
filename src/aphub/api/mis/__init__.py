"""The porch for adapters that write into a school's own register: what all of them share.

A vendor's plugin says how its API signs in, reads and writes (`Register`); when a mark may be written, what a refusal
means, and what counts as there, is said once, here.
"""

from aphub.api.mis.adapter import RegisterAdapter
from aphub.api.mis.checking import CodesStep
from aphub.api.mis.marks import SESSIONS, Existing, Mark, Slot, document_of, marks_of
from aphub.api.mis.register import Asked, Entry, Finding, Register, Written
from aphub.api.mis.reply import Reply, at, hops_of, verbatim
from aphub.api.mis.settings import LIKELY_STATUSES, CommentedRoute, RegisterConnection, RegisterRoute, State
from aphub.api.mis.signing import TokenByPost
from aphub.api.mis.wire import CANNOT_BE_READ, Page, SignIn, Wire

__all__ = [
    "CANNOT_BE_READ",
    "LIKELY_STATUSES",
    "SESSIONS",
    "Asked",
    "CodesStep",
    "CommentedRoute",
    "Entry",
    "Existing",
    "Finding",
    "Mark",
    "Page",
    "Register",
    "RegisterAdapter",
    "RegisterConnection",
    "RegisterRoute",
    "Reply",
    "SignIn",
    "Slot",
    "State",
    "TokenByPost",
    "Wire",
    "Written",
    "at",
    "document_of",
    "hops_of",
    "marks_of",
    "verbatim",
]
