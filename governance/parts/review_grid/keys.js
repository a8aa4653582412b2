/* What each key does. Keys are heard on the whole page, but never while somebody types or a dialog is open. */

const VERBS = { a: "keep", x: "remove", m: "change", n: "not_mine" };
const KEYS = [["A", "keep"], ["X", "remove"], ["M", "change: say what it should be instead"],
  ["N", "not mine: say whose it is, if you know"], ["J ↓", "next"], ["K ↑", "the one before"],
  ["⇧ with either", "a range: decided at once, with a reason, where the recommendation is the same and nothing is critical"],
  ["U", "take back your last decision"], ["/", "filter the rows of this page"],
  ["V", "which facts stand in each row"], ["Esc", "no range, no filter"], ["?", "these keys"]];

function hear(grid, event) {
  if (event.defaultPrevented || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
  const at = event.composedPath()[0];
  if (!(at instanceof Element)) return;
  if (at === grid.field) return hearFilter(grid, event);
  if (at.closest(TYPING) || onPage("[role=dialog][aria-modal=true]")) return;
  const onRow = grid.root.contains(at) && at.closest("tbody");
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const extend = event.shiftKey;
  const moves = {
    ArrowDown: () => grid.move(1, extend),
    ArrowUp: () => grid.move(-1, extend),
    PageDown: () => grid.move(10, extend),
    PageUp: () => grid.move(-10, extend),
    Home: () => grid.move(-grid.rows.length, extend),
    End: () => grid.move(grid.rows.length, extend),
  };
  if (moves[key]) {
    if (onRow || at === document.body && key.startsWith("Arrow")) done(event, moves[key]);
    return;
  }
  if (key === "Escape") return grid.root.contains(at) || at === document.body ? grid.leave() : undefined;
  if (!singleKeys() && !onRow) return;
  const singles = {
    j: () => grid.move(1, extend),
    k: () => grid.move(-1, extend),
    "/": () => grid.openFilter(),
    "?": () => grid.help.showModal(),
    v: () => grid.facts.open(),
  };
  if (singles[key]) return done(event, singles[key]);
  if (extend || event.repeat) return; // a key held down moves, but never decides row after row
  if (VERBS[key]) done(event, () => grid.decide(VERBS[key]));
  else if (key === "u") done(event, () => grid.undo());
}

function hearFilter(grid, event) {
  if (event.key === "Escape") done(event, () => grid.leave());
  else if (event.key === "Enter" || event.key === "ArrowDown") done(event, () => grid.focusRow());
}

function drawKeys(list) {
  list.replaceChildren(...KEYS.flatMap(([keys, what]) => {
    const term = make("dt");
    term.append(...keys.split(" ").map((one) => make(one.length < 4 ? "kbd" : "span", "", one)));
    return [term, make("dd", "", what)];
  }));
}
