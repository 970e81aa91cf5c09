namespace Curvature

open System.Diagnostics
open Curvature.Kernels

/// How windows move over images: the steps between them, the zeros around an image, and the distance between
/// neighbouring elements of a window. It is immutable. `Sliding.Default` has steps and distances of 1 and no zeros.
/// Functions of signals, which have one axis, read what is across and what is left and right.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Sliding
    private
    (
        stride: struct (int * int),
        vertical: struct (int * int),
        horizontal: struct (int * int),
        dilation: struct (int * int),
        ceilMode: bool
    ) =
    static let fallback = Sliding(struct (1, 1), struct (0, 0), struct (0, 0), struct (1, 1), false)

    static let check name least (struct (first, second)) =
        if first < least || second < least then
            Fail.range $"{name}: at least {least} is needed, and the numbers are {first} and {second}"

        struct (first, second)

    static let checkKernel (operation: string) (name: string) kernel =
        if kernel < 1 then
            Fail.range $"{operation}: a window has at least 1 {name}, and this one has {kernel}"

    /// The axis with the number of windows rounded up, as PyTorch and ONNX do it: the last window may reach beyond the
    /// zeros after the image, and a window that would begin among these is left out.
    static let roundUp (axis: WindowAxis) : WindowAxis =
        let stride, inside = int64 axis.Stride, int64 axis.Input + int64 axis.Before
        let windows = (axis.Padded - axis.Span + stride - 1L) / stride + 1L
        let kept = if (windows - 1L) * stride >= inside then max 1L (windows - 1L) else windows
        let after = max 0L ((kept - 1L) * stride + axis.Span - inside)
        WindowAxis(axis.Input, axis.Kernel, axis.Stride, axis.Before, int after, axis.Dilation)

    /// Steps and distances of 1, no zeros.
    static member Default = fallback

    /// Positions from one window to the next, down and across.
    member _.Stride = stride

    /// Rows of zeros above and below an image.
    member _.VerticalPadding = vertical

    /// Columns of zeros to the left and to the right of it.
    member _.HorizontalPadding = horizontal

    /// Positions from one element of a window to the next, down and across.
    member _.Dilation = dilation

    /// Whether the number of windows is rounded up.
    member _.CeilMode = ceilMode

    /// Another step, down and across; 1 at least.
    member _.WithStride(height: int, width: int) =
        Sliding(check "stride" 1 (struct (height, width)), vertical, horizontal, dilation, ceilMode)

    /// Another step, in both directions; 1 at least.
    member this.WithStride(stride: int) = this.WithStride(stride, stride)

    /// Other numbers of zeros on the four sides.
    member _.WithPadding(top: int, bottom: int, left: int, right: int) =
        let vertical = check "padding" 0 (struct (top, bottom))
        Sliding(stride, vertical, check "padding" 0 (struct (left, right)), dilation, ceilMode)

    /// Other numbers of zeros: above as below, and left as right.
    member this.WithPadding(vertical: int, horizontal: int) =
        this.WithPadding(vertical, vertical, horizontal, horizontal)

    /// As many zeros on each of the four sides.
    member this.WithPadding(padding: int) = this.WithPadding(padding, padding)

    /// Another distance between neighbouring elements of a window, down and across; 1 at least.
    member _.WithDilation(height: int, width: int) =
        Sliding(stride, vertical, horizontal, check "dilation" 1 (struct (height, width)), ceilMode)

    /// Another distance between neighbouring elements of a window; 1 at least.
    member this.WithDilation(dilation: int) = this.WithDilation(dilation, dilation)

    /// Whether to round the number of windows up, as ceil_mode of PyTorch's pools: the last window may then reach
    /// beyond the zeros after the image. A window that would begin among these zeros is left out.
    member _.WithCeilMode(ceilMode: bool) = Sliding(stride, vertical, horizontal, dilation, ceilMode)

    /// What is said of the width alone: images of one row are signals.
    member internal _.Across =
        let struct (_, stride), struct (_, dilation) = stride, dilation
        Sliding(struct (1, stride), struct (0, 0), horizontal, struct (1, dilation), ceilMode)

    /// The axis down and the one across, by a rule for one of them.
    member private _.Both
        (image: struct (int * int), window: struct (int * int), axis)
        : struct (WindowAxis * WindowAxis) =
        let struct (height, width) = image
        let struct (kernelHeight, kernelWidth) = window
        let struct (strideHeight, strideWidth) = stride
        let struct (dilationHeight, dilationWidth) = dilation

        struct (axis "row" height kernelHeight strideHeight vertical dilationHeight,
                axis "column" width kernelWidth strideWidth horizontal dilationWidth)

    /// The axes of windows of a size on images of a size. Raises ShapeException where not even one window fits.
    member internal this.Axes(operation: string, image: struct (int * int), window: struct (int * int)) =
        let axis name input kernel stride (struct (before, after)) dilation =
            checkKernel operation name kernel
            let axis = WindowAxis(input, kernel, stride, before, after, dilation)

            if axis.Padded > int64 System.Int32.MaxValue then
                Fail.shape (
                    $"{operation}: an image of {input} {name}s with {before} before and {after} after it is longer "
                    + $"than the {System.Int32.MaxValue} that fit"
                )

            if axis.Span > axis.Padded then
                Fail.shape (
                    $"{operation}: a window that spans {axis.Span} {name}s does not fit into an image of {input}, "
                    + $"with {before} before and {after} after it"
                )

            if ceilMode then roundUp axis else axis

        this.Both(image, window, axis)

    /// The axes of the convolution of which a transposed one is the transpose, from the sizes of its images and of the
    /// window. Raises ShapeException where nothing is left of the result, or more than fits.
    member internal this.TransposedAxes(operation: string, image: struct (int * int), window: struct (int * int)) =
        if ceilMode then
            Fail.range $"{operation}: a transposed convolution has no ceil mode"

        let axis name output kernel stride (struct (before, after)) dilation =
            checkKernel operation name kernel
            let span = (int64 kernel - 1L) * int64 dilation + 1L
            let length = (int64 output - 1L) * int64 stride + span - int64 before - int64 after

            if output < 1 || length < 1L || length > int64 System.Int32.MaxValue then
                Fail.shape (
                    $"{operation}: a window that spans {span} {name}s, in steps of {stride} over an image of {output}, "
                    + $"with {before} cut off before and {after} after, would give {length} {name}s"
                )

            WindowAxis(int length, kernel, stride, before, after, dilation)

        this.Both(image, window, axis)

    override _.ToString() =
        let pair (struct (a: int, b: int)) = $"{a}×{b}"
        let struct (top, bottom), struct (left, right) = vertical, horizontal
        let rounding = if ceilMode then ", ceil mode" else ""
        $"step {pair stride}, padding {top}, {bottom}, {left}, {right}, dilation {pair dilation}{rounding}"

    member internal this.Text = this.ToString()
