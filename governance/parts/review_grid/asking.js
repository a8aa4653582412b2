/* What is asked before some decisions: what it should be instead, whose it is, why several at once. */

const QUESTIONS = {
  keep: "Why they may stay",
  remove: "Why they are removed",
  change: "What it should be instead",
  not_mine: "Whose it is, if you know",
};

const BULK = "Recorded as decided in bulk; those who run this review see how much was.";

const TOUCHED = window.matchMedia("(pointer: coarse)");

class Asking {
  constructor(dialog) {
    this.dialog = dialog;
    [this.title, this.label, this.field, this.form, this.whose, this.fitting, this.bulk] =
      ["h2", ".what", "input", "form", ".whose", ".fitting", ".bulk"].map((what) => dialog.querySelector(what));
    dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => this.left && this.left());
    this.fitting.addEventListener("click", ({ target }) => target.matches("button") && (this.field.value = target.textContent));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const said = this.field.value.trim();
      if (this.field.required && !said) return this.field.focus();
      this.left = null;
      dialog.close();
      this.send(said);
    });
  }

  ask(decision, rows, { longest, before, send, left }) {
    const many = rows.length > 1;
    Object.assign(this, { send, left });
    this.title.textContent = many ? `${NAMES[decision]}: ${rows.length} rows` : `${NAMES[decision]}: ${nameOf(rows[0])}`;
    this.label.textContent = many && decision === "not_mine" ? "Why they are not yours" : QUESTIONS[decision];
    Object.assign(this.field, { value: before || "", maxLength: longest, required: many || decision === "change" });
    this.dialog.querySelector(".send").textContent = NAMES[decision];
    this.whose.textContent = many ? whoseOf(rows) : "";
    this.bulk.textContent = many ? BULK : "";
    this.fitting.replaceChildren(...reasonsOf(decision, rows).map((text, place) => {
      const chip = make("button", "", text.slice(0, longest));
      chip.type = "button";
      chip.autofocus = place === 0 && TOUCHED.matches; // a phone's keyboard would hide them
      return chip;
    }));
    this.dialog.showModal();
    if (!this.fitting.firstChild?.autofocus) this.field.select();
  }
}

/* Why these rows cannot be decided at once; nothing when they can. */
function whyNotTogether(rows) {
  const critical = rows.find((row) => row.critical);
  if (critical) return `Critical rows are decided one by one: ${nameOf(critical)}`;
  const groups = new Map();
  for (const row of rows) groups.set(row.recommendation, (groups.get(row.recommendation) || 0) + 1);
  if (groups.size < 2) return "";
  const parts = [...groups].map(([group, number]) => `${number} ${RECOMMENDED[group]}`);
  return `Several at once need one recommendation, these have ${parts.join(", ")}`;
}
