/* The list a reviewer decides. It holds one page of rows, the current one, a range, and the decisions that are not stored
   yet; a decision is shown at once, and Python is told a moment later. */

class ReviewGrid {
  constructor(host) {
    this.root = host.querySelector(".box");
    [this.table, this.scroll, this.head, this.body, this.banner, this.note, this.about, this.range, this.field, this.help] =
      ["table", ".scroll", "thead tr", "tbody", ".banner", ".note", ".about", ".range", ".filter input", ".help"]
        .map((what) => this.root.querySelector(what));
    Object.assign(this, { rows: [], page: [], current: null, anchor: null, made: [], scope: null, looked: performance.now() });
    this.asking = new Asking(this.root.querySelector(".reason"));
    this.heard = (event) => hear(this, event);
    this.back = () => document.hidden || (this.looked = performance.now()); // nobody looked meanwhile
    document.addEventListener("keydown", this.heard);
    document.addEventListener("visibilitychange", this.back);
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
    this.field.addEventListener("input", () => this.filter());
    const press = (what, act) => this.root.querySelector(what).addEventListener("click", act);
    press(".all", () => this.leave());
    press(".ask-filter", () => this.openFilter());
    press(".ask-help", () => this.help.showModal());
    this.facts = new Facts(this.root, this.root.querySelector(".choice"), () => this.say(this.facts.said()));
    this.groups = new Groups(this.root.querySelector(".groups"), (decision, rows) => decide(this, decision, true, rows));
    press(".ask-facts", () => this.facts.open());
    press(".help .close", () => this.help.close());
    press(".take-back", () => this.undo());
    press(".reload", () => window.location.reload());
    const single = this.help.querySelector(".switch input");
    single.checked = singleKeys();
    single.addEventListener("change", () => localStorage.setItem(SWITCH, single.checked ? "on" : "off"));
    drawHead(this.head);
    drawKeys(this.help.querySelector("dl"));
  }

  remove() {
    document.removeEventListener("keydown", this.heard);
    document.removeEventListener("visibilitychange", this.back);
    this.sending?.remove();
    window.clearTimeout(this.noted);
  }

  receive({ data, setStateValue }) {
    if (this.data?.queue !== data.queue) this.begin(data.queue);
    this.sending.tell = (batch) => setStateValue("batch", batch);
    if (data === this.data) return;
    this.data = data;
    const lost = this.sending.heard(data.saved, data.refused);
    const place = Math.max(0, this.place());
    this.page = data.rows;
    this.draw();
    const begun = this.scope !== data.scope;
    if (begun) [this.scope, this.current, this.anchor] = [data.scope, null, null];
    this.narrow();
    if (!this.row(this.current)) this.goOn(begun ? null : this.rows[place], this.rows);
    this.mark();
    if (begun) this.show();
    if (lost.length) this.say(`Not stored: ${data.refused[lost[0].nonce]}${lost.length > 1 ? ` (and ${lost.length - 1} more)` : ""}`, true);
    this.sending.look();
  }

  /* Another campaign, or another reviewer: other decisions wait. */
  begin(name) {
    this.sending?.remove();
    this.made = [];
    this.queue = new Queue(name);
    this.sending = new Sending(this.queue, () => this.tellState());
  }

  draw() {
    const { label, total, first, rows } = this.data;
    this.table.setAttribute("aria-label", label);
    this.table.setAttribute("aria-rowcount", total + 1);
    const held = this.root.contains(this.root.getRootNode().activeElement);
    const before = new Map([...this.body.children].map((line) => [Number(line.dataset.number), line]));
    const lines = rows.map((row, place) => drawRow(row, first + place + 1, before.get(row.number)));
    this.lines = new Map(lines.map((line) => [Number(line.dataset.number), line]));
    if (lines.length === before.size && lines.every((line, place) => line === this.body.children[place])) return;
    this.body.replaceChildren(...lines);
    if (held) window.setTimeout(() => this.root.contains(this.root.getRootNode().activeElement) || this.focusRow());
  }

  /* Show what is current, in the range and decided. */
  mark() {
    const latest = this.queue.latest();
    const range = new Set(this.chosen().map((row) => row.number));
    let identity = null;
    for (const row of this.page) if (this.lines.get(row.number).hidden) markRow(this.lines.get(row.number), {});
    for (const row of this.rows) {
      markRow(this.lines.get(row.number), {
        current: row.number === this.current,
        chosen: range.size > 1 && range.has(row.number),
        decided: this.decided(row, latest),
        again: identity === identityOf(row),
        closed: this.data.closed,
      });
      identity = identityOf(row);
    }
    this.groups.draw(this.rows, (row) => this.decided(row, latest), this.data.closed,
      this.data.total > this.page.length);
    this.range.hidden = range.size < 2;
    this.range.textContent = this.data.closed ? `${range.size} rows` : `${range.size} rows: A, X, M or N decides them all, Esc none`;
    this.root.querySelector(".hints").hidden = range.size > 1 || this.data.preview;
    this.root.querySelector(".take-back").disabled = this.data.closed || !this.made.length;
    const current = this.row(this.current);
    drawAbout(this.about, current, current && latest.get(current.number));
    this.tellState();
  }

