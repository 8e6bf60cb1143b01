// Several viewers on one page: pointing in one shows the same place of the same photo in the others.

const POINT_EVENT = "diml-point";
const ASK_EVENT = "diml-ask"; // a viewer that has just got a pair asks what the others have pinned

// `receive({kind, side, digest, box})` is told of the others; `repeat()` should announce what is pinned here.
// Gives back { announce(pair, kind, pointed), ask() }; `kind` is "hover" or "pinned".
function linkViewers(self, receive, repeat) {
  const send = (name, detail) => window.dispatchEvent(new CustomEvent(name, { detail: { from: self, ...detail } }));
  window.addEventListener(POINT_EVENT, (event) => event.detail.from !== self && receive(event.detail));
  window.addEventListener(ASK_EVENT, (event) => event.detail.from !== self && repeat());
  return {
    announce: (pair, kind, pointed) =>
      send(POINT_EVENT, {
        kind,
        side: pointed?.side,
        digest: pointed && pair[pointed.side].digest,
        box: pointed && boxOf(pair[pointed.side], pointed.parts),
      }),
    ask: () => send(ASK_EVENT),
  };
}
