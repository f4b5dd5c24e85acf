"""The Inside page as a person uses it: what the drawing shows is what the trace holds."""

from __future__ import annotations

import json
import math
import random
import re
import struct
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import expect

import lstm_core as lc
from lstm_core import diagram
from lstm_core.figures import palette
from lstm_core.walk import lit, walk
from tests.browser.conftest import rest

TEXT = "the clouds are in the sky"
FAMILY = [info.name for info in lc.models() if info.name.startswith("family-")]
every_model = pytest.mark.parametrize("name", FAMILY)
FUNCTIONS = {"σ": "sigmoid", "tanh": "tanh"}


def link(model: str = "family-lstm", **wanted: object) -> str:
    return "/inside?" + urlencode({"model": model, "text": TEXT, **wanted})


def stage(tab):
    found = tab.locator(".inside .stage")
    found.wait_for(state="visible")
    return found


def opened(open_tab, path: str, *more, **settings):
    """A tab in which the drawing stands."""
    tab = open_tab(path, *more, **settings)
    tab.locator(".inside .copy[data-step]").first.wait_for(state="attached")
    rest(tab)
    return tab


def data(tab) -> dict[str, str]:
    return tab.locator(".inside").evaluate("e => ({...e.dataset})")


def go(tab, step: int, unit: int) -> None:
    """To a character and a unit, by the keyboard and the unit's field: ten characters at once, then one by one."""
    tab.locator(".inside input.unit").fill(str(unit))
    stage(tab).focus()
    tab.keyboard.press("Home")
    for key in ["Shift+ArrowRight"] * (step // 10) + ["ArrowRight"] * (step % 10):
        tab.keyboard.press(key)
    assert (data(tab)["step"], data(tab)["unit"]) == (str(step), str(unit))


def pills(tab, step: int) -> dict[str, tuple[float, str]]:
    """What stands on the lines of one copy: the vector's name -> the number and how it is written."""
    groups = tab.locator(f".inside .copy[data-step='{step}']:not([hidden]) .pill[data-shown]")
    found = groups.evaluate_all(
        "g => g.map(e => [e.dataset.shown, Number(e.dataset.number), e.querySelector('text').textContent])"
    )
    return {name: (number, text) for name, number, text in found}


def rows(tab) -> dict[str, str]:
    found = tab.locator(".inside > .rows .row").evaluate_all("r => r.map(e => [e.dataset.line, e.lastChild.textContent])")
    return dict(found)


def value_of(text: str) -> float:
    """What an expression of numbers gives, as it is written."""
    text = text.replace("−", "-").replace("×", "*")
    for sign, name in FUNCTIONS.items():
        text = text.replace(f"{sign}(", f"{name}(")
    assert re.fullmatch(r"[-+*().\d ]*", text.replace("sigmoid", "").replace("tanh", "")), text
    return eval(text, {"__builtins__": {}}, {"sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh})


def written(value: float) -> str:
    size = abs(value)
    decimals = 3 if size < 10 else 2 if size < 100 else 1
    text = f"{value:.{decimals}f}".replace("-", "−")
    return text[1:] if text.startswith("−") and not text.strip("−0.") else text


def pairs(trace: lc.Trace, seed: str) -> list[tuple[int, int]]:
    chance = random.Random(seed)
    return [(chance.randrange(trace.steps), chance.randrange(trace.units)) for _ in range(3)]


def shows_the_trace(tab, trace: lc.Trace, step: int, unit: int) -> None:
    """Every number on the lines of the drawing is the trace's."""
    shown = pills(tab, step)
    expected = {n: trace[n][0, step, unit] for n in trace.signals}
    expected |= {f"{n}@-1": trace.before(n)[0][step, unit] for n in trace.cell.states}
    if {"forget", "input"} <= set(trace.signals):
        expected["forget * cell@-1"] = expected["forget"] * expected["cell@-1"]
        expected["input * candidate"] = expected["input"] * expected["candidate"]
        expected["tanh(cell)"] = np.tanh(expected["cell"])
    for value, number in expected.items():
        assert shown[value][0] == pytest.approx(float(number), abs=1e-5), (value, step, unit)
        assert shown[value][1] == written(shown[value][0])
    if step:
        assert pills(tab, step - 1)["hidden"][0] == pytest.approx(float(trace["hidden"][0, step - 1, unit]), abs=1e-6)
    assert tab.locator(f".inside .copy[data-step='{step}'] .glyph").text_content() == (TEXT[step].replace(" ", "␣"))


def without_function(text: str) -> str:
    """The argument, where all of an expression is one function's."""
    for sign in FUNCTIONS:
        if text.startswith(f"{sign}(") and text.endswith(")"):
            return text[len(sign) + 1 : -1]
    return text


def decimals(number: str) -> int:
    return len(number.partition(".")[2])


def holds(left: str, right: str) -> bool:
    """Whether a reader who works out the left side, and rounds it as the right side is rounded, gets the right side."""
    return abs(value_of(left) - value_of(right)) <= 0.5001 * 10.0 ** -decimals(right)


def adds_up(tab, trace: lc.Trace, step: int, unit: int) -> None:
    """Every equation holds for the numbers that are written, and ends at the trace's."""
    found = rows(tab)
    assert list(found) == list(trace.cell.names)
    for signal, text in found.items():
        links = text.removeprefix("= ").split(" = ")
        result = links[-1]
        assert len(links) > 1 and all(holds(expression, result) for expression in links), text
        for left, right in pairwise(links[:-1]):
            if re.fullmatch(r"−?[\d.]+", without_function(right)):
                assert holds(without_function(left), without_function(right)), text
        assert abs(value_of(result) - trace[signal][0, step, unit]) <= 0.5001 * 10.0 ** -decimals(result), text


def leads_on(tab, model: lc.CharModel, trace: lc.Trace) -> None:
    """The path lights both copies, and each of its strips is what h adds to a sum of the next step."""
    go(tab, 9, 17)
    tab.locator(".inside button[title='How cell states reach each other']").click()
    found = tab.locator(".inside .added").evaluate_all("r => r.map(e => ({...e.dataset}))")
    blocks = model.rnn.blocks(0)["hh"]
    assert len(found) == len(blocks)
    for row, affine in zip(found, [a for s in trace.cell.signals for a in trace.cell.affines if a in s.equation.walk()]):
        own = trace["hidden"][0, 9, 17] * (trace["reset"][0, 10, 17] if "*" in row["input"] else 1)
        added = blocks[affine.rows][0][:, 17].detach().numpy() * own
        assert int(row["most"]) == int(np.abs(added).argmax())
        assert float(row["added"]) == pytest.approx(float(added[int(row["most"])]), rel=1e-4)
    lit_now = tab.locator(".inside .copy[data-step='9'] [data-lit=true][data-value=hidden]").count()
    lit_next = tab.locator(".inside .copy[data-step='10'] [data-lit=true][data-signal]").count()
    assert lit_now and lit_next


@every_model
def test_the_drawing_shows_what_the_trace_holds_adds_up_and_leads_on(open_tab, name: str) -> None:
    model = lc.load(name)
    trace = lc.trace(model, TEXT)
    tab = opened(open_tab, link(name, reading="unit"))
    switches = [tab.get_by_role("group", name=group).get_by_role("button") for group in ("Weights", "Biases")]
    for turn, (step, unit) in enumerate(pairs(trace, name)):
        for buttons in switches:
            shown = [b for b in buttons.all() if b.is_visible()]
            if shown:
                shown[turn % len(shown)].click()
        go(tab, step, unit)
        shows_the_trace(tab, trace, step, unit)
        adds_up(tab, trace, step, unit)
    leads_on(tab, model, trace)


def test_one_w_or_two_are_the_same_numbers_regrouped(open_tab) -> None:
    tab = opened(open_tab, link(step=9, unit=63))
    one = rows(tab)["forget"]
    tab.get_by_role("button", name="W x + W h").click()
    two = rows(tab)["forget"]
    assert one.count("+") == 1 and two.count("+") == 2 and one.split(" = ")[-1] == two.split(" = ")[-1]
    tab.get_by_role("button", name="PyTorch’s two").click()
    assert rows(tab)["forget"].count("+") == 3
    tab.get_by_role("button", name="hidden", exact=True).click()
    assert (
        rows(tab)["forget"].count("+") == 1
        and "b" not in tab.locator(".inside [data-line=forget] .symbolic").first.inner_text()
    )


@pytest.mark.parametrize("name", [n for n in FAMILY if walk(lc.load(n).cell)])
def test_the_walk_lights_what_it_says(open_tab, name: str) -> None:
    cell = lc.load(name).cell
    parts = [e for e in ElementTree.fromstring(diagram.load(cell)).iter() if "data-value" in e.attrib]
    tab = opened(open_tab, link(name, step=4, unit=7))
    stage(tab).focus()
    for number, step in enumerate(walk(cell), 1):
        tab.keyboard.press(str(number))
        assert tab.locator(".inside .station h4").inner_text() == f"{number}. {step.title}"
        assert step.text in tab.locator(".inside .station").inner_text()
        assert tab.locator(".inside .station .row").evaluate_all("r => r.map(e => e.dataset.line)") == [
            n for n in cell.names if n in step.equations
        ]
        shown = tab.locator(".inside .copy[data-step='4'] > svg:first-of-type [data-value]").evaluate_all(
            "e => e.filter(x => x.dataset.lit !== undefined).map(x => [x.dataset.value, x.dataset.to || '', x.dataset.lit])"
        )
        wanted = {(p.get("data-value"), p.get("data-to", "")): any(lit(light, p) for light in step.lights) for p in parts
                  if p.tag.endswith("path")}  # fmt: skip
        drawn = {(value, to): on == "true" for value, to, on in shown if to}
        assert drawn == wanted, step.title
        bars = tab.locator(".inside .bars")
        expect(bars).to_be_visible(visible=step.bars)
        if step.bars:
            *terms, total = json.loads(bars.get_attribute("data-numbers"))
            assert holds(" + ".join(f"({term})" for term in terms), total)
    tab.keyboard.press("0")
    expect(tab.locator(".inside .station")).to_be_hidden()
    expect(tab.locator(".inside .copy[data-step='4'] [data-lit=false]")).to_have_count(0)


def test_nothing_is_sent_while_hands_move(open_tab) -> None:
    tab = opened(open_tab, link(step=3, unit=5))
    sent: list[str] = []
    tab.on("websocket", lambda ws: ws.on("framesent", lambda frame: sent.append(frame)))
    tab.reload()
    rest(tab)
    stage(tab)
    tab.wait_for_timeout(700)
    sent.clear()
    stage(tab).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "End", "Home", ".", ".", ",", " "):
        tab.keyboard.press(key)
    tab.wait_for_timeout(700)
    tab.keyboard.press(" ")
    box = stage(tab).bounding_box()
    for k in range(12):
        tab.mouse.move(box["x"] + box["width"] * (0.3 + 0.03 * k), box["y"] + box["height"] * 0.3)
    tab.locator(".inside input.unit").fill("9")
    tab.wait_for_timeout(1300)
    assert sent == []
    stage(tab).focus()
    tab.keyboard.press("Enter")
    tab.wait_for_timeout(600)
    assert sent, "a pin is told"


def test_keys_alone_do_everything_and_are_heard(open_tab) -> None:
    tab = opened(open_tab, link(step=3, unit=5))
    trace = lc.trace(lc.load("family-lstm"), TEXT)
    stage(tab).focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowDown")
    assert (data(tab)["step"], data(tab)["unit"]) == ("4", "6")
    tab.wait_for_timeout(400)
    live = tab.locator(".inside [aria-live=polite]")
    assert "character 5 of 25" in live.inner_text() and "unit 6" in live.inner_text()
    spoken = dict.fromkeys(trace.cell.names)
    for name in spoken:
        number = re.search(rf"{trace.cell[name].title} \S+ (−?[\d.]+)", live.inner_text())[1].rstrip(".")
        assert value_of(number) == pytest.approx(float(trace[name][0, 4, 6]), abs=0.006)
    for _ in range(30):
        tab.keyboard.press(".")
        if tab.locator(".inside .part").get_attribute("data-value") == "forget":
            break
    tab.wait_for_timeout(400)
    assert "W_f: 128 × 210 = 128 × (128 + 82)" in live.inner_text()
    assert "0 to 1" in live.inner_text() and written(float(trace["forget"][0, 4, 6])) in live.inner_text()
    tab.keyboard.press("u")
    assert json.loads(data(tab)["look"])["reading"] == "unit"
    tab.keyboard.press("2")
    assert json.loads(data(tab)["look"])["walk"] == 2
    tab.keyboard.press("Escape")
    assert json.loads(data(tab)["look"])["walk"] == 0
    tab.keyboard.press("Enter")
    tab.wait_for_timeout(1800)  # the look is told when hands are at rest
    rest(tab)
    query = parse_qs(urlparse(tab.url).query)
    assert query["character"] == ["5"] and query["unit"] == ["6"] and query["reading"] == ["unit"]


def test_a_link_opens_the_same_look(open_tab) -> None:
    tab = opened(open_tab, link(step=6, unit=42, walk=4, reading="unit", weights="two"))
    stage(tab)
    assert (data(tab)["step"], data(tab)["unit"]) == ("6", "42")
    look = json.loads(data(tab)["look"])
    assert (look["walk"], look["reading"], look["weights"], look["copies"]) == (4, "unit", "two", "three")
    tab = opened(open_tab, link(step=6, unit=42, walk="<b>", reading="everything"))
    stage(tab)
    assert json.loads(data(tab)["look"])["walk"] == 0


def test_pointing_names_the_vector_its_shape_and_its_value(open_tab) -> None:
    tab = opened(open_tab, link(step=9, unit=63))
    trace = lc.trace(lc.load("family-lstm"), TEXT)
    tab.locator(".inside .copy[data-step='9'] .hits rect").first.hover()
    part = tab.locator(".inside .part").inner_text()
    assert "forget gate" in part and "W_f: 128 × 210 = 128 × (128 + 82), b_f: 128" in part
    assert f"unit 63: {written(float(trace['forget'][0, 9, 63]))}" in part
    assert f"{written(float(trace['forget'][0, 9].min()))} to {written(float(trace['forget'][0, 9].max()))}" in part


def test_a_click_on_a_cell_of_the_strip_picks_its_unit(open_tab) -> None:
    tab = opened(open_tab, link(step=9, unit=63))
    strip = tab.locator(".inside .magnified")
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    tab.mouse.click(box["x"] + box["width"] * 20.5 / 128, box["y"] + 15)
    assert data(tab)["unit"] == "20"
    tab.wait_for_timeout(600)
    rest(tab)
    assert parse_qs(urlparse(tab.url).query)["unit"] == ["20"]


def colour_at(tab, x: float, y: float) -> tuple[int, ...]:
    return tuple(
        tab.locator(".inside .copy[data-step='9'] canvas").evaluate(
            "(c, [x, y]) => [...c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data]",
            [x, y],
        )
    )


def test_lines_have_the_colours_of_the_heatmaps(open_tab) -> None:
    """On the forget gate's line, at (210, 220) of 780 x 500, unit by unit, and all units along the strip."""
    tab = opened(open_tab, link(step=9, unit=63, reading="unit"))
    trace = lc.trace(lc.load("family-lstm"), TEXT)
    table = palette.lut("gate", "light").astype(int)
    for unit in (63, 0, 100):
        go(tab, 9, unit)
        wanted = table[round(255 * float(trace["forget"][0, 9, unit]))]
        assert np.abs(np.array(colour_at(tab, 210 / 780, 200 / 500)[:3]) - wanted).max() <= 4
    tab.keyboard.press("u")
    length = 277 - 150
    for unit in (20, 64, 90):
        y = 277 - (unit + 0.5) / 128 * length
        near = [table[round(255 * float(trace["forget"][0, 9, k]))] for k in range(unit - 2, unit + 3)]
        found = np.array(colour_at(tab, 210 / 780, y / 500)[:3])
        assert min(np.abs(found - colour).max() for colour in near) <= 4


def test_the_ends_of_the_text_are_shown_as_they_are(open_tab) -> None:
    tab = opened(open_tab, link(step=0, unit=3))
    expect(tab.get_by_text("before the text: h and C start at 0 in every unit")).to_have_count(1)
    stage(tab).focus()
    tab.keyboard.press("End")
    expect(tab.get_by_text("nothing comes after the last character, yet")).to_have_count(1)
    tab.get_by_role("button", name="C → h → next gates").click()
    assert "Nothing comes after" in tab.locator(".inside .path").inner_text()


def test_the_drawing_can_be_taken_away(open_tab, tmp_path: Path) -> None:
    tab = opened(open_tab, link("family-gru-pytorch", step=9, unit=84, reading="unit"))
    for kind in ("SVG", "PNG"):
        with tab.expect_download() as waiting:
            tab.get_by_role("button", name=f"Save as {kind}").click()
        waiting.value.save_as(tmp_path / f"drawing.{kind.lower()}")
    svg = (tmp_path / "drawing.svg").read_text("utf-8")
    root = ElementTree.fromstring(svg)
    said = " ".join(e.text or "" for e in root.iter(f"{diagram.SVG}text"))
    for word in (
        "family-gru-pytorch",
        "the clouds are in the sky",
        "character 10 of 25",
        "unit 84",
        "z near 1 keeps the old",
        "Olah",
    ):
        assert word in said, word
    assert "var(" not in svg and "currentColor" not in svg and "href" not in svg and "class=" not in svg
    wide, tall = struct.unpack(">II", (tmp_path / "drawing.png").read_bytes()[16:24])
    assert (wide, tall) == (2 * int(root.get("width")), 2 * int(root.get("height")))


def test_one_copy_or_three(open_tab) -> None:
    tab = opened(open_tab, link(step=9, unit=63))
    copies = tab.locator(".inside .copy:not([hidden])")
    expect(copies.nth(2)).to_be_attached()
    tab.get_by_role("group", name="Copies").get_by_role("button", name="one").click()
    expect(copies).to_have_count(1)
    tab.wait_for_timeout(1500)
    rest(tab)
    assert parse_qs(urlparse(tab.url).query)["copies"] == ["one"]


def test_a_long_text_arrives_as_one_gets_there(open_tab) -> None:
    text = "It was a long road. " * 90
    tab = opened(
        open_tab, "/inside?" + urlencode({"model": "family-lstm", "text": text, "step": 5, "unit": 3, "reading": "unit"})
    )
    trace = lc.trace(lc.load("family-lstm"), text)
    stage(tab).focus()
    tab.keyboard.press("End")
    last = len(text) - 1
    tab.locator(f".inside .copy[data-step='{last}']:not(.absent)").wait_for()
    rest(tab)
    assert pills(tab, last)["cell"][0] == pytest.approx(float(trace["cell"][0, last, 3]), abs=1e-5)


def test_the_second_layer_reads_the_first(open_tab) -> None:
    name = "war-and-peace-lstm"
    trace = lc.trace(lc.load(name), TEXT)
    tab = opened(open_tab, link(name, layer=2, step=9, unit=100, reading="unit"))
    assert pills(tab, 9)["cell"][0] == pytest.approx(float(trace["cell"][1, 9, 100]), abs=1e-5)
    last = rows(tab)["output"].split(" = ")[-1]
    assert value_of(last) == pytest.approx(float(trace["output"][1, 9, 100]), abs=0.0051)


def test_every_size_and_theme_fits_its_window(open_tab) -> None:
    for width, height, scheme in ((1400, 1000, "light"), (390, 844, "dark")):
        tab = opened(open_tab, link("family-peephole", walk=4, reading="unit"), width, height, scheme)
        stage(tab)
        assert tab.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 2


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>\ta\nb\u0000 e\u0301 👩‍👩‍👧 שלום \u202e abc", "x"])
def test_nothing_in_the_text_is_interpreted(open_tab, text: str) -> None:
    tab = opened(open_tab, "/inside?" + urlencode({"model": "family-gru", "text": text, "path": "on", "walk": 1}))
    dialogs: list[str] = []
    tab.on("dialog", lambda d: (dialogs.append(d.message), d.dismiss()))
    stage(tab)
    assert tab.locator("[data-testid=stMain] img[src='x']").count() == 0 and not dialogs
