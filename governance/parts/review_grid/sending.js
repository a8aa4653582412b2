/* Telling Python, and hearing what is stored. One batch is under way at a time and holds everything that waits, so that
   nothing overtakes; what gets no answer is told again, and also once the line is there again. A server that gives up a
   browser too slow for it leaves the line open and hears nothing any more: only loading the page again helps then. */

const SOON = 200; // milliseconds from the first press until a batch goes
const PATIENCE = 4000; // milliseconds without an answer until it is told again
const DEAF = 3; // times it was told without an answer until loading the page again is offered
const LOOK = 500; // milliseconds between two looks at the line
const BATCH = 200; // decisions told at once

class Sending {
  constructor(queue, changed) {
    Object.assign(this, { queue, changed, flight: null, savedAt: null, count: 0, connected: true, late: false, unheard: 0 });
    this.looked = () => this.look();
    window.addEventListener("online", this.looked);
    window.addEventListener("offline", this.looked);
    this.kept = (event) => !this.queue.lasting && this.queue.size && event.preventDefault();
    window.addEventListener("beforeunload", this.kept);
    this.looking = window.setInterval(this.looked, LOOK);
  }

  remove() {
    window.removeEventListener("online", this.looked);
    window.removeEventListener("offline", this.looked);
    window.removeEventListener("beforeunload", this.kept);
    window.clearInterval(this.looking);
    window.clearTimeout(this.timer);
  }

  soon() {
    if (!this.flight && !this.timer) this.timer = window.setTimeout(() => this.send(), SOON);
    this.changed();
  }

  send() {
    window.clearTimeout(this.timer);
    this.timer = null;
    if (!this.connected || !this.queue.size || !this.tell) return;
    const decisions = this.queue.waiting.slice(0, BATCH);
    this.flight = { nonces: new Set(decisions.map((entry) => entry.nonce)), at: Date.now() };
    this.tell({ count: ++this.count, decisions });
  }

  /* What Python says of the last batch: stored, or refused with why. Gives the refused ones. */
  heard(saved, refused) {
    const stored = this.queue.settle(saved);
    const lost = this.queue.settle(Object.keys(refused));
    if (!stored.length && !lost.length) return lost;
    [this.late, this.unheard] = [false, 0];
    if (stored.length) this.savedAt = Date.now();
    const waits = this.flight && this.queue.waiting.some((entry) => this.flight.nonces.has(entry.nonce));
    if (!waits) {
      this.flight = null;
      if (this.queue.size) this.soon();
    }
    return lost;
  }

  look() {
    const app = onPage("[data-testid=stApp]");
    const line = app ? app.getAttribute("data-test-connection-state") : "CONNECTED";
    const before = this.connected;
    this.connected = navigator.onLine && line === "CONNECTED";
    if (this.flight && Date.now() - this.flight.at > PATIENCE) [this.flight, this.late, this.unheard] = [null, true, this.unheard + 1];
    if (this.connected && !before) {
      this.queue.adopt();
      [this.flight, this.unheard] = [null, 0];
    }
    if (this.connected && this.queue.size && !this.flight && !this.timer) this.send();
    this.changed();
  }

  /* One word for how it stands, and a sentence. */
  said() {
    const number = this.queue.size;
    const here = this.queue.lasting ? "in this browser" : "in this tab only: leave it open";
    const kept = `${number} ${number === 1 ? "decision is" : "decisions are"} kept ${here}`;
    if (!this.connected) return ["offline", number ? `Offline: ${kept}` : "Offline: decisions are kept in this browser"];
    if (number && this.late) return ["late", `No answer yet: ${kept}`];
    if (number) return ["saving", "Saving …"];
    return this.savedAt ? ["saved", `Saved ${ago(Date.now() - this.savedAt)}`] : ["saved", "Saved as you decide"];
  }
}

function ago(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}
