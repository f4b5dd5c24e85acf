/**
 * What is kept of the field where a page cannot lose it: in this tab, and in this browser for a later visit.
 *
 * Precedence: a link's text; what stood in this tab's field; what was typed last in this browser.
 */

const TAB = "gatescope: field";
const BROWSER = "gatescope: text";

/** @typedef {{ step: number, unit: number, layer: number }} Pin */
/** @typedef {{ session: string, serial: number, address: string, model: string, text: string, layer: number, pin: Pin | null }} Kept layer: that is shown */

/** A store that may be forbidden, or full: then nothing is kept. @param {() => Storage} store @param {(store: Storage) => any} use */
function tried(store, use) {
  try {
    return use(store());
  } catch {
    return null;
  }
}

const tab = () => sessionStorage;
const browser = () => localStorage;

/** @returns {Kept | null} */
const keptInTab = () => tried(tab, (store) => JSON.parse(store.getItem(TAB) ?? "null"));

/** Keeps what stands in the field; false where it could not be kept. @param {Omit<Kept, "address">} now */
export function keep(now) {
  const isKept = tried(tab, (store) => (store.setItem(TAB, JSON.stringify({ ...now, address: location.search })), true));
  const stays = tried(browser, (store) => (store.setItem(BROWSER, JSON.stringify({ model: now.model, text: now.text })), true));
  return Boolean(isKept || stays);
}

/** Nothing is kept any more: on a shared computer the next person finds nothing. */
export function forget() {
  tried(tab, (store) => store.removeItem(TAB));
  tried(browser, (store) => store.removeItem(BROWSER));
}

/**
 * What was kept of the field and outranks what the server says, or null.
 * @param {{ session: string, serial: number, origin: "link" | "default" | "session" }} server
 * @returns {Partial<Kept> | null}
 */
export function restored({ session, serial, origin }) {
  const kept = keptInTab();
  if (kept && kept.session === session) return kept.serial === serial ? kept : null;
  // a new session: the page was loaded again, or the server was. Its own address is no link that somebody followed
  if (kept && (origin !== "link" || kept.address === location.search)) return kept;
  return origin === "default" ? tried(browser, (store) => JSON.parse(store.getItem(BROWSER) ?? "null")) : null;
}
