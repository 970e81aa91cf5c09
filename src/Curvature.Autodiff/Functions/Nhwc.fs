namespace Curvature.FSharp

open Curvature
open Curvature.Kernels

/// Images with the channels last, [N; height; width; channels]: the layout in which convolutions run. A network that
/// stays in it moves no elements between its layers.
[<RequireQualifiedAccess>]
module Nhwc =

    let private checkImages operation (x: Tensor) =
        if x.Rank <> 4 then
            Fail.shape
                $"{operation}: images of shape [N; height; width; channels] are needed, and the shape is {x.ShapeText}"

        if x.DType = DType.Int32 then
            Fail.dtype $"{operation}: images are Float32 or Float64, and these are Int32; convert them first"

        x.Signature.Shape

    let private checkFilters operation layout (filters: Tensor) =
        if filters.Rank <> 4 then
            Fail.shape $"{operation}: filters of shape {layout} are needed, and the shape is {filters.ShapeText}"

        filters.Signature.Shape

    // ---- convolutions

    /// `groupedConv2d` under the name of the operation that users called.
    let internal convolve operation (groups: int) (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        let shape = checkImages operation x
        let kernel = checkFilters operation "[height; width; channels / groups; filters]" filters

        if groups < 1 || shape[3] % groups <> 0 || kernel[3] % groups <> 0 then
            Fail.range (
                $"{operation}: the number of groups must divide the {shape[3]} channels and the {kernel[3]} filters, "
                + $"and it is {groups}"
            )

        if int64 kernel[2] * int64 groups <> int64 shape[3] then
            Fail.shape (
                $"{operation}: the images have {shape[3]} channels in {groups} groups, "
                + $"and the filters are for {kernel[2]} channels each"
            )

        let struct (height, width) = sliding.Axes(operation, struct (shape[1], shape[2]), struct (kernel[0], kernel[1]))

        Tensor.Of(Convolve(ConvolutionRole.Output, height, width, groups), x, filters)

    /// A convolution in groups: filters and channels fall into as many groups, in order, and a filter reads the
    /// channels of its group. Images [N; H; W; C] and filters [KH; KW; C / groups; K] give [N; H′; W′; K], with H′ =
    /// ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1. Filters are not flipped, as is usual in networks. Raises
    /// ShapeException, DTypeException or ArgumentRangeException where the arguments do not fit together.
    let groupedConv2d (groups: int) (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        convolve "conv2d" groups sliding filters x

    /// A convolution: images [N; H; W; C] and filters [KH; KW; C; K] give [N; H′; W′; K], with H′ = ⌊(H + zeros − (KH −
    /// 1)·dilation − 1) / stride⌋ + 1. Filters are not flipped, as is usual in networks. Raises ShapeException or
    /// DTypeException where the arguments do not fit together.
    let conv2d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor = groupedConv2d 1 sliding filters x

    /// `groupedConvTranspose2d` under the name of the operation that users called.
    let internal convolveTransposed operation (groups: int) (outputPadding: int * int) (sliding: Sliding) filters x =
        let shape = checkImages operation x
        let kernel = checkFilters operation "[height; width; outputs / groups; channels]" filters

        if groups < 1 || shape[3] % groups <> 0 then
            Fail.range $"{operation}: the number of groups must divide the {shape[3]} channels, and it is {groups}"

        if kernel[3] <> shape[3] then
            Fail.shape $"{operation}: the images have {shape[3]} channels, and the filters are for {kernel[3]}"

        let check size stride dilation =
            if size < 0 || size >= max stride dilation then
                Fail.range (
                    $"{operation}: output padding is at least 0 and less than the stride, {stride}, or the dilation, "
                    + $"{dilation}; and it is {size}"
                )

        let struct (strideDown, strideAcross), struct (dilationDown, dilationAcross) = sliding.Stride, sliding.Dilation
        check (fst outputPadding) strideDown dilationDown
        check (snd outputPadding) strideAcross dilationAcross
        let struct (top, bottom), struct (left, right) = sliding.VerticalPadding, sliding.HorizontalPadding
        // Output padding is less cut off; where there is nothing to be cut off, no window reaches, and there are zeros.
        let below, behind = bottom - fst outputPadding, right - snd outputPadding
        let cut = sliding.WithPadding(top, max 0 below, left, max 0 behind)

        let struct (height, width) =
            cut.TransposedAxes(operation, struct (shape[1], shape[2]), struct (kernel[0], kernel[1]))

        let zeros axis count y = if count > 0 then TensorShapes.pad axis 0 count y else y

        Tensor.Of(Convolve(ConvolutionRole.Input, height, width, groups), x, filters)
        |> zeros 1 -below
        |> zeros 2 -behind

    /// The transpose of a convolution in groups, with respect to its images: images [N; H; W; C] and filters [KH; KW;
    /// K / groups; C] give [N; H′; W′; K], with H′ = (H − 1)·stride − zeros + (KH − 1)·dilation + 1 + output padding.
    /// The zeros of the convolution are what is cut off here. Output padding are rows below and columns to the right,
    /// less than the stride or the dilation: it says which of the sizes is meant that the convolution brings to H.
    /// Raises ShapeException, DTypeException or ArgumentRangeException where the arguments do not fit together.
    let groupedConvTranspose2d
        (groups: int)
        (outputPadding: int * int)
        (sliding: Sliding)
        (filters: Tensor)
        (x: Tensor)
        : Tensor =
        convolveTransposed "convTranspose2d" groups outputPadding sliding filters x

    /// The transpose of a convolution without groups and output padding; see `groupedConvTranspose2d`.
    let convTranspose2d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        groupedConvTranspose2d 1 (0, 0) sliding filters x

    // ---- pools

    let private checkReach operation (axis: WindowAxis) (struct (before, after)) =
        // Where at most half of a window is outside, at least one element is inside.
        if 2L * int64 (max before after) > int64 axis.Kernel then
            Fail.range (
                $"{operation}: at most half of a window may lie outside the image; "
                + $"it has {axis.Kernel} elements along an axis, and there are {before} and {after} places outside"
            )

    /// For each window of an axis, how many of its elements lie from one position to before another.
    let private counts (axis: WindowAxis) (first: int64) (stop: int64) : float[] =
        let dilation = int64 axis.Dilation

        Array.init axis.Output (fun window ->
            let start = int64 window * int64 axis.Stride - int64 axis.Before
            let skipped = max 0L ((first - start + dilation - 1L) / dilation)
            let reached = min (int64 axis.Kernel) ((stop - start + dilation - 1L) / dilation)
            float (reached - skipped))

    /// Means over windows: of all their elements but those beyond the zeros around the image, or of those in the image.
    let internal average operation (countsPadding: bool) (height: int, width: int) (sliding: Sliding) (x: Tensor) =
        let shape = checkImages operation x
        let struct (down, across) = sliding.Axes(operation, struct (shape[1], shape[2]), struct (height, width))

        let counted (axis: WindowAxis) (struct (before: int, after: int)) =
            if countsPadding then
                counts axis (int64 -before) (int64 axis.Input + int64 after)
            else
                checkReach operation axis (struct (before, after))
                counts axis 0L (int64 axis.Input)

        let rows, columns = counted down sliding.VerticalPadding, counted across sliding.HorizontalPadding
        let sums = Tensor.Of(WindowSums(down, across, false), x)
        let isWhole (length: int) = Array.forall (fun count -> count = float length)

        if isWhole height rows && isWhole width columns then
            sums * (1.0 / (float height * float width))
        else
            let shares = Array.allPairs rows columns |> Array.map (fun (row, column) -> 1.0 / (row * column))

            TensorCreation.ofArray [ rows.Length; columns.Length; 1 ] shares
            |> TensorCreation.convert x.DType
            |> TensorCreation.toDevice x.Device
            |> fun shares -> sums * shares

    /// The mean over each window of the given height and width, zeros around the image included. In ceil mode, what a
    /// window has beyond these zeros does not count, as in PyTorch.
    /// Raises ShapeException where no window fits, ArgumentRangeException for a window without elements.
    let averagePool2d (height: int, width: int) (sliding: Sliding) (x: Tensor) : Tensor =
        average "averagePool2d" true (height, width) sliding x

    /// The mean over those elements of each window of the given height and width that lie in the image: zeros around
    /// it do not count. Raises ShapeException where no window fits, ArgumentRangeException for a window without
    /// elements and where more than half of a window may lie outside the image.
    let averagePool2dWithoutPadding (height: int, width: int) (sliding: Sliding) (x: Tensor) : Tensor =
        average "averagePool2d" false (height, width) sliding x

    /// `maxPool2d` under the name of the operation that users called.
    let internal maximum operation (height: int, width: int) (sliding: Sliding) (x: Tensor) : Tensor =
        let shape = checkImages operation x
        let struct (down, across) = sliding.Axes(operation, struct (shape[1], shape[2]), struct (height, width))
        checkReach operation down sliding.VerticalPadding
        checkReach operation across sliding.HorizontalPadding
        let positions = Tensor.Of(WindowMaxima(down, across), x)
        Tensor.Of(Indexing.Gather(0, 0), Tensor.flatten x, positions)

    /// The largest element of each window of the given height and width; zeros around the image do not count. Its
    /// derivative is that of the first largest element. NaN in a window comes out as NaN.
    /// Raises ShapeException where no window fits, ArgumentRangeException where a window would lie outside the image.
    let maxPool2d (height: int, width: int) (sliding: Sliding) (x: Tensor) : Tensor =
        maximum "maxPool2d" (height, width) sliding x

    /// The mean over all pixels: [N; H; W; C] to [N; C].
    let globalAveragePool (x: Tensor) : Tensor =
        checkImages "globalAveragePool" x |> ignore
        Tensor.meanAxes [ 1; 2 ] x

    /// Zeros around the images.
    let pad (top: int, bottom: int, left: int, right: int) (x: Tensor) : Tensor =
        checkImages "pad" x |> ignore
        x |> Tensor.pad 1 top bottom |> Tensor.pad 2 left right
