"""Filters of sound, and pictures of sound, and their options.

See ``video_filters`` for how to read it.
"""

from __future__ import annotations

TABLE = """
abitscope: rate/r size/s colors* mode/m
acompressor: level_in mode threshold ratio attack release makeup knee link detection level_sc mix
acontrast: contrast
acrossfade: nb_samples/ns duration/d overlap/o curve1/c1 curve2/c2
acrossover: split* order level gain* precision
acrusher T: level_in level_out bits mix mode dc aa samples lfo lforange lforate
adeclick T: window/w overlap/o arorder/a threshold/t burst/b method/m
adeclip T: window/w overlap/o arorder/a threshold/t hsize/n method/m
adelay T: delays* all
adynamicequalizer T: threshold dfrequency dqfactor tfrequency tqfactor attack release knee ratio
    makeup range slew mode tftype
aecho: in_gain out_gain delays* decays*
aemphasis T: level_in level_out mode type
aeval T: exprs* channel_layout/c*
aexciter T: level_in level_out amount drive blend freq ceil listen
afade T: type/t start_sample/ss nb_samples/ns start_time/st duration/d curve/c
afftdn T: noise_reduction/nr noise_floor/nf noise_type/nt band_noise/bn* residual_floor/rf
    track_noise/tn track_residual/tr output_mode/om adaptivity/ad floor_offset/fo noise_link/nl
    band_multiplier/bm sample_noise/sn gain_smooth/gs
afftfilt T: real* imag* win_size win_func overlap
afir T: dry wet length gtype irgain irfmt maxir response channel size rate minp maxp nbirs ir
    precision
aformat: sample_fmts/f* sample_rates/r* channel_layouts/cl*
afreqshift T: shift level order
agate T: level_in mode range threshold ratio attack release makeup knee detection link level_sc
ahistogram: dmode rate/r size/s scale ascale acount rheight slide hmode
alimiter T: level_in level_out limit attack release asc asc_level level latency
allpass T: frequency/f width_type/t width/w mix/m channels/c* normalize/n order/o transform/a
    precision/r
aloop R: loop size start
amerge: inputs
ametadata T: mode key* value* function expr* file! direct
amix: inputs duration dropout_transition weights* normalize
amultiply:
anequalizer T: params* curves size mgain fscale colors*
anlmdn T: strength/s patch/p research/r output/o smooth/m
anull:
anullsink:
apad TE: packet_size pad_len whole_len pad_dur whole_dur
aphasemeter: rate/r size/s rc gc bc mpc* video phasing tolerance/t angle/a duration/d
aphaser: in_gain out_gain delay decay speed type
aphaseshift T: shift level order
apulsator: level_in level_out mode amount offset_l offset_r width timing bpm ms hz
aresample: sample_rate async first_pts min_comp min_hard_comp comp_duration max_soft_comp
    out_sample_fmt/osf in_sample_fmt/isf out_channel_layout/ocl in_channel_layout/icl
    out_chlayout in_chlayout in_sample_rate/isr out_sample_rate/osr resampler filter_size
    phase_shift linear_interp exact_rational cutoff precision cheby dither_method dither_scale
    matrix_encoding filter_type kaiser_beta rematrix_volume/rmvol center_mix_level/clev
    surround_mix_level/slev lfe_mix_level flags/swr_flags internal_sample_fmt/tsf
areverse:
aselect: expr/e* outputs/n
asetnsamples T: nb_out_samples/n pad/p
asetpts: expr*
asetrate: sample_rate/r
asettb: expr/tb*
ashowinfo:
asoftclip T: type threshold output param oversample
asplit: outputs
astats: length metadata reset measure_perchannel measure_overall
asubboost T: dry wet boost decay feedback cutoff slope delay channels*
asubcut T: cutoff order level
asupercut T: cutoff order level
atempo: tempo
atilt T: freq slope width order level
atrim: start/starti end/endi start_pts end_pts duration/durationi start_sample end_sample
avectorscope: mode/m rate/r size/s rc gc bc ac rf gf bf af zoom draw scale swap mirror
axcorrelate: size algo
bandpass T: frequency/f width_type/t width/w csg mix/m channels/c* normalize/n transform/a
    precision/r blocksize/b
bandreject T: frequency/f width_type/t width/w mix/m channels/c* normalize/n transform/a
    precision/r blocksize/b
bass T: frequency/f width_type/t width/w gain/g poles/p mix/m channels/c* normalize/n transform/a
    precision/r blocksize/b
biquad T: a0 a1 a2 b0 b1 b2 mix/m channels/c* normalize/n transform/a precision/r blocksize/b
bs2b: profile fcut feed
channelmap: map* channel_layout*
channelsplit: channel_layout* channels*
chorus: in_gain out_gain delays* decays* speeds* depths*
compand: attacks* decays* points* soft-knee gain volume delay
compensationdelay T: mm cm m dry wet temp
crossfeed T: strength range slope level_in level_out block_size
crystalizer T: i c
dcshift T: shift limitergain
deesser T: i m f s
dialoguenhance T: original enhance voice
drmeter: length
dynaudnorm T: framelen/f gausssize/g peak/p maxgain/m targetrms/r coupling/n correctdc/c
    altboundary/b compress/s threshold/t channels/h* overlap/o
earwax:
ebur128: video size meter framelog metadata peak dualmono panlaw target gauge scale
equalizer T: frequency/f width_type/t width/w gain/g mix/m channels/c* normalize/n transform/a
    precision/r blocksize/b
extrastereo T: m c
firequalizer: gain* gain_entry* delay accuracy wfunc fixed multi zero_phase scale dumpfile!
    dumpscale fft2 min_phase
flanger: delay depth regen width speed shape phase interp
haas: level_in level_out side_gain middle_source middle_phase left_delay left_balance left_gain
    left_phase right_delay right_balance right_gain right_phase
headphone: map* gain lfe type size hrir
highpass T: frequency/f width_type/t width/w poles/p mix/m channels/c* normalize/n transform/a
    precision/r blocksize/b
highshelf T: frequency/f width_type/t width/w gain/g poles/p mix/m channels/c* normalize/n
    transform/a precision/r blocksize/b
join: inputs channel_layout* map*
loudnorm: I/i LRA/lra TP/tp measured_I/measured_i measured_LRA/measured_lra
    measured_TP/measured_tp measured_thresh offset linear dual_mono print_format
lowpass T: frequency/f width_type/t width/w poles/p mix/m channels/c* normalize/n transform/a
    precision/r blocksize/b
lowshelf T: frequency/f width_type/t width/w gain/g poles/p mix/m channels/c* normalize/n
    transform/a precision/r blocksize/b
mcompand: args*
pan: args*
replaygain:
rubberband: tempo pitch transients detector phase window smoothing formant pitchq channels
showfreqs: size/s rate/r mode ascale fscale win_size win_func overlap averaging colors* cmode
    minamp data channels*
showspectrum: size/s slide mode color scale fscale saturation win_func orientation overlap gain
    data rotation start stop fps* legend drange limit opacity
showspectrumpic: size/s mode color scale fscale saturation win_func orientation gain legend
    rotation start stop drange limit opacity
showvolume: rate/r b w h f c* t v dm dmc o s p m ds
showwaves: size/s mode n rate/r split_channels colors* scale draw
showwavespic: size/s split_channels colors* scale draw filter
sidechaincompress: level_in mode threshold ratio attack release makeup knee link detection
    level_sc mix
sidechaingate T: level_in mode range threshold ratio attack release makeup knee detection link
    level_sc
silencedetect: n/noise d/duration mono/m
silenceremove T: start_periods start_duration start_threshold start_silence start_mode stop_periods
    stop_duration stop_threshold stop_silence stop_mode detection window
speechnorm T: peak/p expansion/e compression/c threshold/t raise/r fall/f channels/h* invert/i
    link/l
stereotools T: level_in level_out balance_in balance_out softclip mutel muter phasel phaser mode
    slev sbal mlev mpan base delay sclevel phase bmode_in bmode_out
stereowiden T: delay feedback crossfeed drymix
superequalizer: 1b 2b 3b 4b 5b 6b 7b 8b 9b 10b 11b 12b 13b 14b 15b 16b 17b 18b
surround: chl_out* chl_in* level_in level_out lfe lfe_low lfe_high lfe_mode angle fc_in fc_out
    fl_in fl_out fr_in fr_out sl_in sl_out sr_in sr_out bl_in bl_out br_in br_out bc_in bc_out
    lfe_in lfe_out allx ally fcx flx frx blx brx slx srx bcx fcy fly fry bly bry sly sry bcy
    win_size win_func overlap
tiltshelf T: frequency/f width_type/t width/w gain/g poles/p mix/m channels/c* normalize/n
    transform/a precision/r blocksize/b
treble T: frequency/f width_type/t width/w gain/g poles/p mix/m channels/c* normalize/n
    transform/a precision/r blocksize/b
tremolo T: f d
vibrato T: f d
virtualbass T: cutoff strength
volume T: volume* precision eval replaygain replaygain_preamp replaygain_noclip
volumedetect:
"""
