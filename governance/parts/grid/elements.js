/* Elements as the grid needs them. Every text is set as textContent: a name is never read as HTML. */

function make(name, kind = "", text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text) made.textContent = text;
  return made;
}

function withRole(element, role, children = []) {
  element.setAttribute("role", role);
  element.append(...children);
  return element;
}

function checkbox(label, changed) {
  const box = make("input");
  box.type = "checkbox";
  box.setAttribute("aria-label", label);
  box.addEventListener("change", () => changed(box.checked));
  return box;
}
