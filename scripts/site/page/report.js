// The report: one HTML file that stays interactive, as the library writes it (diml_core/viewer/modules.py).

/** @import { Options, Payload, Side } from "../../../diml_core/viewer/engine/types.js" */

/**
 * @param {string} template with %%TITLE%% and %%PAIR%% to fill in
 * @param {Payload} pair whose files have addresses of this page
 * @param {Options} options what the viewer stands at
 * @returns {Promise<Blob>}
 */
export async function reportOf(template, pair, options) {
  const [a, b] = await Promise.all([pair.a, pair.b].map(carried));
  const title = `${a.name} – ${b.name}`.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  // "</script>" in a file name would end the script: "<" is written as its JSON escape.
  // Nobody in a file can be asked about other methods.
  const values = JSON.stringify({ ...pair, a, b, options, model: { ...pair.model, rivals: [] } }).replaceAll("<", "\\u003c");
  const [start, middle, end] = template.split(/%%(?:TITLE|PAIR)%%/);
  return new Blob([start, title, middle, values, end], { type: "text/html" });
}

/**
 * @param {Side} side
 * @returns {Promise<Side>} its files within
 */
async function carried(side) {
  const [photo, features, attention] = await Promise.all([side.photo, side.features, side.attention].map(within));
  return { ...side, photo: String(photo), features: String(features), attention };
}

/**
 * @param {string | null} url
 * @returns {Promise<string | null>} a data: URL of what lies there
 */
async function within(url) {
  if (url === null) return null;
  const blob = await (await fetch(url)).blob();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
