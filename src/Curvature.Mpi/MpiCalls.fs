namespace Curvature.FSharp

open System
open System.Diagnostics
open System.Runtime.InteropServices
open System.Text
open System.Threading
open Curvature

/// The functions of MPI that are used. A handle is passed as a pointer, whose low half is what a library with whole
/// numbers for handles reads.
module private Native =

    [<DllImport(MpiLibrary.Any)>]
    extern int MPI_Init_thread(nativeint argc, nativeint argv, int required, int& provided)

    [<DllImport(MpiLibrary.Any)>]
    extern int MPI_Comm_rank(nativeint comm, int& rank)

    [<DllImport(MpiLibrary.Any)>]
    extern int MPI_Comm_size(nativeint comm, int& size)

    [<DllImport(MpiLibrary.Any)>]
    extern int MPI_Isend(
        nativeint buffer,
        int count,
        nativeint dtype,
        int target,
        int tag,
        nativeint comm,
        nativeint& request
    )

    [<DllImport(MpiLibrary.Any)>]
    extern int MPI_Irecv(
        nativeint buffer,
        int count,
        nativeint dtype,
        int source,
        int tag,
        nativeint comm,
        nativeint& request
    )

    [<DllImport(MpiLibrary.Any)>]
    extern int MPI_Test(nativeint& request, int& flag, nativeint status)

    [<DllImport(MpiLibrary.Any)>]
    extern int MPI_Finalize()

    [<DllImport(MpiLibrary.Any)>]
    extern int MPI_Abort(nativeint comm, int code)

    [<DllImport(MpiLibrary.Any)>]
    extern int MPI_Get_library_version(byte[] text, int& length)

module private Pause =

    [<DllImport("libc")>]
    extern int private usleep(uint32 microseconds)

    /// Sleeps for so long, but at most a millisecond and at least 20 µs where the system can; Windows cannot.
    let microseconds (time: float) =
        if OperatingSystem.IsWindows() then
            Thread.Sleep(if time > 500.0 then 1 else 0)
        else
            usleep (uint32 (min 1000.0 (max 20.0 time))) |> ignore

/// Calls of MPI. Errors in MPI itself end the job, as MPI has it.
[<Sealed>]
type internal MpiCalls(library: MpiLibrary) =
    /// Room for a status of any library; nobody reads it.
    let status = Marshal.AllocHGlobal 1024
    let serialized = 2

    let check what code =
        if code <> 0 then
            ClusterFail.cluster $"{library.Name}: {what} failed with the code {code}"

    let mutable rank, size = 0, 0

    do
        let mutable provided = 0
        check "MPI_Init_thread" (Native.MPI_Init_thread(0n, 0n, serialized, &provided))
        check "MPI_Comm_rank" (Native.MPI_Comm_rank(library.World, &rank))
        check "MPI_Comm_size" (Native.MPI_Comm_size(library.World, &size))

    /// Waits until a transfer is done, without keeping a processor from others. A moment is spent asking again; then
    /// the thread sleeps for about a tenth of the time that it has waited. Yielding instead would let every process
    /// that wants to run go first, for its whole time slice.
    let wait (request: nativeint) =
        let mutable request, flag, asked = request, 0, 0
        let clock = Stopwatch.StartNew()
        check "MPI_Test" (Native.MPI_Test(&request, &flag, status))

        while flag = 0 do
            asked <- asked + 1
            if asked > 50 then Pause.microseconds (clock.Elapsed.TotalMicroseconds / 10.0)
            check "MPI_Test" (Native.MPI_Test(&request, &flag, status))

    let pinned (bytes: byte[]) (start: int) (action: nativeint -> unit) =
        let handle = GCHandle.Alloc(bytes, GCHandleType.Pinned)

        try
            action (handle.AddrOfPinnedObject() + nativeint start)
        finally
            handle.Free()

    member _.Rank = rank
    member _.Size = size

    /// What the library says of itself, the first line.
    member _.Version: string =
        let text = Array.zeroCreate<byte> 16384
        let mutable length = 0
        check "MPI_Get_library_version" (Native.MPI_Get_library_version(text, &length))
        let all = Encoding.ASCII.GetString(text, 0, min length text.Length)
        all.Split([| '\n'; '\000' |]).[0].Trim()

    /// Sends bytes of an array, and returns when it may be changed.
    member _.Send(bytes: byte[], start, count: int, target: int, tag: int) =
        pinned bytes start (fun address ->
            let mutable request = 0n
            let code = Native.MPI_Isend(address, count, library.Byte, target, tag, library.World, &request)
            check "MPI_Isend" code
            wait request)

    /// Receives so many bytes into an array.
    member _.Receive(bytes: byte[], start, count: int, source: int, tag: int) =
        pinned bytes start (fun address ->
            let mutable request = 0n
            let code = Native.MPI_Irecv(address, count, library.Byte, source, tag, library.World, &request)
            check "MPI_Irecv" code
            wait request)

    member _.Finish() = Native.MPI_Finalize() |> ignore

    /// Ends the whole job. It does not return.
    member _.Abort(code: int) = Native.MPI_Abort(library.World, code) |> ignore
