namespace Curvature.FSharp

open Curvature

/// Images in PyTorch's layout, [N; channels; height; width], with filters [K; C / groups; KH; KW], and signals [N;
/// channels; length]. Elements are brought into the order of `Nhwc` and back. In a compiled function the move out of
/// one step and the move into the next cancel where they follow each other. With elementwise functions between
/// convolutions, `Nhwc` throughout is faster. Functions of signals read what a `Sliding` says of the width.
[<RequireQualifiedAccess>]
module Nchw =

    /// [N; channels; height; width] to [N; height; width; channels].
    let toNhwc (x: Tensor) : Tensor = Tensor.permute [ 0; 2; 3; 1 ] x

    /// [N; height; width; channels] to [N; channels; height; width].
    let ofNhwc (x: Tensor) : Tensor = Tensor.permute [ 0; 3; 1; 2 ] x

    /// Filters [K; C / groups; KH; KW] to [KH; KW; C / groups; K].
    let filtersToNhwc (filters: Tensor) : Tensor = Tensor.permute [ 2; 3; 1; 0 ] filters

    let private checkRank operation rank what (t: Tensor) =
        if t.Rank <> rank then
            let axes = if rank = 4 then "four" else "three"
            Fail.shape $"{operation}: {what} have {axes} axes, and the shape is {t.ShapeText}"

    let private through operation (f: Tensor -> Tensor) (x: Tensor) =
        checkRank operation 4 "images [N; channels; height; width]" x
        x |> toNhwc |> f |> ofNhwc

    /// The same for signals, which are images of one row.
    let private throughRow operation (f: Tensor -> Tensor) (x: Tensor) =
        checkRank operation 3 "signals [N; channels; length]" x
        x |> Tensor.unsqueeze 2 |> toNhwc |> f |> ofNhwc |> Tensor.squeeze 2

    let private filtersOfRow operation layout (filters: Tensor) =
        checkRank operation 3 $"filters {layout}" filters
        filters |> Tensor.unsqueeze 2 |> filtersToNhwc

    // ---- convolutions

    /// A convolution in groups, as torch.nn.functional.conv2d: images [N; C; H; W] and filters [K; C / groups; KH; KW]
    /// give [N; K; H′; W′], with H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1.
    /// Raises ShapeException, DTypeException or ArgumentRangeException where the arguments do not fit together.
    let groupedConv2d (groups: int) (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        checkRank "conv2d" 4 "filters [filters; channels / groups; height; width]" filters
        through "conv2d" (Nhwc.groupedConv2d groups sliding (filtersToNhwc filters)) x

    /// A convolution, as torch.nn.functional.conv2d: images [N; C; H; W] and filters [K; C; KH; KW] give [N; K; H′;
    /// W′], with H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1.
    /// Raises ShapeException or DTypeException where the arguments do not fit together.
    let conv2d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor = groupedConv2d 1 sliding filters x

    /// A convolution of signals in groups, as torch.nn.functional.conv1d: signals [N; C; L] and filters [K; C / groups;
    /// KL] give [N; K; L′], with L′ = ⌊(L + zeros − (KL − 1)·dilation − 1) / stride⌋ + 1.
    /// Raises ShapeException, DTypeException or ArgumentRangeException where the arguments do not fit together.
    let groupedConv1d (groups: int) (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        let filters = filtersOfRow "conv1d" "[filters; channels / groups; length]" filters
        throughRow "conv1d" (Nhwc.convolve "conv1d" groups sliding.Across filters) x

    /// A convolution of signals, as torch.nn.functional.conv1d; `groupedConv1d` with one group.
    let conv1d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor = groupedConv1d 1 sliding filters x

    /// The transpose of a convolution in groups, as torch.nn.functional.conv_transpose2d: images [N; C; H; W] and
    /// filters [C; K / groups; KH; KW] give [N; K; H′; W′], with H′ = (H − 1)·stride − zeros + (KH − 1)·dilation + 1 +
    /// output padding. The zeros of the convolution are what is cut off here. Output padding are rows below and columns
    /// to the right, less than the stride or the dilation.
    /// Raises ShapeException, DTypeException or ArgumentRangeException where the arguments do not fit together.
    let groupedConvTranspose2d
        (groups: int)
        (outputPadding: int * int)
        (sliding: Sliding)
        (filters: Tensor)
        (x: Tensor)
        : Tensor =
        checkRank "convTranspose2d" 4 "filters [channels; outputs / groups; height; width]" filters
        through "convTranspose2d" (Nhwc.groupedConvTranspose2d groups outputPadding sliding (filtersToNhwc filters)) x

    /// The transpose of a convolution without groups and output padding; see `groupedConvTranspose2d`.
    let convTranspose2d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        groupedConvTranspose2d 1 (0, 0) sliding filters x

    /// The transpose of a convolution of signals in groups, as torch.nn.functional.conv_transpose1d: signals [N; C; L]
    /// and filters [C; K / groups; KL] give [N; K; L′]; see `groupedConvTranspose2d`.
    let groupedConvTranspose1d
        (groups: int)
        (outputPadding: int)
        (sliding: Sliding)
        (filters: Tensor)
        (x: Tensor)
        : Tensor =
        let filters = filtersOfRow "convTranspose1d" "[channels; outputs / groups; length]" filters
        let transpose = Nhwc.convolveTransposed "convTranspose1d" groups (0, outputPadding) sliding.Across filters
        throughRow "convTranspose1d" transpose x

    /// The transpose of a convolution of signals without groups and output padding; see `groupedConvTranspose1d`.
    let convTranspose1d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        groupedConvTranspose1d 1 0 sliding filters x

    // ---- pools

    /// The mean over each window of the given height and width, zeros around the image included, as
    /// torch.nn.functional.avg_pool2d. In ceil mode, what a window has beyond these zeros does not count.
    let averagePool2d (size: int * int) (sliding: Sliding) (x: Tensor) : Tensor =
        through "averagePool2d" (Nhwc.averagePool2d size sliding) x

    /// The mean over those elements of each window that lie in the image, as torch.nn.functional.avg_pool2d with
    /// count_include_pad false. At most half of a window may lie outside the image.
    let averagePool2dWithoutPadding (size: int * int) (sliding: Sliding) (x: Tensor) : Tensor =
        through "averagePool2d" (Nhwc.averagePool2dWithoutPadding size sliding) x

    /// The largest element of each window of the given height and width, as torch.nn.functional.max_pool2d. Its
    /// derivative is that of the first largest element.
    let maxPool2d (size: int * int) (sliding: Sliding) (x: Tensor) : Tensor =
        through "maxPool2d" (Nhwc.maxPool2d size sliding) x

    /// The mean over each window of signals [N; C; L], as torch.nn.functional.avg_pool1d; see `averagePool2d`.
    let averagePool1d (size: int) (sliding: Sliding) (x: Tensor) : Tensor =
        throughRow "averagePool1d" (Nhwc.average "averagePool1d" true (1, size) sliding.Across) x

    /// The mean over those elements of each window that lie in the signal; see `averagePool2dWithoutPadding`.
    let averagePool1dWithoutPadding (size: int) (sliding: Sliding) (x: Tensor) : Tensor =
        throughRow "averagePool1d" (Nhwc.average "averagePool1d" false (1, size) sliding.Across) x

    /// The largest element of each window of signals [N; C; L], as torch.nn.functional.max_pool1d; see `maxPool2d`.
    let maxPool1d (size: int) (sliding: Sliding) (x: Tensor) : Tensor =
        throughRow "maxPool1d" (Nhwc.maximum "maxPool1d" (1, size) sliding.Across) x

    /// The mean over all pixels: [N; C; H; W] to [N; C].
    let globalAveragePool (x: Tensor) : Tensor =
        checkRank "globalAveragePool" 4 "images [N; channels; height; width]" x
        Nhwc.globalAveragePool (toNhwc x)

    // ---- sizes

    /// Zeros around the images.
    let pad (sides: int * int * int * int) (x: Tensor) : Tensor = through "pad" (Nhwc.pad sides) x

    /// Images of another height and width, each pixel of which is one of the original; see `Resize.nearest`.
    let resizeNearest (options: ResizeOptions) (height: int, width: int) (x: Tensor) : Tensor =
        checkRank "resizeNearest" 4 "images [N; channels; height; width]" x
        Resize.nearest options [ 2; 3 ] [ height; width ] x

    /// Images of another height and width, each pixel of which is interpolated between four; see `Resize.linear`.
    let resizeLinear (options: ResizeOptions) (height: int, width: int) (x: Tensor) : Tensor =
        checkRank "resizeLinear" 4 "images [N; channels; height; width]" x
        Resize.linear options [ 2; 3 ] [ height; width ] x
