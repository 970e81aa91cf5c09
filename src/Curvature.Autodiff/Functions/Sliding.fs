namespace Curvature

open System.Diagnostics
open Curvature.Kernels

/// How windows move over images: the steps between them, the zeros around an image, and the distance between
/// neighbouring elements of a window. It is immutable. `Sliding.Default` has steps and distances of 1 and no zeros.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
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
                Fail.shape (
                    $"{operation}: an image of {input} {name}s with {before} before and {after} after it is longer "
                    + $"than the {System.Int32.MaxValue} that fit"
                )

            if axis.Span > axis.Padded then
                Fail.shape (
                    $"{operation}: a window that spans {axis.Span} {name}s does not fit into an image of {input}, "
                    + $"with {before} before and {after} after it"
                )

            axis

        let struct (height, width) = image
        let struct (kernelHeight, kernelWidth) = window
        let struct (strideHeight, strideWidth) = stride
        let struct (dilationHeight, dilationWidth) = dilation

        struct (axis "row" height kernelHeight strideHeight vertical dilationHeight,
                axis "column" width kernelWidth strideWidth horizontal dilationWidth)

    override _.ToString() =
        let pair (struct (a: int, b: int)) = $"{a}×{b}"
        let struct (top, bottom), struct (left, right) = vertical, horizontal
        $"step {pair stride}, padding {top}, {bottom}, {left}, {right}, dilation {pair dilation}"

    member internal this.Text = this.ToString()
