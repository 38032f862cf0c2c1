"""The last step of an ingest: write the manifests, then the catalog row that makes the title exist."""

from __future__ import annotations

from cushion_sdk.contracts import IngestRequest, Ladder, LadderRung, Title
from cushion_servers.db.titles import Titles
from cushion_servers.ingest.plan import IngestPlan
from cushion_servers.manifests.description import (
    MASTER_NAME,
    MPD_NAME,
    AudioTrack,
    TitleDescription,
    VideoTrack,
    mean_bitrate_bps,
    peak_bitrate_bps,
)
from cushion_servers.store import ObjectStore, full_disk_translated
from cushion_servers.transcode.facts import AUDIO_RATE_HZ, StoredObject, TrackRecord

MEDIA_ROOT = "/media/"


async def publish_title(
    plan: IngestPlan,
    request: IngestRequest,
    video: list[TrackRecord],
    audio: TrackRecord | None,
    poster: StoredObject,
    *,
    name: str,
    store: ObjectStore,
    titles: Titles,
    now_ms: int,
) -> Title:
    """Publish a title whose objects are all stored. Until the catalog row is written nothing is visible."""
    description = _describe(plan, video, audio)
    with full_disk_translated():
        for file_name, text in _manifests(description).items():
            store.put(f"titles/{plan.title_id}/{file_name}", text.encode())
    folder = f"{MEDIA_ROOT}titles/{plan.title_id}"
    title = Title(
        title_id=plan.title_id,
        name=name,
        duration_s=float(plan.duration),
        dash_path=f"{folder}/{MPD_NAME}",
        hls_path=f"{folder}/{MASTER_NAME}",
        poster_path=MEDIA_ROOT + poster.name,
        ladder=_ladder(description),
        note=plan.note,
        licence=request.licence,
        published_ms=now_ms,
    )
    await titles.publish(title)
    return title


def _manifests(description: TitleDescription) -> dict[str, str]:
    # Both libraries are loaded only now: a backend that publishes nothing does not pay for them.
    from cushion_servers.manifests.dash import write_mpd
    from cushion_servers.manifests.hls import write_playlists

    return {**write_playlists(description), MPD_NAME: write_mpd(description)}


def _describe(plan: IngestPlan, video: list[TrackRecord], audio: TrackRecord | None) -> TitleDescription:
    info = plan.source.info
    return TitleDescription(
        video=tuple(
            VideoTrack(record, rung.width_px, rung.height_px, info.fps)
            for record, rung in zip(video, plan.rungs, strict=True)
        ),
        audio=AudioTrack(audio, info.audio_language, AUDIO_RATE_HZ, 2) if audio is not None else None,
        duration=plan.duration,
        segment_s=plan.segment_s,
    )


def _ladder(description: TitleDescription) -> Ladder:
    fps = description.video[0].fps
    return Ladder(
        video=[
            LadderRung(
                height_px=track.height_px,
                width_px=track.width_px,
                bitrate_bps=mean_bitrate_bps(track.record),
                peak_bitrate_bps=peak_bitrate_bps(track.record, description.segment_s),
                codecs=track.record.codecs,
            )
            for track in description.video
        ],
        audio_bitrate_bps=mean_bitrate_bps(description.audio.record) if description.audio else 0,
        frame_rate=f"{fps.numerator}/{fps.denominator}",
        segment_s=description.segment_s,
    )
