/** The picture of the page Inside: the drawing of one layer's cell, as far as the text is read. */

import { Filler } from "../gates/from_reading.js";
import { DrawingFiller, textOf } from "../inside/from_reading.js";
import { show } from "../inside/inside.js";

/** The drawing of one layer's cell. */
export class Drawing {
  static selector = "inside";
  static takesAll = false;

  /** @param {EngineReading} reading @param {any} loaded */
  constructor(reading, { picture, drawings }) {
    this.reading = reading;
    this.drawings = drawings;
    this.filler = new Filler(reading, { ...picture, tracks: [] }); // of the text's characters, what is expected, and surprise
  }

  /** @param {number} layer */
  choose(layer) {
    this.drawing = new DrawingFiller(this.reading, this.drawings[Math.max(0, layer)]);
  }

  /** @param {string} text */
  write(text) {
    this.filler.write(text);
  }

  /** @param {any} view @param {{ parentElement: HTMLElement, setStateValue: (name: string, value: any) => void }} host */
  paint(view, { parentElement, setStateValue }) {
    return show({ data: this.drawing.data(textOf(this.filler.data(view)), view), parentElement, setStateValue });
  }
}
