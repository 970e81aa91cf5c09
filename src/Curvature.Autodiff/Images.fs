namespace Curvature

open Curvature.Kernels

/// How windows move over images: the steps between them, the zeros around an image, and the distance between neighbouring
/// elements of a window. Immutable; `Sliding.Default` has steps and distances of 1 and no zeros.
[<Sealed>]
type Sliding
    private (stride: struct (int * int), vertical: struct (int * int), horizontal: struct (int * int), dilation) =
    static let fallback = Sliding(struct (1, 1), struct (0, 0), struct (0, 0), struct (1, 1))

    static let check name least (struct (first, second)) =
        if first < least || second < least then
            Fail.range $"{name}: at least {least} is needed, and the numbers are {first} and {second}"

        struct (first, second)

    /// Steps and distances of 1, no zeros.
    static member Default = fallback

    /// Positions from one window to the next, down and across.
    member _.Stride = stride

    /// Rows of zeros above and below an image.
    member _.VerticalPadding = vertical

    /// Columns of zeros to the left and to the right of it.
    member _.HorizontalPadding = horizontal

    /// Positions from one element of a window to the next, down and across.
    member _.Dilation: struct (int * int) = dilation

    /// Another step, down and across; 1 at least.
    member _.WithStride(height: int, width: int) =
        Sliding(check "stride" 1 (struct (height, width)), vertical, horizontal, dilation)

    /// Another step, in both directions; 1 at least.
    member this.WithStride(stride: int) = this.WithStride(stride, stride)

    /// Other numbers of zeros on the four sides.
    member _.WithPadding(top: int, bottom: int, left: int, right: int) =
        let vertical = check "padding" 0 (struct (top, bottom))
        Sliding(stride, vertical, check "padding" 0 (struct (left, right)), dilation)

    /// Other numbers of zeros: above as below, and left as right.
    member this.WithPadding(vertical: int, horizontal: int) =
        this.WithPadding(vertical, vertical, horizontal, horizontal)

    /// As many zeros on each of the four sides.
    member this.WithPadding(padding: int) = this.WithPadding(padding, padding)

    /// Another distance between neighbouring elements of a window, down and across; 1 at least.
    member _.WithDilation(height: int, width: int) =
        Sliding(stride, vertical, horizontal, check "dilation" 1 (struct (height, width)))

    /// Another distance between neighbouring elements of a window; 1 at least.
    member this.WithDilation(dilation: int) = this.WithDilation(dilation, dilation)

    /// The axes of windows of a size on images of a size. Raises ShapeException where not even one window fits.
    member internal _.Axes(operation: string, image: struct (int * int), window: struct (int * int)) =
        let axis name input kernel stride (struct (before, after)) dilation =
            if kernel < 1 then
                Fail.range $"{operation}: a window has at least 1 {name}, and this one has {kernel}"

            let axis = WindowAxis(input, kernel, stride, before, after, dilation)

            if axis.Padded > int64 System.Int32.MaxValue then
                Fail.shape
                    $"{operation}: an image of {input} {name}s with {before} before and {after} after it is longer than the {System.Int32.MaxValue} that fit"

            if axis.Span > axis.Padded then
                Fail.shape
                    $"{operation}: a window that spans {axis.Span} {name}s does not fit into an image of {input}, with {before} before and {after} after it"

            axis

        let struct (height, width) = image
        let struct (kernelHeight, kernelWidth) = window
        let struct (strideHeight, strideWidth) = stride
        let struct (dilationHeight, dilationWidth) = dilation

        struct (axis "row" height kernelHeight strideHeight vertical dilationHeight,
                axis "column" width kernelWidth strideWidth horizontal dilationWidth)

namespace Curvature.FSharp

open Curvature

