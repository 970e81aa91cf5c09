/// The report's page as a browser shows it.
module Curvature.Tests.Unit.PageTests

open System
open System.IO
open System.Net
open System.Text.Json.Nodes
open System.Text.RegularExpressions
open Expecto
open Expecto.Flip
open Curvature.Samples.Report
open Curvature.Tests

let private folder = TemporaryFolder.create "curvature-page-"

/// Measures what is drawn, and leaves it in the document as JSON.
let private ruler =
    """<script>
const colour = (element, property) => getComputedStyle(element)[property];
const box = element => { const b = element.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
// The box of a picture in a picture would hold what it cuts off.
const inner = (chart, plot) => {
  const outer = chart.getBoundingClientRect(), scale = outer.width / chart.viewBox.baseVal.width;
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map(name => plot[name].baseVal.value * scale);
  return [outer.left + x, outer.top + y, outer.left + x + width, outer.top + y + height];
};
const charts = [...document.querySelectorAll('svg.chart')].map(chart => ({
  name: chart.getAttribute('aria-label'),
  box: box(chart),
  plot: inner(chart, chart.querySelector('.plot')),
  ink: colour(chart.querySelector('.heading'), 'fill'),
  quiet: colour(chart.querySelector('text:not(.heading)'), 'fill'),
  paper: colour(chart.closest('figure'), 'backgroundColor'),
  texts: [...chart.querySelectorAll('text')].map(text => box(text)),
  hovers: chart.querySelectorAll('title').length,
  marks: [...chart.querySelectorAll(
    '.plot path.series, .plot path.band, .plot path.iso, .plot .point, .plot .rug')].map(mark => ({
    length: mark.getTotalLength ? mark.getTotalLength() : 1, box: box(mark),
    colour: colour(mark, 'stroke') + colour(mark, 'fill') }))
}));
const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
const pre = document.createElement('pre');
pre.id = 'measured';
pre.textContent = JSON.stringify({ charts, wide });
document.body.append(pre);
</script>"""

let private page =
    lazy
        (use printed = new StringWriter()
         let options = [| "--max-products"; "320"; "--out"; folder |]
         let code = Program.run options (PlainDisplay printed) printed
         Expect.isTrue $"exit code {code}: {printed}" (code = 0)
         let text = File.ReadAllText(Path.Combine(folder, "report.html"))
         let file = Path.Combine(folder, "measured.html")
         File.WriteAllText(file, text.Replace("</body>", ruler + "</body>"))
         file)

let private screenshots = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "screenshots"))

/// Shows the page, keeps a picture of it, and gives what was measured.
let private measure (name: string) (arguments: string list) : JsonNode =
    let picture = Path.Combine(screenshots.FullName, $"{name}.png")
    let seen = Browser.show (arguments @ [ $"--screenshot={picture}" ]) page.Value
    Expect.equal "seen.ConsoleErrors" [] seen.ConsoleErrors
    Expect.isTrue $"a picture in {picture}" (FileInfo(picture).Length > 20_000L)
    stdout.WriteLine $"a picture: {picture}"
    let found = Regex.Match(seen.Document, "<pre id=\"measured\">(.*?)</pre>", RegexOptions.Singleline)
    Expect.isTrue "measured" found.Success
    JsonNode.Parse(WebUtility.HtmlDecode found.Groups[1].Value)

let private numbers (node: JsonNode) = [| for number in node.AsArray() -> number.GetValue<float>() |]
let private text (node: JsonNode) = node.GetValue<string>()

/// Relative luminance and contrast, as the accessibility guidelines for the web define them.
let private luminance (colour: string) =
    let part (value: float) =
        let share = value / 255.0

        if share <= 0.04045 then
            share / 12.92
        else
            Math.Pow((share + 0.055) / 1.055, 2.4)

    match [ for digits in Regex.Matches(colour, "[0-9.]+") -> float digits.Value ] with
    | red :: green :: blue :: _ -> 0.2126 * part red + 0.7152 * part green + 0.0722 * part blue
    | _ -> nan

let private contrast a b =
    let a, b = luminance a, luminance b
    (max a b + 0.05) / (min a b + 0.05)

