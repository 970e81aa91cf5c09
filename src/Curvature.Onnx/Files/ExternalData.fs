namespace Curvature.OnnxFormat

open System
open System.IO
open Curvature
open Curvature.FSharp

/// Files beside the model that hold its weights. The model says which, and must not be able to name any other file of
/// the machine.
[<RequireQualifiedAccess>]
module internal ExternalData =

    let private inside (folder: string) (path: string) =
        let folder = Path.TrimEndingDirectorySeparator folder + string Path.DirectorySeparatorChar
        path.StartsWith(folder, StringComparison.Ordinal)

    /// The full path of the file that a model in a folder names. Raises DataException for a path that leads out of the
    /// folder, by itself or through a link.
    let resolve (reading: Reading) (folder: string) (path: string) : string =
        let refuse (reason: string) = Fail.data $"{reading.Name}: the external data \"{path}\" {reason}"

        if String.IsNullOrWhiteSpace path || path.Contains '\000' then
            refuse "has no path"

        let parts = path.Split('/', '\\')

        if Path.IsPathRooted path || path.Contains ':' || Array.contains ".." parts then
            refuse "is outside the folder of the model, and only files in it are read"

        let full = Path.GetFullPath(Path.Combine(folder, path))

        if not (inside folder full) then
            refuse "is outside the folder of the model, and only files in it are read"

        match FileSystem.special full with
        | ValueSome kind -> refuse $"is {kind}, and a file is needed"
        | ValueNone -> ()

        if not (File.Exists full) then refuse $"is not in {folder}"

        // Links are followed step by step, folders included, by asking for the final target of each.
        let mutable current = full

        while current <> folder && inside folder current do
            let entry: FileSystemInfo = if current = full then FileInfo current else DirectoryInfo current

            match entry.ResolveLinkTarget true with
            | null -> ()
            | target ->
                if not (inside folder target.FullName) then
                    refuse "is a link that leads out of the folder of the model; copy the file there"

            current <-
                match Path.GetDirectoryName current with
                | null -> folder
                | parent -> parent

        full

    /// Opens the file.
    let openFile (reading: Reading) (folder: string) (path: string) : FileStream =
        try
            let full = resolve reading folder path
            new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.Read, 1)
        with FileSystem.FileFault error ->
            raise (
                DataException($"{reading.Name}: the external data \"{path}\" cannot be read: {error.Message}", error)
            )
