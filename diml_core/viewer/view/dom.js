// Making nodes and writing numbers.

/**
 * A new element. Text always arrives as text nodes: nothing a user wrote can become markup.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] properties where the element has one of that name, else attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "style") node.style.cssText = String(value);
    else if (key in node && key !== "role") Reflect.set(node, key, value);
    else node.setAttribute(key, String(value));
  }
  node.append(...children);
  return node;
}

/**
 * A button.
 *
 * @param {string} label
 * @param {(event: MouseEvent) => void} onClick
 * @param {Record<string, unknown>} [attributes]
 * @returns {HTMLButtonElement}
 */
export function button(label, onClick, attributes = {}) {
  const node = /** @type {HTMLButtonElement} */ (make("button", { type: "button", ...attributes }, label));
  node.addEventListener("click", onClick);
  return node;
}

/** What visitors point with: hints name its gestures. @returns {"finger" | "mouse"} */
export const hand = () => (matchMedia("(hover: none)").matches ? "finger" : "mouse");

let ids = 0;

/**
 * An id that no other element of the page has, however many viewers there are.
 *
 * @param {string} name
 * @returns {string}
 */
export const uniqueId = (name) => `diml-${name}-${++ids}`;

/**
 * @param {number} fraction
 * @param {number} [digits]
 */
export const percent = (fraction, digits = 0) => `${(100 * fraction).toFixed(digits)}%`;