let private checkChart (chart: JsonNode) =
    let name = text chart["name"]
    let outer, plot = numbers chart["box"], numbers chart["plot"]
    Expect.isTrue $"{name}: {outer}" (outer[2] - outer[0] > 250.0 && outer[3] - outer[1] > 150.0)
    Expect.isTrue $"{name}: {plot}" (plot[2] - plot[0] > 150.0 && plot[3] - plot[1] > 60.0)

    let isWithin (outer: float[]) slack (inner: float[]) =
        inner[0] >= outer[0] - slack
        && inner[1] >= outer[1] - slack
        && inner[2] <= outer[2] + slack
        && inner[3] <= outer[3] + slack

    Expect.isTrue $"{name}: plot in chart" (isWithin outer 0.5 plot)

    for box in chart["texts"].AsArray() do
        Expect.isTrue $"{name}: text at {box.ToJsonString()} in {outer}" (isWithin outer 1.0 (numbers box))

    let marks = chart["marks"].AsArray()
    Expect.isTrue $"{name}: marks" (marks.Count > 0)

    for mark in marks do
        let box = numbers mark["box"]
        Expect.isTrue $"{name}: a mark that is not drawn" (mark["length"].GetValue<float>() > 0.0)
        Expect.isTrue $"{name}: {box}" (box |> Array.forall Double.IsFinite)
        // Some of each mark is seen, or it is beyond an end that the axis has on purpose.
        Expect.isTrue $"{name}: {box} is beside {plot}" (box[0] <= plot[2] + 6.0 && box[2] >= plot[0] - 6.0)

    Expect.isTrue $"{name}: hover texts" (chart["hovers"].GetValue<int>() > 0)
    Expect.isTrue $"{name}: contrast" (contrast (text chart["ink"]) (text chart["paper"]) > 7.0)
    Expect.isTrue $"{name}: contrast of numbers" (contrast (text chart["quiet"]) (text chart["paper"]) > 4.5)

let private check (measured: JsonNode) =
    let charts = measured["charts"].AsArray() |> List.ofSeq
    Expect.equal "charts.Length" 9 charts.Length
    charts |> List.iter checkChart
    Expect.isTrue "no scrolling sideways" (not (measured["wide"].GetValue<bool>()))
    luminance (text (charts.Head["paper"]))

[<Tests>]
let tests =
    testList "Unit.PageTests" [
        test "a browser draws all charts on light paper, without a complaint" {
            Browser.path () |> ignore
            let paper = measure "report-light" [ "--window-size=1200,4200" ] |> check
            Expect.isTrue $"luminance {paper}" (paper > 0.9)
        }

        test "the charts are legible in the dark" {
            Browser.path () |> ignore
            let dark = [ "--window-size=1200,4200"; "--blink-settings=preferredColorScheme=0" ]
            let paper = measure "report-dark" dark |> check
            Expect.isTrue $"luminance {paper}" (paper < 0.05)
        }

        test "a narrow window shows the same charts one below the other" {
            Browser.path () |> ignore
            measure "report-narrow" [ "--window-size=700,6000" ] |> check |> ignore
        }

        test "the page can be printed" {
            Browser.path () |> ignore
            let paper = Path.Combine(folder, "report.pdf")
            let seen = Browser.show [ $"--print-to-pdf={paper}"; "--no-pdf-header-footer" ] page.Value
            Expect.equal "seen.ConsoleErrors" [] seen.ConsoleErrors

            Expect.equal
                "Text.Encoding.ASCII.GetString(F…"
                "%PDF"
                (Text.Encoding.ASCII.GetString(File.ReadAllBytes paper, 0, 4))
        }

        test "a page that complains is noticed" {
            Browser.path () |> ignore
            let file = Path.Combine(folder, "complaint.html")
            File.WriteAllText(file, "<!DOCTYPE html><script>console.error('a complaint')</script>")
            let seen = Browser.show [] file

            Expect.isTrue
                $"{seen.ConsoleErrors}"
                (seen.ConsoleErrors |> List.exists (fun line -> line.Contains "a complaint"))
        }
    ]
