namespace Curvature.OnnxFormat

open Curvature
open Curvature.FSharp

/// The largest elements and the means of windows, and of whole images.
[<RequireQualifiedAccess>]
module internal Pooling =

    let private geometry (call: Call) : int[] * Sliding =
        let shape = (call.Input 0).Shape
        let axes = Windows.axes call shape
        let kernel = Windows.kernel call axes
        let pads = Windows.pads call shape[2..] kernel
        let rounded = call.Node.Flag("ceil_mode", false)
        // With SAME there are as many windows as fit, and none to round up to.
        let sliding = (Windows.sliding call pads).WithCeilMode(rounded && Windows.autoPad call <> "SAME_UPPER")
        kernel, sliding

    /// Windows that may lie outside by more than a half, which wide steps between their elements make: the places
    /// outside are written down, where no element is smaller.
    let private withPlaces (sliding: Sliding) (kernel: int[]) (x: Tensor) : Tensor * Sliding =
        let struct (top, bottom), struct (left, right) = sliding.VerticalPadding, sliding.HorizontalPadding
        let reaches (places: int) (length: int) = 2L * int64 places > int64 length

        if sliding.CeilMode || not (reaches (max top bottom) kernel[0] || reaches (max left right) kernel[1]) then
            x, sliding
        else
            let around axis before after (t: Tensor) : Tensor =
                let places count = t.Fill(Array.updateAt axis count t.Shape, -infinity)
                Tensor.concat axis [ places before; t; places after ]

            x |> around 1 top bottom |> around 2 left right, sliding.WithPadding 0

    let private maximum (call: Call) : Value list =
        match geometry call with
        | [| length |], sliding ->
            // A signal is an image of one row.
            let rows = call.Tensor 0 |> Tensor.unsqueeze 2 |> Nchw.toNhwc
            let x, sliding = withPlaces sliding [| 1; length |] rows
            call.Result(Nhwc.maxPool2d (1, length) sliding x |> Nchw.ofNhwc |> Tensor.squeeze 2)
        | kernel, sliding ->
            let x, sliding = withPlaces sliding kernel (call.Images 0)
            call.ImageResult(Nhwc.maxPool2d (kernel[0], kernel[1]) sliding x)

    let private average (call: Call) : Value list =
        let countsPadding = call.Node.Flag("count_include_pad", false)

        match geometry call with
        | [| length |], sliding ->
            let pool = if countsPadding then Nchw.averagePool1d else Nchw.averagePool1dWithoutPadding
            call.Result(pool length sliding (call.Tensor 0))
        | kernel, sliding ->
            let pool = if countsPadding then Nhwc.averagePool2d else Nhwc.averagePool2dWithoutPadding
            call.ImageResult(pool (kernel[0], kernel[1]) sliding (call.Images 0))

    /// Over all axes but batch and channels, which stay with length 1.
    let private whole (reduce: int list -> Tensor -> Tensor) (call: Call) : Value list =
        match call.Input 0 with
        | Value.Images(_, x) ->
            let shape = x.Shape
            call.Result(reduce [ 1; 2 ] x |> Tensor.reshape [ shape[0]; shape[3]; 1; 1 ])
        | _ ->
            let x = call.Tensor 0
            let axes = [ 2 .. x.Rank - 1 ]
            call.Result((reduce axes x, axes) ||> List.fold (fun t axis -> Tensor.unsqueeze axis t))

    let private refuse (node: Node) =
        if node.Int("storage_order", 0L) <> 0L then
            ValueSome "has storage_order 1, which is not supported"
        elif not (node.Has "kernel_shape") then
            ValueSome "does not say kernel_shape"
        else
            Windows.refusal node

    let private pool name attributes run =
        Operator.make name (1, 1) $"auto_pad:text kernel_shape:ints pads:ints strides:ints {attributes}" run
        |> Operator.refusing refuse
        |> Operator.takingImages

    let operators: Operator list =
        [
            pool "MaxPool" "storage_order:int" maximum |> Operator.until 9
            pool "MaxPool" "storage_order:int ceil_mode:int dilations:ints" maximum |> Operator.since 10
            pool "AveragePool" "count_include_pad:int" average |> Operator.until 9
            pool "AveragePool" "count_include_pad:int ceil_mode:int" average |> Operator.since 10 |> Operator.until 18
            pool "AveragePool" "count_include_pad:int ceil_mode:int dilations:ints" average |> Operator.since 19
            Operator.make "GlobalAveragePool" (1, 1) "" (whole Tensor.meanAxes) |> Operator.takingImages
            Operator.make "GlobalMaxPool" (1, 1) "" (whole Tensor.maxAxes) |> Operator.takingImages
        ]
