// The cell's drawing on a page that reads by itself: of one layer, below the heatmaps, under one cursor with them.

import { DrawingFiller, textOf } from "../inside/from_reading.js";
import { follow, show } from "../inside/inside.js";
import { choice, element } from "../shared/elements.js";
import { shown } from "../shared/numbering.js";
import { tr } from "../shared/words.js";

const NEAR = "300px"; // below what is in view: nearer than that the drawing is kept up to date

/** How each layer of a reading is drawn. @param {EngineReading} reading @param {any} sent what lstm_core/report.py sends of the drawings @param {any} colours of the heatmaps */
export const fillersOf = (reading, { layers, svg }, colours) => layers.map((layer) => new DrawingFiller(reading, { ...layer, svg, colours }));

/** The drawing of the model that is chosen. */
export class Drawing {
  /** @param {{ title: HTMLElement, inside: HTMLElement }} places @param {(pin: any) => void} onPin told where a person has pinned in it */
  constructor({ title, inside }, onPin) {
    this.place = inside;
    this.onPin = onPin;
    this.words = element("span");
    this.aside = element("span", { className: "scope" });
    title.append(this.words, this.aside);
    /** @type {any} */
    this.reader = null;
    this.chosen = 0; // among the layers that are drawn
    this.serial = 0;
    this.pin = null;
    /** Where the heatmaps' cursor is. @type {{ step: number, unit: number, layer: number } | null} */
    this.cursor = null;
    this.text = null; // what is said of the characters
    /** @type {ReturnType<typeof setTimeout> | 0} */
    this.timer = 0;
    this.isNear = false;
    new IntersectionObserver((entries) => this.comesNear(entries.at(-1).isIntersecting), { rootMargin: `${NEAR} 0px` }).observe(inside);
  }

  /** Takes what the heatmaps show, once they are painted. @param {any} reader @param {any} heatmaps data of its `Filler` */
  take(reader, heatmaps) {
    this.text = textOf(heatmaps);
    if (this.reader !== reader) {
      this.reader = reader;
      this.pinAt(reader.view.pin);
    }
    this.paintSoon();
  }

  /** Shows a pin of the heatmaps, and its layer. @param {{ step: number, unit: number, layer: number }} pin */
  pinAt(pin) {
    const place = this.reader.drawings.findIndex(({ described }) => described.layer === pin.layer);
    this.chosen = Math.max(0, place);
    this.pin = place < 0 ? null : pin;
    this.serial++;
    this.writeTitle();
    this.paintSoon();
  }

  /** @param {boolean} isNear */
  comesNear(isNear) {
    this.isNear = isNear;
    if (isNear && this.text) this.paintSoon();
  }

  /** After the heatmaps: a keystroke is seen there first. */
  paintSoon() {
    if (this.isNear) this.timer ||= setTimeout(() => this.paint());
  }

  paint() {
    this.timer = 0;
    const { reader, chosen, pin, serial } = this;
    const view = { pin, serial, look: {}, lookSerial: 1, walk: reader.walk };
    const data = reader.drawings[chosen].data(this.text, view);
    const setStateValue = (what, value) => {
      if (what === "pin") this.onPin({ ...value, model: reader.view.pin.model });
    };
    show({ data, parentElement: this.place, setStateValue });
    if (this.cursor) this.follow(this.cursor);
  }

  /** Goes to the step of the heatmaps' cursor, and to its unit, where it is of this layer. @param {{ step: number, unit: number, layer: number }} cursor */
  follow(cursor) {
    this.cursor = cursor;
    if (this.timer || !this.isNear || !this.reader) return; // when it is painted
    const { step, unit, layer } = cursor;
    follow(this.place, layer === this.reader.drawings[this.chosen].described.layer ? { step, unit } : { step });
  }

  writeTitle() {
    const { drawings } = this.reader;
    const { layer, cell } = drawings[this.chosen].described;
    this.words.textContent = tr("The cell of layer {layer}, alive: {cell}", { layer: shown("layer", layer), cell });
    this.aside.replaceChildren();
    if (drawings.length === 1) return;
    const select = choice(tr("Layer that is drawn"), drawings.map(({ described }, k) => [k, tr("layer {layer}", { layer: shown("layer", described.layer) })]));
    select.value = String(this.chosen);
    select.onchange = () => {
      this.chosen = Number(select.value);
      this.writeTitle();
      this.paintSoon();
    };
    this.aside.append(select);
  }
}
