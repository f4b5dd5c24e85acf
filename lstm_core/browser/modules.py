"""ES modules of assets/ put into one script, for a page that opens from a disk: there a module cannot import another file.

Each module becomes a function's block, after those that it imports, and what it exports is kept under its path. The forms
that our modules use are understood, `import name from "./other.js";`, `import { a, b } from "./other.js";`, and `export`
before a function, a class or a const; anything else is refused.
"""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import (?:([\w$]+)|\{([\w$,\s]+?),?\s*\}) from "(\.{1,2}/[\w./-]+\.js)";$', re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const)\b[ *]*([\w$]+))", re.M)
_DEFAULT = re.compile(r"^export default function (?=\()", re.M)
_OTHER = re.compile(r"^(?:import|export)\b.*$|\bimport\s*\(|\bimport\.meta\b", re.M)


def linked(entry: Path, folder: Path) -> str:
    """One script that does what a module does, with all that it imports in it.

    entry: the module's file. folder: holds it and all that it imports.
    Raises ValueError for an import or export of another form, for a name that is not exported, a file outside of `folder`,
    and modules that import each other.
    """
    blocks: dict[Path, str] = {}
    _add(entry.resolve(), folder.resolve(), blocks, {}, ())
    return "\n".join(["const modules = {};", *blocks.values()])


def _add(path: Path, folder: Path, blocks: dict[Path, str], exports: dict[Path, list[str]], above: tuple[Path, ...]) -> None:
    """Adds a module's block after those of all that it imports."""
    if path in blocks:
        return
    if not path.is_relative_to(folder):
        raise ValueError(f"{above[-1].name} imports {path.name} from outside of {folder.name}")
    if path in above:
        raise ValueError(f"{path.name} and {above[-1].name} import each other")

    def imported(found: re.Match[str]) -> str:
        default, several, other = found.groups()
        source = (path.parent / other).resolve()
        _add(source, folder, blocks, exports, (*above, path))
        wanted = ["default"] if default else [name.strip() for name in several.split(",")]
        if missing := [name for name in wanted if name not in exports[source]]:
            raise ValueError(f"{path.name} imports {', '.join(missing)} from {source.name}, which does not export it")
        return f"const {{ {f'default: {default}' if default else ', '.join(wanted)} }} = modules[{_key(source, folder)}];"

    code = _IMPORT.sub(imported, path.read_text("utf-8"))
    exports[path] = [*_EXPORT.findall(code), *(["default"] if _DEFAULT.search(code) else [])]
    code = _DEFAULT.sub("const main = function ", _EXPORT.sub("", code)).rstrip()
    if unknown := _OTHER.search(code):
        raise ValueError(f"{path.name} has an import or export that can't be put into one script: {unknown[0]!r}")
    given = ", ".join("default: main" if name == "default" else name for name in exports[path])
    blocks[path] = f"modules[{_key(path, folder)}] = (() => {{\n{code}\nreturn {{ {given} }};\n}})();"


def _key(path: Path, folder: Path) -> str:
    return f'"{path.relative_to(folder).as_posix()}"'
