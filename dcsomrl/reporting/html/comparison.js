"use strict";

// Two clusters beside each other, and what tells them apart.

const MOST_FEATURES = 12;
const WORDS = 3;
const SIDE = 106;

class Comparison {
  constructor(root, number, data) {
    Object.assign(this, unpack(data));
    this.root = root;
    this.chosen = [0, 1];
    root.append(document.querySelector("#comparison").content.cloneNode(true));
    const choices = root.querySelector(".choices");
    ["One cluster", "The other"].forEach((name, side) => {
      choices.append(this.offer(name, side, `pair-${number}-${side}`));
    });
    this.result = root.querySelector(".result");
    const show = () => this.show();
    if (this.pictures) this.pictures.image.decode().then(show);
    else show();
  }

  /** A row of buttons, one for each cluster. */
  offer(legend, side, name) {
    const buttons = Array.from(this.sizes, (_, cluster) => {
      const input = element("input", { type: "radio", name, value: String(cluster) });
      input.checked = cluster === this.chosen[side];
      input.addEventListener("change", () => {
        this.chosen[side] = cluster;
        this.show();
      });
      return element("label", {}, input, element("span", {}, String(cluster)));
    });
    return element("fieldset", {}, element("legend", {}, legend), ...buttons);
  }

  show() {
    const [one, other] = this.chosen;
    if (one === other) {
      this.result.replaceChildren(element("p", {}, "Choose two different clusters."));
      return;
    }
    const parts = this.pictures ? this.showPictures(one, other) : this.showFeatures(one, other);
    this.result.replaceChildren(...parts, element("p", { class: "quiet" }, this.border(one, other)));
    this.root.dataset.shown = this.chosen.join();
  }

  border(one, other) {
    const near = (from, to) => {
      const between = this.border_counts[from * this.sizes.length + to];
      const share = this.sizes[from] ? between / this.sizes[from] : 0;
      return `${Math.round(100 * share)} % of the ${counted(this.sizes[from], "sample")} of ${from}`;
    };
    const said = `${near(one, other)} have their second nearest node in ${other}`;
    return `How near they lie: ${said}, ${near(other, one)} theirs in ${one}.`;
  }

  /** Mean pictures and their difference. */
  showPictures(one, other) {
    const figure = (picture, caption) =>
      element("figure", {}, picture, element("figcaption", {}, caption));
    const mean = (cluster) =>
      figure(
        this.pictures.picture(cluster, SIDE, `Mean sample of cluster ${cluster}`),
        `Mean of ${cluster}`,
      );
    const typical = [one, other].map((cluster) => {
      const image = document.querySelector(
        `.clusters[data-run="${this.root.dataset.run}"] [data-cluster="${cluster}"] img`,
      );
      return image ? figure(image.cloneNode(), `Typical of ${cluster}`) : "";
    });
    const words = "Blue: brighter in the first. Red: brighter in the other. White: the same in both.";
    return [
      element("div", { class: "beside" }, mean(one), mean(other), this.difference(one, other)),
      element("p", { class: "quiet" }, words),
      element("div", { class: "beside" }, ...typical),
    ];
  }

  difference(one, other) {
    const sheet = this.pictures;
    const label = `What differs between the means of ${one} and ${other}`;
    const canvas = sheet.picture(one, SIDE, label);
    const scratch = element("canvas", { width: sheet.width, height: sheet.height });
    const context = scratch.getContext("2d", { willReadFrequently: true });
    const pixels = (cluster) => {
      sheet.draw(context, cluster, 0, 0, sheet.width, sheet.height);
      return context.getImageData(0, 0, sheet.width, sheet.height);
    };
    const [first, second] = [pixels(one), pixels(other)];
    const light = ({ data }, at) => (data[at] + data[at + 1] + data[at + 2]) / 3;
    const gaps = Array.from({ length: sheet.width * sheet.height }, (_, pixel) =>
      light(first, 4 * pixel) - light(second, 4 * pixel),
    );
    const most = gaps.reduce((found, gap) => Math.max(found, Math.abs(gap)), 1);
    gaps.forEach((gap, pixel) => {
      const rest = Math.round(255 * (1 - Math.abs(gap) / most));
      const color = gap > 0 ? [rest, rest, 255] : [255, rest, rest];
      [...color, 255].forEach((value, part) => (first.data[4 * pixel + part] = value));
    });
    canvas.getContext("2d").putImageData(first, 0, 0);
    return element("figure", {}, canvas, element("figcaption", {}, `${one} against ${other}`));
  }

  /** Features by how far the two means lie apart, in deviations of all samples. */
  showFeatures(one, other) {
    const { names, means, deviation } = this;
    const mean = (cluster, feature) => means[cluster * names.length + feature];
    const apart = names.map((_, feature) =>
      deviation[feature] > 0 ? (mean(one, feature) - mean(other, feature)) / deviation[feature] : 0,
    );
    const order = names.map((_, i) => i).sort((a, b) => Math.abs(apart[b]) - Math.abs(apart[a]));
    const most = Math.max(Math.abs(apart[order[0]]), 1e-9);
    const rows = order.slice(0, MOST_FEATURES).map((feature) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, names[feature]),
        element("td", { class: "number" }, signed(apart[feature])),
        element("td", { class: "number" }, significant(mean(one, feature))),
        element("td", { class: "number" }, significant(mean(other, feature))),
        element("td", {}, meter(Math.abs(apart[feature]) / most)),
      ),
    );
    const head = ["feature", "apart, in deviations", `mean of ${one}`, `mean of ${other}`, ""];
    const said = order.slice(0, WORDS).map((feature) => {
      return `${apart[feature] > 0 ? "higher" : "lower"} ${names[feature]} (${signed(apart[feature])})`;
    });
    const more = names.length > rows.length ? ` Of ${names.length} features these ${rows.length} differ most.` : "";
    const label = "Features that differ most";
    return [
      element("p", { class: "answer" }, `Above all, cluster ${one} has ${said.join(", ")} than cluster ${other}, in deviations of all samples.${more}`),
      element(
        "div",
        { class: "scroll", role: "region", tabindex: "0", "aria-label": label },
        element("table", { class: "answers" }, headed(head), element("tbody", {}, ...rows)),
      ),
    ];
  }
}

function signed(value) {
  return `${value > 0 ? "+" : ""}${decimals(value, 1)}`;
}

/** A number with three digits that say something. */
function significant(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return NONE;
  if (size > 0 && size < 1e-4) return value.toExponential(2).replaceAll("-", "−");
  const digits = size >= 100 || size === 0 ? 0 : 2 - Math.floor(Math.log10(size));
  return decimals(value, Math.max(0, digits));
}
