/* What is known about the current row and has no room in it: shown below the rows, at the same place for all. */

function drawAbout(place, row, entry) {
  const list = place.querySelector("dl");
  place.querySelector("h2").textContent = row ? nameOf(row) : "No row is shown";
  list.replaceChildren(...(row ? aboutOf(row, entry) : []).flatMap(([title, ...texts]) => {
    const group = make("div", ELSEWHERE[title]);
    group.append(make("dt", "", title), ...texts.map((text) => make("dd", "", text)));
    return [group];
  }));
}

const ELSEWHERE = { "Last use": "a-use", "Peers who hold it": "a-peers" }; // shown here where they have no column

function aboutOf(row, entry) {
  const told = entry ? { decision: entry.decision, reason: entry.reason, by: "you, just now" }
    : { decision: row.decision, reason: row.reason, by: row.decided_by };
  const decided = NAMES[told.decision] && [NAMES[told.decision], told.by && `by ${told.by}`].filter(Boolean).join(" ");
  const earlier = row.earlier_decisions || [];
  return [
    ["Account", row.account],
    ["Employment", row.employment],
    ["How it came", row.how],
    ["The account", row.came],
    ["Last use", row.last_use],
    ["Peers who hold it", row.peers],
    ["Recommendation", [RECOMMENDED[row.recommendation], row.because].filter(Boolean).join(": ")],
    ["Since the last review", row.changed],
    earlier.length ? ["Decided before", ...earlier.slice(0, 5)] : null,
    earlierOf(row) ? ["Recommended before", [RECOMMENDED[row.earlier_recommendation], row.earlier_because].filter(Boolean).join(": ")] : null,
    decided ? ["Decision", told.reason ? `${decided}: ${told.reason}` : decided] : null,
  ].filter((item) => item && item[1]);
}
