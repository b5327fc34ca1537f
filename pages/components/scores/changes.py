"""Accuracy on test images or series that are changed more and more, beside other runs."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnn_core import figures, study, targets
from cnn_core.run import Run
from cnn_core.studies import robustness
from pages.components import pictures, state
from pages.components.run_picker import titles
from pages.components.scores.said import PLAIN, Said
from pages.components.study_panel import study_panel

WANTED = 0.9
SAMPLE = 4  # the class of the test example whose changes are shown


def changes(said: Said) -> None:
    """The study of a run, its curves beside those of others, and what the changes look like."""
    main = targets.main_head(said.run.spec)
    if said.head != main.name:
        st.caption(f"Followed is the accuracy of its first head of classes, **{main.name}**.")
    units = robustness.units(said.run)
    about = f"Reads 1,000 test {said.what}, changed in {len(units)} ways at seven levels, in the background: up to a minute."
    found = study_panel(said.run.run, "robustness", f"Try changed {said.what}", f"{about} It is kept with the run.")
    if found is None:
        st.caption("What the changes look like, from none on:")
        _grid(said, {}, {})
        return
    others = _others(said.run)
    chosen = []
    if others:
        chosen = st.multiselect(
            "Beside it",
            list(others),
            format_func=titles({name: run.name for name, run in others.items()}).get,
            key="robust_beside",
            max_selections=5,
        )
    else:
        st.caption(f"Try changed {said.what} on another network as well, and it can be shown beside this one.")
    curves = {said.run.name: found}
    for number, run in enumerate(chosen, 2):
        if (other := study.result(state.lab(), run, "robustness")) is not None:
            curves[f"{number}. {others[run].name}"] = other  # names may be the same
    falls = {
        name: {change: robustness.falls_under(robustness.LEVELS[change], values[change], WANTED) for change in units}
        for name, values in curves.items()
    }
    _grid(said, curves, falls)
    st.subheader(f"Where it falls under {WANTED:.0%}", anchor=False)
    rows = [
        {"Change": change, **{name: _words(places[change]) for name, places in falls.items()}, "In": unit}
        for change, unit in units.items()
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height=38 + 35 * len(units),
        alt=f"The level of each change at which accuracy falls under {WANTED:.0%}",
    )


def _grid(said: Said, curves: dict[str, study.Result], falls: dict[str, dict[str, float | None]]) -> None:
    """A chart of each change, over pictures of its levels."""
    units = robustness.units(said.run)
    example = said.data.x_test[np.flatnonzero(said.data.y_test == SAMPLE)[:1], ..., 0]
    with st.grid("auto", min_column_width=300, gap="medium", key="pictures_changes") as grid:
        for change, unit in units.items():
            levels = robustness.LEVELS[change]
            with grid.cell():
                fell = {name: places[change] for name, places in falls.items()}
                if curves:
                    values = {name: found[change] for name, found in curves.items()}
                    figure = figures.robustness(levels, values, change.capitalize(), unit, fell, WANTED)
                    words = "; ".join(f"{name} from {one[0]:.0%} to {one[-1]:.0%}" for name, one in values.items())
                    st.plotly_chart(figure, key=f"robust_{change}", config=PLAIN, alt=f"Accuracy against {change}: {words}")
                else:
                    st.markdown(f"**{change.capitalize()}** ({unit})")
                _looks(said, example, change, levels)


def _looks(said: Said, example: np.ndarray, change: str, levels: Sequence[float]) -> None:
    """One test example (1, ...) at each level of a change."""
    steps = [f"{level:g}" for level in levels]
    alt = f"One test example under {change} of {', '.join(steps)}"
    if said.data.info.is_series:
        shown = np.concatenate([robustness.changed_series(example, change, level) for level in levels]).T
        reach = (float(shown.min()), float(shown.max()))
        figure = figures.curves_grid(shown, "layer", reach, titles=steps)
        st.plotly_chart(figure, key=f"changed_{change}", config=PLAIN, alt=alt)
    else:
        shown = np.concatenate([robustness.changed(example, change, level) for level in levels])
        pictures.strip(shown[..., np.newaxis], alt, columns=len(levels))


def _others(run: Run) -> dict[str, Run]:
    """The other runs that were tried on the same changes."""
    lab = state.lab()
    tried = (
        other
        for other in lab.answering()
        if other.run != run.run and robustness.units(other) is robustness.units(run) and targets.main_head(other.spec)
    )
    return {other.run: other for other in tried if study.state(lab, other.run, "robustness").status == "done"}


def _words(place: float | None) -> str:
    return "never" if place is None else "at once" if place == 0 else f"{place:.3g}"
