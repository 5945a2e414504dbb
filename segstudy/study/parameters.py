"""The tagged parameters cell of a notebook: what it declares, and overrides checked against it."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

from segstudy.errors import StudyError

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", list: "a list"}
KINDS |= {dict: "a mapping", type(None): "nothing"}


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell.

    Parameters
    ----------
    name : str
    default : plain value
        A literal; its type is the parameter's type.
    comment : str
        What the line's comment says it does.
    """

    name: str
    default: Any
    comment: str


def parameters_source(script: str, where: str) -> str:
    """Return the source of the one cell tagged ``parameters`` in a py:percent script.

    Read from the text, so that experiments run on machines without jupytext.

    Raises
    ------
    StudyError
        When there is none, or more than one.
    """
    cells = re.split(r"^# %%(.*)$", script, flags=re.MULTILINE)
    found = [body for head, body in zip(cells[1::2], cells[2::2], strict=True) if '"parameters"' in head]
    if len(found) != 1:
        raise StudyError(f'{where}: {len(found)} cells are tagged "parameters"; a notebook has exactly one')
    return found[0]


def declared_parameters(source: str, where: str) -> dict[str, Parameter]:
    """Read a parameters cell: one ``name = literal  # what it does`` a line.

    Raises
    ------
    StudyError
        For any other statement, a value that is no literal, or a line without a comment.
    """
    lines = source.splitlines()
    parameters = {}
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise StudyError(f"{where}: the parameters cell is not Python: {error}") from None
    for node in body:
        line = lines[node.lineno - 1]
        plain = (
            isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        )
        if not plain or [other.lineno for other in body].count(node.lineno) > 1:
            raise StudyError(
                f"{where}: the parameters cell holds {line!r}; write name = literal  # what it does"
            )
        name = node.targets[0].id
        last = lines[(node.end_lineno or node.lineno) - 1].encode()  # offsets count bytes
        comment = last[node.end_col_offset or 0 :].decode().strip().lstrip("# ")
        if not comment:
            raise StudyError(f"{where}: parameter {name!r} has no comment that says what it does")
        try:
            default = json.loads(json.dumps(ast.literal_eval(node.value)))  # a tuple becomes a list
        except (ValueError, TypeError):
            raise StudyError(f"{where}: parameter {name!r} is not a plain literal: {line!r}") from None
        parameters[name] = Parameter(name, default, comment)
    return parameters


def parse_setting(text: str) -> tuple[str, Any]:
    """Split ``name=value`` as given on the command line; the value is read as YAML (``3``, ``[a, b]``,
    ``true``).
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise StudyError(f"--set {text!r}: write --set name=value, for example --set seeds=[0,1]")
    try:
        return name, json.loads(value)  # first, because YAML reads 1e-5 as a string
    except ValueError:
        pass
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise StudyError(f"--set {name}: {value!r} is not a value YAML can read ({error})") from None


def check_value(parameter: Parameter, value: Any, where: str) -> Any:
    """Return `value` in the parameter's type.

    An int does for a float; a list is checked item by item against its default's first item.

    Raises
    ------
    StudyError
        When the type differs; the message names the parameter, both types and the default.
    """
    default = parameter.default
    if default is None or value is None:
        fits = default is None
    elif isinstance(default, bool) or isinstance(value, bool):
        fits = isinstance(default, bool) and isinstance(value, bool)
    elif isinstance(default, float):
        fits = isinstance(value, (int, float))
    else:
        fits = isinstance(value, type(default))
    if not fits:
        raise StudyError(
            f"{where}: parameter {parameter.name!r} takes {KINDS[type(default)]} (default {default!r}), not {value!r}"
        )
    if isinstance(default, list) and default:
        item = Parameter(f"{parameter.name}[...]", default[0], "")
        return [check_value(item, each, where) for each in value]
    return float(value) if isinstance(default, float) and value is not None else value
