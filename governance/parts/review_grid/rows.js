/* The rows as they are drawn. Texts are drawn once and stay; what is decided, current or in the range is marked on them. */

const DECISIONS = [["keep", "Keep", "A"], ["remove", "Remove", "X"], ["change", "Change", "M"], ["not_mine", "Not mine", "N"]];
const NAMES = Object.fromEntries(DECISIONS);
const RECOMMENDED = { keep: "Keep", remove: "Remove", change: "Change", judge: "Your judgement" };
const TONES = { keep: "green", remove: "red", change: "blue", judge: "gray" };
const COLUMNS = [["state", ""], ["who", "Identity"], ["where", "Application"], ["what", "Entitlement"], ["use", "Last use"],
  ["peers", "Peers"], ["advice", "Recommendation, and why"], ["choice", "Decision"]];

const identityOf = (row) => row.identity || `${row.who}\n${row.who_below}`;
const nameOf = (row) => `${row.who}, ${row.entitlement || "the account"} in ${row.application}`;
const drawnOf = ({ decision, reason, decided_by, ...texts }) => JSON.stringify(texts);

function drawHead(head) {
  head.replaceChildren(...COLUMNS.map(([key, title]) => {
    const cell = make("th", `c-${key}`, title);
    cell.scope = "col";
    if (!title) cell.append(make("span", "said", "Decided"));
    return withRole(cell, "columnheader");
  }));
}

/* A row as on the page before, where its texts are the same; a new one otherwise. */
function drawRow(row, place, before) {
  const drawn = drawnOf(row);
  const line = before && before.drawn === drawn ? before : newRow(row, drawn);
  line.setAttribute("aria-rowindex", place);
  return line;
}

function newRow(row, drawn) {
  const line = withRole(make("tr"), "row");
  Object.assign(line, { drawn, tabIndex: -1 });
  line.dataset.number = row.number;
  line.setAttribute("aria-describedby", "about");
  const tick = make("span", "tick", "✓");
  tick.setAttribute("aria-hidden", "true");
  const person = make("span", "line");
  const employment = row.notable ? make("span", "chip orange small", row.employment) : make("small", "f-employment", row.employment);
  person.append(...(row.employment ? [employment] : []), make("small", "", row.who_below));
  const chips = [row.critical && make("span", "chip red small", "Critical"),
    row.privileged && make("span", "chip orange small", "Privileged")].filter(Boolean);
  const below = make("span", "line");
  below.append(...chips, whence(row));
  const advice = make("span", "line");
  advice.append(make("span", `chip ${TONES[row.recommendation] || "gray"}`, RECOMMENDED[row.recommendation] || ""));
  if (earlierOf(row)) advice.append(make("span", "was", `was ${RECOMMENDED[row.earlier_recommendation] || ""}`));
  const cells = {
    state: [tick, make("span", "said")],
    who: [make("span", "text", row.who), person],
    where: [make("span", "text", row.application)],
    what: [make("span", "text", row.entitlement || "The account itself"), below],
    use: [make("span", row.last_use === "unknown" ? "text dim" : "text", row.last_use)],
    peers: [make("span", row.peers === "unknown" ? "text dim" : "text", row.peers)],
    advice: [advice, make("small", "", row.because), ...lastDecided(row)],
    choice: DECISIONS.map(([decision, label, key]) => choiceButton(decision, label, key)),
  };
  for (const [key] of COLUMNS) line.append(withRole(make("td", `c-${key}`), "gridcell", cells[key]));
  line.querySelector(".c-who").title = [row.who, row.who_below, row.employment].filter(Boolean).join("\n");
  line.querySelector(".c-what").title = [row.entitlement, row.how, row.changed].filter(Boolean).join("\n");
  line.querySelector(".c-advice small").title = row.because;
  return line;
}

/* What changed since the last review, and how it came. */
function whence(row) {
  const line = make("small");
  if (row.changed) line.append(make("span", "f-changed", row.changed));
  if (row.how) line.append(make("span", "f-how", row.how));
  return line;
}

/* The last of the decisions before, and how many more there are; below the rows stand all five. */
function lastDecided(row) {
  const [last, ...others] = row.earlier_decisions || [];
  return last ? [make("small", "f-before", others.length ? `${last} (and ${others.length} before)` : last)] : [];
}

function choiceButton(decision, label, key) {
  const button = make("button", `pick ${decision}`, label);
  Object.assign(button, { type: "button", tabIndex: -1 });
  button.dataset.decision = decision;
  const hint = make("kbd", "", key);
  hint.setAttribute("aria-hidden", "true");
  button.append(hint);
  return button;
}

const earlierOf = (row) => row.earlier_recommendation && row.earlier_recommendation !== row.recommendation;

/* Attributes only: no row is drawn again for a decision or a move. */
function markRow(line, { current = false, chosen = false, decided = null, again = false, closed = false }) {
  const marks = [current, chosen, decided, again, closed].join();
  if (line.marks === marks) return; // of two hundred rows a press changes two
  line.marks = marks;
  line.classList.toggle("current", current);
  line.classList.toggle("done", Boolean(decided));
  line.classList.toggle("again", again);
  line.setAttribute("aria-selected", String(chosen));
  current ? line.setAttribute("aria-current", "true") : line.removeAttribute("aria-current");
  line.tabIndex = current ? 0 : -1;
  line.querySelector(".c-state .said").textContent = decided ? `Decided: ${NAMES[decided]}` : "To decide";
  for (const button of line.querySelectorAll(".pick")) {
    button.setAttribute("aria-pressed", String(button.dataset.decision === decided));
    button.tabIndex = current ? 0 : -1;
    button.disabled = closed;
  }
}
