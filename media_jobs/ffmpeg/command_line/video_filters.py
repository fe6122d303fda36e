"""Filters of pictures, and their options.

A line is ``name letters: options``, an indented line goes on with the one before. The letters:
T has ``enable``, F keeps two pictures in step (``eof_action`` and its like), E goes on without end
unless an option says how long, R repeats without end where a number is negative. The options stand
in the order in which FFmpeg takes values without names, with their other names behind slashes.
``*``: an expression or a text; ``!``: names a file or gives orders, never allowed; ``@``: a file,
allowed as the alias of an input; ``^``: a font; the others are numbers, words and the like.
"""

from __future__ import annotations

TABLE = """
alphaextract:
alphamerge TF:
amplify T: radius factor threshold tolerance low high planes
atadenoise T: 0a 0b 1a 1b 2a 2b s p a 0s 1s 2s
avgblur T: sizeX planes sizeY
bbox T: min_val
bilateral T: sigmaS sigmaR planes
blackdetect: d/black_min_duration picture_black_ratio_th/pic_th pixel_black_th/pix_th
blackframe: amount threshold/thresh
blend TF: c0_mode c1_mode c2_mode c3_mode all_mode c0_expr* c1_expr* c2_expr* c3_expr* all_expr*
    c0_opacity c1_opacity c2_opacity c3_opacity all_opacity
blockdetect: period_min period_max planes
blurdetect: high low radius block_pct block_width block_height planes
bm3d T: sigma block bstep group range mstep thmse hdthr estim ref planes
boxblur T: luma_radius/lr* luma_power/lp chroma_radius/cr* chroma_power/cp alpha_radius/ar*
    alpha_power/ap
bwdif T: mode parity deint
cas T: strength planes
chromahold T: color similarity blend yuv
chromakey T: color similarity blend yuv
chromanr T: thres sizew sizeh stepw steph threy threu threv distance
chromashift T: cbh cbv crh crv edge
codecview T: mv qp mv_type/mvt frame_type/ft block
colorbalance T: rs gs bs rm gm bm rh gh bh pl
colorchannelmixer T: rr rg rb ra gr gg gb ga br bg bb ba ar ag ab aa pc pa
colorcontrast T: rc gm by rcw gmw byw pl
colorcorrect T: rl bl rh bh saturation analyze
colorhold T: color similarity blend
colorize T: hue saturation lightness mix
colorkey T: color similarity blend
colorlevels T: rimin gimin bimin aimin rimax gimax bimax aimax romin gomin bomin aomin romax gomax
    bomax aomax preserve
colormatrix T: src dst
colorspace T: all space range primaries trc format fast dither wpadapt iall ispace irange
    iprimaries itrc
colortemperature T: temperature mix pl
concat: n v a unsafe
convolution T: 0m* 1m* 2m* 3m* 0rdiv 1rdiv 2rdiv 3rdiv 0bias 1bias 2bias 3bias 0mode 1mode 2mode
    3mode
copy:
crop: out_w/w* out_h/h* x* y* keep_aspect exact
cropdetect T: limit round reset skip reset_count max_outliers
curves T: preset master/m* red/r* green/g* blue/b* all* psfile! plot!
dblur T: angle radius planes
dctdnoiz T: sigma/s overlap expr/e* n
deband T: 1thr 2thr 3thr 4thr range/r direction/d blur/b coupling/c
deblock T: filter block alpha beta gamma delta planes
decimate: cycle dupthresh scthresh blockx blocky ppsrc chroma
dedot T: m lt tl tc ct
deflate T: threshold0 threshold1 threshold2 threshold3
deflicker: size/s mode/m bypass
dejudder: cycle
delogo T: x* y* w* h* show
deshake: x y w h rx ry edge blocksize contrast search filename! opencl
despill T: type mix expand red green blue brightness alpha
dilation T: coordinates threshold0 threshold1 threshold2 threshold3
displace T: edge
doubleweave: first_field
drawbox T: x* y* width/w* height/h* color/c* thickness/t* replace box_source!
drawgrid T: x* y* width/w* height/h* color/c* thickness/t* replace
drawtext T: fontfile! text* textfile! fontcolor fontcolor_expr* boxcolor bordercolor shadowcolor
    box boxborderw line_spacing fontsize* x* y* shadowx shadowy borderw tabsize basetime font^
    expansion timecode* tc24hmax timecode_rate/r/rate reload! alpha* fix_bounds start_number
    text_source! text_shaping ft_load_flags
    text_align y_align boxw boxh
edgedetect T: high low mode planes
entropy T: mode
epx: n
eq T: contrast* brightness* saturation* gamma* gamma_r* gamma_g* gamma_b* gamma_weight* eval
erosion T: coordinates threshold0 threshold1 threshold2 threshold3
estdif T: mode parity deint rslope redge ecost mcost dcost interp
exposure T: exposure black
extractplanes: planes
fade T: type/t start_frame/s nb_frames/n alpha start_time/st duration/d color/c
fftdnoiz T: sigma amount block overlap method prev next planes window
fftfilt T: dc_Y dc_U dc_V weight_Y* weight_U* weight_V* eval
field: type
fieldmatch: order mode ppsrc field mchroma y0 y1 scthresh combmatch combdbg cthresh chroma blockx
    blocky combpel
fieldorder T: order
fillborders T: left right top bottom mode color
floodfill T: x y s0 s1 s2 s3 d0 d1 d2 d3
format: pix_fmts*
fps: fps* start_time round eof_action
framepack: format
framerate: fps interp_start interp_end scene flags
framestep T: step
freezedetect: n/noise d/duration
gblur T: sigma steps planes sigmaV
geq T: lum_expr/lum* cb_expr/cb* cr_expr/cr* alpha_expr/a* red_expr/r* green_expr/g* blue_expr/b*
    interpolation/i
gradfun T: strength radius
guided T: radius eps mode sub guidance planes
haldclut TF: clut interp
hflip T:
histeq T: strength intensity antibanding
histogram: level_height scale_height display_mode/d levels_mode/m components/c fgopacity/f
    bgopacity/b colors_mode/l
hqdn3d T: luma_spatial chroma_spatial luma_tmp chroma_tmp
hqx: n
hstack: inputs shortest
hue T: h* s* H* b*
huesaturation T: hue saturation intensity colors strength rw gw bw lightness
identity TF:
idet: intl_thres prog_thres rep_thres half_life analyze_interlaced_flag
il T: luma_mode/l chroma_mode/c alpha_mode/a luma_swap/ls chroma_swap/cs alpha_swap/as
inflate T: threshold0 threshold1 threshold2 threshold3
interlace: scan lowpass
kerndeint: thresh map order sharp twoway
lagfun T: decay planes
lenscorrection T: cx cy k1 k2 i fc
limiter T: min max planes
loop R: loop size start
lumakey T: threshold tolerance softness
lut T: c0* c1* c2* c3* y* u* v* r* g* b* a*
lut2 TF: c0* c1* c2* c3* d
lutrgb T: c0* c1* c2* c3* y* u* v* r* g* b* a*
lutyuv T: c0* c1* c2* c3* y* u* v* r* g* b* a*
maskedclamp T: undershoot overshoot planes
maskedmerge T: planes
median T: radius planes radiusV percentile
mergeplanes: mapping format map0s map0p map1s map1p map2s map2p map3s map3p
metadata T: mode key* value* function expr* file! direct
midequalizer T: planes
minterpolate: fps mi_mode mc_mode me_mode me mb_size search_param vsbmc scd scd_threshold
mix T: inputs weights* scale planes duration
monochrome T: cb cr size high
mpdecimate: max hi lo frac
negate T: components negate_alpha
nlmeans T: s p pc r rc
noformat: pix_fmts*
noise T: all_seed all_strength/alls all_flags/allf c0_seed c0_strength/c0s c0_flags/c0f c1_seed
    c1_strength/c1s c1_flags/c1f c2_seed c2_strength/c2s c2_flags/c2f c3_seed c3_strength/c3s
    c3_flags/c3f
normalize T: blackpt whitept smoothing independence strength
null:
nullsink:
overlay TF: x* y* eof_action eval shortest format repeatlast alpha
owdenoise T: depth luma_strength/ls chroma_strength/cs
pad: width/w* height/h* x* y* color eval aspect
palettegen: max_colors reserve_transparent transparency_color stats_mode use_alpha
paletteuse: dither bayer_scale diff_mode new alpha_threshold debug_kdtree!
perspective T: x0* y0* x1* y1* x2* y2* x3* y3* interpolation sense eval
photosensitivity: frames/f threshold/t skip bypass
pixelize T: width/w height/h mode/m planes/p
premultiply T: planes inplace
prewitt T: planes scale delta
pseudocolor T: c0* c1* c2* c3* index/i preset/p opacity
psnr TF: stats_file/f! stats_version output_max
pullup: jl jr jt jb sb mp
qp T: qp*
random: frames seed
removegrain T: m0 m1 m2 m3
reverse:
rgbashift T: rh rv gh gv bh bv ah av edge
roberts T: planes scale delta
rotate T: angle/a* out_w/ow* out_h/oh* fillcolor/c* bilinear
sab T: luma_radius/lr luma_pre_filter_radius/lpfr luma_strength/ls chroma_radius/cr
    chroma_pre_filter_radius/cpfr chroma_strength/cs
scale: w/width* h/height* flags* interl in_color_matrix* out_color_matrix* in_range out_range
    in_v_chr_pos in_h_chr_pos out_v_chr_pos out_h_chr_pos force_original_aspect_ratio
    force_divisible_by param0 param1 eval
scale2ref: w/width* h/height* flags* interl in_color_matrix* out_color_matrix* in_range out_range
    in_v_chr_pos in_h_chr_pos out_v_chr_pos out_h_chr_pos force_original_aspect_ratio
    force_divisible_by param0 param1 eval
scdet: threshold/t sc_pass/s
select: expr/e* outputs/n
selectivecolor T: correction_method reds* yellows* greens* cyans* blues* magentas* whites*
    neutrals* blacks* psfile!
separatefields:
setdar: dar/ratio/r* max
setfield: mode
setparams: field_mode range color_primaries color_trc colorspace
setpts: expr*
setrange: range
setsar: sar/ratio/r* max
settb: expr/tb*
shear T: shx shy fillcolor/c* interp
showinfo: checksum
shuffleframes T: mapping*
shuffleplanes T: map0 map1 map2 map3
signalstats: stat out c/color
siti: print_summary
smartblur T: luma_radius/lr luma_strength/ls luma_threshold/lt chroma_radius/cr chroma_strength/cs
    chroma_threshold/ct
sobel T: planes scale delta
split: outputs
spp T: quality qp mode use_bframe_qp
ssim TF: stats_file/f!
stereo3d: in out
subtitles: filename/f@ original_size fontsdir! alpha charenc! stream_index/si force_style*
super2xsai:
swaprect T: w* h* x1* y1* x2* y2*
swapuv T:
tblend T: c0_mode c1_mode c2_mode c3_mode all_mode c0_expr* c1_expr* c2_expr* c3_expr* all_expr*
    c0_opacity c1_opacity c2_opacity c3_opacity all_opacity
telecine: first_field pattern*
threshold T: planes
thumbnail T: n
tile: layout nb_frames margin padding color overlap init_padding
tinterlace: mode
tmedian T: radius planes percentile
tmix T: frames weights* scale planes
tonemap: tonemap param desat peak
tpad R: start stop start_mode stop_mode start_duration stop_duration color
transpose: dir passthrough
trim: start/starti end/endi start_pts end_pts duration/durationi start_frame end_frame
unpremultiply T: planes inplace
unsharp T: luma_msize_x/lx luma_msize_y/ly luma_amount/la chroma_msize_x/cx chroma_msize_y/cy
    chroma_amount/ca alpha_msize_x/ax alpha_msize_y/ay alpha_amount/aa
untile: layout
v360: input output interp w h in_stereo out_stereo in_forder* out_forder* in_frot* out_frot*
    in_pad out_pad fin_pad fout_pad yaw pitch roll rorder* h_fov v_fov d_fov h_flip v_flip d_flip
    ih_flip iv_flip in_trans out_trans ih_fov iv_fov id_fov h_offset v_offset alpha_mask reset_rot
vaguedenoiser T: threshold method nsteps percent planes type
vectorscope: mode/m x y intensity/i envelope/e graticule/g opacity/o flags/f bgopacity/b
    lthreshold/l hthreshold/h colorspace/c tint0/t0 tint1/t1
vflip T:
vibrance T: intensity rbal gbal bbal rlum glum blum alternate
vif T:
vignette T: angle/a* x0* y0* mode eval dither aspect
vstack: inputs shortest
w3fdif T: filter mode parity deint
waveform: mode/m intensity/i mirror/r display/d components/c envelope/e filter/f graticule/g
    opacity/o flags/fl scale/s bgopacity/b tint0/t0 tint1/t1 fitmode/fm
weave: first_field
xbr: n
xfade: transition duration offset expr*
xmedian TF: inputs planes percentile
xstack: inputs layout* grid shortest fill*
yadif T: mode parity deint
zoompan: zoom/z* x* y* d* s fps
zscale: w/width* h/height* size/s* dither/d filter/f out_range/range/r primaries/p transfer/t
    matrix/m in_range/rangein/rin primariesin/pin transferin/tin matrixin/min chromal/c
    chromalin/cin npl agamma param_a param_b
"""
