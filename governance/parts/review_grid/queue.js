/* Decisions that are not stored yet. They lie in the browser's storage too, under the campaign and its reviewer: a page
   that is loaded anew, a browser that crashed and a line that is down lose none. Each has a nonce, so that Python stores
   it once however often it is told. Several tabs share the storage: each writes what it added and takes out what is done. */

const STORE = "leaverwatch decisions ";

function nonce() { // not randomUUID: that one is missing where the page does not come over TLS
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Queue {
  constructor(name) {
    this.place = STORE + name;
    this.lasting = true; // false: the browser keeps nothing, so only this tab knows
    this.waiting = [];
    this.adopt();
  }

  get size() {
    return this.waiting.length;
  }

  /* Take over what lies in the storage: from before this page was loaded, or from a tab that is gone. */
  adopt() {
    const known = new Set(this.waiting.map((entry) => entry.nonce));
    this.waiting = [...this.stored().filter((entry) => !known.has(entry.nonce)), ...this.waiting];
  }

  add(entries) {
    this.waiting.push(...entries);
    this.store([...this.stored(), ...entries]);
  }

  /* Forget those that are stored, or never will be; gives them. */
  settle(nonces) {
    const over = new Set(nonces);
    const gone = this.waiting.filter((entry) => over.has(entry.nonce));
    if (!gone.length) return gone;
    this.waiting = this.waiting.filter((entry) => !over.has(entry.nonce));
    this.store(this.stored().filter((entry) => !over.has(entry.nonce)));
    return gone;
  }

  /* The last decision that waits, of every row that has one. */
  latest() {
    return new Map(this.waiting.map((entry) => [entry.number, entry]));
  }

  stored() {
    try {
      const found = JSON.parse(window.localStorage.getItem(this.place) || "[]");
      return Array.isArray(found) ? found.filter((entry) => entry && typeof entry.nonce === "string") : [];
    } catch {
      return [];
    }
  }

  store(entries) {
    try {
      if (entries.length) window.localStorage.setItem(this.place, JSON.stringify(entries));
      else window.localStorage.removeItem(this.place);
      this.lasting = true;
    } catch {
      this.lasting = false; // full or forbidden
    }
  }
}
