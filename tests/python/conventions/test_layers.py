"""The packages of the command line lie in layers: none needs, by whatever way, what needs it."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "scripts" / "warehouse"


def imported_modules(source: str) -> set[str]:
    """Return the full names of what a module imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def needed_parts(root: Path) -> dict[str, set[str]]:
    """Return for each package, and each module outside of one, what else of `root` it needs."""
    needs: dict[str, set[str]] = {}
    for file in sorted(root.rglob("*.py")):
        part = file.relative_to(root).with_suffix("").parts[0]
        modules = (name.split(".") for name in imported_modules(file.read_text(encoding="utf-8")))
        found = {module[1] for module in modules if module[0] == root.name and len(module) > 1}
        needs.setdefault(part, set()).update(found - {part})
    return needs


def test_packages_form_layers() -> None:
    needs = needed_parts(PACKAGE)
    assert {"landing", "building", "publishing", "engine"} <= needs.keys()
    try:
        tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' <- '.join(error.args[1])}")


def test_a_circle_through_a_function_is_found(tmp_path: Path) -> None:
    for name, text in (
        ("upper", "from warehouse.lower.a import b"),
        ("lower", "def f():\n    import warehouse.upper.a"),
    ):
        (tmp_path / "warehouse" / name).mkdir(parents=True)
        (tmp_path / "warehouse" / name / "a.py").write_text(text, encoding="utf-8")
    needs = needed_parts(tmp_path / "warehouse")
    assert needs == {"upper": {"lower"}, "lower": {"upper"}}
    with pytest.raises(CycleError):
        tuple(TopologicalSorter(needs).static_order())
