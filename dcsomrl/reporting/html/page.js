"use strict";

// The table of nodes, what ties map, panel and table together, and the theme.

/** All nodes as a table that can be sorted; its rows choose. */
class NodeTable {
  constructor(root, content, choose) {
    Object.assign(this, { content, choose, sorting: { column: 1, up: false }, current: 0 });
    this.columns = this.listColumns();
    const headings = this.columns.map((column, index) => this.heading(column, index));
    this.head = element("thead", {}, element("tr", {}, ...headings));
    this.rows = Array.from(content.slots, (_, node) => this.row(node));
    this.body = element("tbody");
    root.append(element("table", {}, element("caption", {}, this.caption()), this.head, this.body));
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.sort();
  }

  caption() {
    const { profiles, feature_names: names, nodes } = this.content;
    if (!profiles) return `${counted(nodes, "node")} of the map`;
    const first = names.length > FEATURES ? `, ${FEATURES} of ${names.length} features` : "";
    return `Table of prototypes: ${counted(nodes, "node")}${first}`;
  }

  /** Heading, what a node is sorted by, and its text. */
  listColumns() {
    const { content } = this;
    const { profiles, feature_names: names } = content;
    const number = (name, values, digits = 3) => ({
      name,
      value: (node) => values[node],
      text: (node) => decimals(values[node], digits),
    });
    const whole = (name, values) => ({
      ...number(name, values),
      text: (node) => values[node].toLocaleString("en"),
    });
    const classes = {
      name: "Class",
      words: true,
      value: (node) => (content.node_class[node] < 0 ? NaN : content.node_class[node]),
      text: (node) => content.className(node),
    };
    const labelled = content.class_names ? [classes, number("Purity", content.purity)] : [];
    const features = (profiles ? names.slice(0, FEATURES) : []).map((name, feature) => ({
      name,
      value: (node) => profiles[node * names.length + feature],
      text: (node) => decimals(profiles[node * names.length + feature], 2),
    }));
    return [
      { name: "Node", words: true, value: (node) => content.slots[node], text: () => "" },
      whole("Samples won", content.wins),
      ...labelled,
      number("Activation", content.activation),
      whole("Neighbours", content.neighbours.map((list) => list.length)),
      ...features,
    ];
  }

  heading({ name, words }, index) {
    const button = element("button", { type: "button" }, name);
    button.addEventListener("click", () => {
      const again = this.sorting.column === index;
      this.sorting = { column: index, up: again ? !this.sorting.up : true };
      this.sort();
    });
    return element("th", { scope: "col", class: words ? "" : "number" }, button);
  }

  row(node) {
    const button = element("button", { type: "button", tabindex: "-1" });
    if (this.content.tiles) button.append(this.content.tiles.picture(node, 24));
    button.append(String(this.content.slots[node]));
    const cells = this.columns
      .slice(1)
      .map((column) => element("td", { class: column.words ? "" : "number" }, column.text(node)));
    const row = element("tr", {}, element("th", { scope: "row" }, button), ...cells);
    row.addEventListener("click", () => this.choose(node));
    return row;
  }

