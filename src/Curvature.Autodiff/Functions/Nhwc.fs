namespace Curvature.FSharp

open Curvature

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

    /// A convolution in groups: filters and channels fall into as many groups, in order, and a filter reads the
    /// channels of its group. Images [N; H; W; C] and filters [KH; KW; C / groups; K] give [N; H′; W′; K], with H′ =
    /// ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1. Filters are not flipped, as is usual in networks. Raises
    /// ShapeException, DTypeException or ArgumentRangeException where the arguments do not fit together.
    let groupedConv2d (groups: int) (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        let shape = checkImages "conv2d" x
        let kernel = filters.Signature.Shape

        if filters.Rank <> 4 then
            Fail.shape (
                $"conv2d: filters of shape [height; width; channels / groups; filters] are needed, "
                + $"and the shape is {Shape.show kernel}"
            )

        if groups < 1 || shape[3] % groups <> 0 || kernel[3] % groups <> 0 then
            Fail.range (
                $"conv2d: the number of groups must divide the {shape[3]} channels and the {kernel[3]} filters, "
                + $"and it is {groups}"
            )

        if int64 kernel[2] * int64 groups <> int64 shape[3] then
            Fail.shape (
                $"conv2d: the images have {shape[3]} channels in {groups} groups, "
                + $"and the filters are for {kernel[2]} channels each"
            )

        let struct (height, width) = sliding.Axes("conv2d", struct (shape[1], shape[2]), struct (kernel[0], kernel[1]))

        Tensor.Of(Convolve(ConvolutionRole.Output, height, width, groups), x, filters)

    /// A convolution: images [N; H; W; C] and filters [KH; KW; C; K] give [N; H′; W′; K], with H′ = ⌊(H + zeros − (KH −
    /// 1)·dilation − 1) / stride⌋ + 1. Filters are not flipped, as is usual in networks. Raises ShapeException or
    /// DTypeException where the arguments do not fit together.
    let conv2d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor = groupedConv2d 1 sliding filters x

    /// The mean over each window of the given height and width, zeros around the image included.
    /// Raises ShapeException where no window fits, ArgumentRangeException for a window without elements.
    let averagePool2d (height: int, width: int) (sliding: Sliding) (x: Tensor) : Tensor =
        let shape = checkImages "averagePool2d" x

        let struct (vertical, horizontal) =
            sliding.Axes("averagePool2d", struct (shape[1], shape[2]), struct (height, width))

        Tensor.Of(WindowSums(vertical, horizontal, false), x) * (1.0 / (float height * float width))

    /// The largest element of each window of the given height and width; zeros around the image do not count. Its
    /// derivative is that of the first largest element. NaN in a window comes out as NaN.
    /// Raises ShapeException where no window fits, ArgumentRangeException where a window would lie outside the image.
    let maxPool2d (height: int, width: int) (sliding: Sliding) (x: Tensor) : Tensor =
        let shape = checkImages "maxPool2d" x

        let struct (vertical, horizontal) =
            sliding.Axes("maxPool2d", struct (shape[1], shape[2]), struct (height, width))

        let check (axis: Kernels.WindowAxis) =
            // Where at most half of a window is outside, at least one element is inside.
            if 2L * int64 (max axis.Before axis.After) > int64 axis.Kernel then
                Fail.range (
                    "maxPool2d: at most half of a window may lie outside the image; "
                    + $"it has {axis.Kernel} elements along an axis, "
                    + $"and there are {axis.Before} and {axis.After} places outside"
                )

        check vertical
        check horizontal
        let positions = Tensor.Of(WindowMaxima(vertical, horizontal), x)
        Tensor.Of(Indexing.Gather(0, 0), Tensor.flatten x, positions)

    /// The mean over all pixels: [N; H; W; C] to [N; C].
    let globalAveragePool (x: Tensor) : Tensor =
        checkImages "globalAveragePool" x |> ignore
        Tensor.meanAxes [ 1; 2 ] x

    /// Zeros around the images.
    let pad (top: int, bottom: int, left: int, right: int) (x: Tensor) : Tensor =
        checkImages "pad" x |> ignore
        x |> Tensor.pad 1 top bottom |> Tensor.pad 2 left right
