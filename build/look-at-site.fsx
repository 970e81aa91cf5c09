// Serves the site that build/site.fsx made, and looks at it in a browser without a window: menu, search, languages,
// light and dark, a narrow screen, no error on the console.
//
//     dotnet fsi build/look-at-site.fsx SITE
//
// Where there is no browser of the Chromium family, it says so and ends well.

open System
open System.Diagnostics
open System.IO
open System.Net
open System.Text
open System.Text.Json.Nodes
open System.Text.RegularExpressions
open System.Threading.Tasks

let site = Path.GetFullPath fsi.CommandLineArgs[1]

let browser =
    let folders = (Environment.GetEnvironmentVariable "PATH").Split Path.PathSeparator

    Seq.allPairs [ "chromium"; "chromium-browser"; "google-chrome"; "google-chrome-stable" ] folders
    |> Seq.map (fun (name, folder) -> Path.Combine(folder, name))
    |> Seq.tryFind File.Exists

if browser.IsNone then
    printfn "no browser of the Chromium family is installed, so the site is not looked at"
    exit 0

/// What a reader would do, and what he would see of it. It ends in the document, as JSON.
let reader =
    """<script type="module">
const wait = time => new Promise(done => setTimeout(done, time));
const style = (element, property) => getComputedStyle(element)[property];
const visible = element => !!element && element.offsetParent !== null;
const colours = () => [style(document.body, 'color'), style(document.body, 'backgroundColor')];
await wait(300);
const result = {};
result.title = document.title;
result.links = document.querySelectorAll('nav a').length;
result.active = document.querySelector('nav .active > a')?.textContent.trim() ?? '';
result.menuButton = visible(document.getElementById('menu-button'));
result.menu = visible(document.querySelector('nav a'));
document.getElementById('menu-button').click();
result.menuAfterClick = visible(document.querySelector('nav a'));
document.getElementById('menu-button').click();
result.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
result.before = colours();
document.getElementById('theme-button').click();
result.after = colours();
document.getElementById('theme-button').click();
const search = document.getElementById('search');
search.value = 'lanczos spectrum';
search.dispatchEvent(new Event('input'));
await wait(1500);
result.found = [...document.querySelectorAll('#found a')].map(a => a.getAttribute('href'));
const csharp = [...document.querySelectorAll('.tabs button')].find(button => button.textContent === 'C#');
csharp?.click();
result.languages = [...document.querySelectorAll('.tabs pre')].filter(visible)
  .map(pre => pre.querySelector('code').getAttribute('lang'));
const pre = document.createElement('pre');
pre.id = 'seen';
pre.textContent = JSON.stringify(result);
document.body.append(pre);
</script></body>"""

let types =
    dict
        [
            ".html", "text/html"
            ".css", "text/css"
            ".js", "text/javascript"
            ".json", "application/json"
            ".svg", "image/svg+xml"
        ]

let listener = new HttpListener()

/// The first port of these that is free.
let port =
    seq { 18640..18680 }
    |> Seq.find (fun port ->
        try
            listener.Prefixes.Clear()
            listener.Prefixes.Add $"http://localhost:{port}/"
            listener.Start()
            true
        with :? HttpListenerException ->
            false)

let serve (context: HttpListenerContext) =
    let file = Path.Combine(site, context.Request.Url.AbsolutePath.TrimStart '/')

    if File.Exists file then
        let content = File.ReadAllBytes file

        let content =
            if Path.GetExtension file = ".html" then
                Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(content).Replace("</body>", reader))
            else
                content

        match types.TryGetValue(Path.GetExtension file) with
        | true, kind -> context.Response.ContentType <- kind + "; charset=utf-8"
        | _ -> ()

        context.Response.OutputStream.Write content
    else
        context.Response.StatusCode <- 404

    context.Response.Close()

Task.Run(fun () ->
    while true do
        serve (listener.GetContext()))
|> ignore

