// Large files, fetched once: networks, and the runtime that they run in. Their names change with their content, so that
// what is kept stays good; sw.js throws out what no release needs any more.

import { text } from "../../../diml_core/viewer/view/texts.js";

/** @typedef {{url: string, bytes: number}} File where it lies, and how large it is */

/** @param {string} base address of the site's folder, for several sites may lie on one host */
export const keptIn = (base) => `diml-large ${base}`;

/**
 * @param {File} file
 * @param {string} base address of the site's folder
 * @param {(loaded: number) => void} tell is told of the bytes that are here
 * @returns {Promise<ArrayBuffer>} rejects with a sentence where it cannot be had
 */
export async function bytesOf({ url, bytes }, base, tell) {
  const cache = await cacheOf(base);
  const kept = await cache?.match(url);
  const response = kept ?? (await fetch(url).catch(() => null));
  if (!response?.ok || !response.body) throw new Error(text("site.unreachable"));
  const all = new Uint8Array(bytes);
  let loaded = 0;
  const reader = response.body.getReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      all.set(piece.value, loaded);
      loaded += piece.value.length;
      tell(loaded);
    }
  } catch {
    loaded = -1; // broken off, or longer than it should be
  }
  if (loaded !== bytes) {
    await cache?.delete(url);
    throw new Error(text("site.unreachable"));
  }
  // A disk that is full costs the next visit a download, and this one nothing.
  if (!kept) await cache?.put(url, new Response(all)).catch(() => {});
  return all.buffer;
}

/** @param {string} base */
async function cacheOf(base) {
  // There is none on http, nor where the visitor forbids it.
  return globalThis.caches?.open(keptIn(base)).catch(() => undefined);
}
