"""Functions of the lab as source text, for scripts that must compute what the lab computes and import nothing of it.

The text is read from the lab's own files, so the two cannot drift apart. What a function needs comes with it: the functions,
classes and constants of the lab that it names, and import statements.
"""

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
LENDERS = ("model", "augmentation", "handwriting", "drawing")  # modules of the lab whose functions scripts may hold
# Names that read well without their module; others only lose a leading underscore.
NAMES = {
    ("model", "_redraw"): "redraw_strokes",
    ("model", "_bend"): "bend_images",
    ("augmentation", "bend"): "bend_weights",
    ("drawing", "_fit"): "fit_into_box",
    ("drawing", "_cut"): "cut_to_ink",
    ("drawing", "_centre"): "centre_mass",
}
STAND_INS = {"AugmentationSpec": "Changes", "spec": "changes"}  # the script's own settings stand for the spec

Definition = tuple[str, str]  # (module, name)


@dataclass
class Borrowed:
    """parts: the definitions, each after those that it needs. imports: the statements that they need."""

    parts: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    known: set[Definition] = field(default_factory=set)

    @property
    def code(self) -> str:
        """All definitions; two empty lines around functions and classes."""
        found = ""
        for part, before in zip(self.parts, [None, *self.parts], strict=False):
            if before is None:
                found = part
            else:
                close = _is_constant(part) and _is_constant(before)
                found += ("\n" if close else "\n\n\n") + part
        return found


def borrow(*wanted: Definition, switches: Mapping[str, bool] | None = None) -> Borrowed:
    """Definitions of the lab with all that they need.

    switches: settings of the augmentation that are on or off: what a function does only with one that is off is left out.
    """
    found = Borrowed()
    for definition in wanted:
        _add(definition, found, switches or {})
    return found


def keras_class(name: str) -> str:
    """One of the lab's own Keras layers, which loads again where a script has defined it."""
    return f"@keras.saving.register_keras_serializable()\n{_text('layers', name)}"


def _add(wanted: Definition, found: Borrowed, switches: Mapping[str, bool]) -> None:
    if wanted in found.known:
        return
    found.known.add(wanted)
    module, _ = wanted
    text = _specialised(_text(*wanted), switches)
    places, imports = _module(module)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in LENDERS:
            _add((node.value.id, node.attr), found, switches)
        elif isinstance(node, ast.Name) and node.id in places and isinstance(node.ctx, ast.Load):
            _add((module, node.id), found, switches)
        elif isinstance(node, ast.Name) and node.id in imports and node.id not in (*LENDERS, *STAND_INS):
            found.imports.add(imports[node.id])
    part = _renamed(text, module)
    if part not in found.parts:  # one statement may give several constants their values
        found.parts.append(part)


@cache
def _module(name: str) -> tuple[dict[str, ast.stmt], dict[str, str]]:
    """The top-level definitions of a module, and the import statement of each name that it imports."""
    places: dict[str, ast.stmt] = {}
    imports: dict[str, str] = {}
    for node in ast.parse(_file(name)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            places[node.name] = node
        elif isinstance(node, ast.Assign):
            named = (one for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name))
            places |= {one.id: node for one in named}
        elif isinstance(node, ast.Import):
            imports |= {alias.asname or alias.name: f"import {_named(alias)}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imports |= {alias.asname or alias.name: f"from {node.module} import {_named(alias)}" for alias in node.names}
    return places, imports


def _named(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


@cache
def _file(module: str) -> str:
    return (ROOT / f"{module}.py").read_text(encoding="utf-8")


def _text(module: str, name: str) -> str:
    """The lines of a definition, without decorators. Raises KeyError when the module has none of that name."""
    node = _module(module)[0][name]
    return "\n".join(_file(module).splitlines()[node.lineno - 1 : node.end_lineno])


def _specialised(text: str, switches: Mapping[str, bool]) -> str:
    """A function in which `if spec.SETTING:` is decided: its block is there without the question, or not at all."""
    lines: list[str | None] = list(text.splitlines())
    for function in ast.parse(text).body:
        for node in getattr(function, "body", []):
            if not isinstance(node, ast.If) or node.orelse or not isinstance(node.test, ast.Attribute):
                continue
            if ast.unparse(node.test.value) != "spec" or node.test.attr not in switches:
                continue
            block = range(node.lineno - 1, node.end_lineno)
            kept = textwrap.indent(textwrap.dedent("\n".join(lines[row] for row in block[1:])), " " * node.col_offset)
            lines[block[0]] = kept if switches[node.test.attr] else None
            for row in block[1:]:
                lines[row] = None
            if switches[node.test.attr] and isinstance(node.body[-1], ast.Return):  # nothing behind it is reached
                lines[block[-1] + 1 :] = []
                break
    return "\n".join(line for line in lines if line is not None)


def _renamed(text: str, module: str) -> str:
    """Code of a module with the names that a script gives to what it borrows. Words in strings and comments stay."""
    places, _ = _module(module)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    changes: list[tuple[tokenize.TokenInfo, str]] = []
    for before, token, dot, attribute in zip(
        [None, *tokens], tokens, [*tokens[1:], None], [*tokens[2:], None, None], strict=False
    ):
        if token.type != tokenize.NAME or (before is not None and before.string == "."):
            continue
        if token.string in LENDERS and dot is not None and dot.string == ".":
            changes += [(token, ""), (dot, ""), (attribute, _name(token.string, attribute.string))]
        elif token.string in places:
            changes.append((token, _name(module, token.string)))
        elif token.string in STAND_INS:
            changes.append((token, STAND_INS[token.string]))
    lines = text.splitlines()
    for token, new in reversed(changes):
        row, column = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:column] + new + line[token.end[1] :]
    return "\n".join(lines)


def _name(module: str, name: str) -> str:
    return NAMES.get((module, name), name.lstrip("_"))


def _is_constant(part: str) -> bool:
    return re.match(r"(def|class|@)\b", part) is None and not part.startswith("@")
