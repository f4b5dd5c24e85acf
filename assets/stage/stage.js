/**
 * The live part of the pages Gates and Inside: what is typed is read by the model in this browser and painted in the next frame.
 *
 * Python (pages/common/stage.py) sends what there is to choose from, where the model's file is, and, after a pause, what torch computed
 * of the same text. Two messages go back: "stage", after a pause, with what stands in the field and what is chosen, and "look", from the picture.
 */

import { firstLook } from "../gates/from_reading.js";
import { readTheme } from "../shared/colours.js";
import { element, option } from "../shared/elements.js";
import { loadedModel } from "../shared/engine/loading.js";
import { Reading } from "../shared/engine/reading.js";
import { equationsOf } from "../shared/equations/equations.js";
import { stepOf } from "../shared/equations/from_reading.js";
import { Moment } from "../shared/equations/moment.js";
import { UnitPanel } from "../shared/equations/panel.js";
import { readInFrames } from "../shared/frames.js";
import { judged } from "../shared/judged.js";
import { shown } from "../shared/numbering.js";
import { placeText } from "../shared/phrases.js";
import { columnsOf } from "../shared/tables.js";
import { textField } from "../shared/text_field.js";
import { progressText, readTyped } from "../shared/typed.js";
import { tr } from "../shared/words.js";
import { Drawing } from "./drawing.js";
import { ALL, Heatmaps } from "./heatmaps.js";
import { forget, keep, restored } from "./kept.js";

const PICTURES = { gates: Heatmaps, inside: Drawing }; // by the name that pages/common/stage.py gives

const TOLD = 80; // milliseconds that a message may take to be on its way
const PATIENCE = 15_000; // milliseconds until what the server has not answered is sent again; twice as long each time
const MOST_TRIES = 3;
const PAUSE = 500; // milliseconds without a keystroke, after which the server reads the text too
const NARROW = 620; // pixels: a phone
const LONGEST_IN_LINK = 2000; // characters: LONGEST_TEXT of pages/common/links.py

class Stage {
  /** @param {HTMLElement} root @param {any} data @param {string} address of this script */
  constructor(root, { stage }, address) {
    this.address = address;
    /** To the server. @type {(name: string, value: any) => void} */
    this.send = () => {};
    /** @type {ReturnType<typeof setTimeout>} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout>} */
    this.answer = undefined;
    this.isLost = false; // nothing can be kept in this browser
    this.session = stage.session;
    this.serial = 0; // of the server's last word on what is shown
    this.pinSerial = 0; // of ours to the picture
    this.version = ""; // of the model that is wanted
    this.reading = null;
    this.picture = null;
    this.kind = PICTURES[stage.kind];
    this.reported = "";
    this.build(root, stage);
    this.onLeave = (event) => !event.composedPath().includes(root) && !linkOf(event) && this.report();
    this.onFollow = (event) => this.follow(event);
    this.onHide = () => this.keepText();
    for (const act of ["pointerdown", "focusin"]) document.addEventListener(act, this.onLeave, true);
    document.addEventListener("click", this.onFollow, true);
    window.addEventListener("pagehide", this.onHide);
  }

  build(root, { texts }) {
    this.field = textField({ label: tr("Text"), text: "", onText: (text) => this.typed(text) });
    this.texts = element("select", { "aria-label": tr("Examples") }, option("", tr("Examples")), ...texts.map(({ title }, k) => option(k, title)));
    this.models = element("select", { "aria-label": tr("Model") });
    this.layers = element("select", { "aria-label": tr("Layer") });
    this.field.aside.append(this.texts, this.models, this.layers);
    this.place = element("div", { className: "picture-place" }, element("div", { className: `scope ${this.kind.selector}` }));
    this.panel = new UnitPanel();
    this.panel.root.hidden = true;
    root.append(this.field.root, this.place, this.panel.root);
    this.root = root;
    this.texts.onchange = () => {
      const chosen = this.data.stage.texts[Number(this.texts.value)];
      this.texts.value = "";
      this.field.put(chosen.text);
    };
    this.models.onchange = () => this.chooseModel(this.models.value);
    this.layers.onchange = () => this.chooseLayer(Number(this.layers.value));
  }

