"use strict";

// The drawn map.

const LARGEST_ZOOM = 40;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The drawn map: samples, edges and nodes on a canvas, to be hovered, chosen, zoomed, moved. */
class MapView {
  constructor(stage, content, options, choose) {
    Object.assign(this, { stage, content, options, choose });
    this.canvas = stage.querySelector("canvas");
    this.tip = stage.querySelector(".tip");
    this.layer = document.createElement("canvas");
    this.selected = 0;
    this.hovered = -1;
    this.findExtent();
    this.whole();
    new ResizeObserver(() => this.draw()).observe(stage);
    this.listen();
  }

  /** Middle and spread of what is drawn. Of the samples the outermost hundredth is left out, so
   * that a few strays don't press the map together. */
  findExtent() {
    const { node_xy: nodes, point_xy: points } = this.content;
    const ends = [0, 1].map((axis) => {
      const along = (array) => array.filter((_, i) => i % 2 === axis);
      const sorted = along(points).sort();
      const cut = Math.floor(sorted.length / 200);
      const inner = sorted.length ? [sorted[cut], sorted[sorted.length - 1 - cut]] : [];
      const all = [...along(nodes), ...inner];
      return [Math.min(...all), Math.max(...all)];
    });
    this.middle = ends.map(([low, high]) => (low + high) / 2);
    this.spread = ends.map(([low, high]) => high - low);
  }

  whole() {
    this.zoom = 1;
    this.shift = [0, 0];
    this.draw();
  }

  /** Where a place of the map lies on the canvas, in CSS pixels. */
  place(array, index) {
    const [width, height] = this.size;
    const [x, y] = [array[2 * index] - this.middle[0], array[2 * index + 1] - this.middle[1]];
    // The map's y points up, as in the figures; the canvas's y points down.
    const [left, top] = [width / 2 + this.shift[0], height / 2 + this.shift[1]];
    return [left + x * this.scale, top - y * this.scale];
  }

  measure() {
    const [width, height] = (this.size = [this.stage.clientWidth, this.stage.clientHeight]);
    const fits = [(width - 64) / this.spread[0], (height - 64) / this.spread[1]];
    const fit = Math.min(...fits);
    this.scale = (Number.isFinite(fit) ? Math.max(fit, 1e-9) : 1) * this.zoom;
    const room = Math.sqrt((width * height) / this.content.nodes);
    const growth = Math.sqrt(this.zoom);
    this.tileSide = Math.max(16, Math.min(52, 0.6 * room)) * growth;
    this.discRadius = Math.max(5, Math.min(15, 0.2 * room)) * Math.min(growth, 2);
  }

