namespace Curvature.Tests.Unit

open System
open System.Diagnostics
open System.IO
open System.Threading.Tasks
open Expecto
open Curvature.Tests

/// A browser without a window.
[<RequireQualifiedAccess>]
module Browser =

    let private names =
        [ "chromium"; "chromium-browser"; "google-chrome"; "google-chrome-stable"; "chrome"; "msedge" ]

    let private suffix = if OperatingSystem.IsWindows() then ".exe" else ""

    let private find () =
        let folders = (Environment.GetEnvironmentVariable "PATH").Split Path.PathSeparator

        Seq.allPairs names folders
        |> Seq.map (fun (name, folder) -> Path.Combine(folder, name + suffix))
        |> Seq.tryFind File.Exists

    /// The path of a browser of the Chromium family. Where this machine has none, the running test is ignored, with a
    /// message.
    let path () : string =
        match find () with
        | Some file -> file
        | None ->
            skiptest $"""This test shows a page in a browser, and none of {String.Join(", ", names)} is installed."""

            ""

    /// What a browser made of a page.
    type Seen = { Document: string; ConsoleErrors: string list }

    let private seconds = 120

    let private start (arguments: string list) =
        let info = ProcessStartInfo(path (), RedirectStandardOutput = true, RedirectStandardError = true)
        arguments |> List.iter info.ArgumentList.Add
        Process.Start info

    /// Opens a page with further arguments, and gives its document after its scripts, and the errors on its console.
    let show (arguments: string list) (page: string) : Seen =
        let profile = Directory.CreateTempSubdirectory "curvature-browser-"

        let fixedArguments =
            [
                "--headless=new"
                "--no-sandbox"
                "--disable-gpu"
                "--hide-scrollbars"
                "--no-first-run"
                "--disable-extensions"
                "--disable-background-networking"
                $"--user-data-dir={profile.FullName}"
                "--enable-logging=stderr"
                "--v=0"
                "--virtual-time-budget=3000"
                "--dump-dom"
            ]

        use browser = start (fixedArguments @ arguments @ [ Uri(page).AbsoluteUri ])
        let document = browser.StandardOutput.ReadToEndAsync()
        let log = browser.StandardError.ReadToEndAsync()

        if not (Task.WaitAll([| document :> Task; log |], TimeSpan.FromSeconds(float seconds))) then
            browser.Kill true
            failtest $"The browser took longer than {seconds} s."

        try
            profile.Delete true
        with :? IOException ->
            () // It may still be writing there.

        let errors = log.Result.Split '\n' |> Array.filter (fun line -> line.Contains ":CONSOLE") |> List.ofArray

        { Document = document.Result; ConsoleErrors = errors }
