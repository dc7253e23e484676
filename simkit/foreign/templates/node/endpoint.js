// A toy SIP endpoint with session timers (RFC 3261, RFC 4028), for one call and without proxies. It knows nothing of
// simkit. Put yours in its place.
"use strict";

const T1 = 500;
const T2 = 4000;
const TIMEOUT = 64 * T1;
const FLOOR = 90; // RFC 4028 section 4
const TRIES = 3; // of one refresh
const LONGEST = 2 ** 31 - 1; // of setTimeout, in milliseconds: anything longer would fire at once
const COMPACT = { v: "via", f: "from", t: "to", i: "call-id", m: "contact", k: "supported", x: "session-expires" };
const REASONS = { 180: "Ringing", 200: "OK", 422: "Session Interval Too Small", 486: "Busy Here", 491: "Pending" };
const ANSWERS = { sendonly: "recvonly", recvonly: "sendonly", inactive: "inactive", sendrecv: "sendrecv" };
const SESSION_METHODS = ["INVITE", "UPDATE"];

class Endpoint {
  // `send(text, to)` sends a message; `options` has name, address, peer, settings, answer_after_us and reject_with.
  constructor(options, send) {
    Object.assign(this, options);
    this.send = send;
    this.uri = `sip:${this.name}@${this.address}`;
    this.tag = `${this.name}-tag`;
    this.cseq = 0;
    this.branches = 0;
    this.minSE = 0; // the largest seen
    this.timers = new Set(); // of the session
    this.answered = new Map(); // responses by transaction, to repeat for a repeated request
    this.waiting = new Map(); // requests of ours by branch
    this.acks = new Map(); // ACKs by CSeq, to repeat for a repeated 2xx
    this.wanted = []; // what is to be asked once nothing else is under way
    this.direction = "sendrecv";
    this.version = 1; // of our session description
    this.tries = 0;
  }

  // --- commands ---

  call(target) {
    this.callId = `call-1@${this.address}`;
    this.local = `<${this.uri}>;tag=${this.tag}`;
    this.remote = `<${target}>`;
    this.target = target;
    this.isCaller = true;
    this.request("INVITE");
  }

  ring() {
    this.respond(this.invitation, 180);
  }

  answer() {
    this.accept(this.invitation);
  }

  reject(status) {
    this.respond(this.invitation, status);
  }

  hangUp() {
    this.hasEnded = true;
    this.stopSession();
    this.request("BYE");
  }

  refresh() {
    const method = this.settings.use_update && this.updateAllowed ? "UPDATE" : "INVITE";
    this.ask({ method, isRefresh: true });
  }

  hold() {
    this.turn("sendonly");
    this.ask({ method: "INVITE" });
  }

  resume() {
    this.turn("sendrecv");
    this.ask({ method: "INVITE" });
  }

  turn(direction) {
    if (direction !== this.direction) this.version += 1;
    this.direction = direction;
  }

  // --- our requests ---

  // Ask at once, or when what is under way is over (RFC 3261 section 14.1).
  ask(wanted) {
    const isBusy = [...this.waiting.values()].some((sent) => SESSION_METHODS.includes(sent.method));
    if (isBusy || this.repeatTimer) this.wanted.push(wanted);
    else this.request(wanted.method);
  }

  proceed() {
    if (this.wanted.length && !this.hasEnded) this.ask(this.wanted.shift());
  }

  request(method) {
    this.cseq += 1;
    const branch = `z9hG4bK-${this.name}-${++this.branches}`;
    const body = method === "INVITE" ? this.sdp(this.direction) : "";
    const head = this.head(method, this.cseq, branch, this.offer(method));
    const text = this.write(`${method} ${this.target} SIP/2.0`, head, body);
    const sent = { method, text, branch, cseq: this.cseq, gap: T1 };
    this.waiting.set(branch, sent);
    sent.repeat = setTimeout(() => this.repeat(sent), T1);
    sent.giveUp = setTimeout(() => this.finished(sent, 408, {}), TIMEOUT);
    this.send(text, hostOf(this.target));
  }

