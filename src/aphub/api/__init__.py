"""The porch: all that a plugin may import from aphub."""

from aphub.api.adapters import (
    Answer,
    CheckStep,
    ConnectionSettings,
    Delivery,
    DeliveryAdapter,
    DeliveryResult,
    Document,
    Outbound,
    Repeat,
    ReportResult,
    RouteSettings,
    Rung,
)
from aphub.api.answers import Collected, LaterKind, LaterNews
from aphub.api.callbacks import Call, Callbacks, Called, CallState
from aphub.api.errors import (
    DeliveryError,
    RefusedDeliveryError,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.api.hooks import hookimpl, hookspec
from aphub.api.http import http_errors_as_delivery_errors, retry_after
from aphub.api.lent import Memory, PhoneCall, Tools
from aphub.api.papers import Ending, ForTheirIt
from aphub.api.reach import Reach
from aphub.api.renderers import Renderer, Rendering, aphub_csv, subject_of
from aphub.api.sheets import SheetLimits, media_type, read_cells
from aphub.api.sources import (
    Source,
    SourceBatch,
    SourceRefusedError,
    SourceRow,
    SourceSettings,
)
from aphub.api.trust import why_untrusted
from aphub.domain.calls import VOICEMAIL_RULE, CallResult
from aphub.domain.entries import SessionEntry
from aphub.domain.errors import AphubError
from aphub.domain.identifiers import UpnCheck, check_mail_address, check_upn
from aphub.domain.pacing import Pace
from aphub.domain.reports import COLUMNS, Kind, Message, Report, Row, rows_of
from aphub.domain.wording import action_words, line_words

__all__ = [
    "COLUMNS",
    "VOICEMAIL_RULE",
    "Answer",
    "AphubError",
    "Call",
    "CallResult",
    "CallState",
    "Callbacks",
    "Called",
    "CheckStep",
    "Collected",
    "ConnectionSettings",
    "Delivery",
    "DeliveryAdapter",
    "DeliveryError",
    "DeliveryResult",
    "Document",
    "Ending",
    "ForTheirIt",
    "Kind",
    "LaterKind",
    "LaterNews",
    "Memory",
    "Message",
    "Outbound",
    "Pace",
    "PhoneCall",
    "Reach",
    "RefusedDeliveryError",
    "Renderer",
    "Rendering",
    "Repeat",
    "Report",
    "ReportResult",
    "RouteSettings",
    "Row",
    "Rung",
    "SessionEntry",
    "SheetLimits",
    "Source",
    "SourceBatch",
    "SourceRefusedError",
    "SourceRow",
    "SourceSettings",
    "Tools",
    "TransientDeliveryError",
    "UncertainDeliveryError",
    "UpnCheck",
    "action_words",
    "aphub_csv",
    "check_mail_address",
    "check_upn",
    "hookimpl",
    "hookspec",
    "http_errors_as_delivery_errors",
    "line_words",
    "media_type",
    "read_cells",
    "retry_after",
    "rows_of",
    "subject_of",
    "why_untrusted",
]
