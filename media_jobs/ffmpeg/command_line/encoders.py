"""The codecs that a command may name, and what it may say in x264's own words and their like.

Encoders for GPUs are left out: the operations choose the device. Parameters that name files
(statistics, logs, matrices, zones, dumps) are in no list.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENCODERS = _words("""
    libx264 libx264rgb libx265 libvpx libvpx-vp9 libaom-av1 libsvtav1 librav1e
     mpeg4 libxvid mpeg2video mpeg1video h263 wmv2 flv prores prores_ks prores_aw dnxhd ffv1
    ffvhuff huffyuv utvideo cfhd snow qtrle rawvideo mjpeg png apng gif libwebp libwebp_anim bmp
    tiff targa jpeg2000 libjxl ppm libtheora aac ac3 eac3 flac alac libmp3lame libopus
    libvorbis mp2 libtwolame wavpack tta wmav2 libspeex g722 adpcm_ima_wav adpcm_ms dca
    truehd pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be pcm_f32le pcm_f32be
    pcm_f64le pcm_u8 pcm_s8 pcm_alaw pcm_mulaw mov_text srt subrip ass ssa webvtt text dvbsub
    dvdsub
""")

# A codec's name stands for its usual encoder.
USUAL = {
    "h264": "libx264",
    "hevc": "libx265",
    "h265": "libx265",
    "vp8": "libvpx",
    "vp9": "libvpx-vp9",
    "av1": "libsvtav1",
    "mp3": "libmp3lame",
    "opus": "libopus",
    "vorbis": "libvorbis",
}

# FFmpeg's own decoder of VP8 and VP9 does not see their transparency; these do.
DECODERS = frozenset({"libvpx", "libvpx-vp9"})

BITSTREAM_FILTERS = _words("""
    null h264_mp4toannexb hevc_mp4toannexb aac_adtstoasc mp3decomp mpeg4_unpack_bframes
    extract_extradata dump_extra remove_extra vp9_superframe vp9_superframe_split
    av1_frame_merge eac3_core dca_core truehd_core pcm_rechunk
""")

_X264 = _words("""
    8x8dct aq-mode aq-strength annexb aud b-adapt b-bias b-pyramid bff bframes bitrate
    bluray-compat cabac chroma-me chroma-qp-offset chromaloc colormatrix colorprim
    constrained-intra crf crf-max crop-rect dct-decimate deadzone-inter deadzone-intra
    deblock direct direct-pred fade-compensate fake-interlaced fast-pskip filler force-cfr fps
    frame-packing fullrange interlaced intra-refresh ipratio keyint keyint-min level
    lookahead-threads me merange min-keyint mixed-refs mvrange nal-hrd no-8x8dct no-cabac
    no-chroma-me no-dct-decimate no-deblock no-fast-pskip no-mbtree no-mixed-refs no-psy
    no-scenecut no-weightb nr open-gop overscan partitions pbratio pic-struct psy psy-rd qblur
    qcomp qp qpmax qpmin qpstep range ratetol rc-lookahead ref sar scenecut slices
    sliced-threads slice-max-size slice-max-mbs stitchable subme subq sync-lookahead tff threads
    transfer trellis vbv-bufsize vbv-init vbv-maxrate videoformat weightb weightp
""")

_X265 = _words("""
    aq-mode aq-motion aq-strength amp asm aud b-adapt b-intra b-pyramid bframe-bias bframes
    bitrate cbqpoffs chromaloc chroma-hdr10 colormatrix colorprim constrained-intra crf crf-max
    crf-min crqpoffs ctu cu-lossless cutree deblock early-skip fades fast-intra frame-dup
    frame-threads hdr10 hdr10-opt high-tier hist-scenecut hme hrd idr-recovery-sei info
    intra-refresh ipratio keyint level-idc limit-modes limit-refs limit-sao limit-tu log-level
    lookahead-slices lookahead-threads lossless master-display max-cll max-merge max-tu-size
    mcstf me merange min-cu-size min-keyint no-open-gop no-sao no-scenecut no-wpp nr-inter
    nr-intra open-gop opt-cu-delta-qp overscan pbratio pmode pme pools profile psy-rd psy-rdoq
    qcomp qg-size qp qpmax qpmin qpstep range rc-grain rc-lookahead rd rdoq-level rdpenalty rect
    ref repeat-headers rskip rskip-edge-threshold sao sao-non-deblock sar scenecut scenecut-bias
    selective-sao slices splitrd-skip ssim-rd strong-intra-smoothing subme temporal-mvp transfer
    tskip tskip-fast tu-inter-depth tu-intra-depth uhd-bd vbv-bufsize vbv-end vbv-init
    vbv-maxrate videoformat weightb weightp wpp
""")

_SVT = _words("""
    aq-mode color-primaries color-range crf enable-cdef enable-dlf enable-hdr enable-mfmv
    enable-overlays enable-qm enable-restoration enable-tf enable-variance-boost fast-decode
    film-grain film-grain-denoise hierarchical-levels irefresh-type keyint level lookahead lp
    lossless matrix-coefficients max-qp mbr min-qp pin pred-struct preset profile qm-max qm-min
    qp rc rmv scd scm sharpness startup-mg-size tbr tier tile-columns tile-rows
    transfer-characteristics tune undershoot-pct variance-boost-strength variance-octile
""")

_AOM = _words("""
    aq-mode arnr-maxframes arnr-strength cdf-update-mode color-primaries cpu-used cq-level
    deltaq-mode denoise-noise-level denoise-block-size enable-cdef enable-chroma-deltaq
    enable-dnl-denoising enable-fwd-kf enable-global-motion enable-keyframe-filtering
    enable-obmc enable-palette enable-qm enable-restoration enable-tpl-model
    enable-warped-motion film-grain-test frame-parallel lossless matrix-coefficients
    max-intra-rate qm-max qm-min row-mt sharpness tile-columns tile-rows
    transfer-characteristics tune tune-content
""")

PARAMETERS: dict[str, frozenset[str]] = {
    "x264-params": _X264,
    "x264opts": _X264,
    "x265-params": _X265,
    "svtav1-params": _SVT,
    "aom-params": _AOM,
}
