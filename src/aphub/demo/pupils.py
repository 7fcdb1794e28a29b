"""The invented pupils of the played day, by the provider that teaches them."""

import csv
import io

from aphub.demo.invented import COLUMNS, Invented
from aphub.demo.pupils_of_three import CST, RED_EVERYWHERE, SAFE_SPACE
from aphub.demo.pupils_of_two import SENTRE, YPM

PROVIDERS = {
    "sentre": SENTRE,
    "ypm": YPM,
    "safe-space": SAFE_SPACE,
    "cst": CST,
    "red-everywhere": RED_EVERYWHERE,
}


def everyone() -> tuple[Invented, ...]:
    """Give all invented pupils."""
    return tuple(one for some in PROVIDERS.values() for one in some)


def pupil(ref: str) -> Invented:
    """Give the invented pupil that a provider knows by `ref`."""
    return next(one for one in everyone() if one.ref == ref)


def import_file(provider: str) -> bytes:
    """Give a provider's pupils, placements and recipients as the CSV that `aphub import` takes."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for one in PROVIDERS[provider]:
        writer.writerows(one.rows())
    return out.getvalue().encode()