  row = (number) => this.rows.find((row) => row.number === number);
  place = () => this.rows.findIndex((row) => row.number === this.current);

  /* The decision as it stands: the last one that waits, else the stored one. */
  decided(row, latest = this.queue.latest()) {
    const entry = latest.get(row.number);
    if (!entry) return row.decision || null;
    return entry.decision === "undo" ? null : entry.decision;
  }

  /* The rows of the range, or the current one. */
  chosen() {
    const [at, from] = [this.place(), this.rows.findIndex((row) => row.number === this.anchor)];
    if (at < 0) return [];
    return from < 0 ? [this.rows[at]] : this.rows.slice(Math.min(at, from), Math.max(at, from) + 1);
  }

  goTo(row, extend = false) {
    if (!row) return;
    if (!extend) this.anchor = null;
    else if (this.anchor === null) this.anchor = this.current;
    if (row.number !== this.current) this.looked = this.anchor === null ? performance.now() : this.looked;
    this.current = row.number;
    this.mark();
    if (extend) this.say(`${this.chosen().length} rows`);
  }

  move(by, extend) {
    const at = this.place();
    this.goTo(this.rows[Math.max(0, Math.min(this.rows.length - 1, at + by))], extend);
    this.focusRow();
  }

  /* To the first undecided row from there on, else from the beginning, else there. */
  goOn(from, rows) {
    const latest = this.queue.latest();
    const at = Math.max(0, rows.indexOf(from));
    const next = [...rows.slice(at), ...rows.slice(0, at)].find((row) => !this.decided(row, latest));
    this.anchor = null;
    this.current = (next || from || rows[0] || { number: null }).number;
    this.looked = performance.now();
    return next;
  }

  focusRow() {
    const line = this.lines.get(this.current);
    if (line) line.focus({ preventScroll: true }), line.scrollIntoView({ block: "nearest" });
  }

  /* Scroll the list, not the page, to the current row. */
  show() {
    const line = this.lines.get(this.current);
    if (line) this.scroll.scrollTop = Math.max(0, line.offsetTop - 100);
  }

  click(event) {
    const line = event.target.closest("tr");
    const row = line && this.row(Number(line.dataset.number));
    if (!row) return;
    const pick = event.target.closest(".pick");
    const inRange = pick && this.anchor !== null && this.chosen().includes(row);
    if (!inRange) this.goTo(row, event.shiftKey && !pick);
    if (pick) return this.decide(pick.dataset.decision, false);
    line.focus({ preventScroll: true });
  }

  decide = (decision, on) => decide(this, decision, on);
  undo = () => undo(this);

  openFilter() {
    this.root.querySelector(".filter").hidden = false;
    this.field.focus();
    this.field.select();
  }

  filter() {
    this.anchor = null;
    this.narrow();
    if (!this.row(this.current)) this.goOn(null, this.rows);
    this.mark();
    this.say(this.root.querySelector(".found").textContent);
  }

  /* The rows that are shown: those that have every word of the filter. */
  narrow() {
    const words = this.field.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.rows = this.page.filter((row) => {
      const text = [row.who, row.who_below, row.employment, row.application, row.entitlement, row.how, row.because, row.changed,
        RECOMMENDED[row.recommendation], row.privileged && "Privileged", row.critical && "Critical"].join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const shown = new Set(this.rows);
    for (const row of this.page) this.lines.get(row.number).hidden = !shown.has(row);
    this.root.querySelector(".found").textContent = words.length ? `${this.rows.length} of ${this.page.length} rows` : "";
  }

  /* Escape: no range; without one, no filter. */
  leave() {
    if (this.anchor !== null) this.anchor = null;
    else {
      this.field.value = "";
      this.root.querySelector(".filter").hidden = true;
      this.narrow();
      if (!this.row(this.current)) this.goOn(null, this.rows);
    }
    this.mark();
    this.focusRow();
  }

  tellState() {
    let [state, text] = this.sending ? this.sending.said() : ["saved", ""];
    const apart = state === "offline" || state === "late";
    if (this.data?.preview) text = "Preview: nothing is decided";
    const saved = this.root.querySelector(".saved");
    saved.className = `saved ${state}`;
    saved.textContent = !apart ? text : this.queue.size ? "Not saved yet" : "Offline";
    this.banner.hidden = !apart;
    const told = this.banner.querySelector(".apart");
    if (told.textContent !== text) told.textContent = apart ? text : "";
    this.banner.querySelector(".reload").hidden = state !== "late" || this.sending.unheard < DEAF;
    if (apart !== this.apart) this.say(apart ? text : "Connected again");
    this.apart = apart;
  }

  /* Said to those who hear the page; `seen`: shown too, for a while. */
  say(text, seen = false) {
    this.root.querySelector(".told").textContent = text;
    window.clearTimeout(this.noted);
    this.note.textContent = seen ? text : "";
    if (seen) this.noted = window.setTimeout(() => (this.note.textContent = ""), 8000);
  }
}

export default (component) => mounted(component, (host) => new ReviewGrid(host));
