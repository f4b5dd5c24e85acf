// Tables as Streamlit sends them: columns by name.

export const columnsOf = (table) => Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name).toArray()]));
