// One picture of the state: which colours, outlines, lines and legends belong to what is pointed at.

const TARGETS_PER_PART = 6;
const RIBBONS = 40;

function paintPair(find, frames, boxes, pair, view, pointed) {
  const layer = LAYERS.find((each) => each.id === view.layer);
  const opacity = view.opacity / 100;
  const lines = pointed ? ribbonsOf(pair, pointed) : strongestLines(pair, view.lines);
  const legends = [];
  const flowTop = Math.max(pair.contribution[pair.order[0]], 1e-9);
  const receivedTop = pointed ? Math.max(flowTop, ...pointed.flow.contribution) : 0;
  for (const side of ["a", "b"]) {
    const canvas = find(`overlay-${side}`);
    let coloured = Boolean(layer.map);
    if (pointed && pointed.side !== side) {
      paintGrid(canvas, boxes[side], gridOf(pair, side, pointed.flow.contribution), [0, receivedTop], "magma", opacity);
      outlineParts(canvas, pair[side], strongestOf(pointed.flow.mass, 1));
      coloured = true;
    } else if (pointed && layer.pointed) {
      const looked = layer.pointed(pair, side, pointed.parts);
      const range = [0, Math.max(...looked.values, 1e-9)];
      paintGrid(canvas, boxes[side], looked, range, layer.map, opacity);
      legends.push(legend(`${layer.pointedLabel} (${side.toUpperCase()})`, layer.map, range, layer.format, layer.help));
    } else {
      paintGrid(canvas, boxes[side], layer.map && layer.grid(pair, side), layer.map && layer.range(pair), layer.map, opacity);
    }
    if (pointed?.side === side) outlineParts(canvas, pair[side], pointed.parts);
    frames[side].classList.toggle("diml-coloured", coloured && opacity > 0);
  }
  if (layer.map && !(pointed && layer.pointed)) {
    const where = pointed ? ` (${pointed.side.toUpperCase()})` : "";
    legends.unshift(legend(layer.label + where, layer.map, layer.range(pair), layer.format, layer.help));
  }
  const number = (value) => value.toFixed(4);
  if (pointed) {
    const where = `Received from it (${otherSide(pointed.side).toUpperCase()})`;
    legends.push(legend(where, "magma", [0, receivedTop], number, "Contribution of each part that it goes to; lines: wider is more mass."));
  } else if (lines.length) {
    legends.push(legend("Flow lines", "magma", [0, flowTop], number, "Contribution of a pair of parts; wider is more mass."));
  }
  paintLines(find("flow"), boxes, pair, lines, "magma", flowTop);
  return legends;
}

// Lines are indices of pairs of parts, strongest first.
function strongestLines(pair, count) {
  return pair.order.slice(0, count).filter((k) => pair.contribution[k] > 0);
}

function ribbonsOf(pair, { side, parts }) {
  const lines = [];
  for (const part of parts) {
    for (const to of strongestOf(flowFrom(pair, side, [part]).mass, TARGETS_PER_PART)) {
      lines.push(side === "a" ? part * pair.b.count + to : to * pair.b.count + part);
    }
  }
  return lines.sort((x, y) => pair.plan[y] - pair.plan[x]).slice(0, RIBBONS);
}

// A legend as data; renderLegends makes it visible.
function legend(name, map, range, format, help) {
  return { name, map, low: format(range[0]), high: format(range[1]), help };
}

function renderLegends(root, legends) {
  // While the pointer moves, legends mostly stay the same: leave the page alone then.
  const key = JSON.stringify(legends);
  if (root.dataset.shown === key) return;
  root.dataset.shown = key;
  root.replaceChildren(
    ...legends.map(({ name, map, low, high, help }) =>
      make(
        "div",
        { className: "diml-legend", title: help },
        make("span", { className: "diml-legend-name" }, name),
        make("span", {}, low),
        make("span", { className: "diml-ramp", style: `background:${gradient(map)}` }),
        make("span", {}, high),
        make("small", {}, help),
      ),
    ),
  );
}
