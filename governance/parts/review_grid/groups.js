/* On a phone, where no range can be chosen: what the recommendations say, each with all its open rows decided at once.
   Critical rows are not among them, nor what needs a word or a judgement of its own for each row. */

const TOGETHER = ["keep", "remove"];
const MOST_REASONS = 3; // chips that fill in the reason

class Groups {
  constructor(place, decide) {
    Object.assign(this, { place, decide, rows: new Map() });
    const press = (event) => {
      const button = event.target.closest("button");
      if (button) this.decide(button.dataset.decision, this.rows.get(button.dataset.decision));
    };
    place.addEventListener("click", press);
  }

  /* `part`: there are more rows than these, on other pages of the list. */
  draw(rows, decided, closed, part) {
    const open = rows.filter((row) => !row.critical && !decided(row));
    this.rows = new Map(TOGETHER.map((advice) => [advice, open.filter((row) => row.recommendation === advice)]));
    const shown = TOGETHER.filter((advice) => this.rows.get(advice).length > 1);
    this.place.hidden = closed || !shown.length;
    const drawn = shown.map((advice) => `${advice} ${this.rows.get(advice).length}`).join();
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.place.replaceChildren(...shown.map((advice) => groupLine(advice, this.rows.get(advice).length, part)));
  }
}

function groupLine(advice, number, part) {
  const line = make("div", "group");
  const text = make("span", "text");
  const chip = make("span", `chip ${TONES[advice]}`, RECOMMENDED[advice]);
  text.append("Recommended ", chip, make("small", "", `${number} rows${part ? " of this page" : ""}, none critical`));
  const button = make("button", "", `${NAMES[advice]} all ${number}`);
  Object.assign(button, { type: "button" });
  button.dataset.decision = advice;
  line.append(text, button);
  return line;
}

/* Who they are, as far as a dialog has room: a decision about many is made knowing about whom. */
function whoseOf(rows) {
  const names = [...new Set(rows.map((row) => row.who))];
  const [shown, more] = [names.slice(0, 3).join(", "), names.length - 3];
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/* Reasons that fit several of these rows where they are decided as recommended, the most frequent first. */
function reasonsOf(decision, rows) {
  if (rows.length < 2 || rows.some((row) => row.recommendation !== decision)) return [];
  const times = new Map();
  for (const { because } of rows) if (because) times.set(because, (times.get(because) || 0) + 1);
  const shared = [...times].filter(([, number]) => number > 1).sort((one, other) => other[1] - one[1]);
  return ["As recommended", ...shared.map(([because]) => because)].slice(0, MOST_REASONS);
}
