"""Charts as SVG, without a library: bars, and lines over logarithmic axes. Readable on white and on black."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, BAR, TOP = 720, 210, 90, 26, 56
STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#777}.t{font-size:15px;font-weight:600}"
    ".o{fill:#8aa4c8}.w{fill:#d9822b}.g{stroke:#9994;stroke-width:1}.l{fill:none;stroke-width:2}</style>"
)
COLOURS = ("#d9822b", "#5b8bd0", "#4a9c6d", "#a06cc0", "#c0504d")


def bars(title: str, unit: str, values: Sequence[tuple[str, float]], *, logarithmic: bool = False) -> str:
    """Horizontal bars, the first one's length the width; Wiesel's stands out."""
    largest, smallest = max(v for _, v in values), min(v for _, v in values)
    floor = 10 ** math.floor(math.log10(smallest)) if logarithmic else 0
    room = WIDTH - LEFT - RIGHT

    def length(value: float) -> float:
        return room * (math.log(value / floor) / math.log(largest / floor) if logarithmic else value / largest)

    parts = []
    for index, (name, value) in enumerate(values):
        y = TOP + index * BAR
        kind = "w" if name.startswith("Wiesel") else "o"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y + 3}" width="{length(value):.1f}" height="{BAR - 8}"/>')
        parts.append(f'<text x="{LEFT + length(value) + 6:.1f}" y="{y + 16}">{float(f"{value:.3g}"):g}</text>')
    return svg(title, unit, TOP + len(values) * BAR + 8, parts)


def lines(title: str, unit: str, x_unit: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Lines over a logarithmic x and a y from nought."""
    height, bottom = 360, 46
    xs = [x for points in series.values() for x, _ in points]
    top = max(y for points in series.values() for _, y in points) * 1.1
    low, high = math.log10(min(xs)), math.log10(max(xs))
    left, room, depth = 64, WIDTH - 64 - 20, height - TOP - bottom

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low) / ((high - low) or 1)
        return left + room * across, TOP + depth * (1 - y / top)

    parts = []
    for step in range(5):
        y = place(10**low, top * step / 4)[1]
        parts.append(f'<path class="g" d="M{left} {y:.1f}H{WIDTH - 20}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{top * step / 4:.2g}</text>')
    for x in sorted(set(xs)):
        parts.append(
            f'<text x="{place(x, 0)[0]:.1f}" y="{height - 26}" text-anchor="middle">{escape(_power(x))}</text>'
        )
    parts.append(f'<text x="{WIDTH - 20}" y="{height - 8}" text-anchor="end">{escape(x_unit)}</text>')
    legend = left + 10.0
    for index, (name, points) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        parts.append(f'<polyline class="l" stroke="{colour}" points="{path}"/>')
        parts.append(f'<text x="{legend:.0f}" y="{height - 8}" style="fill:{colour}">{escape(name)}</text>')
        legend += 20 + 6.5 * len(name)
    return svg(title, unit, height, parts)


def _power(x: float) -> str:
    exponent = round(math.log10(x))
    return f"10^{exponent}" if exponent >= 3 and math.isclose(10**exponent, x) else f"{x:g}"


def svg(title: str, unit: str, height: float, parts: Sequence[str]) -> str:
    """The picture around it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(title)}">{STYLE}\n<text class="t" x="12" y="22">{escape(title)}</text>\n'
        f'<text x="12" y="42">{escape(unit)}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )
