/* What each key does. Keys are heard on the whole page, but never while somebody types or a dialog is open. */

function hear(grid, event) {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const at = event.composedPath()[0];
  if (!(at instanceof Element)) return;
  if (event.key === "Escape") return leave(grid, event, at);
  if (at.closest(TYPING) || onPage("[role=dialog][aria-modal=true]")) return;
  const inside = grid.root.contains(at);
  const onRow = inside && at.closest("tbody");
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const extend = event.shiftKey;
  if (event.ctrlKey || event.metaKey) {
    if (key === "a" && onRow) done(event, () => grid.chooseAll(true));
    return;
  }
  const rows = {
    ArrowDown: () => grid.move(1, extend),
    ArrowUp: () => grid.move(-1, extend),
    PageDown: () => grid.move(10, extend),
    PageUp: () => grid.move(-10, extend),
    Home: () => grid.move(-grid.rows.length, extend),
    End: () => grid.move(grid.rows.length, extend),
    " ": () => grid.toggle(grid.current),
    Enter: () => grid.openEvidence(),
  };
  if (rows[key]) {
    if (onRow || at === document.body && key.startsWith("Arrow")) done(event, rows[key]);
    return;
  }
  if (!singleKeys() && !onRow) return;
  const singles = {
    j: () => grid.move(1, extend),
    k: () => grid.move(-1, extend),
    x: () => grid.toggle(grid.current),
    i: () => grid.openEvidence(),
    u: () => grid.undo(),
    "/": () => focusOn(".st-key-filter-search input"),
    "?": () => grid.help.showModal(),
  };
  const act = singles[key] || (extend ? null : grid.verbOf(key));
  if (act) done(event, act);
}

/* Escape leads from the evidence or the search back to the list, and clears a selection when one is already there. */
function leave(grid, event, at) {
  if (at.closest("[role=dialog], dialog, [role=listbox]")) return;
  if (grid.root.contains(at)) {
    if (grid.chosen.size) done(event, () => grid.chooseAll(false));
  } else if (at.closest(".st-key-evidence, .st-key-filter-search")) done(event, () => grid.focusRow());
}

function focusOn(selector) {
  const found = onPage(selector);
  if (!found) return false;
  if (!found.matches("input, textarea, button, a[href]")) found.tabIndex = -1;
  found.focus();
  found.scrollIntoView({ block: "nearest" });
  return true;
}

/* What a verb opens is drawn by Python a moment later: wait for it, unless another key is pressed meanwhile. */
function focusSoon(grid, selector, otherwise) {
  window.clearInterval(grid.waiting);
  const until = Date.now() + 5000;
  grid.waiting = window.setInterval(() => {
    if (focusOn(selector)) window.clearInterval(grid.waiting);
    else if (Date.now() > until) {
      window.clearInterval(grid.waiting);
      focusOn(otherwise);
    }
  }, 60);
}
