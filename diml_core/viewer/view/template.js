// The viewer's markup. It holds no value: everything a user wrote is set as text by the script.

import { text } from "./texts.js";

export const TEMPLATE = `
<section class="diml" data-state="empty" aria-label="Explanation of the pair">
  <h2 class="diml-unseen">Why the two photos are similar</h2>
  <p class="diml-empty" data-role="empty">Choose two photos, or one of the example pairs, to see which of their parts match.</p>
  <div class="diml-error" data-role="error-box" hidden>
    <p data-role="error" role="alert"></p>
    <button type="button" data-role="close-error" aria-label="Close this message">×</button>
  </div>
  <p class="diml-busy" data-role="busy" role="status"></p>
  <div class="diml-body" data-role="body">
    <div class="diml-actions">
      <button type="button" data-role="open-steps">${text("steps.open")}</button>
      <button type="button" data-role="link">Copy link</button>
      <button type="button" data-role="present" aria-pressed="false">Presenter mode</button>
    </div>
    <p class="diml-caption" data-role="caption"><b data-role="caption-title"></b> <span data-role="caption-text"></span></p>
    <h3 class="diml-unseen">Score</h3>
    <div class="diml-score" data-role="score"></div>
    <div class="diml-scale" data-role="scale"></div>
    <h3 class="diml-unseen">Photos</h3>
    <div class="diml-toolbar">
      <div class="diml-layers" data-role="layers" role="radiogroup" aria-label="What the photos are coloured by"></div>
      <div class="diml-rivals" data-role="rivals" hidden></div>
      <label class="diml-slider">Flow lines <output data-role="lines-out"></output>
        <input type="range" min="0" max="100" step="1" data-role="lines" aria-label="Number of flow lines"></label>
      <label class="diml-slider">Overlay
        <input type="range" min="0" max="100" step="5" data-role="opacity" aria-label="Opacity of the colours, per cent"></label>
    </div>
    <div class="diml-stage" data-role="stage">
      <figure class="diml-photo" data-side="a">
        <div class="diml-frame" tabindex="0" role="application" data-role="frame-a">
          <img data-role="img-a" alt=""><canvas data-role="overlay-a" aria-hidden="true"></canvas>
        </div>
        <figcaption><b>A</b> <span data-role="name-a"></span></figcaption>
      </figure>
      <figure class="diml-photo" data-side="b">
        <div class="diml-frame" tabindex="0" role="application" data-role="frame-b">
          <img data-role="img-b" alt=""><canvas data-role="overlay-b" aria-hidden="true"></canvas>
        </div>
        <figcaption><b>B</b> <span data-role="name-b"></span></figcaption>
      </figure>
      <canvas class="diml-lines" data-role="flow" aria-hidden="true"></canvas>
      <div class="diml-tip" data-role="tip" aria-hidden="true"></div>
    </div>
    <div class="diml-legends" data-role="legends"></div>
    <details class="diml-drawer diml-options" data-role="options-drawer">
      <summary><h3>Options</h3></summary>
      <div class="diml-controls" data-role="controls"></div>
    </details>
    <h3 class="diml-unseen">What you point at</h3>
    <div class="diml-readout" data-role="readout"></div>
    <div class="diml-cover" data-role="cover"></div>
    <details class="diml-drawer" data-role="steps-drawer">
      <summary><h3>${text("steps.title")}</h3></summary>
      <div class="diml-how" data-role="steps"></div>
    </details>
    <details class="diml-drawer" data-role="trial-drawer" hidden>
      <summary><h3>Test it against other methods</h3></summary>
      <div data-role="trial"></div>
    </details>
    <details class="diml-drawer" data-role="formula-drawer">
      <summary><h3>The formula, with these numbers</h3></summary>
      <label class="diml-slider diml-iterations">Sinkhorn iterations <output data-role="iterations-out"></output>
        <input type="range" min="0" max="5" step="1" data-role="iterations" aria-label="Sinkhorn iterations"></label>
      <div data-role="formula"></div>
    </details>
    <details class="diml-drawer" data-role="reproduce-drawer">
      <summary><h3>Reproduce this</h3></summary>
      <div data-role="reproduce"></div>
    </details>
    <p class="diml-unseen" data-role="live" aria-live="polite"></p>
  </div>
</section>
`;