  repeat(sent) {
    sent.gap = sent.method === "INVITE" ? 2 * sent.gap : Math.min(2 * sent.gap, T2);
    sent.repeat = setTimeout(() => this.repeat(sent), sent.gap);
    this.send(sent.text, hostOf(this.target));
  }

  head(method, cseq, branch, added = []) {
    return [
      ["Via", `SIP/2.0/UDP ${this.address};branch=${branch}`],
      ["Max-Forwards", "70"],
      ["From", this.local],
      ["To", this.remote],
      ["Call-ID", this.callId],
      ["CSeq", `${cseq} ${method}`],
      ...(SESSION_METHODS.includes(method) ? this.abilities() : []),
      ...added,
    ];
  }

  abilities() {
    return [
      ["Contact", `<${this.uri}>`],
      ["Allow", "INVITE, ACK, CANCEL, BYE, UPDATE"],
    ];
  }

  receiveResponse(message) {
    const sent = this.waiting.get(branchOf(message));
    const repeatedAck = message.status < 300 && this.acks.get(message.headers.cseq);
    if (repeatedAck) this.send(repeatedAck, hostOf(this.target));
    if (!sent) return;
    clearTimeout(sent.repeat);
    if (message.status >= 200) this.finished(sent, message.status, message.headers);
  }

  finished(sent, status, headers) {
    clearTimeout(sent.repeat);
    clearTimeout(sent.giveUp);
    this.waiting.delete(sent.branch);
    if (sent.method === "INVITE" && headers.to) this.acknowledge(sent, status, headers);
    if (!SESSION_METHODS.includes(sent.method) || this.hasEnded) return;
    if (status < 300) {
      this.isUp = true;
      this.updateAllowed = (headers.allow ?? "").includes("UPDATE");
      this.restart(headers, "uac");
    } else if (status === 422 && seconds(headers["min-se"]) > this.minSE) {
      this.minSE = seconds(headers["min-se"]);
      this.request(sent.method);
    } else if (this.isUp && (status === 408 || status === 481)) {
      this.hangUp();
    } else if (this.isUp) {
      this.tryAgain(sent.method, status, seconds(headers["retry-after"]));
    }
    this.proceed();
  }

  // After 491 as RFC 3261 section 14.1 says, else calmly (RFC 4028 section 10); the session expires all the same.
  tryAgain(method, status, retryAfter) {
    this.tries += 1;
    const glare = (this.isCaller ? 210 + Math.random() * 190 : Math.random() * 200) * 10;
    const calm = (retryAfter || Math.max(10, (this.interval ?? 0) / 8)) * 1000;
    const wait = status === 491 && this.tries === 1 ? Math.round(glare) : calm;
    if (this.tries < TRIES) this.timers.add(setTimeout(() => this.ask({ method }), wait));
  }

  acknowledge(sent, status, headers) {
    if (status >= 300) {
      const ack = this.head("ACK", sent.cseq, sent.branch).map(([n, v]) => [n, n === "To" ? headers.to : v]);
      this.send(this.write(`ACK ${this.target} SIP/2.0`, ack), hostOf(this.target));
      return;
    }
    this.remote = headers.to;
    this.target = (headers.contact ?? this.remote).match(/<([^>]*)>/)[1];
    const ack = this.head("ACK", sent.cseq, `z9hG4bK-${this.name}-${++this.branches}`);
    this.acks.set(headers.cseq, this.write(`ACK ${this.target} SIP/2.0`, ack));
    this.send(this.acks.get(headers.cseq), hostOf(this.target));
  }

  // --- the peer's requests ---

  receive(text, from) {
    const message = parse(text);
    message.from = from;
    if (message.status) return this.receiveResponse(message);
    const known = this.answered.get(branchOf(message) + message.method);
    if (message.method === "ACK") return this.stopRepeating();
    if (known !== undefined) return known && this.send(known, from);
    if (this.hasEnded && message.method !== "BYE") return this.respond(message, 481);
    if (message.method === "BYE") {
      this.hasEnded = true;
      this.stopSession();
      return this.respond(message, 200);
    }
    if (message.method === "INVITE" && !this.callId) return this.receiveCall(message);
    if (message.method === "INVITE" && [...this.waiting.values()].some((sent) => sent.method === "INVITE")) {
      return this.respond(message, 491); // RFC 3261 section 14.2
    }
    if (SESSION_METHODS.includes(message.method)) return this.accept(message);
    return this.respond(message, 200);
  }

