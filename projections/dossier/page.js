// What the page does with its own proof: it runs verifyBundle on it, compares every event it shows with the event that
// was proved, and says which does not agree. Nothing is sent anywhere.

(async () => {
  const holder = document.getElementById("bundle");
  const byId = (name) => document.getElementById(name);
  if (!holder) return;
  const bytes = Uint8Array.from(atob(holder.textContent.trim()), (each) => each.charCodeAt(0));
  const account = byId("main").dataset.account;
  const utf8 = (text) => new TextEncoder().encode(text);
  const many = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

  const scaled = (value, places) => {
    const digits = String(Math.abs(value)).padStart(places + 1, "0");
    return `${value < 0 ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
  };
  const shown = {
    text: (value) => (value === true ? "yes" : value === false ? "no" : moment(String(value))),
    money: (value) => scaled(value, 2),
    quantity: (value) => scaled(value, 3).replace(/\.?0+$/, ""),
    list: (value) => value.join(", "),
    moment: (value) => moment(value),
    nested: (value) => value.map(part).join("; "),
  };
  // A part of an event: a bill's line, an installment, the version of a rule (stored without the names), or a text.
  const part = (value) => {
    if (typeof value !== "object") return String(value);
    const named = Array.isArray(value) ? ["rule", "since", "pack"].map((name, at) => [name, value[at]]) : Object.entries(value);
    return named.map(([name, each]) => `${name} ${name === "amount" ? scaled(each, 2) : each}`).join(", ");
  };
  const moment = (text) => text.replace(/^(\d{4}-\d{2}-\d{2})T00:00:00$/, "$1").replace(/Z$/, "+00:00");

  // Personal fields are stored sealed: opened with the keys that the bundle brings, if it brings them.
  async function unsealed(sealed, field, origin, keys) {
    const found = /^sealed:1:([0-9a-f]{32}):(.+)$/.exec(sealed);
    if (!found) return sealed;
    if (!keys || !keys[found[1]]) return null;
    const raw = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    const id = Uint8Array.from(found[1].match(/../g), (pair) => parseInt(pair, 16));
    const named = [utf8(origin), utf8(account), utf8(field), id];
    const additionalData = [...utf8("waterledger/pii/v1\n")];
    for (const part of named) additionalData.push(0, 0, part.length >> 8, part.length & 255, ...part);
    const key = await crypto.subtle.importKey("raw", raw(keys[found[1]]), "AES-GCM", false, ["decrypt"]);
    const body = raw(found[2]);
    const how = { name: "AES-GCM", iv: body.slice(0, 12), additionalData: Uint8Array.from(additionalData) };
    return new TextDecoder().decode(await crypto.subtle.decrypt(how, key, body.slice(12)));
  }

  async function differs(card, event, origin, keys) {
    const pre = card.querySelector("pre");
    if (!pre || pre.textContent !== event.stored) return "is not shown on this page as it was stored";
    const stored = JSON.parse(event.stored);
    const unsaid = new Set(Object.keys(stored).filter((name) => !["version", "command", "verdicts"].includes(name)));
    for (const place of card.querySelectorAll("dd, [data-field]")) {
      // What carries no name is a field that was not stored, and has its default.
      const { field = place.previousElementSibling?.textContent.replaceAll(" ", "_"), form = "text" } = place.dataset;
      if (!place.dataset.field && !(field in stored)) continue;
      unsaid.delete(field);
      const said = place.textContent;
      if (form === "effective") {
        if (Object.values(stored).some((value) => typeof value === "string" && moment(value) === said)) continue;
      } else if (form === "personal") {
        const text = await unsealed(stored[field], field, origin, keys).catch(() => undefined);
        if (text === null ? /^\[(withheld|erased)\]$/.test(said) : text === said || said === "[withheld]") continue;
      } else if (field in stored && shown[form](stored[field]) === said) continue;
      return `has “${said}” on this page as its ${field.replaceAll("_", " ")}, which is not what was proved`;
    }
    for (const name of unsaid) return `has no ${name.replaceAll("_", " ")} on this page, and one was proved`;
    return null;
  }

  async function compared(bundle, origin) {
    const found = [];
    const proved = bundle.accounts.find((each) => each.account === account);
    if (!proved) return { found: [{ account, version: null, reason: "the proof is about another account" }], later: 0 };
    const cards = new Map();
    for (const card of document.querySelectorAll("article.event")) {
      const version = Number(card.dataset.version);
      if (cards.has(version)) found.push({ account, version, reason: "stands on this page twice" });
      else cards.set(version, card);
    }
    for (const event of proved.events) {
      const card = cards.get(event.version);
      const reason = card ? await differs(card, event, origin, proved.keys) : "is proved, and the page does not show it";
      if (reason) found.push({ account, version: event.version, reason });
      cards.delete(event.version);
    }
    for (const card of cards.values()) card.classList.add("unproved");
    return { found, later: cards.size };
  }

  async function check() {
    const key = byId("key").value.trim();
    byId("check-result").textContent = "Checking…";
    for (const card of document.querySelectorAll("article.event")) card.classList.remove("broken", "unproved");
    const unasked = (each) => !key && each.account === null && /not signed with the key given/.test(each.reason);
    let findings = [];
    let later = 0;
    let answer = null;
    try {
      answer = await verifyBundle(bytes, key ? [key] : []);
      if (key && answer.origin === null && (await verifyBundle(bytes, [])).origin !== null) return unusable(answer);
      findings = answer.findings.filter((each) => !unasked(each));
      if (answer.origin !== null) {
        const pages = await compared(JSON.parse(new TextDecoder().decode(bytes)), answer.origin);
        findings = [...findings, ...pages.found];
        later = pages.later;
      }
    } catch (error) {
      findings.push({ account: null, version: null, reason: `the check could not be made: ${error.message}` });
    }
    tell(answer, findings, later, key !== "");
  }

  // A key that was not copied whole says nothing of the file.
  function unusable(answer) {
    byId("findings").replaceChildren();
    byId("check").dataset.state = "bad";
    const way = "Copy the whole key, from the name of the log to its last character, and check again";
    byId("check-result").textContent = `NOT CHECKED: ${answer.findings[0].reason}. ${way}.`;
  }

  const sentence = ({ version, reason }) => (version ? `Event ${version} ${reason}.` : `The proof as a whole: ${reason}.`);

  function tell(answer, findings, later, signed) {
    const list = byId("findings");
    list.replaceChildren();
    for (const each of findings) {
      const line = document.createElement("li");
      line.textContent = sentence(each);
      list.append(line);
      if (each.version && each.account === account) byId(`event-${each.version}`)?.classList.add("broken");
    }
    const box = byId("check");
    const good = findings.length === 0;
    box.dataset.state = good ? (signed ? "good" : "open") : "bad";
    if (!good) {
      const rest = findings.length > 1 ? ` ${many(findings.length - 1, "further finding")} under “What proves this file”.` : "";
      byId("check-result").textContent = `NOT PROVED. ${sentence(findings[0])}${rest}`;
      return;
    }
    const events = answer.accounts.find((each) => each.account === account).events;
    const sealed = new Date(answer.sealedAt / 1000).toISOString().slice(0, 16).replace("T", " ");
    const whole =
      `${many(events, "event")} of this account, unaltered and with none left out, stand in the log ${answer.origin} ` +
      `as it was sealed on ${sealed} UTC with ${many(answer.size, "leaf")}`.replace(/leafs$/, "leaves");
    const after = later ? ` ${many(later, "event")} recorded after that seal ${later === 1 ? "is" : "are"} not proved.` : "";
    byId("check-result").textContent = signed
      ? `Proved, and signed with the key given: ${whole}.${after}`
      : `Checked, but for the signature: ${whole}.${after} Who sealed it is proved only with the utility’s public key: ` +
        `paste it below.`;
  }

  byId("key").disabled = byId("check-again").disabled = byId("save-bundle").disabled = false;
  byId("check-again").addEventListener("click", check);
  byId("key").addEventListener("keydown", (event) => event.key === "Enter" && check());
  byId("save-bundle").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: "application/json" }));
    link.download = "bundle.json";
    link.click();
  });
  await check();
})();
