// Checks a bundle in the reader's browser, with nothing but WebCrypto: verifyBundle(text or bytes, key) tells what does
// not hold. The steps and their order are those of scripts/check_bundle.py, which explains them; the two share no code.

globalThis.verifyBundle = (() => {

const MOST = Number.MAX_SAFE_INTEGER;
const SLACK = 120 * 10 ** 6; // microseconds by which the clocks of writers and sealer may disagree
const COUNT = /^(?:0|[1-9][0-9]{0,15})$/;
const NAME = /^[^+\u0000-\u0020\u007f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]{1,250}$/u;
const MOMENT = new RegExp(
  "^([0-9]{4})-([0-9]{2})-([0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\\.([0-9]{1,6}))?" +
    "(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))$",
);

// What a bundle looks like: the largest number, the form of a text, [every member], {member: form}, {or: form or null}.
const ACCOUNT = /^(?:@utility|[A-Za-z0-9._-]{1,40})$/;
const HASH = /^[0-9a-f]{64}$/;
const BASE64 = /^[A-Za-z0-9+/=]*$/;
const TEXT = /^[^]*$/;
const SEAL = {
  number: MOST, sealed_at: MOST, first_leaf: MOST, events: MOST, accounts: MOST,
  shards: HASH, heads_root: HASH, previous: HASH,
};
const EVENT = {
  version: MOST, type: /^[A-Za-z]{1,60}$/, shard: 65535, position: MOST, leaf: MOST, hash: HASH, stored: TEXT,
};
const NEIGHBOUR = { account: ACCOUNT, version: MOST, hash: HASH, index: MOST, proof: [HASH] };
const BUNDLE = {
  format: /^waterledger\/bundle\/v1$/,
  note: /^[^]{1,100000}$/u,
  seal: SEAL,
  accounts: [{ account: ACCOUNT, index: MOST, proof: [HASH], events: [EVENT], "keys?": { "*": BASE64 } }],
  nodes: BASE64,
  "dated?": { seals: [{ ...SEAL, leaf: MOST }] },
  "absent?": [{ account: ACCOUNT, left: new Set([NEIGHBOUR]), right: new Set([NEIGHBOUR]) }],
  "consistency?": { old_size: MOST, proof: [HASH] },
};

class Malformed extends Error {}

// --- reading strictly: one meaning for every byte ---

// JSON.parse takes doubled keys, rounds large numbers and joins broken characters, so this reads every value itself.
function parsed(text) {
  if (/\p{Surrogate}/u.test(text)) throw new Malformed("this is not UTF-8 text");
  let at = 0;
  const fail = (why) => {
    throw new Malformed(`this is not JSON as it has to be: ${why} at character ${at}`);
  };
  const blank = () => {
    while (" \t\n\r".includes(text[at] || "x")) at += 1;
  };
  const take = (mark) => {
    blank();
    if (text[at] !== mark) return false;
    at += 1;
    return true;
  };
  const string = () => {
    const from = at;
    for (at += 1; text[at] !== '"'; at += text[at] === "\\" ? 2 : 1) if (at >= text.length) fail("a text does not end");
    at += 1;
    let found;
    try {
      found = JSON.parse(text.slice(from, at));
    } catch {
      fail("a text is not spelled as JSON spells it");
    }
    if (/\p{Surrogate}/u.test(found)) fail("a broken character");
    return found;
  };
  const number = () => {
    const found = /[-+.0-9a-zA-Z]*/y;
    found.lastIndex = at;
    const spelled = found.exec(text)[0];
    const words = { true: true, false: false, null: null };
    if (Object.hasOwn(words, spelled)) return (at += spelled.length), words[spelled];
    const good = COUNT.test(spelled.replace(/^-/, "")) && spelled !== "-0" && Math.abs(Number(spelled)) <= MOST;
    if (!good) fail("not a number that everybody reads alike");
    at += spelled.length;
    return Number(spelled);
  };
  const value = (depth) => {
    if (depth > 100) fail("nested too deep");
    blank();
    if (text[at] === '"') return string();
    if (take("[")) {
      const found = [];
      if (take("]")) return found;
      do found.push(value(depth + 1));
      while (take(","));
      if (!take("]")) fail("a list does not end");
      return found;
    }
    if (!take("{")) return number();
    const found = new Map();
    if (take("}")) return Object.create(null);
    do {
      blank();
      if (text[at] !== '"') fail("a key is missing");
      const key = string();
      if (found.has(key)) fail("a key stands twice in one object");
      if (!take(":")) fail("a colon is missing");
      found.set(key, value(depth + 1));
    } while (take(","));
    if (!take("}")) fail("an object does not end");
    return Object.assign(Object.create(null), Object.fromEntries(found));
  };
  const found = value(0);
  blank();
  if (at !== text.length) fail("something follows the end");
  return found;
}

function fromBase64(text, where) {
  let found = "";
  try {
    found = atob(text);
  } catch {
    throw new Malformed(`${where} is not base64`);
  }
  if (btoa(found) !== text) throw new Malformed(`${where} is not base64 in its one spelling`);
  return Uint8Array.from(found, (each) => each.charCodeAt(0));
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function fits(value, form, where) {
  let good;
  if (form instanceof Set) {
    good = true;
    if (value !== null) for (const some of form) fits(value, some, where);
  } else if (typeof form === "number") good = typeof value === "number" && value >= 0 && value <= form;
  else if (form instanceof RegExp) good = typeof value === "string" && form.test(value);
  else if (Array.isArray(form)) {
    good = Array.isArray(value);
    if (good) value.forEach((each, index) => fits(each, form[0], `${where} ${index + 1}`));
  } else {
    good = isObject(value) && Object.keys(form).every((name) => /[?*]$/.test(name) || Object.hasOwn(value, name));
    for (const [name, each] of good ? Object.entries(value) : []) {
      const names = /[?*]$/.test(name) ? ["*"] : ["*", name, `${name}?`];
      const key = names.find((known) => Object.hasOwn(form, known));
      if (key === undefined) {
        throw new Malformed(`${where} has a member "${name.slice(0, 40)}", which does not belong there`);
      }
      fits(each, form[key], `${where}: ${name}`);
    }
  }
  if (!good) throw new Malformed(`${where} is not as it has to be`);
}

const ascending = (values) => values.every((each, index) => index === 0 || values[index - 1] < each);

function decoded(text) {
  const bundle = parsed(text);
  fits(bundle, BUNDLE, "the bundle");
  const accounts = bundle.accounts;
  const absent = bundle.absent || [];
  const ordered = [accounts.map((a) => a.account), absent.map((a) => a.account), accounts.map((a) => a.index)];
  if (!ordered.every(ascending)) throw new Malformed("the accounts do not stand in ascending order, each once");
  if (accounts.length + absent.length === 0 || accounts.some((account) => account.events.length === 0)) {
    throw new Malformed("the bundle is about no account, or holds none of its events");
  }
  for (const account of accounts) for (const key of Object.values(account.keys || {})) fromBase64(key, "a key");
  return bundle;
}

async function keyOf(vkey) {
  const [name, id, ...rest] = vkey.trim().split("+");
  const body = fromBase64(rest.join("+"), "the key");
  if (!NAME.test(name) || body.length !== 33 || body[0] !== 1) {
    throw new Malformed("the key is not an Ed25519 verifier key: name+id+base64");
  }
  const due = await H(utf8(`${name}\n`), body);
  if (hex(due.slice(0, 4)) !== id) {
    throw new Malformed("the key does not fit the id it states; it was not copied whole");
  }
  return { name, id, bytes: body.slice(1) };
}

function noteOf(note) {
  const gap = note.lastIndexOf("\n\n");
  const [origin, size, root, ...more] = gap < 0 ? [""] : note.slice(0, gap).split("\n");
  // eslint-disable-next-line no-control-regex
  if (!origin || root === undefined || more.length || !COUNT.test(size) || /[\u0000-\u0009\u000b-\u001f]/.test(note)) {
    throw new Malformed("the note is not a checkpoint: origin, size and root, a blank line, signatures");
  }
  const hash = fromBase64(root, "the root in the note");
  const below = note.slice(gap + 2);
  const signatures = below.replace(/\n$/, "").split("\n").map((line) => {
    const [dash, name, body, ...rest] = line.split(" ");
    const value = body === undefined ? [] : fromBase64(body, "a signature on the note");
    if (dash !== "—" || rest.length || value.length < 5 || !NAME.test(name)) {
      throw new Malformed("the note has a line that is no signature");
    }
    return { name, id: hex(value.slice(0, 4)), value: value.slice(4) };
  });
  const good = below.endsWith("\n") && hash.length === 32 && Number(size) > 0 && Number(size) <= MOST;
  if (!good || signatures.length > 64) throw new Malformed("the note does not state a size, a root and signatures");
  return { text: note.slice(0, gap + 1), origin, size: Number(size), root: hex(hash), signatures };
}

// --- hashes and trees (RFC 6962) ---

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
const one = (...bytes) => Uint8Array.from(bytes);

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function H(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(parts)));
}

function u64(value) {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, BigInt(value));
  return new Uint8Array(bytes.buffer);
}

