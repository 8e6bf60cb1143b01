// The few words beside what is pointed at, so that the eye need not leave the photo.

function placeTip(tip, frame, pair, pointed) {
  tip.hidden = !pointed;
  if (!pointed) return;
  tip.textContent = tipText(pair, pointed);
  const stage = tip.parentElement.getBoundingClientRect();
  const photo = frame.getBoundingClientRect();
  const box = boxOf(pair[pointed.side], pointed.parts);
  const above = box.top * photo.height > 48;
  const left = photo.left - stage.left + ((box.left + box.right) / 2) * photo.width;
  const edge = tip.offsetWidth / 2;
  tip.style.left = `${Math.min(Math.max(left, edge), stage.width - edge)}px`;
  tip.style.top = `${photo.top - stage.top + (above ? box.top : box.bottom) * photo.height}px`;
  tip.classList.toggle("diml-tip-below", !above);
}

function tipText(pair, { side, parts, flow }) {
  const [to] = strongestOf(flow.mass, 1);
  if (to === undefined) return "unmatched: none of its mass is transported";
  const share = sumOf(pair[side].contribution, parts) / (pair.structural || 1);
  return `mass ${sumOf(flow.mass).toFixed(4)} · cosine ${cosineTo(pair, flow, to).toFixed(2)} · ${percent(share, 1)} of structural`;
}
