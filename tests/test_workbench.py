"""The shape workbench, with Keras as the second opinion."""

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnn_core.workbench import DoesNotFit, Slide

paddings = st.sampled_from(("same", "valid"))
sides, sizes, strides = st.integers(1, 40), st.integers(1, 11), st.integers(1, 8)


@settings(deadline=None, max_examples=150)
@given(sides, sizes, strides, paddings, st.integers(1, 4))
def test_output_sides_are_those_of_keras(side, size, stride, padding, dilation):
    assume(stride == 1 or dilation == 1)  # Keras refuses both at once
    layer = keras.layers.Conv2D(3, size, stride, padding, dilation_rate=dilation)
    pool = keras.layers.MaxPooling2D(min(size, 8), stride, padding)
    try:
        slide = Slide(side, size, stride, padding, dilation)
    except DoesNotFit as error:
        assert "does not fit" in str(error) and "Make it smaller" in str(error)
        with pytest.raises(ValueError):
            layer.compute_output_shape((None, side, side, 2))
        return
    assert layer.compute_output_shape((None, side, side, 2)) == (None, slide.output, slide.output, 3)
    if dilation == 1 and size <= 8:
        assert pool.compute_output_shape((None, side, side, 2))[1] == slide.output
    assert slide.formula.endswith(f"= {slide.output}")


@settings(deadline=None, max_examples=60)
@given(sides, sizes, strides, paddings, st.integers(1, 4), st.integers(0, 3))
def test_every_window_reads_the_cells_that_keras_reads(side, size, stride, padding, dilation, zeros):
    assume(stride == 1 or dilation == 1)
    if padding == "valid" and zeros:
        padding = zeros
    try:
        slide = Slide(side, size, stride, padding, dilation)
    except DoesNotFit:
        assume(False)
    # one example for each cell, in which that cell alone is 1: what a window of ones gives says whether it reads the cell
    cells = np.pad(np.eye(side, dtype=np.float32), ((0, 0), (slide.zeros, slide.zeros)))[..., None]
    ones = np.ones((size, 1, 1), np.float32)
    mode = "same" if padding == "same" else "valid"
    read = np.asarray(keras.ops.conv(cells, ones, stride, mode, dilation_rate=dilation))[..., 0]
    for place in range(slide.output):
        assert [cell for cell in slide.taps(place) if 0 <= cell < side] == np.flatnonzero(read[:, place]).tolist()
    assert sorted((*slide.dropped, *slide.skipped)) == np.flatnonzero(~read.any(axis=1)).tolist()


def test_a_stride_that_does_not_divide_says_what_is_dropped():
    slide = Slide(28, 5, 2)
    assert (slide.output, slide.dropped, slide.skipped) == (12, (27,), ())
    assert "last row and column of the input are **dropped**" in slide.sentences[0]
    assert Slide(29, 3, 4).dropped == (27, 28) and "last 2 rows and columns" in Slide(29, 3, 4).sentences[0]
    assert not Slide(27, 5, 2).dropped


def test_a_stride_larger_than_the_window_steps_over_cells():
    slide = Slide(8, 1, 3)
    assert (slide.output, slide.skipped, slide.dropped) == (3, (1, 2, 4, 5), (7,))
    assert any("steps over cells" in sentence for sentence in slide.sentences)


def test_the_formula_has_the_numbers_in_it():
    assert Slide(28, 5, 2).formula == r"\left\lfloor \frac{28 - 5}{2} \right\rfloor + 1 = 12"
    assert Slide(28, 3, 2, "same").formula == r"\left\lceil \frac{28}{2} \right\rceil = 14"
    assert Slide(28, 3, 1, "valid", 3).formula == r"\left\lfloor \frac{28 - 7}{1} \right\rfloor + 1 = 22"
    assert "reach" in Slide(28, 3, 1, "valid", 3).symbols


def test_same_puts_the_odd_zero_behind():
    slide = Slide(28, 4, 1, "same")
    assert (slide.before, slide.after) == (1, 2)
    assert "1 before and 2 behind (an odd number" in slide.sentences[0]
    assert Slide(28, 1, 1, "same").sentences == ("'same' needs no zeros here.",)


def test_what_does_not_fit_is_said_in_a_sentence():
    with pytest.raises(DoesNotFit, match="kernel of 3 with dilation 4 reaches 9 cells, and does not fit the side of 8 cells"):
        Slide(8, 3, 1, "valid", 4)
    with pytest.raises(DoesNotFit, match="window of 5 does not fit the side of 2 cells with 1 zero at"):
        Slide(2, 5, 1, 1, what="window")
