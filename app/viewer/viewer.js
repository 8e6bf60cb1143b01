// The viewer: one pair of photos, linked. Everything it shows is computed here from one payload.

function createViewer(host) {
  const find = (role) => host.querySelector(`[data-role="${role}"]`);
  const root = host.querySelector(".diml");
  const state = { pair: null, layer: "contribution", lines: 24, opacity: 50, hover: null, pinned: null };
  let frameRequest = 0;

  const active = () => state.hover ?? state.pinned;
  const frames = { a: find("frame-a"), b: find("frame-b") };

  function point(side, parts) {
    return parts && { side, parts, flow: flowFrom(state.pair, side, parts) };
  }

  function repaint() {
    // At most once per frame, however fast the pointer moves.
    frameRequest ||= requestAnimationFrame(() => {
      frameRequest = 0;
      if (state.pair) paint();
    });
  }

  function paint() {
    const { pair } = state;
    const layer = LAYERS.find((each) => each.id === state.layer);
    const pointed = active();
    const opacity = state.opacity / 100;
    for (const side of ["a", "b"]) {
      const canvas = find(`overlay-${side}`);
      const receives = pointed && pointed.side !== side;
      if (receives) {
        const values = pointed.flow.contribution;
        const top = Math.max(...values, 1e-12);
        paintGrid(canvas, gridOf(pair, side, values), [0, top], "magma", opacity);
      } else {
        const grid = layer.map ? layer.grid(pair, side) : null;
        paintGrid(canvas, grid, layer.map && layer.range(pair), layer.map, opacity);
      }
      if (pointed?.side === side) outlineParts(canvas, pair[side], pointed.parts);
      else if (pointed) outlineParts(canvas, pair[side], strongestOf(pointed.flow.contribution, 1));
      frames[side].classList.toggle("diml-coloured", Boolean(layer.map || receives) && opacity > 0);
    }
    paintLines(find("flow"), frames, pair, pointed ? ribbons(pair, pointed) : strongestLines(), "magma");
    renderLegends(layer, pointed);
    renderReadout(find("readout"), pair, pointed);
    for (const segment of root.querySelectorAll(".diml-bar-part")) {
      const on = pointed?.side === "a" && pointed.parts.includes(Number(segment.dataset.part));
      segment.classList.toggle("diml-on", on);
    }
  }

  function strongestLines() {
    const { pair } = state;
    const top = pair.contribution[pair.order[0]] || 1;
    return Array.from(pair.order.subarray(0, state.lines))
      .filter((k) => pair.contribution[k] > 0)
      .map((k) => [Math.floor(k / pair.b.count), k % pair.b.count, pair.contribution[k] / top]);
  }

  function ribbons(pair, pointed) {
    const lines = [];
    for (const part of pointed.parts) {
      for (const to of strongestOf(flowFrom(pair, pointed.side, [part]).contribution, 6)) {
        const [a, b] = pointed.side === "a" ? [part, to] : [to, part];
        lines.push([a, b, pair.contribution[a * pair.b.count + b]]);
      }
    }
    lines.sort((x, y) => y[2] - x[2]);
    const top = lines[0]?.[2] || 1;
    return lines.slice(0, 40).map(([a, b, value]) => [a, b, value / top]);
  }

  function renderLegends(layer, pointed) {
    const { pair } = state;
    const legends = [];
    if (layer.map) {
      const where = pointed ? `${layer.label} (${pointed.side.toUpperCase()})` : layer.label;
      legends.push(legend(where, layer.map, layer.range(pair), layer.format, layer.help));
    } else legends.push(make("span", { className: "diml-hint" }, layer.help));
    const flows = pointed ? ribbons(pair, pointed) : strongestLines();
    if (flows.length) {
      const [a, b] = flows[0];
      const top = pair.contribution[a * pair.b.count + b];
      legends.push(
        legend("Flow lines", "magma", [0, top], (v) => v.toFixed(4), "Contribution of a pair of parts; wider is more."),
      );
    }
    find("legends").replaceChildren(...legends);
  }

  function legend(name, map, range, format, help) {
    return make(
      "div",
      { className: "diml-legend", title: help },
      make("span", { className: "diml-legend-name" }, name),
      make("span", {}, format(range[0])),
      make("span", { className: "diml-ramp", style: `background:${gradient(map)}` }),
      make("span", {}, format(range[1])),
      make("small", {}, help),
    );
  }

  function renderLayers() {
    const buttons = LAYERS.map((layer) => {
      const usable = !layer.available || layer.available(state.pair);
      const button = make(
        "button",
        {
          type: "button",
          role: "radio",
          title: usable ? layer.help : layer.missing,
          disabled: !usable,
          ariaChecked: String(layer.id === state.layer),
        },
        layer.label,
      );
      button.dataset.layer = layer.id;
      button.addEventListener("click", () => {
        state.layer = layer.id;
        renderLayers();
        repaint();
      });
      return button;
    });
    find("layers").replaceChildren(...buttons);
  }

  function refreshScore() {
    find("lines-out").value = state.lines;
    renderScore(find("score"), state.pair, Math.min(state.lines, state.pair.order.length), (part) => {
      state.hover = part === null ? null : point("a", [part]);
      repaint();
    });
  }

  for (const side of ["a", "b"]) {
    listenToFrame(frames[side], () => state.pair?.[side], {
      hover: (part, speak) => {
        const same = state.hover?.side === side && state.hover.parts[0] === part;
        if (same) return;
        state.hover = part === null ? null : point(side, [part]);
        if (speak) find("live").textContent = spoken(state.pair, state.hover);
        repaint();
      },
      select: (parts) => {
        state.pinned = point(side, parts);
        state.hover = null;
        find("live").textContent = `Kept: ${spoken(state.pair, state.pinned)}`;
        repaint();
      },
      clear: () => {
        state.pinned = state.hover = null;
        find("live").textContent = "Nothing is selected.";
        repaint();
      },
      keyboardCell: () => (active()?.side === side ? active().parts[0] : null),
    });
    frames[side].addEventListener("blur", () => {
      state.hover = null;
      repaint();
    });
  }
  for (const name of ["lines", "opacity"]) {
    find(name).value = state[name];
    find(name).addEventListener("input", (event) => {
      state[name] = Number(event.target.value);
      if (state.pair) refreshScore();
      repaint();
    });
  }
  new ResizeObserver(repaint).observe(find("stage"));

  function update(payload) {
    const before = state.pair;
    state.hover = state.pinned = null;
    state.pair = payload?.plan ? buildPair(payload) : null;
    root.dataset.state = state.pair ? "ready" : payload?.error ? "error" : "empty";
    find("error").textContent = payload?.error ?? "";
    if (!state.pair) return;
    const { pair } = state;
    const layer = LAYERS.find((each) => each.id === state.layer);
    if (layer.available && !layer.available(pair)) state.layer = "similarity";
    for (const side of ["a", "b"]) {
      // Setting the same source again would flash on every slider move.
      if (before?.[side].photo !== pair[side].photo) find(`img-${side}`).src = pair[side].photo;
      frames[side].style.aspectRatio = `${pair[side].size[0]} / ${pair[side].size[1]}`;
      frames[side].style.setProperty("--aspect", pair[side].size[0] / pair[side].size[1]);
      frames[side].ariaLabel = `Photo ${side.toUpperCase()}, ${pair[side].rows} by ${pair[side].columns} parts. Arrow keys move between parts.`;
      find(`img-${side}`).alt = `Photo ${side.toUpperCase()}`;
      find(`name-${side}`).textContent =
        `${pair[side].name} · ${pair[side].rows} × ${pair[side].columns} parts`;
    }
    renderLayers();
    refreshScore();
    repaint();
  }

  return { update, state };
}