function lp(text) {
  const body = utf8(text);
  const size = new DataView(new ArrayBuffer(4));
  size.setUint32(0, body.length);
  return joined([new Uint8Array(size.buffer), body]);
}

function half(size) {
  let found = 1;
  while (found * 2 < size) found *= 2;
  return found;
}

const isPower = (size) => size === 1 || 2 * half(size) === size;

// The level of the smallest whole subtree over so many leaves.
function levelOf(size) {
  let level = 0;
  while (2 ** level < size) level += 1;
  return level;
}

// What a proof comes to; null where it is too short or too long.
async function by(proof, climb) {
  const path = proof.map(unhex);
  try {
    const found = await climb(path);
    return path.length ? null : found;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function top(path) {
  if (!path.length) throw new RangeError("the proof is too short");
  return path.pop();
}

async function rooted(leaf, index, size, path) {
  if (size === 1) return leaf;
  const left = half(size);
  const side = top(path);
  if (index < left) return H(one(1), await rooted(leaf, index, left, path), side);
  return H(one(1), side, await rooted(leaf, index - left, size - left, path));
}

// The roots of the first `old` leaves and of all.
async function oldAndNew(old, size, known, path) {
  if (old === size) {
    const found = known || top(path);
    return [found, found];
  }
  const left = half(size);
  const side = top(path);
  if (old <= left) {
    const [begin, whole] = await oldAndNew(old, left, known, path);
    return [begin, await H(one(1), whole, side)];
  }
  const [begin, whole] = await oldAndNew(old - left, size - left, null, path);
  return [await H(one(1), side, begin), await H(one(1), side, whole)];
}

async function inHeads(entry, seal) {
  if (entry.index >= seal.accounts) return false;
  const data = [utf8("waterledger/head/v1\n"), lp(entry.account), u64(entry.version), unhex(entry.hash)];
  const leaf = await H(one(0), ...data);
  const root = await by(entry.proof, (path) => rooted(leaf, entry.index, seal.accounts, path));
  return root !== null && hex(root) === seal.heads_root;
}

// The root of `size` leaves of which some are known; `nodes` are all subtrees without a known leaf, by level and index.
async function rootFrom(size, leaves, nodes) {
  const known = [...leaves.keys()].sort((a, b) => a - b);
  const needed = [];
  const find = (first, end, some) => {
    const width = end - first;
    if (!some.length && isPower(width)) needed.push([levelOf(width), first / width]);
    else if (width > 1) {
      const middle = first + half(width);
      find(first, middle, some.filter((index) => index < middle));
      find(middle, end, some.filter((index) => index >= middle));
    }
  };
  find(0, size, known);
  if (nodes.length !== 32 * needed.length) return null;
  needed.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const given = new Map(needed.map((place, index) => [place.join(), nodes.subarray(32 * index, 32 * index + 32)]));
  const fold = async (first, end, some) => {
    const width = end - first;
    if (!some.length && isPower(width)) return given.get([levelOf(width), first / width].join());
    if (width === 1) return leaves.get(first);
    const middle = first + half(width);
    const left = await fold(first, middle, some.filter((index) => index < middle));
    return H(one(1), left, await fold(middle, end, some.filter((index) => index >= middle)));
  };
  return fold(0, size, known);
}

// --- the proof, step by step; each step gives its findings ---

const finding = (account, version, reason) => ({ account, version, reason });

async function unsigned(note, keys, what) {
  const mine = keys.flatMap((key) =>
    note.signatures.filter((each) => each.name === key.name && each.id === key.id).map((each) => [key, each]),
  );
  if (!mine.length) return [finding(null, null, `${what} is not signed with the key given`)];
  for (const [key, signature] of mine) {
    let good;
    try {
      const imported = await crypto.subtle.importKey("raw", key.bytes, { name: "Ed25519" }, false, ["verify"]);
      good = await crypto.subtle.verify({ name: "Ed25519" }, imported, signature.value, utf8(note.text));
    } catch (error) {
      if (error.name === "NotSupportedError") {
        const instead = "use a newer one, or scripts/check_bundle.py";
        return [finding(null, null, `this browser cannot check the signature: ${instead}`)];
      }
      good = false;
    }
    if (!good) return [finding(null, null, `${what} was altered after it was signed, or another key signed it`)];
  }
  return [];
}

function saidBy(event) {
  try {
    const said = parsed(event.stored);
    return isObject(said) ? said : {};
  } catch {
    return {};
  }
}

async function broken(account, note, leaves) {
  const found = [];
  const name = account.account;
  const shard = account.events[0].shard;
  let [position, leaf] = [0, -1];
  let previous = await H(utf8("waterledger/account/v1\n"), lp(note.origin), lp(name));
  for (const [index, event] of account.events.entries()) {
    const due = index + 1;
    const said = saidBy(event);
    const parts = [u64(event.version), lp(name), lp(event.type), lp(event.stored)];
    if (event.version !== due) {
      found.push(finding(name, due, `is missing: version ${event.version} stands in its place`));
    } else if (hex(await H(utf8("waterledger/event/v1\n"), previous, ...parts)) !== event.hash) {
      found.push(finding(name, due, "was altered, moved or exchanged: its hash is not the one that was recorded"));
    } else if (said.type !== event.type || said.version !== due) {
      found.push(finding(name, due, "is not the event that it says it is"));
    }
    if (event.shard !== shard || event.position <= position || event.leaf <= leaf || event.leaf >= note.size - 1) {
      found.push(finding(name, due, "does not stand in the log after the version before it and before the seal"));
    } else if (leaves.has(event.leaf)) {
      found.push(finding(name, due, "stands in the place of another event in the log"));
    } else {
      leaves.set(event.leaf, await H(one(0, 1, shard >> 8, shard & 255), u64(event.position), unhex(event.hash)));
    }
    [previous, position, leaf] = [unhex(event.hash), event.position, event.leaf];
  }
  return found;
}

async function cut(account, seal) {
  const found = [];
  const { version, hash } = account.events.at(-1);
  if (!(await inHeads({ ...account, version, hash }, seal))) {
    found.push(finding(account.account, version, "is not where the sealed history ends: it was cut or altered"));
  }
  for (const [id, key] of Object.entries(account.keys || {})) {
    const due = hex(await H(utf8("waterledger/dek-commit/v1\n"), fromBase64(key, id))).slice(0, 32);
    if (due !== id) {
      found.push(finding(account.account, null, `the key ${id.slice(0, 40)} is not the one that its id names`));
    }
  }
  return found;
}

async function present({ account, left, right }, seal) {
  const ordered = (!left || left.account < account) && (!right || account < right.account);
  const beside = (left ? left.index + 1 : 0) === (right ? right.index : seal.accounts);
  let good = ordered && beside;
  for (const each of [left, right]) good = good && (each === null || (await inHeads(each, seal)));
  return good ? [] : [finding(account, null, "is not proved to be missing")];
}

async function outside(accounts, seals, note, leaves, nodes) {
  const found = [];
  for (const seal of seals) {
    if (seal.leaf >= note.size || leaves.has(seal.leaf)) {
      found.push(finding(null, null, `seal ${seal.number} does not stand where the bundle says`));
    }
    const begin = [one(0, 2), u64(seal.number), u64(seal.sealed_at), u64(seal.first_leaf), unhex(seal.shards)];
    const counts = [u64(seal.events), u64(seal.accounts), unhex(seal.heads_root), unhex(seal.previous)];
    leaves.set(seal.leaf, await H(...begin, ...counts));
  }
  const due = accounts.reduce((sum, account) => sum + account.events.length, seals.length);
  if (leaves.size === due && Math.max(...seals.map((seal) => seal.leaf)) < note.size) {
    const root = await rootFrom(note.size, leaves, nodes);
    if (root === null || hex(root) !== note.root) {
      const reason = "the events and the seal are not those of the signed log: they come to another root";
      found.push(finding(null, null, reason));
    }
  }
  return found;
}

function recordedAt(event) {
  const text = saidBy(event).recorded_at;
  const parts = typeof text === "string" && text.match(MOMENT);
  if (!parts) return -MOST;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const at = new Date(Date.UTC(2000, 0, 1, hour, minute, second));
  at.setUTCFullYear(year, month - 1, day);
  if (year === 0 || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return -MOST;
  const offset = (Number(parts[9] || 0) * 60 + Number(parts[10] || 0)) * (parts[8] === "-" ? -60 : 60);
  return at.getTime() * 1000 - offset * 10 ** 6 + Number((parts[7] || "").padEnd(6, "0"));
}

const day = (microseconds) => `${new Date(microseconds / 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;

function misdated(accounts, seals) {
  const found = [];
  const times = new Map([[-1, 0], ...seals.map((seal) => [seal.leaf, seal.sealed_at])]);
  for (const account of accounts) {
    for (const event of account.events) {
      const took = seals.filter((seal) => seal.first_leaf <= event.leaf && event.leaf < seal.leaf);
      const before = took.map((seal) => times.get(seal.first_leaf - 1));
      if (took.length === 0 || before.includes(undefined)) {
        const reason = "is not dated: the seals around it are not in the bundle";
        found.push(finding(account.account, event.version, reason));
        continue;
      }
      const earliest = Math.max(...before);
      const latest = Math.min(...took.map((seal) => seal.sealed_at));
      const at = recordedAt(event);
      if (at < earliest - SLACK || at > latest + SLACK) {
        const reason = `was sealed between ${day(earliest)} and ${day(latest)}, and was not recorded then`;
        found.push(finding(account.account, event.version, reason));
      }
    }
  }
  return found;
}

async function forked(older, note, consistency) {
  const wrong = (reason) => [finding(null, null, reason)];
  if (older.origin !== note.origin) return wrong(`the older note is about another log, ${older.origin}`);
  if (older.size > note.size) {
    return wrong("the older note is about a longer log: events were removed, or this bundle is older");
  }
  const rewritten = "the log that the older note signed is not the beginning of this one";
  if (older.size === note.size) return older.root === note.root ? [] : wrong(rewritten);
  if (!consistency || consistency.old_size !== older.size) {
    return wrong("the bundle does not show how it extends that note: export it with --since and that note");
  }
  const roots = await by(consistency.proof, (path) => oldAndNew(older.size, note.size, unhex(older.root), path));
  if (!roots || hex(roots[0]) !== older.root || hex(roots[1]) !== note.root) {
    return wrong(rewritten);
  }
  return [];
}

// What does not hold in a bundle (text, or the bytes of a file), given the utility's key (or several, where it changed)
// and, where the reader kept one, an older note:
// {ok, findings: [{account, version, reason}], origin, size, sealedAt (µs), accounts: [{account, events}]}.
async function verifyBundle(bundleText, vkey, since = null) {
  const answer = { ok: false, findings: [], origin: null, size: null, sealedAt: null, accounts: [] };
  try {
    if (!globalThis.crypto?.subtle) throw new Malformed("this browser cannot compute hashes here: use another one");
    const keys = await Promise.all([vkey].flat().map(keyOf));
    const older = since === null ? null : noteOf(since);
    const text = typeof bundleText === "string" ? bundleText : utf8Text(bundleText);
    const bundle = decoded(text);
    const note = noteOf(bundle.note);
    const nodes = fromBase64(bundle.nodes, "nodes");
    const { origin, size } = note;
    const accounts = bundle.accounts.map((each) => ({ account: each.account, events: each.events.length }));
    Object.assign(answer, { origin, size, sealedAt: bundle.seal.sealed_at, accounts });
    const seals = [...(bundle.dated?.seals || []), { ...bundle.seal, leaf: size - 1 }];
    const leaves = new Map();
    const found = answer.findings;
    found.push(...(await unsigned(note, keys, "the note")));
    for (const account of bundle.accounts) {
      found.push(...(await broken(account, note, leaves)), ...(await cut(account, bundle.seal)));
    }
    for (const each of bundle.absent || []) found.push(...(await present(each, bundle.seal)));
    found.push(...(await outside(bundle.accounts, seals, note, leaves, nodes)));
    if (bundle.dated) found.push(...misdated(bundle.accounts, seals));
    if (older) {
      found.push(...(await unsigned(older, keys, "the older note")));
      found.push(...(await forked(older, note, bundle.consistency)));
    }
    answer.ok = found.length === 0;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    answer.findings.push(finding(null, null, error.message));
  }
  return answer;
}

function utf8Text(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed("this is not UTF-8 text");
  }
}

return verifyBundle;
})();
