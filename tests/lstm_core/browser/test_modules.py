"""The one script of a page without a server does what its modules do apart, and what can't be put into it is refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lstm_core.browser.modules import linked
from lstm_core.places import ASSETS


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".js").write_text(text)
    (folder / "package.json").write_text('{ "type": "module" }')
    return folder / "main.js"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_one_script_does_what_the_modules_do(tmp_path: Path) -> None:
    """Names that two modules have for themselves stay apart; what both import runs once."""
    main = written(
        tmp_path,
        main='import { twice,\n  Counter } from "./parts/twice.js";\nimport add from "./parts/add.js";\nconst own = 1;\n'
        "console.log(twice(3), new Counter().count, add(own, 2));\n",
        parts__twice='import { own } from "./base.js";\nexport const twice = (x) => 2 * x + own;\n'
        "export class Counter {\n  count = own;\n}\n",
        parts__add='import { own } from "./base.js";\nexport default function (a, b) {\n  return a + b + own;\n}\n',
        parts__base='console.log("once");\nexport const own = 10;\n',
    )
    apart = subprocess.run(["node", main], capture_output=True, text=True, check=True).stdout
    script = tmp_path / "one.js"
    script.write_text(linked(main, tmp_path))
    assert subprocess.run(["node", script], capture_output=True, text=True, check=True).stdout == apart == "once\n16 10 13\n"


@pytest.mark.parametrize(
    "files, sentence",
    [
        ({"main": 'import { b } from "./a.js";', "a": "export const a = 1;"}, "main.js imports b from a.js, which does not"),
        ({"main": 'import b from "./a.js";', "a": "export const a = 1;"}, "main.js imports default from a.js"),
        ({"main": 'import { a } from "../a.js";'}, "from outside of"),
        ({"main": 'import { a } from "./a.js";', "a": 'import { b } from "./main.js";'}, "import each other"),
        ({"main": 'import * as a from "./a.js";'}, "can't be put into one script"),
        ({"main": 'const a = await import("./a.js");'}, "can't be put into one script"),
        ({"main": "const a = 1;\nexport { a };"}, "can't be put into one script"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        linked(written(tmp_path, **files), tmp_path)


def test_the_modules_of_the_report_can_be_linked() -> None:
    script = linked(ASSETS / "report" / "report.js", ASSETS)
    assert script.count('modules["shared/pens.js"] = ') == 1
