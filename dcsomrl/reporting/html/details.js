"use strict";

// What stands beside the map: all about the chosen node.

const FEATURES = 40;

/** Numbers from 0 to count - 1, those of high value first where `ranked`. */
function ordered(count, value, ranked) {
  const order = Array.from({ length: count }, (_, index) => index);
  return ranked ? order.sort((a, b) => value(b) - value(a)) : order;
}

function meter(share, kind = "") {
  const bar = element("i", { style: `width: ${100 * Math.max(0, Math.min(1, share))}%` });
  return element("span", { class: `meter ${kind}` }, bar);
}

function headed(headings) {
  const cells = headings.map((heading) =>
    heading ? element("th", { scope: "col" }, heading) : element("td", {}),
  );
  return element("thead", {}, element("tr", {}, ...cells));
}

class Panel {
  constructor(root, content, choose) {
    Object.assign(this, { root, content, choose, node: 0 });
    this.slider = root.querySelector("[name=level]");
    this.ranked = root.querySelector("[name=ranked]");
    this.slider.max = content.levels.length - 1;
    this.slider.addEventListener("input", () => this.show(this.node));
    this.ranked.addEventListener("input", () => this.show(this.node));
    for (const part of root.querySelectorAll("[data-of=disturbed]")) {
      part.hidden = !content.disturbed;
    }
    this.findRanges();
    root.querySelector("[data-of=relevances]").hidden = !content.relevances || this.onFeatures;
    if (this.onFeatures) root.querySelector(".profile").before(this.ranked.parentElement);
  }

  part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  /** Each feature's range over the prototypes; the features' relevances, where the map works on
   * the features themselves. */
  findRanges() {
    const { profiles, feature_names: names, relevances } = this.content;
    if (!profiles) return;
    this.ranges = names.map((_, feature) => {
      let [low, high] = [Infinity, -Infinity];
      for (let at = feature; at < profiles.length; at += names.length) {
        low = Math.min(low, profiles[at]);
        high = Math.max(high, profiles[at]);
      }
      return [low, high];
    });
    this.onFeatures = relevances !== null && names.join("\n") === this.content.relevance_names.join("\n");
  }

  /** The level the slider stands at. */
  get level() {
    return this.content.levels[Number(this.slider.value)];
  }

  relevance(dimension) {
    return this.content.relevances[this.node * this.content.relevance_names.length + dimension];
  }

  show(node) {
    this.node = node;
    this.root.querySelector("h3").textContent = `Node ${this.content.slots[node]}`;
    this.showPrototype();
    this.showNumbers();
    this.showProfile();
    this.showRelevances();
    this.showNeighbours();
    this.showNearest();
  }

  showPrototype() {
    const { tiles, disturbed, nodes, slots } = this.content;
    this.root.querySelector(".prototypes").hidden = !tiles;
    this.part("disturbed").hidden = !disturbed;
    if (!tiles) return;
    const name = `prototype of node ${slots[this.node]}`;
    const fill = (part, sheet, index, label, caption) =>
      this.part(part).replaceChildren(
        sheet.picture(index, 150, label),
        element("figcaption", {}, caption),
      );
    fill("prototype", tiles, this.node, `Decoded ${name}`, "Prototype, decoded");
    if (!disturbed) return;
    const index = Number(this.slider.value) * nodes + this.node;
    const below = decimals(this.level, 2);
    fill("disturbed", disturbed, index, `Disturbed ${name}`, `Disturbed below ${below}`);
    this.root.querySelector("output").textContent = `${below}${this.howMany()}`;
    this.slider.setAttribute("aria-valuetext", `${below}${this.howMany()}`);
  }

  howMany() {
    const { relevances, relevance_names: names } = this.content;
    if (!relevances) return "";
    const low = names.filter((_, dimension) => this.relevance(dimension) < this.level).length;
    return ` (${low} of ${names.length})`;
  }

  showNumbers() {
    const { content, node } = this;
    const rows = [["Samples won", content.wins[node].toLocaleString("en")]];
    if (content.class_names) {
      rows.push(["Majority class", content.className(node)]);
      rows.push(["Purity", decimals(content.purity[node])]);
    }
    rows.push(["Mean activation", decimals(content.activation[node])]);
    rows.push(["Neighbours", String(content.neighbours[node].length)]);
    this.root
      .querySelector("dl")
      .replaceChildren(
        ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
      );
  }