let see (arguments: string list) (page: string) =
    let info = ProcessStartInfo(browser.Value, RedirectStandardOutput = true, RedirectStandardError = true)
    let profile = Directory.CreateTempSubdirectory "curvature-site-"

    for argument in
        [
            yield! [ "--headless=new"; "--no-sandbox"; "--disable-gpu"; "--no-first-run"; "--disable-extensions" ]
            yield! [ "--disable-background-networking"; "--enable-logging=stderr"; "--v=0" ]
            yield! [ "--virtual-time-budget=6000"; $"--user-data-dir={profile.FullName}"; "--dump-dom" ]
            yield! arguments
            $"http://localhost:{port}/{page}"
        ] do
        info.ArgumentList.Add argument

    use started = Process.Start info
    let document, log = started.StandardOutput.ReadToEndAsync(), started.StandardError.ReadToEndAsync()

    if not (Task.WaitAll([| document :> Task; log |], TimeSpan.FromMinutes 2.0)) then
        started.Kill true
        failwith "the browser took longer than two minutes"

    let seen = Regex.Match(document.Result, """<pre id="seen">(.*?)</pre>""", RegexOptions.Singleline)
    let errors = log.Result.Split '\n' |> Array.filter (fun line -> line.Contains ":CONSOLE")

    if not seen.Success then
        failwith $"{page}: the page's script did not end: {log.Result}"

    JsonNode.Parse(WebUtility.HtmlDecode seen.Groups[1].Value), errors

let problems = ResizeArray<string>()
let expect what condition = if not condition then problems.Add what

let text (node: JsonNode) (name: string) = node[name].GetValue<string>()
let flag (node: JsonNode) (name: string) = node[name].GetValue<bool>()
let list (node: JsonNode) (name: string) = [ for item in node[name].AsArray() -> item.GetValue<string>() ]

/// The relative luminance of a colour as browsers write it, rgb(r, g, b).
let luminance (colour: string) =
    let parts = [ for part in Regex.Matches(colour, @"\d+") -> float part.Value / 255.0 ]
    let linear x = if x <= 0.03928 then x / 12.92 else ((x + 0.055) / 1.055) ** 2.4
    0.2126 * linear parts[0] + 0.7152 * linear parts[1] + 0.0722 * linear parts[2]

/// Whether text is dark on light paper, and the contrast of the two.
let contrast (colours: string list) =
    let ink, paper = luminance colours[0], luminance colours[1]
    paper > ink, (max ink paper + 0.05) / (min ink paper + 0.05)

for page, title in
    [
        "index.html", ""
        "estimates.html", "Estimates"
        "tutorials/first-hour.html", "The first hour"
        "tutorials/estimators.html", "Errors of estimators"
        "reference/curvature-fsharp-hutchinson.html", ""
    ] do
    let seen, errors = see [ "--window-size=1400,900" ] page

    for error in errors do
        expect $"{page}: {error}" false

    let links, active = seen["links"].GetValue<int>(), text seen "active"
    expect $"{page}: the menu has {links} links" (links > 25)
    expect $"{page}: the menu is shown" (flag seen "menu" && not (flag seen "menuButton"))
    if title <> "" then expect $"{page}: the menu marks {active}" (active = title)
    expect $"{page}: it is wider than the screen" (not (flag seen "wide"))
    let before, after = contrast (list seen "before"), contrast (list seen "after")
    expect $"{page}: a click turns light into dark" (fst before <> fst after)
    expect $"{page}: contrast {snd before} and {snd after}" (snd before >= 7.0 && snd after >= 7.0)
    let found = list seen "found"
    expect $"{page}: search found %A{found}" (found |> List.exists (fun address -> address.EndsWith "/spectra.html"))
    expect $"{page}: search found %A{found}" (found |> List.exists (fun address -> address.Contains "/reference/"))
    let languages = list seen "languages"

    if page = "estimates.html" then
        expect
            $"{page}: after a click, C# is shown, not %A{languages}"
            (languages.Length > 5 && List.forall ((=) "csharp") languages)

let narrow, errors = see [ "--window-size=400,900" ] "tutorials/first-hour.html"
expect $"narrow: %A{errors}" (errors.Length = 0)

expect
    "narrow: a button opens the menu"
    (flag narrow "menuButton" && not (flag narrow "menu") && flag narrow "menuAfterClick")

expect "narrow: the page is wider than the screen" (not (flag narrow "wide"))

for problem in problems do
    eprintfn "%s" problem

printfn $"6 pages were looked at, {problems.Count} problems"
exit (if problems.Count = 0 then 0 else 1)
