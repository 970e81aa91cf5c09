module Curvature.Samples.Report.Program

open Spectre.Console

[<EntryPoint>]
let main _ =
    AnsiConsole.WriteLine "Curvature"
    0