  /** Takes in what the server says. */
  update(data) {
    const { stage } = data;
    const isFirst = !this.data;
    this.data = data;
    if (!isFirst && stage.session !== this.session) {
      // the server was started anew: what stands here is newer than anything that it can know
      [this.session, this.serial] = [stage.session, stage.serial];
      this.report();
    } else if (isFirst || stage.serial !== this.serial) this.obey(isFirst);
    this.load();
    this.group();
    this.remark();
  }

  /** The order of units that move together, which Python finds when it is wanted. */
  group() {
    const { judge } = this.data;
    if (!judge?.grouped || judge.model !== this.name || judge === this.groupedBy) return;
    this.groupedBy = judge;
    for (const track of this.described.tracks) track.grouped = judge.grouped[track.layer];
    this.picture.choose(this.layer);
    this.take();
  }

  /** Shows what the server wants to be shown; at first what was kept here, where that outranks it. */
  obey(isFirst) {
    const { stage } = this.data;
    const kept = isFirst ? restored(stage) : null;
    this.serial = stage.serial;
    const { model, text, layer, step, unit, pinned_layer: pinnedLayer } = stage.chosen;
    this.chosen = { model, layer };
    this.step = step; // where to look, should no unit be chosen yet
    this.pin = unit === null ? null : { step: step ?? 0, unit, layer: pinnedLayer ?? Math.max(0, layer) };
    this.text = text;
    if (kept?.text && (kept.text !== text || kept.model !== model)) {
      this.text = kept.text;
      const isThere = stage.models.some(({ name }) => name === kept.model);
      this.pin = (isThere && kept.pin) ?? null;
      if (isThere) this.chosen = { model: kept.model, layer: kept.layer ?? 0 };
      this.reportSoon();
    } else this.reported = this.reportText();
    this.field.set(this.text);
    this.pinSerial++;
    this.fillChoices();
    if (this.reading && this.name === this.chosen.model) this.take();
  }

  fillChoices() {
    const { models } = this.data.stage;
    const names = models.map(({ name }) => name);
    if (JSON.stringify(names) !== this.listed) {
      this.listed = JSON.stringify(names);
      this.models.replaceChildren(...names.map((name) => option(name, name)));
    }
    this.models.value = this.chosen.model;
    const { layers } = models.find(({ name }) => name === this.chosen.model);
    const each = Array.from({ length: layers }, (_, layer) => option(layer, tr("layer {layer}", { layer: shown("layer", layer) })));
    this.layers.replaceChildren(...each, ...(this.kind.takesAll ? [option(ALL, tr("all layers"))] : []));
    this.layers.value = this.layer;
    this.layers.hidden = layers === 1;
  }

  /** The layer that is shown; of all, where one alone can be, the chosen unit's. */
  get layer() {
    const { layer } = this.chosen;
    return layer === ALL && !this.kind.takesAll ? (this.pin?.layer ?? 0) : layer;
  }

  /** Fetches the model that the server speaks of, if it is the chosen one; another follows when the server has heard of the choice. */
  load() {
    const { stage } = this.data;
    const { version } = stage.model;
    if (stage.chosen.model !== this.chosen.model || version === this.version) return;
    this.version = version;
    if (!this.picture) this.field.say(tr("The model is being loaded …"));
    const isOwn = !stage.model.file;
    loadedModel(version, () => this.fileOf(stage.model), { keep: !isOwn }).then(
      (loaded) => version === this.version && this.begin(loaded),
      (error) => {
        this.version = "";
        this.field.say(tr("The model could not be loaded: {error}. Load the page again.", { error: error.message }), "problem");
      },
    );
  }

  async fileOf({ file }) {
    if (!file) return this.data.file ? columnsOf(this.data.file).bytes.slice().buffer : Promise.reject(new Error(tr("its weights did not come")));
    const response = await fetch(new URL(file, this.address));
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return response.arrayBuffer();
  }

  begin(loaded) {
    const { model, picture, equations } = loaded;
    const { most } = this.data.stage.model;
    if (most) model.vocabulary.limit = most;
    this.frames?.stop();
    this.name = this.chosen.model;
    this.described = { ...picture, tracks: picture.tracks.map((track) => ({ ...track })) };
    this.equations = equationsOf(equations);
    this.reading = new Reading(model);
    this.frames = readInFrames(this.reading, () => this.paint());
    this.picture = new this.kind(this.reading, { ...loaded, picture: this.described });
    this.picture.choose(this.layer);
    this.take();
  }

