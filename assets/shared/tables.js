// Tables as Streamlit sends them: columns by name.

/**
 * @param {ArrowTable} table
 * @returns {Record<string, any>}
 */
export const columnsOf = (table) => Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name).toArray()]));
