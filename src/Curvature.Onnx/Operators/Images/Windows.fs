namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// How windows move over signals [N; channels; length] and images [N; channels; height; width]: what convolutions and
/// pools share.
[<RequireQualifiedAccess>]
module internal Windows =

    /// The number of axes of the windows. Raises for more than two.
    let axes (call: Call) (shape: int[]) : int =
        match shape.Length with
        | 3 -> 1
        | 4 -> 2
        | rank -> call.Fail $"its input has {rank} axes, and signals of 3 and images of 4 are supported"

    /// One number for each axis, from an attribute or a default.
    let private numbers (call: Call) (name: string) (count: int) (fallback: int) : int[] =
        match call.Node.TryInts name with
        | ValueNone -> Array.create count fallback
        | ValueSome values when values.Length <> count ->
            call.Fail $"attribute {name} has {values.Length} numbers, and {count} are needed"
        | ValueSome values -> values |> Array.map (fun value -> call.Small($"attribute {name}", value))

    let strides (call: Call) (axes: int) : int[] = numbers call "strides" axes 1
    let dilations (call: Call) (axes: int) : int[] = numbers call "dilations" axes 1
    let outputPadding (call: Call) (axes: int) : int[] = numbers call "output_padding" axes 0

    /// The window's lengths, which a pool says and a convolution may say.
    let kernel (call: Call) (axes: int) : int[] = numbers call "kernel_shape" axes 0

    /// The elements that a window covers along each axis.
    let span (kernel: int[]) (dilations: int[]) : int64[] =
        Array.map2 (fun length dilation -> (int64 length - 1L) * int64 dilation + 1L) kernel dilations

    /// Half of the zeros on each side, an odd one behind the elements (SAME_UPPER) or before them.
    let halves (isUpper: bool) (total: int64) : int64 * int64 =
        let smaller = total / 2L
        if isUpper then smaller, total - smaller else total - smaller, smaller

    let autoPad (call: Call) : string = call.Node.Text("auto_pad", "NOTSET")

    /// Zeros before and after each axis, as they are written.
    let explicitPads (call: Call) (axes: int) : (int64 * int64)[] =
        let pads = numbers call "pads" (2 * axes) 0
        Array.init axes (fun axis -> int64 pads[axis], int64 pads[axis + axes])

    /// Zeros before and after each axis. SAME gives as many windows as the stride fits into the axis.
    let pads (call: Call) (lengths: int[]) (kernel: int[]) : (int64 * int64)[] =
        let axes = lengths.Length
        let strides = strides call axes

        let same (isUpper: bool) =
            Array.map3
                (fun (length: int) (stride: int) (span: int64) ->
                    if stride < 1 then call.Fail $"a stride is {stride}"
                    let windows = (int64 length + int64 stride - 1L) / int64 stride
                    halves isUpper (max 0L ((windows - 1L) * int64 stride + span - int64 length)))
                lengths
                strides
                (span kernel (dilations call axes))

        match autoPad call with
        | "SAME_UPPER" -> same true
        | "SAME_LOWER" -> same false
        | "VALID" -> Array.create axes (0L, 0L)
        | _ -> explicitPads call axes

    /// What the library calls all of this. One axis is the width.
    let sliding (call: Call) (pads: (int64 * int64)[]) : Sliding =
        let axes = pads.Length
        let strides, dilations = strides call axes, dilations call axes
        let pads = pads |> Array.map (fun (before, after) -> call.Small("a pad", before), call.Small("a pad", after))
        let left, right = pads[axes - 1]

        if axes = 1 then
            Sliding.Default.WithStride(1, strides[0]).WithDilation(1, dilations[0]).WithPadding(0, 0, left, right)
        else
            let top, bottom = pads[0]

            Sliding.Default
                .WithStride(strides[0], strides[1])
                .WithDilation(dilations[0], dilations[1])
                .WithPadding(top, bottom, left, right)

    /// A vector of one number for each channel, in the shape in which it broadcasts to signals or images.
    let perChannel (axes: int) (t: Tensor) : Tensor = Tensor.reshape (t.Size :: List.replicate axes 1) t

    /// Says before a run what the node alone shows.
    let refusal (node: Node) : string voption =
        let length name =
            match node.TryInts name with
            | ValueSome values -> values.Length
            | ValueNone -> 0

        let axes = List.max [ length "kernel_shape"; length "strides"; length "dilations"; (length "pads" + 1) / 2 ]

        match node.Text("auto_pad", "NOTSET") with
        | _ when axes > 2 -> ValueSome $"moves along {axes} axes, and one or two are supported"
        | "NOTSET"
        | "VALID"
        | "SAME_UPPER"
        | "SAME_LOWER" -> ValueNone
        | other -> ValueSome $"has auto_pad \"{other}\", which is not known"
