"""Charts as SVG: grey shades that print in black and white, and every shade says its number too."""

from html import escape

from aphub.domain.papers import Bars, HeatMap, Share

FONT = "Arial, DejaVu Sans, Libertinus Serif, sans-serif"
_LABELS = 170
_CELL, _ROW, _HEAD = 64, 30, 34
_BAR = 460
_SHADES = ("#1d3557", "#8da9c4", "#f2d0a9", "#d9d9d9", "#7a7a7a")
_DARK = 0.55
_SHORT = 24


def svg_of(chart: HeatMap | Bars) -> str:
    """Draw a chart; its words for who cannot see it are the caller's to set beside it."""
    return _heat_map(chart) if isinstance(chart, HeatMap) else _bars(chart)


def _heat_map(chart: HeatMap) -> str:
    parts = [_text(_LABELS + _CELL * (at + 0.5), _HEAD - 10, name) for at, name in enumerate(chart.columns)]
    for line, (name, shares) in enumerate(chart.rows):
        top = _HEAD + line * _ROW
        parts.append(_text(0, top + 20, _short(name), middle=False))
        for at, one in enumerate(shares):
            parts.append(_cell(_LABELS + at * _CELL, top, one))
    return _drawing(_LABELS + _CELL * len(chart.columns), _HEAD + _ROW * len(chart.rows) + 2, parts)


def _cell(left: float, top: float, one: Share | None) -> str:
    rate = None if one is None else one.rate
    if one is None or rate is None:
        return f'<rect x="{left}" y="{top}" width="{_CELL}" height="{_ROW}" fill="#ffffff" stroke="#0b0c0c"/>'
    level = round(255 - 200 * float(rate))
    ink = "#ffffff" if float(rate) > _DARK else "#0b0c0c"
    return (
        f'<rect x="{left}" y="{top}" width="{_CELL}" height="{_ROW}" fill="rgb({level},{level},{min(255, level + 20)})"'
        f' stroke="#0b0c0c"/>{_text(left + _CELL / 2, top + 20, str(one), ink=ink)}'
    )


def _bars(chart: Bars) -> str:
    most = max((sum(counts) for _, counts in chart.rows), default=0) or 1
    parts, left = [], 0.0
    for at, name in enumerate(chart.columns):
        parts.append(f'<rect x="{left}" y="4" width="16" height="16" fill="{_shade(at)}" stroke="#0b0c0c"/>')
        parts.append(_text(left + 22, 18, name, middle=False))
        left += 40 + 8.5 * len(name)
    for line, (name, counts) in enumerate(chart.rows):
        top = _HEAD + line * _ROW
        parts.append(_text(0, top + 20, _short(name), middle=False))
        at_x = float(_LABELS)
        for at, count in enumerate(counts):
            width = _BAR * count / most
            if not count:
                continue
            parts.append(
                f'<rect x="{at_x:.1f}" y="{top + 4}" width="{width:.1f}" height="{_ROW - 8}" fill="{_shade(at)}" stroke="#0b0c0c"/>'
            )
            if width > 9 * len(str(count)) + 6:
                ink = "#ffffff" if _shade(at) in {_SHADES[0], _SHADES[4]} else "#0b0c0c"
                parts.append(_text(at_x + width / 2, top + 20, str(count), ink=ink))
            at_x += width
    return _drawing(max(_LABELS + _BAR, round(left)) + 2, _HEAD + _ROW * len(chart.rows) + 2, parts)


def _shade(at: int) -> str:
    return _SHADES[at % len(_SHADES)]


def _short(name: str) -> str:
    return name if len(name) <= _SHORT else f"{name[: _SHORT - 1]}\u2026"


def _text(left: float, top: float, words: str, *, middle: bool = True, ink: str = "#0b0c0c") -> str:
    anchor = "middle" if middle else "start"
    return (
        f'<text x="{left:.1f}" y="{top:.1f}" font-family="{FONT}" font-size="13" fill="{ink}"'
        f' text-anchor="{anchor}">{escape(words)}</text>'
    )


def _drawing(width: float, height: float, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
        f' height="{height:.0f}">{"".join(parts)}</svg>'
    )
