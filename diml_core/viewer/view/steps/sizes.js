// How large pictures are, without looking at the layout while they are painted.

/** @typedef {{width: number, height: number}} Size in page pixels */

/**
 * @param {() => void} changed
 * @returns {{watch: (node: Element) => void, of: (node: Element) => Size | null, stop: () => void}} `of` gives null
 *   until a node has been laid out
 */
export function sizesOf(changed) {
  /** @type {WeakMap<Element, Size>} */
  const sizes = new WeakMap();
  const observer = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) sizes.set(target, { width: contentRect.width, height: contentRect.height });
    changed();
  });
  return {
    watch: (node) => observer.observe(node),
    of: (node) => {
      const size = sizes.get(node);
      return size?.width ? size : null;
    },
    stop: () => observer.disconnect(),
  };
}
