/* A list one moves through by keys, mouse or touch. It holds one page of rows, the current row and the selection; Python
   is told of both a moment after they change. */

const QUIET = 160; // milliseconds without a key until Python is told

class Grid {
  constructor(host) {
    this.root = host.querySelector(".box");
    [this.table, this.head, this.body, this.bar, this.help] =
      ["table", "thead tr", "tbody", ".bar", "dialog"].map((what) => this.root.querySelector(what));
    Object.assign(this, { rows: [], chosen: new Set(), current: null, anchor: null, base: null, asked: 0, count: 0 });
    this.heard = (event) => hear(this, event);
    document.addEventListener("keydown", this.heard);
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
    this.body.addEventListener("dblclick", () => this.openEvidence());
    this.root.querySelector(".clear").addEventListener("click", () => this.chooseAll(false));
    this.root.querySelector(".ask").addEventListener("click", () => this.help.showModal());
    this.root.querySelector(".close").addEventListener("click", () => this.help.close());
    const single = this.root.querySelector(".switch input");
    single.checked = singleKeys();
    single.addEventListener("change", () => localStorage.setItem(SWITCH, single.checked ? "on" : "off"));
  }

  remove() {
    document.removeEventListener("keydown", this.heard);
    window.clearTimeout(this.telling);
    window.clearInterval(this.waiting);
  }

  receive({ data, setStateValue, setTriggerValue }) {
    this.tellState = (value) => setStateValue("choice", value);
    this.tellVerb = (verb) => setTriggerValue("act", verb);
    if (data === this.data) return;
    this.data = data;
    this.rows = data.rows;
    const ids = new Set(this.rows.map((row) => row.id));
    const gone = [...this.chosen].filter((id) => !ids.has(id));
    gone.forEach((id) => this.chosen.delete(id));
    this.anchor = null;
    const [asked, turn] = data.asked;
    if (turn !== this.asked || !ids.has(this.current)) [this.current, this.told] = [asked, null];
    this.asked = turn;
    const held = this.root.contains(this.root.getRootNode().activeElement);
    this.draw();
    if (held) this.focusRow();
    else if (this.keyed) window.setTimeout(() => document.activeElement === document.body && this.focusRow(), 300);
    if (gone.length) this.tell(0);
  }

  draw() {
    const { columns, label, total, first, verbs } = this.data;
    const picks = verbs.some((verb) => verb.many);
    this.root.classList.toggle("picking", picks);
    this.table.setAttribute("aria-label", label);
    this.table.setAttribute("aria-rowcount", total);
    const all = picks ? [checkbox("Select every row of this page", (on) => this.chooseAll(on))] : [];
    this.all = all[0];
    const titles = columns.map((column) => {
      const cell = make("th", `c-${column.key}`, column.label);
      cell.scope = "col";
      cell.setAttribute("role", "columnheader");
      if (column.help) cell.title = column.help;
      return cell;
    });
    if (picks) titles.unshift(withRole(make("th", "c-pick"), "columnheader", all));
    this.head.replaceChildren(...titles);
    this.body.replaceChildren(...this.rows.map((row, place) => this.drawRow(row, first + place + 1, columns, picks)));
    this.drawVerbs();
    this.mark();
  }

  drawRow(row, number, columns, picks) {
    const line = withRole(make("tr"), "row");
    line.dataset.id = row.id;
    line.setAttribute("aria-rowindex", number);
    if (picks) {
      const box = checkbox(`Select: ${row.label}`, () => {});
      box.tabIndex = -1;
      line.append(withRole(make("td", "c-pick"), "gridcell", [box]));
    }
    for (const { key } of columns) {
      const [text, below, tone] = [row[key], row[`${key}_below`], row[`${key}_tone`]];
      const cell = withRole(make("td", `c-${key}`), "gridcell", [make("span", tone ? `chip ${tone}` : "text", text)]);
      if (below) cell.append(make("small", "", below));
      cell.title = below ? `${text}\n${below}` : text;
      line.append(cell);
    }
    return line;
  }

  drawVerbs() {
    const { verbs } = this.data;
    const buttons = verbs.filter((verb) => verb.many).map((verb) => {
      const button = make("button", "", `${verb.label} `);
      button.type = "button";
      const key = make("kbd", "", verb.key.toUpperCase());
      key.setAttribute("aria-hidden", "true");
      button.append(key);
      button.addEventListener("click", () => this.act(verb));
      return button;
    });
    this.bar.querySelector(".verbs").replaceChildren(...buttons);
    const own = [["J ↓", "next"], ["K ↑", "the one before"], ["⇧ with either", "extend the selection"],
      ["X Space", "select"], ...verbs.map((verb) => [verb.key.toUpperCase(), verb.label]),
      ["I Enter", "to the evidence"], ["Esc", "back to the list; there, select nothing"],
      ["U", "select nothing; if nothing is selected, take back the last proposal"],
      ["/", "to the search"], ["?", "these keys"]];
    this.help.querySelector("dl").replaceChildren(...own.flatMap(([keys, what]) => {
      const term = make("dt");
      term.append(...keys.split(" ").map((one) => make(one.length < 6 && one !== "with" ? "kbd" : "span", "", one)));
      return [term, make("dd", "", what)];
    }));
  }

