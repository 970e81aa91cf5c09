using System.Net;
using System.Text;
using Curvature;
using Curvature.CSharp;

namespace Curvature.Samples.Torch;

/// <summary>A page of charts and tables that needs nothing but itself.</summary>
internal sealed class Page(string title)
{
    private const string Style =
        """
        body { margin: 32px auto; max-width: 1080px; padding: 0 24px; font: 15px/1.5 system-ui, sans-serif;
               background: var(--chart-paper); color: var(--chart-ink) }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums }
        th, td { padding: 4px 12px; text-align: right }
        th:first-child, td:first-child { text-align: left }
        """;

    private readonly StringBuilder _body = new($"<h1>{WebUtility.HtmlEncode(title)}</h1>\n");

    public Page Text(string text)
    {
        _body.Append($"<p>{WebUtility.HtmlEncode(text)}</p>\n");
        return this;
    }

    public Page Picture(Chart chart)
    {
        _body.Append($"<figure>{chart.ToElement()}</figure>\n");
        return this;
    }

    public Page Table(string[] headings, IEnumerable<string[]> rows)
    {
        string Row(string cell, string[] cells) =>
            $"<tr>{string.Concat(cells.Select(text => $"<{cell}>{WebUtility.HtmlEncode(text)}</{cell}>"))}</tr>";
        _body.Append($"<table>{Row("th", headings)}{string.Concat(rows.Select(row => Row("td", row)))}</table>\n");
        return this;
    }

    public void Write(string path) =>
        AtomicFile.WriteText(
            path,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            + $"<title>{WebUtility.HtmlEncode(title)}</title>"
            + $"<style>{Chart.StyleSheet}\n{Style}</style></head>\n<body>\n{_body}</body></html>\n");
}
