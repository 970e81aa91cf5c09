namespace Curvature.FSharp

/// The colours and letters of charts.
module internal ChartStyle =

    let private light =
        """--chart-ink:#1b2430;--chart-quiet:#5b6675;--chart-grid:#e3e7ec;--chart-line:#8f99a6;--chart-paper:#fff;
--chart-1:#1565b0;--chart-2:#c4501b;--chart-3:#1f8a5b;--chart-4:#8147a8;--chart-5:#a87400;--chart-6:#b8336a;
--chart-7:#0e8a96;--chart-8:#5b6675;
--chart-r0:#f3f8fc;--chart-r1:#dcebf7;--chart-r2:#c2ddf0;--chart-r3:#a3cce8;--chart-r4:#7fb7dd;
--chart-r5:#5a9fcf;--chart-r6:#3b85bc;--chart-r7:#256aa2;--chart-r8:#165084;--chart-r9:#0b3763;"""

    let private dark =
        """--chart-ink:#e8ecf1;--chart-quiet:#a3adba;--chart-grid:#2c3541;--chart-line:#6b7684;--chart-paper:#161c24;
--chart-1:#6cb4f5;--chart-2:#f4935f;--chart-3:#62cc9a;--chart-4:#c99af0;--chart-5:#e3bb50;--chart-6:#f28ab2;
--chart-7:#5fd0dc;--chart-8:#a3adba;
--chart-r0:#15222f;--chart-r1:#193049;--chart-r2:#1d3f62;--chart-r3:#22507c;--chart-r4:#296396;
--chart-r5:#3578b0;--chart-r6:#4a8fc8;--chart-r7:#6ba8dc;--chart-r8:#94c3ec;--chart-r9:#c3def7;"""

    let private accents =
        [ 1..8 ]
        |> List.map (fun i -> $".chart .a{i}{{--accent:var(--chart-{i})}}.chart .f{i}{{fill:var(--chart-r{i})}}")
        |> String.concat ""

    /// Rules for everything that a chart consists of. Colours are custom properties, of the page where it sets them.
    let sheet =
        $""":root{{color-scheme:light dark;{light}}}
@media (prefers-color-scheme:dark){{:root{{{dark}}}}}
@media print{{:root{{color-scheme:light;{light}}}
.chart{{break-inside:avoid;print-color-adjust:exact;-webkit-print-color-adjust:exact}}}}
.chart{{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
max-width:100%%;height:auto;display:block}}
.chart text{{fill:var(--chart-quiet)}}
.chart .heading{{fill:var(--chart-ink);font-size:14px;font-weight:600}}
.chart .name{{fill:var(--chart-ink)}}
.chart .paper{{fill:var(--chart-paper)}}
.chart .grid{{stroke:var(--chart-grid);stroke-width:1;fill:none}}
.chart .frame{{stroke:var(--chart-line);stroke-width:1;fill:none}}
.chart .series{{fill:none;stroke:var(--accent);stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}}
.chart .dashed{{stroke-dasharray:6 4}}
.chart .band{{fill:var(--accent);fill-opacity:.2;stroke:none}}
.chart .point{{fill:var(--accent);stroke:var(--chart-paper);stroke-width:1}}
.chart .bar{{stroke:var(--accent);stroke-width:1.6;fill:none}}
.chart .rug{{stroke:var(--accent);stroke-width:1.2;stroke-opacity:.55}}
.chart .iso{{fill:none;stroke:var(--chart-ink);stroke-opacity:.45;stroke-width:.9}}
.chart .f0{{fill:var(--chart-r0)}}.chart .f9{{fill:var(--chart-r9)}}
.chart .hit{{fill:transparent;stroke:none}}
.chart .hit:hover{{fill:var(--accent)}}
.chart g:hover>.point{{stroke:var(--chart-ink);stroke-width:1.5}}
{accents}"""
