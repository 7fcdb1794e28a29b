"""Registers of Safe Space, CST AEP and Red Everywhere: plain CSV, a few lines at a time, as lessons begin."""

from collections.abc import Callable
from datetime import date

from aphub.demo.pupils import pupil
from aphub.demo.registers import DAY, PLAIN_HEADER, Marks, csv_file, three

SPACE_CANCELLED: Marks = {"3106": ("Cancelled - mentor",)}
SPACE_MORNING: Marks = {
    "3101": ("Present",),
    "3102": ("Late", "15"),
    "3107": ("Authorised absence", "", "dentist"),
    "3108": ("Unauthorised absence",),
}
SPACE_ONLINE: Marks = {"3103": ("Present",), "3104": ("Did not log in",), "3105": ("Could not connect",)}
SPACE_SECOND: Marks = {"3101": ("Present",)}
CST_MORNING: Marks = {
    "5201": ("/",),
    "5202": ("L", "10"),
    "5203": ("N", "", "no answer"),
    "5204": ("M", "", "hospital appointment"),
    "5205": ("J", "", "interview"),
    "5206": ("/",),
    "5207": ("X",),
    "5208": ("L", "5"),
}
CST_AFTERNOON: Marks = {"5201": ("\\",), "5202": ("\\",), "5203": ("I", "", "ill"), "5206": ("SC",)}
CST_ABSCONDED: Marks = {"5202": ("AB",)}
RED_DAYS_BEFORE: Marks = {"6304": ("Unauthorised",)}
RED_MORNING: Marks = {
    "6301": ("Full",),
    "6302": ("Late", "25"),
    "6303": ("Authorised", "", "unwell"),
    "6304": ("Unauthorised",),
    "6305": ("Full",),
    "6306": ("Unauthorised", "", "no contact"),
}


def register(marks: Marks, starts: str, on: date = DAY) -> Callable[[], bytes]:
    """Give what writes a register of these marks for lessons that start at this time."""

    def written() -> bytes:
        day = on.strftime("%d/%m/%Y")
        rows = [(ref, pupil(ref).name, day, starts, *three(mark)) for ref, mark in marks.items()]
        return csv_file(PLAIN_HEADER, rows)

    return written
