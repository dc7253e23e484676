// Your SIP endpoint as a child of simkit: JSON lines on standard input and output, in simkit's time.
// The clock is replaced before your code is loaded: setTimeout, setInterval and Date need no change. Standard error is
// the log, and so is console.log.
"use strict";

const clock = require("@sinonjs/fake-timers").install({ now: 0, toNotFake: ["nextTick", "queueMicrotask"] });
const { once } = require("node:events");
const lines = require("node:readline").createInterface({ input: process.stdin });
const { Endpoint } = require("./endpoint.js"); // yours

console.log = console.error;

let endpoint; // of this process: simkit starts one for each call
let actions = []; // what it has done since it was asked

// What simkit asks, translated to what the endpoint knows: this is what to change for yours.
const answers = {
  start: (request) => {
    endpoint = new Endpoint(request, (text, to) => actions.push({ send: text, to }));
  },
  deliver: ({ data, from }) => endpoint.receive(data, from),
  command: (request) => {
    const method = request.verb === "hang up" ? "hangUp" : request.verb;
    if (!endpoint[method]) throw new Error(`this endpoint cannot ${request.verb}`);
    endpoint[method](request.target ?? request.status);
  },
  // Run the clock to `until`, but stop at the first instant at which something is done.
  advance: ({ until }) => {
    let isOver = false;
    const end = setTimeout(() => (isOver = true), milliseconds(until) - clock.now);
    while (!isOver && actions.length === 0) clock.next();
    clearTimeout(end);
  },
};

const milliseconds = (microseconds) => Math.floor(microseconds / 1000);

async function main() {
  process.stdout.write('{"simkit": 1, "kind": "endpoint", "name": "endpoint.js", "knows_next": false}\n');
  for await (const line of lines) {
    const request = JSON.parse(line);
    actions = [];
    if (request.do !== "advance") clock.tick(milliseconds(request.now) - clock.now); // while nobody asked
    answers[request.do](request);
    const acted = request.do === "advance" && actions.length > 0;
    const now = acted ? Math.max(request.now, clock.now * 1000) : (request.until ?? request.now);
    const isTaken = process.stdout.write(`${JSON.stringify({ id: request.id, actions, now })}\n`);
    if (!isTaken) await once(process.stdout, "drain");
  }
}

main();
