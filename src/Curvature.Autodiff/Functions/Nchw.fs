namespace Curvature.FSharp

open Curvature

/// Images in PyTorch's layout, [N; channels; height; width], with filters [K; C / groups; KH; KW]. Elements are brought
/// into the order of `Nhwc` and back. In a compiled function the move out of one step and the move into the next cancel
/// where they follow each other. With elementwise functions between convolutions, `Nhwc` throughout is faster.
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
            Fail.shape $"{operation}: {what} have four axes, and the shape is {t.ShapeText}"

    let private through operation (f: Tensor -> Tensor) (x: Tensor) =
        checkRank operation "images [N; channels; height; width]" x
        x |> toNhwc |> f |> ofNhwc

    /// A convolution in groups, as torch.nn.functional.conv2d: images [N; C; H; W] and filters [K; C / groups; KH; KW]
    /// give [N; K; H′; W′], with H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1.
    /// Raises ShapeException, DTypeException or ArgumentRangeException where the arguments do not fit together.
    let groupedConv2d (groups: int) (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor =
        checkRank "conv2d" "filters [filters; channels / groups; height; width]" filters
        through "conv2d" (Nhwc.groupedConv2d groups sliding (filtersToNhwc filters)) x

    /// A convolution, as torch.nn.functional.conv2d: images [N; C; H; W] and filters [K; C; KH; KW] give [N; K; H′;
    /// W′], with H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1.
    /// Raises ShapeException or DTypeException where the arguments do not fit together.
    let conv2d (sliding: Sliding) (filters: Tensor) (x: Tensor) : Tensor = groupedConv2d 1 sliding filters x

    /// The mean over each window of the given height and width, zeros around the image included, as
    /// torch.nn.functional.avg_pool2d.
    let averagePool2d (size: int * int) (sliding: Sliding) (x: Tensor) : Tensor =
        through "averagePool2d" (Nhwc.averagePool2d size sliding) x

    /// The largest element of each window of the given height and width, as torch.nn.functional.max_pool2d. Its
    /// derivative is that of the first largest element.
    let maxPool2d (size: int * int) (sliding: Sliding) (x: Tensor) : Tensor =
        through "maxPool2d" (Nhwc.maxPool2d size sliding) x

    /// The mean over all pixels: [N; C; H; W] to [N; C].
    let globalAveragePool (x: Tensor) : Tensor =
        checkRank "globalAveragePool" "images [N; channels; height; width]" x
        Nhwc.globalAveragePool (toNhwc x)

    /// Zeros around the images.
    let pad (sides: int * int * int * int) (x: Tensor) : Tensor = through "pad" (Nhwc.pad sides) x
