// Pointer, touch and keyboard on one photo, turned into two calls: hover(part), select(parts).
// Arrow keys move, Shift with them grows a region, Enter keeps it.

function listenToFrame(frame, grid, { hover, select, keyboardCell }) {
  let dragStart = null;
  let anchor = null; // where the keyboard began to grow a region

  const partAt = (event) => {
    const { rows, columns } = grid();
    const box = frame.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const clamp = (value, most) => Math.min(most - 1, Math.max(0, value));
    return clamp(row, rows) * columns + clamp(column, columns);
  };

  const region = (from, to) => {
    const { columns } = grid();
    const cells = [from, to].map((part) => [Math.floor(part / columns), part % columns]);
    const [top, bottom] = cells.map((cell) => cell[0]).sort((x, y) => x - y);
    const [left, right] = cells.map((cell) => cell[1]).sort((x, y) => x - y);
    const parts = [];
    for (let row = top; row <= bottom; row++)
      for (let column = left; column <= right; column++) parts.push(row * columns + column);
    return parts;
  };

  frame.addEventListener("pointermove", (event) => {
    if (!grid()) return;
    const part = partAt(event);
    if (dragStart !== null && part !== dragStart) select(region(dragStart, part));
    else if (dragStart === null) hover(part);
  });
  frame.addEventListener("pointerdown", (event) => {
    if (!grid() || event.button !== 0) return;
    dragStart = partAt(event);
    // A finger that scrolls the page must stay free to: only a mouse or pen is captured.
    if (event.pointerType !== "touch") frame.setPointerCapture(event.pointerId);
    select([dragStart]);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    frame.addEventListener(name, () => (dragStart = null));
  }
  frame.addEventListener("pointerleave", () => {
    if (dragStart === null) hover(null);
  });
  frame.addEventListener("keydown", (event) => {
    if (!grid()) return;
    const { rows, columns } = grid();
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const at = keyboardCell() ?? Math.floor(rows / 2) * columns + Math.floor(columns / 2);
    if (event.key in moves) {
      const row = Math.floor(at / columns) + moves[event.key][0];
      const column = (at % columns) + moves[event.key][1];
      if (row < 0 || row >= rows || column < 0 || column >= columns) return;
      const to = row * columns + column;
      if (event.shiftKey) {
        anchor ??= at;
        select(region(anchor, to), to);
      } else {
        anchor = null;
        hover(to, true);
      }
    } else if (event.key === "Enter" || event.key === " ") select([at]);
    else return;
    event.preventDefault();
  });
}
