// The strip of example pairs. SHOW_THUMBNAILS and NOTE, which keeps a choice for the server, stand above it.

const cards = [...element.querySelectorAll("button[data-pair]")];
let shown = null; // the card of the pair that the viewer shows; null for photos of the visitor's own
let wanted = null; // a card that was chosen and is not shown yet: who goes on quickly goes on from it

// Not scrollIntoView, which would move the page, too.
const uncover = (card) => {
  const strip = card.parentElement;
  strip.scrollLeft = card.offsetLeft - (strip.clientWidth - card.offsetWidth) / 2;
};

const pick = (card) => {
  NOTE(card);
  wanted = card;
  trigger("pick");
  uncover(card);
};

const turn = (step) => {
  const from = cards.indexOf(wanted ?? shown);
  const next = from < 0 ? (step > 0 ? 0 : cards.length - 1) : (from + step + cards.length) % cards.length;
  pick(cards[next]);
};

element.addEventListener("click", (event) => {
  const card = event.target.closest("button[data-pair]");
  const button = event.target.closest("button[data-turn]");
  if (card) pick(card);
  else if (button) turn(Number(button.dataset.turn));
});

window.addEventListener("diml-turn", (event) => {
  if (!element.offsetParent) return; // another tab is open
  event.preventDefault();
  turn(event.detail);
});

// Cards are as wide as the mode has them.
window.addEventListener("diml-presenting", () => shown && uncover(shown));

window.addEventListener("diml-pair", ({ detail: { from, pair } }) => {
  if (!from.closest("#viewer")) return;
  const photos = pair?.a.example && pair.b.example ? [pair.a.name, pair.b.name].sort().join(" ") : null;
  const now = cards.find((card) => card.dataset.photos === photos) ?? null;
  if (now && now === wanted) wanted = null;
  if (now === shown) return;
  shown?.removeAttribute("aria-current");
  now?.setAttribute("aria-current", "true");
  shown = now;
  if (now) uncover(now);
});
// The viewer may have been quicker.
window.dispatchEvent(new CustomEvent("diml-ask", { detail: { from: null } }));
