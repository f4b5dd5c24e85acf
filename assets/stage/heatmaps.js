/** The picture of the page Gates: heatmaps of what is read so far. */

import { Filler } from "../gates/from_reading.js";
import { show } from "../gates/gates.js";

export const ALL = -2; // of the layers, as pages/common/selection.py has it

/**
 * @typedef {{ step: number, unit: number, layer: number }} Place
 * @typedef {{ parentElement: HTMLElement, setStateValue: (name: string, value: any) => void, onChosen: (place: Place) => void }} Host
 */

/** Heatmaps of one layer or all. */
export class Heatmaps {
  static selector = "gates";
  static takesAll = true;

  /** @param {EngineReading} reading @param {any} loaded */
  constructor(reading, { picture }) {
    this.reading = reading;
    this.picture = picture;
  }

  /** @param {number} layer */
  choose(layer) {
    const tracks = this.picture.tracks.filter((track) => layer === ALL || track.layer === layer);
    this.filler = new Filler(this.reading, { ...this.picture, tracks });
  }

  /** @param {string} text */
  write(text) {
    this.filler.write(text);
  }

  /** @param {any} view @param {Host} host */
  paint(view, { parentElement, setStateValue, onChosen }) {
    return show({ data: this.filler.data(view), parentElement, setStateValue }, onChosen);
  }
}
