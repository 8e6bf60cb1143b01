// What a file says of itself in its first bytes: its kind, and how large the picture is. A browser decodes first and
// tells the size then, when a picture of a gigabyte has filled the memory; here it is judged before.

/** @typedef {{kind: string, width: number, height: number}} Header width and height as stored, before EXIF turns it */

/** @type {Record<string, (view: DataView) => [number, number] | null>} by kind */
const SIZES = {
  JPEG: sizeOfJpeg,
  PNG: (view) => [view.getUint32(16), view.getUint32(20)],
  GIF: (view) => [view.getUint16(6, true), view.getUint16(8, true)],
  BMP: (view) => [Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))],
  WebP: sizeOfWebp,
  AVIF: sizeOfAvif,
};

/**
 * @param {ArrayBuffer} bytes of the whole file
 * @returns {Header | null} null for a kind that no browser reads
 * @throws {RangeError} a file that ends within its header
 */
export function headerOf(bytes) {
  const view = new DataView(bytes);
  const kind = kindOf(letters(view, 0, Math.min(64, view.byteLength)));
  if (!kind) return null;
  const size = SIZES[kind](view);
  if (!size) throw new RangeError("no size in the header");
  return { kind, width: size[0], height: size[1] };
}

/** @param {string} start the first bytes, a letter each */
function kindOf(start) {
  if (start.startsWith("\xff\xd8\xff")) return "JPEG";
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "PNG";
  if (/^GIF8[79]a/.test(start)) return "GIF";
  if (/^RIFF[^]{4}WEBP/.test(start)) return "WebP";
  if (/^[^]{4}ftyp(?:[^]{4}){0,12}?avi[fs]/.test(start)) return "AVIF";
  return start.startsWith("BM") ? "BMP" : "";
}

/**
 * @param {DataView} view
 * @returns {[number, number] | null}
 */
function sizeOfJpeg(view) {
  let at = 2;
  while (at < view.byteLength) {
    if (view.getUint8(at) !== 0xff) at += 1; // filling between segments
    else {
      const marker = view.getUint8(at + 1);
      const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
      if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
      const isAlone = marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
      if (marker === 0xff) at += 1;
      else at += isAlone ? 2 : 2 + view.getUint16(at + 2);
    }
  }
  return null;
}

/**
 * @param {DataView} view
 * @returns {[number, number] | null}
 */
function sizeOfWebp(view) {
  const chunk = letters(view, 12, 4);
  if (chunk === "VP8 ") return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  if (chunk === "VP8L") {
    const bits = view.getUint32(21, true);
    return [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1];
  }
  if (chunk !== "VP8X") return null;
  /** @param {number} at */
  const threeBytes = (at) => (view.getUint16(at, true) | (view.getUint8(at + 2) << 16)) + 1;
  return [threeBytes(24), threeBytes(27)];
}

/**
 * The largest of all pictures within, for a file can hold several, and tiles of one.
 *
 * @param {DataView} view
 * @returns {[number, number] | null}
 */
function sizeOfAvif(view) {
  /** @type {[number, number] | null} */
  let largest = null;
  const most = Math.min(view.byteLength - 16, 1 << 20); // properties lie in front
  for (let at = 0; at < most; at++) {
    if (view.getUint32(at) !== 0x69737065) continue; // "ispe"
    const [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
    if (!largest || width * height > largest[0] * largest[1]) largest = [width, height];
  }
  return largest;
}

/**
 * @param {DataView} view
 * @param {number} from
 * @param {number} count
 */
function letters(view, from, count) {
  return String.fromCharCode(...new Uint8Array(view.buffer, from, count));
}
