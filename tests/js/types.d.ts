// Types that the JavaScript under assets/ names in its comments. They are read by tsc alone.

/** How a text is set; sizes in pixels. */
interface TextStyle {
  size?: number;
  weight?: number;
  italic?: boolean;
  family?: string;
  fill?: string;
  align?: "left" | "center" | "right";
  alpha?: number;
  halo?: string;
}

/** How a shape is drawn: filled, stroked with a line so many pixels wide, or both. */
interface ShapeStyle {
  fill?: string;
  stroke?: string;
  line?: number;
  radius?: number;
  dash?: number[];
  alpha?: number;
  curve?: boolean;
}

/** What draws a picture, on a canvas or as SVG: the same calls give the same picture. Lengths in pixels, points as [x, y]. */
interface Pen {
  text(string: string, x: number, y: number, style: TextStyle): void;
  rect(x: number, y: number, width: number, height: number, style: ShapeStyle): void;
  path(points: number[][], style: ShapeStyle): void;
  circle(x: number, y: number, radius: number, style: ShapeStyle): void;
  image(canvas: HTMLCanvasElement, x: number, y: number, width: number, height: number): void;
  within(x: number, y: number, width: number, height: number, draw: () => void): void;
}

/** The width of a text in pixels. */
type Ruler = (string: string, style: TextStyle) => number;

/** The colours (as #rrggbb) and fonts of the page around a view. */
interface Theme {
  dark: boolean;
  name: "dark" | "light";
  paper: string;
  ink: string;
  quiet: string;
  faint: string;
  empty: string;
  accent: string;
  replaced: string;
  operation: string;
  operationEdge: string;
  sans: string;
  mono: string;
}

/** A character: what is shown, its name, and "plain", "quiet" (white space) or "boxed". */
type Glyph = string[];

type NumberArray = ArrayLike<number> & Iterable<number>;

/** As much of an Arrow table as the views read. */
interface ArrowTable {
  schema: { fields: { name: string }[] };
  getChild(name: string): { toArray(): any };
}

/** What Python sends to a view: tables by name beside `meta`, which changes with the text, and `view`, with the person. */
interface Payload {
  meta: any;
  view: any;
  [table: string]: any;
}

/** What Streamlit hands to a component's default export, which returns what cleans up after it. */
interface ComponentArguments {
  data: any;
  parentElement: HTMLElement | ShadowRoot;
  setStateValue(name: string, value: unknown): void;
  setTriggerValue?(name: string, value: unknown): void;
  key?: string;
}

/** Where playing stands and how it goes on; steps from 0. */
interface Player {
  here(): number;
  last(): number;
  go(step: number): void;
}

/** What a view keeps between two calls, of which the shared modules know this much. */
interface Instance {
  root: HTMLElement;
  el: Record<string, any>;
  data: Payload;
  theme: Theme;
  ratio: number;
  timers: Record<string, any>;
  player: Player;
  playing: boolean;
  speed: number;
  send(name: string, value: unknown): void;
  [own: string]: any;
}

/** A picture to be saved. */
interface Picture {
  name: string;
  width: number;
  height: number;
  draw(pen: Pen): void;
}
