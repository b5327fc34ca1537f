"""A run as a Jupyter notebook: the code of the script in cells, each with a word on what it is for."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnn_core.export.script import sections
from cnn_core.presets import origin
from cnn_core.spec import RunSpec

METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def notebook(spec: RunSpec, departed: str | None = None) -> str:
    """The JSON of a notebook whose code cells are the parts of the script, in order. Raises SpecError when it cannot be trained.

    departed: how the run in the lab departed from its spec, in words.
    """
    cells = []
    for number, section in enumerate(sections(spec, departed)):
        title = f"## {section.title}" if number else f"# {origin(spec)} on {spec.data.dataset}"
        cells.append(new_markdown_cell(f"{title}\n\n{section.text}", id=f"text-{number}"))
        cells.append(new_code_cell(section.code, id=f"code-{number}"))
    made = new_notebook(cells=cells, metadata=METADATA)
    nbformat.validate(made)
    return nbformat.writes(made)
