// Plays one manifest to its end in one player from npm inside Debian's Chromium, and prints as one JSON line when each
// frame was painted: [seconds since the player was asked, media seconds, height].
//
//   node watch.mjs '{"player": "dash.js" | "shaka" | "hls.js", "url": "http://127.0.0.1:…", "chromium": "/usr/bin/chromium"}'
//
// Every player runs with the settings it ships with. The packages are those of tests/e2e/browser.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGES = join(HERE, "../../tests/e2e/browser/node_modules");
const { chromium } = createRequire(join(PACKAGES, "_"))("playwright-core");
const SCRIPTS = {
  "dash.js": "dashjs/dist/modern/umd/dash.all.min.js",
  shaka: "shaka-player/dist/shaka-player.compiled.js",
  "hls.js": "hls.js/dist/hls.min.js",
};
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-default-apps", "--mute-audio",
  "--autoplay-policy=no-user-gesture-required",
];
const LIMIT_MS = 240000;

const job = JSON.parse(process.argv[2]);
const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://x").pathname;
  if (path === "/player.js") {
    return response.writeHead(200, { "content-type": "text/javascript" }).end(await readFile(join(PACKAGES, SCRIPTS[job.player])));
  }
  if (path !== "/") return response.writeHead(404).end();
  const page = '<!doctype html><video id="video" playsinline style="width:960px;height:540px"></video><script src="/player.js"></script>';
  response.writeHead(200, { "content-type": "text/html" }).end(page);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

async function watch({ player, url, limitMs }) {
  const video = document.getElementById("video");
  const frames = [];
  const errors = [];
  let waitedS = 0;
  let waitingSince = null;
  const began = performance.now();
  const now = () => (performance.now() - began) / 1000;
  const onFrame = (time, facts) => {
    frames.push([(facts.presentationTime - began) / 1000, facts.mediaTime, facts.height]);
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
  video.addEventListener("waiting", () => { if (frames.length) waitingSince ??= now(); });
  video.addEventListener("playing", () => {
    if (waitingSince !== null) waitedS += now() - waitingSince;
    waitingSince = null;
  });
  video.addEventListener("error", () => errors.push(`video element: ${video.error?.message || video.error?.code}`));
  let version;
  if (player === "dash.js") {
    const it = dashjs.MediaPlayer().create();
    it.updateSettings({ debug: { logLevel: 0 } });
    it.initialize(video, url, true);
    version = dashjs.Version;
  } else if (player === "shaka") {
    shaka.polyfill.installAll();
    const it = new shaka.Player();
    await it.attach(video);
    it.addEventListener("error", (event) => errors.push(`shaka ${event.detail.code}`));
    video.autoplay = true;
    it.load(url).catch((error) => errors.push(`shaka ${error.code}`));
    version = shaka.Player.version;
  } else {
    const it = new Hls();
    it.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) errors.push(`hls.js ${data.details}`); });
    it.loadSource(url);
    it.attachMedia(video);
    video.autoplay = true;
    version = Hls.version;
  }
  while (!video.ended && !errors.length && performance.now() - began < limitMs) await new Promise((done) => setTimeout(done, 50));
  return { frames, stalled_s: waitedS, outcome: video.ended ? "PlaybackEnded" : "failed", version, errors };
}

const profile = await mkdtemp(join(tmpdir(), "cushion-watch-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: job.chromium, headless: true, args: FLAGS, viewport: { width: 960, height: 540 },
});
try {
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => window.dashjs || window.shaka || window.Hls);
  const report = await page.evaluate(watch, { player: job.player, url: job.url, limitMs: LIMIT_MS });
  process.stdout.write(JSON.stringify(report) + "\n");
} finally {
  await context.close();
  server.close();
  await rm(profile, { recursive: true, force: true });
}
