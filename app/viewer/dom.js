// Making nodes and writing numbers.

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "style") node.style.cssText = value;
    else if (key in node && key !== "role") node[key] = value;
    else node.setAttribute(key, value);
  }
  // Text always arrives as text nodes: nothing a user wrote can become markup.
  node.append(...children);
  return node;
}

// A row of buttons, one of which fires onClick(id).
function choiceButtons(choices, onClick) {
  return choices.map(([id, label, title]) => {
    const button = make("button", { type: "button", title: title ?? "" }, label);
    button.addEventListener("click", () => onClick(id));
    return button;
  });
}

const percent = (fraction, digits = 0) => `${(100 * fraction).toFixed(digits)}%`;
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
