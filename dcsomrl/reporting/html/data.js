"use strict";

// What the page carries, and the colours of a theme.

const TYPES = { f4: Float32Array, i4: Int32Array, i2: Int16Array };
const NONE = "–";
const STEPS = 32;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function decimals(value, digits = 3) {
  return Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : NONE;
}

function counted(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** A PNG that holds many pictures of one size, row by row. */
class Sheet {
  constructor({ png, width, height, columns }) {
    Object.assign(this, { width, height, columns, image: new Image() });
    this.image.src = `data:image/png;base64,${png}`;
  }

  draw(context, index, x, y, width, height) {
    const left = (index % this.columns) * this.width;
    const top = Math.floor(index / this.columns) * this.height;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.image, left, top, this.width, this.height, x, y, width, height);
  }

  /** A picture as an element whose longer side is `side` CSS pixels; for the eye alone where
   * there is no label, since a text beside says the same. */
  picture(index, side, label) {
    const scale = side / Math.max(this.width, this.height);
    const said = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
    const canvas = element("canvas", { class: "picture", ...said });
    canvas.width = this.width;
    canvas.height = this.height;
    canvas.style.width = `${this.width * scale}px`;
    canvas.style.height = `${this.height * scale}px`;
    this.draw(canvas.getContext("2d"), index, 0, 0, this.width, this.height);
    return canvas;
  }
}

/** Data as the page carries it: typed arrays by their name, and sheets. */
function unpack(data) {
  const found = {};
  for (const [name, value] of Object.entries(data)) {
    if (value?.png) found[name] = new Sheet(value);
    else if (value?.type) found[name] = new TYPES[value.type](bytesOf(value.data).buffer);
    else found[name] = value;
  }
  return found;
}

/** One run's map, and each node's neighbours. */
class Content {
  constructor(data) {
    Object.assign(this, unpack(data));
    this.nodes = this.slots.length;
    this.most = Math.max(...this.wins);
    this.neighbours = Array.from({ length: this.nodes }, () => []);
    this.strength.forEach((strength, edge) => {
      const [first, second] = this.edges.subarray(2 * edge, 2 * edge + 2);
      this.neighbours[first].push({ node: second, strength });
      this.neighbours[second].push({ node: first, strength });
    });
    for (const list of this.neighbours) list.sort((a, b) => b.strength - a.strength);
  }

  loaded() {
    const sheets = [this.tiles, this.nearest, this.disturbed].filter(Boolean);
    return Promise.all(sheets.map((sheet) => sheet.image.decode()));
  }

  className(node) {
    return this.class_names && this.node_class[node] >= 0
      ? this.class_names[this.node_class[node]]
      : NONE;
  }

  /** What a person is told about a node, in lines. */
  lines(node) {
    const lines = [`Node ${this.slots[node]}`, `${counted(this.wins[node], "sample")} won`];
    if (this.class_names && this.node_class[node] >= 0) {
      lines.push(`mostly ${this.className(node)}, purity ${decimals(this.purity[node], 2)}`);
    }
    return lines;
  }
}

/** A CSS colour of the theme in force, as "rgb(...)". */
function themed(color) {
  const probe = element("span", { style: `color: ${color}` });
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function classColor(index) {
  // Past the twelve chosen colours hues repeat, so the names in tooltip and panel must serve.
  const hue = (index * 137.5) % 360;
  if (index < 12) return `var(--class-${index})`;
  return `light-dark(hsl(${hue} 55% 38%), hsl(${hue} 60% 70%))`;
}

function ramp() {
  const stops = ["low", "middle", "high"].map((name) =>
    themed(`var(--ramp-${name})`).match(/[\d.]+/g).map(Number),
  );
  return Array.from({ length: STEPS }, (_, step) => {
    const at = (2 * step) / (STEPS - 1);
    const [from, to] = at < 1 ? [stops[0], stops[1]] : [stops[1], stops[2]];
    const share = at < 1 ? at : at - 1;
    return `rgb(${from.map((value, i) => Math.round(value + share * (to[i] - value))).join()})`;
  });
}

/** Colours by "class", "activation" or "size": a palette, and an index into it for each node and
 * sample. The last colour of the palette stands for "none". */
function colouring(content, mode) {
  if (mode === "class") {
    const palette = [...content.class_names.map((_, index) => themed(classColor(index)))];
    const index = (value) => (value >= 0 ? value : palette.length);
    const ofPoint = content.point_class
      ? (point) => content.point_class[point]
      : (point) => content.node_class[content.point_node[point]] ?? -1;
    return {
      nodes: Array.from(content.node_class, index),
      points: Array.from(content.point_node, (_, point) => index(ofPoint(point))),
      palette: [...palette, themed("var(--none)")],
    };
  }
  const nodeValues = mode === "size" ? content.wins : content.activation;
  const pointValues =
    mode === "size"
      ? Array.from(content.point_node, (node) => content.wins[node] ?? NaN)
      : content.point_activation;
  let [low, high] = mode === "size" ? [0, content.most] : [Infinity, -Infinity];
  if (mode === "activation") {
    for (const value of [...nodeValues, ...pointValues].filter(Number.isFinite)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  const step = (value) =>
    Number.isFinite(value)
      ? Math.min(STEPS - 1, Math.floor((STEPS * (value - low)) / (high - low || 1)))
      : STEPS;
  return {
    nodes: Array.from(nodeValues, step),
    points: Array.from(pointValues, step),
    palette: [...ramp(), themed("var(--none)")],
    range: [low, high],
  };
}
