"""What a window does along one side of a map: where it stands, what it reads, and what no window reads.

The arithmetic is that of Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016), with Keras' own padding:
with 'same', an odd number of zeros has the extra one behind.
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil

from cnn_core.errors import LabError
from cnn_core.layer_kinds import Padding


class DoesNotFit(LabError):
    """A window that is larger than what it slides over."""


@dataclass(frozen=True)
class Slide:
    """A window of `size` cells, `dilation` apart, that moves by `stride` along a side of `side` cells.

    padding: "valid", "same", or a number of zeros at each end. what: the name of the window in sentences.
    Raises DoesNotFit.

    >>> conv = Slide(side=28, size=5, stride=2, padding="valid")
    >>> conv.output, conv.dropped
    (12, (27,))
    """

    side: int
    size: int
    stride: int = 1
    padding: Padding | int = "valid"
    dilation: int = 1
    what: str = "kernel"

    def __post_init__(self) -> None:
        if self.padding != "same" and self.reach > self.side + 2 * self.zeros:
            reaches = f" with dilation {self.dilation} reaches {self.reach} cells, and" if self.dilation > 1 else ""
            zeros = f" with {self.zeros} zero{'s' * (self.zeros > 1)} at each end" if self.zeros else ""
            raise DoesNotFit(
                f"The {self.what} of {self.size}{reaches} does not fit the side of {self.side} cells{zeros}. "
                f"Make it smaller, the side larger, or use padding 'same'."
            )

    @property
    def zeros(self) -> int:
        """Zeros that a padding given as a number puts at each end."""
        return self.padding if isinstance(self.padding, int) else 0

    @property
    def reach(self) -> int:
        """Cells from the first that a window reads to its last, both counted."""
        return self.dilation * (self.size - 1) + 1

    @property
    def output(self) -> int:
        """How many windows there are: the side of the output."""
        if self.padding == "same":
            return ceil(self.side / self.stride)
        return (self.side + 2 * self.zeros - self.reach) // self.stride + 1

    @property
    def before(self) -> int:
        """Padding cells before the first cell."""
        return self._missing // 2 if self.padding == "same" else self.zeros

    @property
    def after(self) -> int:
        """Padding cells behind the last cell."""
        return self._missing - self._missing // 2 if self.padding == "same" else self.zeros

    @property
    def _missing(self) -> int:
        return max(0, (self.output - 1) * self.stride + self.reach - self.side)

    def taps(self, place: int) -> tuple[int, ...]:
        """The cells that window number `place` (from 0) reads; those under 0 and from `side` on are padding."""
        start = place * self.stride - self.before
        return tuple(range(start, start + self.reach, self.dilation))

    @cached_property
    def _unread(self) -> tuple[int, ...]:
        read = {cell for place in range(self.output) for cell in self.taps(place)}
        return tuple(cell for cell in range(self.side) if cell not in read)

    @property
    def dropped(self) -> tuple[int, ...]:
        """Cells behind the last window: one more step would leave the map."""
        return tuple(cell for cell in self._unread if cell > self.taps(self.output - 1)[-1])

    @property
    def skipped(self) -> tuple[int, ...]:
        """Cells between what the windows read, which no window reads either."""
        return tuple(cell for cell in self._unread if cell not in self.dropped)

    @property
    def formula(self) -> str:
        """The output's side in LaTeX, with the numbers in it.

        >>> Slide(28, 5, padding=1).formula
        '\\\\left\\\\lfloor \\\\frac{28 + 2 \\\\cdot 1 - 5}{1} \\\\right\\\\rfloor + 1 = 26'
        """
        if self.padding == "same":
            return rf"\left\lceil \frac{{{self.side}}}{{{self.stride}}} \right\rceil = {self.output}"
        zeros = rf" + 2 \cdot {self.zeros}" if self.zeros else ""
        inside = rf"\frac{{{self.side}{zeros} - {self.reach}}}{{{self.stride}}}"
        return rf"\left\lfloor {inside} \right\rfloor + 1 = {self.output}"

    @property
    def symbols(self) -> str:
        """The same formula in words."""
        if self.padding == "same":
            return r"\text{output} = \left\lceil \frac{\text{input}}{\text{stride}} \right\rceil"
        zeros = r" + 2 \cdot \text{padding}" if self.zeros else ""
        reach = r"\text{reach}" if self.dilation > 1 else r"\text{size}"
        return rf"\text{{output}} = \left\lfloor \frac{{\text{{input}}{zeros} - {reach}}}{{\text{{stride}}}} \right\rfloor + 1"

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to know of the borders, the most important first."""
        said = []
        if self.dropped:
            last = "row and column" if len(self.dropped) == 1 else f"{len(self.dropped)} rows and columns"
            said.append(
                f"The stride of {self.stride} does not divide what is left after the first window, so the last {last} "
                "of the input are **dropped**: no window reads them."
            )
        if self.skipped:
            said.append(
                f"Every window steps over cells: {len(self.skipped)} of {self.side} rows and columns are read by no window, because "
                f"the stride of {self.stride} is larger than the steps inside the {self.what}."
                if self.dilation == 1
                else f"{len(self.skipped)} of {self.side} rows and columns are read by no window: stride and dilation skip the same cells."
            )
        if self.dilation > 1:
            said.append(
                f"With dilation {self.dilation} the {self.size} cells of the {self.what} lie {self.dilation} apart: "
                f"it reaches {self.dilation}·({self.size} − 1) + 1 = {self.reach} cells with no more weights."
            )
        if self.padding == "same" and self._missing:
            odd = " (an odd number: Keras puts the extra one behind)" if self.before != self.after else ""
            said.append(
                f"'same' adds {self._missing} zero{'s' if self._missing > 1 else ''} to each row and column: "
                f"{self.before} before and {self.after} behind{odd}."
            )
        elif self.padding == "same":
            said.append("'same' needs no zeros here.")
        if self.padding != "same" and not self.zeros and self.output < self.side and self.stride == 1:
            lost = self.side - self.output
            said.append(f"Without padding each side loses {lost} cell{'s' if lost > 1 else ''}: size − 1, in all.")
        return tuple(said)
