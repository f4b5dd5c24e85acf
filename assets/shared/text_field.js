/** The field that a person types into: one label, one Clear button, one line for what is to be said about the text. */

import { element, span } from "./elements.js";
import { tr } from "./words.js";

let fields = 0; // on this page

/**
 * A text field. onText: called with the text at every change of it: of an input method also while a character is being composed. The
 * field's own text is never written while somebody types, so that caret, selection and undo are the browser's.
 * @param {{ label: string, text: string, onText: (text: string) => void }} given
 */
export function textField({ label, text, onText }) {
  const id = `typed-text-${fields++}`;
  const area = element("textarea", { id, value: text, rows: 2, spellcheck: false, autocapitalize: "off", autocomplete: "off", "aria-describedby": `${id}-note`, dir: "auto" });
  const clear = element("button", { type: "button", textContent: tr("Clear"), "aria-label": tr("Clear the text") });
  const note = element("div", { id: `${id}-note`, className: "note", "aria-live": "polite" });
  const head = element("div", { className: "head" }, element("label", { htmlFor: id, textContent: label }), span("aside"));
  const root = element("div", { className: "field" }, head, element("div", { className: "line" }, area, clear), note);
  let last = text;
  function changed() {
    clear.disabled = area.value === "";
    if (area.value === last) return;
    last = area.value;
    onText(last);
  }
  clear.disabled = text === "";
  area.oninput = changed;
  area.addEventListener("compositionend", changed); // Safari ends it after the last input event
  clear.onclick = () => {
    area.focus();
    area.select();
    // an edit of the browser's own: Undo brings the text back
    if (!document.execCommand("delete")) area.value = "";
    changed();
  };
  return {
    root,
    area,
    aside: /** @type {HTMLElement} */ (head.lastChild),
    /** Shows a text that nobody typed here, without a word to anybody. @param {string} words */
    set(words) {
      last = area.value = words;
      clear.disabled = words === "";
    },
    /** Puts a text in the place of what stands here, as an edit that Undo takes back. @param {string} words */
    put(words) {
      area.focus();
      area.select();
      if (!document.execCommand("insertText", false, words)) area.value = words;
      changed();
    },
    /** What is said below the field: kind "" or "problem". @param {string} words @param {string} [kind] */
    say(words, kind = "") {
      note.textContent = words;
      note.className = `note ${kind}`.trim();
    },
  };
}
