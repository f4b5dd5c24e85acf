/**
 * The order in which the engine runs a program: affine maps that read the same vectors are one product, done when the first of them is needed.
 *
 * A plan knows no sizes and no weights; it is the same for every layer but the first, whose x is looked up and not multiplied.
 */

/** The vectors of an affine map that are multiplied, in ascending order. @param {ProgramOperation} operation @param {(k: number) => boolean} isLookedUp */
function multiplied(operation, isLookedUp) {
  return (operation.parts ?? []).filter((part) => !isLookedUp(part.reads)).sort((a, b) => a.reads - b.reads);
}

/** @param {Program} program @param {boolean} looksUp whether x is looked up, as in the first layer @returns {Plan} */
export function planOf(program, looksUp) {
  const buffers = [...program.buffers];
  /** @param {number} k */
  const isLookedUp = (k) => looksUp && buffers[k].role === "input";
  /** @type {PlanProduct[]} */
  const products = [];
  /** @type {Map<string, number>} */
  const numbers = new Map();
  for (const operation of program.operations) {
    if (operation.kind !== "affine") continue;
    const parts = multiplied(operation, isLookedUp);
    const lookedUp = (operation.parts ?? []).filter((part) => isLookedUp(part.reads));
    const key = [lookedUp.length, ...parts.map((part) => part.reads)].join();
    const number = numbers.get(key) ?? products.length;
    if (number === products.length) {
      numbers.set(key, number);
      products.push({ reads: parts.map((part) => part.reads), maps: [], lookedUp: [], into: [] });
    }
    products[number].maps.push(parts);
    products[number].lookedUp.push(...lookedUp);
    products[number].into.push(operation.into);
  }
  const steps = inOrder(program, products);
  // a signal that is an affine map is copied from the product, where it is due: what is held is written over it there
  for (const product of products) {
    product.into.forEach((into, k) => {
      if (buffers[into].role !== "signal") return;
      buffers.push({ role: "value", name: "", block: 0 });
      product.into[k] = buffers.length - 1;
      for (const step of steps) if (step.kind === "copy" && step.left === into && step.into === into) step.left = buffers.length - 1;
    });
  }
  return { products, steps, buffers };
}

/** @param {Program} program @param {PlanProduct[]} products @returns {PlanStep[]} */
function inOrder(program, products) {
  /** @type {PlanStep[]} */
  const steps = [];
  const done = new Set();
  for (const { kind, into, reads = [], function: name = "" } of program.operations) {
    const buffer = program.buffers[into];
    const finished = buffer.role === "signal" ? buffer.name : "";
    if (kind !== "affine") {
      steps.push({ product: -1, kind, function: name, into, left: reads[0], right: reads[1] ?? reads[0], finished });
      continue;
    }
    const product = products.findIndex((each) => each.into.includes(into));
    if (!done.has(product)) steps.push({ product, kind, function: "", into: -1, left: -1, right: -1, finished: "" });
    done.add(product);
    if (finished) steps.push({ product: -1, kind: "copy", function: "", into, left: into, right: into, finished });
  }
  return steps;
}
