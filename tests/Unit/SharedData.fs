namespace Curvature.Tests

open System
open System.IO
open Expecto

/// Data sets that are too large for the repository lie in a folder named `shared` beside it.
[<RequireQualifiedAccess>]
module SharedData =

    /// The nearest folder above the test assembly that holds the solution.
    let repositoryRoot =
        let isRoot folder = File.Exists(Path.Combine(folder, "Curvature.sln"))

        let rec find (folder: string) =
            if isRoot folder then
                folder
            else
                match Path.GetDirectoryName folder with
                | null ->
                    raise (
                        DirectoryNotFoundException $"No folder above {AppContext.BaseDirectory} holds Curvature.sln."
                    )
                | parent -> find parent

        lazy find (Path.TrimEndingDirectorySeparator AppContext.BaseDirectory)

    /// The path of a shared file, such as `data/iris.csv`. Where this machine does not have it, the running test is
    /// ignored, with a message that says what is missing.
    let path (relativePath: string) =
        let file = Path.GetFullPath(Path.Combine(repositoryRoot.Value, "..", "shared", relativePath))

        if not (File.Exists file) then
            skiptest $"This test reads {file}, which is not on this machine."

        file
