// Runs inside the browser: one player, one video element, and a report of what the element says it decoded.
"use strict";

const GIVE_UP_MS = 20000;

function load(source) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = done;
    script.onerror = () => failed(new Error(`${source} did not load`));
    document.head.append(script);
  });
}

/** Start dash.js; returns what stops it and what lists its ladder. */
async function startDash(video, url, errors) {
  await load("/dash.js");
  const player = dashjs.MediaPlayer().create();
  player.updateSettings({ debug: { logLevel: 0 }, streaming: { buffer: { fastSwitchEnabled: true } } });
  player.on(dashjs.MediaPlayer.events.ERROR, (event) => errors.push(`dash.js ${event.error?.code ?? ""} ${event.error?.message ?? event.error}`));
  player.initialize(video, url, false);
  return {
    stop: () => player.destroy(),
    ladder: () => player.getRepresentationsByType("video").map((one) => ({ height: one.height, bitrate: one.bandwidth })),
  };
}

async function startHls(video, url, errors) {
  await load("/hls.js");
  const player = new Hls({ enableWorker: false });
  player.on(Hls.Events.ERROR, (_, data) => {
    if (data.fatal) errors.push(`hls.js ${data.details}`);
  });
  player.loadSource(url);
  player.attachMedia(video);
  return {
    stop: () => player.destroy(),
    ladder: () => player.levels.map((one) => ({ height: one.height, bitrate: one.bitrate })),
  };
}

function ranges(buffered) {
  return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

window.judge = async ({ player, url, seconds }) => {
  const video = document.getElementById("video");
  const errors = [];
  const frames = [];
  const waiting = [];
  const began = performance.now();
  let firstFrameMs = null;
  video.addEventListener("error", () => errors.push(`video element: ${video.error?.message || video.error?.code}`));
  video.addEventListener("waiting", () => waiting.push(video.currentTime));
  const onFrame = (now, facts) => {
    firstFrameMs ??= now - began;
    if (frames.length < 400) frames.push(facts.mediaTime);
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);

  const running = await (player === "dash" ? startDash : startHls)(video, url, errors);
  const giveUp = () => errors.length > 0 || performance.now() - began > GIVE_UP_MS;
  while (!giveUp() && video.readyState < 2) await pause(20);
  const ladder = errors.length ? [] : running.ladder();
  const startTime = video.currentTime;
  const played = video.play().catch((error) => errors.push(`play(): ${error.message}`));
  while (!giveUp() && video.currentTime - startTime < seconds && !video.ended) await pause(20);
  await Promise.race([played, pause(100)]);
  const playedTo = video.currentTime;

  // Back to the start: the first frame must be there again, at 0.
  video.pause();
  const before = frames.length;
  if (!errors.length) {
    video.currentTime = 0;
    const deadline = performance.now() + 5000;
    while (frames.length === before && performance.now() < deadline) await pause(20);
  }
  const report = {
    player,
    version: player === "dash" ? window.dashjs?.Version : window.Hls?.version,
    first_frame_ms: firstFrameMs,
    first_frame_s: frames.length ? frames[0] : null,
    frame_after_seek_to_0_s: frames.length > before ? frames[frames.length - 1] : null,
    started_s: startTime,
    played_s: playedTo - startTime,
    frames_seen: before,
    dropped_frames: video.getVideoPlaybackQuality().droppedVideoFrames,
    decoded_video_bytes: video.webkitVideoDecodedByteCount,
    decoded_audio_bytes: video.webkitAudioDecodedByteCount,
    width_px: video.videoWidth,
    height_px: video.videoHeight,
    duration_s: Number.isFinite(video.duration) ? video.duration : null,
    waiting,
    buffered: ranges(video.buffered),
    ladder,
    errors: [...errors],
  };
  running.stop();
  return report;
};
