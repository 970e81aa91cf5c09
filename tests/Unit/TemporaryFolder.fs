namespace Curvature.Tests

open System
open System.IO

/// Folders for files of tests.
[<RequireQualifiedAccess>]
module TemporaryFolder =

    /// The path of a new folder whose name begins so. It is deleted when the process ends.
    let create (prefix: string) : string =
        let folder = Directory.CreateTempSubdirectory prefix

        AppDomain.CurrentDomain.ProcessExit.Add(fun _ ->
            folder.Refresh()
            if folder.Exists then folder.Delete true)

        folder.FullName