  receiveCall(message) {
    this.callId = message.headers["call-id"];
    this.local = `${message.headers.to};tag=${this.tag}`;
    this.remote = message.headers.from;
    this.target = message.headers.contact.match(/<([^>]*)>/)[1];
    this.invitation = message;
    this.answered.set(branchOf(message) + message.method, ""); // a repeated INVITE changes nothing
    if (this.reject_with) this.respond(message, this.reject_with);
    else if (this.answer_after_us === 0) this.answer();
    else if (this.answer_after_us !== null) setTimeout(() => this.answer(), this.answer_after_us / 1000);
  }

  accept(message) {
    const [status, headers] = this.judge(message.headers);
    if (status >= 300) {
      if (!this.isUp) this.callId = undefined; // the caller may try again
      return this.respond(message, status, headers);
    }
    if (message.method === "INVITE") this.isUp = true;
    if (message.body) this.turn(ANSWERS[message.body.match(/^a=(send\w+|recvonly|inactive)/m)?.[1] ?? "sendrecv"]);
    this.restart(Object.fromEntries(headers.map(([n, v]) => [n.toLowerCase(), v])), "uas");
    const body = message.body || message.method === "INVITE" ? this.sdp(this.direction) : "";
    this.respond(message, 200, [...this.abilities(), ...headers], body);
  }

  respond(message, status, added = [], body = "") {
    const { to } = message.headers;
    const tagged = /;tag=/.test(to) ? to : `${to};tag=${this.tag}`;
    const copied = [
      ...message.vias.map((via) => ["Via", via]),
      ["From", message.headers.from],
      ["To", tagged],
      ["Call-ID", message.headers["call-id"]],
      ["CSeq", message.headers.cseq],
    ];
    const text = this.write(`SIP/2.0 ${status} ${REASONS[status] ?? "Rejected"}`, [...copied, ...added], body);
    this.answered.set(branchOf(message) + message.method, text);
    this.send(text, message.from);
    if (message.method === "INVITE" && status >= 200) this.repeatResponse(text, message.from, T1, T1);
  }

  repeatResponse(text, to, gap, waited) {
    clearTimeout(this.repeatTimer);
    this.repeatTimer = setTimeout(() => {
      this.send(text, to);
      if (waited + gap < TIMEOUT) this.repeatResponse(text, to, Math.min(2 * gap, T2), waited + gap);
    }, gap);
  }

  stopRepeating() {
    clearTimeout(this.repeatTimer);
    this.repeatTimer = undefined;
    this.proceed();
  }

  // --- the session timer (RFC 4028) ---

  // What a request of ours says (sections 7.1 and 7.4).
  offer(method) {
    const { enabled, min_se, default_expires, prefer_refresher } = this.settings;
    if (!enabled) return [];
    const least = Math.max(this.minSE, min_se);
    const headers = [["Supported", "timer"]];
    if (!SESSION_METHODS.includes(method)) return headers;
    if (!this.isUp) {
      headers.push(sessionExpires(Math.max(least, default_expires), prefer_refresher));
    } else if (this.interval) {
      headers.push(sessionExpires(Math.max(least, this.interval), this.weRefresh ? "uac" : "uas"));
    }
    if (this.minSE || least > FLOOR) headers.push(["Min-SE", `${Math.max(least, FLOOR)}`]);
    return headers;
  }

