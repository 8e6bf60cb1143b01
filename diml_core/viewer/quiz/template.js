// The quiz's markup. It holds no text: the script sets it.

export const TEMPLATE = `
<section class="quiz" data-state="waiting">
  <div class="quiz-top">
    <p class="quiz-count" data-quiz="count"></p>
    <ol class="quiz-track" data-quiz="track" aria-hidden="true"></ol>
    <p class="quiz-marks" data-quiz="marks"></p>
  </div>
  <p class="quiz-waiting" data-quiz="waiting" role="status"></p>
  <div class="quiz-error" data-quiz="error-box" hidden><p data-quiz="error" role="alert"></p></div>
  <div class="quiz-round" data-quiz="round">
    <h2 class="quiz-question" data-quiz="question" tabindex="-1"></h2>
    <p class="quiz-hint" data-quiz="hint"></p>
    <div data-quiz="board"></div>
    <div class="quiz-result" data-quiz="result"></div>
    <div class="quiz-look" data-quiz="look"></div>
  </div>
  <div class="quiz-settings" data-quiz="settings"></div>
  <div class="quiz-end" data-quiz="end"></div>
  <details class="quiz-how"><summary data-quiz="how-title"></summary><div data-quiz="how"></div></details>
  <p class="quiz-unseen" data-quiz="live" aria-live="polite"></p>
</section>
`;
