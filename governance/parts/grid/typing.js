/* When a key is a letter somebody types and when it is one that acts. */

const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], " +
  "[role=textbox], [role=combobox], [role=listbox], [role=menu], [role=dialog], dialog";
const SWITCH = "leaverwatch single keys"; // WCAG 2.1.4: single keys can be switched off

const singleKeys = () => window.localStorage.getItem(SWITCH) !== "off";
const onPage = (selector) => document.querySelector(selector);

function done(event, act) {
  event.preventDefault();
  act();
}
