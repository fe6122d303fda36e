from __future__ import annotations

import sys

from media_jobs.ffmpeg.progress import Lines, Progress, ProgressParser


def reports(*lines: str) -> list[Progress]:
    parser = ProgressParser()
    return [report for line in lines if (report := parser.feed(line))]


def test_it_works() -> None:
    (report,) = reports(
        "frame=50\n",
        "fps= 25.5\n",
        "total_size=1024\n",
        "out_time_us=2000000\n",
        "speed=  2x\n",
        "progress=continue\n",
    )
    assert report == Progress(2.0, 2.0, 25.5, 50, 1024, is_last=False)


def test_time_never_goes_back() -> None:
    first, second, last = reports(
        *("out_time_us=2000000", "progress=continue"),
        *("out_time_us=-9223372036854775807", "progress=continue"),
        *("out_time_us=N/A", "speed=N/A", "total_size=N/A", "progress=end"),
    )
    assert [first.out_time_s, second.out_time_s, last.out_time_s] == [2, 2, 2]
    assert (last.speed, last.total_size_bytes, last.is_last) == (None, None, True)


def test_other_lines_are_passed_over() -> None:
    assert reports("", "hello", "[info] x=1 y=2", "=") == []


def test_lines_come_whole() -> None:
    lines = Lines()
    assert lines.feed(b"frame=1\nfra") == ["frame=1"]
    assert lines.feed(b"me=2\n") == ["frame=2"]


def test_a_line_without_end_is_not_kept() -> None:
    lines = Lines()
    kept = [lines.feed(b"x" * 65_536) for _ in range(100)]
    assert kept == [[]] * 100
    assert sys.getsizeof(lines._rest) < 10_000
    assert lines.feed(b"x=1\nframe=2\n") == ["frame=2"]


def test_numbers_beyond_all_are_none() -> None:
    (report,) = reports("frame=1e999", "total_size=nan", "out_time_us=inf", "progress=continue")
    assert (report.frame, report.total_size_bytes, report.out_time_s) == (None, None, 0.0)
