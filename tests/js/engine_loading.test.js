import assert from "node:assert/strict";
import { test } from "node:test";

import { loadedModel, STORE } from "../../assets/shared/engine/loading.js";
import { modelOf } from "./engine_models.js";

/** A browser's cache. @param {import("node:test").TestContext} context */
function withCache(context) {
  /** @type {Map<string, Response>} */
  const kept = new Map();
  const cache = {
    match: async (/** @type {string} */ key) => kept.get(key)?.clone(),
    put: async (/** @type {string} */ key, /** @type {Response} */ response) => void kept.set(key, response),
  };
  Object.assign(globalThis, { caches: { open: async (/** @type {string} */ name) => (name === STORE ? cache : null) } });
  context.after(() => Reflect.deleteProperty(globalThis, "caches"));
  return kept;
}

/** A model's file, as lstm_core/browser/live.py packs it, and what counts how often it is fetched. */
function counted() {
  const { meta, weights } = modelOf("gru", 5, 1);
  const text = JSON.stringify({ engine: meta, picture: { rules: 3 } });
  const head = new TextEncoder().encode(text + " ".repeat(3 - ((text.length + 3) % 4)));
  const file = new Uint8Array(4 + head.length + weights.byteLength);
  new DataView(file.buffer).setUint32(0, head.length, true);
  file.set(head, 4);
  file.set(new Uint8Array(weights), 4 + head.length);
  const count = { fetches: 0 };
  const fetchFile = async () => {
    count.fetches++;
    return file.buffer;
  };
  return { file: file.buffer, count, fetchFile };
}

test("a model is fetched once, without a cache too", async () => {
  const { count, fetchFile } = counted();
  const [first, second] = await Promise.all([loadedModel("a", fetchFile), loadedModel("a", fetchFile)]);
  assert.equal(first, second);
  assert.equal(first.model.units, 5);
  assert.deepEqual(first.picture, { rules: 3 });
  assert.equal(count.fetches, 1);
});

test("a model stays in the browser's cache for the next page, and comes from there", async (context) => {
  const kept = withCache(context);
  const { file, count, fetchFile } = counted();
  await loadedModel("b", fetchFile);
  assert.deepEqual([...kept.keys()], [`/${STORE}/b`]);
  kept.set(`/${STORE}/c`, new Response(file));
  assert.equal((await loadedModel("c", fetchFile)).model.units, 5);
  assert.equal(count.fetches, 1);
});

test("a model of a person's own is kept by no cache, and a broken entry is fetched again", async (context) => {
  const kept = withCache(context);
  await loadedModel("d", counted().fetchFile, { keep: false });
  assert.equal(kept.size, 0);
  const broken = counted();
  kept.set(`/${STORE}/e`, new Response("half"));
  await loadedModel("e", broken.fetchFile);
  assert.equal(broken.count.fetches, 1);
  assert.equal((await kept.get(`/${STORE}/e`)?.clone().arrayBuffer())?.byteLength, broken.file.byteLength);
});

test("what could not be fetched is tried again", async () => {
  const { fetchFile } = counted();
  await assert.rejects(
    loadedModel("f", async () => {
      throw new TypeError("no network");
    }),
  );
  assert.equal((await loadedModel("f", fetchFile)).model.units, 5);
});
