namespace Curvature

open System.Diagnostics
open System.Globalization

/// What a kernel of a compiled map took, and the work that it did in that time.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type KernelTime internal (name: string, seconds: float, flops: float, bytes: int64) =
    /// What it computes, with its sizes.
    member _.Name = name

    /// The median over the runs.
    member _.Seconds = seconds

    /// Multiplications and additions; 0 where nobody counts them.
    member _.Flops = flops

    /// The bytes of the elements that it reads and writes, each counted once.
    member _.Bytes = bytes

    override _.ToString() =
        let rate (amount: float) = (amount / seconds / 1e9).ToString("G3", CultureInfo.InvariantCulture)
        let time = (1e6 * seconds).ToString("G3", CultureInfo.InvariantCulture)
        let arithmetic = if flops > 0.0 then $", {rate flops} GFLOP/s" else ""
        $"{name}: {time} µs{arithmetic}, {rate (float bytes)} GB/s"

    member internal this.Text = this.ToString()
