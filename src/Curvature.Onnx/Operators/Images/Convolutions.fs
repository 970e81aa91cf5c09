namespace Curvature.OnnxFormat

open Curvature
open Curvature.FSharp

/// Convolutions of signals and images, and their transposes.
[<RequireQualifiedAccess>]
module internal Convolutions =

    let private groups (call: Call) : int = call.Small("attribute group", call.Node.Int("group", 1L))

    /// The result of signals.
    let private signals (call: Call) (y: Tensor) : Value list =
        match call.TryTensor 2 with
        | ValueSome bias -> call.Result(y + Tensor.unsqueeze 1 bias)
        | ValueNone -> call.Result y

    /// The result of images, with the channels last.
    let private images (call: Call) (y: Tensor) : Value list =
        match call.TryTensor 2 with
        | ValueSome bias -> call.ImageResult(y + bias)
        | ValueNone -> call.ImageResult y

    let private filters (call: Call) (shape: int[]) : Tensor * int[] =
        let filters = call.Tensor 1

        if filters.Rank <> shape.Length then
            call.Fail $"filters of shape {Shape.show filters.Shape} do not fit an input of shape {Shape.show shape}"

        filters, filters.Shape[2..]

    let private convolution (call: Call) : Value list =
        let shape = (call.Input 0).Shape
        let axes = Windows.axes call shape
        let filters, kernel = filters call shape
        let pads = Windows.pads call shape[2..] kernel
        let length axis = int64 shape[2 + axis] + fst pads[axis] + snd pads[axis]
        call.Context.RequireRoom(call.Node.Label, [ int64 shape[0]; int64 shape[1]; yield! List.init axes length ])
        let sliding = Windows.sliding call pads

        if axes = 1 then
            signals call (Nchw.groupedConv1d (groups call) sliding filters (call.Tensor 0))
        else
            let filters = Nchw.filtersToNhwc filters
            images call (Nhwc.groupedConv2d (groups call) sliding filters (call.Images 0))

    /// Elements that are cut off before and after each axis, so that the result has the lengths that are asked for.
    let private cut (call: Call) (lengths: int[]) (spans: int64[]) : (int64 * int64)[] =
        let axes = lengths.Length
        let strides, extra = Windows.strides call axes, Windows.outputPadding call axes
        let isSame = (Windows.autoPad call).StartsWith("SAME", System.StringComparison.Ordinal)

        let asked =
            match call.Node.TryInts "output_shape" with
            | ValueSome shape when shape.Length >= axes -> ValueSome shape[shape.Length - axes ..]
            | ValueSome _ -> call.Fail $"attribute output_shape has less than {axes} numbers"
            | ValueNone when isSame ->
                ValueSome(Array.map2 (fun length stride -> int64 length * int64 stride) lengths strides)
            | ValueNone -> ValueNone

        match asked with
        | ValueNone when Windows.autoPad call = "VALID" -> Array.create axes (0L, 0L)
        | ValueNone -> Windows.explicitPads call axes
        | ValueSome asked ->
            Array.init axes (fun axis ->
                let whole = int64 strides[axis] * (int64 lengths[axis] - 1L) + int64 extra[axis] + spans[axis]

                if whole < asked[axis] then
                    call.Fail $"a result of length {whole} is to have length {asked[axis]}"

                Windows.halves (Windows.autoPad call = "SAME_UPPER") (whole - asked[axis]))

    let private transpose (call: Call) : Value list =
        let shape = (call.Input 0).Shape
        let axes = Windows.axes call shape
        let filters, kernel = filters call shape
        let spans = Windows.span kernel (Windows.dilations call axes)
        let strides, extra = Windows.strides call axes, Windows.outputPadding call axes
        let whole axis = int64 strides[axis] * int64 shape[2 + axis] + spans[axis] + int64 extra[axis]
        let channels = int64 filters.Shape[1] * int64 (groups call)
        call.Context.RequireRoom(call.Node.Label, [ int64 shape[0]; channels; yield! List.init axes whole ])
        let sliding = Windows.sliding call (cut call shape[2..] spans)

        if axes = 1 then
            signals call (Nchw.groupedConvTranspose1d (groups call) extra[0] sliding filters (call.Tensor 0))
        else
            let filters, extra = Nchw.filtersToNhwc filters, (extra[0], extra[1])
            images call (Nhwc.groupedConvTranspose2d (groups call) extra sliding filters (call.Images 0))

    let private geometry = "auto_pad:text dilations:ints group:int kernel_shape:ints pads:ints strides:ints"

    let operators: Operator list =
        [
            Operator.make "Conv" (2, 3) geometry convolution
            |> Operator.refusing Windows.refusal
            |> Operator.takingImages
            Operator.make "ConvTranspose" (2, 3) (geometry + " output_padding:ints output_shape:ints") transpose
            |> Operator.refusing Windows.refusal
            |> Operator.takingImages
        ]
