"""Sources: pictures and sounds made of nothing, and their options.

See ``video_filters`` for how to read it.
"""

from __future__ import annotations

TABLE = """
aevalsrc E: exprs* nb_samples/n sample_rate/s* duration/d channel_layout/c*
allrgb E: rate/r duration/d sar
allyuv E: rate/r duration/d sar
anoisesrc E: sample_rate/r amplitude/a duration/d color/colour/c seed/s nb_samples/n
anullsrc E: channel_layout/cl* sample_rate/r* nb_samples/n duration/d
color E: color/c size/s rate/r duration/d sar
colorchart E: rate/r duration/d sar patch_size preset
colorspectrum E: size/s rate/r duration/d sar type
gradients E: size/s rate/r c0 c1 c2 c3 c4 c5 c6 c7 x0 y0 x1 y1 nb_colors/n seed duration/d speed
    type/t
hilbert E: sample_rate/r taps/t nb_samples/n win_func/w
mandelbrot E: size/s rate/r maxiter start_x start_y start_scale end_scale end_pts bailout morphxf
    morphyf morphamp outer inner
nullsrc E: size/s rate/r duration/d sar
pal100bars E: size/s rate/r duration/d sar
pal75bars E: size/s rate/r duration/d sar
rgbtestsrc E: size/s rate/r duration/d sar complement/co
sierpinski E: size/s rate/r seed jump type
sinc E: sample_rate/r nb_samples/n hp lp phase beta att round hptaps lptaps
sine E: frequency/f beep_factor/b sample_rate/r duration/d samples_per_frame*
smptebars E: size/s rate/r duration/d sar
smptehdbars E: size/s rate/r duration/d sar
testsrc E: size/s rate/r duration/d sar decimals/n
testsrc2 E: size/s rate/r duration/d sar alpha
yuvtestsrc E: size/s rate/r duration/d sar
"""
