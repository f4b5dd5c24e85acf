// Tables as Streamlit sends them: columns by name.

import { arrayOf } from "./stored.js";

/**
 * @param {ArrowTable} table
 * @returns {Record<string, any>}
 */
export const columnsOf = (table) => Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name).toArray()]));

/**
 * What a view reads of an Arrow table, over flat arrays that stand in a page as base64.
 * @param {{ name: string, kind: "uint16" | "float32", base64: string }[]} columns
 * @returns {ArrowTable}
 */
export function tableOf(columns) {
  const arrays = new Map(columns.map((column) => [column.name, arrayOf(column)]));
  return { schema: { fields: columns.map(({ name }) => ({ name })) }, getChild: (name) => ({ toArray: () => arrays.get(name) }) };
}
