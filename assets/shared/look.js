// The look: how a view is set (zoom, order, switches). It is sent to the server after a pause, which puts it into the address.

const PAUSE = 900; // milliseconds without a change

/**
 * Sends look() after a pause without another call; nothing comes back from it.
 * @param {Instance} inst
 * @param {() => object} look
 */
export function reportLook(inst, look) {
  clearTimeout(inst.timers.look);
  inst.timers.look = setTimeout(() => inst.send("look", { ...look(), serial: inst.lookSerial }), PAUSE);
}
