// The quantities a photo can be coloured by. Adding a layer touches this file only.
// values(pair, side) gives one number per cell of a grid; range(pair) is shared by both photos.

const LAYERS = [
  {
    id: "similarity",
    label: "Part similarity",
    map: "viridis",
    help: "How much each part resembles the most similar part of the other photo (cosine).",
    grid: (pair, side) => gridOf(pair, side, pair[side].best),
    range: () => [0, 1],
    format: (value) => value.toFixed(2),
  },
  {
    id: "contribution",
    label: "Contribution",
    map: "magma",
    help: "What each part adds to the structural similarity: transported mass times similarity.",
    grid: (pair, side) => gridOf(pair, side, pair[side].contribution),
    range: (pair) => [0, largest(pair, (side) => side.contribution)],
    format: (value) => value.toFixed(4),
  },
  {
    id: "marginals",
    label: "Importance",
    map: "cividis",
    help: "The marginals: how much each part counts in the transport. They sum to 1.",
    grid: (pair, side) => gridOf(pair, side, pair[side].marginals),
    range: (pair) => [0, largest(pair, (side) => side.marginals)],
    format: (value) => value.toFixed(4),
  },
  {
    id: "rollout",
    label: "Attention",
    map: "inferno",
    help:
      "Truncated attention rollout: from which patches the class token got its information. Point at a part " +
      "to see where that part looked.",
    available: (pair) => Boolean(pair.a.rollout && pair.b.rollout),
    missing: "Only vision transformers have attention to roll out.",
    grid: (pair, side) => ({
      rows: pair[side].rolloutGrid[0],
      columns: pair[side].rolloutGrid[1],
      values: pair[side].rollout,
    }),
    range: (pair) => [0, largest(pair, (side) => side.rollout)],
    format: (value) => value.toFixed(4),
    // What replaces the layer on the photo that is pointed at.
    pointed: (pair, side, parts) => lookedAt(pair[side], parts),
    pointedLabel: "Attention of this part",
  },
  { id: "none", label: "Photo only", help: "No colours: the photos and the flow lines." },
];

function gridOf(pair, side, values) {
  return { rows: pair[side].rows, columns: pair[side].columns, values };
}

function largest(pair, pick) {
  let top = 0;
  for (const side of ["a", "b"]) for (const value of pick(pair[side])) if (value > top) top = value;
  return top || 1;
}
