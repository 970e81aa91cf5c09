namespace Curvature.OnnxFormat

open Curvature
open Curvature.FSharp

/// Convolutions of signals and images, and their transposes.
[<RequireQualifiedAccess>]
module internal Convolutions =

    let private groups (call: Call) : int = call.Small("attribute group", call.Node.Int("group", 1L))

    let private withBias (call: Call) (axes: int) (y: Tensor) : Value list =
        match call.TryTensor 2 with
        | ValueSome bias -> call.Result(y + Windows.perChannel axes bias)
        | ValueNone -> call.Result y

    let private filters (call: Call) (x: Tensor) : Tensor * int[] =
        let filters = call.Tensor 1

        if filters.Rank <> x.Rank then
            call.Fail $"filters of shape {Shape.show filters.Shape} do not fit an input of shape {Shape.show x.Shape}"

        filters, filters.Shape[2..]

    let private convolution (call: Call) : Value list =
        let x = call.Tensor 0
        let axes = Windows.axes call x
        let filters, kernel = filters call x
        let pads = Windows.pads call x.Shape[2..] kernel

        let length axis =
            int64 x.Shape[2 + axis] + fst pads[axis] + snd pads[axis]

        call.Context.RequireRoom(call.Node.Label, [ int64 x.Shape[0]; int64 x.Shape[1]; yield! List.init axes length ])
        let sliding = Windows.sliding call pads
        let convolve = if axes = 1 then Nchw.groupedConv1d else Nchw.groupedConv2d
        withBias call axes (convolve (groups call) sliding filters x)

    /// Elements that are cut off before and after each axis, so that the result has the lengths that are asked for.
    let private cut (call: Call) (lengths: int[]) (spans: int64[]) : (int64 * int64)[] =
        let axes = lengths.Length
        let strides, extra = Windows.strides call axes, Windows.outputPadding call axes
        let isSame = (Windows.autoPad call).StartsWith("SAME", System.StringComparison.Ordinal)

        let asked =
            match call.Node.TryInts "output_shape" with
            | ValueSome shape when shape.Length >= axes -> ValueSome shape[shape.Length - axes ..]
            | ValueSome _ -> call.Fail $"attribute output_shape has less than {axes} numbers"
            | ValueNone when isSame -> ValueSome(Array.map2 (fun length stride -> int64 length * int64 stride) lengths strides)
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
        let x = call.Tensor 0
        let axes = Windows.axes call x
        let filters, kernel = filters call x
        let spans = Windows.span kernel (Windows.dilations call axes)
        let strides, extra = Windows.strides call axes, Windows.outputPadding call axes
        let whole axis = int64 strides[axis] * int64 x.Shape[2 + axis] + spans[axis] + int64 extra[axis]
        let channels = int64 filters.Shape[1] * int64 (groups call)
        call.Context.RequireRoom(call.Node.Label, [ int64 x.Shape[0]; channels; yield! List.init axes whole ])
        let sliding = Windows.sliding call (cut call x.Shape[2..] spans)

        let y =
            if axes = 1 then
                Nchw.groupedConvTranspose1d (groups call) extra[0] sliding filters x
            else
                Nchw.groupedConvTranspose2d (groups call) (extra[0], extra[1]) sliding filters x

        withBias call axes y

    let private geometry = "auto_pad:text dilations:ints group:int kernel_shape:ints pads:ints strides:ints"

    let operators: Operator list =
        [
            Operator.make "Conv" (2, 3) geometry convolution |> Operator.refusing Windows.refusal
            Operator.make "ConvTranspose" (2, 3) (geometry + " output_padding:ints output_shape:ints") transpose
            |> Operator.refusing Windows.refusal
        ]
