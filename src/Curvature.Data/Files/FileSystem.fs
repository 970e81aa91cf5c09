namespace Curvature.FSharp

open System
open System.IO
open System.Runtime.InteropServices

/// File modes on Unix, which .NET does not expose, through the library that .NET uses for files.
module private UnixFile =

    [<DllImport("libSystem.Native", EntryPoint = "SystemNative_Stat")>]
    extern int stat([<MarshalAs(UnmanagedType.LPUTF8Str)>] string path, byte[] status)

    [<DllImport("libSystem.Native", EntryPoint = "SystemNative_Open")>]
    extern nativeint openFile([<MarshalAs(UnmanagedType.LPUTF8Str)>] string path, int flags, int mode)

    [<DllImport("libSystem.Native", EntryPoint = "SystemNative_FSync")>]
    extern int flush(nativeint file)

    [<DllImport("libSystem.Native", EntryPoint = "SystemNative_Close")>]
    extern int close(nativeint file)

    /// The bits of a file's mode that tell its type; ValueNone where there is no file.
    let typeBits (path: string) : int voption =
        // Larger than the structure, whose second integer is the mode.
        let status = Array.zeroCreate<byte> 256

        if stat (path, status) = 0 then
            ValueSome(BitConverter.ToInt32(status, 4) &&& 0xF000)
        else
            ValueNone

/// Questions to the file system that all readers and writers share.
module internal FileSystem =

    /// A missing assembly is a FileNotFoundException as well. Its FileName is not a path but the name of an assembly,
    /// with a version.
    let private isAssembly (name: string | null) =
        match name with
        | null -> false
        | name -> name.Contains(", Version=", StringComparison.Ordinal)

    /// Where the file system refuses what was asked of it. An assembly that is missing or cannot be loaded is no such
    /// case: the program is installed badly, whatever the file that it was about to read.
    let (|FileFault|_|) (error: exn) : exn option =
        match error with
        | :? FileLoadException -> None
        | :? FileNotFoundException as missing when isAssembly missing.FileName -> None
        | :? IOException
        | :? UnauthorizedAccessException -> Some error
        | _ -> None

    /// What a path leads to, where that is there but is not a regular file: a folder, a pipe, a device or a socket. To
    /// open some of these waits for another program, or does something.
    let special (path: string) : string voption =
        if Directory.Exists path then
            ValueSome "a folder"
        elif OperatingSystem.IsWindows() then
            ValueNone
        else
            match UnixFile.typeBits path with
            | ValueSome 0x1000 -> ValueSome "a named pipe"
            | ValueSome 0x2000
            | ValueSome 0x6000 -> ValueSome "a device"
            | ValueSome 0xC000 -> ValueSome "a socket"
            | _ -> ValueNone

    /// Brings the names in a folder to the disk, so that a renamed file is still there after a power failure. Windows
    /// does this by itself. Some network file systems refuse it, which leaves the older file or the newer one, whole in
    /// both cases.
    let flushFolder (folder: string) : unit =
        if not (OperatingSystem.IsWindows()) then
            let handle = UnixFile.openFile (folder, 0, 0)

            if handle >= 0n then
                UnixFile.flush handle |> ignore
                UnixFile.close handle |> ignore
