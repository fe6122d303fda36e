"""The options that a command may have, as data: by where they stand and what they take.

A name in neither table is refused. "flag" takes no value; the other kinds are those of
``values`` or are read by ``reading`` (graph, codec, demuxer, muxer, bsf, params).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Table = Mapping[str, str]


def _table(by_kind: Mapping[str, str]) -> Table:
    return {name: kind for kind, names in by_kind.items() for name in names.split()}


# What the service says to every FFmpeg itself; taken, and not passed on.
SET_BY_US: Table = _table({
    "flag": "y hide_banner nostdin stdin stats nostats",
    "word": "loglevel v",
    "number": "stats_period",
})  # fmt: skip

GLOBAL: Table = _table({
    "graph": "filter_complex",
    "int": "filter_threads filter_complex_threads",
    "flag": "copyts start_at_zero",
})  # fmt: skip

INPUT: Table = _table({
    "time": "ss sseof t to itsoffset",
    "loops": "stream_loop",
    "switch": "loop",
    "rate": "r framerate",
    "int": "threads probesize analyzeduration max_alloc guess_layout_max seek_timestamp",
    "flags": "fflags flags err_detect discard skip_frame skip_loop_filter strict",
    "flag": "an vn sn dn noautorotate accurate_seek noaccurate_seek fix_sub_duration",
    "number": "itsscale",
    "codec": "c",
    "demuxer": "f",
})  # fmt: skip

OUTPUT: Table = _table({
    "time": "ss t to muxdelay muxpreload shortest_buf_duration final_delay",
    "flag": "an vn sn dn shortest bitexact noautoscale",
    "graph": "filter",
    "codec": "c",
    "muxer": "f",
    "bsf": "bsf",
    "map": "map",
    "from": "map_metadata map_chapters",
    "metadata": "metadata",
    "keyframes": "force_key_frames",
    "rate": "r fpsmax",
    "size": "s",
    "ratio": "aspect",
    "timebase": "enc_time_base",
    "layout": "channel_layout ch_layout",
    "bits": "b minrate maxrate bufsize fs muxrate rc_init_occupancy rc_max_vbv_use",
    "loops": "loop",
    "pair": "psy-rd deblock rc_override dynamic_range",
    "flags": """
        movflags flags flags2 fflags mpegts_flags disposition strict sws_flags partitions
        avoid_negative_ts coder ts-flags error-resilient error-resilience mpv_flags
    """,
    "word": """
        pix_fmt sample_fmt preset tune profile level tag fps_mode brand vendor
        color_range colorspace color_primaries color_trc chroma_sample_location field_order
        deadline quality aac_coder application ch_mode lpc_type prediction_order_method pred
        sharp_yuv me_method motion-est direct-pred nal-hrd b-pyramid weightp aq-mode usage
        tier tune-content rc default_mode write_peak rf64 quant_mat cutoff stereo_mode
        dstereo room_type dmix_mode channel_coupling subq cmp subcmp mbcmp mbd trellis
        dither_method mpegts_service_type huffman vbr
    """,
    "int": """
        ac ar frames g bf refs keyint_min sc_threshold qmin qmax qdiff me_range threads
        slices bits_per_raw_sample max_muxing_queue_size copytb video_track_timescale
        movie_timescale frag_duration min_frag_duration frag_size write_tmcd
        id3v2_version write_id3v1 write_xing cpu-used lag-in-frames tile-columns tile-rows
        tile_columns tile_rows auto-alt-ref arnr-maxframes arnr-strength arnr-type
        static-thresh row-mt speed noise-sensitivity sharpness undershoot-pct overshoot-pct
        max-intra-rate min_partition_order max_partition_order lpc_coeff_precision lpc_passes
        mapping_family packet_loss mbs_per_slice bits_per_mb alpha_bits slicecrc context
        rc-lookahead rc_lookahead b_strategy b-bias chromaoffset slice-max-size la_depth
        dialnorm dsurmod original copyright mpegts_pmt_start_pid mpegts_start_pid
        mpegts_service_id mpegts_transport_stream_id pat_period sdt_period tables_version
        cluster_size_limit cluster_time_limit start_number gifflags denoise-noise-level
        denoise-block-size reserve_index_space page_duration compression_level level_limit
        max_interleave_delta max_delay b_sensitivity skip_threshold noise_reduction
        mpegts_original_network_id pes_payload_size pcr_period oggpagesize serial_offset
    """,
    "number": """
        crf crf_max qp q global_quality qcomp qblur b_qfactor i_qfactor b_qoffset i_qoffset
        aq-strength cplxblur frame_duration abr reservoir joint_stereo iblock
        center_mixlev surround_mixlev mixing_level dpi dpm
    """,
    "switch": """
        lossless use_editlist write_btrt empty_hdlr_name update cues_to_front
        write_crc32 live mpegts_copyts frame-parallel enable-tpl enable-cdef enable-restoration
        enable-global-motion enable-intrabc enable-palette still-picture fec apply_phase_inv
        aac_ms aac_is aac_pns aac_tns fast-pskip mbtree mixed-refs 8x8dct weightb psy aud
        intra-refresh bluray-compat forced-idr wpredp a53cc udu_sei ssim fastfirstpass
        exact_rice_parameters multi_dim_quant omit_video_pes_length write_header rtl
        sc_detection write_id3v2 mpegts_m2ts_mode stereo_rematrixing
    """,
    "params": "x264-params x264opts x265-params svtav1-params aom-params",
})  # fmt: skip

# Written otherwise, meant the same.
SYNONYMS: Table = {
    "codec": "c",
    "vcodec": "c:v",
    "acodec": "c:a",
    "scodec": "c:s",
    "vf": "filter:v",
    "af": "filter:a",
    "lavfi": "filter_complex",
    "vframes": "frames:v",
    "aframes": "frames:a",
    "ab": "b:a",
    "vb": "b:v",
    "qscale": "q",
    "aq": "q:a",
    "vtag": "tag:v",
    "atag": "tag:a",
    "stag": "tag:s",
    "absf": "bsf:a",
    "vbsf": "bsf:v",
    "vsync": "fps_mode",
}

# -vsync took numbers; -fps_mode knows the words only.
FPS_MODES: Table = {"0": "passthrough", "1": "cfr", "2": "vfr", "-1": "auto"}

_FILES = "files are named by their aliases only"
ADVICE: Table = {
    "attach": _FILES,
    "dump_attachment": _FILES,
    "filter_script": "write the graph itself after -vf or -af",
    "filter_complex_script": "write the graph itself after -filter_complex",
    "pre": "presets in files are not read; -preset is allowed",
    "vpre": "presets in files are not read; -preset is allowed",
    "apre": "presets in files are not read; -preset is allowed",
    "fpre": "presets in files are not read; -preset is allowed",
    "pass": "two passes are part of the operation transcode: two_pass",
    "passlogfile": "two passes are part of the operation transcode: two_pass",
    "report": "the job's log has all that FFmpeg says",
    "progress": "the job's progress has it",
    "vstats": "the job's log has what FFmpeg says",
    "vstats_file": "the job's log has what FFmpeg says",
    "re": "files are read as fast as they can be",
    "readrate": "files are read as fast as they can be",
    "target": "name codec, size and rate by options of their own",
    "hwaccel": "the service chooses the device; leave it out",
    "init_hw_device": "the service chooses the device; leave it out",
    "protocol_whitelist": "the service sets it: only the job's own files are read",
    "format_whitelist": "the service sets it: a file is read as what it is",
    "f": "it belongs before a file",
    "n": "outputs are always new files",
    "safe": "join clips with the filter concat, or the operation video/concat",
}


def known() -> Iterator[tuple[str, str]]:
    for table in (SET_BY_US, GLOBAL, INPUT, OUTPUT):
        yield from table.items()


FLAGS = frozenset(name for name, kind in known() if kind == "flag")
NAMES = frozenset(name for name, _ in known())

# These concern the file as a whole: FFmpeg would pass over a stream named behind them.
WHOLE_FILE = frozenset({
    "ss", "sseof", "t", "to", "itsoffset", "stream_loop", "f", "filter_complex", "map", "fs",
    "map_chapters", "shortest", "movflags", "filter_threads", "filter_complex_threads",
})  # fmt: skip

_REPEATABLE = frozenset({"map", "metadata"})


def adds_up(name: str, value: str) -> bool:
    """Whether an option adds to an earlier one of its name, instead of taking its place.

    Flags do with a sign before them: see ``AV_DICT_APPEND`` in fftools/cmdutils.c.
    """
    name = name.partition(":")[0]
    is_flags = OUTPUT.get(name) == "flags" and name != "disposition"
    return name in _REPEATABLE or (is_flags and value[:1] in {"+", "-"})
