from __future__ import annotations

from media_jobs.ffmpeg.progress import Progress, ProgressParser


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
