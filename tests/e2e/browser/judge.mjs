// Plays one manifest in one player from npm inside Debian's Chromium, and prints what it saw as one JSON line.
//
//   node judge.mjs '{"player": "dash" | "hls", "url": "http://127.0.0.1:…", "seconds": 4, "spoil": null}'
//
// spoil: null, "manifest-404" (the manifest is answered 404) or "audio-noise" (the payload of every audio segment
// becomes random bytes, its boxes stay right; "audioPattern" is a regular expression for their URLs). Judging the report is not done here: see tests/e2e/judging.py.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { randomFillSync } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const FILES = {
  "/page.html": ["page.html", "text/html"],
  "/page.js": ["page.js", "text/javascript"],
  "/dash.js": ["node_modules/dashjs/dist/modern/umd/dash.all.min.js", "text/javascript"],
  "/hls.js": ["node_modules/hls.js/dist/hls.min.js", "text/javascript"],
};
// Debian's Chromium as root, without a GPU, and without looking for hosts outside this machine.
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-default-apps", "--mute-audio",
  "--autoplay-policy=no-user-gesture-required",
];

/** Serve the page and the players on a free port of 127.0.0.1: another origin than the media's, so CORS is judged too. */
async function servePage() {
  const server = createServer(async (request, response) => {
    const entry = FILES[new URL(request.url, "http://x").pathname];
    if (!entry) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": entry[1] }).end(await readFile(join(HERE, entry[0])));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

/** Replace the payload of each mdat by random bytes; every size stays as it was. */
function makeNoise(body) {
  for (let at = 0; at + 8 <= body.length; ) {
    const size = body.readUInt32BE(at);
    if (size < 8) break;
    if (body.toString("latin1", at + 4, at + 8) === "mdat") randomFillSync(body, at + 8, Math.min(size, body.length - at) - 8);
    at += size;
  }
  return body;
}

async function spoilRequests(page, job) {
  if (job.spoil === "manifest-404") {
    await page.route((url) => url.href === job.url, (route) => route.fulfill({ status: 404, body: "not here" }));
  }
  if (job.spoil === "audio-noise") {
    await page.route((url) => new RegExp(job.audioPattern).test(url.href), async (route) => {
      if (route.request().method() !== "GET") return route.continue();
      try {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, body: makeNoise(await answer.body()) });
      } catch {
        await route.abort().catch(() => {}); // the player gave the request up, or the page is closing
      }
    });
  }
}

const job = JSON.parse(process.argv[2]);
const profile = await mkdtemp(join(tmpdir(), "cushion-judge-"));
const { server, origin } = await servePage();
const context = await chromium.launchPersistentContext(profile, {
  executablePath: job.chromium, headless: true, args: FLAGS, viewport: { width: 960, height: 540 },
});
try {
  const page = await context.newPage();
  const pageErrors = [];
  page.on("pageerror", (error) => pageErrors.push(String(error)));
  await spoilRequests(page, job);
  await page.goto(`${origin}/page.html?player=${job.player}`);
  const report = await page.evaluate((args) => window.judge(args), { player: job.player, url: job.url, seconds: job.seconds });
  report.errors.push(...pageErrors);
  process.stdout.write(JSON.stringify(report) + "\n");
} finally {
  await context.close();
  server.close();
  await rm(profile, { recursive: true, force: true });
}