  /** Order the rows; nodes without a value come last either way. */
  sort() {
    const { column, up } = this.sorting;
    const { value } = this.columns[column];
    const order = Array.from(this.rows.keys()).sort((a, b) => {
      const [first, second] = [value(a), value(b)];
      const lacking = Number.isNaN(first) - Number.isNaN(second);
      if (lacking || Number.isNaN(first)) return lacking;
      return up ? first - second : second - first;
    });
    this.body.replaceChildren(...order.map((node) => this.rows[node]));
    [...this.head.rows[0].cells].forEach((cell, index) => {
      if (index === column) cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
  }

  /** Mark a node's row; only its button lies on the way of the Tab key. */
  select(node) {
    const before = this.rows[this.current];
    before.removeAttribute("aria-current");
    before.querySelector("button").tabIndex = -1;
    this.current = node;
    this.rows[node].setAttribute("aria-current", "true");
    this.rows[node].querySelector("button").tabIndex = 0;
  }

  key(event) {
    const row = event.target.closest("tr");
    const [down, up] = [row.nextElementSibling, row.previousElementSibling];
    const next = { ArrowDown: down, ArrowUp: up }[event.key];
    if (!next) return;
    event.preventDefault();
    this.choose(this.rows.indexOf(next));
    next.querySelector("button").focus();
  }
}

/** One run's map, panel and table, and which node is chosen in them. */
class Explorer {
  constructor(root, content) {
    Object.assign(this, { root, content });
    root.append(document.querySelector("#explorer").content.cloneNode(true));
    const find = (selector) => root.querySelector(selector);
    const choose = (node) => this.select(node, true);
    this.options = { colour: "class", look: "discs", points: true, edges: true };
    this.offer(find);
    this.panel = new Panel(find(".panel"), content, choose);
    this.table = new NodeTable(find(".nodes"), content, choose);
    this.map = new MapView(find(".stage"), content, this.options, choose);
    find(".controls").addEventListener("change", (event) => this.change(event.target));
    find(".controls").addEventListener("click", (event) => this.zoom(event.target.dataset.zoom));
    this.recolour();
    this.select(content.wins.indexOf(content.most), false);
    root.dataset.ready = "";
  }

  /** Leave out what this run can't show. */
  offer(find) {
    const { content, options } = this;
    const select = find("[name=colour]");
    const has = {
      class: content.class_names !== null,
      activation: content.activation.some(Number.isFinite),
    };
    for (const [name, there] of Object.entries(has)) {
      if (!there) select.querySelector(`[value=${name}]`).remove();
    }
    options.colour = select.value;
    find("[data-of=tiles]").hidden = !content.tiles;
    find("[data-of=points]").hidden = content.point_node.length === 0;
    find("[data-of=edges]").hidden = content.strength.length === 0;
  }

  change({ name, type, checked, value }) {
    this.options[name] = type === "checkbox" ? checked : value;
    this.recolour();
  }

  zoom(how) {
    if (how === "whole") this.map.whole();
    else if (how) this.map.zoomBy(how === "in" ? 1.4 : 1 / 1.4);
  }

  recolour() {
    this.map.recolour();
    const { palette, range } = this.map.colours;
    const swatch = (color, kind = "") =>
      element("i", { class: kind, style: `background: ${color}` });
    const entry = (color, name) => element("span", {}, swatch(color), name);
    const legend = this.root.querySelector(".legend");
    if (!range) {
      const names = [...this.content.class_names, "none"];
      const used = new Set([...this.map.colours.nodes, ...this.map.colours.points]);
      const shown = names.map((name, index) => used.has(index) && entry(palette[index], name));
      legend.replaceChildren(...shown.filter(Boolean));
      return;
    }
    const digits = this.options.colour === "size" ? 0 : 3;
    const gradient = `linear-gradient(to right, ${palette.slice(0, -1).join()})`;
    const [low, high] = range.map((value) => decimals(value, digits));
    const scale = element("span", {}, low, swatch(gradient, "ramp"), high);
    legend.replaceChildren(low === high ? entry(palette[0], low) : scale);
  }

  /** Choose a node everywhere; say it where a person asked for it. */
  select(node, aloud) {
    this.selected = this.content.slots[node];
    this.root.dataset.selected = this.selected;
    this.map.select(node);
    this.panel.show(node);
    this.table.select(node);
    if (aloud) this.announce(node);
  }

  announce(node) {
    const status = this.root.querySelector(".status");
    const neighbours = counted(this.content.neighbours[node].length, "neighbour");
    status.textContent = "";
    // The same words again are only read out when the line was empty in between.
    requestAnimationFrame(() => {
      status.textContent = `${[...this.content.lines(node), neighbours].join(", ")}.`;
    });
  }
}

/** The button that changes the theme; the system's choice holds until it is pressed. */
function startTheme(explorers) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.querySelector("#theme");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const apply = () => {
    button.textContent = dark() ? "Light theme" : "Dark theme";
    for (const explorer of explorers) explorer.recolour();
  };
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}

async function start() {
  for (const [number, root] of document.querySelectorAll(".comparison").entries()) {
    new Comparison(root, number, JSON.parse(root.querySelector("script").textContent));
  }
  const explorers = [];
  window.dcsomrl = { explorers };
  startTheme(explorers);
  for (const root of document.querySelectorAll(".explorer")) {
    const content = new Content(JSON.parse(root.querySelector("script").textContent));
    await content.loaded();
    explorers.push(new Explorer(root, content));
  }
}

start();