  /** A keystroke. */
  typed(text) {
    this.text = text;
    this.step = null;
    if (text === "") forget();
    if (!this.reading || this.name !== this.chosen.model) return this.reportSoon();
    const before = this.pin;
    if (!this.take()) return;
    const step = this.stepAtCaret();
    if (step !== null && before) {
      this.pin = { ...before, step };
      this.pinSerial++;
    }
    this.reportSoon();
  }

  /** The step of the character before the caret. */
  stepAtCaret() {
    const { area } = this.field;
    if (area.selectionStart === null) return null;
    const before = area.value.slice(0, area.selectionStart);
    if (before === "") return 0;
    return Math.min(this.reading.steps, this.reading.model.vocabulary.encode(before).ids.length) - 1;
  }

  /** Reads what stands here from the next frame on; returns whether there is something to read. */
  take() {
    const isRead = readTyped(this.text, { write: (text) => this.picture.write(text), frames: this.frames, field: this.field, places: [this.place] });
    if (!isRead) clearTimeout(this.timer);
    return isRead;
  }

  paint() {
    const { reading } = this;
    const { firstScreen } = this.described.rules;
    if (!this.pin && reading.done >= Math.min(reading.steps, firstScreen)) {
      const layer = Math.max(0, this.layer);
      const first = firstLook(reading, layer, firstScreen);
      this.pin = { step: this.step ?? first.step, unit: first.unit, layer };
      this.step = null;
      this.pinSerial++;
      this.showAddress();
    }
    const pin = this.pin && { ...this.pin, step: Math.min(this.pin.step, reading.steps - 1), model: this.name };
    const view = { ...this.data.stage.view, pin, serial: this.pinSerial, order: "index" };
    const host = { parentElement: this.place, setStateValue: (name, value) => this.hear(name, value), onChosen: (place) => this.explain(place) };
    this.destroyPicture = this.picture.paint(view, host);
    this.remark();
  }

  /** The chosen unit's equations in numbers, in the next frame. */
  explain(place) {
    cancelAnimationFrame(this.explaining);
    this.explaining = requestAnimationFrame(() => {
      const { reading, root } = this;
      const { step, unit, layer } = place;
      this.panel.root.hidden = step >= reading.done;
      if (step >= reading.done) return;
      const moment = new Moment(this.equations, stepOf(reading, layer, step));
      const where = placeText(this.described.meta.step, step, reading.steps);
      const title = tr("Unit {unit} of layer {layer} at {place}", { unit: shown("unit", unit), layer: shown("layer", layer), place: where });
      this.panel.show(moment, unit, readTheme(root), { title, compact: root.clientWidth < NARROW });
    });
  }

  /** What the picture reports. */
  hear(name, value) {
    if (name === "look") this.send("look", value);
    if (name !== "pin") return;
    this.pin = { step: value.step, unit: value.unit, layer: value.layer ?? this.layer };
    this.showAddress();
    if (this.data.stage.asksPins) this.reportSoon();
  }

  /** A pin stands in the address at once; the server is told when it is needed there. */
  showAddress() {
    const query = new URLSearchParams(location.search);
    if (!query.has("model")) return; // the page has not written its address yet
    query.set("character", String(shown("character", this.pin.step)));
    query.set("unit", String(shown("unit", this.pin.unit)));
    if (this.chosen.layer === ALL) query.set("pinned_layer", String(shown("layer", this.pin.layer)));
    history.replaceState(history.state, "", `${location.pathname}?${query}${location.hash}`);
    this.keepText();
  }

  chooseModel(model) {
    const { models } = this.data.stage;
    const [before, after] = [this.chosen.model, model].map((wanted) => models.find(({ name }) => name === wanted));
    this.chosen = { model, layer: Math.min(this.chosen.layer, after.layers - 1) };
    this.pin = null;
    this.fillChoices();
    if (this.text === before.text && after.text !== before.text) this.field.set((this.text = after.text));
    this.version = "";
    this.report();
  }

  chooseLayer(layer) {
    this.chosen.layer = layer;
    if (layer !== ALL && this.pin) this.pin = { ...this.pin, layer };
    this.pinSerial++;
    if (this.reading) {
      this.picture.choose(this.layer);
      this.take();
    }
    this.reportSoon();
  }

