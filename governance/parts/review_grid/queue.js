/* Decisions that are not stored yet. They lie in the browser's storage too, under the campaign and its reviewer: a page
   that is loaded anew, a browser that crashed and a line that is down lose none. Each has a nonce, so that Python stores
   it once however often it is told. Several tabs share the storage, which no tab can lock: so each decision has a place
   of its own, and none is written back by a tab that read it before another took it out. */

const STORE = "leaverwatch decisions ";
// What ends a place: the name of another reviewer may begin with this one's. One of several has a number after it.
const NONCE = /^[0-9a-f]{24}(\.\d+)?$/;

function nonce() { // not randomUUID: that one is missing where the page does not come over TLS
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Queue {
  constructor(name) {
    this.place = `${STORE}${name} `;
    this.lasting = true; // false: the browser keeps nothing, so only this tab knows
    this.last = 0; // the order of the last decision, in milliseconds; two of one millisecond count on
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
    try {
      for (const entry of entries) {
        this.last = Math.max(this.last + 1, Date.now());
        window.localStorage.setItem(this.place + entry.nonce, JSON.stringify([this.last, entry]));
      }
      this.lasting = true;
    } catch {
      this.lasting = false; // full or forbidden
    }
  }

  /* Forget those that are stored, or never will be; gives them. */
  settle(nonces) {
    const over = new Set(nonces);
    const gone = this.waiting.filter((entry) => over.has(entry.nonce));
    if (!gone.length) return gone;
    this.waiting = this.waiting.filter((entry) => !over.has(entry.nonce));
    for (const entry of gone) this.forget(this.place + entry.nonce);
    return gone;
  }

  /* The last decision that waits, of every row that has one. */
  latest() {
    return new Map(this.waiting.map((entry) => [entry.number, entry]));
  }

  /* What lies in the storage, in the order it was decided. */
  stored() {
    try {
      return Object.keys(window.localStorage)
        .filter((key) => key.startsWith(this.place) && NONCE.test(key.slice(this.place.length)))
        .map((key) => this.read(key))
        .filter(Boolean)
        .sort(([one], [other]) => one - other)
        .map(([, entry]) => entry);
    } catch {
      return []; // forbidden
    }
  }

  read(key) {
    try {
      const [order, entry] = JSON.parse(window.localStorage.getItem(key));
      return entry && key === this.place + entry.nonce ? [order, entry] : null;
    } catch {
      return null; // another tab took it out, or somebody wrote there
    }
  }

  forget(key) {
    try {
      window.localStorage.removeItem(key);
    } catch {
      this.lasting = false;
    }
  }
}
