// Pointer, touch and keyboard on one photo, turned into hover(part), select(parts) and letGo().
// Arrow keys move, Shift with them grows a region, Enter keeps it. A finger that scrolls the page does nothing
// here; a tap selects, or lets go of what it selected, and a finger that rests first drags a region.

const LONG_PRESS = 400; // ms
const TREMBLE = 10; // px that a resting finger may move

/**
 * @param {HTMLElement} frame
 * @param {() => {rows: number, columns: number} | null} grid null while nothing is shown
 * @param {object} on
 * @param {(part: number | null, speak?: boolean) => void} on.hover
 * @param {(parts: number[], cursor?: number) => void} on.select
 * @param {(part: number) => boolean} on.isKept whether this part, and no other, is selected
 * @param {() => void} on.letGo
 * @param {() => number | null} on.keyboardCell the part that the keyboard is at
 * @param {AbortSignal} signal ends a press that is under way
 */
export function listenToFrame(frame, grid, { hover, select, isKept, letGo, keyboardCell }, signal) {
  /** @type {number | null} */
  let dragStart = null;
  let dragEnd = -1;
  /** @type {{part: number, x: number, y: number, timer: ReturnType<typeof setTimeout>} | null} */
  let touch = null; // a finger of which nobody knows yet what it wants
  /** @type {number | null} */
  let anchor = null; // where the keyboard began to grow a region

  /** @type {(at: {clientX: number, clientY: number}, grid: {rows: number, columns: number}) => number} */
  const partAt = (at, { rows, columns }) => {
    const box = frame.getBoundingClientRect();
    const column = Math.floor(((at.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((at.clientY - box.top) / box.height) * rows);
    /** @type {(value: number, most: number) => number} */
    const clamp = (value, most) => Math.min(most - 1, Math.max(0, value));
    return clamp(row, rows) * columns + clamp(column, columns);
  };

  /** @param {number} part */
  const drag = (part) => {
    dragStart = dragEnd = part;
    select([part]);
  };
  const forget = () => {
    clearTimeout(touch?.timer);
    touch = null;
  };
  signal.addEventListener("abort", forget);

  frame.addEventListener("pointerdown", (event) => {
    const parts = grid();
    if (!event.isPrimary) {
      // A second finger zooms.
      forget();
      dragStart = null;
      return;
    }
    if (!parts || event.button !== 0) return;
    const part = partAt(event, parts);
    if (event.pointerType === "touch") {
      const timer = setTimeout(() => {
        touch = null;
        drag(part);
      }, LONG_PRESS);
      touch = { part, x: event.clientX, y: event.clientY, timer };
      return;
    }
    frame.setPointerCapture(event.pointerId);
    drag(part);
  });
  frame.addEventListener("pointermove", (event) => {
    const parts = grid();
    if (!parts) return;
    if (touch && Math.hypot(event.clientX - touch.x, event.clientY - touch.y) > TREMBLE) forget();
    const part = partAt(event, parts);
    if (dragStart !== null) {
      if (part !== dragEnd) select(region(dragStart, part, parts.columns));
      dragEnd = part;
    } else if (event.pointerType !== "touch") hover(part);
  });
  frame.addEventListener("pointerup", () => {
    // Fingers have no Escape.
    if (touch) isKept(touch.part) ? letGo() : select([touch.part]);
    forget();
    dragStart = null;
  });
  frame.addEventListener("pointercancel", () => {
    forget();
    dragStart = null;
  });
  frame.addEventListener("pointerleave", (event) => {
    if (dragStart === null && event.pointerType !== "touch") hover(null);
  });
  // Once a region is being dragged the finger must not scroll the page; until then it may.
  frame.addEventListener("touchmove", (event) => dragStart !== null && event.cancelable && event.preventDefault(), {
    passive: false,
  });
  // A long press would open the photo's menu.
  frame.addEventListener("contextmenu", (event) => (touch || dragStart !== null) && event.preventDefault());
  frame.addEventListener("keydown", (event) => {
    const parts = grid();
    if (!parts) return;
    const { rows, columns } = parts;
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const at = keyboardCell() ?? Math.floor(rows / 2) * columns + Math.floor(columns / 2);
    if (move) {
      const row = Math.floor(at / columns) + move[0];
      const column = (at % columns) + move[1];
      event.preventDefault(); // at the edge, too: the page must not jump
      if (row < 0 || row >= rows || column < 0 || column >= columns) return;
      const to = row * columns + column;
      if (event.shiftKey) {
        anchor ??= at;
        select(region(anchor, to, columns), to);
      } else {
        anchor = null;
        hover(to, true);
      }
    } else if (event.key === "Enter" || event.key === " ") {
      select([at]);
      event.preventDefault();
    }
  });
}

/**
 * The parts of the rectangle between two parts.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} columns of the grid
 */
export function region(from, to, columns) {
  const cells = [from, to].map((part) => [Math.floor(part / columns), part % columns]);
  const [top, bottom] = cells.map((cell) => cell[0]).sort((x, y) => x - y);
  const [left, right] = cells.map((cell) => cell[1]).sort((x, y) => x - y);
  const parts = [];
  for (let row = top; row <= bottom; row++)
    for (let column = left; column <= right; column++) parts.push(row * columns + column);
  return parts;
}
