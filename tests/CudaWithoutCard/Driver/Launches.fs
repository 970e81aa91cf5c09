namespace Curvature.Tests.CudaWithoutCard

open System
open System.Collections.Generic
open System.Runtime.InteropServices
open System.Text.RegularExpressions
open Expecto
open Curvature.Cuda

/// Runs what the stub is asked to launch, so that a device on it computes: fixed kernels by PoCL, texts by the
/// interpreter.
type Launches() =

    let fixedFiles = lazy (dict [ for name in Pocl.files -> FixedKernels.Text name, name ])
    let texts = Dictionary<nativeint, string>()
    let parameters = Dictionary<struct (nativeint * string), int[]>()
    let interpreters = Dictionary<nativeint, PtxInterpreter>()
    let names = HashSet<string>()
    let mutable failure: exn option = None

    let remembered (known: Dictionary<'K, 'V>) key (make: unit -> 'V) =
        match known.TryGetValue key with
        | true, value -> value
        | _ ->
            known[key] <- make ()
            known[key]

    /// The bytes of each parameter of a kernel.
    let sizes (text: string) (kernel: string) =
        let declared = Regex.Match(text, @"\.entry " + Regex.Escape kernel + @"\(([^)]*)\)").Groups[1].Value

        [|
            for parameter in declared.Split(',', StringSplitOptions.RemoveEmptyEntries) do
                let array = Regex.Match(parameter, @"\.b8 \w+\[(\d+)\]")

                if array.Success then int array.Groups[1].Value
                elif parameter.Contains ".u64" || parameter.Contains ".f64" then 8
                else 4
        |]

    let run (modulePointer: nativeint) (kernel: string) (grid: Grid) (arguments: nativeint) =
        let text = remembered texts modulePointer (fun () -> Marshal.PtrToStringAnsi modulePointer |> string)
        let sizes = remembered parameters (struct (modulePointer, kernel)) (fun () -> sizes text kernel)

        let values =
            sizes
            |> Array.mapi (fun i size ->
                let bytes = Array.zeroCreate<byte> size
                Marshal.Copy(Marshal.ReadIntPtr(arguments, i * IntPtr.Size), bytes, 0, size)
                bytes)

        names.Add kernel |> ignore

        match fixedFiles.Value.TryGetValue text with
        | true, file -> Pocl.runValues file kernel grid values
        | _ ->
            let words =
                values
                |> Array.map (fun bytes ->
                    if bytes.Length = 4 then
                        uint64 (BitConverter.ToUInt32(bytes, 0))
                    else
                        BitConverter.ToUInt64(bytes, 0))

            let interpreter = remembered interpreters modulePointer (fun () -> PtxInterpreter text)
            interpreter.Run(grid.X, grid.Threads, words, [ 0n, Int64.MaxValue ])

    /// The kernels that were run.
    member _.Names = Set.ofSeq names

    /// Fails if a launch did; an exception cannot pass through the driver.
    member _.Check() = failure |> Option.iter raise

    member _.Listener =
        StubListener(fun modulePointer kernel grid arguments ->
            try
                let block axis = Marshal.ReadInt32(grid, 4 * axis)
                let grid = Grid(int64 (block 0), block 1, block 2, block 3)
                run modulePointer (Marshal.PtrToStringAnsi kernel |> string) grid arguments
            with error ->
                if failure.IsNone then failure <- Some error)
