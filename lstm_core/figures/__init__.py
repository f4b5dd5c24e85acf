"""Pictures of traces and results, as plain Plotly figures. One file a picture; colours and scales live in `palette`."""
