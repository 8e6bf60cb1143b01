// The drawer of the steps. Most visitors never open it: what is in it is loaded by who does.

import { text } from "../texts.js";
import { STEP_IDS } from "./names.js";

/** @import { Shown, StepEvents } from "./types.js" */

/**
 * @param {HTMLDetailsElement} drawer
 * @param {HTMLElement} root where the steps go
 * @param {StepEvents} on
 * @param {(step: string | null) => void} opened is told which step is open, null for none
 * @param {AbortSignal} signal ends the listening
 * @returns {{open: (step?: string) => void, paint: (shown: Shown) => void}}
 */
export function stepsDrawer(drawer, root, on, opened, signal) {
  /** @type {ReturnType<typeof import("./lesson.js").createLesson> | null} */
  let lesson = null;
  let step = STEP_IDS[0];
  let comes = false; // whether the drawer is to be brought to the top, once it is as high as its step

  /** @param {string} next */
  const go = (next) => {
    step = next;
    opened(drawer.open ? step : null);
  };

  drawer.addEventListener("toggle", async () => {
    go(step);
    if (!drawer.open || lesson) return;
    try {
      const { createLesson } = await import("./lesson.js");
      if (signal.aborted) return;
      lesson ??= createLesson(root, on, go, signal);
      opened(drawer.open ? step : null);
    } catch (error) {
      console.error(error);
      root.textContent = text("steps.broken");
    }
  });

  return {
    open(next = step) {
      drawer.open = comes = true;
      go(next);
    },
    paint(shown) {
      if (!drawer.open || !lesson) return;
      lesson.paint(shown, step);
      if (comes) drawer.scrollIntoView({ block: "start" });
      comes = false;
    },
  };
}
