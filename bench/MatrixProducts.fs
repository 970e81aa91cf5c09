namespace Curvature.Bench

#nowarn "9"

open System
open System.Collections.Generic
open System.Diagnostics
open System.Runtime.InteropServices
open Curvature
open Curvature.Kernels

/// OpenBLAS, where the machine has it: Debian's libopenblas0-pthread, for one.
module private OpenBlas =

    [<DllImport("libopenblas.so.0")>]
    extern void openblas_set_num_threads(int threads)

    [<DllImport("libopenblas.so.0")>]
    extern void cblas_sgemm(
        int order,
        int transposeA,
        int transposeB,
        int m,
        int n,
        int k,
        single alpha,
        nativeint a,
        int lda,
        nativeint b,
        int ldb,
        single beta,
        nativeint c,
        int ldc
    )

    let isPresent =
        let found, handle = NativeLibrary.TryLoad "libopenblas.so.0"
        ignore<nativeint> handle
        found

    let private rowMajor = 101
    let private noTranspose = 111

    let multiply n (a: nativeint) (b: nativeint) (c: nativeint) =
        cblas_sgemm (rowMajor, noTranspose, noTranspose, n, n, n, 1.0f, a, n, b, n, 0.0f, c, n)

/// Square matrix products, each code path, beside OpenBLAS in the same run.
module MatrixProducts =

    let private medianSeconds (run: unit -> unit) =
        let start = Stopwatch.GetTimestamp()

        while Stopwatch.GetElapsedTime(start).TotalSeconds < 1.2 do
            run ()

        let seconds = List<float>()

        for _ in 1..41 do
            let start = Stopwatch.GetTimestamp()
            run ()
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds)

        seconds.Sort()
        seconds[20]

    let run (n: int) =
        let product dtype =
            let axes =
                [|
                    ContractionAxis(AxisRole.Left, n, n, 0, n)
                    ContractionAxis(AxisRole.Right, n, 0, 1, 1)
                    ContractionAxis(AxisRole.Inner, n, 1, n, 0)
                |]

            ContractionDescription(dtype, axes, Place(0, 0L), Place(1, 0L), Place(2, 0L))

        let flops = 2.0 * float n * float n * float n

        let tell (name: string) threads seconds =
            printfn $"{name, -28} {threads} threads {flops / seconds / 1e9, 8:F1} GFLOP/s"

        let sets = Enum.GetValues<InstructionSet>() |> Array.filter InstructionSets.IsSupported

        for threads in [ 1; 2 ] do
            for dtype in [ DType.Float32; DType.Float64 ] do
                for set in sets do
                    let device = CpuDevice(threads, set)
                    let blocks = Array.init 3 (fun _ -> device.Allocate(int64 (n * n) * 8L))

                    for block in blocks[..1] do
                        if dtype = DType.Float32 then
                            device.Upload(
                                ReadOnlySpan(Array.init (n * n) (fun i -> float32 (i % 7) - 3.0f)),
                                block.Address
                            )
                        else
                            device.Upload(
                                ReadOnlySpan(Array.init (n * n) (fun i -> float (i % 7) - 3.0)),
                                block.Address
                            )

                    let table = blocks |> Array.map _.Address
                    let kernel = device.Contract(product dtype)
                    tell $"{dtype} {set}" threads (medianSeconds (fun () -> kernel.Run(table, threads)))

                    if OpenBlas.isPresent && dtype = DType.Float32 && set = Array.last sets then
                        OpenBlas.openblas_set_num_threads threads

                        tell
                            "Float32 OpenBLAS"
                            threads
                            (medianSeconds (fun () -> OpenBlas.multiply n table[0] table[1] table[2]))

                    GC.KeepAlive blocks
