namespace Curvature.Samples.Report

open System
open System.IO
open Curvature
open Curvature.FSharp

/// The files of a report.
[<RequireQualifiedAccess>]
module Output =

    /// Makes the folder where it is not there, before the work begins whose result is to lie in it.
    let prepare (folder: string) =
        try
            Directory.CreateDirectory folder |> ignore
        with
        | :? IOException
        | :? UnauthorizedAccessException
        | :? ArgumentException as error -> raise (DataException($"--out {folder}: {error.Message}", error))

    let private writeFile (folder: string) (name: string) (text: string) : string =
        let path = Path.Combine(folder, name)
        AtomicFile.writeText path text
        path

    /// Writes report.json and report.html into a folder, and gives their paths.
    let write (folder: string) (report: Report) : string list =
        [
            writeFile folder "report.json" (Json.text report)
            writeFile folder "report.html" (Page.ofReport report)
        ]