  /* Show what is current and what is selected: attributes only, no row is drawn again. */
  mark() {
    for (const line of this.body.children) {
      const [current, chosen] = [line.dataset.id === this.current, this.chosen.has(line.dataset.id)];
      line.tabIndex = current ? 0 : -1;
      line.classList.toggle("current", current);
      current ? line.setAttribute("aria-current", "true") : line.removeAttribute("aria-current");
      line.setAttribute("aria-selected", String(chosen));
      const box = line.querySelector("input");
      if (box) box.checked = chosen;
    }
    if (this.current === null && this.body.firstElementChild) this.body.firstElementChild.tabIndex = 0;
    const number = this.chosen.size;
    this.bar.hidden = number === 0;
    this.root.querySelector(".hints").hidden = number > 0;
    this.bar.querySelector(".count").textContent = `${number} selected`;
    if (this.all) [this.all.checked, this.all.indeterminate] = [number === this.rows.length, number > 0 && number < this.rows.length];
  }

  place = () => this.rows.findIndex((row) => row.id === this.current);
  line = (id) => [...this.body.children].find((line) => line.dataset.id === id);

  focusRow() {
    const line = this.line(this.current) || this.body.firstElementChild;
    if (line) line.focus({ preventScroll: true }), line.scrollIntoView({ block: "nearest" });
  }

  move(by, extend) {
    const before = this.place();
    const to = Math.max(0, Math.min(this.rows.length - 1, before < 0 ? 0 : before + by));
    this.goTo(to, extend, before < 0 ? to : before);
    this.keyed = true;
    this.focusRow();
  }

  goTo(to, extend, before = this.place()) {
    if (!this.rows[to]) return;
    if (extend && this.root.classList.contains("picking")) {
      if (this.anchor === null) [this.anchor, this.base] = [before, new Set(this.chosen)];
      const [from, until] = [Math.min(this.anchor, to), Math.max(this.anchor, to)];
      this.chosen = new Set([...this.base, ...this.rows.slice(from, until + 1).map((row) => row.id)]);
      this.say(`${this.chosen.size} selected`);
    } else this.anchor = null;
    this.current = this.rows[to].id;
    this.mark();
    this.tell();
  }

  toggle(id) {
    if (id === null || !this.root.classList.contains("picking")) return;
    if (!this.chosen.delete(id)) this.chosen.add(id);
    this.anchor = null;
    this.say(`${this.chosen.size} selected`);
    this.mark();
    this.tell();
  }

  chooseAll(on) {
    this.chosen = new Set(on ? this.rows.map((row) => row.id) : []);
    this.anchor = null;
    this.say(on ? `${this.chosen.size} selected` : "Nothing is selected");
    this.mark();
    this.tell();
  }

  click(event) {
    const line = event.target.closest("tr");
    if (!line) return;
    this.keyed = false;
    if (event.target.closest(".c-pick") && !event.shiftKey) {
      if (event.target.tagName !== "INPUT") event.preventDefault();
      return this.toggle(line.dataset.id);
    }
    this.goTo(this.rows.findIndex((row) => row.id === line.dataset.id), event.shiftKey);
    line.focus({ preventScroll: true });
    const phone = this.root.clientWidth < 560; // there the evidence stands below the list
    if (phone && !event.shiftKey) onPage(".st-key-evidence")?.scrollIntoView({ block: "start" });
  }

  verbOf(key) {
    const verb = this.data.verbs.find((one) => one.key === key);
    return verb && (() => this.act(verb));
  }

  act(verb) {
    if (this.chosen.size ? !verb.many : this.current === null) {
      return this.say(this.chosen.size ? `${verb.label}: one at a time; clear the selection first` : "Choose a row first");
    }
    this.keyed = true;
    this.tell(0);
    this.tellVerb(verb.name);
    const where = verb.focus.replace("{}", this.chosen.size ? "many" : this.current);
    focusSoon(this, where, ".st-key-evidence");
  }

  undo() {
    if (this.chosen.size) return this.chooseAll(false);
    this.tell(0);
    this.tellVerb("undo");
  }

  openEvidence() {
    this.keyed = true;
    focusOn(".st-key-evidence");
  }

  tell(after = QUIET) {
    window.clearTimeout(this.telling);
    window.clearInterval(this.waiting);
    const told = () => {
      const value = JSON.stringify([this.current, [...this.chosen]]);
      if (value === this.told) return;
      this.told = value;
      this.tellState({ current: this.current, chosen: [...this.chosen], count: ++this.count });
    };
    if (after) this.telling = window.setTimeout(told, after);
    else told();
  }

  say(text) {
    this.root.querySelector(".said").textContent = text;
  }
}

export default (component) => mounted(component, (host) => new Grid(host));