  radius(node) {
    if (this.options.look === "pictures") return this.tileSide / 2;
    const share = this.content.most > 0 ? this.content.wins[node] / this.content.most : 0;
    return 2.5 + (this.discRadius - 2.5) * Math.sqrt(share);
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  /** Take up new options or another theme. */
  recolour() {
    this.colours = colouring(this.content, this.options.colour);
    const names = ["paper", "ink", "edge", "accent"];
    this.theme = Object.fromEntries(names.map((name) => [name, themed(`var(--${name})`)]));
    this.drawn = "";
    this.draw();
  }

  paint() {
    this.measure();
    const [width, height] = this.size;
    if (!width || !height || !this.colours) return;
    const ratio = window.devicePixelRatio || 1;
    const context = this.fitted(this.canvas, ratio);
    context.fillStyle = this.theme.paper;
    context.fillRect(0, 0, width, height);
    if (this.options.points) {
      this.paintPoints(ratio);
      context.drawImage(this.layer, 0, 0, width, height);
    }
    if (this.options.edges) this.paintEdges(context);
    this.paintNodes(context);
  }

  fitted(canvas, ratio) {
    const [width, height] = this.size.map((side) => Math.round(side * ratio));
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  }

  /** Samples on a canvas of their own, which hovering and choosing leave alone. */
  paintPoints(ratio) {
    const view = [...this.size, ratio, this.zoom, ...this.shift].join();
    if (view === this.drawn) return;
    this.drawn = view;
    const context = this.fitted(this.layer, ratio);
    const { point_xy: xy, point_node: owners } = this.content;
    const side = owners.length > 3000 ? 2 : 3;
    context.globalAlpha = owners.length > 3000 ? 0.45 : 0.6;
    // One colour after the other: setting the colour costs more than the square.
    this.colours.palette.forEach((color, index) => {
      context.fillStyle = color;
      this.colours.points.forEach((own, point) => {
        if (own !== index) return;
        const [x, y] = this.place(xy, point);
        context.fillRect(x - side / 2, y - side / 2, side, side);
      });
    });
  }

  paintEdges(context) {
    const { edges, strength, node_xy: xy } = this.content;
    const strongest = strength.reduce((most, value) => Math.max(most, value), 0);
    for (let edge = 0; edge < strength.length; edge++) {
      const ends = [edges[2 * edge], edges[2 * edge + 1]];
      const own = ends.includes(this.selected);
      context.strokeStyle = own ? this.theme.ink : this.theme.edge;
      context.globalAlpha = own ? 0.9 : 0.6;
      context.lineWidth = 0.5 + (2.5 * strength[edge]) / strongest;
      context.beginPath();
      context.moveTo(...this.place(xy, ends[0]));
      context.lineTo(...this.place(xy, ends[1]));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** The least used below, then the hovered and the chosen node on top. */
  paintNodes(context) {
    this.order ??= [...this.content.slots.keys()].sort(
      (a, b) => this.content.wins[a] - this.content.wins[b],
    );
    const top = [this.hovered, this.selected];
    const rest = this.order.filter((node) => !top.includes(node));
    for (const node of [...rest, ...top]) if (node >= 0) this.paintNode(context, node);
  }

  paintNode(context, node) {
    const [x, y] = this.place(this.content.node_xy, node);
    const radius = this.radius(node);
    const colour = this.colours.palette[this.colours.nodes[node]];
    const outline = (extra, width, style) => {
      context.beginPath();
      if (this.options.look === "pictures") this.frame(context, x, y, radius + extra);
      else context.arc(x, y, radius + extra, 0, 2 * Math.PI);
      context.lineWidth = width;
      context.strokeStyle = style;
      context.stroke();
    };
    if (this.options.look === "pictures") {
      const [width, height] = this.tileSize();
      this.content.tiles.draw(context, node, x - width / 2, y - height / 2, width, height);
      outline(1, 2, colour);
    } else {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
      outline(0.5, 1, this.theme.paper);
    }
    if (node === this.selected || node === this.hovered) {
      // Light on both sides of the ring: it must show among dark pictures, too.
      outline(4.5, 7, this.theme.paper);
      outline(4.5, node === this.selected ? 3 : 1.5, this.theme.ink);
    }
  }

  tileSize() {
    const { width, height } = this.content.tiles;
    const scale = this.tileSide / Math.max(width, height);
    return [width * scale, height * scale];
  }

  frame(context, x, y, half) {
    const [width, height] = this.tileSize().map((side) => side + 2 * (half - this.tileSide / 2));
    context.rect(x - width / 2, y - height / 2, width, height);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      this.drag = { x: event.clientX, y: event.clientY, shift: this.shift, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.drag) this.move(event);
      else this.hover(this.hit(event));
    });
    canvas.addEventListener("pointerup", (event) => {
      const node = this.drag?.moved ? -1 : this.hit(event);
      this.drag = null;
      if (node >= 0) this.choose(node);
    });
    canvas.addEventListener("pointercancel", () => (this.drag = null));
    canvas.addEventListener("pointerleave", () => this.hover(-1));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  move({ clientX, clientY }) {
    const by = [clientX - this.drag.x, clientY - this.drag.y];
    if (Math.hypot(...by) > 4) this.drag.moved = true;
    if (!this.drag.moved) return;
    this.shift = [this.drag.shift[0] + by[0], this.drag.shift[1] + by[1]];
    this.hover(-1);
    this.draw();
  }

  /** The wheel scrolls the page until the map has been clicked, and where it can't zoom. */
  wheel(event) {
    if (document.activeElement !== this.canvas && !event.ctrlKey) return;
    const factor = Math.exp(-0.0015 * event.deltaY);
    const end = factor > 1 ? LARGEST_ZOOM : 1;
    if (this.zoom === end) return;
    event.preventDefault();
    const box = this.canvas.getBoundingClientRect();
    this.zoomBy(factor, [event.clientX - box.left, event.clientY - box.top]);
  }

  /** Zoom so that the place under `at` (CSS pixels of the canvas) stays there. */
  zoomBy(factor, at = this.size.map((side) => side / 2)) {
    const before = this.zoom;
    this.zoom = Math.max(1, Math.min(LARGEST_ZOOM, before * factor));
    this.shift = this.shift.map((shift, axis) => {
      const from = at[axis] - this.size[axis] / 2;
      return this.zoom === 1 ? 0 : from - (from - shift) * (this.zoom / before);
    });
    this.hover(-1);
    this.draw();
  }

  key(event) {
    const presses = {
      "+": () => this.zoomBy(1.4),
      "=": () => this.zoomBy(1.4),
      "-": () => this.zoomBy(1 / 1.4),
      0: () => this.whole(),
      Enter: () => this.choose(this.selected),
      " ": () => this.choose(this.selected),
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) this.step(ARROWS[event.key]);
    else if (event.key in presses) presses[event.key]();
    else return;
    event.preventDefault();
  }

  /** Choose the nearest node in a direction; what lies aside counts double. */
  step([right, down]) {
    const [x, y] = this.place(this.content.node_xy, this.selected);
    let best = { node: -1, cost: Infinity };
    for (let node = 0; node < this.content.nodes; node++) {
      const [there, below] = this.place(this.content.node_xy, node);
      const along = (there - x) * right + (below - y) * down;
      const aside = Math.abs((there - x) * down) + Math.abs((below - y) * right);
      const cost = along + 2 * aside;
      if (node !== this.selected && along > 0 && cost < best.cost) best = { node, cost };
    }
    if (best.node >= 0) this.choose(best.node);
  }

  /** The node at a pointer's place, or -1. */
  hit({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    let best = { node: -1, gap: 4 };
    for (let node = 0; node < this.content.nodes; node++) {
      const [x, y] = this.place(this.content.node_xy, node);
      const away = [clientX - box.left - x, clientY - box.top - y];
      const distance =
        this.options.look === "pictures"
          ? Math.max(...away.map(Math.abs))
          : Math.hypot(...away);
      const gap = distance - this.radius(node);
      if (gap < best.gap) best = { node, gap };
    }
    return best.node;
  }

  hover(node) {
    if (node === this.hovered) return;
    this.hovered = node;
    this.canvas.classList.toggle("over", node >= 0);
    this.tip.hidden = node < 0;
    if (node >= 0) this.showTip(node);
    this.draw();
  }

  showTip(node) {
    const { tiles } = this.content;
    const text = element("span", {}, this.content.lines(node).join("\n"));
    this.tip.replaceChildren(...(tiles ? [tiles.picture(node, 48)] : []), text);
    const [x, y] = this.place(this.content.node_xy, node);
    const gap = this.radius(node) + 8;
    const [width, height] = [this.tip.offsetWidth, this.tip.offsetHeight];
    const left = x + gap + width > this.size[0] ? x - gap - width : x + gap;
    const top = Math.max(4, Math.min(this.size[1] - height - 4, y - height / 2));
    this.tip.style.transform = `translate(${Math.max(4, left)}px, ${top}px)`;
  }

  /** Take up which node is chosen; move the map where it would lie outside. */
  select(node) {
    this.selected = node;
    if (this.size) {
      const at = this.place(this.content.node_xy, node);
      this.shift = this.shift.map((shift, axis) => {
        const inside = at[axis] > 0 && at[axis] < this.size[axis];
        return inside ? shift : shift + this.size[axis] / 2 - at[axis];
      });
    }
    this.draw();
  }

  /** Each node's slot and where its middle lies in the window. */
  positions() {
    const box = this.canvas.getBoundingClientRect();
    return Array.from(this.content.slots, (slot, node) => {
      const [x, y] = this.place(this.content.node_xy, node);
      return { slot, x: box.left + x, y: box.top + y };
    });
  }
}
