/** Models whose weights are fetched once: kept in this page, and where it is allowed in the browser's own cache, under their version. */

import { Model } from "./model.js";

/** What a page's weights are kept under in the browser's cache. */
export const STORE = "gatescope-weights";

/** @type {Map<string, Promise<Model>>} */
const loaded = new Map();

/**
 * A model, loaded once however often it is asked for; what failed is tried again at the next call.
 * @param {EngineMeta} meta
 * @param {() => Promise<ArrayBuffer>} fetchWeights gives the weights where neither page nor browser has them
 * @param {{ keep?: boolean }} [options] keep: let the browser keep the weights for the next visit. Not for a model of a person's own: whoever
 *   uses the same browser next could read it.
 * @returns {Promise<Model>}
 */
export function loadedModel(meta, fetchWeights, { keep = true } = {}) {
  let found = loaded.get(meta.version);
  if (found === undefined) {
    found = weightsOf(meta, fetchWeights, keep).then((weights) => new Model(meta, weights));
    found.catch(() => loaded.delete(meta.version));
    loaded.set(meta.version, found);
  }
  return found;
}

/** @param {EngineMeta} meta @param {() => Promise<ArrayBuffer>} fetchWeights @param {boolean} keep */
async function weightsOf(meta, fetchWeights, keep) {
  const store = keep ? await opened() : null;
  const key = `/${STORE}/${meta.version}`;
  const kept = await store?.match(key).catch(() => undefined);
  const found = await kept?.arrayBuffer().catch(() => undefined);
  if (found?.byteLength === meta.bytes) return found;
  const weights = await fetchWeights();
  if (weights.byteLength === meta.bytes) await store?.put(key, new Response(weights)).catch(() => {}); // a full disk is no reason to stop
  return weights;
}

/** The browser's cache, or null where there is none: without HTTPS, from a disk, in a private window. */
async function opened() {
  try {
    return await caches.open(STORE);
  } catch {
    return null;
  }
}
