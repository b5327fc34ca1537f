"""The filters of a convolution: the test examples that each likes best, an input made for it, and those that are dead."""

import streamlit as st

from cnn_core import figures, shapes
from cnn_core.datasets import info
from cnn_core.filters import ends
from cnn_core.receptive_field import receptive_fields
from cnn_core.run import Run
from cnn_core.spec import INPUT
from cnn_core.study import Result
from cnn_core.targets import seen
from pages.components import pixels, state
from pages.components.study_panel import study_panel

AT_ONCE = 8  # filters
ABOUT = "Looks through the test part and makes an input for each filter. It takes from some seconds to a few minutes."


@state.in_sentences()
def filters(run: Run) -> None:
    """Show what the study "favourites" found, or the way to it."""
    found = study_panel(run.run, "favourites", "Find what each filter likes", ABOUT)
    if found is None:
        return
    layers = [name.removesuffix("/best") for name in found if name.endswith("/best")]
    if not layers:
        st.info("This network has no convolution between its input and its answers. Its units: see Edit and see.")
        return
    _view(run, found, layers)


@st.fragment
@state.in_sentences()
def _view(run: Run, found: Result, layers: list[str]) -> None:
    choose, page = st.columns([2, 3], vertical_alignment="bottom")
    layer = choose.selectbox("Convolution", layers, key=f"filters_of_{run.run}", persist_state="session")
    count = len(found[f"{layer}/best"])
    first = 0
    if count > AT_ONCE:
        starts = list(range(0, count, AT_ONCE))
        words = {start: f"{start + 1}–{min(count, start + AT_ONCE)}" for start in starts}
        first = page.selectbox("Filters", starts, format_func=words.get, key=f"filters_from_{run.run}_{layer}")
    _dead(run, found, layer)
    shown = range(first, min(count, first + AT_ONCE))
    rectangles = _rectangles(run, layer, found)
    titles = [f"Filter {number + 1}: active for {found[f'{layer}/active'][number]:.0%}" for number in shown]
    draw = _series if info(run.spec.data.dataset).is_series else _images
    draw(run, found, layer, shown, rectangles, titles)
    part = "window" if info(run.spec.data.dataset).is_series else "frame"
    st.caption(
        f"First an input made for the filter, by climbing the gradient of what it gives in the middle, then the test examples that excite it most; the "
        f"{part} marks what the cell that is excited most sees. Active: not zero everywhere, of {int(found['examples']):,} test examples."
    )


def _dead(run: Run, found: Result, layer: str) -> None:
    """Name the filters that gave nothing for any example, and why."""
    dead = [f"{number + 1}" for number, active in enumerate(found[f"{layer}/active"]) if active == 0]
    if not dead:
        return
    end = run.spec.model.layer(ends(run.spec.model)[layer])
    reason = "Nothing of what it multiplies reaches its output."
    if getattr(end, "function", "") == "relu":
        reason = "Its bias or its inputs keep it below 0; ReLU then passes nothing back, so it cannot learn any more."
    which = f"Filter {dead[0]} is dead" if len(dead) == 1 else f"Filters {', '.join(dead)} are dead"
    st.warning(f"{which}: zero for all of the {int(found['examples']):,} test examples. {reason}", icon=":material/block:")


def _rectangles(run: Run, layer: str, found: Result):
    """What the most excited cells see of the input: (filters, favourites, 2, axes)."""
    spec, end = run.spec, ends(run.spec.model)[layer]
    report = shapes.report(spec.model, spec.data)
    known = {INPUT: report.input_shape, **{one.name: one.output_shape for one in report.layers}}
    fields = receptive_fields(spec.model, known, until=end)[end]
    return fields[tuple(found[f"{layer}/places"][..., axis] for axis in range(fields.ndim - 2))]


def _images(run: Run, found: Result, layer: str, shown: range, rectangles, titles: list[str]) -> None:
    data, rows = state.dataset(run.spec.data.dataset), []
    for number, title in zip(shown, titles, strict=True):
        best = found[f"{layer}/best"][number]
        picture = figures.favourites_row(found[f"{layer}/made"][number], data.x_test[best, ..., 0], rectangles[number])
        classes = ", ".join(data.info.labels[label] for label in data.y_test[best])
        rows.append((title, f"{title}. An input made for it and its favourite test images, of the classes {classes}", picture))
    pixels.rows(rows, "11rem")


def _series(run: Run, found: Result, layer: str, shown: range, rectangles, titles: list[str]) -> None:
    data, numbers = state.dataset(run.spec.data.dataset), list(shown)
    best = found[f"{layer}/best"][numbers]
    examples = data.x_test[best, : seen(run.spec.data), 0]
    grid = figures.favourites_series(found[f"{layer}/made"][numbers], examples, rectangles[numbers], titles)
    alt = f"Of each of {len(titles)} filters an input made for it and its favourite test series"
    st.plotly_chart(grid, key=f"favourites_{layer}", config={"displayModeBar": False}, alt=alt)