  // How to answer the peer's INVITE or UPDATE (section 9).
  judge(headers) {
    const { enabled, min_se, default_expires, prefer_refresher } = this.settings;
    if (!enabled) return [200, []];
    const supported = /\btimer\b/.test(headers.supported ?? "");
    this.minSE = Math.max(this.minSE, seconds(headers["min-se"]));
    let [interval, refresher] = readSessionExpires(headers);
    if (supported && interval && interval < min_se) return [422, [["Min-SE", `${min_se}`]]];
    if (interval ? interval < Math.min(FLOOR, min_se) : !supported) return [200, [["Supported", "timer"]]];
    interval ||= Math.max(this.interval || default_expires, this.minSE);
    if (!supported) refresher = "uas";
    else if (!refresher && this.interval) refresher = this.weRefresh ? "uas" : "uac";
    const required = supported ? [["Require", "timer"]] : [];
    refresher ||= prefer_refresher || "uac";
    return [200, [["Supported", "timer"], ...required, sessionExpires(interval, refresher)]];
  }

  // A 2xx to INVITE or UPDATE was sent or received (section 7.2).
  restart(headers, ourRole) {
    this.stopSession();
    this.tries = 0;
    this.wanted = this.wanted.filter((wanted) => !wanted.isRefresh); // it has been refreshed just now
    if (!this.settings.enabled) return;
    const [asked, refresher] = readSessionExpires(headers);
    const least = Math.min(FLOOR, this.settings.min_se, this.settings.default_expires);
    const interval = asked && Math.max(asked, least); // from the peer it may be anything
    this.interval = interval;
    this.weRefresh = refresher === ourRole;
    if (interval && this.weRefresh) {
      this.after(interval / 2, () => this.refresh());
      this.after(interval, () => this.hangUp());
    } else if (interval) {
      this.after(interval - Math.min(32, interval / 3), () => this.hangUp());
    }
  }

  after(interval, action) {
    const wait = Math.min(interval * 1000, LONGEST);
    const rest = interval - wait / 1000;
    this.timers.add(setTimeout(rest > 0 ? () => this.after(rest, action) : action, wait));
  }

  stopSession() {
    this.timers.forEach((timer) => clearTimeout(timer));
    this.timers.clear();
  }

  // --- messages ---

  sdp(direction) {
    const host = this.address.split(":")[0];
    const lines = ["v=0", `o=${this.name} 1 ${this.version} IN IP4 ${host}`, "s=-", `c=IN IP4 ${host}`, "t=0 0"];
    return `${[...lines, "m=audio 40000 RTP/AVP 0", `a=${direction}`].join("\r\n")}\r\n`;
  }

  write(startLine, headers, body = "") {
    const type = body ? [["Content-Type", "application/sdp"]] : [];
    const all = [...headers, ...type, ["Content-Length", `${body.length}`]];
    return `${[startLine, ...all.map(([n, v]) => `${n}: ${v}`)].join("\r\n")}\r\n\r\n${body}`;
  }
}

function parse(text) {
  const [head, body] = text.split("\r\n\r\n");
  const [startLine, ...fields] = head.split("\r\n");
  const message = { headers: {}, vias: [], body };
  for (const field of fields) {
    const name = field.slice(0, field.indexOf(":")).trim().toLowerCase();
    const value = field.slice(field.indexOf(":") + 1).trim();
    message.headers[COMPACT[name] ?? name] ??= value;
    if ((COMPACT[name] ?? name) === "via") message.vias.push(value);
  }
  const response = startLine.match(/^SIP\/2.0 (\d+)/);
  return Object.assign(message, response ? { status: Number(response[1]) } : { method: startLine.split(" ")[0] });
}

const branchOf = (message) => message.headers.via.match(/branch=([^;, ]+)/)[1];
const hostOf = (uri) => uri.replace(/^sips?:([^@]*@)?/, "").split(/[;?]/)[0];
const seconds = (value) => Number.parseInt(value ?? "0", 10) || 0;
const sessionExpires = (interval, refresher) => [
  "Session-Expires",
  refresher ? `${interval};refresher=${refresher}` : `${interval}`,
];
const readSessionExpires = (headers) => {
  const value = (headers["session-expires"] ?? "").toLowerCase().replaceAll(" ", "");
  return [seconds(value), value.match(/;refresher=(ua[cs])/)?.[1]];
};

module.exports = { Endpoint };
