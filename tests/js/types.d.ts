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

/** How characters are written: the glyphs of white space, short labels for boxes, and Unicode names, by character. */
interface Lettering {
  quiet: Record<string, string[]>;
  labels: Record<string, string>;
  names: Record<string, string>;
}

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

/** A vector of a program: x, a state before the step, a signal, here or in the layer below, one weight a unit, or a value. As lstm_core/program.py has it. */
interface ProgramBuffer {
  role: "input" | "before" | "signal" | "below" | "weight" | "value";
  name: string;
  block: number;
}

/** A term of an affine map: the rows `block` of a parameter times a vector, and a bias. */
interface ProgramPart {
  weight: string;
  bias: string;
  block: number;
  reads: number;
}

/** One operation of a step over buffers, by number. */
interface ProgramOperation {
  kind: string;
  into: number;
  reads?: number[];
  parts?: ProgramPart[];
  function?: string;
}

/** One step of a cell. */
interface Program {
  buffers: ProgramBuffer[];
  operations: ProgramOperation[];
  states: string[];
}

/** A function's least and greatest value (null: without end), and the straight line that is cut off there, or null for a curve. */
interface FunctionMeta {
  range: (number | null)[];
  line: number[] | null;
}

/** What a model reads: characters, or bytes as numbers; unknown: the id of what stands for all others; limit: steps at once. */
interface VocabularyMeta {
  reads: "characters" | "bytes";
  symbols: (string | number)[];
  unknown: number;
  lookAlikes: Record<string, string>;
  limit: number;
}

/** What lstm_core/browser/engine.py says of a model beside its weights. */
interface EngineMeta {
  name: string;
  version: string;
  cell: string;
  units: number;
  layers: number;
  input: "one-hot" | "embedding";
  inputs: number;
  program: Program;
  functions: Record<string, FunctionMeta>;
  signals: { name: string; range: (number | null)[] }[];
  vocabulary: VocabularyMeta;
  weights: Record<string, { offset: number; shape: number[] }>;
  bytes: number;
}

/** A text as a model reads it, one entry a step. A character that takes several stands at the first of them, and "" at the rest. */
interface Encoded {
  chars: string[];
  readAs: string[];
  ids: Int32Array;
}

/** Some units of a signal of one layer, held at a value from a step on; units null: all; stop null: to the end. As lstm_core/clamp.py has it. */
interface Clamp {
  signal: string;
  value: number;
  layer: number;
  units: number[] | null;
  start: number;
  stop: number | null;
}

/** What a model remembers after a text: each state of each layer, and what it expects next, or null before any text. */
interface EngineState {
  values: Record<string, Float32Array[]>;
  probs: Float32Array | null;
}

/** What is done unit by unit: out[at + k] from left[leftAt + k] and, where two vectors are read, right[rightAt + k], for k under count. */
type Pointwise = (out: Float32Array, at: number, left: Float32Array, leftAt: number, right: Float32Array, rightAt: number, count: number) => void;

/**
 * Affine maps of the same vectors, one under another in one matrix. reads: the vectors, one beside another; maps: the parts of each map, in that
 * order; lookedUp: the part that reads x, one a map, where x is looked up; into: where the result stands, one a map.
 */
interface PlanProduct {
  reads: number[];
  maps: ProgramPart[][];
  lookedUp: ProgramPart[];
  into: number[];
}

/** One thing to do: a product, by number (else -1), or an operation unit by unit; finished: the signal that is computed then, or "". */
interface PlanStep {
  product: number;
  kind: string;
  function: string;
  into: number;
  left: number;
  right: number;
  finished: string;
}

/** How a layer runs a program. The buffers are the program's, and after them one for each signal that is nothing but an affine map. */
interface Plan {
  products: PlanProduct[];
  steps: PlanStep[];
  buffers: ProgramBuffer[];
}

/**
 * A product with its weights, four rows together; rows are a multiple of four, the last of them empty. base: the biases. lookedUp: where x is
 * looked up, the parts that read it, and the base with what x adds, by the id that is read, as far as it was needed.
 */
interface PackedProduct {
  reads: number[];
  into: number[];
  rows: number;
  columns: number;
  packed: Float32Array;
  base: Float32Array;
  lookedUp: { parts: ProgramPart[]; rows: (Float32Array | undefined)[] } | null;
}

/** A layer, ready to run. weights: the buffers that hold one weight a unit. */
interface EngineLayer {
  buffers: ProgramBuffer[];
  products: PackedProduct[];
  weights: Map<number, Float32Array>;
  steps: { product: number; run: Pointwise; into: number; left: number; right: number; finished: string }[];
}

type EngineModel = import("../../assets/shared/engine/model.js").Model;

type EngineReading = import("../../assets/shared/engine/reading.js").Reading;

/** A weighted sum: rows of weights, one matrix a source, on each of the inputs, and the biases of those sources. */
interface AffineMap {
  kind: "affine";
  spelling: string;
  rows: string;
  symbol: string;
  inputs: Expression[];
  sources: string[];
}

/** A node of a cell's equation, as lstm_core/browser/equations.py writes it; spelling: how a drawing calls it. */
type Expression =
  | { kind: "vector"; spelling: string; name: string; previous: boolean }
  | { kind: "diagonal"; spelling: string; rows: string }
  | AffineMap
  | { kind: "apply"; spelling: string; function: string; argument: Expression }
  | { kind: "sum" | "product"; spelling: string; left: Expression; right: Expression }
  | { kind: "complement"; spelling: string; argument: Expression }
  | { kind: "concatenation"; spelling: string; inputs: Expression[] };

/** A signal and its equation. terms: the summands of the equation; kept: those that the state before has a part in. */
interface EquationSignal {
  name: string;
  symbol: string;
  title: string;
  bounded: boolean;
  tree: Expression;
  terms: { tree: Expression; kept: boolean }[];
}

/** A function as it is sent: a line that is cut off at its range, or a curve that is known by name. */
interface SentFunction {
  label: string;
  line: number[] | null;
  range: (number | null)[];
}

interface Squashing {
  label: string;
  of: (z: number) => number;
}

/** A cell's equations. rows: for each source, whose rows stand in its matrix, in that order; biases: which of bias_ih and bias_hh there are. */
interface Equations {
  signals: EquationSignal[];
  named: Record<string, EquationSignal>;
  rows: Record<string, string[]>;
  biases: string[];
  functions: Record<string, Squashing>;
}

/** What the equations read at one step of one layer. weights: flat, by PyTorch's names without the layer; previous: the state before the step. */
interface StepValues {
  units: number;
  isClamped: boolean;
  signal(name: string, previous: boolean): NumberArray;
  input(): NumberArray;
  weights(name: string): NumberArray;
}

/** What an input (node) or a bias (its name, else "") of an affine map adds to a unit's sum. */
interface Share {
  source: string;
  node: Expression | null;
  bias: string;
  value: number;
}

/** How equations are written: one W on all inputs or one for each; the biases within the sums, as one, or as two. */
interface EquationLook {
  weights: "one" | "two";
  biases: "within" | "one" | "two";
}

type EquationMoment = import("../../assets/shared/equations/moment.js").Moment;
