"""The package: its wheel, built from its source distribution, holds the app under one name and works from any folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import lstm_core as lc

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SETTINGS = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
NOT_SHIPPED = {"assets/screenshot.png"}


def build(target: str, source: Path, folder: Path) -> Path:
    """Offline and without isolation: hatchling is in tests/requirements.txt."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    with tarfile.open(build("sdist", ROOT, folder / "sdist")) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    return build("wheel", source, folder / "wheel")


@pytest.fixture(scope="module")
def site(wheel: Path) -> Path:
    """A folder on sys.path with what the wheel installs there."""
    folder = wheel.parent.parent / "site"
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


@pytest.fixture
def run(site: Path, tmp_path: Path) -> Any:
    """Python code in a fresh process, in an empty folder, with the wheel's files alone; its JSON."""

    def output(code: str, *argv: str, **environment: str) -> Any:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
        done = subprocess.run(
            [sys.executable, "-c", code, *argv],
            cwd=tmp_path,
            env={**inherited, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1", "HOME": str(tmp_path), **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return output


def files(*names: str) -> set[str]:
    """Of the checkout, below these names, as paths from its root."""
    found = [path for name in names for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))]
    return {p.relative_to(ROOT).as_posix() for p in found if p.is_file() and "__pycache__" not in p.parts}


def test_everything_that_the_wheel_installs_lies_under_one_name(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    facts = f"gatescope-{lc.__version__}.dist-info/"
    app = files("app.py", "pages", "assets", ".streamlit") - NOT_SHIPPED
    expected = files("lstm_core") | {f"lstm_core/app/{name}" for name in app}
    assert {name for name in names if not name.startswith(facts)} == expected
    assert {facts + name for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")} <= names
    assert "lstm_core/py.typed" in names


def test_a_model_is_loaded_by_name_from_any_folder(run: Any, site: Path) -> None:
    code = "import json, lstm_core as lc; m = lc.load('shakespeare-lstm'); print(json.dumps([m.name, lc.__file__]))"
    assert run(code) == ["shakespeare-lstm", str(site / "lstm_core" / "__init__.py")]


COMMAND = """
import json, sys
from lstm_core.__main__ import gatescope
sys.argv[0] = "gatescope"
"""
SERVED = f"""{COMMAND}
from streamlit import config
from streamlit.web import bootstrap

def serve(script, *_):
    names = {json.dumps([f"{section}.{name}" for section in ("server", "browser", "client") for name in SETTINGS[section]])}
    values = {{name: config.get_option(name) for name in (*names, "theme.light.primaryColor", "server.port")}}
    print(json.dumps({{"script": script, **values}}))

bootstrap.run = serve
gatescope()
"""


def test_without_arguments_it_serves_the_app_with_its_own_settings(run: Any, site: Path) -> None:
    """Whatever the current folder is, and the person's own settings are."""
    for folder in (site.parent / "elsewhere", site.parent / "elsewhere" / ".streamlit"):
        folder.mkdir()
    (site.parent / "elsewhere" / ".streamlit" / "config.toml").write_text('[server]\naddress = "0.0.0.0"\n')
    served = run(f"import os; os.chdir({str(site.parent / 'elsewhere')!r}){SERVED}", DISPLAY="")
    assert served.pop("script") == str(site / "lstm_core" / "app" / "app.py")
    assert served.pop("theme.light.primaryColor") == SETTINGS["theme"]["light"]["primaryColor"]
    assert served.pop("server.port") == 8501
    assert served == {f"{s}.{n}": SETTINGS[s][n] for s in ("server", "browser", "client") for n in SETTINGS[s]}


@pytest.mark.parametrize(
    "argv, environment, headless",
    [((), {}, False), (("app", "--no-browser"), {}, True), ((), {"STREAMLIT_SERVER_HEADLESS": "true"}, True)],
)
def test_a_browser_is_opened_unless_there_is_a_reason_not_to(
    run: Any, argv: tuple[str, ...], environment: dict[str, str], headless: bool
) -> None:
    assert run(SERVED, *argv, **{"DISPLAY": ":0", **environment})["server.headless"] is headless


def test_the_port_and_the_environment_outrank_the_settings(run: Any) -> None:
    served = run(SERVED, "app", "--port", "8600", STREAMLIT_SERVER_ADDRESS="0.0.0.0", STREAMLIT_SERVER_MAX_UPLOAD_SIZE="5")
    assert (served["server.port"], served["server.address"], served["server.maxUploadSize"]) == (8600, "0.0.0.0", 5)


def test_with_arguments_it_is_the_command_line(run: Any) -> None:
    code = f"""{COMMAND}
import contextlib, io
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
    gatescope()
print(json.dumps(said.getvalue()))
"""
    shown = run(code, "explain", "--help")
    assert shown.startswith("usage: gatescope explain ") and "  gatescope explain war-and-peace-lstm" in shown
    assert "python -m" not in shown


def test_the_pins_lie_inside_the_ranges_of_the_package() -> None:
    """Every dependency is pinned in one of the two files, and every pin is one of the package's dependencies."""
    extras = PROJECT["optional-dependencies"]
    dev = [*extras["dev"], *extras["pictures"]]
    for name, ranges in (("requirements.txt", PROJECT["dependencies"]), ("tests/requirements.txt", dev)):
        lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text("utf-8").splitlines()]
        pins = {pin.name: pin.specifier for pin in map(Requirement, filter(None, lines))}
        allowed = {r.name: r.specifier for r in map(Requirement, ranges) if r.name != PROJECT["name"]}
        assert pins.keys() == allowed.keys(), name
        for package, pin in pins.items():
            (exact,) = pin
            assert exact.operator == "==" and allowed[package].contains(exact.version), package


def test_the_version_is_written_once() -> None:
    assert PROJECT["dynamic"] == ["version"] and "version" not in PROJECT
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert newest and newest[1] == lc.__version__, "the newest entry of the changelog is this version's"
