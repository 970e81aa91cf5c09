namespace Curvature

/// Shapes are arrays of axis lengths, outermost first. A scalar has the empty shape.
module internal Shape =

    /// The largest matrix, in entries, that is written out: 512 MiB of Float64.
    let denseLimit = 1L <<< 26

    /// A shape as text: [2; 3].
    let show (shape: int[]) = "[" + System.String.Join("; ", shape) + "]"

    /// The number of elements.
    let size (shape: int[]) =
        let mutable product = 1L

        // A product that is already too large stays as it is, so that it cannot wrap around.
        for length in shape do
            if product <= int64 System.Int32.MaxValue || length = 0 then
                product <- product * int64 length

        if product > int64 System.Int32.MaxValue then
            Fail.shape $"an array of shape {show shape} has more than the {System.Int32.MaxValue} elements that fit"

        int product

    /// Checks lengths that users give.
    let check (operation: string) (shape: int[]) =
        if shape |> Array.exists (fun length -> length < 0) then
            Fail.shape $"{operation}: axis lengths cannot be negative, and the shape is {show shape}"

        size shape |> ignore
        shape

    /// The strides, in elements, of consecutive storage with the last axis fastest.
    let rowMajor (shape: int[]) =
        let strides = Array.zeroCreate shape.Length
        let mutable step = 1

        for axis in shape.Length - 1 .. -1 .. 0 do
            strides[axis] <- step
            step <- step * shape[axis]

        strides

    /// Whether strides are those of consecutive storage; the stride of an axis of length 1 does not matter.
    let isRowMajor (shape: int[]) (strides: int[]) =
        let mutable step = 1
        let mutable agrees = true

        for axis in shape.Length - 1 .. -1 .. 0 do
            if shape[axis] <> 1 && strides[axis] <> step then agrees <- false
            step <- step * shape[axis]

        agrees

    /// The axes of an array of so many that are not among the given ones.
    let otherAxes (axes: int[]) rank =
        [|
            for axis in 0 .. rank - 1 do
                if not (Array.contains axis axes) then axis
        |]

    /// The shape without the given axes.
    let without (axes: int[]) (shape: int[]) = otherAxes axes shape.Length |> Array.map (fun axis -> shape[axis])

    /// The common shape of two operands under NumPy's rule: aligned at the last axis, lengths equal or one of them 1.
    let broadcast (operation: string) (a: int[]) (b: int[]) =
        let rank = max a.Length b.Length

        let length (shape: int[]) axis =
            let aligned = axis - (rank - shape.Length)
            if aligned < 0 then 1 else shape[aligned]

        Array.init rank (fun axis ->
            match length a axis, length b axis with
            | m, n when m = n -> m
            | 1, n -> n
            | m, 1 -> m
            | _ ->
                Fail.shape (
                    $"{operation}: shapes {show a} and {show b} do not broadcast: "
                    + "axis lengths must be equal, or one of them 1"
                ))

    /// Checks an axis and counts negative ones from the end.
    let axis (operation: string) rank axis =
        let fromStart = if axis < 0 then axis + rank else axis

        if fromStart < 0 || fromStart >= rank then
            Fail.shape $"{operation}: axis {axis} does not exist in an array of {rank} axes"

        fromStart
