/// Trains a small network, then reports the curvature of its loss.
module Curvature.Samples.Report.Program

open System
open System.IO
open Spectre.Console
open Curvature

/// Runs the program: 0 if all went well, 2 after a mistake of the user, which is told in one line.
let run (arguments: string[]) (display: Display) (error: TextWriter) : int =
    let refuse (message: string) =
        error.WriteLine("Report: " + message.ReplaceLineEndings " ")
        2

    match CommandLine.parse arguments with
    | Help text ->
        display.Say text
        0
    | Mistake message -> refuse message
    | Run options ->
        try
            options.Out |> Option.iter Output.prepare
            let report = Analysis.run display options
            Summary.show display report

            match options.Out with
            | Some folder -> Output.write folder report |> List.iter (fun path -> display.Say $"Written: {path}")
            | None -> display.Say "For pictures and all numbers in files, add --out FOLDER."

            0
        with :? CurvatureException as problem ->
            refuse problem.Message

[<EntryPoint>]
let main arguments =
    let display: Display =
        if Console.IsOutputRedirected || not AnsiConsole.Profile.Capabilities.Ansi then
            PlainDisplay Console.Out
        else
            TerminalDisplay AnsiConsole.Console

    run arguments display Console.Error
