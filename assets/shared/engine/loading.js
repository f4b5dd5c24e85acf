/** Models whose weights are fetched once: kept in this page, and where it is allowed in the browser's own cache, under their version. */

import { Model } from "./model.js";

/** What a page's weights are kept under in the browser's cache. */
export const STORE = "gatescope-models";

/** @typedef {{ model: Model, picture?: any, equations?: any, drawings?: any }} Loaded a model, and what `packed` of lstm_core/browser/live.py says of it */

/** @type {Map<string, Promise<Loaded>>} */
const loaded = new Map();

/**
 * A model, loaded once however often it is asked for; what failed is tried again at the next call.
 * @param {string} version of the file, of its content
 * @param {() => Promise<ArrayBuffer>} fetchFile gives the file where neither page nor browser has it
 * @param {{ keep?: boolean }} [options] keep: let the browser keep the file for the next visit. Not for a model of a person's own: whoever
 *   uses the same browser next could read it.
 * @returns {Promise<Loaded>}
 */
export function loadedModel(version, fetchFile, { keep = true } = {}) {
  let found = loaded.get(version);
  if (found === undefined) {
    found = load(version, fetchFile, keep);
    found.catch(() => loaded.delete(version));
    loaded.set(version, found);
  }
  return found;
}

/** @param {string} version @param {() => Promise<ArrayBuffer>} fetchFile @param {boolean} keep */
async function load(version, fetchFile, keep) {
  const store = keep ? await openedStore() : null;
  const key = `/${STORE}/${version}`;
  const kept = await store?.match(key).catch(() => undefined);
  try {
    if (kept) return unpacked(await kept.arrayBuffer());
  } catch {
    // a broken entry is as good as none
  }
  const file = await fetchFile();
  const found = unpacked(file);
  await store?.put(key, new Response(file)).catch(() => {}); // a full disk is no reason to stop
  return found;
}

/** What `packed` of lstm_core/browser/live.py has put into a file. @param {ArrayBuffer} file @returns {Loaded} */
function unpacked(file) {
  const length = new DataView(file).getUint32(0, true);
  const { engine, ...described } = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 4, length)));
  return { model: new Model(engine, new Uint8Array(file, 4 + length)), ...described };
}

/** The browser's cache, or null where there is none: without HTTPS, from a disk, in a private window. */
async function openedStore() {
  try {
    return await caches.open(STORE);
  } catch {
    return null;
  }
}
