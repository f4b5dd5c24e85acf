"""What the browser paints from: traces as JSON and flat columns, for a page of the app or one that stands alone."""
