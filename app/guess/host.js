// Glue between gr.HTML, which gives `element`, `props` and `trigger`, and the quiz's createQuiz(). MODULES, where the
// viewer's modules lie, and network.js stand above it; dimlPlaced is the page's.

const EVENTS = { round: "round" };

const host = element.querySelector(".quiz-host");

async function askRound(question, onProgress, givenUp) {
  const answer = await ask(question, onProgress, givenUp);
  return answer.pairs ? { ...answer, pairs: answer.pairs.map(pairOf) } : answer;
}

// Modules and the first round come when the tab is first seen: most visitors never open it.
new IntersectionObserver(([entry], observer) => {
  if (!entry.isIntersecting) return;
  observer.disconnect();
  Promise.all([import(`${dimlPlaced(MODULES)}/quiz/game.js`), import(`${dimlPlaced(MODULES)}/quiz/link.js`)]).then(
    ([{ createQuiz }, { questionIn, withoutQuestion }]) => {
      if (gone.signal.aborted) return;
      // Once it is answered, or another tab is open, the address is about something else.
      const forget = () => {
        if (questionIn(location.search) === null) return;
        history.replaceState(history.state, "", location.pathname + withoutQuestion(location.search) + location.hash);
      };
      const quiz = createQuiz(host, { ask: askRound, models: props.value.models, answered: forget });
      gone.signal.addEventListener("abort", () => quiz.destroy());
      const { signal } = gone;
      document.addEventListener("click", ({ target }) => target.closest?.("[role=tab]:not(#guess-tab-button)") && forget(), { signal });
      const putQuestion = () => {
        quiz.put(window.dimlQuestion);
        delete window.dimlQuestion;
      };
      window.addEventListener("diml-question", putQuestion, { signal });
      window.addEventListener("diml-own-photos", () => quiz.start(), { signal });
      const linked = questionIn(location.search);
      if (window.dimlQuestion) putQuestion();
      else if (linked !== null) quiz.link(linked);
      else quiz.start();
    },
    () => (host.textContent = text("viewer.failed")),
  );
}).observe(host);
