"""The source files of the three rooms and what they import, for rules about the whole."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("models", "converters", "pipeline")
FILES = sorted(path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def tree(file: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse((ROOT / file).read_text())


def imports(node: ast.AST) -> set[str]:
    """Dotted names imported anywhere below a node: modules, and what is taken from them."""
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            found |= {alias.name for alias in inner.names}
        elif isinstance(inner, ast.ImportFrom):
            assert inner.level == 0, "relative import"
            assert inner.module is not None
            found |= {inner.module, *(f"{inner.module}.{alias.name}" for alias in inner.names)}
    return found


def imports_at_top(file: Path) -> set[str]:
    """Dotted names imported when the file is, not only when a function of it is called."""
    names, waiting = set(), list(tree(file).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _for_types_only(node):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= imports(node)
        waiting += ast.iter_child_nodes(node)
    return names


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