  /** What is known of the numbers that are shown. */
  remark() {
    const { reading } = this;
    if (!reading || this.name !== this.chosen.model || this.text === "" || this.place.classList.contains("stale")) return;
    const { done, steps } = reading;
    if (this.data.stage.problem && this.reported === this.reportText()) return this.field.say(this.data.stage.problem, "problem");
    if (done < steps) return this.field.say(progressText(reading, this.described.meta.step));
    if (this.isLost && steps > LONGEST_IN_LINK) return this.field.say(tr("This browser keeps no texts, and a link cannot hold one so long: it is lost when the page is loaded again."), "problem");
    const judge = this.judge();
    if (!judge) {
      this.ask();
      return this.field.say(tr("Read in this browser. The server compares it with torch when you pause."));
    }
    const { line, holds } = judged(reading, this.described, judge);
    return this.field.say(line, holds ? "" : "problem");
  }

  /** The server's first answer comes before torch is there: it is asked for its trace, once. */
  ask() {
    const { judge, stage } = this.data;
    if (judge || this.hasAsked || stage.chosen.text !== this.text || stage.chosen.model !== this.name) return;
    this.hasAsked = true;
    this.reported = "";
    this.report();
  }

  /** Torch's trace of what is shown, if that is here. */
  judge() {
    const { judge } = this.data;
    if (!judge || judge.text !== this.text || judge.model !== this.name) return null;
    const names = [...this.reading.model.signals, "probs"];
    const values = Object.fromEntries(names.map((name) => [name, columnsOf(this.data[`judge_${name}`])[name]]));
    return { steps: judge.steps, values, surprise: columnsOf(this.data.surprise).surprise };
  }

  reportText() {
    return JSON.stringify([this.session, this.serial, this.chosen, this.text, this.pin]);
  }

  reportSoon() {
    this.keepText();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.report(), PAUSE);
  }

  /** Tells the server what stands here, if that is news; returns whether it was. */
  report() {
    clearTimeout(this.timer);
    const now = this.reportText();
    if (now === this.reported || this.text === "") return false;
    this.reported = now;
    this.tell();
    this.expectAnswer(0);
    return true;
  }

  tell() {
    const { step, unit, layer: pinnedLayer } = this.pin ?? {};
    this.send("stage", { session: this.session, serial: this.serial, ...this.chosen, text: this.text, step, unit, pinnedLayer, loaded: this.version });
  }

  /** What is sent while there is no connection is lost without a word: where no answer comes, it is sent again. */
  expectAnswer(tries) {
    clearTimeout(this.answer);
    this.answer = setTimeout(() => {
      if (tries >= MOST_TRIES || !this.reading || this.text === "" || this.judge()) return;
      this.tell();
      this.expectAnswer(tries + 1);
    }, PATIENCE * 2 ** tries);
  }

  /** A link to another page waits until the server has been told: its answer to a later message would be this page again. */
  follow(event) {
    const link = linkOf(event);
    if (!link || !this.report()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    setTimeout(() => link.click(), TOLD);
  }

  keepText() {
    const { session, serial, text, pin } = this;
    this.isLost = Boolean(text) && !keep({ session, serial, ...this.chosen, text, pin });
  }

  leave() {
    this.keepText();
    clearTimeout(this.timer);
    clearTimeout(this.answer);
    this.frames?.stop();
    this.destroyPicture?.();
    for (const act of ["pointerdown", "focusin"]) document.removeEventListener(act, this.onLeave, true);
    document.removeEventListener("click", this.onFollow, true);
    window.removeEventListener("pagehide", this.onHide);
    this.field.root.remove();
    this.place.remove();
    this.panel.root.remove();
  }
}

/** The link that is followed in this tab by a click, or null. */
function linkOf(event) {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && !event.button;
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  return isPlain && link instanceof HTMLAnchorElement && link.origin === location.origin ? link : null;
}

/** @type {WeakMap<object, Stage>} */
const stages = new WeakMap();

export default function ({ data, parentElement, setStateValue, address }) {
  if (!parentElement.isConnected) return () => {}; // the page was left before its module was there
  let stage = stages.get(parentElement);
  if (!stage) stages.set(parentElement, (stage = new Stage(parentElement.querySelector(".stage"), data, address)));
  stage.send = setStateValue;
  stage.update(data);
  return () => {
    stages.get(parentElement)?.leave();
    stages.delete(parentElement);
  };
}
