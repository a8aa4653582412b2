/* What becomes of a press: decided, asked for a word first, or refused with why; and taken back. */

function whyShut(data, done) {
  return data.preview ? `Only a preview: nothing is ${done} here` : `This review is closed: nothing is ${done} any more`;
}

/* Decide the current row, the range or a group; what needs a word is asked first. `on`: whether the next row follows. */
function decide(grid, decision, on = true, rows = grid.chosen()) {
  if (grid.data.closed) return grid.say(whyShut(grid.data, "decided"), true);
  if (!rows.length) return grid.say("No row is shown", true);
  const many = rows.length > 1;
  const hindered = many && whyNotTogether(rows);
  if (hindered) return grid.say(hindered, true);
  if (!many && decision === grid.decided(rows[0]) && decision !== "change" && decision !== "not_mine") {
    return after(grid, rows, `${NAMES[decision]} already`, on);
  }
  const send = (reason) => tellDecision(grid, rows, decision, reason, many, on);
  if (!many && (decision === "keep" || decision === "remove")) return send("");
  const before = !many && rows[0].decision === decision ? rows[0].reason : "";
  grid.asking.ask(decision, rows, { longest: grid.data.longest.reason, before, send, left: () => grid.focusRow() });
}

function tellDecision(grid, rows, decision, reason, bulk, on) {
  const look = Math.min(grid.data.longest.look, (performance.now() - grid.looked) / 1000);
  put(grid, rows, { decision, reason, bulk, seconds: Math.round((100 * look) / rows.length) / 100 });
  grid.made.push(rows.map((row) => row.number));
  after(grid, rows, bulk ? `${NAMES[decision]}: ${rows.length} rows` : `${NAMES[decision]}: ${nameOf(rows[0])}`, on);
}

function put(grid, rows, decision) {
  const press = nonce();
  const own = (place) => (rows.length > 1 ? `${press}.${place}` : press);
  grid.queue.add(rows.map((row, place) => ({ number: row.number, ...decision, nonce: own(place) })));
  grid.sending.soon();
}

function after(grid, rows, what, on) {
  const next = on ? grid.goOn(rows.at(-1), grid.rows) : rows[0];
  grid.looked = performance.now();
  grid.mark();
  grid.focusRow();
  grid.say(next ? what : `${what}. Everything shown is decided`);
}

/* Take back the last decision of this tab; after a new start of the page, that of the current row. */
function undo(grid) {
  if (grid.data.closed) return grid.say(whyShut(grid.data, "taken back"), true);
  const numbers = grid.made.pop() || (grid.decided(grid.row(grid.current) || {}) ? [grid.current] : []);
  if (!numbers.length) return grid.say("Nothing to take back", true);
  put(grid, numbers.map((number) => ({ number })), { decision: "undo", reason: "", bulk: false, seconds: null });
  if (grid.row(numbers[0])) [grid.current, grid.anchor] = [numbers[0], null];
  grid.looked = performance.now();
  grid.mark();
  grid.focusRow();
  grid.say(numbers.length > 1 ? `Taken back: ${numbers.length} decisions` : "Taken back", true);
}
