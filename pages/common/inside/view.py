"""The Inside page's component: the cell's drawing, alive with the numbers of one layer of a trained model.

lstm_core/browser/inside.py packs a Trace, the layer's weights and the cell's declared equations for the browser,
assets/inside/inside.js draws and computes; here stands what passes between the two and the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lstm_core.browser.inside import as_linked, payload
from pages.common import components
from pages.common.display import Options, displayed
from pages.common.gates import view as gates_view
from pages.common.gates.view import Pin
from pages.common.links import Field, OneOf

if TYPE_CHECKING:
    from lstm_core.model import CharModel
    from lstm_core.trace import Trace
    from lstm_core.walk import Step


# How the drawing is displayed: each option's name in an address, and what it may be. The first of DISPLAYS holds at first
# sight, and is left out.
DISPLAYS: dict[str, tuple[str, ...]] = {
    "reading": ("all", "unit"),
    "copies": ("three", "one"),
    "weights": ("one", "two"),
    "biases": ("one", "two", "within"),
    "path": ("off", "on"),
    "state": ("plain", "tanh"),
}
MOST_WALK = 99  # steps of a walk
OPTIONS = (
    *(Field(name, OneOf(), choices[1:]) for name, choices in DISPLAYS.items()),
    Field("walk", OneOf(), tuple(str(step) for step in range(1, MOST_WALK + 1))),
)


@dataclass(frozen=True)
class InsideView:
    """What the drawing shows: the pin {"step", "unit", "layer"} (or None), and how it is displayed, as a query."""

    pin: dict[str, int] | None
    options: Options


def inside_view(
    trace: Trace,
    model: CharModel,
    layer: int,
    *,
    key: str,
    pin: Pin | None = None,
    query: Mapping[str, str] | None = None,
    walk: Sequence[Step] = (),
    on_pin: Callable[[], None] | None = None,
) -> InsideView:
    """Draws the cell of one layer, alive, and returns what is pinned in it and how it is displayed.

    layer: counted from 0. pin: {"step", "unit", "layer"}; it moves the drawing only when it differs from the pin given
    before. query: of a link, whose parameters OPTIONS say how to display it; then the person decides. walk: the steps of the
    cell's walk, if it has one. on_pin: called before the rerun that a new pin causes.
    Raises ValueError for a layer that the trace lacks and for a trace of another cell than the model's.
    """
    if not 0 <= layer < trace.layers:
        raise ValueError(f"layer to draw: {layer}; the trace has layers 0 to {trace.layers - 1}")
    if trace.cell != model.cell:
        raise ValueError(f"the trace is of {trace.cell.title}, but {model.name} is a {model.cell.title}")
    shown = gates_view._shown(key, *as_linked(trace, layer), pin, 0)
    display = displayed(key, query, OPTIONS)
    view = {"pin": shown.command, "serial": shown.serial, **display.view(), "walk": [asdict(step) for step in walk]}
    components.mount(
        "inside",
        key=key,
        data=payload(trace, model, layer, shown.start) | {"view": view},
        on_pin_change=on_pin or _nothing,
        on_start_change=_nothing,
        on_look_change=_nothing,
    )
    own = None if shown.pin is None else {name: shown.pin[name] for name in ("step", "unit", "layer")}
    return InsideView(own, display.options)


def _nothing() -> None:
    """Streamlit keeps a component's state only where a callback is named."""
