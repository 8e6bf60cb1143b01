import assert from "node:assert/strict";
import test from "node:test";

import { quoted, repr, reproduce } from "../../diml_core/viewer/view/reproduce.js";

const options = {
  ...{ grid: 5, marginals: "product", mass: 1, start_block: 9 },
  ...{ head_fusion: "mean", kept_mass: 1, epsilon: 0.05, tolerance: 1e-6 },
};
const pair = {
  a: { name: "heron.jpg", example: true },
  b: { name: "my cat's.jpg", example: false },
  model: { name: "dinov2-s14" },
  options,
};

test("an example is named where it lies, an upload as its owner named it", () => {
  const { python, shell } = reproduce(pair);
  assert.equal(
    python,
    `from diml_core import explain, load_model

model = load_model('dinov2-s14')
explanation = explain(
    model,
    'assets/examples/heron.jpg',
    "my cat's.jpg",
    grid=5,
    marginals='product',
    mass=1.0,
    start_block=9,
)
print(explanation.similarity)`,
  );
  assert.equal(
    shell,
    `python -m diml_core compare assets/examples/heron.jpg 'my cat'"'"'s.jpg' --model=dinov2-s14 ` +
      "--grid=5 --marginals=product --mass=1.0 --start-block=9",
  );
});

test("what the library takes anyway is left out, and what differs is told", () => {
  const { python, shell } = reproduce({
    ...pair,
    options: { ...options, start_block: null, epsilon: 0.1, kept_mass: 0.6, head_fusion: "max" },
  });
  assert.match(python, / {4}head_fusion='max',\n {4}kept_mass=0.6,\n {4}epsilon=0.1,\n\)/);
  assert.match(shell, /--head-fusion=max --kept-mass=0.6 --epsilon=0.1$/);
  assert.doesNotMatch(python + shell, /start.block|tolerance/);
});

test("a file name that begins with a dash is no flag", () => {
  const { python, shell } = reproduce({ ...pair, b: { name: "-rf.jpg", example: false } });
  assert.match(shell, / \.\/-rf\.jpg /);
  assert.match(python, / '-rf\.jpg',/);
});

test("texts are written as Python's repr writes them", () => {
  // Each from `python -c "print(repr(...))"`.
  const written = [
    ["plain", "'plain'"],
    ["it's", '"it\'s"'],
    ['"a"', "'\"a\"'"],
    [`'a' "b"`, String.raw`'\'a\' "b"'`],
    ["back\\slash", String.raw`'back\\slash'`],
    ["line\nreturn\rtab\t", String.raw`'line\nreturn\rtab\t'`],
    ["\u0000\u001b\u007f\u00a0\u00ad", String.raw`'\x00\x1b\x7f\xa0\xad'`],
    ["\u200b\u2028\u3000\ue000", String.raw`'\u200b\u2028\u3000\ue000'`],
    ["\u{e0001}", String.raw`'\U000e0001'`],
    ["Büro, 写真, 🦜 ${x}", "'Büro, 写真, 🦜 ${x}'"],
  ];
  for (const [text, expected] of written) assert.equal(repr(text), expected);
});

test("words are quoted as Python's shlex quotes them", () => {
  const written = [
    ["", "''"],
    ["a-b_c@d%e+f=g:h,i.j/K9", "a-b_c@d%e+f=g:h,i.j/K9"],
    ["a b", "'a b'"],
    ["$(reboot);`x`\n", "'$(reboot);`x`\n'"],
    ["it's", `'it'"'"'s'`],
    ["Büro", "'Büro'"],
    ["~", "'~'"],
  ];
  for (const [word, expected] of written) assert.equal(quoted(word), expected);
});
