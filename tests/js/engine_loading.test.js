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

/** A model and what counts how often its weights are fetched. @param {string} version */
function counted(version) {
  const { meta, weights } = modelOf("gru", 5, 1);
  const count = { fetches: 0 };
  const fetchWeights = async () => {
    count.fetches++;
    return weights;
  };
  return { meta: { ...meta, version }, weights, count, fetchWeights };
}

test("weights are fetched once, without a cache too", async () => {
  const { meta, count, fetchWeights } = counted("a");
  const [first, second] = await Promise.all([loadedModel(meta, fetchWeights), loadedModel(meta, fetchWeights)]);
  assert.equal(first, second);
  assert.equal(first.units, 5);
  assert.equal(count.fetches, 1);
});

test("weights stay in the browser's cache for the next page, and come from there", async (context) => {
  const kept = withCache(context);
  const { meta, weights, count, fetchWeights } = counted("b");
  await loadedModel(meta, fetchWeights);
  assert.deepEqual([...kept.keys()], [`/${STORE}/b`]);
  const next = { ...meta, version: "c" };
  kept.set(`/${STORE}/c`, new Response(weights));
  await loadedModel(next, fetchWeights);
  assert.equal(count.fetches, 1);
});

test("a model of a person's own is kept by no cache, and a broken entry is fetched again", async (context) => {
  const kept = withCache(context);
  const own = counted("d");
  await loadedModel(own.meta, own.fetchWeights, { keep: false });
  assert.equal(kept.size, 0);
  const broken = counted("e");
  kept.set(`/${STORE}/e`, new Response("half"));
  await loadedModel(broken.meta, broken.fetchWeights);
  assert.equal(broken.count.fetches, 1);
  assert.equal((await kept.get(`/${STORE}/e`)?.clone().arrayBuffer())?.byteLength, broken.meta.bytes);
});

test("what failed is tried again", async () => {
  const { meta, fetchWeights } = counted("f");
  await assert.rejects(loadedModel(meta, () => Promise.reject(new Error("no network"))), /no network/);
  await assert.rejects(loadedModel(meta, async () => new ArrayBuffer(4)), /the weights of gru are \d+ bytes, and 4 came/);
  assert.equal((await loadedModel(meta, fetchWeights)).units, 5);
});
