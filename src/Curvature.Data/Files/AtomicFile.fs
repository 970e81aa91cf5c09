namespace Curvature.FSharp

open System
open System.IO
open System.Text
open Curvature

/// Files that are written as a whole or not at all. All writers of this library use it.
///
/// The content goes to a temporary file in the same folder, then to the disk, and takes the name of the old file in one
/// step. Whoever reads the file, and whoever comes after an interruption, finds the old content or the new, never a
/// part.
[<RequireQualifiedAccess>]
module AtomicFile =

    let private refuse (reason: string) = raise (IOException reason)

    /// The file that is to be replaced: where a path is a symbolic link, what it leads to.
    let private target (path: string) : string =
        let path = Path.GetFullPath path
        let file = FileInfo path

        if isNull file.LinkTarget then
            path
        else
            match file.ResolveLinkTarget true with
            | null -> path
            | final -> final.FullName

    /// The folder of a file with a full path. The folder of a root is the root.
    let private folder (target: string) : string =
        match Path.GetDirectoryName target with
        | null -> target
        | folder -> folder

    let private temporary (target: string) : string =
        let name = FileInfo(target).Name
        let random = Guid.NewGuid().ToString("N")[..11]
        Path.Combine(folder target, $"{name[.. min 99 (name.Length - 1)]}.{random}.tmp")

    let private delete (path: string) =
        try
            File.Delete path
        with FileSystem.FileFault _ ->
            ()

    /// Raises, before anything is written, where the file cannot be replaced.
    let private requireReplaceable (target: string) =
        match FileSystem.special target with
        | ValueSome kind -> refuse $"it is {kind}"
        | ValueNone -> ()

        if not (Directory.Exists(folder target)) then
            refuse $"the folder {folder target} does not exist"

        if File.Exists target && File.GetAttributes(target).HasFlag FileAttributes.ReadOnly then
            refuse "it is read-only"

    let private create (path: string) =
        new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 <<< 16)

    /// Replaces a file, or makes it. `step` is called before every step, so that a test can stop there as a killed
    /// process does. Raises what the file system raises.
    let internal replaceBy (step: string -> unit) (path: string) (writer: Stream -> unit) : unit =
        let target = target path
        requireReplaceable target
        let fresh = temporary target
        step "create"

        try
            using (create fresh) (fun stream -> writer stream)

            if not (OperatingSystem.IsWindows()) && File.Exists target then
                File.SetUnixFileMode(fresh, File.GetUnixFileMode target)

            step "flush"

            // The writer may have closed the stream, so the file is opened once more.
            using (File.OpenHandle(fresh, FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk
            step "rename"
            File.Move(fresh, target, true)
        with _ ->
            step "delete"
            delete fresh
            reraise ()

        step "flush the folder"
        FileSystem.flushFolder (folder target)

    /// Replaces a file, or makes it. Raises what the file system raises.
    let internal replace (path: string) (writer: Stream -> unit) : unit = replaceBy ignore path writer

    /// Raises what the file system raises where a file could not be written: for a check before long work.
    let internal requireWritable (path: string) : unit =
        let target = target path
        requireReplaceable target
        let trial = temporary target
        using (create trial) ignore
        delete trial

    /// Runs an action that writes a file. Raises DataException, with the path and the reason, where it cannot be done.
    let private naming (path: string) (action: unit -> unit) : unit =
        ArgumentNullException.ThrowIfNull(path, nameof path)

        if String.IsNullOrWhiteSpace path then
            Fail.data "the path of a file is needed, and it is empty"

        if path.Contains '\000' then
            Fail.data $"{path} cannot be written: a path cannot hold a character 0"

        try
            action ()
        with FileSystem.FileFault error ->
            raise (DataException($"{path} cannot be written: {error.Message}", error))

    /// Writes a file by a function that writes to a stream, in one step: if the function raises an exception, or the
    /// program is killed, a file that was there before is left as it was. A temporary file beside it, whose name ends
    /// in `.tmp`, is what a killed program may leave. The permissions of the old file are kept, and a symbolic link
    /// still leads to the file. Raises DataException, with the path and the reason, where the file cannot be written:
    /// its folder is not there, it is read-only, or is not a regular file.
    let write (path: string) (writer: Stream -> unit) : unit = naming path (fun () -> replace path writer)

    /// Writes a text as UTF-8, in one step, as `write` does. Raises DataException where the file cannot be written.
    let writeText (path: string) (text: string) : unit =
        ArgumentNullException.ThrowIfNull(text, nameof text)
        write path (fun stream -> stream.Write(ReadOnlySpan(UTF8Encoding(false).GetBytes text)))
