namespace Curvature

open System
open System.Diagnostics
open System.Threading
open Curvature.FSharp

/// How much memory quantities of single samples may take at a time. Immutable; `Default` and the methods With… make
/// others.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SampleOptions private (memory: int64, cancellation: CancellationToken) =
    /// 256 MiB.
    static member Default = SampleOptions(1L <<< 28, CancellationToken.None)

    /// The bytes that gradients or Jacobians of the samples at work may take. One sample is always at work, and what
    /// differentiation keeps on the way comes on top.
    member _.MemoryLimit = memory

    /// Ends the work between two blocks of samples by OperationCanceledException.
    member _.Cancellation = cancellation

    /// The same options with another limit. Raises ArgumentRangeException for less than 1 byte.
    member _.WithMemoryLimit(bytes: int64) =
        if bytes < 1L then
            Fail.range $"WithMemoryLimit: one byte at least is needed, and the limit is {bytes}"

        SampleOptions(bytes, cancellation)

    /// The same options with a token that ends the work early.
    member _.WithCancellation(token: CancellationToken) = SampleOptions(memory, token)

    /// How many samples may be at work where each takes so many numbers of a type.
    member internal _.BlockSize(numbersOfSample: int64, dtype: DType) : int =
        let bytes = numbersOfSample * (if dtype = DType.Float64 then 8L else 4L)
        int (max 1L (min (int64 Int32.MaxValue) (memory / max 1L bytes)))

    override _.ToString() =
        let mebibytes = (float memory / 1048576.0).ToString("#,0.###", Globalization.CultureInfo.InvariantCulture)
        $"numbers of single samples in {mebibytes} MiB at most"

    member internal this.Text = this.ToString()
