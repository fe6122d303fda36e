"""What holds for the arguments of every accepted command, checked without the parser's own eyes.

The arguments are read again by rules of FFmpeg's own: every option that may occur takes one value
but for the flags named here; all that is left are files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FLAGS = _words("""
    -y -hide_banner -nostdin -nostats -copyts -start_at_zero -an -vn -sn -dn -shortest -bitexact
    -noautorotate -noautoscale -accurate_seek -noaccurate_seek -fix_sub_duration
""")

FORBIDDEN_OPTIONS = re.compile(
    r"-(attach|dump_attachment|filter_script|filter_complex_script|[vasf]?pre|passlogfile|report"
    r"|vstats(_file)?|sdp_file|sdp_url|dump|stats|init_hw_device|hwaccel\w*|vaapi_device|qsv_device"
    r"|target|protocol_opts|f_?script|headers|cookies|user_agent|listen|method|content_type"
    r"|encryption_\w+|decryption_\w+|enable_drefs|safe|pattern_type|strftime|segment_\w+|hls_\w+"
    r"|use_wallclock\w*|codec_whitelist|pass|/.*)(:.*)?"
)
FORBIDDEN_FILTERS = _words("""
    movie amovie sendcmd asendcmd zmq azmq frei0r frei0r_src ladspa lv2 lut1d lut3d removelogo
    ass flite ocr sofalizer arnndn dnn_processing dnn_detect dnn_classify sr derain nnedi
    signature find_rect cover_rect libvmaf libplacebo openclsrc program_opencl vidstabdetect
    vidstabtransform life cellauto buffer abuffer buffersink abuffersink hwupload hwmap hwdownload
""")
FORBIDDEN_KEYS = _words("""
    file filename textfile fontfile fontsdir stats_file psfile plot dumpfile debug_kdtree
    log_path model_path sofa axisfile result text_source reload
""")
# These hold whatever the user wants to be read or shown; none is a name of a file to FFmpeg.
_TEXTS = re.compile(r"-metadata(:.*)?|-force_key_frames(:.*)?")
_GRAPHS = re.compile(r"-filter(_complex)?(:.*)?")
_FILE = re.compile(r"(in|out)/\d+(\.[a-z0-9]{1,5})?", re.ASCII)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/|^(pipe|fd|file|data|concat|subfile|crypto):|^/|\.\./")


def check(args: Sequence[str], aliases: int) -> None:
    """Raise ``AssertionError`` for arguments that could harm; ``aliases`` are the files' number."""
    files = []
    words = iter(args)
    for word in words:
        if word == "-i":
            files.append(next(words))
            assert files[-1].startswith("in/"), files
        elif word in FLAGS:
            continue
        elif word.startswith("-"):
            check_option(word, next(words))
        else:
            files.append(word)
            assert word.startswith("out/"), files
    for each in files:
        assert _FILE.fullmatch(each), each
    outputs = [each for each in files if each.startswith("out/")]
    assert outputs
    assert len(set(outputs)) == len(outputs) <= aliases
    assert args[-1] == outputs[-1]


def check_option(name: str, value: str) -> None:
    assert not FORBIDDEN_OPTIONS.fullmatch(name), name
    assert "\0" not in value
    if name in {"-protocol_whitelist", "-progress"}:
        assert value in {"file", "pipe:1"}
    elif _GRAPHS.fullmatch(name):
        check_graph(value)
    elif name == "-f":
        assert re.fullmatch(r"[a-z0-9_]+", value), value
        assert value not in {"concat", "hls", "dash", "tee", "lavfi", "segment", "image2pipe"}
    elif not _TEXTS.fullmatch(name):
        assert not _ADDRESS.search(value), (name, value)


def check_graph(written: str) -> None:
    for name, options in filters_of(written):
        assert name not in FORBIDDEN_FILTERS, written
        for key, value in options:
            assert re.fullmatch(r"\w[\w-]*", key, re.ASCII), (name, key)
            if (name, key) in {("subtitles", "filename"), ("subtitles", "f")}:
                assert re.fullmatch(r"in/\d+(\.\w+)?", value, re.ASCII), value
            else:
                assert key not in FORBIDDEN_KEYS, (name, key)
                assert (name, key) not in {("psnr", "f"), ("ssim", "f")}, written


def filters_of(written: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The filters of a graph and their options, by a reader that is not the product's."""
    rest = written
    while rest:
        rest = re.sub(r"^(\s*\[[^\[\]]*\])+\s*", "", rest)
        head, rest = split_at(rest, "[],;", keep=True)
        name, _, arguments = head.partition("=")
        yield name.strip().partition("@")[0], list(options_of(resolve(arguments)))
        rest = re.sub(r"^(\s*\[[^\[\]]*\])+", "", rest)
        assert not rest or rest[0] in ",;", written
        rest = rest[1:]


def options_of(arguments: str) -> Iterator[tuple[str, str]]:
    while arguments:
        one, arguments = split_at(arguments, ":", keep=False)
        key, equals, value = one.partition("=")
        assert equals, one
        yield key, resolve(value)


def split_at(text: str, marks: str, *, keep: bool) -> tuple[str, str]:
    """Part a text at the first of the marks that is neither escaped nor quoted."""
    place, quoted = 0, False
    while place < len(text):
        char = text[place]
        if char == "\\" and not quoted:
            place += 1
        elif char == "'":
            quoted = not quoted
        elif char in marks and not quoted:
            return text[:place], text[place if keep else place + 1 :]
        place += 1
    return text, ""


def resolve(text: str) -> str:
    """Take away one level of quotes and backslashes."""
    out, place, quoted = "", 0, False
    while place < len(text):
        char = text[place]
        if char == "'":
            quoted = not quoted
        elif char == "\\" and not quoted and place + 1 < len(text):
            place += 1
            out += text[place]
        else:
            out += char
        place += 1
    return out