/// Images with the channels last, [N; height; width; channels]: the layout in which convolutions run. A network that stays in
/// it moves no elements between its layers.
[<RequireQualifiedAccess>]
module Nhwc =

    let private bind (primitive: Primitive) (operands: Tensor list) =
        Interpreter.Bind(primitive, List.toArray operands)[0]

    let private checkImages operation (x: Tensor) =
        if x.Rank <> 4 then
            Fail.shape
                $"{operation}: images of shape [N; height; width; channels] are needed, and the shape is {Shape.show x.Signature.Shape}"

        if x.DType = DType.Int32 then
            Fail.dtype $"{operation}: images are Float32 or Float64, and these are Int32; convert them first"

        x.Signature.Shape

    /// A convolution in groups: filters and channels fall into as many groups, in order, and a filter reads the channels
    /// of its group. Images [N; H; W; C] and filters [KH; KW; C / groups; K] give [N; H′; W′; K], with
    /// H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1. (What is called convolution in networks: filters are not flipped.)
    /// Raises ShapeException, DTypeException or ArgumentRangeException where the arguments do not fit together.
    let groupedConv2d (groups: int) (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        let shape = checkImages "conv2d" x
        let kernel = filters.Signature.Shape

        if filters.Rank <> 4 then
            Fail.shape
                $"conv2d: filters of shape [height; width; channels / groups; filters] are needed, and the shape is {Shape.show kernel}"

        if groups < 1 || shape[3] % groups <> 0 || kernel[3] % groups <> 0 then
            Fail.range
                $"conv2d: the number of groups must divide the {shape[3]} channels and the {kernel[3]} filters, and it is {groups}"

        if int64 kernel[2] * int64 groups <> int64 shape[3] then
            Fail.shape
                $"conv2d: the images have {shape[3]} channels in {groups} groups, and the filters are for {kernel[2]} channels each"

        let struct (height, width) = sliding.Axes("conv2d", struct (shape[1], shape[2]), struct (kernel[0], kernel[1]))

        bind (Convolve(ConvolutionRole.Output, height, width, groups)) [ x; filters ]

    /// A convolution: images [N; H; W; C] and filters [KH; KW; C; K] give [N; H′; W′; K], with
    /// H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1. (What is called convolution in networks: filters are not flipped.)
    /// Raises ShapeException or DTypeException where the arguments do not fit together.
    let conv2d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor = groupedConv2d 1 sliding filters x

    /// The mean over each window of the given height and width, zeros around the image included.
    /// Raises ShapeException where no window fits, ArgumentRangeException for a window without elements.
    let averagePool2d (height: int, width: int) (sliding: Sliding) (x: Tensor) : Tensor =
        let shape = checkImages "averagePool2d" x

        let struct (vertical, horizontal) =
            sliding.Axes("averagePool2d", struct (shape[1], shape[2]), struct (height, width))

        bind (WindowSums(vertical, horizontal, false)) [ x ] * (1.0 / (float height * float width))

    /// The largest element of each window of the given height and width; zeros around the image do not count. Its derivative is
    /// that of the first largest element. NaN in a window comes out as NaN.
    /// Raises ShapeException where no window fits, ArgumentRangeException where a window would lie outside the image.
    let maxPool2d (height: int, width: int) (sliding: Sliding) (x: Tensor) : Tensor =
        let shape = checkImages "maxPool2d" x

        let struct (vertical, horizontal) =
            sliding.Axes("maxPool2d", struct (shape[1], shape[2]), struct (height, width))

        let check (axis: Kernels.WindowAxis) =
            // With half a window outside at most, something is always inside.
            if 2L * int64 (max axis.Before axis.After) > int64 axis.Kernel then
                Fail.range
                    $"maxPool2d: at most half of a window may lie outside the image; it has {axis.Kernel} elements along an axis, and there are {axis.Before} and {axis.After} places outside"

        check vertical
        check horizontal
        let positions = bind (WindowMaxima(vertical, horizontal)) [ x ]
        bind (Indexing.Gather(0, 0)) [ Tensor.flatten x; positions ]

    /// The mean over all pixels: [N; H; W; C] to [N; C].
    let globalAveragePool (x: Tensor) : Tensor =
        checkImages "globalAveragePool" x |> ignore
        Tensor.meanAxes [ 1; 2 ] x

    /// Zeros around the images.
    let pad (top: int, bottom: int, left: int, right: int) (x: Tensor) : Tensor =
        checkImages "pad" x |> ignore
        x |> Tensor.pad 1 top bottom |> Tensor.pad 2 left right

/// Images in PyTorch's layout, [N; channels; height; width], with filters [K; C / groups; KH; KW]. Elements are brought into the
/// order of `Nhwc` and back. In a compiled function the way back from one step and the way into the next cancel where nothing
/// stands between them; with functions of each element between convolutions, `Nhwc` throughout is faster.
[<RequireQualifiedAccess>]
module Nchw =

    /// [N; channels; height; width] to [N; height; width; channels].
    let toNhwc (x: Tensor) : Tensor = Tensor.permute [ 0; 2; 3; 1 ] x

    /// [N; height; width; channels] to [N; channels; height; width].
    let ofNhwc (x: Tensor) : Tensor = Tensor.permute [ 0; 3; 1; 2 ] x

    /// Filters [K; C / groups; KH; KW] to [KH; KW; C / groups; K].
    let filtersToNhwc (filters: Tensor) : Tensor = Tensor.permute [ 2; 3; 1; 0 ] filters

    let private checkRank operation what (t: Tensor) =
        if t.Rank <> 4 then
            Fail.shape $"{operation}: {what} have four axes, and the shape is {Shape.show t.Signature.Shape}"

    let private through operation (f: Tensor -> Tensor) (x: Tensor) =
        checkRank operation "images [N; channels; height; width]" x
        x |> toNhwc |> f |> ofNhwc

    /// A convolution in groups, as torch.nn.functional.conv2d: images [N; C; H; W] and filters [K; C / groups; KH; KW] give
    /// [N; K; H′; W′], with H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1.
    /// Raises ShapeException, DTypeException or ArgumentRangeException where the arguments do not fit together.
    let groupedConv2d (groups: int) (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        checkRank "conv2d" "filters [filters; channels / groups; height; width]" filters
        through "conv2d" (Nhwc.groupedConv2d groups sliding (filtersToNhwc filters)) x

    /// A convolution, as torch.nn.functional.conv2d: images [N; C; H; W] and filters [K; C; KH; KW] give [N; K; H′; W′], with
    /// H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1.
    /// Raises ShapeException or DTypeException where the arguments do not fit together.
    let conv2d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor = groupedConv2d 1 sliding filters x

    /// The mean over each window of the given height and width, zeros around the image included, as
    /// torch.nn.functional.avg_pool2d.
    let averagePool2d (size: int * int) (sliding: Sliding) (x: Tensor) : Tensor =
        through "averagePool2d" (Nhwc.averagePool2d size sliding) x

    /// The largest element of each window of the given height and width, as torch.nn.functional.max_pool2d. Its derivative is that
    /// of the first largest element.
    let maxPool2d (size: int * int) (sliding: Sliding) (x: Tensor) : Tensor =
        through "maxPool2d" (Nhwc.maxPool2d size sliding) x

    /// The mean over all pixels: [N; C; H; W] to [N; C].
    let globalAveragePool (x: Tensor) : Tensor =
        checkRank "globalAveragePool" "images [N; channels; height; width]" x
        Nhwc.globalAveragePool (toNhwc x)

    /// Zeros around the images.
    let pad (sides: int * int * int * int) (x: Tensor) : Tensor = through "pad" (Nhwc.pad sides) x
