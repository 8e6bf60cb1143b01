// The viewer's markup. It holds no value: everything a user wrote is set as text by the script.

import { text } from "./texts.js";

/** @import { Key } from "./texts.js" */

/** @type {Record<string, string>} */
const ESCAPED = { "&": "&amp;", "<": "&lt;", '"': "&quot;" };
/** @param {Key} key */
const say = (key) => text(key).replace(/[&<"]/g, (character) => ESCAPED[character]);

export const TEMPLATE = `
<section class="diml" data-state="empty" aria-label="${say("viewer.label")}">
  <h2 class="diml-unseen">${say("viewer.title")}</h2>
  <p class="diml-empty" data-role="empty">${say("viewer.empty")}</p>
  <div class="diml-error" data-role="error-box" hidden>
    <p data-role="error" role="alert"></p>
    <button type="button" data-role="close-error" aria-label="${say("viewer.close")}">×</button>
  </div>
  <p class="diml-busy" data-role="busy" role="status"></p>
  <div class="diml-body" data-role="body">
    <p class="diml-refused" data-role="present-note" role="status" hidden></p>
    <p class="diml-caption" data-role="caption"><b data-role="caption-title"></b> <span data-role="caption-text"></span></p>
    <div class="diml-actions">
      <button type="button" data-role="open-steps">${say("steps.open")}</button>
      <button type="button" data-role="link">${say("viewer.link")}</button>
      <button type="button" data-role="fullscreen" hidden></button>
      <button type="button" data-role="present" aria-pressed="false"></button>
    </div>
    <h3 class="diml-unseen">${say("viewer.score")}</h3>
    <div class="diml-score" data-role="score"></div>
    <div class="diml-scale" data-role="scale"></div>
    <h3 class="diml-unseen">${say("viewer.photos")}</h3>
    <div class="diml-toolbar">
      <div class="diml-layers" data-role="layers" role="radiogroup" aria-label="${say("viewer.layers")}"></div>
      <div class="diml-rivals" data-role="rivals" hidden></div>
    </div>
    <div class="diml-stage" data-role="stage">
      <figure class="diml-photo" data-side="a">
        <div class="diml-frame" tabindex="0" role="application" data-role="frame-a">
          <img data-role="img-a" alt=""><canvas data-role="overlay-a" aria-hidden="true"></canvas>
        </div>
        <figcaption><b data-role="letter-a"></b> <span data-role="name-a"></span></figcaption>
      </figure>
      <figure class="diml-photo" data-side="b">
        <div class="diml-frame" tabindex="0" role="application" data-role="frame-b">
          <img data-role="img-b" alt=""><canvas data-role="overlay-b" aria-hidden="true"></canvas>
        </div>
        <figcaption><b data-role="letter-b"></b> <span data-role="name-b"></span></figcaption>
      </figure>
      <canvas class="diml-lines" data-role="flow" aria-hidden="true"></canvas>
      <div class="diml-tip" data-role="tip" aria-hidden="true"></div>
    </div>
    <div class="diml-under">
      <div class="diml-legends" data-role="legends"></div>
      <div class="diml-sliders">
        <label class="diml-slider">${say("viewer.lines")} <output data-role="lines-out"></output>
          <input type="range" min="0" max="100" step="1" data-role="lines" aria-label="${say("viewer.lines.label")}"></label>
        <label class="diml-slider">${say("viewer.opacity")}
          <input type="range" min="0" max="100" step="5" data-role="opacity" aria-label="${say("viewer.opacity.label")}"></label>
      </div>
    </div>
    <details class="diml-drawer diml-options" data-role="options-drawer">
      <summary><h3>${say("viewer.options")}</h3></summary>
      <div class="diml-controls" data-role="controls"></div>
    </details>
    <h3 class="diml-unseen">${say("viewer.readout")}</h3>
    <div class="diml-readout" data-role="readout"></div>
    <div class="diml-cover" data-role="cover"></div>
    <details class="diml-drawer" data-role="steps-drawer">
      <summary><h3>${say("steps.title")}</h3></summary>
      <div class="diml-how" data-role="steps"></div>
    </details>
    <details class="diml-drawer" data-role="trial-drawer" hidden>
      <summary><h3>${say("viewer.trial")}</h3></summary>
      <div data-role="trial"></div>
    </details>
    <details class="diml-drawer" data-role="formula-drawer">
      <summary><h3>${say("viewer.formula")}</h3></summary>
      <label class="diml-slider diml-iterations">${say("viewer.iterations")} <output data-role="iterations-out"></output>
        <input type="range" min="0" max="5" step="1" data-role="iterations" aria-label="${say("viewer.iterations")}"></label>
      <div data-role="formula"></div>
    </details>
    <details class="diml-drawer" data-role="reproduce-drawer">
      <summary><h3>${say("viewer.reproduce")}</h3></summary>
      <div data-role="reproduce"></div>
    </details>
    <p class="diml-unseen" data-role="live" aria-live="polite"></p>
  </div>
</section>
`;
