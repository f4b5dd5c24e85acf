// Sizes and first settings of the Inside view.

export const SPEEDS = [1, 2, 5, 10, 20];
export const WINDOW_MARGIN = 60; // steps beyond the cursor that should be there before a person gets to them
export const COMPACT_WIDTH = 640;
export const MAX_HEIGHT = 620; // pixels of a drawing
export const LINE_WIDTH = 12.5; // of a line, in units of the drawing: its edges
export const STRIP_WIDTH = 10; // of the coloured cells on it
export const ARROWHEAD_SCALE = 1.85; // arrowheads are so much larger than they were drawn: lines are wider
export const ARROWHEAD_LENGTH = 11 * ARROWHEAD_SCALE;
export const BOX_RIM = 5; // of the cells around a box
export const COPY_OVERLAP = 20; // of two copies: the lines of one run into those of the next
export const SLIDE_MS = 190; // milliseconds
export const LOOK_DELAY_MS = 900; // milliseconds without a change before the look goes into the address

export const FIRST_LOOK = { reading: "all", copies: "three", weights: "one", biases: "one", path: "off", state: "plain", walk: 0 };
export const DRAWING_COLOURS = {
  light: { body: "#e4efdf", bodyEdge: "#6aa84f", layer: "#fff2cc", layerEdge: "#c9940a", operation: "#fbd3dc", operationEdge: "#bf5573", reads: "#d6e6f5", writes: "#e6dcef", text: "#1a1a1a" },
  dark: { body: "#1c2b1f", bodyEdge: "#6aa84f", layer: "#57471a", layerEdge: "#e0b040", operation: "#6d3346", operationEdge: "#e79ab4", reads: "#24405c", writes: "#453358", text: "#f4f4f4" },
};

export const COLOUR_PROPERTIES = { body: "body", bodyEdge: "body-edge", layer: "layer", layerEdge: "layer-edge", operation: "operation", operationEdge: "operation-edge", reads: "reads", writes: "writes", text: "text" };
