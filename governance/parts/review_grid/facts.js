/* Which facts stand in a row: the reviewer's choice, kept in this browser. What is not chosen stands below the rows. */

const CHOICE = "leaverwatch review facts";
const FACTS = [["employment", "Employment", "an unusual one always stands there"], ["how", "How it came"], ["use", "Last use"],
  ["peers", "Share of peers"], ["changed", "What changed since the last review"], ["before", "Decided before"]];
const USUAL_FACTS = ["how", "use", "peers", "changed"];

class Facts {
  constructor(box, dialog, changed) {
    Object.assign(this, { box, dialog, changed, chosen: new Set(storedFacts()) });
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.querySelector(".usual").addEventListener("click", () => this.choose(USUAL_FACTS));
    dialog.querySelector(".facts").replaceChildren(...FACTS.map(([name, title, more]) => {
      const label = make("label", "switch");
      const field = make("input");
      Object.assign(field, { type: "checkbox", name });
      field.addEventListener("change", () => this.choose([...this.fields()].filter((one) => one.checked).map((one) => one.name)));
      label.append(field, make("span", "", title), ...(more ? [make("small", "", more)] : []));
      return label;
    }));
    this.show();
  }

  fields = () => this.dialog.querySelectorAll("input");

  open = () => this.dialog.showModal();

  choose(names) {
    this.chosen = new Set(names);
    try {
      window.localStorage.setItem(CHOICE, JSON.stringify(names));
    } catch { /* full or forbidden: it holds for this page */ }
    this.show();
    this.changed();
  }

  /* Rows hold every fact; classes of the whole say which of them are seen and read. */
  show() {
    for (const field of this.fields()) field.checked = this.chosen.has(field.name);
    for (const [name] of FACTS) this.box.classList.toggle(`no-${name}`, !this.chosen.has(name));
  }

  said() {
    const titles = FACTS.filter(([name]) => this.chosen.has(name)).map(([, title]) => title);
    return titles.length ? `In each row: ${titles.join(", ")}` : "No more facts stand in the rows";
  }
}

function storedFacts() {
  try {
    const found = JSON.parse(window.localStorage.getItem(CHOICE) || "null");
    return Array.isArray(found) ? found.filter((one) => FACTS.some(([name]) => name === one)) : USUAL_FACTS;
  } catch {
    return USUAL_FACTS;
  }
}
