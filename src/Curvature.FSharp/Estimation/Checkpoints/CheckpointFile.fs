namespace Curvature.FSharp

open System
open System.IO
open Curvature

/// What all checkpoints share: messages, and errors of the file system.
module internal CheckpointFile =

    let damaged path what : 'T = Fail.data $"checkpoint {path}: it is damaged; {what}"

    let foreign path what : 'T = Fail.data $"checkpoint {path}: it is of another run; {what}"

    /// The share by which the same product may differ from one machine to another.
    let tolerance (dtype: DType) = if dtype = DType.Float64 then 1e-6 else 1e-2

    /// Runs an action on the file. Raises DataException, with the path, where the file system or the content does not
    /// allow it.
    let guarded path what (action: unit -> 'T) : 'T =
        try
            action ()
        with
        | :? EndOfStreamException -> damaged path "it ends too early"
        | FileSystem.FileFault error ->
            raise (DataException($"checkpoint {path}: it cannot be {what}; {error.Message}", error))

    /// Raises DataException where the path cannot be that of a checkpoint.
    let requirePath (path: string) =
        if String.IsNullOrWhiteSpace path || path.Contains '\000' then
            Fail.data $"checkpoint \"{path}\": this is not the path of a file"

        match FileSystem.special path with
        | ValueSome kind -> Fail.data $"checkpoint {path}: it is {kind}, and cannot be read and written"
        | ValueNone -> ()