  /** The prototype of a table: a bar for each feature, its relevance beside. */
  showProfile() {
    const { profiles, feature_names: names } = this.content;
    const part = this.part("profile");
    part.hidden = !profiles;
    if (!profiles) return;
    const ranked = this.onFeatures && this.ranked.checked;
    const order = ordered(names.length, (feature) => this.relevance(feature), ranked);
    const rows = order.slice(0, FEATURES).map((feature) => {
      const value = profiles[this.node * names.length + feature];
      const [low, high] = this.ranges[feature];
      const name = names[feature];
      const row = element("tr", {}, element("th", { scope: "row", title: name }, name));
      row.append(element("td", {}, meter(high > low ? (value - low) / (high - low) : 0.5)));
      row.append(element("td", { class: "number" }, decimals(value)));
      if (this.onFeatures) row.append(element("td", {}, this.relevanceMeter(feature)));
      return row;
    });
    const headings = ["Feature", "Value", "", ...(this.onFeatures ? ["Relevance"] : [])];
    const table = element("table", {}, headed(headings), element("tbody", {}, ...rows));
    const many = names.length > FEATURES;
    const first = many ? ` ${FEATURES} of ${names.length} features are shown.` : "";
    part.querySelector("p").textContent =
      `A bar is empty at the feature's smallest value over all nodes, full at its largest.${first}`;
    part.querySelector(".profile").replaceChildren(table);
  }

  relevanceMeter(feature) {
    const bar = meter(this.relevance(feature), "relevance");
    bar.title = `relevance ${decimals(this.relevance(feature))}`;
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", bar.title);
    return bar;
  }

  showRelevances() {
    const { relevances, relevance_names: names, disturbed } = this.content;
    if (!relevances) return;
    const order = ordered(names.length, (i) => this.relevance(i), this.ranked.checked);
    const said = (dimension) => `${names[dimension]}: ${decimals(this.relevance(dimension))}`;
    const bars = order.map((dimension) => {
      const bar = element("span", { title: said(dimension) });
      const low = disturbed && this.relevance(dimension) < this.level;
      if (low) bar.className = "low";
      bar.append(element("i", { style: `height: ${100 * this.relevance(dimension)}%` }));
      return bar;
    });
    const all = order.map(said).join(", ");
    const labels = order.map((dimension) => element("span", {}, names[dimension]));
    const fits = names.join("").length <= 40;
    const ends = labels.length > 1 ? [labels[0], labels[labels.length - 1]] : labels;
    const kind = fits ? "names" : "names ends";
    const box = element(
      "div",
      { style: `max-width: ${Math.max(160, 26 * names.length)}px` },
      element("div", { class: "bars", role: "img", "aria-label": `Relevances: ${all}` }, ...bars),
      element("div", { class: kind, "aria-hidden": "true" }, ...(fits ? labels : ends)),
    );
    this.part("relevances").replaceChildren(box);
  }

  showNeighbours() {
    const { neighbours, edges, tiles, slots } = this.content;
    const part = this.part("neighbours");
    part.hidden = edges.length === 0;
    const buttons = neighbours[this.node].map(({ node, strength }) => {
      const label = `Node ${slots[node]}, strength ${decimals(strength, 2)}`;
      const button = element("button", { type: "button", title: label, "aria-label": label });
      if (tiles) button.append(tiles.picture(node, 36));
      button.append(String(slots[node]));
      button.addEventListener("click", () => {
        this.choose(node);
        // The button is gone with the node it belonged to; the focus must not be lost with it.
        this.root.querySelector("h3").focus();
      });
      return button;
    });
    const none = element("p", { class: "quiet" }, "This node has none.");
    part.querySelector(".buttons").replaceChildren(...(buttons.length ? buttons : [none]));
  }

  showNearest() {
    const { nearest, nearest_rows: rows, per_node: count } = this.content;
    const distances = this.content.nearest_distance;
    const part = this.part("nearest");
    const places = Array.from({ length: count }, (_, rank) => this.node * count + rank);
    const found = places.filter((place) => rows[place] >= 0);
    part.hidden = found.length === 0;
    const figure = (place) => {
      const label = `Row ${rows[place]}, distance ${decimals(distances[place])}`;
      const caption = element("figcaption", {}, decimals(distances[place], 2));
      return element("figure", { title: label }, nearest.picture(place, 44, label), caption);
    };
    const row = (place) =>
      element(
        "tr",
        {},
        element("td", {}, String(rows[place])),
        element("td", {}, decimals(distances[place])),
      );
    const table = () =>
      element("table", {}, headed(["Row", "Distance"]), element("tbody", {}, ...found.map(row)));
    part.querySelector(".samples").replaceChildren(...(nearest ? found.map(figure) : [table()]));
  }
}
