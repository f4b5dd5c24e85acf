// The keyboard: which key does what in a view.

/**
 * A listener for keydown: actions by key, each called with the view and whether Shift is held; before: called first.
 * @param {any} inst
 * @param {Record<string, (inst: any, shift: boolean) => void>} actions
 * @param {((key: string) => void) | null} before
 * @returns {(event: KeyboardEvent) => void}
 */
export function keyHandler(inst, actions, before = null) {
  return (event) => {
    const act = actions[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    before?.(event.key);
    act(inst, event.shiftKey);
  };
}
