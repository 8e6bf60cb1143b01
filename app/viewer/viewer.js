// The viewer: one pair of photos, linked. Everything it shows is computed here from one payload.
//
// createViewer(host, { address, ask }): `address` makes it keep its view in the address bar; `ask` is the way to
// the network for the counterfactual (cover.js), absent in a saved report.

function createViewer(host, { address = false, ask = null } = {}) {
  const find = (role) => host.querySelector(`[data-role="${role}"]`);
  const root = host.querySelector(".diml");
  const frames = { a: find("frame-a"), b: find("frame-b") };
  const state = {
    settled: null, // the pair as the payload gave it
    pair: null, // the pair as shown: with the plan of the chosen number of iterations
    layer: "contribution",
    lines: 16,
    opacity: 50,
    stop: ITERATION_STOPS.length - 1,
    hover: null,
    pinned: null,
    barSide: "a",
  };
  let awaited = address ? new URLSearchParams(location.search) : null;
  let frameRequest = 0;
  let writeAddressTimer = 0;
  const link = linkViewers(
    root,
    ({ kind, side, digest, box }) => {
      if (!state.pair) return;
      const here = box && state.pair[side].digest === digest;
      set(kind, here ? { side, parts: partsIn(state.pair[side], box) } : null);
    },
    () => state.pinned && link.announce(state.pair, "pinned", state.pinned),
  );

  const active = () => state.hover ?? state.pinned;
  const pointAt = ({ side, parts, cursor }) => ({ side, parts, cursor, flow: flowFrom(state.pair, side, parts) });

  function repaint() {
    // At most once per frame, however fast the pointer moves.
    frameRequest ||= requestAnimationFrame(() => {
      frameRequest = 0;
      if (state.pair) paint();
    });
  }

  function paint() {
    const { pair } = state;
    const pointed = active();
    const boxes = measureStage(find("stage"), frames);
    renderLegends(find("legends"), paintPair(find, frames, boxes, pair, state, pointed));
    renderReadout(find("readout"), pair, pointed);
    placeTip(find("tip"), boxes, pair, pointed);
    if (find("formula-drawer").open) {
      renderFormula(find("formula"), pair, state.settled, pointed, ITERATION_STOPS[state.stop]);
    };
    if (pointed && pointed.side !== state.barSide) {
      state.barSide = pointed.side;
      refreshScore();
    }
    const lit = new Set(pointed?.parts.map(String));
    for (const segment of find("score").querySelectorAll(".diml-bar-part")) {
      if (segment.classList.contains("diml-on") !== lit.has(segment.dataset.part)) segment.classList.toggle("diml-on");
    }
  }

  // The only way that what is pointed at changes. `kind` is "hover" or "pinned".
  function set(kind, pointed) {
    state[kind] = pointed && pointAt(pointed);
    if (kind === "pinned") {
      state.hover = null;
      renderCover(find("cover"), state.pair, state.pinned, ask && askForThisPair);
      writeAddress();
    }
    repaint();
  }

  function pointAndTell(kind, pointed) {
    set(kind, pointed);
    link.announce(state.pair, kind, pointed);
  }

  function askForThisPair(side, parts, cover) {
    const { model, options, a, b } = state.settled;
    return ask({ model, options, digests: [a.digest, b.digest], side, parts, cover });
  }

  function refreshScore() {
    find("lines-out").value = state.lines;
    const side = state.barSide;
    renderScore(find("score"), state.pair, {
      side,
      lineCount: Math.min(state.lines, state.pair.order.length),
      onHover: (part) => pointAndTell("hover", part === null ? null : { side, parts: [part] }),
    });
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
        writeAddress();
        repaint();
      });
      return button;
    });
    find("layers").replaceChildren(...buttons);
  }

  function writeAddress() {
    const query = state.settled && queryOf(state.settled, state);
    const button = find("link");
    button.textContent = "Copy link";
    button.hidden = !address;
    button.disabled = !query;
    button.title = query ? "A link to exactly this view" : "Only example photos can be linked: yours are not kept. Save a report instead.";
    if (!address || awaited?.has("a")) return;
    clearTimeout(writeAddressTimer);
    writeAddressTimer = setTimeout(() => {
      // Browsers limit how often the address may change; a dragged region changes it many times.
      history.replaceState(null, "", query ? `?${query}` : location.pathname);
    }, 200);
  }

  function showIterations() {
    const stop = ITERATION_STOPS[state.stop];
    find("iterations").value = state.stop;
    find("iterations-out").value = Number.isFinite(stop) ? stop : `settled (${state.settled.iterations})`;
    state.pair = Number.isFinite(stop) ? withPlan(state.settled, planAfter(state.settled, stop)) : state.settled;
    root.classList.toggle("diml-unsettled", Number.isFinite(stop));
    for (const kind of ["hover", "pinned"]) if (state[kind]) state[kind] = pointAt(state[kind]);
    renderCover(find("cover"), state.pair, state.pinned, ask && askForThisPair);
    refreshScore();
    repaint();
  }

  for (const side of ["a", "b"]) {
    listenToFrame(frames[side], () => state.pair?.[side], {
      hover: (part, speak) => {
        if (part === null ? !state.hover : state.hover?.side === side && state.hover.parts[0] === part) return;
        pointAndTell("hover", part === null ? null : { side, parts: [part] });
        if (speak) find("live").textContent = spoken(state.pair, state.hover);
      },
      select: (parts, cursor) => {
        pointAndTell("pinned", { side, parts, cursor });
        find("live").textContent = `Kept: ${spoken(state.pair, state.pinned)}`;
      },
      keyboardCell: () => (active()?.side === side ? (active().cursor ?? active().parts[0]) : null),
    });
    frames[side].addEventListener("blur", () => state.hover && pointAndTell("hover", null));
  }
  // Escape works wherever the focus is: after a click on a button it is no longer on a photo.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !state.pair || !active()) return;
    pointAndTell("pinned", null);
    find("live").textContent = "Nothing is selected.";
    event.preventDefault();
  });
  for (const name of ["lines", "opacity"]) {
    find(name).value = state[name];
    find(name).addEventListener("input", (event) => {
      state[name] = Number(event.target.value);
      refreshScore();
      writeAddress();
      repaint();
    });
  }
  find("iterations").addEventListener("input", (event) => {
    state.stop = Number(event.target.value);
    showIterations();
  });
  find("formula-drawer").addEventListener("toggle", repaint);
  find("link").addEventListener("click", (event) => copyText(location.href, event.currentTarget));
  connectPresenter(find("present"));
  new ResizeObserver(repaint).observe(find("stage"));

  function update(payload) {
    const before = state.settled;
    state.hover = state.pinned = null;
    state.settled = state.pair = payload?.plan ? buildPair(payload) : null;
    root.dataset.state = state.pair ? "ready" : payload?.error ? "error" : "empty";
    find("error").textContent = payload?.error ?? "";
    if (!state.pair) {
      awaited = null;
      writeAddress();
      return;
    }
    const { pair } = state;
    const layer = LAYERS.find((each) => each.id === state.layer);
    if (layer.available && !layer.available(pair)) state.layer = "similarity";
    const view = awaited && viewFromQuery(awaited, pair);
    if (view) awaited = null;
    Object.assign(state, view, { pinned: null, stop: ITERATION_STOPS.length - 1 });
    find("lines").value = state.lines;
    for (const side of ["a", "b"]) {
      const { photo, size, rows, columns, name } = pair[side];
      // Setting the same source again would flash on every slider move.
      if (before?.[side].photo !== photo) find(`img-${side}`).src = photo;
      frames[side].style.aspectRatio = `${size[0]} / ${size[1]}`;
      frames[side].style.setProperty("--aspect", size[0] / size[1]);
      frames[side].ariaLabel = `Photo ${side.toUpperCase()}, ${rows} by ${columns} parts. Arrow keys move between parts.`;
      find(`img-${side}`).alt = `Photo ${side.toUpperCase()}`;
      find(`name-${side}`).textContent = `${name} · ${rows} × ${columns} parts`;
    }
    renderLayers();
    renderReproduce(find("reproduce"), pair);
    showIterations();
    set("pinned", view?.pinned ?? null);
    if (!state.pinned) link.ask();
  }

  return { update, state };
}
